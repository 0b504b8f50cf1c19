use super::*;
use crate::machine::parallel::with_threads;

/// The levels that this CPU has.
fn levels() -> impl Iterator<Item = Level> {
    [Level::Baseline, Level::Avx2, Level::Avx512].into_iter().filter(|&l| l <= simd::level())
}

/// Small integers, exact in every sum below; distinct enough to tell elements apart.
fn numbers<T: Float>(len: usize, seed: usize) -> Vec<T> {
    (0..len).map(|i| T::from_f64(((i * 7919 + seed * 104_729) % 31) as f64 - 15.0)).collect()
}

/// Values with rounding in every sum.
fn fractions<T: Float>(len: usize, seed: usize) -> Vec<T> {
    (0..len).map(|i| T::from_f64(((i * 7919 + seed * 104_729) % 1009) as f64 / 777.0 - 0.6)).collect()
}

/// Offset, strides and length of a slice for a matrix, laid out in the `kind`-th way.
fn layout([rows, columns]: [usize; 2], kind: usize) -> (usize, [isize; 2], usize) {
    let (r, c) = (rows.max(1), columns.max(1));
    match kind {
        0 => (0, [c as isize, 1], r * c),
        1 => (0, [1, r as isize], r * c),
        2 => (3, [c as isize + 5, 1], 3 + r * (c + 5)),
        // Rows backwards, every second column.
        3 => ((r - 1) * 2 * c, [-2 * c as isize, 2], 2 * r * c),
        // Columns backwards with gaps between.
        4 => (3 * r * (c - 1), [1, -3 * r as isize], 3 * r * c),
        // For inputs only: one row, one column repeated.
        5 => (0, [0, 1], c),
        6 => (0, [1, 0], r),
        _ => unreachable!(),
    }
}

/// The place in the slice of element (i, j).
fn place((offset, strides): (usize, [isize; 2]), i: usize, j: usize) -> usize {
    (offset as isize + i as isize * strides[0] + j as isize * strides[1]) as usize
}

/// Checks one product of integers, whose result must be exact, and that nothing but C's elements is written.
fn check<T: Float>(level: Level, [m, n, k]: [usize; 3], kinds: [usize; 3], alpha: f64, beta: f64) {
    let (a_offset, a_strides, a_len) = layout([m, k], kinds[0]);
    let (b_offset, b_strides, b_len) = layout([k, n], kinds[1]);
    let (c_offset, c_strides, c_len) = layout([m, n], kinds[2]);
    let (a, b): (Vec<T>, Vec<T>) = (numbers(a_len, 1), numbers(b_len, 2));
    let before: Vec<T> = if beta == 0.0 { vec![T::NAN; c_len] } else { numbers(c_len, 3) };
    let mut after = before.clone();
    gemm_at(
        level,
        T::from_f64(alpha),
        MatrixRef::new(&a, a_offset, [m, k], a_strides),
        MatrixRef::new(&b, b_offset, [k, n], b_strides),
        T::from_f64(beta),
        MatrixMut::new(&mut after, c_offset, [m, n], c_strides),
    );
    let mut expected = before.clone();
    for i in 0..m {
        for j in 0..n {
            let term = |p| {
                let a = a[place((a_offset, a_strides), i, p)].to_f64();
                a * b[place((b_offset, b_strides), p, j)].to_f64()
            };
            let sum: f64 = (0..k).map(term).sum();
            let c = place((c_offset, c_strides), i, j);
            let old = if beta == 0.0 { 0.0 } else { beta * before[c].to_f64() };
            expected[c] = T::from_f64(alpha * sum + old);
        }
    }
    for (i, (x, y)) in after.iter().zip(&expected).enumerate() {
        assert!(
            x == y || (x.is_nan() && y.is_nan()),
            "{} {level:?} {m}x{n}x{k} layouts {kinds:?} alpha {alpha} beta {beta}: [{i}] is {x}, not {y}",
            T::NAME
        );
    }
}

fn check_sizes(sizes: &[usize]) {
    for level in levels() {
        for &m in sizes {
            for &n in sizes {
                for &k in sizes {
                    check::<f32>(level, [m, n, k], [0, 0, 0], 1.0, 0.0);
                    check::<f64>(level, [m, n, k], [0, 1, 0], 2.0, 1.0);
                }
            }
        }
    }
}

#[test]
fn products_with_an_operand_that_was_packed_before() {
    use super::{Output, Panels, Product, Strided};
    let value = |i: usize| ((i * 37) % 11) as f32 - 5.0;
    for level in levels() {
        for [m, n, k] in
            [[1, 1, 1], [5, 3, 2], [13, 33, 17], [9, 40, 600], [3, 7, 130], [70, 70, 70], [4, 2100, 3]]
        {
            let a: Vec<f32> = (0..m * k).map(value).collect();
            let b: Vec<f32> = (0..k * n).map(|i| value(i + 3)).collect();
            // B as rows, and as columns.
            for [row, column] in [[n as isize, 1], [1, k as isize]] {
                let lying = Strided { start: b.as_ptr(), row, column };
                let a_lying = Strided { start: a.as_ptr(), row: k as isize, column: 1 };
                let (mut found, mut expected) = (vec![1.0f32; m * n], vec![1.0f32; m * n]);
                let to = |c: &mut [f32]| Output { start: c.as_mut_ptr(), row: n as isize, column: 1 };
                // SAFETY: the slices have the elements of their shapes, the level is one that the CPU has.
                unsafe {
                    Product { m, n, k, alpha: 1.0, a: &a_lying, b: &lying, beta: 1.0, c: to(&mut expected) }
                        .run_here(level);
                    Panels::with(level, lying, [k, n], |panels| {
                        let c = to(&mut found);
                        Product { m, n, k, alpha: 1.0, a: &a_lying, b: panels, beta: 1.0, c }.run(level);
                    });
                }
                assert_eq!(found, expected, "{level:?} {m}x{n}x{k} {row} {column}");
            }
        }
    }
}

#[test]
fn all_small_sizes() {
    check_sizes(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn sizes_about_the_edges_of_tiles() {
    check_sizes(&[1, 11, 12, 13, 15, 16, 17, 31, 32, 33, 49]);
}

#[test]
fn every_layout_of_every_operand() {
    for level in levels() {
        for size in [[1, 1, 1], [3, 5, 2], [1, 37, 9], [38, 1, 9], [13, 33, 17], [25, 6, 40], [70, 150, 20]] {
            for (kinds, i) in (0..7 * 7 * 5).map(|i| ([i % 7, i / 7 % 7, i / 49], i)) {
                let (alpha, beta) = [(1.0, 0.0), (-2.0, 1.0), (0.5, -3.0), (0.0, 2.0), (0.0, 0.0)][i % 5];
                check::<f32>(level, size, kinds, alpha, beta);
                check::<f64>(level, size, kinds, alpha, beta);
            }
        }
    }
}

#[test]
fn sizes_about_the_edges_of_blocks() {
    for level in levels() {
        for (i, size) in [
            [145, 40, 625],
            [288, 33, 416],
            [241, 40, 257],
            [100, 2049, 20],
            [3, 4100, 300],
            [500, 65, 513],
            [1, 3000, 700],
            [3000, 1, 700],
            [3, 1, 70_001],
            [1, 1, 70_001],
            [3000, 6, 25],
        ]
        .into_iter()
        .enumerate()
        {
            for kinds in [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1], [3, 3, 3]] {
                let beta = (i % 2) as f64;
                check::<f32>(level, size, kinds, 1.0, beta);
                check::<f64>(level, size, kinds, 1.0, beta);
            }
        }
    }
}

/// The product of fractions with all operands contiguous.
fn product<T: Float>(level: Level, [m, n, k]: [usize; 3]) -> Vec<T> {
    let (a, b): (Vec<T>, Vec<T>) = (fractions(m * k, 1), fractions(k * n, 2));
    let mut c = vec![T::NAN; m * n];
    gemm_at(
        level,
        T::ONE,
        MatrixRef::new(&a, 0, [m, k], [k as isize, 1]),
        MatrixRef::new(&b, 0, [k, n], [n as isize, 1]),
        T::ZERO,
        MatrixMut::new(&mut c, 0, [m, n], [n as isize, 1]),
    );
    c
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    for level in levels() {
        for size in [
            [150, 170, 300],
            [7, 2500, 100],
            [2600, 6, 90],
            [1, 2000, 1500],
            [2000, 1, 1500],
            [1, 1, 3_000_000],
            [500, 400, 700],
            // Two passes, and two blocks of columns.
            [300, 290, 1400],
            [1100, 2120, 60],
        ] {
            let expected = with_threads(1, || product::<f32>(level, size));
            for threads in [2, 3, 8] {
                assert!(
                    with_threads(threads, || product::<f32>(level, size)) == expected,
                    "{level:?} {size:?}"
                );
            }
        }
    }
}

/// What threads pack together is what one packs.
fn large_products_of_any_strides<T: Float>() {
    let [m, n, k] = [300, 290, 1200];
    for kinds in [[0, 1, 2], [1, 3, 1], [4, 2, 3], [3, 6, 0]] {
        let [(a_offset, a_strides, a_len), (b_offset, b_strides, b_len), (c_offset, c_strides, c_len)] =
            [layout([m, k], kinds[0]), layout([k, n], kinds[1]), layout([m, n], kinds[2])];
        let (a, b): (Vec<T>, Vec<T>) = (fractions(a_len, 1), fractions(b_len, 2));
        let [one, two] = [1, 2].map(|threads| {
            let mut c: Vec<T> = fractions(c_len, 3);
            with_threads(threads, || {
                gemm(
                    T::from_f64(2.0),
                    MatrixRef::new(&a, a_offset, [m, k], a_strides),
                    MatrixRef::new(&b, b_offset, [k, n], b_strides),
                    -T::ONE,
                    MatrixMut::new(&mut c, c_offset, [m, n], c_strides),
                );
            });
            c
        });
        assert!(one == two, "{} {kinds:?}", T::NAME);
    }
}

#[test]
fn strides_of_large_products() {
    large_products_of_any_strides::<f32>();
    large_products_of_any_strides::<f64>();
}

#[test]
fn rounding_stays_near_a_sum_in_double_precision() {
    let [m, n, k] = [37, 41, 1000];
    let (a, b): (Vec<f32>, Vec<f32>) = (fractions(m * k, 1), fractions(k * n, 2));
    for level in levels() {
        let c = product::<f32>(level, [m, n, k]);
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let terms = || (0..k).map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j]));
            // The worst case of the sum of k rounded terms.
            let bound = k as f64 * f64::from(f32::EPSILON) / 2.0 * terms().map(f64::abs).sum::<f64>();
            assert!((f64::from(c[i * n + j]) - terms().sum::<f64>()).abs() <= bound);
        }
    }
}

#[test]
fn batches_with_repeated_and_interleaved_matrices() {
    for level in levels() {
        for [count, m, n, k] in [[0, 2, 2, 2], [1, 3, 4, 5], [5, 3, 4, 5], [6, 40, 30, 200]] {
            // A's matrices are interleaved element by element, B is one for all.
            let (a, b) = (numbers::<f64>(count * m * k, 1), numbers::<f64>(k * n, 2));
            let mut c = vec![f64::NAN; count * m * n];
            let (batches, width) = (count as isize, n as isize);
            gemm_at(
                level,
                1.0,
                MatrixRef::batch(&a, 0, [count, m, k], [1, k as isize * batches, batches]),
                MatrixRef::batch(&b, 0, [count, k, n], [0, width, 1]),
                0.0,
                MatrixMut::batch(&mut c, 0, [count, m, n], [(m * n) as isize, width, 1]),
            );
            for (i, x) in c.into_iter().enumerate() {
                let (batch, i, j) = (i / (m * n), i / n % m, i % n);
                assert_eq!(x, (0..k).map(|p| a[(i * k + p) * count + batch] * b[p * n + j]).sum());
            }
        }
    }
}

#[test]
fn operands_that_are_not_read() {
    for level in levels() {
        for (alpha, k) in [(0.0, 3), (1.0, 0)] {
            let mut c = [2.0f32; 4];
            let nans = [f32::NAN; 6];
            let (a, b) = (MatrixRef::new(&nans, 0, [2, k], [3, 1]), MatrixRef::new(&nans, 0, [k, 2], [2, 1]));
            gemm_at(level, alpha, a, b, 0.5, MatrixMut::new(&mut c, 0, [2, 2], [2, 1]));
            assert_eq!(c, [1.0; 4]);
            gemm_at(level, alpha, a, b, 0.0, MatrixMut::new(&mut c, 0, [2, 2], [2, 1]));
            assert_eq!(c, [0.0; 4]);
        }
    }
}

#[test]
#[should_panic(expected = "inner dimensions differ: [2, 3] × [2, 2] (3 vs 2)")]
fn mismatched_shapes_are_refused() {
    let (a, mut c) = ([0.0f32; 6], [0.0f32; 4]);
    let b = MatrixRef::new(&a, 0, [2, 2], [2, 1]);
    gemm(1.0, MatrixRef::new(&a, 0, [2, 3], [3, 1]), b, 0.0, MatrixMut::new(&mut c, 0, [2, 2], [2, 1]));
}

#[test]
fn views_beyond_their_slice_are_refused() {
    let refused = |offset, shape, strides| {
        std::panic::catch_unwind(|| MatrixRef::new(&[0.0f32; 10], offset, shape, strides)).is_err()
    };
    assert!(!refused(0, [2, 5], [5, 1]) && !refused(9, [2, 5], [-5, -1]) && !refused(0, [0, 100], [100, 1]));
    assert!(refused(1, [2, 5], [5, 1]) && refused(8, [2, 5], [-5, -1]) && refused(10, [1, 1], [1, 1]));
    assert!(refused(0, [usize::MAX, 2], [isize::MAX, 1]) && refused(usize::MAX, [1, 1], [1, 1]));
}

#[test]
fn overlapping_outputs_are_refused() {
    let refused = |shape, strides| {
        std::panic::catch_unwind(move || MatrixMut::new(&mut [0.0f32; 100], 50, shape, strides).shape())
            .is_err()
    };
    assert!(!refused([3, 4], [4, 1]) && !refused([1, 4], [0, -1]) && !refused([3, 4], [1, -3]));
    assert!(refused([3, 4], [0, 1]) && refused([3, 4], [3, 1]) && refused([2, 2], [1, -1]));
}

#[test]
fn few_columns_of_many_rows() {
    for level in levels() {
        for (m, n, k) in
            (2..=12).map(|n| (213, n, 333)).chain([(399, 10, 331), (601, 12, 784), (1000, 3, 97)])
        {
            for (left, alpha, beta) in [(0, 1.0, 0.0), (2, 1.0, 1.0), (0, 2.0, 1.0)] {
                check::<f32>(level, [m, n, k], [left, 1, 0], alpha, beta);
                check::<f64>(level, [m, n, k], [left, 1, 0], alpha, beta);
            }
        }
    }
}

#[test]
fn strides_that_lead_nowhere_may_be_anything() {
    let any = [isize::MIN, isize::MAX, 1 << 62, -7];
    for (i, level) in any.iter().flat_map(|&stride| levels().map(move |level| (stride, level))) {
        let (a, b, mut c) = ([2.0f32; 3], [3.0f32; 3], [1.0f32]);
        let row = MatrixRef::batch(&a, 0, [1, 1, 3], [i, i, 1]);
        let column = MatrixRef::batch(&b, 0, [1, 3, 1], [i, 1, i]);
        gemm_at(level, 1.0, row, column, 1.0, MatrixMut::batch(&mut c, 0, [1, 1, 1], [i, i, i]));
        assert_eq!(c, [19.0]);
        let none = MatrixRef::batch(&a, usize::MAX, [1, 1, 0], [i; 3]);
        gemm_at(level, 1.0, none, none.transposed(), 0.0, MatrixMut::new(&mut c, 0, [1, 1], [i, i]));
        assert_eq!(c, [0.0]);
        let many = [usize::MAX, 0, 3];
        let many = MatrixRef::batch(&a, 3, many, [i; 3]);
        let square = MatrixRef::batch(&a, 0, [usize::MAX, 3, 0], [i; 3]);
        gemm_at(level, 1.0, many, square, 0.0, MatrixMut::batch(&mut c, 7, [usize::MAX, 0, 0], [i; 3]));
    }
}
