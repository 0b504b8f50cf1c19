//! The second moment of Adafactor for vectors, which is not factored.

use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Rms, hypot, over};
use crate::first::loops::{ReadingUpdate, Update};

/// √V of a vector, in place of the parameters, with the sum of u².
#[derive(Clone, Copy)]
pub(super) struct Average<T> {
    pub(super) rms: Rms<T>,
    pub(super) added: T,
    pub(super) smallest: T,
}

impl<T: Float> Update<T, 0, 1> for Average<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, root: T, g: T, _: [T; 0]) -> (T, [T; 0], [T; 1]) {
        let root = self.rms.after::<I>(root, hypot::<I, T>(g, self.added, true));
        (root, [], [over(g, root.maximum(self.smallest), true)])
    }
}

/// θ ← keep θ − rate g / √V of a vector, whose √V is read.
#[derive(Clone, Copy)]
pub(super) struct Step<T> {
    pub(super) keep: T,
    pub(super) rate: T,
    pub(super) smallest: T,
}

impl<T: Float> ReadingUpdate<T, 0, 1> for Step<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, _: [T; 0], [root]: [T; 1]) -> (T, [T; 0], [T; 0]) {
        (I::mul_add(self.keep, p, -(self.rate * over(g, root.maximum(self.smallest), true))), [], [])
    }
}
