//! Products of `f32` matrices from operands rounded to bfloat16, off unless asked for.
//!
//! Two neighbouring terms of a sum share the place of one `f32`, so a matrix of pairs has half as many terms, and the blocked driver
//! multiplies it as any other: the kernel's registers alone know that there are two numbers in an element.

use super::driver::{Output, Product};
use super::rounding::Operand;
use super::{MatrixMut, MatrixRef, check, for_each_of_batch, gemm};
use crate::array::element::{ElementKind, Float};
use crate::array::size;
use crate::compiled_here;
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::precision::{rounds, with_rounding};
use crate::machine::simd::{self, Level};

/// Products with fewer rows, columns or terms are computed as they are: rounding would take as long as it saves.
const SMALLEST: usize = 16;

/// Calls `work`, in which matrix products of `f32` tensors round their operands to bfloat16, and add up in `f32`: twice as many
/// products per instruction on CPUs that have them (AVX512-BF16), the same to rounding on others, which gain nothing. For networks
/// that do not need all digits, as PyTorch's `set_float32_matmul_precision("medium")`.
///
/// Concerned are products ([`Tensor::matmul`](crate::Tensor::matmul) and what is made of it) with at least 16 rows, columns and
/// terms, that this thread asks for or others for it in a parallel loop, and with them the layers that consist of them, forward and
/// backward: also the inputs of recurrent layers and the projections of attention. The rows of all matrices that are multiplied by
/// one count together. Not concerned are convolutions, the steps of recurrent layers, the loops of attention, linear algebra
/// (decompositions, inverses, solutions and their derivatives) and `f64`, nor what is [exempt](with_full_products).
///
/// Numbers beyond bfloat16's largest, 3.39·10³⁸, count as that; the instruction takes subnormal numbers for 0. Of a sum of k terms
/// aᵢ·bᵢ of normal numbers the error is at most (2⁻⁷ + k·2⁻²²) Σ|aᵢ·bᵢ|: each operand is rounded to 8 bits, with a relative error of
/// 2⁻⁸ at most. The bits are the same for any number of threads, but not for any CPU.
///
/// ```
/// use wengert_tensor::{Tensor, gemm::with_bf16_products};
/// let (a, b) = (Tensor::<f32>::linspace(0.0, 1.0, 32 * 32).reshape([32, 32]), Tensor::ones([32, 32]));
/// let (full, rounded) = (a.matmul(&b), with_bf16_products(|| a.matmul(&b)));
/// assert!((&full - &rounded).abs().max().item() < 0.02 * full.max().item());
/// assert_ne!(full.to_vec(), rounded.to_vec());
/// ```
#[doc(alias = "set_float32_matmul_precision")]
#[doc(alias = "bfloat16")]
#[doc(alias = "autocast")]
pub fn with_bf16_products<R>(work: impl FnOnce() -> R) -> R {
    with_rounding(true, work)
}

/// Calls `work`, whose products have full precision also within [`with_bf16_products`].
///
/// ```
/// use wengert_tensor::{Tensor, gemm::{with_bf16_products, with_full_products}};
/// let a = Tensor::<f32>::linspace(0.0, 1.0, 32 * 32).reshape([32, 32]);
/// assert_eq!(with_bf16_products(|| with_full_products(|| a.matmul(&a))), a.matmul(&a));
/// ```
pub fn with_full_products<R>(work: impl FnOnce() -> R) -> R {
    with_rounding(false, work)
}

/// Whether a product of that many rows, terms and columns rounds its operands here.
pub(crate) fn is_rounded<T: Float>(sizes: [usize; 3]) -> bool {
    T::KIND == ElementKind::F32 && rounds() && sizes.iter().all(|&length| length >= SMALLEST)
}

/// [`gemm`], of rounded operands if so.
#[track_caller]
pub(crate) fn product<T: Float>(
    is_rounded: bool,
    alpha: T,
    a: MatrixRef<'_, T>,
    b: MatrixRef<'_, T>,
    beta: T,
    c: MatrixMut<'_, T>,
) {
    if is_rounded {
        check(&a, &b, &c);
        rounded(simd::level(), has_bf16(), alpha, a, b, beta, c);
    } else {
        gemm(alpha, a, b, beta, c);
    }
}

/// Whether the CPU multiplies pairs of bfloat16.
fn has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    if simd::level() == Level::Avx512 {
        return std::arch::is_x86_feature_detected!("avx512bf16");
    }
    false
}

compiled_here! {
    /// The product of rounded operands, with kernels for `pairs` if the CPU has them, whose level this is.
    pub(super) fn rounded<T: Float>(
        level: Level,
        pairs: bool,
        alpha: T,
        a: MatrixRef<'_, T>,
        b: MatrixRef<'_, T>,
        beta: T,
        c: MatrixMut<'_, T>,
    ) {
        let mut c = c;
        let ([m, k], n, out) = (a.shape(), c.shape()[1], *c.layout());
        let c = Output { start: c.start(), row: out.strides[1], column: out.strides[2] };
        let operand = |matrix: &MatrixRef<'_, T>, batch: usize, by_row: bool| {
            let [step, row, column] = matrix.layout().strides;
            let start = matrix.start().wrapping_offset(batch as isize * step);
            // A sum runs along A's columns and B's rows.
            let (along, across) = if by_row { (column, row) } else { (row, column) };
            Operand { start, along, across, terms: k, others: if by_row { m } else { n }, pairs }
        };
        let multiply = |batch: usize, threaded: bool| {
            let (a, b) = (operand(&a, batch, true), operand(&b, batch, false));
            let c = c.shifted(batch as isize * out.strides[0]);
            let room = size::sum("matmul", &[a.room(), b.room()]);
            with_scratch(Slot::Operation, room, |buffer: *mut T| {
                // SAFETY: the buffer has room for both operands, whose elements the views were checked for; numbers are initialised.
                let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, room) };
                let (of_a, of_b) = buffer.split_at_mut(a.room());
                let (a, b) = (a.round(of_a, threaded), b.round(of_b, threaded).transposed());
                let k = if pairs { k.div_ceil(2) } else { k };
                // SAFETY: as for `gemm`; the rounded operands have all their elements, and the CPU has the level, and pairs if said.
                unsafe { Product { m, n, k, alpha, a: &a, b: &b, beta, c }.run_in(level, pairs, threaded) };
            });
        };
        for_each_of_batch(out.extents[0], [m, n, k], multiply);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::parallel::{self, with_threads};
    use crate::random::Generator;

    /// Both ways on this CPU, into the middle of what must stay.
    fn both(a: &Tensor<f32>, b: &Tensor<f32>, beta: f32) -> Vec<Vec<f32>> {
        let ([m, k], n) = ([a.dim(0), a.dim(1)], b.dim(1));
        let view = |x: &Tensor<f32>| -> [isize; 2] { [x.layout.strides[0], x.layout.strides[1]] };
        let mut results = Vec::new();
        for pairs in [false, true].into_iter().take(1 + usize::from(has_bf16())) {
            let mut c = vec![2.0f32; m * n + 2];
            let a = MatrixRef::new(a.storage.as_slice(), a.layout.offset, [m, k], view(a));
            let b = MatrixRef::new(b.storage.as_slice(), b.layout.offset, [k, n], view(b));
            let out = MatrixMut::new(&mut c, 1, [m, n], [n as isize, 1]);
            rounded(simd::level(), pairs, 1.0, a, b, beta, out);
            assert_eq!((c[0], c[m * n + 1]), (2.0, 2.0));
            results.push(c[1..=m * n].to_vec());
        }
        results
    }

    #[test]
    fn errors_are_within_the_bound_for_any_shape_and_strides() {
        let mut rng = Generator::seeded(1);
        for [m, k, n] in
            [[16, 16, 16], [17, 19, 33], [1, 1, 1], [5, 3, 2], [40, 901, 70], [130, 64, 257], [2, 1200, 31]]
        {
            let a = Tensor::<f32>::normal([m, k], 0.0, 1.0, &mut rng);
            let b = Tensor::<f32>::normal([k, n], 0.0, 1.0, &mut rng);
            let a_views =
                [a.clone(), a.t().contiguous().t(), a.flip(0), Tensor::stack(&[&a, &a], 2).select(2, 1)];
            let b_views =
                [b.clone(), b.t().contiguous().t(), b.flip(1), Tensor::stack(&[&b, &b], 2).select(2, 0)];
            for (a, b) in a_views.iter().zip(&b_views) {
                let double = |x: &Tensor<f32>| x.cast::<f64>();
                let exact = double(a).matmul(&double(b));
                let sizes = double(a).abs().matmul(&double(b).abs());
                for beta in [0.0, 0.5] {
                    for found in both(a, b, beta) {
                        for ((found, exact), size) in found.iter().zip(exact.to_vec()).zip(sizes.to_vec()) {
                            let expected = exact + 2.0 * f64::from(beta);
                            let bound = (2f64.powi(-7) + k as f64 * 2f64.powi(-22)) * size + 1e-6;
                            let error = (f64::from(*found) - expected).abs();
                            assert!(error <= bound, "{m} × {k} × {n}: {found}, not {expected}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_of_few_bits_have_exact_products() {
        let a = Tensor::<f32>::from_fn([37, 51], |i| (i[0] * 7 % 11) as f32 - 5.0);
        let b = Tensor::<f32>::from_fn([51, 45], |i| (i[1] * 5 % 13) as f32 * 0.25 - 1.0);
        let full = a.matmul(&b).to_vec();
        assert!(both(&a, &b, 0.0).into_iter().all(|found| found == full));
        assert_eq!(with_bf16_products(|| a.matmul(&b)).to_vec(), full);
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let mut a = Tensor::<f32>::ones([18, 20]);
        a.as_mut_slice()[20 * 3 + 19] = f32::NAN;
        a.as_mut_slice()[20 * 5] = f32::NEG_INFINITY;
        a.as_mut_slice()[20 * 6] = f32::MAX;
        for found in both(&a, &Tensor::ones([20, 16]), 0.0) {
            assert!(found[16 * 3..16 * 4].iter().all(|x| x.is_nan()), "{:?}", &found[48..64]);
            assert!(found[16 * 5..16 * 6].iter().all(|x| *x == f32::NEG_INFINITY));
            assert!(found[16 * 6..16 * 7].iter().all(|x| x.is_finite() && *x > 3.3e38));
            assert!(found[..48].iter().all(|x| *x == 20.0));
        }
    }

    #[test]
    fn the_bits_are_the_same_for_any_threads_and_parts() {
        let mut rng = Generator::seeded(2);
        for shape in [[300usize, 130, 200], [64, 777, 40]] {
            let [m, k, n] = shape;
            let a = Tensor::<f32>::normal([3, m, k], 0.0, 1.0, &mut rng);
            let b = Tensor::<f32>::normal([3, k, n], 0.0, 1.0, &mut rng);
            let bits = |threads| {
                let product = with_threads(threads, || with_bf16_products(|| a.matmul(&b)));
                product.to_vec().into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let one = bits(1);
            assert!([2, 3, 8].into_iter().all(|threads| bits(threads) == one));
            let (a, b) = (a.select(0, 1), b.select(0, 1));
            let parts = with_bf16_products(|| a.matmul_by_rows(&b, 20, |_, _| ()));
            assert_eq!(parts.to_vec(), with_bf16_products(|| a.matmul(&b)).to_vec());
        }
    }

    /// Small enough for Miri.
    #[test]
    fn the_smallest_of_all_strides() {
        let a = Tensor::<f32>::from_fn([3, 5], |i| i[0] as f32 - i[1] as f32);
        let b = Tensor::<f32>::from_fn([5, 2], |i| 0.5 * i[0] as f32 + i[1] as f32);
        let full = a.matmul(&b).to_vec();
        for a in [&a, &a.t().contiguous().t(), &a.flip(0).contiguous().flip(0)] {
            for b in [&b, &b.t().contiguous().t()] {
                assert!(both(a, b, 0.0).into_iter().all(|found| found == full));
            }
        }
    }

    /// Whoever computes a part of a loop rounds as who asked for the loop.
    #[test]
    fn members_of_the_team_round_as_their_caller() {
        let mut rng = Generator::seeded(4);
        let a = Tensor::<f32>::normal([32, 32], 0.0, 1.0, &mut rng);
        let (full, rounded) = (a.matmul(&a), with_bf16_products(|| a.matmul(&a)));
        let all =
            |expected: &Tensor<f32>| parallel::for_each(64, true, |_| assert_eq!(&a.matmul(&a), expected));
        with_threads(3, || {
            with_bf16_products(|| all(&rounded));
            all(&full);
        });
    }

    #[test]
    fn only_what_is_asked_for_is_rounded() {
        let mut rng = Generator::seeded(3);
        let a = Tensor::<f32>::normal([32, 32], 0.0, 1.0, &mut rng);
        let full = a.matmul(&a).to_vec();
        let rounded = with_bf16_products(|| {
            assert_eq!(std::thread::scope(|s| s.spawn(|| a.matmul(&a)).join().unwrap()).to_vec(), full);
            let double = a.cast::<f64>();
            assert_eq!(double.matmul(&double), with_bf16_products(|| double.matmul(&double)));
            let few = a.slice_axis(0, ..15);
            assert_eq!(few.matmul(&a).to_vec(), full[..15 * 32]);
            // Rows of all matrices together, however they lie.
            let batch = a.reshape([4, 8, 32]);
            let apart = batch.permute([1, 0, 2]).contiguous().permute([1, 0, 2]);
            assert_eq!(batch.matmul(&a).to_vec(), a.matmul(&a).to_vec());
            assert_eq!(apart.matmul(&a).to_vec(), a.matmul(&a).to_vec());
            a.matmul(&a).to_vec()
        });
        assert_ne!(rounded, full);
        assert_eq!(a.matmul(&a).to_vec(), full);
        std::panic::catch_unwind(|| with_bf16_products(|| panic!("within"))).unwrap_err();
        assert_eq!(a.matmul(&a).to_vec(), full);
    }
}
