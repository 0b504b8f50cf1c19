//! Running statistics as one vector.

use wengert_nn::Params;
use wengert_state::{Scalar, Values};
use wengert_tensor::Float;

/// All buffers, one after another, and all counts.
pub(crate) fn flat_buffers<T: Float>(params: &Params<T>) -> (Vec<T>, Vec<u64>) {
    let buffers = params.buffers().into_iter().flat_map(|(_, buffer)| buffer.to_vec()).collect();
    let counts = params.counts().into_iter().map(|(_, count)| count.max(0) as u64).collect();
    (buffers, counts)
}

/// Takes them back.
pub(crate) fn set_flat_buffers<T: Float>(params: &mut Params<T>, buffers: &[T], counts: &[u64]) {
    let mut state = params.state();
    let part = state.children.get_mut("buffers").expect("the state of parameters has buffers");
    let mut start = 0;
    for (name, buffer) in params.buffers() {
        let end = start + buffer.len();
        part.vectors.insert(name, Values::of(&buffers[start..end]));
        start = end;
    }
    for ((name, _), &count) in params.counts().into_iter().zip(counts) {
        part.scalars.insert(name, Scalar::Integer(count as i64));
    }
    params.load_state(&state).expect("the state is of these parameters");
}
