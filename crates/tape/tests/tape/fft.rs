//! Fourier transforms: values and gradients against PyTorch's (`tests/golden/fft.py`), and laws.

use serde_json::Value;
use wengert_tape::{FftNorm, FftOptions, Var, grad};
use wengert_tensor::parallel::with_threads;
use wengert_tensor::{Float, Tensor};

use crate::golden::array;

fn transformed<T: Float>(case: &Value, x: &Var<T>) -> Var<T> {
    let numbers = |key: &str| -> Vec<isize> {
        case[key].as_array().map_or(Vec::new(), |n| n.iter().map(|n| n.as_i64().unwrap() as isize).collect())
    };
    let (axes, lengths) = (numbers("axes"), numbers("lengths"));
    let mut options = match axes[..] {
        [a] => FftOptions::along([a]),
        [a, b] => FftOptions::along([a, b]),
        _ => panic!("one axis or two"),
    };
    options = match lengths[..] {
        [] => options,
        [a] => options.lengths([a as usize]),
        [a, b] => options.lengths([a as usize, b as usize]),
        _ => panic!("one length or two"),
    };
    let options = options.norm(match case["norm"].as_str().unwrap() {
        "backward" => FftNorm::Backward,
        "ortho" => FftNorm::Ortho,
        "forward" => FftNorm::Forward,
        norm => panic!("no norm {norm}"),
    });
    match case["kind"].as_str().unwrap() {
        "fft" => x.fft(options),
        "ifft" => x.ifft(options),
        "rfft" => x.rfft(options),
        "irfft" => x.irfft(options),
        kind => panic!("no transform {kind}"),
    }
}

fn compare<T: Float>(tolerance: f64) {
    let golden: Value = serde_json::from_str(include_str!("../golden/fft.json")).expect("the file is JSON");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 18);
    for (i, case) in cases.iter().enumerate() {
        let (x, weights) = (array::<T>(&case["input"]), array::<T>(&case["weights"]));
        let gradient = grad(|x: &Var<T>| (transformed(case, x) * &weights).sum(), &x);
        for (what, found) in [("value", transformed(case, &x)), ("gradient", gradient)] {
            let expected = array::<f64>(&case[what]);
            assert_eq!(found.shape(), expected.shape(), "case {i}: {what}");
            let difference = found.value().cast::<f64>() - expected.value();
            let error = difference.abs().max().item() / expected.value().abs().max().item();
            assert!(error < tolerance, "case {i}, {}: {what} differs by {error:e}", case["kind"]);
        }
    }
}

#[test]
fn double_precision() {
    compare::<f64>(1e-13);
}

#[test]
fn single_precision() {
    compare::<f32>(2e-6);
}

/// `lengths` numbers that follow no pattern.
fn numbers<const N: usize>(shape: [usize; N]) -> Var<f64> {
    Var::constant(Tensor::from_fn(shape, |i| {
        let n: usize = i.iter().enumerate().map(|(axis, &i)| (axis + 3) * i * i).sum();
        (n as f64 * 0.73).sin()
    }))
}

#[test]
fn inverses() {
    for n in [1, 2, 3, 10, 31, 64, 105] {
        let (x, z) = (numbers([3, n]), numbers([3, n, 2]));
        let close =
            |a: &Var<f64>, b: &Var<f64>| assert!(a.value().all_close(b.value(), 1e-13, 1e-13), "n = {n}");
        close(&z.fft(-1).ifft(-1), &z);
        close(&z.ifft([0, 1]).fft([0, 1]), &z);
        close(&x.rfft(-1).irfft(FftOptions::along([-1]).lengths([n])), &x);
        close(&x.rfft([1, 0]).irfft(FftOptions::along([1, 0]).lengths([n, 3])), &x);
        // Half of the transform of real numbers is what the whole has.
        let whole = Var::complex(&x, &Var::zeros([3, n])).fft(-1);
        close(&x.rfft(-1), &whole.slice_axis(1, ..n / 2 + 1));
        close(&x.fftshift(-1).ifftshift(-1), &x);
    }
}

/// The convolution of signals is the product of their transforms: around the end, or continued by zeros.
#[test]
fn convolutions() {
    let (x, w) = (numbers([8]), numbers([3]));
    let around = x.rfft(-1).complex_mul(&w.rfft(FftOptions::along([-1]).lengths([8]))).irfft(-1);
    let full = FftOptions::along([-1]).lengths([10]);
    let linear = x.rfft(full.clone()).complex_mul(&w.rfft(full.clone())).irfft(full);
    let (x, w) = (x.value().to_vec(), w.value().to_vec());
    for (found, n) in [(around, 8), (linear, 10)] {
        let mut expected = vec![0.0; n];
        for (i, x) in x.iter().enumerate() {
            w.iter().enumerate().for_each(|(j, w)| expected[(i + j) % n] += x * w);
        }
        assert!(found.value().all_close(&Tensor::from(expected), 1e-14, 1e-14), "{found}");
    }
}

#[test]
fn frequencies_and_shifts() {
    assert_eq!(Var::<f64>::fftfreq(5, 0.5).value().to_vec(), [0.0, 0.4, 0.8, -0.8, -0.4]);
    assert_eq!(Var::<f64>::fftfreq(4, 1.0).value().to_vec(), [0.0, 0.25, -0.5, -0.25]);
    assert_eq!(Var::<f64>::rfftfreq(5, 0.5).value().to_vec(), [0.0, 0.4, 0.8]);
    assert_eq!(Var::<f64>::rfftfreq(4, 0.25).value().to_vec(), [0.0, 1.0, 2.0]);
    assert_eq!(Var::<f64>::fftfreq(5, 0.2).fftshift(0).value().to_vec(), [-2.0, -1.0, 0.0, 1.0, 2.0]);
    assert_eq!(Var::<f64>::fftfreq(4, 0.25).fftshift(0).value().to_vec(), [-2.0, -1.0, 0.0, 1.0]);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let all = || {
        let x =
            Var::constant(Tensor::<f32>::from_fn([700, 100], |i| ((i[0] * 31 + i[1] * i[1]) as f32).sin()));
        let half = x.rfft(-1);
        let back = half.irfft(-1);
        [half.fft(0), half.ifft(1), half, back].map(|y| y.value().to_vec())
    };
    let one = with_threads(1, all);
    assert_eq!(one, with_threads(2, all));
    assert_eq!(one, with_threads(4, all));
}
