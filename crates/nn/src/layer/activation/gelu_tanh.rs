//! The GELU by a hyperbolic tangent.

use wengert_tape::{Elementwise, Reads, Real, code_compiled_here};

/// √(2/π).
const SLOPE: f64 = 0.797_884_560_802_865_4;
const CUBIC: f64 = 0.044_715;

/// Beyond ±this the tangent's value is ±1 exactly, the logistic function's 0 or 1, and squares and cubes of x may overflow.
const SATURATED: f64 = 32.0;

#[derive(Clone)]
pub(super) struct Formula;

impl Elementwise for Formula {
    const NAME: &'static str = "gelu_tanh";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        // So that −∞ gives the limit, and not −∞ · 0. (1 + tanh u)/2 is σ(2u), which keeps its digits where it is small.
        let x = x.clamp(-SATURATED, f64::INFINITY);
        x.clone() * (argument(x) * 2.0).sigmoid()
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let x = x.clamp(-SATURATED, SATURATED);
        let share = (argument(x.clone()) * 2.0).sigmoid();
        let inner = (x.clone() * x.clone() * (3.0 * CUBIC) + 1.0) * (2.0 * SLOPE);
        let rest = share.constant(1.0) - share.clone();
        share.clone() * (x * rest * inner + 1.0)
    }
    code_compiled_here!(Formula);
}

#[inline(always)]
fn argument<A: Real>(x: A) -> A {
    x.clone() * (x.clone() * x * CUBIC + 1.0) * SLOPE
}
