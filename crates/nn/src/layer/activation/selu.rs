//! The scaled exponential linear unit.

use wengert_tape::{Elementwise, Reads, Real, code_compiled_here};

use super::elu::{times_slope, value};

/// α and λ, for which mean 0 and variance 1 are a fixed point.
pub(crate) const ALPHA: f64 = 1.673_263_242_354_377_2;
pub(crate) const SCALE: f64 = 1.050_700_987_355_480_5;

const PIECES: [f64; 3] = [SCALE, SCALE * ALPHA, 1.0];

#[derive(Clone)]
pub(super) struct Formula;

impl Elementwise for Formula {
    const NAME: &'static str = "selu";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        value(x, PIECES)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, y: A) -> A {
        self.times_df(x.constant(1.0), x, y)
    }
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, _: A) -> A {
        times_slope(v, x, PIECES)
    }
    code_compiled_here!(Formula);
}
