//! Comparisons, elementwise and of whole tensors, and the larger or smaller of two elements.

use crate::array::element::{Element, Float};
use crate::array::operand::Operand;
use crate::array::shape::Shape;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::map::joint_shape;

/// A method that compares with a tensor or a number, with broadcasting.
macro_rules! comparison {
    ($( $(#[$doc:meta])* $name:ident, $op:tt; )*) => {
        impl<T: Element> Tensor<T> { $(
            $(#[$doc])*
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $name(&self, other: impl Operand<T>) -> Tensor<bool> {
                compiled_here! {
                    fn $name<T: Element>(a: &Tensor<T>, shape: Option<Shape>, b: &Tensor<T>) -> Tensor<bool> {
                        a.zip_to(stringify!($name), shape, b, |a: T, b: T| a $op b)
                    }
                }
                let other = other.to_tensor();
                $name(self, joint_shape(stringify!($name), self.shape(), other.shape()), &other)
            }
        )* }
    };
}

comparison! {
    /// Where elements are greater than those of `other`, a tensor or a number; `false` for NaN.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0, 3.0]);
    /// assert_eq!(x.gt(2.0).to_vec(), [false, false, true]);
    /// assert_eq!(x.gt(&x.flip(0)).to_vec(), [false, false, true]);
    /// ```
    gt, >;
    /// Where elements are greater than or equal to those of `other`; `false` for NaN.
    ge, >=;
    /// Where elements are less than those of `other`; `false` for NaN.
    lt, <;
    /// Where elements are less than or equal to those of `other`; `false` for NaN.
    le, <=;
    /// Where elements are equal to those of `other`; `false` for NaN. (`==` compares whole tensors.)
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (predicted, labels) = (Tensor::<u32>::from([1, 2, 0]), Tensor::<u32>::from([1, 0, 0]));
    /// assert_eq!(predicted.equal(&labels).cast::<f32>().mean().item(), 2.0 / 3.0);
    /// ```
    equal, ==;
    /// Where elements differ from those of `other`; `true` for NaN.
    not_equal, !=;
}

impl<T: Float> Tensor<T> {
    /// The larger of each element and that of `other`, a tensor or a number, with broadcasting; NaN if either is.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([-1.0f64, 2.0]).maximum(0.5).to_vec(), [0.5, 2.0]);
    /// ```
    #[track_caller]
    pub fn maximum(&self, other: impl Operand<T>) -> Tensor<T> {
        compiled_here! {
            fn maximum<T: Float>(a: &Tensor<T>, shape: Option<Shape>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_to("maximum", shape, b, |a: T, b: T| a.maximum(b))
            }
        }
        let other = other.to_tensor();
        maximum(self, joint_shape("maximum", self.shape(), other.shape()), &other)
    }

    /// The smaller of each element and that of `other`, a tensor or a number, with broadcasting; NaN if either is.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f64, 3.0]).minimum(2.0).to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn minimum(&self, other: impl Operand<T>) -> Tensor<T> {
        compiled_here! {
            fn minimum<T: Float>(a: &Tensor<T>, shape: Option<Shape>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_to("minimum", shape, b, |a: T, b: T| a.minimum(b))
            }
        }
        let other = other.to_tensor();
        minimum(self, joint_shape("minimum", self.shape(), other.shape()), &other)
    }

    /// Where elements are NaN.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f64, f64::NAN]).is_nan().to_vec(), [false, true]);
    /// ```
    pub fn is_nan(&self) -> Tensor<bool> {
        compiled_here! {
            fn is_nan<T: Float>(x: &Tensor<T>) -> Tensor<bool> {
                x.map(|x: T| x.is_nan())
            }
        }
        is_nan(self)
    }

    /// Where elements are neither infinite nor NaN.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f64, f64::INFINITY]).is_finite().to_vec(), [true, false]);
    /// ```
    pub fn is_finite(&self) -> Tensor<bool> {
        compiled_here! {
            fn is_finite<T: Float>(x: &Tensor<T>) -> Tensor<bool> {
                x.map(|x: T| x.is_finite())
            }
        }
        is_finite(self)
    }

    /// Whether |a − b| ≤ `atol` + `rtol`·|b| for all elements a of this tensor and b of `other`, with broadcasting
    /// (NumPy's `allclose`). Equal infinities are close; NaN is close to nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([1.0f64, 100.0]);
    /// assert!(x.all_close(&(&x * 1.000001), 1e-5, 0.0));
    /// assert!(!x.all_close(&(&x + 0.1), 1e-5, 1e-3));
    /// ```
    #[track_caller]
    pub fn all_close(&self, other: &Tensor<T>, rtol: f64, atol: f64) -> bool {
        compiled_here! {
            fn close<T: Float>(
                a: &Tensor<T>,
                shape: Option<Shape>,
                b: &Tensor<T>,
                rtol: f64,
                atol: f64,
            ) -> Tensor<bool> {
                a.zip_to("all_close", shape, b, move |a: T, b: T| {
                    let (a, b) = (a.to_f64(), b.to_f64());
                    // An infinite `b` would allow any distance.
                    a == b || (b.is_finite() && (a - b).abs() <= atol + rtol * b.abs())
                })
            }
        }
        let shape = joint_shape("all_close", self.shape(), other.shape());
        close(self, shape, other, rtol, atol).all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_compares_as_numbers_do() {
        let x = Tensor::from([f32::NAN, 1.0, f32::INFINITY]);
        assert_eq!(x.equal(&x).to_vec(), [false, true, true]);
        assert_eq!(x.not_equal(&x).to_vec(), [true, false, false]);
        assert_eq!(x.ge(1.0).to_vec(), [false, true, true]);
        assert_eq!(
            (x.lt(2.0).to_vec(), x.le(1.0).to_vec()),
            (vec![false, true, false], vec![false, true, false])
        );
        assert_eq!(x.is_nan().to_vec(), [true, false, false]);
        assert_eq!(x.is_finite().to_vec(), [false, true, false]);
        assert!(x.maximum(0.0).at([0]).is_nan() && x.minimum(0.0).at([0]).is_nan());
    }

    #[test]
    fn broadcasting() {
        let x = Tensor::from([[1.0f64], [3.0]]);
        let y = Tensor::from([0.0, 2.0, 4.0]);
        assert_eq!(x.maximum(&y).to_vec(), [1.0, 2.0, 4.0, 3.0, 3.0, 4.0]);
        assert_eq!(x.minimum(y.clone()).to_vec(), [0.0, 1.0, 1.0, 0.0, 2.0, 3.0]);
        assert_eq!(x.gt(y).to_vec(), [true, false, false, true, true, false]);
        assert_eq!(Tensor::<u32>::from([1, 5]).lt(3).to_vec(), [true, false]);
    }

    #[test]
    fn closeness_at_infinity_and_nan() {
        let inf = Tensor::from([f64::INFINITY]);
        assert!(inf.all_close(&inf, 0.0, 0.0));
        assert!(!inf.all_close(&-&inf, 1.0, 1.0));
        assert!(!Tensor::from([1.0]).all_close(&inf, 1.0, 1.0));
        let nan = Tensor::from([f64::NAN]);
        assert!(!nan.all_close(&nan, 1.0, 1.0));
        assert!(Tensor::<f32>::zeros([0]).all_close(&Tensor::zeros([0]), 0.0, 0.0));
    }

    #[test]
    #[should_panic(expected = "gt: shapes [2] and [3] do not broadcast")]
    fn shapes_that_do_not_fit() {
        let _ = Tensor::<f32>::zeros([2]).gt(Tensor::zeros([3]));
    }
}
