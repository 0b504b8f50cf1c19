//! Terms in the place of what was there.

use wengert_tensor::shape::broadcast;
use wengert_tensor::{Axis, Combine, Float, Tensor};

use super::corner::{corner, cropped, with_corner};
use super::places::Places;
use crate::data::{Data, Given, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::var::Var;

/// The first input with the elements of the second at the places of an index; linear in both.
#[derive(Clone)]
struct Overwrite(Places);

#[track_caller]
pub(super) fn overwritten<T: Float>(places: Places, x: &Var<T>, index: &Given<T>, source: &Var<T>) -> Var<T> {
    apply_given(Overwrite(places), &[x, source], &[index])
}

impl<T: Float> Op<T> for Overwrite {
    fn name(&self) -> &str {
        match self.0 {
            Places::Slices(_) => "index_copy",
            Places::Elements(_) => "scatter",
        }
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0.axis());
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("{}: evaluated with its index", Op::<T>::name(self))
    }

    #[track_caller]
    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let name = Op::<T>::name(self);
        Data::Float(self.0.combine(name, x[0], given[0].index(), x[1], Combine::Replace))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (index, shape) = (at.given(0), at.input(1).shape());
        into.add(0, || overwritten(self.0, cotangent, index, &Var::zeros(shape)));
        into.add(1, || {
            let last = self.0.over_source(&self.0.last(index, cotangent.shape()), shape);
            Var::select_where(last, &self.0.read(cotangent, index), &Var::scalar(T::ZERO))
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let part = |i: usize| tangents[i].clone().unwrap_or_else(|| Var::zeros(at.input(i).shape()));
        Some(overwritten(self.0, &part(0), at.given(0), &part(1)))
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Overwrite);
}

impl<T: Float> Var<T> {
    /// With each element of `source` in the place of that at the position that `index` gives along `axis`: for a matrix and
    /// axis 1, `out[i][index[i][j]] = source[i][j]`. Along other axes the index may be shorter; then only the first positions
    /// count. The source broadcasts to the index's shape, or is longer. Where several elements come to one position, the last one stays, and it alone has a derivative.
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let x = Var::<f64>::zeros([4]);
    /// let index = Tensor::vector(&[2, 0, 2]);
    /// assert_eq!(x.scatter(0, index, &Var::from([5.0, 6.0, 7.0])).value().to_vec(), [6.0, 0.0, 7.0, 0.0]);
    /// ```
    #[doc(alias = "put_along_axis")]
    #[track_caller]
    pub fn scatter(&self, axis: impl Into<Axis>, index: impl Into<Index<T>>, source: &Var<T>) -> Var<T> {
        let (axis, index) = (self.shape().axis("scatter", axis), index.into());
        let source = cropped(source, index.shape());
        let fits = broadcast(source.shape(), index.shape()).as_ref() == Some(index.shape());
        // If it does not fit, the operation says so.
        let source = if fits { source.broadcast_to(index.shape()) } else { source.clone() };
        let x = corner(self, axis, index.shape());
        let new = overwritten(Places::Elements(axis), &x, index.given(), &source);
        with_corner("scatter", self, axis, index.shape(), new)
    }

    /// With the slices of `source` in the place of those at the positions `index` of `axis`, for a vector of indices. Of
    /// several for one position the last one stays, and it alone has a derivative.
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let x = Var::<f64>::zeros([3, 2]);
    /// let copied = x.index_copy(0, Tensor::vector(&[2]), &Var::from([[1.0, 2.0]]));
    /// assert_eq!(copied.value().to_vec(), [0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn index_copy(&self, axis: impl Into<Axis>, index: impl Into<Index<T>>, source: &Var<T>) -> Var<T> {
        let axis = self.shape().axis("index_copy", axis);
        overwritten(Places::Slices(axis), self, index.into().given(), source)
    }

    /// With `value` at the positions `index` of `axis`.
    ///
    /// # Panics
    /// If there is no such axis, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]).index_fill(1, Tensor::vector(&[0u32]), 9.0);
    /// assert_eq!(x.value().to_vec(), [9.0, 2.0, 9.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn index_fill(&self, axis: impl Into<Axis>, index: impl Into<Index<T>>, value: f64) -> Var<T> {
        let (axis, index) = (self.shape().axis("index_fill", axis), index.into());
        super::positions::check_range("index_fill", index.value(), axis, self.shape());
        self.masked_fill(Places::Slices(axis).touched(index.given(), self.shape()), value)
    }
}
