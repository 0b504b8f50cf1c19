//! `+ - * /` with implicit broadcasting, on tensors and numbers, by value and by reference, and in place.
//!
//! An operand given by value whose elements nobody shares lends its buffer to the result.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::array::element::Float;
use crate::array::shape::{Shape, broadcast};
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::map::{check_fits, joint_shape, joint_shape_of_all};
use crate::loops::{Map2, MapN};
use crate::machine::simd::Isa;

macro_rules! operator {
    ($Trait:ident, $method:ident, $Assign:ident, $assign:ident, $name:literal, $op:tt) => {
        /// The operator's loops, for shapes that fit.
        mod $method {
            use super::*;

            compiled_here! {
                pub(super) fn tensors<T: Float>(a: &Tensor<T>, shape: Option<Shape>, b: &Tensor<T>) -> Tensor<T> {
                    a.zip_to($name, shape, b, |a: T, b: T| a $op b)
                }
            }
            compiled_here! {
                pub(super) fn into_left<T: Float>(a: &mut Tensor<T>, b: &Tensor<T>) {
                    a.zip_into(b, |a: T, b: T| a $op b);
                }
            }
            compiled_here! {
                pub(super) fn into_right<T: Float>(a: &Tensor<T>, b: &mut Tensor<T>) {
                    b.zip_into(a, |b: T, a: T| a $op b);
                }
            }
            compiled_here! {
                pub(super) fn number<T: Float>(a: &Tensor<T>, b: T) -> Tensor<T> {
                    a.map(move |a: T| a $op b)
                }
            }
            compiled_here! {
                pub(super) fn number_left<T: Float>(a: T, b: &Tensor<T>) -> Tensor<T> {
                    b.map(move |b: T| a $op b)
                }
            }
            compiled_here! {
                pub(super) fn number_into<T: Float>(a: &mut Tensor<T>, b: T) {
                    a.map_inplace(move |a: T| a $op b);
                }
            }
        }

        impl<T: Float> $Trait<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                $method::tensors(self, joint_shape($name, self.shape(), other.shape()), other)
            }
        }
        impl<T: Float> $Trait<&Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(mut self, other: &Tensor<T>) -> Tensor<T> {
                if self.lends_buffer(other) {
                    $method::into_left(&mut self, other);
                    self
                } else {
                    &self $op other
                }
            }
        }
        impl<T: Float> $Trait<Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, mut other: Tensor<T>) -> Tensor<T> {
                if other.lends_buffer(self) {
                    $method::into_right(self, &mut other);
                    other
                } else {
                    self $op &other
                }
            }
        }
        impl<T: Float> $Trait<Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(mut self, other: Tensor<T>) -> Tensor<T> {
                if self.lends_buffer(&other) {
                    $method::into_left(&mut self, &other);
                    self
                } else {
                    &self $op other
                }
            }
        }
        impl<T: Float> $Assign<&Tensor<T>> for Tensor<T> {
            #[track_caller]
            fn $assign(&mut self, other: &Tensor<T>) {
                check_fits($name, self.shape(), other.shape());
                $method::into_left(self, other);
            }
        }
        // Numbers are `f64` for both element types: with a second number type, the compiler could not infer the
        // type of `(x * 2.0).sum()`.
        impl<T: Float> $Trait<f64> for &Tensor<T> {
            type Output = Tensor<T>;
            fn $method(self, number: f64) -> Tensor<T> {
                $method::number(self, T::from_f64(number))
            }
        }
        impl<T: Float> $Trait<f64> for Tensor<T> {
            type Output = Tensor<T>;
            fn $method(mut self, number: f64) -> Tensor<T> {
                if self.is_unique() {
                    self.$assign(number);
                    self
                } else {
                    &self $op number
                }
            }
        }
        impl<T: Float> $Trait<&Tensor<T>> for f64 {
            type Output = Tensor<T>;
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                $method::number_left(T::from_f64(self), other)
            }
        }
        impl<T: Float> $Trait<Tensor<T>> for f64 {
            type Output = Tensor<T>;
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self $op &other
            }
        }
        impl<T: Float> $Assign<f64> for Tensor<T> {
            fn $assign(&mut self, number: f64) {
                $method::number_into(self, T::from_f64(number));
            }
        }
    };
}

operator!(Add, add, AddAssign, add_assign, "add", +);
operator!(Sub, sub, SubAssign, sub_assign, "sub", -);
operator!(Mul, mul, MulAssign, mul_assign, "mul", *);
operator!(Div, div, DivAssign, div_assign, "div", /);

compiled_here! {
    fn negated<T: Float>(x: &Tensor<T>) -> Tensor<T> {
        x.map(|a: T| -a)
    }
}

compiled_here! {
    fn negate<T: Float>(x: &mut Tensor<T>) {
        x.map_inplace(|a: T| -a);
    }
}

impl<T: Float> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    fn neg(self) -> Tensor<T> {
        negated(self)
    }
}

impl<T: Float> Neg for Tensor<T> {
    type Output = Tensor<T>;
    fn neg(mut self) -> Tensor<T> {
        if self.is_unique() {
            negate(&mut self);
            self
        } else {
            -&self
        }
    }
}

struct MulAdd;

impl<T: Float> MapN<T, T, 3> for MulAdd {
    #[inline(always)]
    fn call<I: Isa>(&self, [a, b, c]: [T; 3]) -> T {
        I::mul_add(a, b, c)
    }
}

struct Axpy<T>(T);

impl<T: Float> Map2<T, T, T> for Axpy<T> {
    #[inline(always)]
    fn call<I: Isa>(&self, y: T, x: T) -> T {
        I::mul_add(self.0, x, y)
    }
}

impl<T: Float> Tensor<T> {
    /// `self · b + c` in one pass, with broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn mul_add(&self, b: &Tensor<T>, c: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn mul_add<T: Float>(operands: [&Tensor<T>; 3], shape: Option<Shape>) -> Tensor<T> {
                Tensor::zip_many_to("mul_add", shape, operands, MulAdd)
            }
        }
        let operands = [self, b, c];
        mul_add(operands, joint_shape_of_all("mul_add", operands))
    }

    /// Adds `alpha · x` in place, `x` broadcast to this shape.
    ///
    /// # Panics
    /// If `x` does not broadcast to this shape.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let mut y = Tensor::from([1.0f64, 1.0]);
    /// y.axpy(0.5, &Tensor::from([2.0, 4.0]));
    /// assert_eq!(y.to_vec(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn axpy(&mut self, alpha: f64, x: &Tensor<T>) {
        compiled_here! {
            fn axpy<T: Float>(y: &mut Tensor<T>, alpha: T, x: &Tensor<T>) {
                y.zip_into(x, Axpy(alpha));
            }
        }
        check_fits("axpy", self.shape(), x.shape());
        axpy(self, T::from_f64(alpha), x);
    }

    /// Whether the result of an operation with `other` fits into this tensor's own buffer.
    fn lends_buffer(&mut self, other: &Tensor<T>) -> bool {
        let fits = self.shape() == other.shape()
            || broadcast(other.shape(), self.shape()).as_ref() == Some(self.shape());
        fits && self.is_unique()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_and_numbers() {
        let a = Tensor::from([[1.0f64], [2.0]]);
        let b = Tensor::from([10.0, 20.0, 30.0]);
        assert_eq!((&a + &b).to_vec(), [11.0, 21.0, 31.0, 12.0, 22.0, 32.0]);
        assert_eq!((2.0 - &a * 3.0).to_vec(), [-1.0, -4.0]);
        assert_eq!((1.0 / &a).to_vec(), [1.0, 0.5]);
        assert_eq!(a.mul_add(&b, &Tensor::scalar(1.0)).to_vec(), [11.0, 21.0, 31.0, 21.0, 41.0, 61.0]);
    }

    #[test]
    fn values_lend_their_buffers_and_shared_ones_do_not() {
        let a = Tensor::from([4.0f32, 9.0]);
        let kept = a.clone();
        let address = a.storage.as_slice().as_ptr();
        let sum = a + &Tensor::from([1.0, 1.0]);
        assert_ne!(sum.storage.as_slice().as_ptr(), address);
        let address = sum.storage.as_slice().as_ptr();
        let back = -(Tensor::from([10.0, 20.0]) - sum);
        assert_eq!((kept.to_vec(), back.to_vec()), (vec![4.0, 9.0], vec![-5.0, -10.0]));
        assert_ne!(back.storage.as_slice().as_ptr(), address);
    }

    #[test]
    fn in_place() {
        let mut x = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]);
        let before = x.clone();
        x += &Tensor::from([10.0, 20.0]);
        x *= 2.0;
        x.axpy(-1.0, &before.t());
        assert_eq!(x.to_vec(), [21.0, 41.0, 24.0, 44.0]);
        assert_eq!(before.to_vec(), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "mul: shapes [2] and [3] do not broadcast")]
    fn shapes_that_do_not_fit() {
        let _ = Tensor::<f32>::zeros([2]) * Tensor::<f32>::zeros([3]);
    }
}
