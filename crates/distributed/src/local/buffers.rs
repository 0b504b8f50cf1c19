//! Running statistics as one vector.

use wengert_nn::Params;
use wengert_tensor::Float;

/// All buffers, one after another, and all counts, which are not negative, as they are sent.
pub(crate) fn flat_buffers<T: Float>(params: &Params<T>) -> (Vec<T>, Vec<u64>) {
    let counts = params.counts().into_iter().map(|(_, count)| count.max(0) as u64).collect();
    (params.buffer_values(), counts)
}

/// Takes them back.
pub(crate) fn set_flat_buffers<T: Float>(params: &mut Params<T>, buffers: &[T], counts: &[u64]) {
    let counts: Vec<i64> = counts.iter().map(|&count| count as i64).collect();
    params.set_buffer_values(buffers, &counts);
}
