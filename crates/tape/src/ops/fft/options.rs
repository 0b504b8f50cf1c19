//! Which axes are transformed, of which lengths, and how the sums are scaled.

/// How a Fourier transform and its inverse are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FftNorm {
    /// The transform is the plain sum, the inverse is divided by n.
    #[default]
    Backward,
    /// Both are divided by √n, and keep norms.
    Ortho,
    /// The transform is divided by n, the inverse is the plain sum.
    Forward,
}

impl FftNorm {
    /// The factor of one axis of length n.
    pub(super) fn scale(self, n: usize, inverse: bool) -> f64 {
        let n = n as f64;
        match (self, inverse) {
            (FftNorm::Backward, false) | (FftNorm::Forward, true) => 1.0,
            (FftNorm::Ortho, _) => n.sqrt().recip(),
            (FftNorm::Backward, true) | (FftNorm::Forward, false) => n.recip(),
        }
    }
}

/// What [`fft`](crate::Var::fft) and its relatives transform: one axis, or several. A number or an array of numbers is as
/// good where the rest are defaults.
///
/// ```
/// use wengert_tape::{FftNorm, FftOptions, Var};
/// let x = Var::<f64>::ones([3, 10]);
/// assert_eq!(x.rfft(-1).shape(), &[3, 6, 2]);
/// assert_eq!(x.rfft([0, 1]).shape(), &[3, 6, 2]);
/// // Cut off after 8 numbers, and scaled so that norms are kept.
/// let options = FftOptions::along([-1]).lengths([8]).norm(FftNorm::Ortho);
/// assert_eq!(x.rfft(options).shape(), &[3, 5, 2]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FftOptions {
    pub(super) axes: Vec<isize>,
    pub(super) lengths: Option<Vec<usize>>,
    pub(super) norm: FftNorm,
}

impl FftOptions {
    /// Along these axes, of their lengths, with the norm [`Backward`](FftNorm::Backward). Negative ones count from the
    /// end; the axis of the pairs of complex numbers does not count.
    pub fn along<const N: usize>(axes: [isize; N]) -> Self {
        FftOptions { axes: axes.into(), lengths: None, norm: FftNorm::default() }
    }

    /// The lengths of the signals along the axes: what is longer is cut off, what is shorter continued by zeros. Of
    /// [`irfft`](crate::Var::irfft) they are those of the result.
    #[doc(alias = "n")]
    #[must_use]
    pub fn lengths<const N: usize>(mut self, lengths: [usize; N]) -> Self {
        self.lengths = Some(lengths.into());
        self
    }

    /// How the sums are scaled.
    #[must_use]
    pub fn norm(mut self, norm: FftNorm) -> Self {
        self.norm = norm;
        self
    }
}

impl From<i32> for FftOptions {
    fn from(axis: i32) -> Self {
        FftOptions::along([axis as isize])
    }
}

impl From<isize> for FftOptions {
    fn from(axis: isize) -> Self {
        FftOptions::along([axis])
    }
}

impl<const N: usize> From<[i32; N]> for FftOptions {
    fn from(axes: [i32; N]) -> Self {
        FftOptions::along(axes.map(|axis| axis as isize))
    }
}
