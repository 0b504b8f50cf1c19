//! Elements and slices that several indices name together, and those that a mask chooses.

use wengert_tensor::shape::{broadcast, broadcast_or_panic};
use wengert_tensor::size::check_positions;
use wengert_tensor::{Axis, Float, Shape};

use super::overwrite::overwritten;
use super::places::Places;
use super::positions::{RankOfTrue, broadcast_index, flat_positions};
use crate::class::decision;
use crate::data::{Index, Mask};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The elements, or slices, that one index for each of the first axes names: element `[i, …]` of the result is
    /// `x[indices[0][i, …]][indices[1][i, …]]…`. The indices broadcast, and their axes come first.
    ///
    /// # Panics
    /// If there are no indices or more than axes, they do not broadcast, or one is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// let (rows, columns) = (Tensor::vector(&[1, 0]), Tensor::vector(&[0, 1]));
    /// assert_eq!(x.index(&[&rows, &columns]).value().to_vec(), [3.0, 2.0]);
    /// ```
    #[doc(alias = "gather_nd")]
    #[track_caller]
    pub fn index<I: Into<Index<T>> + Clone>(&self, indices: &[I]) -> Var<T> {
        let (flat, positions) = self.flat_and_positions("index", indices);
        flat.index_select(0, positions)
    }

    /// With `values` in the place of the elements, or slices, that [`index`](Var::index) gives for these indices, or added to
    /// them if `accumulate`. The values broadcast to its shape. Where several come to one place and are not added, the last
    /// one stays, and it alone has a derivative.
    ///
    /// # Panics
    /// As `index`, or if the values do not broadcast to what it gives.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let (x, rows) = (Var::<f64>::zeros([3]), Tensor::vector(&[2, 0, 2]));
    /// let values = Var::from([1.0, 2.0, 3.0]);
    /// assert_eq!(x.index_put(&[&rows], &values, true).value().to_vec(), [2.0, 0.0, 4.0]);
    /// assert_eq!(x.index_put(&[&rows], &values, false).value().to_vec(), [2.0, 0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn index_put<I: Into<Index<T>> + Clone>(
        &self,
        indices: &[I],
        values: &Var<T>,
        accumulate: bool,
    ) -> Var<T> {
        let (flat, positions) = self.flat_and_positions("index_put", indices);
        let chosen: Shape = positions.shape().iter().chain(&flat.shape()[1..]).copied().collect();
        assert!(
            broadcast(values.shape(), &chosen).as_ref() == Some(&chosen),
            "index_put: values of shape {} do not broadcast to {chosen}, what the indices choose from shape {}",
            values.shape(),
            self.shape()
        );
        let values = values.broadcast_to(chosen);
        let put = if accumulate {
            flat.index_add(0, positions, &values)
        } else {
            overwritten(Places::Slices(0), &flat, positions.given(), &values)
        };
        put.reshape(self.shape())
    }

    /// The first axes, one for each index, merged into one, and the positions along it.
    #[track_caller]
    fn flat_and_positions<I: Into<Index<T>> + Clone>(
        &self,
        operation: &str,
        indices: &[I],
    ) -> (Var<T>, Index<T>) {
        let count = indices.len();
        assert!(
            (1..=self.rank()).contains(&count),
            "{operation}: {count} indices for shape {} of rank {}",
            self.shape(),
            self.rank()
        );
        let indices: Vec<Index<T>> = indices.iter().map(|index| index.clone().into()).collect();
        let lead = self.shape()[..count].iter().product();
        let flat: Shape = std::iter::once(lead).chain(self.shape()[count..].iter().copied()).collect();
        (self.reshape(flat), flat_positions(operation, &indices, self.shape()))
    }

    /// The elements at positions in row-major order, in the shape of the index.
    ///
    /// # Panics
    /// If an index is out of range.
    #[track_caller]
    pub fn take(&self, index: impl Into<Index<T>>) -> Var<T> {
        self.reshape([self.len()]).index_select(0, index)
    }

    /// Along `axis` the positions that `index` gives, as [`gather`](Var::gather), after broadcasting index and variable in the
    /// other axes: what `argsort`, or `argmax` with its axis back, is the index for.
    ///
    /// # Panics
    /// If there is no such axis, the ranks differ, the others do not broadcast, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[3.0f64, 1.0, 2.0], [6.0, 5.0, 4.0]]);
    /// let sorted = x.take_along_axis(x.argsort(1, false), 1);
    /// assert_eq!(sorted.value().to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// ```
    #[doc(alias = "take_along_dim")]
    #[track_caller]
    pub fn take_along_axis(&self, index: impl Into<Index<T>>, axis: impl Into<Axis>) -> Var<T> {
        let (index, axis) = (index.into(), self.shape().axis("take_along_axis", axis));
        assert!(
            index.shape().len() == self.rank(),
            "take_along_axis: index shape {} and shape {} have different ranks",
            index.shape(),
            self.shape()
        );
        let others = |shape: &Shape| shape.with(axis, 1);
        let joint = broadcast_or_panic("take_along_axis", &others(self.shape()), &others(index.shape()));
        let index =
            broadcast_index(&index, &joint.with(axis, index.shape()[axis]).checked("take_along_axis"));
        self.broadcast_to(joint.with(axis, self.shape()[axis])).gather(axis, index)
    }

    /// With the elements of `source`, in row-major order, in the place of those where the mask is true. The mask broadcasts
    /// to the shape; elements of the source that are left over are not used.
    ///
    /// # Panics
    /// If the mask does not broadcast to the shape, or the source has fewer elements than the mask has that are true.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([1.0f64, 2.0, 3.0]);
    /// let filled = x.masked_scatter(Tensor::from([true, false, true]), &Var::from([8.0, 9.0]));
    /// assert_eq!(filled.value().to_vec(), [8.0, 2.0, 9.0]);
    /// ```
    #[track_caller]
    pub fn masked_scatter(&self, mask: impl Into<Mask<T>>, source: &Var<T>) -> Var<T> {
        let (mask, shape) = (mask.into(), self.shape());
        assert!(
            broadcast(mask.shape(), shape).as_ref() == Some(shape),
            "masked_scatter: the mask's shape {} does not broadcast to {shape}",
            mask.shape()
        );
        check_positions("masked_scatter", self.len());
        let repeats = self.len().checked_div(mask.len()).unwrap_or(0);
        let count = mask.value().to_vec().into_iter().filter(|m| *m).count() * repeats;
        assert!(
            count <= source.len(),
            "masked_scatter: {count} elements are true, and the source of shape {} has {}",
            source.shape(),
            source.len()
        );
        if source.is_empty() {
            return self.clone();
        }
        let rank = decision(RankOfTrue { shape: shape.clone() }, &[], &[mask.given()]);
        Var::select_where(mask, &source.take(rank), self)
    }
}
