//! Smooth activations without options.

use wengert_tape::{Elementwise, Reads, Real, code_compiled_here};

/// Beyond ± this, what tends to 0 or 1 is that in either precision, and products with x are their limits.
const SATURATED: f64 = 1000.0;

/// x·tanh(ln(1 + eˣ)).
#[derive(Clone)]
pub(super) struct Mish;

impl Elementwise for Mish {
    const NAME: &'static str = "mish";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.clamp(-SATURATED, f64::INFINITY) * x.softplus().tanh()
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let x = x.clamp(-SATURATED, SATURATED);
        let t = x.softplus().tanh();
        t.clone() + x.clone() * x.sigmoid() * (t.constant(1.0) - t.clone() * t)
    }
    code_compiled_here!(Mish);
}

/// −ln(1 + e⁻ˣ).
#[derive(Clone)]
pub(super) struct LogSigmoid;

impl Elementwise for LogSigmoid {
    const NAME: &'static str = "log_sigmoid";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        -(-x).softplus()
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        (-x).sigmoid()
    }
    code_compiled_here!(LogSigmoid);
}

/// Beyond this, x + 1 is x in either precision.
const FAR: f64 = 1e18;

/// x / (1 + |x|).
#[derive(Clone)]
pub(super) struct Softsign;

impl Elementwise for Softsign {
    const NAME: &'static str = "softsign";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        // The limits are ±1 in either precision, and ∞/∞ is none.
        let x = x.clamp(-FAR, FAR);
        x.clone() / (x.abs() + 1.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let r = (x.abs() + 1.0).recip();
        r.clone() * r
    }
    code_compiled_here!(Softsign);
}

/// x − tanh x.
#[derive(Clone)]
pub(super) struct Tanhshrink;

impl Elementwise for Tanhshrink {
    const NAME: &'static str = "tanhshrink";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        let far = x.clone() - x.tanh();
        // The difference has no digits near 0. There it is x³ by a quotient: the rational approximation of tanh in Cephes.
        let z = x.clone() * x.clone();
        let above = (z.clone() * 9.643_991_794_250_522e-1 + 9.928_772_310_019_186e1) * z.clone()
            + 1.614_687_684_417_084_5e3;
        let below = ((z.clone() + 1.128_116_784_916_329_3e2) * z.clone() + 2.235_488_390_601_004_5e3)
            * z.clone()
            + 4.844_063_053_251_255e3;
        let near = x.clone() * (z * (above / below));
        (x.abs() - 0.625).select_positive(far, near)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let t = x.tanh();
        t.clone() * t
    }
    code_compiled_here!(Tanhshrink);
}
