//! The models that the fuzzer and the changed files begin with.

use std::path::Path;

/// The small ones of the golden models in a folder.
pub(crate) fn models(golden: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(golden.join("operators.bin")).unwrap();
    let mut rest = &bytes[..];
    let mut models = vec![std::fs::read(golden.join("mlp.onnx")).unwrap()];
    while !rest.is_empty() {
        // A name, a model and two lists of tensors.
        block(&mut rest);
        models.push(block(&mut rest).to_vec());
        for _ in 0..2 {
            for _ in 0..number(&mut rest) {
                block(&mut rest);
            }
        }
    }
    models
}

fn number(rest: &mut &[u8]) -> usize {
    let (number, behind) = rest.split_first_chunk().unwrap();
    *rest = behind;
    u32::from_le_bytes(*number) as usize
}

fn block<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = number(rest);
    let (block, behind) = rest.split_at(length);
    *rest = behind;
    block
}
