//! Loops whose formula sees a whole row along one axis: softmax, cumulative sums, sorting.

use crate::element::Element;
use crate::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use crate::shape::Axis;
use crate::simd::{Isa, Kernel, dispatch};
use crate::tensor::Tensor;

/// A formula of a whole row: reads `x`, writes all of `out`, which has the same length. Mark `row`
/// `#[inline(always)]`.
pub trait RowMap<A, R>: Sync {
    /// The formula.
    fn row<I: Isa>(&self, x: &[A], out: &mut [R]);
}

impl<T: Element> Tensor<T> {
    /// `f` of every row along `axis`, which keeps its length.
    ///
    /// # Panics
    /// If there is no such axis; `operation` names the operation in the message.
    #[track_caller]
    pub fn map_rows<R: Element>(
        &self,
        operation: &str,
        axis: impl Into<Axis>,
        f: impl RowMap<T, R>,
    ) -> Tensor<R> {
        let axis = self.shape().axis(operation, axis);
        let last = self.rank() - 1;
        if axis != last {
            return self.transpose(axis, last).map_rows(operation, last, f).transpose(axis, last);
        }
        let length = self.shape()[axis];
        let x = self.contiguous();
        let x = x.contiguous_slice();
        Tensor::filled_by(self.shape().clone(), |out| {
            if out.is_empty() {
                return;
            }
            let rows = (CHUNK / length).max(1);
            parallel::for_each_chunk(out, rows * length, x.len() >= PARALLEL_THRESHOLD, |start, out| {
                dispatch(Rows { x: &x[start..start + out.len()], out, length, f: &f });
            });
        })
    }
}

struct Rows<'a, A, R, F> {
    x: &'a [A],
    out: &'a mut [R],
    length: usize,
    f: &'a F,
}

impl<A: Element, R: Element, F: RowMap<A, R>> Kernel for Rows<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (x, out) in self.x.chunks_exact(self.length).zip(self.out.chunks_exact_mut(self.length)) {
            self.f.row::<I>(x, out);
        }
    }
}
