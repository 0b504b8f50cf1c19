//! Turning stored examples into the floating-point rows of a batch.

use std::sync::Arc;

use wengert_tensor::Tensor;
use wengert_tensor::parallel::{PARALLEL_THRESHOLD, for_each_chunk};
use wengert_tensor::simd::{Isa, Kernel, dispatch};

/// Rows converted by one piece of parallel work.
const ROWS: usize = 32;

/// The features of all examples, row by row. Images stay bytes, a quarter of the memory of `f32`; a batch is
/// converted when it is made, which costs no more than copying it would.
#[derive(Clone, Debug)]
pub(crate) enum Features {
    Bytes(Arc<Vec<u8>>),
    Floats(Tensor<f32>),
}

/// The map from stored to given-out values: (x − offset) / divisor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scaling {
    pub(crate) offset: f64,
    pub(crate) divisor: f64,
}

impl Scaling {
    pub(crate) const IDENTITY: Scaling = Scaling { offset: 0.0, divisor: 1.0 };
    /// Bytes to [0, 1].
    pub(crate) const BYTES: Scaling = Scaling { offset: 0.0, divisor: 255.0 };

    /// This map, and then (x − mean) / std.
    pub(crate) fn then(self, mean: f64, std: f64) -> Self {
        Scaling { offset: self.offset + self.divisor * mean, divisor: self.divisor * std }
    }
}

impl Features {
    /// Writes rows of `width` features into `out`: those that `row(0), row(1), …` name.
    pub(crate) fn gather(
        &self,
        width: usize,
        scaling: Scaling,
        row: impl Fn(usize) -> usize + Sync + Send,
        out: &mut [f32],
    ) {
        if width == 0 {
            return;
        }
        let parallel = out.len() > PARALLEL_THRESHOLD;
        for_each_chunk(out, ROWS * width, parallel, |start, chunk| {
            for (i, out) in chunk.chunks_exact_mut(width).enumerate() {
                let start = row(start / width + i) * width;
                match self {
                    Features::Bytes(bytes) => {
                        dispatch(Convert { source: &bytes[start..start + width], scaling, out });
                    }
                    Features::Floats(values) => {
                        let values = values.as_slice().expect("features are stored contiguously");
                        dispatch(Convert { source: &values[start..start + width], scaling, out });
                    }
                }
            }
        });
    }
}

struct Convert<'a, S> {
    source: &'a [S],
    scaling: Scaling,
    out: &'a mut [f32],
}

impl<S: Copy + Into<f32>> Kernel for Convert<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        // A division, not a product with the inverse, so that plain bytes become exactly x / 255.
        let (offset, divisor) = (self.scaling.offset as f32, self.scaling.divisor as f32);
        for (out, &x) in self.out.iter_mut().zip(self.source) {
            *out = (x.into() - offset) / divisor;
        }
    }
}
