//! The sigmoid-weighted linear unit.

use wengert_tape::{Elementwise, Reads, Real, code_compiled_here};

/// σ(x) is 0 below minus this, and the product with x too, also at −∞.
const SATURATED: f64 = 1000.0;

#[derive(Clone)]
pub(super) struct Formula;

impl Elementwise for Formula {
    const NAME: &'static str = "silu";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.clamp(-SATURATED, f64::INFINITY) * x.sigmoid()
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let x = x.clamp(-SATURATED, SATURATED);
        let s = x.sigmoid();
        // 1 − σ(x) as σ(−x), which keeps its precision where it is small.
        s.clone() * (x.clone() * (-x).sigmoid() + 1.0)
    }
    code_compiled_here!(Formula);
}
