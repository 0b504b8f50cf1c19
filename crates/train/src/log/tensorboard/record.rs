//! The format of event files: records with checksums, and the fields of protocol buffers.

/// CRC-32C (Castagnoli) of each byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut sum = i as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 };
            bit += 1;
        }
        table[i] = sum;
        i += 1;
    }
    table
};

/// CRC-32C.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, &byte| TABLE[(sum as u8 ^ byte) as usize] ^ (sum >> 8))
}

/// A checksum as it is stored: turned and moved, as sums of data that hold sums are weak.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Appends a record: the length, its checksum, the data, their checksum.
pub(super) fn record(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend_from_slice(&length);
    file.extend_from_slice(&masked(&length).to_le_bytes());
    file.extend_from_slice(data);
    file.extend_from_slice(&masked(data).to_le_bytes());
}

/// Fields of a protocol buffer, appended to bytes.
pub(super) trait Fields {
    /// An integer.
    fn integer(&mut self, field: u32, value: u64);
    /// A number of double precision.
    fn double(&mut self, field: u32, value: f64);
    /// A number of single precision.
    fn float(&mut self, field: u32, value: f32);
    /// Bytes, or a text.
    fn bytes(&mut self, field: u32, value: &[u8]);
    /// Numbers of double precision in a row.
    fn doubles(&mut self, field: u32, values: &[f64]);
    /// A message, filled by a function.
    fn message(&mut self, field: u32, fill: impl FnOnce(&mut Vec<u8>));
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn key(bytes: &mut Vec<u8>, field: u32, wire: u32) {
    varint(bytes, u64::from(field << 3 | wire));
}

impl Fields for Vec<u8> {
    fn integer(&mut self, field: u32, value: u64) {
        key(self, field, 0);
        varint(self, value);
    }

    fn double(&mut self, field: u32, value: f64) {
        key(self, field, 1);
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn float(&mut self, field: u32, value: f32) {
        key(self, field, 5);
        self.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u32, value: &[u8]) {
        key(self, field, 2);
        varint(self, value.len() as u64);
        self.extend_from_slice(value);
    }

    fn doubles(&mut self, field: u32, values: &[f64]) {
        key(self, field, 2);
        varint(self, 8 * values.len() as u64);
        for value in values {
            self.extend_from_slice(&value.to_le_bytes());
        }
    }

    fn message(&mut self, field: u32, fill: impl FnOnce(&mut Vec<u8>)) {
        key(self, field, 2);
        let start = self.len();
        fill(self);
        // The length stands before what it is the length of.
        let end = self.len();
        varint(self, (end - start) as u64);
        let digits = self.len() - end;
        self[start..].rotate_right(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn lengths_stand_before_messages_of_any_size() {
        for size in [0, 1, 127, 128, 20_000] {
            let mut nested = Vec::new();
            nested.message(2, |m| m.bytes(1, &vec![7; size]));
            let mut inner = Vec::new();
            inner.bytes(1, &vec![7; size]);
            let mut plain = Vec::new();
            plain.bytes(2, &inner);
            assert_eq!(nested, plain);
        }
    }
}
