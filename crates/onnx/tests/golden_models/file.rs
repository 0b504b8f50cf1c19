//! The form of the golden files, as `scripts/golden.py` describes it.

/// A model with lists of tensors.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) model: Vec<u8>,
    pub(crate) lists: Vec<Vec<Vec<u8>>>,
}

/// The cases of a file, with that many lists each.
pub(crate) fn cases(path: &str, lists: usize) -> Vec<Case> {
    let bytes = std::fs::read(path).expect("the golden file");
    let mut rest = &bytes[..];
    let mut cases = Vec::new();
    while !rest.is_empty() {
        let name = String::from_utf8(block(&mut rest)).expect("a name");
        let model = block(&mut rest);
        let list = |rest: &mut &[u8]| (0..number(rest)).map(|_| block(rest)).collect();
        let lists = (0..lists).map(|_| list(&mut rest)).collect();
        cases.push(Case { name, model, lists });
    }
    cases
}

fn number(rest: &mut &[u8]) -> usize {
    let (number, behind) = rest.split_first_chunk().expect("a length");
    *rest = behind;
    u32::from_le_bytes(*number) as usize
}

fn block(rest: &mut &[u8]) -> Vec<u8> {
    let length = number(rest);
    let (block, behind) = rest.split_at(length);
    *rest = behind;
    block.to_vec()
}

/// The name in a `TensorProto`: its eighth field, which stands behind the lengths and the type.
pub(crate) fn name(bytes: &[u8]) -> String {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            0x42 => {
                let length = usize::from(bytes[at + 1]);
                return String::from_utf8_lossy(&bytes[at + 2..at + 2 + length]).into_owned();
            }
            // Numbers.
            0x08 | 0x10 => {
                at += 1;
                while bytes[at] & 0x80 != 0 {
                    at += 1;
                }
                at += 1;
            }
            _ => break,
        }
    }
    String::new()
}
