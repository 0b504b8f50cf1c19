//! Fourier transforms of the pieces of signals, with the feature `fft`.

use wengert_tensor::conv::ConvOptions;
use wengert_tensor::{Float, Shape};

use super::{FftNorm, FftOptions, check_pairs};
use crate::ops::PadMode;
use crate::var::Var;

/// How [`stft`](Var::stft) cuts a signal into pieces, and [`istft`](Var::istft) puts them together again.
///
/// ```
/// use wengert_tape::{StftOptions, Var};
/// let x = Var::from((0..64).map(|i| (f64::from(i) * 0.7).sin()).collect::<Vec<_>>());
/// let options = StftOptions::new(16).window(Var::hann_window(16, true));
/// let frames = x.stft(&options);
/// assert_eq!(frames.shape(), &[9, 17, 2]);
/// assert!(frames.istft(&options, 64).value().all_close(x.value(), 1e-12, 1e-12));
/// ```
#[derive(Clone, Debug)]
pub struct StftOptions<T: Float = f32> {
    size: usize,
    hop: usize,
    window: Option<Var<T>>,
    centred: bool,
    padding: PadMode,
    normalized: bool,
    two_sided: bool,
}

impl<T: Float> StftOptions<T> {
    /// Pieces of `n` samples (PyTorch's `n_fft`), one every ⌊n/4⌋, without a window, centred on their places by a reflected
    /// border, and of their transforms the half that is not the other's conjugate. PyTorch's defaults.
    #[doc(alias = "n_fft")]
    pub fn new(n: usize) -> Self {
        StftOptions {
            size: n,
            hop: n / 4,
            window: None,
            centred: true,
            padding: PadMode::Reflect,
            normalized: false,
            two_sided: false,
        }
    }

    /// How many samples are from one piece to the next.
    ///
    /// ```
    /// use wengert_tape::{StftOptions, Var};
    /// let x = Var::<f64>::ones([16]);
    /// assert_eq!(x.stft(&StftOptions::new(4).hop(2)).shape(), &[3, 9, 2]);
    /// ```
    #[doc(alias = "hop_length")]
    #[must_use]
    pub fn hop(mut self, hop: usize) -> Self {
        self.hop = hop;
        self
    }

    /// What pieces are multiplied by: a vector, such as [`hann_window`](Var::hann_window) makes. One that is shorter than a
    /// piece stands in its middle, with zeros around. It may be differentiated.
    #[doc(alias = "win_length")]
    #[must_use]
    pub fn window(mut self, window: Var<T>) -> Self {
        self.window = Some(window);
        self
    }

    /// The first piece begins at the first sample, instead of being centred on it.
    ///
    /// ```
    /// use wengert_tape::{StftOptions, Var};
    /// let x = Var::<f64>::ones([16]);
    /// assert_eq!(x.stft(&StftOptions::new(4).not_centred()).shape(), &[3, 13, 2]);
    /// ```
    #[must_use]
    pub fn not_centred(mut self) -> Self {
        self.centred = false;
        self
    }

    /// What stands beyond the ends where pieces are centred.
    #[doc(alias = "pad_mode")]
    #[must_use]
    pub fn padding(mut self, mode: PadMode) -> Self {
        self.padding = mode;
        self
    }

    /// Transforms divided by √n.
    ///
    /// ```
    /// use wengert_tape::{StftOptions, Var};
    /// let x = Var::<f64>::ones([16]);
    /// // The sum of four ones over √4.
    /// assert_eq!(x.stft(&StftOptions::new(4).normalized()).value().at([0, 0, 0]), 2.0);
    /// ```
    #[must_use]
    pub fn normalized(mut self) -> Self {
        self.normalized = true;
        self
    }

    /// All n frequencies. (PyTorch's `onesided=False`.)
    ///
    /// ```
    /// use wengert_tape::{StftOptions, Var};
    /// let x = Var::<f64>::ones([16]);
    /// assert_eq!(x.stft(&StftOptions::new(4).two_sided()).shape(), &[4, 17, 2]);
    /// ```
    #[must_use]
    pub fn two_sided(mut self) -> Self {
        self.two_sided = true;
        self
    }

    fn norm(&self) -> FftNorm {
        if self.normalized { FftNorm::Ortho } else { FftNorm::Backward }
    }

    fn frequencies(&self) -> usize {
        if self.two_sided { self.size } else { self.size / 2 + 1 }
    }

    #[track_caller]
    fn check(&self, operation: &str) {
        let StftOptions { size, hop, .. } = self;
        assert!(*size > 0 && *hop > 0, "{operation}: pieces of {size} samples, one every {hop}");
    }

    /// The window in the middle of a piece.
    #[track_caller]
    fn whole_window(&self, operation: &str) -> Option<Var<T>> {
        let window = self.window.as_ref()?;
        let (shape, n) = (window.shape(), self.size);
        assert!(
            shape.len() == 1 && shape[0] <= n,
            "{operation}: a window of shape {shape} for pieces of {n} samples"
        );
        let lacking = n - shape[0];
        Some(window.pad(&[(lacking / 2, lacking - lacking / 2)], 0.0))
    }
}

impl<T: Float> Var<T> {
    /// The Fourier transforms of pieces of real signals `[…, samples]`: complex numbers `[…, frequencies, pieces, 2]`.
    ///
    /// # Panics
    /// If there is no axis, pieces have no samples or are at no distance, the window is no vector or longer than a piece, the
    /// signal is shorter than a piece, or too short for the border.
    #[track_caller]
    pub fn stft(&self, options: &StftOptions<T>) -> Var<T> {
        options.check("stft");
        let axis = self.shape().axis("stft", -1);
        let (n, samples) = (options.size, self.shape()[axis]);
        let window = options.whole_window("stft");
        let x = if options.centred {
            let narrow = samples > n / 2 || !matches!(options.padding, PadMode::Reflect);
            assert!(narrow, "stft: a reflected border of {} samples for a signal of {samples}", n / 2);
            let mut widths = vec![(0, 0); axis + 1];
            widths[axis] = (n / 2, n / 2);
            self.pad_with(&widths, options.padding)
        } else {
            self.clone()
        };
        assert!(x.shape()[axis] >= n, "stft: a signal of {samples} samples is shorter than pieces of {n}");
        let mut pieces = x.windows(axis, n, options.hop);
        if let Some(window) = window {
            pieces *= window;
        }
        let transform = FftOptions::along([-1]).norm(options.norm());
        let y = if options.two_sided {
            Var::complex(&pieces, &Var::zeros(pieces.shape())).fft(transform)
        } else {
            pieces.rfft(transform)
        };
        y.transpose(-3, -2)
    }

    /// The signals of `length` samples whose pieces have these transforms, as [`stft`](Var::stft) with the same options gives
    /// them; of transforms that no signal has, the one that is nearest (D. Griffin and J. Lim, "Signal estimation from modified
    /// short-time Fourier transform", 1984). PyTorch's default for the length is (pieces − 1) · hop if pieces are centred. What
    /// goes beyond the last piece is 0. Of two-sided transforms the first half counts.
    ///
    /// # Panics
    /// If the shape is not `[…, frequencies, pieces, 2]`, pieces have no samples or are at no distance, the window does not fit
    /// or its squares leave a sample without weight.
    #[track_caller]
    pub fn istft(&self, options: &StftOptions<T>, length: usize) -> Var<T> {
        options.check("istft");
        check_pairs("istft", self);
        let (shape, n, hop) = (self.shape(), options.size, options.hop);
        let rank = shape.len();
        assert!(
            rank >= 3 && shape[rank - 3] == options.frequencies() && shape[rank - 2] > 0,
            "istft: {shape} is not […, {}, pieces, 2], as pieces of {n} samples demand",
            options.frequencies()
        );
        let (lead, count) = (Shape::from(&shape[..rank - 3]), shape[rank - 2]);
        let window = options.whole_window("istft").unwrap_or_else(|| Var::ones([n]));
        let transform = FftOptions::along([-1]).lengths([n]).norm(options.norm());
        let frames = self.transpose(-3, -2);
        // Of all frequencies the half that says the rest.
        let pieces = frames.slice_axis(-2, ..n / 2 + 1).irfft(transform);
        let total = n + hop * (count - 1);
        let every = ConvOptions { stride: [hop], ..ConvOptions::default() };
        let put_together = |pieces: Var<T>| {
            let examples = pieces.shape()[0];
            pieces.transpose(1, 2).fold([total], [n], every).reshape([examples, total])
        };
        let sum = put_together((pieces * &window).reshape([lead.count(), count, n]));
        let weight = put_together(window.square().broadcast_to([1, count, n]));
        // What the border has added goes away again.
        let first = if options.centred { n / 2 } else { 0 };
        let last = (first + length).min(if options.centred { total - n / 2 } else { total }).max(first);
        let (sum, weight) = (sum.slice_axis(1, first..last), weight.slice_axis(1, first..last));
        if let Some(at) = weight.value().to_vec().into_iter().position(|w| w.to_f64() < 1e-11) {
            panic!("istft: no piece's window has weight at sample {at}");
        }
        let signal = (sum / weight).pad(&[(0, 0), (0, length - (last - first))], 0.0);
        signal.reshape(lead.iter().copied().chain([length]).collect::<Shape>())
    }
}
