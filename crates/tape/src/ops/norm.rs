//! Vector norms of any order.

use wengert_tensor::{Axes, Float, Shape, Tensor, compiled_here};

use crate::class::{Piecewise, piecewise};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, apply, rules_compiled_here};
use crate::ops::broadcast::reduced_shape;
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
        let smooth = piecewise(Gate { even: is_even(self.p), signed: false }, &[x, &y]);
        let sign = piecewise(Gate { even: is_even(self.p), signed: true }, &[x, &y]);
        // Behind the product and before it: neither what comes from there nor what goes there meets the other factor.
        gated(&(gated(v, &smooth) * self.power(x, &y, &smooth)), &sign)
    }

    /// |x / ‖x‖|^(p − 1), with the sign of x if p is even; where it is not smooth, any number, of which all derivatives
    /// are finite.
    fn power<T: Float>(&self, x: &Var<T>, y: &Var<T>, smooth: &Var<T>) -> Var<T> {
        let q = self.p - 1.0;
        if is_even(self.p) {
            let direction = x / y.masked_fill(y.equal(0.0), 1.0);
            return if self.p == 2.0 { direction } else { direction.powi(q as i32) };
        }
        let kink = smooth.equal(0.0);
        let (x, y) = (x.abs().masked_fill(&kink, 1.0), y.masked_fill(&kink, 1.0));
        // The quotient may leave the range of numbers where this root of it does not.
        if q.abs() <= 1.0 { x.powf(q) * y.powf(-q) } else { (x / y).powf(q) }
    }
}

/// Whether |x|ᵖ has no kink at 0.
fn is_even(p: f64) -> bool {
    (2.0..1e9).contains(&p) && p % 2.0 == 0.0
}

/// Of x and ‖x‖: 0 where the norm is 0, and where x is unless p is even; 1 elsewhere, or the sign of x if that is wanted
/// and p is not even.
#[derive(Clone)]
struct Gate {
    even: bool,
    signed: bool,
}

impl<T: Float> Piecewise<T> for Gate {
    fn name(&self) -> &str {
        "norm_gate"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("even", self.even);
        attributes.set("signed", self.signed);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn gate<T: Float>(x: &Tensor<T>, y: &Tensor<T>, even: bool, signed: bool) -> Tensor<T> {
                let gate = move |x: T, y: T| {
                    let sign = if y == T::ZERO { T::ZERO } else if even { T::ONE } else { x.sign() };
                    if signed { sign } else { sign * sign }
                };
                x.zip_map("norm_gate", y, gate)
            }
        }
        gate(x[0], x[1], self.even, self.signed)
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Gate in PiecewiseOp);
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
    #[track_caller]
    pub fn norm_axes(&self, p: f64, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        apply(Norm { p, axes: axes.into(), keepdim }, &[self])
    }
}
