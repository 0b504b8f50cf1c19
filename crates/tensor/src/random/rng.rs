//! The words of the stream one after another, and `rand`'s trait.

use std::convert::Infallible;

use rand::TryRng;

use super::Generator;
use super::philox::block;

impl Generator {
    pub(super) fn word(&mut self) -> u32 {
        let words = block(self.key, self.stream, self.position / 4);
        let word = words[(self.position % 4) as usize];
        self.position = self.position.wrapping_add(1);
        word
    }

    /// Two words, the first of them at an even position.
    pub(super) fn double_word(&mut self) -> u64 {
        self.position = self.position.wrapping_add(self.position % 2);
        let words = block(self.key, self.stream, self.position / 4);
        let i = (self.position % 4) as usize;
        self.position = self.position.wrapping_add(2);
        u64::from(words[i]) | u64::from(words[i + 1]) << 32
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.double_word())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for bytes in dst.chunks_mut(4) {
            bytes.copy_from_slice(&self.word().to_le_bytes()[..bytes.len()]);
        }
        Ok(())
    }
}
