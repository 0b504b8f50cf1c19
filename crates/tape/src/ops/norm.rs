//! Vector norms of any order.

use wengert_tensor::linalg::{exponent, times_power};
use wengert_tensor::{Axes, Float, Shape, Tensor, compiled_here};

use crate::class::{Piecewise, piecewise};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, apply, rules_compiled_here};
use crate::ops::broadcast::{reduced_count, reduced_shape};
use crate::ops::extremes::Shares;
use crate::ops::select::gated;
use crate::var::Var;

/// The p-norm over axes.
#[derive(Clone)]
struct Norm {
    p: f64,
    axes: Axes,
    keepdim: bool,
}

impl Norm {
    /// The shape of the norm with the reduced axes kept.
    fn kept(&self, x: &Shape) -> Shape {
        reduced_shape("norm", x, &self.axes, true)
    }

    /// `v`, a cotangent or a tangent, times the slope: sign(x)·(|x| / ‖x‖)^(p − 1), or 0 where there is a kink.
    fn times_slope<T: Float>(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let x = at.input(0);
        let y = at.output().reshape(self.kept(x.shape()));
        if self.p == 1.0 {
            return gated(v, &x.sign());
        }
        if self.p.is_infinite() {
            let shares = piecewise(Shares { axes: self.axes.clone() }, &[&x.abs(), &y]);
            return gated(&gated(v, &x.sign()), &shares);
        }
        // Behind the product and before it: neither what comes from there nor what goes there meets the other factor.
        if is_even(self.p) {
            let smooth = piecewise(NotZero, &[&y]);
            let direction = x / y.masked_fill(y.equal(0.0), 1.0);
            let power = if self.p == 2.0 { direction } else { direction.powi(self.p as i32 - 1) };
            return gated(&(gated(v, &smooth) * power), &smooth);
        }
        let sign = piecewise(SignOfSlope, &[x, &y]);
        gated(&(gated(v, &piecewise(NotZero, &[&sign])) * self.power(x, &y, &sign)), &sign)
    }

    /// |x / ‖x‖|^(p − 1); where the slope is 0, any number, of which all derivatives are finite.
    fn power<T: Float>(&self, x: &Var<T>, y: &Var<T>, sign: &Var<T>) -> Var<T> {
        let q = self.p - 1.0;
        let kink = sign.equal(0.0);
        let (x, y) = (x.abs().masked_fill(&kink, 1.0), y.masked_fill(&kink, 1.0));
        // The quotient may leave the range of numbers where this root of it does not. Whichever way round, it is at most 1.
        if q.abs() <= 1.0 {
            // Their own derivatives leave it where both are far from 1, by which the quotient does not change.
            let unit = piecewise(Unit, &[&x, &y]);
            (x * &unit).powf(q) * (y * unit).powf(-q)
        } else if q > 0.0 {
            (x / y).powf(q)
        } else {
            (y / x).powf(-q)
        }
    }
}

/// Whether |x|ᵖ has no kink at 0.
fn is_even(p: f64) -> bool {
    (2.0..1e9).contains(&p) && p % 2.0 == 0.0
}

/// 1 where a number is not 0, and 0 where it is.
#[derive(Clone)]
pub(super) struct NotZero;

impl<T: Float> Piecewise<T> for NotZero {
    fn name(&self) -> &str {
        "not_zero"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn not_zero<T: Float>(x: &Tensor<T>) -> Tensor<T> {
                x.map(|x: T| if x == T::ZERO { T::ZERO } else { T::ONE })
            }
        }
        not_zero(x[0])
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(NotZero in PiecewiseOp);
}

/// Of x and ‖x‖: the sign of x, or 0 where the norm is 0.
#[derive(Clone)]
struct SignOfSlope;

impl<T: Float> Piecewise<T> for SignOfSlope {
    fn name(&self) -> &str {
        "sign_of_slope"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn sign<T: Float>(x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
                x.zip_map("norm", y, |x: T, y: T| if y == T::ZERO { T::ZERO } else { x.sign() })
            }
        }
        sign(x[0], x[1])
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(SignOfSlope in PiecewiseOp);
}

/// Of two numbers above 0 a power of two by which they become as far above 1 as below.
#[derive(Clone)]
struct Unit;

impl<T: Float> Piecewise<T> for Unit {
    fn name(&self) -> &str {
        "unit_of_two"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn unit<T: Float>(x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
                // Where a number that is subnormal has no counterpart.
                let limit = exponent(T::MAX).unwrap_or(0) - 1;
                x.zip_map("norm", y, |x: T, y: T| match (exponent(x), exponent(y)) {
                    (Some(x), Some(y)) => times_power(T::ONE, (-(x + y) / 2).clamp(-limit, limit)),
                    _ => T::ONE,
                })
            }
        }
        unit(x[0], x[1])
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Unit in PiecewiseOp);
}

impl<T: Float> Op<T> for Norm {
    fn name(&self) -> &str {
        "norm"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("p", self.p);
        attributes.set("axes", &self.axes);
        attributes.set("keepdim", self.keepdim);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].norm_axes(self.p, self.axes.clone(), self.keepdim)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        // The number of elements that are not 0 is constant between jumps.
        if self.p != 0.0 {
            into.add(0, || self.times_slope(at, &cotangent.reshape(self.kept(at.input(0).shape()))));
        }
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        if self.p == 0.0 {
            return None;
        }
        tangents[0].as_ref().map(|t| self.times_slope(at, t).sum_axes(self.axes.clone(), self.keepdim))
    }
    rules_compiled_here!(Norm);
}

impl<T: Float> Var<T> {
    /// The p-norm of all elements: see [`norm_axes`](Var::norm_axes).
    ///
    /// # Panics
    /// If `p` is NaN.
    #[doc(alias = "frobenius_norm")]
    #[track_caller]
    pub fn norm(&self, p: f64) -> Var<T> {
        self.norm_axes(p, .., false)
    }

    /// The p-norm (Σ|x|ᵖ)^(1/p) over some axes for any p: see [`Tensor::norm_axes`]. Where the norm is 0, and where it
    /// is not smooth in an element that is 0 (unless p is even), that element's derivatives of any order are 0; elements
    /// that are equally the largest (p = ∞) or smallest (p = −∞) share the derivative evenly.
    ///
    /// # Panics
    /// If `p` is NaN, or an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let x = Var::from([3.0f64, 0.0, 4.0]);
    /// assert_eq!(grad(|x: &Var<f64>| x.norm(2.0), &x).value().to_vec(), [0.6, 0.0, 0.8]);
    /// assert_eq!(grad(|x: &Var<f64>| x.norm(0.5), &x).value().at([1]), 0.0);
    /// ```
    #[doc(alias = "vector_norm")]
    #[track_caller]
    pub fn norm_axes(&self, p: f64, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        let axes = axes.into();
        if p.abs() > 0.0 && reduced_count("norm", self.shape(), &axes) == 1 {
            // Of one number it is its magnitude, which has no second derivative.
            return self.abs().reshape(reduced_shape("norm", self.shape(), &axes, keepdim));
        }
        apply(Norm { p, axes, keepdim }, &[self])
    }
}
