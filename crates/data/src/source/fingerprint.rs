//! A number for the contents of examples.

use wengert_tensor::{Element, Tensor};

/// Positions that stand for all of `count` examples: all where there are few, and otherwise so many, as even as they can be, the last
/// among them.
pub(crate) fn sample(count: usize) -> Vec<u32> {
    let taken = count.min(MOST);
    (1..=taken).map(|place| ((place as u128 * count as u128 / taken as u128) as usize - 1) as u32).collect()
}

/// Examples that are looked at: of MNIST's size, in a millisecond.
const MOST: usize = 1024;

/// A hash over words: of what each rank of a run has, to be compared.
///
/// ```
/// use wengert_data::Fingerprint;
/// let of = |words: [u64; 2]| words.iter().fold(Fingerprint::from_value(0), |hash, &word| hash.word(word)).value();
/// assert_eq!(of([1, 2]), of([1, 2]));
/// assert_ne!(of([1, 2]), of([2, 1]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(u64);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    /// One that goes on from another's value.
    pub fn from_value(value: u64) -> Self {
        Fingerprint(value)
    }

    /// With one word more.
    pub fn word(self, word: u64) -> Self {
        // A multiplication spreads bits upwards alone; the rotation brings them down for the next.
        Fingerprint((self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
    }

    /// The value of all words so far.
    pub fn value(self) -> u64 {
        self.0
    }

    /// The shape and all bits of all elements.
    pub(crate) fn tensor<E: Element>(self, tensor: &Tensor<E>) -> Self {
        let hash =
            tensor.shape().iter().fold(self.word(tensor.rank() as u64), |hash, &n| hash.word(n as u64));
        let all = tensor.contiguous();
        let elements = all.as_slice().expect("made contiguous");
        elements.iter().fold(hash, |hash, element| {
            let mut word = [0; 8];
            let bytes = element.to_le_bytes();
            word[..bytes.as_ref().len()].copy_from_slice(bytes.as_ref());
            hash.word(u64::from_le_bytes(word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_all_of_few_and_the_last_of_many() {
        assert!(sample(0).is_empty());
        assert_eq!(sample(3), vec![0, 1, 2]);
        for count in [MOST - 1, MOST, MOST + 1, 60_000, u32::MAX as usize] {
            let found = sample(count);
            assert_eq!(found.len(), count.min(MOST));
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
            assert_eq!(found.last(), Some(&((count - 1) as u32)));
        }
    }

    #[test]
    fn every_bit_and_the_shape_count() {
        let of = |values: &Tensor<f32>| Fingerprint::new().tensor(values).value();
        let values = Tensor::<f32>::vector(&[1.0, 0.0, 2.0, 3.0]);
        for place in 0..4 {
            for bit in 0..32 {
                let mut other = values.to_vec();
                other[place] = f32::from_bits(other[place].to_bits() ^ (1 << bit));
                assert_ne!(of(&Tensor::vector(&other)), of(&values), "{place}, {bit}");
            }
        }
        assert_ne!(of(&values.reshape([2, 2])), of(&values));
        assert_ne!(of(&Tensor::vector(&[0.0, 1.0, 2.0, 3.0])), of(&values));
    }
}
