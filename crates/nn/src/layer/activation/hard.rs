//! Activations of straight and quadratic pieces, without options.

use wengert_tape::{Elementwise, Reads, Real, code_compiled_here};

/// x·min(max(x + 3, 0), 6)/6.
#[derive(Clone)]
pub(super) struct Hardswish;

impl Elementwise for Hardswish {
    const NAME: &'static str = "hardswish";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        let curved = x.clone() * (x.clone() + 3.0) / 6.0;
        let above = (x.clone() - 3.0).select_positive(x.clone(), curved);
        (-x.clone() - 3.0).select_positive(x.constant(0.0), above)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, y: A) -> A {
        self.times_df(x.constant(1.0), x, y)
    }
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, _: A) -> A {
        let zero = x.constant(0.0);
        let curved = v.clone() * (x.clone() * 2.0 + 3.0) / 6.0;
        let inside = (-x.clone() + 3.0).select_positive(curved, v);
        // At −3 the slope is that of the flat piece, at 3 that of the straight one.
        (x + 3.0).select_positive(inside, zero)
    }
    code_compiled_here!(Hardswish);
}

/// min(max(x + 3, 0), 6)/6.
#[derive(Clone)]
pub(super) struct Hardsigmoid;

impl Elementwise for Hardsigmoid {
    const NAME: &'static str = "hardsigmoid";
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        (x + 3.0).clamp(0.0, 6.0) / 6.0
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let (zero, sixth) = (x.constant(0.0), x.constant(1.0 / 6.0));
        (-x.abs() + 3.0).select_positive(sixth, zero)
    }
    code_compiled_here!(Hardsigmoid);
}

/// max(x, 0)².
#[derive(Clone)]
pub(super) struct SquaredRelu;

impl Elementwise for SquaredRelu {
    const NAME: &'static str = "squared_relu";
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        // So that a NaN stays.
        (-x.clone()).select_positive(x.constant(0.0), x.clone() * x)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, y: A) -> A {
        self.times_df(x.constant(1.0), x, y)
    }
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, _: A) -> A {
        x.select_positive(v * x.clone() * 2.0, x.constant(0.0))
    }
    code_compiled_here!(SquaredRelu);
}
