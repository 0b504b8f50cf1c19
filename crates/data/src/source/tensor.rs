//! Tensors as sources: features, targets, labels, token ids of one length.

use wengert_tensor::{Element, Tensor};

use super::{Fingerprint, IntoVars, Source};
use crate::rows;

/// The examples lie along the first axis; a tensor without axes has none.
impl<E: Element> Source for Tensor<E>
where
    Tensor<E>: IntoVars,
{
    type Batch = Tensor<E>;

    fn count(&self) -> usize {
        self.shape().first().copied().unwrap_or(0)
    }

    fn fingerprint(&self, positions: &[u32]) -> Option<u64> {
        Some(Fingerprint::new().tensor(&self.batch(positions)).value())
    }

    fn batch(&self, positions: &[u32]) -> Tensor<E> {
        let Some(values) = self.as_slice() else {
            return self.index_select(0, &Tensor::vector(positions));
        };
        let shape = rows::shape(positions.len(), self.shape().get(1..).unwrap_or_default());
        let width = shape[1..].iter().product();
        Tensor::written_for("batch", shape, |out| {
            rows::fill(out, width, positions, |position, row| {
                row.copy_from_slice(&values[position * width..][..width]);
            });
        })
    }
}
