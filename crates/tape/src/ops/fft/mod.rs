//! Fourier transforms of variables, with the feature `fft`. Complex numbers are pairs along the last axis (see
//! [`Var::complex`]), which the numbers of axes leave out.

mod maps;
mod options;
mod stft;

pub use options::{FftNorm, FftOptions};
pub use stft::StftOptions;

use wengert_tensor::{Float, Shape, Tensor};

use crate::ops::complex::check_pairs;
use crate::var::Var;
use maps::{ComplexTransform, HalfTransform};

/// The positions of the axes among those of `shape`, and the lengths along them.
#[track_caller]
fn resolved(operation: &str, options: &FftOptions, shape: &Shape) -> (Vec<usize>, Option<Vec<usize>>) {
    let mut axes = Vec::with_capacity(options.axes.len());
    for &axis in &options.axes {
        axes.push(shape.axis(operation, axis));
    }
    assert!(!axes.is_empty(), "{operation}: there is no axis to transform");
    for (i, axis) in axes.iter().enumerate() {
        assert!(!axes[..i].contains(axis), "{operation}: axis {axis} is given twice");
    }
    if let Some(lengths) = &options.lengths {
        let fit = lengths.len() == axes.len();
        assert!(fit, "{operation}: {} lengths for {} axes", lengths.len(), axes.len());
    }
    (axes, options.lengths.clone())
}

/// Panics if there is nothing to transform.
#[track_caller]
fn check_length(operation: &str, n: usize, shape: &Shape) {
    assert!(n > 0, "{operation}: a signal of length 0, of shape {shape}, has no transform");
}

/// The shape without the pairs.
fn without_pairs(shape: &Shape) -> Shape {
    Shape::from(shape[..shape.len() - 1].to_vec())
}

/// Cut off or continued by zeros.
#[track_caller]
fn resized<T: Float>(x: &Var<T>, axis: usize, n: usize) -> Var<T> {
    let length = x.shape()[axis];
    if n <= length {
        return if n == length { x.clone() } else { x.slice_axis(axis, ..n) };
    }
    let mut widths = vec![(0, 0); x.rank()];
    widths[axis].1 = n - length;
    x.pad(&widths, 0.0)
}

/// Pairs to pairs along several axes.
#[track_caller]
fn complex<T: Float>(x: &Var<T>, options: &FftOptions, inverse: bool) -> Var<T> {
    let operation = if inverse { "ifft" } else { "fft" };
    check_pairs(operation, x);
    let (axes, lengths) = resolved(operation, options, &without_pairs(x.shape()));
    let mut y = x.clone();
    for (i, &axis) in axes.iter().enumerate() {
        let n = lengths.as_ref().map_or(x.shape()[axis], |lengths| lengths[i]);
        check_length(operation, n, x.shape());
        y = along(&resized(&y, axis, n), axis, options.norm, inverse);
    }
    y
}

/// Pairs to pairs along one axis.
#[track_caller]
fn along<T: Float>(x: &Var<T>, axis: usize, norm: FftNorm, inverse: bool) -> Var<T> {
    let (last, n) = (x.rank() - 2, x.shape()[axis]);
    let transform = ComplexTransform { inverse, scale: norm.scale(n, inverse) };
    if axis == last {
        return x.linear(transform);
    }
    x.transpose(axis, last).linear(transform).transpose(axis, last)
}

impl<T: Float> Var<T> {
    /// The discrete Fourier transform yₖ = Σⱼ xⱼ exp(−2πi jk/n) of complex numbers, along one axis or several: the options
    /// are a number, an array of numbers, or [`FftOptions`]. The last axis, of the pairs of real and imaginary parts, does not
    /// count: −1 is the axis before it. Of real signals [`rfft`](Var::rfft) takes half the time and memory.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let x = Var::complex(&Var::from([1.0f64, 2.0, 3.0, 4.0]), &Var::zeros([4]));
    /// assert_eq!(x.fft(-1).real().value().to_vec(), [10.0, -2.0, -2.0, -2.0]);
    /// // Energy is the same in both (Parseval).
    /// let energy = |x: &Var<f64>| x.fft(-1).square().sum() / 4.0;
    /// assert_eq!(energy(&x).item(), x.square().sum().item());
    /// assert!(grad(energy, &x).value().all_close(&(x.value() * 2.0), 1e-14, 1e-14));
    /// ```
    ///
    /// # Panics
    /// If the last axis is not of pairs, an axis does not exist or is given twice, or a length is 0.
    #[doc(alias = "fft2")]
    #[doc(alias = "fftn")]
    #[track_caller]
    pub fn fft(&self, options: impl Into<FftOptions>) -> Var<T> {
        complex(self, &options.into(), false)
    }

    /// The inverse of [`fft`](Var::fft).
    ///
    /// # Panics
    /// Where that does.
    #[doc(alias = "ifft2")]
    #[doc(alias = "ifftn")]
    #[track_caller]
    pub fn ifft(&self, options: impl Into<FftOptions>) -> Var<T> {
        complex(self, &options.into(), true)
    }

    /// The Fourier transform of real numbers. Of its last axis only the first ⌊n/2⌋ + 1 frequencies are given, since the
    /// others are their conjugates: the shape `[…, n]` becomes `[…, ⌊n/2⌋ + 1, 2]`. Of several axes, the last in the list is
    /// the one that is halved.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice, or a length is 0.
    #[doc(alias = "rfft2")]
    #[doc(alias = "rfftn")]
    #[track_caller]
    pub fn rfft(&self, options: impl Into<FftOptions>) -> Var<T> {
        let options = options.into();
        let (axes, lengths) = resolved("rfft", &options, self.shape());
        let halved = axes[axes.len() - 1];
        let length_of = |i: usize| lengths.as_ref().map_or(self.shape()[axes[i]], |lengths| lengths[i]);
        let n = length_of(axes.len() - 1);
        check_length("rfft", n, self.shape());
        let x = resized(self, halved, n);
        let last = x.rank() - 1;
        let scale = options.norm.scale(n, false);
        let y = x.transpose(halved, last).linear(HalfTransform { n, inverse: false, interior: 1.0, scale });
        let mut y = y.transpose(halved, last);
        for (i, &axis) in axes.iter().enumerate().take(axes.len() - 1) {
            check_length("rfft", length_of(i), self.shape());
            y = along(&resized(&y, axis, length_of(i)), axis, options.norm, false);
        }
        y
    }

    /// The inverse of [`rfft`](Var::rfft): real numbers of half of their transform. The length along the axis that was halved
    /// is 2 (m − 1) for m frequencies, if the options do not say it; an odd one must be said. The imaginary parts of the
    /// frequencies 0 and n/2, which are 0 in a transform of real numbers, take no part.
    ///
    /// ```
    /// use wengert_tape::{FftOptions, Var};
    /// let x = Var::from([1.0f64, 2.0, 4.0]);
    /// let back = x.rfft(-1).irfft(FftOptions::along([-1]).lengths([3]));
    /// assert!(back.value().all_close(x.value(), 1e-15, 1e-15));
    /// ```
    ///
    /// # Panics
    /// If the last axis is not of pairs, an axis does not exist or is given twice, or a length is 0.
    #[doc(alias = "irfft2")]
    #[doc(alias = "irfftn")]
    #[track_caller]
    pub fn irfft(&self, options: impl Into<FftOptions>) -> Var<T> {
        let options = options.into();
        check_pairs("irfft", self);
        let (axes, lengths) = resolved("irfft", &options, &without_pairs(self.shape()));
        let halved = axes[axes.len() - 1];
        let mut y = self.clone();
        for (i, &axis) in axes.iter().enumerate().take(axes.len() - 1) {
            let n = lengths.as_ref().map_or(self.shape()[axis], |lengths| lengths[i]);
            check_length("irfft", n, self.shape());
            y = along(&resized(&y, axis, n), axis, options.norm, true);
        }
        let frequencies = self.shape()[halved];
        let n = lengths.map_or(2 * frequencies.saturating_sub(1), |lengths| lengths[axes.len() - 1]);
        check_length("irfft", n, self.shape());
        let last = y.rank() - 2;
        let scale = options.norm.scale(n, true);
        let half = resized(&y, halved, n / 2 + 1).transpose(halved, last);
        half.linear(HalfTransform { n, inverse: true, interior: 2.0, scale }).transpose(halved, last)
    }

    /// The frequency 0 in the middle: the second half along an axis before the first. This axis is any of the shape, so of
    /// complex numbers −2 is the one before the pairs.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let frequencies = Var::<f64>::fftfreq(4, 0.25).fftshift(0);
    /// assert_eq!(frequencies.value().to_vec(), [-2.0, -1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn fftshift(&self, axis: impl Into<wengert_tensor::Axis>) -> Var<T> {
        let axis = self.shape().axis("fftshift", axis);
        self.roll((self.shape()[axis] / 2) as isize, axis)
    }

    /// The inverse of [`fftshift`](Var::fftshift).
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0, 3.0]);
    /// assert_eq!(x.fftshift(0).ifftshift(0).value().to_vec(), x.value().to_vec());
    /// ```
    #[track_caller]
    pub fn ifftshift(&self, axis: impl Into<wengert_tensor::Axis>) -> Var<T> {
        let axis = self.shape().axis("ifftshift", axis);
        self.roll(-((self.shape()[axis] / 2) as isize), axis)
    }

    /// The frequencies of [`fft`](Var::fft) of n samples at a distance of `d`, in cycles per unit: 0, 1, …, −2, −1 over n d.
    ///
    /// # Panics
    /// If `n` is 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// // Of 4 samples, 4 a second: in hertz.
    /// assert_eq!(Var::<f64>::fftfreq(4, 0.25).value().to_vec(), [0.0, 1.0, -2.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn fftfreq(n: usize, d: f64) -> Var<T> {
        check_length("fftfreq", n, &Shape::from([n]));
        let frequency = |i: usize| if i < n.div_ceil(2) { i as f64 } else { i as f64 - n as f64 };
        Var::constant(Tensor::from_fn([n], |i| T::from_f64(frequency(i[0]) / (n as f64 * d))))
    }

    /// The frequencies of [`rfft`](Var::rfft) of n samples at a distance of `d`: 0, 1, …, ⌊n/2⌋ over n d.
    ///
    /// # Panics
    /// If `n` is 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::<f64>::rfftfreq(4, 0.25).value().to_vec(), [0.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn rfftfreq(n: usize, d: f64) -> Var<T> {
        check_length("rfftfreq", n, &Shape::from([n]));
        Var::constant(Tensor::from_fn([n / 2 + 1], |i| T::from_f64(i[0] as f64 / (n as f64 * d))))
    }
}
