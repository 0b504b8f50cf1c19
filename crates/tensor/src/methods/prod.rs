//! Products.

use crate::array::element::Float;
use crate::array::shape::{Axes, Axis};
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::kernels::{product_gradient, products};
use crate::loops::Fold;
use crate::loops::along::mapped_rows;
use crate::machine::simd::Isa;

/// The product, in `f64`: parts of a product of `f32` may leave the range of numbers though the whole does not.
struct Prod;

impl<T: Float> Fold<T> for Prod {
    type Partial = f64;
    type Output = T;
    fn identity(&self) -> f64 {
        1.0
    }
    #[inline(always)]
    fn step<I: Isa>(&self, partial: f64, x: T) -> f64 {
        partial * x.to_f64()
    }
    #[inline(always)]
    fn block<I: Isa>(&self, x: &[T]) -> f64 {
        products::product_by_lanes(x)
    }
    #[inline(always)]
    fn merge(&self, a: f64, b: f64) -> f64 {
        a * b
    }
    fn finish(&self, partial: f64, _: usize) -> T {
        T::from_f64(partial)
    }
}

impl<T: Float> Tensor<T> {
    /// The product of all elements, as a tensor without axes; 1 if there are none. Accumulated in `f64`.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([2.0f32, 3.0, 4.0]).prod().item(), 24.0);
    /// ```
    pub fn prod(&self) -> Tensor<T> {
        self.prod_axes(.., false)
    }

    /// The product along `axes`, which stay with length 1 if `keepdim`; 1 if there are no elements.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([[2.0f64, 3.0], [4.0, 5.0]]).prod_axes(0, false).to_vec(), [8.0, 15.0]);
    /// ```
    #[track_caller]
    pub fn prod_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        compiled_here! {
            fn prod<T: Float>(x: &Tensor<T>, mask: &[bool], keepdim: bool) -> Tensor<T> {
                x.fold_masked(mask, keepdim, Prod)
            }
        }
        prod(self, &axes.into().mask("prod", self.shape()), keepdim)
    }

    /// The gradient of the products along `axis`, times `v`, which has one number for each product and the axis with length 1: of each
    /// element v times the product of all others, accumulated in `f64`.
    ///
    /// # Panics
    /// If there is no such axis, or `v` is not of that shape.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[2.0f64, 0.0, 3.0]]);
    /// assert_eq!(x.prod_gradient(&Tensor::from([[10.0]]), 1).to_vec(), [0.0, 60.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn prod_gradient(&self, v: &Tensor<T>, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("prod_gradient", axis);
        let kept = self.shape().with(axis, 1);
        assert!(v.shape() == &kept, "prod_gradient: shape {} is not {kept}", v.shape());
        let v = v.transpose(axis, self.rank() - 1).contiguous();
        mapped_rows("prod_gradient", axis, [self], |[x], length, out| {
            product_gradient::product_gradients(x, v.contiguous_slice(), length, out);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_overflow_or_underflow() {
        let x = Tensor::from([1e30f32, 1e30, 1e-30, 1e-30]);
        assert!((x.prod().item() - 1.0).abs() < 1e-6);
        assert!((x.flip(0).prod().item() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn products_over_axes() {
        let x = Tensor::<f64>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(x.prod_axes(0, false).to_vec(), [4.0, 10.0, 18.0]);
        assert_eq!(x.t().prod_axes(0, true), Tensor::from([[6.0, 120.0]]));
        assert_eq!(Tensor::<f64>::zeros([0, 2]).prod_axes(0, false).to_vec(), [1.0, 1.0]);
    }
}
