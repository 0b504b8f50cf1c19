//! Keys and values of what has been read.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

/// The keys and values of the positions that an attention has seen, so that generating the next one takes a step and not the
/// whole sequence again: see [`MultiheadAttention::decode`](crate::MultiheadAttention::decode). One for each layer, and each
/// sequence or batch of them.
///
/// Memory grows by doubling. It is for inference: what goes into it counts as a constant.
///
/// ```
/// use wengert_nn::{KeyValueCache, MultiheadAttention, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let attention = MultiheadAttention::new(params.at("attention"), 8, 2);
/// let mut cache = KeyValueCache::new();
/// for step in 0..3 {
///     let y = params.infer(|cx| attention.decode(cx, &Var::ones([1, 1, 8]), &mut cache));
///     assert_eq!((y.shape()[1], cache.len()), (1, step + 1));
/// }
/// ```
#[doc(alias = "past_key_values")]
#[derive(Clone, Debug)]
pub struct KeyValueCache<T: Float = f32> {
    /// `[batch, heads, capacity, width]` each.
    memory: Option<[Tensor<T>; 2]>,
    length: usize,
}

impl<T: Float> Default for KeyValueCache<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> KeyValueCache<T> {
    /// Nothing seen yet.
    pub fn new() -> Self {
        KeyValueCache { memory: None, length: 0 }
    }

    /// How many positions it holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets all positions but the first `length`, if there are as many, and keeps the memory.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Appends keys and values `[batch, heads, length, width]`, which must be untracked and of the batch, the heads and the
    /// width of those that are there, and gives all that are there now.
    #[track_caller]
    pub(super) fn append(&mut self, key: &Var<T>, value: &Var<T>) -> [Var<T>; 2] {
        assert!(
            !key.is_tracked() && !value.is_tracked(),
            "decode: the cache is for inference, and something is to be differentiated with respect to what goes in"
        );
        let new = [key.value(), value.value()];
        let sizes = |t: &Tensor<T>| [t.dim(0), t.dim(1), t.dim(3)];
        let found = new.map(sizes);
        let there = self.memory.as_ref().map_or(found, |memory| memory.each_ref().map(sizes));
        assert!(
            self.is_empty() || found == there,
            "decode: the cache is of batch, heads and width {:?}, and what is appended of {:?}",
            there[0],
            found[0]
        );
        let end = self.length + new[0].dim(2);
        let mut memory = match self.memory.take() {
            Some(memory) if found == there && memory[0].dim(2) >= end => memory,
            old => [0, 1].map(|i| self.grown(old.as_ref().map(|old| &old[i]), new[i], end)),
        };
        for (memory, new) in memory.iter_mut().zip(new) {
            memory.slice_assign(2, self.length..end, new);
        }
        self.length = end;
        let all = memory.each_ref().map(|memory| Var::constant(memory.slice_axis(2, ..end)));
        self.memory = Some(memory);
        all
    }

    /// Memory for at least `end` positions like the new ones, with what there is of the old.
    fn grown(&self, old: Option<&Tensor<T>>, new: &Tensor<T>, end: usize) -> Tensor<T> {
        let capacity = end.max(2 * self.length);
        let mut memory = Tensor::zeros([new.dim(0), new.dim(1), capacity, new.dim(3)]);
        if let Some(old) = old.filter(|_| self.length > 0) {
            memory.slice_assign(2, ..self.length, &old.slice_axis(2, ..self.length));
        }
        memory
    }
}
