//! Settings that are found by trying: a learning rate, the size of a batch. The model is afterwards as it was.

mod batch_size;
mod rate;

pub use batch_size::{FittingBatch, largest_batch};
pub use rate::range_test;

use wengert_nn::Params;
use wengert_tensor::Float;

/// Parameters with all that belongs to them, given back on the way out, by a panic too.
struct Borrowed<'a, T: Float> {
    params: &'a mut Params<T>,
    before: Params<T>,
}

impl<'a, T: Float> Borrowed<'a, T> {
    fn new(params: &'a mut Params<T>) -> Self {
        let before = params.clone();
        Borrowed { params, before }
    }

    fn restore(&mut self) {
        self.params.clone_from(&self.before);
    }
}

impl<T: Float> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        self.restore();
    }
}
