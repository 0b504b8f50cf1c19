//! The sigmoid-weighted linear unit.

use wengert_tape::{Elementwise, Reads, Real, code_compiled_here};

pub(super) struct Formula;

impl Elementwise for Formula {
    const NAME: &'static str = "silu";
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.clone() * x.sigmoid()
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let s = x.clone().sigmoid();
        // 1 − σ(x) as σ(−x), which keeps its precision where it is small.
        s.clone() * (x.clone() * (-x).sigmoid() + 1.0)
    }
    code_compiled_here!(Formula);
}
