//! Discrete Fourier transforms of rows, by rustfft and realfft. Complex numbers are pairs, real part first. Rows are shared
//! out to threads; each is transformed by one plan, so its bits do not depend on their number.
//!
//! Plans, which say how a length is taken apart, are kept for the process: to make one takes far longer than a transform.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::RealFftPlanner;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftNum, FftPlanner};

use crate::array::element::Float;
use crate::machine::compiled_here::of_signature;
use crate::machine::parallel::{PARALLEL_THRESHOLD, for_each_chunk};

/// Numbers that one thread transforms at a time, if rows are shorter.
const CHUNK: usize = 8192;

/// For each row of `n` pairs, Σⱼ xⱼ exp(∓2πi jk/n) · `scale`, with + if `inverse`.
///
/// # Panics
/// If `n` is 0, or the lengths are not equal multiples of 2n.
#[track_caller]
pub fn complex<T: Float>(x: &[T], out: &mut [T], n: usize, inverse: bool, scale: f64) {
    let (pairs, odd) = (x.len() / 2, x.len() % 2);
    let rows = n > 0 && x.len() == out.len() && odd == 0 && pairs.is_multiple_of(n);
    assert!(rows, "fft: {} and {} numbers are no rows of {n} pairs", x.len(), out.len());
    if x.is_empty() {
        return;
    }
    type Kernel<T> = fn(&[T], &mut [T], usize, bool, f64);
    let kernel = of_signature::<Kernel<T>>(complex_rows::<f32> as Kernel<f32>)
        .or_else(|| of_signature(complex_rows::<f64> as Kernel<f64>));
    kernel.expect("one of the types is T")(x, out, n, inverse, scale);
}

/// For each row of `n` numbers, the first ⌊n/2⌋ + 1 pairs of its transform, times `scale`; those that have a mirror image
/// in the rest, times `interior` too.
///
/// # Panics
/// If `n` is 0, or there is not a row of ⌊n/2⌋ + 1 pairs for each of `n` numbers.
#[track_caller]
pub fn real_to_half<T: Float>(x: &[T], out: &mut [T], n: usize, interior: f64, scale: f64) {
    check_half(x.len(), out.len(), n);
    if x.is_empty() {
        return;
    }
    type Kernel<T> = fn(&[T], &mut [T], usize, f64, f64);
    let kernel = of_signature::<Kernel<T>>(real_rows::<f32> as Kernel<f32>)
        .or_else(|| of_signature(real_rows::<f64> as Kernel<f64>));
    kernel.expect("one of the types is T")(x, out, n, interior, scale);
}

/// The transpose of [`real_to_half`]: for each row of ⌊n/2⌋ + 1 pairs c the `n` numbers Re Σₖ cₖ exp(2πi jk/n) · `scale`,
/// in which those that have a mirror image count `interior` times. With 2 this is the inverse transform, but for a factor.
///
/// # Panics
/// If `n` is 0, or there is not a row of ⌊n/2⌋ + 1 pairs for each of `n` numbers.
#[track_caller]
pub fn half_to_real<T: Float>(x: &[T], out: &mut [T], n: usize, interior: f64, scale: f64) {
    check_half(out.len(), x.len(), n);
    if x.is_empty() {
        return;
    }
    type Kernel<T> = fn(&[T], &mut [T], usize, f64, f64);
    let kernel = of_signature::<Kernel<T>>(half_rows::<f32> as Kernel<f32>)
        .or_else(|| of_signature(half_rows::<f64> as Kernel<f64>));
    kernel.expect("one of the types is T")(x, out, n, interior, scale);
}

#[track_caller]
fn check_half(real: usize, half: usize, n: usize) {
    let right = n > 0 && real.is_multiple_of(n) && half == real / n * 2 * (n / 2 + 1);
    assert!(right, "rfft: {real} numbers and {half} parts are no rows of {n}");
}

/// The plans of a type.
struct Planner<R: FftNum> {
    complex: FftPlanner<R>,
    real: RealFftPlanner<R>,
}

impl<R: FftNum> Planner<R> {
    fn new() -> Mutex<Self> {
        Mutex::new(Planner { complex: FftPlanner::new(), real: RealFftPlanner::new() })
    }
}

static SINGLE: LazyLock<Mutex<Planner<f32>>> = LazyLock::new(Planner::new);
static DOUBLE: LazyLock<Mutex<Planner<f64>>> = LazyLock::new(Planner::new);

/// The element types, with their plans.
trait Planned: Float + FftNum {
    fn planner() -> &'static Mutex<Planner<Self>>;

    fn with_planner<P>(work: impl FnOnce(&mut Planner<Self>) -> P) -> P {
        work(&mut Self::planner().lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Planned for f32 {
    fn planner() -> &'static Mutex<Planner<f32>> {
        &SINGLE
    }
}

impl Planned for f64 {
    fn planner() -> &'static Mutex<Planner<f64>> {
        &DOUBLE
    }
}

/// Calls `work(input, output)` with some rows of both at a time.
fn for_rows<R: Planned>(
    x: &[R],
    out: &mut [R],
    [from, to]: [usize; 2],
    work: impl Fn(&[R], &mut [R]) + Sync + Send,
) {
    let rows = (CHUNK / to).max(1);
    let parallel = out.len() >= PARALLEL_THRESHOLD;
    for_each_chunk(out, rows * to, parallel, |start, out| {
        work(&x[start / to * from..][..out.len() / to * from], out);
    });
}

fn complex_rows<R: Planned>(x: &[R], out: &mut [R], n: usize, inverse: bool, scale: f64) {
    let plan: Arc<dyn Fft<R>> =
        R::with_planner(
            |p| {
                if inverse { p.complex.plan_fft_inverse(n) } else { p.complex.plan_fft_forward(n) }
            },
        );
    let scale = <R as Float>::from_f64(scale);
    for_rows(x, out, [2 * n, 2 * n], |x, out| {
        let zero = Complex { re: R::ZERO, im: R::ZERO };
        let (mut row, mut scratch) = (vec![zero; n], vec![zero; plan.get_inplace_scratch_len()]);
        for (x, out) in x.chunks_exact(2 * n).zip(out.chunks_exact_mut(2 * n)) {
            read(x, &mut row);
            plan.process_with_scratch(&mut row, &mut scratch);
            write(&row, out, scale);
        }
    });
}

fn read<R: Planned>(x: &[R], row: &mut [Complex<R>]) {
    for (c, pair) in row.iter_mut().zip(x.chunks_exact(2)) {
        *c = Complex { re: pair[0], im: pair[1] };
    }
}

fn write<R: Planned>(row: &[Complex<R>], out: &mut [R], scale: R) {
    for (c, pair) in row.iter().zip(out.chunks_exact_mut(2)) {
        (pair[0], pair[1]) = (c.re * scale, c.im * scale);
    }
}

fn real_rows<R: Planned>(x: &[R], out: &mut [R], n: usize, interior: f64, scale: f64) {
    let plan = R::with_planner(|p| p.real.plan_fft_forward(n));
    let half = n / 2 + 1;
    let factors = [scale, scale * interior].map(<R as Float>::from_f64);
    for_rows(x, out, [n, 2 * half], |x, out| {
        let (mut row, mut spectrum) = (plan.make_input_vec(), plan.make_output_vec());
        let mut scratch = plan.make_scratch_vec();
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(2 * half)) {
            row.copy_from_slice(x);
            plan.process_with_scratch(&mut row, &mut spectrum, &mut scratch).expect("of the plan's sizes");
            for (k, (c, pair)) in spectrum.iter().zip(out.chunks_exact_mut(2)).enumerate() {
                let factor = factors[usize::from(has_mirror_image(k, n))];
                (pair[0], pair[1]) = (c.re * factor, c.im * factor);
            }
        }
    });
}

/// Whether frequency k of the first half is in the second too.
fn has_mirror_image(k: usize, n: usize) -> bool {
    k > 0 && 2 * k < n
}

fn half_rows<R: Planned>(x: &[R], out: &mut [R], n: usize, interior: f64, scale: f64) {
    let plan = R::with_planner(|p| p.real.plan_fft_inverse(n));
    let half = n / 2 + 1;
    // The plan counts them twice.
    let factors = [scale, scale * interior * 0.5].map(<R as Float>::from_f64);
    for_rows(x, out, [2 * half, n], |x, out| {
        let (mut spectrum, mut row) = (plan.make_input_vec(), plan.make_output_vec());
        let mut scratch = plan.make_scratch_vec();
        for (x, out) in x.chunks_exact(2 * half).zip(out.chunks_exact_mut(n)) {
            for (k, (c, pair)) in spectrum.iter_mut().zip(x.chunks_exact(2)).enumerate() {
                let mirrored = has_mirror_image(k, n);
                let factor = factors[usize::from(mirrored)];
                // Imaginary parts of the others take no part, and the plan wants them to be 0.
                let im = if mirrored { pair[1] * factor } else { R::ZERO };
                *c = Complex { re: pair[0] * factor, im };
            }
            plan.process_with_scratch(&mut spectrum, &mut row, &mut scratch).expect("of the plan's sizes");
            out.copy_from_slice(&row);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the sums that they stand for.
    #[test]
    fn transforms_are_their_sums() {
        for n in [1, 2, 3, 4, 5, 7, 8, 12, 17, 30, 97] {
            let x: Vec<f64> = (0..4 * n).map(|i| ((i * i) as f64 * 0.37).sin()).collect();
            let mut out = vec![0.0; 4 * n];
            for inverse in [false, true] {
                complex(&x, &mut out, n, inverse, 0.5);
                for (row, out) in x.chunks(2 * n).zip(out.chunks(2 * n)) {
                    for k in 0..n {
                        let (re, im) =
                            sum(n, |j| (row[2 * j], row[2 * j + 1]), if inverse { k } else { n - k });
                        assert!(
                            (out[2 * k] - 0.5 * re).abs() < 1e-12
                                && (out[2 * k + 1] - 0.5 * im).abs() < 1e-12
                        );
                    }
                }
            }
            let half = n / 2 + 1;
            let (real, mut spectrum) = (&x[..2 * n], vec![0.0; 4 * half]);
            real_to_half(real, &mut spectrum, n, 3.0, 0.5);
            for (row, out) in real.chunks(n).zip(spectrum.chunks(2 * half)) {
                for k in 0..half {
                    let factor = if k > 0 && 2 * k < n { 1.5 } else { 0.5 };
                    let (re, im) = sum(n, |j| (row[j], 0.0), n - k);
                    assert!(
                        (out[2 * k] - factor * re).abs() < 1e-12
                            && (out[2 * k + 1] - factor * im).abs() < 1e-12
                    );
                }
            }
            // ⟨A x, c⟩ = ⟨x, Aᵀ c⟩, for numbers c that are no transform of real ones.
            let c: Vec<f64> = (0..4 * half).map(|i| (i as f64 * 1.7).cos()).collect();
            let mut back = vec![0.0; 2 * n];
            half_to_real(&c, &mut back, n, 3.0, 0.5);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            assert!((dot(&spectrum, &c) - dot(real, &back)).abs() < 1e-11, "n = {n}");
        }
    }

    /// Σⱼ xⱼ exp(2πi jk/n).
    fn sum(n: usize, x: impl Fn(usize) -> (f64, f64), k: usize) -> (f64, f64) {
        let term = |j: usize| {
            let (sin, cos) = (std::f64::consts::TAU * (j * k % n) as f64 / n as f64).sin_cos();
            let (re, im) = x(j);
            (re * cos - im * sin, re * sin + im * cos)
        };
        (0..n).map(term).fold((0.0, 0.0), |s, t| (s.0 + t.0, s.1 + t.1))
    }

    #[test]
    #[should_panic(expected = "no rows of 4")]
    fn lengths_that_do_not_fit() {
        real_to_half(&[0f32; 8], &mut [0.0; 10], 4, 1.0, 1.0);
    }
}
