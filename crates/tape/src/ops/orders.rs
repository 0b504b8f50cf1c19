//! Functions with an order: of the gamma function, of Bessel, of sinc and of the scaled error function.

use wengert_tensor::Float;

use crate::algebra::Real;
use crate::class::{Elementwise, Reads};
use crate::code_compiled_here;
use crate::describe::Attributes;
use crate::var::Var;

/// ψ⁽ⁿ⁾.
#[derive(Clone)]
pub(crate) struct Polygamma(pub(crate) u32);

impl Elementwise for Polygamma {
    const NAME: &'static str = "polygamma";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("n", self.0 as usize);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.polygamma(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.polygamma(self.0 + 1)
    }
    code_compiled_here!(Polygamma);
}

/// A derivative of sin πx/(πx).
#[derive(Clone)]
pub(crate) struct SincDerivative(pub(crate) u32);

impl Elementwise for SincDerivative {
    const NAME: &'static str = "sinc";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("derivative", self.0 as usize);
    }
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.sinc_derivative(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.sinc_derivative(self.0 + 1)
    }
    code_compiled_here!(SincDerivative);
}

/// A modified Bessel function Iₙ, or exp(−|x|) Iₙ.
#[derive(Clone)]
pub(crate) struct BesselI {
    pub(crate) order: u32,
    pub(crate) scaled: bool,
}

impl Elementwise for BesselI {
    const NAME: &'static str = "bessel_i";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("order", self.order as usize);
        attributes.set("scaled", self.scaled);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.bessel_i(self.order, self.scaled)
    }
    /// Iₙ′ = (Iₙ₋₁ + Iₙ₊₁)/2, with I₋₁ = I₁; scaled less the function itself times the sign.
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let (n, scaled) = (self.order, self.scaled);
        let slope = if n == 0 {
            x.bessel_i(1, scaled)
        } else {
            (x.bessel_i(n - 1, scaled) + x.bessel_i(n + 1, scaled)) * 0.5
        };
        if scaled { slope - x.sign() * x.bessel_i(n, true) } else { slope }
    }
    code_compiled_here!(BesselI);
}

/// A derivative of erfcx.
#[derive(Clone)]
pub(crate) struct ErfcxDerivative(pub(crate) u32);

impl Elementwise for ErfcxDerivative {
    const NAME: &'static str = "erfcx";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("derivative", self.0 as usize);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.erfcx_derivative(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.erfcx_derivative(self.0 + 1)
    }
    code_compiled_here!(ErfcxDerivative);
}

impl<T: Float> Var<T> {
    /// ψ⁽ⁿ⁾(x), the n-th derivative of the [digamma](Var::digamma) function, which is that of n = 0: trigamma is
    /// `polygamma(1)`.
    ///
    /// # Panics
    /// If `n` exceeds 100.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use std::f64::consts::PI;
    /// assert!((Var::from([1.0f64]).polygamma(1).item() - PI * PI / 6.0).abs() < 1e-14);
    /// ```
    #[track_caller]
    pub fn polygamma(&self, n: u32) -> Var<T> {
        assert!(n <= 100, "polygamma: the order {n} is above 100");
        self.apply(Polygamma(n))
    }

    /// sin πx/(πx), 1 at 0, and exactly 0 at the other integers and at ±∞.
    #[track_caller]
    pub fn sinc(&self) -> Var<T> {
        self.apply(SincDerivative(0))
    }

    /// The modified Bessel function I₀ of the first kind.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let x = Var::from([0.0f64, 2.0]);
    /// assert_eq!(x.i0().value().at([0]), 1.0);
    /// assert_eq!(grad(|x: &Var<f64>| x.i0().sum(), &x).value(), x.i1().value());
    /// ```
    #[doc(alias = "bessel_i0")]
    #[doc(alias = "modified_bessel_i0")]
    #[track_caller]
    pub fn i0(&self) -> Var<T> {
        self.apply(BesselI { order: 0, scaled: false })
    }

    /// exp(−|x|) I₀(x), which does not overflow; the derivative at 0 is 0, between those of both sides.
    #[doc(alias = "bessel_i0e")]
    #[track_caller]
    pub fn i0e(&self) -> Var<T> {
        self.apply(BesselI { order: 0, scaled: true })
    }

    /// The modified Bessel function I₁ of the first kind.
    #[doc(alias = "bessel_i1")]
    #[doc(alias = "modified_bessel_i1")]
    #[track_caller]
    pub fn i1(&self) -> Var<T> {
        self.apply(BesselI { order: 1, scaled: false })
    }

    /// exp(−|x|) I₁(x), which does not overflow.
    #[doc(alias = "bessel_i1e")]
    #[track_caller]
    pub fn i1e(&self) -> Var<T> {
        self.apply(BesselI { order: 1, scaled: true })
    }

    /// The logarithm of the multivariate gamma function of dimension p:
    /// p (p − 1)/4 · ln π + Σⱼ ln Γ(x − j/2) for j from 0 to p − 1. NaN or infinite unless x > (p − 1)/2.
    ///
    /// # Panics
    /// If `p` is 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::scalar(3.5f64);
    /// assert_eq!(x.multigammaln(1).item(), x.lgamma().item());
    /// ```
    #[doc(alias = "mvlgamma")]
    #[track_caller]
    pub fn multigammaln(&self, p: usize) -> Var<T> {
        assert!(p > 0, "multigammaln: the dimension 0");
        let of = |j: usize| (self - 0.5 * j as f64).lgamma();
        let sum = (1..p).fold(of(0), |sum, j| sum + of(j));
        sum + 0.25 * (p * (p - 1)) as f64 * std::f64::consts::PI.ln()
    }
}
