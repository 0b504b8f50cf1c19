//! Kronecker products, and the two sums that are their derivatives.
//!
//! Along its last axis the product has, of each pair of rows of both operands, all products of elements: a block that is consecutive.

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::array::shape::Shape;
use crate::compiled_here;
use crate::loops::blocks::for_each_block;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Pairs of rows whose terms are added up one after the other, before the sums are.
const BLOCK: usize = 32;
/// Partial sums of a row.
const LANES: usize = 32;

/// The shapes of the operands, with the same number of axes, at least one.
///
/// ```
/// use wengert_tensor::kronecker::{Kronecker, product};
/// let shapes = Kronecker::new([&[2].into(), &[3].into()]);
/// let mut out = [0.0; 6];
/// product(&shapes, &[1.0, 10.0], &[1.0, 2.0, 3.0], &mut out);
/// assert_eq!(out, [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kronecker {
    /// The lengths of both along each axis but the last.
    outer: SmallVec<[[usize; 2]; 4]>,
    /// Along the last.
    row: [usize; 2],
}

impl Kronecker {
    /// Of operands of these shapes.
    ///
    /// # Panics
    /// If they differ in their number of axes or have none, or the product has too many elements.
    #[track_caller]
    pub fn new([a, b]: [&Shape; 2]) -> Self {
        assert!(
            a.len() == b.len() && !a.is_empty(),
            "kron: shapes {a} and {b} differ in rank, or have no axes"
        );
        let mut outer: SmallVec<[[usize; 2]; 4]> = a.iter().zip(b.iter()).map(|(&m, &n)| [m, n]).collect();
        let row = outer.pop().expect("there is an axis");
        let shapes = Kronecker { outer, row };
        shapes.shape().check("kron");
        shapes
    }

    /// The shape of the product.
    pub fn shape(&self) -> Shape {
        self.outer.iter().chain([&self.row]).map(|[m, n]| m.saturating_mul(*n)).collect()
    }

    /// How many rows an operand has.
    fn rows(&self, operand: usize) -> usize {
        self.outer.iter().map(|lengths| lengths[operand]).product()
    }

    /// The number of the block of two rows.
    #[inline(always)]
    fn block_of(&self, mut a: usize, mut b: usize) -> usize {
        let (mut block, mut size) = (0, 1);
        for &[m, n] in self.outer.iter().rev() {
            block += size * (a % m * n + b % n);
            (a, b, size) = (a / m, b / n, size * m * n);
        }
        block
    }

    /// The rows of a block.
    fn rows_of(&self, mut block: usize) -> [usize; 2] {
        let (mut rows, mut sizes) = ([0; 2], [1; 2]);
        for &[m, n] in self.outer.iter().rev() {
            let here = block % (m * n);
            rows = [rows[0] + sizes[0] * (here / n), rows[1] + sizes[1] * (here % n)];
            (block, sizes) = (block / (m * n), [sizes[0] * m, sizes[1] * n]);
        }
        rows
    }

    /// Panics unless the slices have the elements of these shapes.
    #[track_caller]
    fn check(&self, a: usize, b: usize, product: usize) {
        let [of_a, of_b] = [0, 1].map(|operand| self.rows(operand) * self.row[operand]);
        assert!(
            a == of_a && b == of_b && product == of_a * of_b,
            "kron: {a} and {b} elements and {product} of the product do not fit {self:?}"
        );
    }
}

/// The products of two rows.
struct Products<'a, T> {
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Float> Kernel for Products<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (out, &a) in self.out.chunks_exact_mut(self.b.len()).zip(self.a) {
            for (o, &b) in out.iter_mut().zip(self.b) {
                *o = a * b;
            }
        }
    }
}

/// The gradient of row `index` of the left operand.
struct Left<'a, T> {
    shapes: &'a Kronecker,
    index: usize,
    v: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Float> Kernel for Left<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let [m, n] = self.shapes.row;
        let rows = self.shapes.rows(1);
        self.out.fill(T::ZERO);
        for from in (0..rows).step_by(BLOCK) {
            let mut blocks = [0; BLOCK];
            for (block, row) in blocks.iter_mut().zip(from..rows) {
                *block = self.shapes.block_of(self.index, row) * m * n;
            }
            for (i, o) in self.out.iter_mut().enumerate() {
                let mut lanes = [T::ZERO; LANES];
                for (&block, b) in blocks.iter().zip(self.b[from * n..].chunks_exact(n)) {
                    let (v, v_rest) = self.v[block + i * n..][..n].as_chunks::<LANES>();
                    let (b, b_rest) = b.as_chunks::<LANES>();
                    for (v, b) in v.iter().zip(b) {
                        for ((sum, &v), &b) in lanes.iter_mut().zip(v).zip(b) {
                            *sum = I::mul_add(v, b, *sum);
                        }
                    }
                    for ((sum, &v), &b) in lanes.iter_mut().zip(v_rest).zip(b_rest) {
                        *sum = I::mul_add(v, b, *sum);
                    }
                }
                let mut width = LANES;
                while width > 1 {
                    width /= 2;
                    for lane in 0..width {
                        lanes[lane] += lanes[lane + width];
                    }
                }
                *o += lanes[0];
            }
        }
    }
}

/// The gradient of row `index` of the right operand.
struct Right<'a, T> {
    shapes: &'a Kronecker,
    index: usize,
    v: &'a [T],
    a: &'a [T],
    out: &'a mut [T],
    sums: &'a mut [T],
}

impl<T: Float> Kernel for Right<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let [m, n] = self.shapes.row;
        let rows = self.shapes.rows(0);
        self.out.fill(T::ZERO);
        for from in (0..rows).step_by(BLOCK) {
            self.sums.fill(T::ZERO);
            for row in from..rows.min(from + BLOCK) {
                let v = &self.v[self.shapes.block_of(row, self.index) * m * n..][..m * n];
                for (v, &a) in v.chunks_exact(n).zip(&self.a[row * m..][..m]) {
                    for (sum, &v) in self.sums.iter_mut().zip(v) {
                        *sum = I::mul_add(a, v, *sum);
                    }
                }
            }
            self.out.iter_mut().zip(&*self.sums).for_each(|(o, &sum)| *o += sum);
        }
    }
}

/// The product.
///
/// # Panics
/// If a slice has another length than its shape.
#[track_caller]
pub fn product<T: Float>(shapes: &Kronecker, a: &[T], b: &[T], out: &mut [T]) {
    shapes.check(a.len(), b.len(), out.len());
    products(shapes, a, b, out);
}

/// The gradient with respect to the left operand: of each of its elements the sum of the products of `v`, a gradient of the
/// product, and the elements of `b` in its copy.
///
/// # Panics
/// As [`product`].
#[track_caller]
pub fn left_gradient<T: Float>(shapes: &Kronecker, v: &[T], b: &[T], out: &mut [T]) {
    shapes.check(out.len(), b.len(), v.len());
    lefts(shapes, v, b, out);
}

/// The gradient with respect to the right operand, likewise.
///
/// # Panics
/// As [`product`].
#[track_caller]
pub fn right_gradient<T: Float>(shapes: &Kronecker, v: &[T], a: &[T], out: &mut [T]) {
    shapes.check(a.len(), out.len(), v.len());
    rights(shapes, v, a, out);
}

compiled_here! {
    fn products<T: Float>(shapes: &Kronecker, a: &[T], b: &[T], out: &mut [T]) {
        let [m, n] = shapes.row;
        for_each_block(out, m * n, |block, out| {
            let [i, j] = shapes.rows_of(block);
            dispatch(Products { a: &a[i * m..][..m], b: &b[j * n..][..n], out });
        });
    }
}

compiled_here! {
    fn lefts<T: Float>(shapes: &Kronecker, v: &[T], b: &[T], out: &mut [T]) {
        if v.is_empty() {
            return out.fill(T::ZERO);
        }
        for_each_block(out, shapes.row[0], |index, out| dispatch(Left { shapes, index, v, b, out }));
    }
}

compiled_here! {
    fn rights<T: Float>(shapes: &Kronecker, v: &[T], a: &[T], out: &mut [T]) {
        if v.is_empty() {
            return out.fill(T::ZERO);
        }
        for_each_block(out, shapes.row[1], |index, out| {
            let sums = &mut vec![T::ZERO; out.len()][..];
            dispatch(Right { shapes, index, v, a, out, sums });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::parallel::with_threads;

    fn numbers(count: usize, salt: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * 37 + salt * 11) % 13) as f64 - 6.0).collect()
    }

    /// Small integers, exact in every sum.
    #[test]
    fn against_the_definition() {
        let cases: [(&[usize], &[usize]); 6] = [
            (&[3], &[5]),
            (&[2, 3], &[4, 33]),
            (&[40, 2], &[3, 17]),
            (&[2, 1, 3], &[3, 50, 2]),
            (&[2, 0], &[3, 4]),
            (&[2, 3], &[0, 4]),
        ];
        for (a, b) in cases {
            let (shapes, count) =
                (Kronecker::new([&a.into(), &b.into()]), |s: &[usize]| s.iter().product::<usize>());
            let (x, y) = (numbers(count(a), 0), numbers(count(b), 1));
            let v = numbers(x.len() * y.len(), 2);
            let mut expected = (vec![f64::NAN; v.len()], vec![0.0; x.len()], vec![0.0; y.len()]);
            for (i, &left) in x.iter().enumerate() {
                for (j, &right) in y.iter().enumerate() {
                    // Positions along each axis, from the last on.
                    let (mut place, mut size, mut rest) = (0, 1, (i, j));
                    for (&m, &n) in a.iter().zip(b).rev() {
                        place += size * (rest.0 % m * n + rest.1 % n);
                        (rest, size) = ((rest.0 / m, rest.1 / n), size * m * n);
                    }
                    expected.0[place] = left * right;
                    expected.1[i] += v[place] * right;
                    expected.2[j] += v[place] * left;
                }
            }
            let mut found = (vec![f64::NAN; v.len()], vec![f64::NAN; x.len()], vec![f64::NAN; y.len()]);
            product(&shapes, &x, &y, &mut found.0);
            left_gradient(&shapes, &v, &y, &mut found.1);
            right_gradient(&shapes, &v, &x, &mut found.2);
            assert!(found == expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let shapes = Kronecker::new([&[40, 30].into(), &[20, 25].into()]);
        let single = |count: usize| -> Vec<f32> { (0..count).map(|i| (i as f32 * 0.37).sin()).collect() };
        let (a, b, v) = (single(1200), single(500), single(600_000));
        let all = || {
            let mut found = (vec![0.0; v.len()], vec![0.0; a.len()], vec![0.0; b.len()]);
            product(&shapes, &a, &b, &mut found.0);
            left_gradient(&shapes, &v, &b, &mut found.1);
            right_gradient(&shapes, &v, &a, &mut found.2);
            found
        };
        let expected = with_threads(1, all);
        assert!(with_threads(3, all) == expected);
    }

    #[test]
    #[should_panic(expected = "kron: 2 and 3 elements and 5 of the product do not fit")]
    fn slices_of_another_length() {
        product(&Kronecker::new([&[2].into(), &[3].into()]), &[1.0; 2], &[1.0; 3], &mut [0.0; 5]);
    }
}
