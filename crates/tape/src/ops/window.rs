//! Windows, by which pieces of signals are multiplied before they are transformed.

use std::f64::consts::TAU;

use wengert_tensor::{Float, Tensor, size};

use crate::var::Var;

/// a + b cos(τt) + c cos(2τt) at t = i/n, with n one less unless `periodic`.
#[track_caller]
fn cosines<T: Float>(operation: &str, length: usize, periodic: bool, [a, b, c]: [f64; 3]) -> Var<T> {
    made(operation, length, periodic, |t| a + b * (TAU * t).cos() + c * (2.0 * TAU * t).cos())
}

/// A function of t = i/n, with n one less unless `periodic`. A single number is 1.
#[track_caller]
fn made<T: Float>(operation: &str, length: usize, periodic: bool, f: impl Fn(f64) -> f64) -> Var<T> {
    size::product(operation, &[length]);
    if length == 1 {
        return Var::ones([1]);
    }
    let n = (if periodic { length } else { length.saturating_sub(1) }) as f64;
    Var::constant(Tensor::from_fn([length], |i| T::from_f64(f(i[0] as f64 / n))))
}

impl<T: Float> Var<T> {
    /// Hann's window ½ − ½ cos(2πi/n), with n = `length` if it is `periodic`, as pieces that overlap want it, and one less if
    /// it is symmetric. So it is for all windows.
    ///
    /// # Panics
    /// If there is no memory for as many numbers. So it is for all windows.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let close = |x: Var<f64>, y: [f64; 4]| assert!(x.value().all_close(&y.into(), 1e-15, 1e-15));
    /// close(Var::hann_window(4, true), [0.0, 0.5, 1.0, 0.5]);
    /// close(Var::hann_window(4, false), [0.0, 0.75, 0.75, 0.0]);
    /// ```
    #[doc(alias = "hanning")]
    #[track_caller]
    pub fn hann_window(length: usize, periodic: bool) -> Var<T> {
        cosines("hann_window", length, periodic, [0.5, -0.5, 0.0])
    }

    /// Hamming's window 0.54 − 0.46 cos(2πi/n).
    ///
    /// # Panics
    /// If there is no memory for as many numbers.
    #[track_caller]
    pub fn hamming_window(length: usize, periodic: bool) -> Var<T> {
        cosines("hamming_window", length, periodic, [0.54, -0.46, 0.0])
    }

    /// Blackman's window 0.42 − 0.5 cos(2πi/n) + 0.08 cos(4πi/n).
    ///
    /// # Panics
    /// If there is no memory for as many numbers.
    #[track_caller]
    pub fn blackman_window(length: usize, periodic: bool) -> Var<T> {
        cosines("blackman_window", length, periodic, [0.42, -0.5, 0.08])
    }

    /// Bartlett's window 1 − |2i/n − 1|, a triangle.
    ///
    /// # Panics
    /// If there is no memory for as many numbers.
    #[track_caller]
    pub fn bartlett_window(length: usize, periodic: bool) -> Var<T> {
        made("bartlett_window", length, periodic, |t| 1.0 - (2.0 * t - 1.0).abs())
    }

    /// Kaiser's window I₀(β √(1 − (2i/n − 1)²))/I₀(β), wider for a smaller β (12 in PyTorch).
    ///
    /// # Panics
    /// If β is not finite, or there is no memory for as many numbers.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let window = Var::<f64>::kaiser_window(5, false, 12.0).into_value();
    /// // Highest in the middle, and the same on both sides.
    /// assert!((window.at([2]) - 1.0).abs() < 1e-15 && (window.at([0]) - window.at([4])).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn kaiser_window(length: usize, periodic: bool, beta: f64) -> Var<T> {
        assert!(beta.is_finite(), "kaiser_window: β is {beta}");
        let at: Var<f64> = made("kaiser_window", length, periodic, |t| {
            let from_middle = 2.0 * t - 1.0;
            beta * (1.0 - from_middle * from_middle).max(0.0).sqrt()
        });
        if length < 2 {
            return Var::ones([length]);
        }
        // Scaled ones do not overflow: I₀(x)/I₀(β) = i0e(x)/i0e(β) · exp(|x| − |β|).
        let growth = (at.abs() - beta.abs()).exp();
        let window = at.i0e() / Var::scalar(beta).i0e() * growth;
        Var::constant(window.value().cast::<T>())
    }
}
