//! Elementwise functions of one tensor.

use crate::array::element::Float;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::Map1;
use crate::machine::simd::Isa;

/// A method on [`Tensor`] from the formula of one element, in which `I` is the instruction set.
macro_rules! unary {
    ($( $(#[$doc:meta])* $name:ident, $Formula:ident, |$x:ident| $formula:expr $(, $property:ident)?; )*) => { $(
        struct $Formula;

        impl<T: Float> Map1<T, T> for $Formula {
            $(
                const $property: bool = true;
                #[inline(always)]
                fn all_near(block: &[T]) -> bool {
                    let mut all = true;
                    for x in block {
                        all &= x.is_near();
                    }
                    all
                }
            )?
            #[inline(always)]
            fn call<I: Isa>(&self, $x: T) -> T {
                $formula
            }
        }

        impl<T: Float> Tensor<T> {
            $(#[$doc])*
            pub fn $name(&self) -> Tensor<T> {
                compiled_here! {
                    fn $name<T: Float>(x: &Tensor<T>) -> Tensor<T> {
                        x.map($Formula)
                    }
                }
                $name(self)
            }
        }
    )* };
}

unary! {
    /// eˣ.
    exp, Exp, |x| x.exp::<I>();
    /// eˣ − 1, exact near 0.
    exp_m1, ExpM1, |x| x.exp_m1::<I>();
    /// The natural logarithm; NaN below 0, −∞ at 0.
    ln, Ln, |x| x.ln::<I>();
    /// ln(1 + x), exact near 0.
    ln_1p, Ln1p, |x| x.ln_1p::<I>();
    /// √x; NaN below 0.
    sqrt, Sqrt, |x| x.sqrt();
    /// 1 / √x.
    rsqrt, Rsqrt, |x| x.rsqrt::<I>();
    /// 1 / x.
    recip, Recip, |x| T::ONE / x;
    /// x².
    square, Square, |x| x * x;
    /// |x|.
    abs, Abs, |x| x.abs();
    /// −1, 0 or 1; NaN for NaN.
    sign, Sign, |x| x.sign();
    /// sin x, x in radians.
    sin, Sin, |x| x.sin::<I>(), SHORT_NEAR;
    /// cos x, x in radians.
    cos, Cos, |x| x.cos::<I>(), SHORT_NEAR;
    /// tan x, x in radians.
    tan, Tan, |x| x.tan::<I>(), SHORT_NEAR;
    /// tanh x.
    tanh, Tanh, |x| x.tanh::<I>();
    /// sinh x.
    sinh, Sinh, |x| x.sinh::<I>();
    /// cosh x.
    cosh, Cosh, |x| x.cosh::<I>();
    /// arctan x, in radians.
    atan, Atan, |x| x.atan::<I>();
    /// arcsin x, in radians.
    asin, Asin, |x| x.asin::<I>();
    /// arccos x, in radians.
    acos, Acos, |x| x.acos::<I>();
    /// The logistic function 1 / (1 + e⁻ˣ).
    sigmoid, Sigmoid, |x| x.sigmoid::<I>();
    /// The error function 2/√π ∫₀ˣ e^(−t²) dt.
    erf, Erf, |x| x.erf::<I>();
    /// 1 − erf x, exact for large x.
    erfc, Erfc, |x| x.erfc::<I>();
    /// The exact GELU, x · Φ(x) = x/2 · (1 + erf(x/√2)) (Hendrycks & Gimpel, 2016).
    gelu, Gelu, |x| x.gelu::<I>();
    /// ln(1 + eˣ), without overflow.
    softplus, Softplus, |x| x.softplus::<I>();
    /// max(x, 0); NaN for NaN.
    relu, Relu, |x| x.maximum(T::ZERO);
    /// The largest integer not above x.
    floor, Floor, |x| x.floor();
    /// The nearest integer, halves to even.
    round, Round, |x| x.round_ties_even();
}

struct Powf<T>(T);

impl<T: Float> Map1<T, T> for Powf<T> {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T) -> T {
        x.powf::<I>(self.0)
    }
}

/// √x as the power that it is: +0 for −0 and ∞ for −∞.
struct PowerOfHalf;

impl<T: Float> Map1<T, T> for PowerOfHalf {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T) -> T {
        let root = (x + T::ZERO).sqrt();
        if x == T::NEG_INFINITY { T::INFINITY } else { root }
    }
}

impl<T: Float> Tensor<T> {
    /// xⁿ by repeated multiplication; 0⁰ is 1.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([2.0f64, -3.0]).powi(3).to_vec(), [8.0, -27.0]);
    /// ```
    pub fn powi(&self, n: i32) -> Tensor<T> {
        compiled_here! {
            fn powi<T: Float>(x: &Tensor<T>, n: i32) -> Tensor<T> {
                match n {
                    3 => x.map(|x: T| x * x * x),
                    _ => x.map(move |x: T| integer_power(x, n)),
                }
            }
        }
        if n == 2 { self.square() } else { powi(self, n) }
    }

    /// xʸ for a number y; NaN for negative x unless y is an integer. Exact to rounding for the powers that have a
    /// simpler name: −1, ½, 1 and 2.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([4.0f64, 9.0]).powf(0.5).to_vec(), [2.0, 3.0]);
    /// ```
    pub fn powf(&self, y: f64) -> Tensor<T> {
        compiled_here! {
            fn powf<T: Float>(x: &Tensor<T>, y: f64) -> Tensor<T> {
                if y == 0.5 { x.map(PowerOfHalf) } else { x.map(Powf(T::from_f64(y))) }
            }
        }
        match y {
            -1.0 => self.recip(),
            1.0 => self.clone(),
            2.0 => self.square(),
            y => powf(self, y),
        }
    }

    /// x limited to `low..=high`; NaN stays.
    ///
    /// # Panics
    /// If `low > high` or either is NaN.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([-2.0f64, 0.5, 9.0]).clamp(-1.0, 1.0).to_vec(), [-1.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Tensor<T> {
        assert!(low <= high, "clamp: the lower limit {low} is not below the upper limit {high}");
        compiled_here! {
            fn clamp<T: Float>(x: &Tensor<T>, low: f64, high: f64) -> Tensor<T> {
                let (low, high) = (T::from_f64(low), T::from_f64(high));
                x.map(move |x: T| x.maximum(low).minimum(high))
            }
        }
        clamp(self, low, high)
    }
}

/// xⁿ with the same rounding on every platform: binary exponentiation from the low bit of |n| up, and the reciprocal of
/// that for negative n.
///
/// ```
/// assert_eq!(wengert_tensor::integer_power(2.0f64, -3), 0.125);
/// ```
#[inline(always)]
pub fn integer_power<T: Float>(x: T, n: i32) -> T {
    let power = natural_power(x, n.unsigned_abs());
    if n >= 0 {
        return power;
    }
    // Where the power is too large, or too small to be exact, its reciprocal may be a number still.
    let exact = power.abs() >= T::MIN_POSITIVE && power.is_finite();
    if exact { T::ONE / power } else { T::from_f64(natural_power(1.0 / x.to_f64(), n.unsigned_abs())) }
}

#[inline(always)]
fn natural_power<T: Float>(x: T, n: u32) -> T {
    let (mut result, mut square, mut bits) = (T::ONE, x, n);
    while bits > 0 {
        if bits & 1 == 1 {
            result *= square;
        }
        square = square * square;
        bits >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        let x = Tensor::from([-2.0f64, 0.0, 3.0]);
        assert_eq!(x.powi(0).to_vec(), [1.0, 1.0, 1.0]);
        assert_eq!(x.powi(5).to_vec(), [-32.0, 0.0, 243.0]);
        assert_eq!(x.powi(-1).to_vec(), [-0.5, f64::INFINITY, 1.0 / 3.0]);
        assert!(x.powf(0.5).at([0]).is_nan());
        assert_eq!(x.powf(0.0).to_vec(), [1.0, 1.0, 1.0]);
    }

    /// What overflows or underflows on the way does not in the end.
    #[test]
    fn negative_powers_at_the_ends_of_the_range() {
        let power = |x: f32, n: i32| Tensor::from([x]).powi(n).item();
        assert_eq!(power(1e20, -2), 1e-40);
        assert_eq!(power(-1e13, -3), -1e-39);
        assert_eq!(power(1e-19, -2), (1.0 / (f64::from(1e-19f32) * f64::from(1e-19f32))) as f32);
        assert_eq!(power(-1e-13, -3), (1.0 / f64::from(-1e-13f32).powi(3)) as f32);
        assert_eq!((power(0.0, -2), power(-0.0, -3)), (f32::INFINITY, f32::NEG_INFINITY));
        assert_eq!((power(f32::NEG_INFINITY, -3), power(f32::NAN, -1).is_nan()), (-0.0, true));
        assert_eq!((power(1.0, i32::MIN), power(-1.0, i32::MIN), power(2.0, i32::MIN)), (1.0, 1.0, 0.0));
        assert_eq!(power(0.5, i32::MIN), f32::INFINITY);
        let wide = Tensor::from([1e160f64]).powi(-2).item();
        assert!((wide / 1e-320 - 1.0).abs() < 1e-3, "{wide:e}");
    }

    #[test]
    fn every_element_of_any_view() {
        let x = Tensor::<f64>::linspace(-1.0, 1.0, 60).reshape([3, 4, 5]);
        for view in [x.clone(), x.t(), x.flip(1), x.slice_axis(2, crate::Slice::from(..).step(2))] {
            let expected: Vec<f64> = view.to_vec().iter().map(|v| v * v).collect();
            assert_eq!(view.square().to_vec(), expected);
        }
    }

    #[test]
    fn nan_stays() {
        let x = Tensor::from([f32::NAN]);
        assert!(x.relu().item().is_nan() && x.clamp(0.0, 1.0).item().is_nan());
    }

    #[test]
    fn powers_with_a_simpler_name_are_as_exact() {
        let x = Tensor::<f64>::from_fn([4000], |i| (0.37 * i[0] as f64 - 700.0).exp2() * 1.234_567);
        let x =
            Tensor::cat(&[&x, &-&x, &Tensor::from([0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324])], 0);
        let bits = |x: Tensor<f64>| x.to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(x.powf(1.0)), bits(x.clone()));
        assert_eq!(bits(x.powf(2.0)), bits(x.square()));
        assert_eq!(bits(x.powf(-1.0)), bits(x.recip()));
        // The power ½ is not the root at −0 and at −∞.
        let root = |x: f64| {
            if x == 0.0 {
                0.0
            } else if x == f64::NEG_INFINITY {
                f64::INFINITY
            } else {
                x.sqrt()
            }
        };
        for (found, x) in x.powf(0.5).to_vec().into_iter().zip(x.to_vec()) {
            assert!(found.to_bits() == root(x).to_bits() || x < 0.0 && found.is_nan(), "{x}: {found}");
        }
    }
}
