//! Linear recurrences along an axis, and the derivatives of their factors.

use std::cell::LazyCell;

use wengert_tensor::{Float, Tensor};

use crate::describe::Attributes;
use crate::op::{Cotangents, Description, Op, Point, Saves, apply, fused, rules_compiled_here};
use crate::var::Var;

/// The solution s of sᵢ = cᵢ + aᵢ·sᵢ₋₁ along an axis, for c and a.
pub(super) struct LinearRecurrence(pub(super) usize);

/// The solution s of sᵢ = cᵢ + aᵢ·sᵢ₋₁ along an axis.
pub(super) fn recurrence<T: Float>(c: &Var<T>, a: &Var<T>, axis: usize) -> Var<T> {
    apply(LinearRecurrence(axis), &[c, a])
}

/// The solution r of rᵢ = vᵢ + aᵢ₊₁·rᵢ₊₁ along an axis, which is not empty.
pub(super) fn recurrence_backwards<T: Float>(v: &Var<T>, a: &Var<T>, axis: usize) -> Var<T> {
    LinearRecurrence(axis).backwards(v, a)
}

impl LinearRecurrence {
    /// Of each element the one before it, 0 before the first; or the one behind it.
    fn shifted<T: Float>(&self, x: &Var<T>, forwards: bool) -> Var<T> {
        let (axis, length) = (self.0, x.shape()[self.0]);
        let nothing = Var::zeros(x.slice_axis(axis, ..1).shape());
        if forwards {
            Var::cat(&[&nothing, &x.slice_axis(axis, ..length - 1)], axis)
        } else {
            Var::cat(&[&x.slice_axis(axis, 1..), &nothing], axis)
        }
    }

    /// rᵢ = vᵢ + aᵢ₊₁·rᵢ₊₁, for v and a.
    fn backwards<T: Float>(&self, v: &Var<T>, a: &Var<T>) -> Var<T> {
        let next = self.shifted(a, false);
        apply(LinearRecurrence(self.0), &[&v.flip(self.0), &next.flip(self.0)]).flip(self.0)
    }

    /// The tangent for c, a and theirs.
    pub(super) fn tangent<T: Float>(&self, [c, a]: [&Var<T>; 2], [t_c, t_a]: [&Var<T>; 2]) -> Var<T> {
        apply(RecurrenceTangent(self.0), &[c, a, t_c, t_a])
    }

    /// The tangent of [`backwards`](Self::backwards).
    fn backwards_tangent<T: Float>(&self, [v, a]: [&Var<T>; 2], [t_v, t_a]: [&Var<T>; 2]) -> Var<T> {
        let next = |a: &Var<T>| self.shifted(a, false).flip(self.0);
        self.tangent([&v.flip(self.0), &next(a)], [&t_v.flip(self.0), &next(t_a)]).flip(self.0)
    }
}

/// The tangent of an input of this shape.
fn or_zeros<T: Float>(tangent: &Option<Var<T>>, input: &Var<T>) -> Var<T> {
    tangent.clone().unwrap_or_else(|| Var::zeros(input.shape()))
}

impl<T: Float> Op<T> for LinearRecurrence {
    fn name(&self) -> &str {
        "linear_recurrence"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].linear_recurrence(x[1], self.0)
    }

    /// The recurrence backwards, c̄ᵢ = s̄ᵢ + aᵢ₊₁·c̄ᵢ₊₁, and āᵢ = c̄ᵢ·sᵢ₋₁.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (added, factors) = (at.input(0), at.input(1));
        into.add(0, || self.backwards(cotangent, factors));
        into.add(1, || apply(FactorSlopes(self.0), &[cotangent, added, factors]));
    }

    /// ṡᵢ = (ċᵢ + ȧᵢ·sᵢ₋₁) + aᵢ·ṡᵢ₋₁.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (c, a) = (at.input(0), at.input(1));
        match tangents {
            [t_c, Some(t_a)] => Some(self.tangent([c, a], [&or_zeros(t_c, c), t_a])),
            [t_c, _] => t_c.as_ref().map(|t_c| apply(LinearRecurrence(self.0), &[t_c, a])),
            _ => None,
        }
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(LinearRecurrence);
}

/// ṡᵢ = ċᵢ + ȧᵢ·sᵢ₋₁ + aᵢ·ṡᵢ₋₁ for c, a, ċ and ȧ, where s is the recurrence of c and a. In one, since s may leave the range of
/// numbers where ṡ does not.
struct RecurrenceTangent(usize);

impl<T: Float> Op<T> for RecurrenceTangent {
    fn name(&self) -> &str {
        "linear_recurrence_tangent"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].linear_recurrence_tangent(x[1], [x[2], x[3]], self.0)
    }

    /// ∑ v̄ᵢ·ṡᵢ is the derivative along ċ and ȧ of ∑ v̄ᵢ·sᵢ, and so are its gradients those of that one's.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (c, a, t_c, t_a) = (at.input(0), at.input(1), at.input(2), at.input(3));
        let recurrence = LinearRecurrence(self.0);
        let nothing = LazyCell::new(|| Var::zeros(c.shape()));
        into.add(0, || recurrence.backwards_tangent([cotangent, a], [&nothing, t_a]));
        into.add(1, || FactorSlopes(self.0).tangent([cotangent, c, a], [&nothing, t_c, t_a]));
        into.add(2, || recurrence.backwards(cotangent, a));
        into.add(3, || apply(FactorSlopes(self.0), &[cotangent, c, a]));
    }

    /// By a kernel of its own: a derivative by parts of the product would leave the range of `f32` where the whole does not.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let axis = self.0;
        let inputs @ [c, a, t_c, t_a] = std::array::from_fn(|i| at.input(i));
        let further: [Var<T>; 4] = std::array::from_fn(|i| or_zeros(&tangents[i], inputs[i]));
        let [u_c, u_a, u_t_c, u_t_a] = &further;
        let description = || Description::of::<T>(self, "tangent");
        let kernel = move |[c, a, t_c, t_a, u_c, u_a, u_t_c, u_t_a]: [&Tensor<T>; 8]| {
            c.linear_recurrence_second_tangent([a, t_c, t_a], [u_c, u_a, u_t_c, u_t_a], axis)
        };
        Some(fused(description, [c, a, t_c, t_a, u_c, u_a, u_t_c, u_t_a], kernel, || {
            let recurrence = LinearRecurrence(axis);
            let before = |s: Var<T>| recurrence.shifted(&s, true);
            let s = before(apply(LinearRecurrence(axis), &[c, a]));
            let t_s = before(recurrence.tangent([c, a], [t_c, t_a]));
            let u_s = before(recurrence.tangent([c, a], [u_c, u_a]));
            apply(LinearRecurrence(axis), &[&(u_t_c + u_t_a * s + u_a * t_s + t_a * u_s), a])
        }))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(RecurrenceTangent);
}

/// rᵢ·sᵢ₋₁ for v, c and a, where r is the recurrence of v and a backwards, and s that of c and a: how ∑ vᵢ·sᵢ depends on a.
/// In one, since either may leave the range of numbers where the product does not.
pub(super) struct FactorSlopes(pub(super) usize);

impl FactorSlopes {
    /// ṙᵢ·sᵢ₋₁ + rᵢ·ṡᵢ₋₁ for v, c and a and their tangents; in one where nothing is recorded.
    fn tangent<T: Float>(&self, [v, c, a]: [&Var<T>; 3], [t_v, t_c, t_a]: [&Var<T>; 3]) -> Var<T> {
        let axis = self.0;
        let description = || Description::of::<T>(self, "tangent");
        let kernel = move |[v, c, a, t_v, t_c, t_a]: [&Tensor<T>; 6]| {
            v.linear_recurrence_slopes_tangent([c, a], [t_v, t_c, t_a], axis)
        };
        fused(description, [v, c, a, t_v, t_c, t_a], kernel, || {
            let recurrence = LinearRecurrence(axis);
            let s = apply(LinearRecurrence(axis), &[c, a]);
            let t_s = recurrence.tangent([c, a], [t_c, t_a]);
            let (r, t_r) = (recurrence.backwards(v, a), recurrence.backwards_tangent([v, a], [t_v, t_a]));
            t_r * recurrence.shifted(&s, true) + r * recurrence.shifted(&t_s, true)
        })
    }
}

impl<T: Float> Op<T> for FactorSlopes {
    fn name(&self) -> &str {
        "linear_recurrence_slopes"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].linear_recurrence_slopes(x[1], x[2], self.0)
    }

    /// ∑ ūᵢ·rᵢ·sᵢ₋₁ is the derivative of ∑ vᵢ·sᵢ along ȧ = ū, and so are its gradients those of that one's.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (v, c, a) = (at.input(0), at.input(1), at.input(2));
        let recurrence = LinearRecurrence(self.0);
        let nothing = LazyCell::new(|| Var::zeros(v.shape()));
        into.add(0, || recurrence.tangent([c, a], [&nothing, cotangent]));
        into.add(1, || recurrence.backwards_tangent([v, a], [&nothing, cotangent]));
        into.add(2, || self.tangent([v, c, a], [&nothing, &nothing, cotangent]));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let inputs = [at.input(0), at.input(1), at.input(2)];
        let [t_v, t_c, t_a] = std::array::from_fn(|i| or_zeros(&tangents[i], inputs[i]));
        Some(self.tangent(inputs, [&t_v, &t_c, &t_a]))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(FactorSlopes);
}
