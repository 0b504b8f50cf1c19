//! Misuse of complex numbers as pairs and of Fourier transforms.

use super::x;
use crate::panics::caught;
use wengert_tape::Var;

#[test]
fn numbers_that_are_no_pairs() {
    let pairs = Var::<f64>::ones([4, 2]);
    assert_panics!(Var::complex(&x(), &Var::ones([2])), "complex", "[3]", "[2]");
    assert_panics!(x().real(), "real", "pairs", "[3]");
    assert_panics!(x().imag(), "imag", "pairs", "[3]");
    assert_panics!(x().conj(), "conj", "pairs", "[3]");
    assert_panics!(Var::scalar(1.0).complex_abs(), "complex_abs", "pairs", "[]");
    assert_panics!(x().complex_angle(), "complex_angle", "pairs", "[3]");
    assert_panics!(pairs.complex_mul(&x()), "complex_mul", "pairs", "[3]");
    assert_panics!(pairs.complex_mul(&Var::ones([3, 2])), "complex_mul", "[4, 2]", "[3, 2]");
}

#[cfg(feature = "fft")]
#[test]
fn transforms() {
    use wengert_tape::FftOptions;
    let pairs = Var::<f64>::ones([4, 2]);
    assert_panics!(x().fft(-1), "fft", "pairs", "[3]");
    assert_panics!(x().ifft(-1), "ifft", "pairs", "[3]");
    assert_panics!(x().irfft(-1), "irfft", "pairs", "[3]");
    assert_panics!(pairs.fft(1), "fft", "1", "[4]");
    assert_panics!(x().rfft(1), "rfft", "1", "[3]");
    assert_panics!(x().rfft([0, -1]), "rfft", "axis 0", "twice");
    assert_panics!(x().rfft(FftOptions::along([])), "rfft", "no axis");
    assert_panics!(x().rfft(FftOptions::along([0]).lengths([0])), "rfft", "length 0");
    assert_panics!(x().rfft(FftOptions::along([0]).lengths([1, 2])), "rfft", "2 lengths for 1 axes");
    assert_panics!(Var::<f64>::ones([0]).rfft(0), "rfft", "length 0", "[0]");
    assert_panics!(Var::<f64>::ones([3, 0, 2]).fft(1), "fft", "length 0", "[3, 0, 2]");
    assert_panics!(Var::<f64>::ones([1, 2]).irfft(0), "irfft", "length 0");
    assert_panics!(x().fftshift(1), "fftshift", "1", "[3]");
    assert_panics!(x().ifftshift(1), "ifftshift", "1", "[3]");
    assert_panics!(Var::<f64>::fftfreq(0, 1.0), "fftfreq", "length 0");
    assert_panics!(Var::<f64>::rfftfreq(0, 1.0), "rfftfreq", "length 0");
}

#[cfg(feature = "fft")]
#[test]
fn pieces_of_signals() {
    use wengert_tape::StftOptions;
    let (signal, of) = (Var::<f64>::ones([10]), StftOptions::<f64>::new);
    assert_panics!(Var::scalar(1.0).stft(&of(4)), "stft: ", "[]");
    assert_panics!(signal.stft(&of(0)), "stft: pieces of 0 samples, one every 0");
    assert_panics!(signal.stft(&of(4).hop(0)), "stft: ", "one every 0");
    assert_panics!(signal.stft(&of(4).window(Var::ones([5]))), "stft: ", "[5]", "4 samples");
    assert_panics!(signal.stft(&of(12).not_centred()), "stft: ", "10 samples", "pieces of 12");
    assert_panics!(signal.stft(&of(20)), "stft: ", "border of 10", "signal of 10");
    let pieces = Var::<f64>::ones([3, 5, 2]);
    assert_panics!(signal.istft(&of(4), 8), "istft: ", "pairs", "[10]");
    assert_panics!(pieces.istft(&of(8), 8), "istft: ", "[3, 5, 2]", "8 samples");
    assert_panics!(pieces.istft(&of(4).hop(0), 8), "istft: ", "one every 0");
    assert_panics!(pieces.istft(&of(4).window(Var::zeros([4])), 3), "istft: ", "sample 0");
}
