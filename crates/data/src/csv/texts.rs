//! Many short texts in little memory.

/// Ends each text: no byte of UTF-8.
const END: u8 = 0xff;

/// The fields of a row, in one byte each beside their own.
#[derive(Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    count: usize,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(END);
        self.count += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let texts = self.bytes.split(|&b| b == END).take(self.count);
        texts.map(|text| std::str::from_utf8(text).expect("they were texts"))
    }
}
