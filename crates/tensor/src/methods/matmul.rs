//! Matrix products of vectors, matrices and batches.

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::array::layout::{Layout, contiguous_strides};
use crate::array::shape::{Shape, broadcast};
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::kernels::gemm::{MatrixMut, MatrixRef, is_rounded, product};

/// The rows and columns from which on the order of the sums depends on neither: narrower products have kernels of their own.
const APART: usize = 16;

/// The most rows of a part: with so many the other operand is read where it lies, where more would have it packed again for each part
/// (parts of 96 rows of a product of 1024 × 1024 × 1024 cost nothing, such of 128 rows a third).
const PART: usize = 96;

impl<T: Float> Tensor<T> {
    /// The matrix product over the last two axes, with any leading axes broadcast as a batch. A vector counts as
    /// a row on the left and as a column on the right, and its axis goes away from the result.
    ///
    /// Any strides are taken as they are: `a.matmul(&b.t())` copies nothing.
    ///
    /// # Panics
    /// If an operand has no axes, the inner dimensions differ, the batches do not broadcast, or the product has too many
    /// elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let a = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.matmul(&Tensor::from([1.0, 10.0])).to_vec(), [21.0, 43.0]);
    /// assert_eq!(a.matmul(&a.t()).to_vec(), [5.0, 11.0, 11.0, 25.0]);
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: &Tensor<T>) -> Tensor<T> {
        let shape = matmul_shape(self.shape(), other.shape());
        // Every element is written, since beta is 0.
        Tensor::filled_by("matmul", shape, |out| gemm_tensors(T::ONE, self, other, T::ZERO, out))
    }

    /// The [`matmul`](Tensor::matmul) of two matrices, with its bits, some `rows` after the others, the last first: whoever is
    /// `told` can use them while the rest is computed. It is given the place of the first of them in the product's elements, and
    /// the elements. Parts have at least 16 rows and at most 111, whatever is asked for, but for a product that has no more rows than
    /// are asked for, or fewer than 16 columns: it is computed as a whole.
    ///
    /// # Panics
    /// If the operands are not matrices, or the inner dimensions differ.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let (a, b) = (Tensor::<f32>::linspace(-1.0, 1.0, 50 * 7).reshape([50, 7]), Tensor::ones([7, 20]));
    /// let mut places = Vec::new();
    /// let product = a.matmul_by_rows(&b, 20, |first, rows| places.push((first, rows.len())));
    /// assert_eq!(product.to_vec(), a.matmul(&b).to_vec());
    /// assert_eq!(places, [(30 * 20, 20 * 20), (0, 30 * 20)]);
    /// ```
    #[track_caller]
    pub fn matmul_by_rows(
        &self,
        other: &Tensor<T>,
        rows: usize,
        mut told: impl FnMut(usize, &[T]),
    ) -> Tensor<T> {
        assert!(
            self.rank() == 2 && other.rank() == 2,
            "matmul_by_rows: shapes {} and {} are not both matrices",
            self.shape(),
            other.shape()
        );
        let shape = matmul_shape(self.shape(), other.shape());
        let (height, width) = (shape[0], shape[1]);
        let rows = if width < APART || rows >= height { height } else { rows.clamp(APART, PART) };
        Tensor::filled_by("matmul_by_rows", shape, |out| {
            let mut end = height;
            while end > 0 {
                // A part that would be too small goes with the one before it.
                let start = if end < rows + APART { 0 } else { end - rows };
                let part = &mut out[start * width..end * width];
                gemm_tensors(T::ONE, &self.slice_axis(0, start..end), other, T::ZERO, part);
                told(start * width, part);
                end = start;
            }
        })
    }

    /// `self ← alpha · a·b + beta · self`, in place; with `beta` 0, what was in `self` does not matter. Other
    /// tensors that share the elements keep theirs.
    ///
    /// # Panics
    /// If the product does not have this tensor's shape.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let (a, b) = (Tensor::from([[1.0f64, 2.0]]), Tensor::from([[3.0], [4.0]]));
    /// let mut c = Tensor::from([[100.0]]);
    /// c.add_matmul(1.0, &a, &b, 0.5);
    /// assert_eq!(c.item(), 61.0);
    /// ```
    #[track_caller]
    pub fn add_matmul(&mut self, alpha: f64, a: &Tensor<T>, b: &Tensor<T>, beta: f64) {
        let shape = matmul_shape(a.shape(), b.shape());
        assert!(
            &shape == self.shape(),
            "add_matmul: the product of shapes {} and {} has shape {shape}, not {}",
            a.shape(),
            b.shape(),
            self.shape()
        );
        gemm_tensors(T::from_f64(alpha), a, b, T::from_f64(beta), self.as_mut_slice());
    }

    /// The sum of the products of two vectors' elements.
    ///
    /// # Panics
    /// If the operands are not vectors of the same length.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f64, 2.0]).dot(&Tensor::from([3.0, 4.0])).item(), 11.0);
    /// ```
    #[track_caller]
    pub fn dot(&self, other: &Tensor<T>) -> Tensor<T> {
        assert!(
            self.rank() == 1 && self.shape() == other.shape(),
            "dot: shapes {} and {} are not vectors of the same length",
            self.shape(),
            other.shape()
        );
        self.matmul(other)
    }

    /// The matrix of the products of two vectors' elements.
    ///
    /// # Panics
    /// If an operand is not a vector, or the matrix has too many elements.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let table = Tensor::from([1.0f64, 2.0]).outer(&Tensor::from([3.0, 4.0]));
    /// assert_eq!(table.to_vec(), [3.0, 4.0, 6.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn outer(&self, other: &Tensor<T>) -> Tensor<T> {
        assert!(
            self.rank() == 1 && other.rank() == 1,
            "outer: shapes {} and {} are not both vectors",
            self.shape(),
            other.shape()
        );
        Shape::from([self.len(), other.len()]).checked("outer");
        self.unsqueeze(1) * other.unsqueeze(0)
    }
}

/// The shape of a matrix product.
///
/// # Panics
/// If the shapes do not fit, or the product or an operand broadcast over the batch has too many elements.
///
/// ```
/// use wengert_tensor::matmul_shape;
/// // A batch of 5 products.
/// assert_eq!(matmul_shape(&[5, 2, 3].into(), &[3, 4].into()), [5, 2, 4]);
/// ```
#[track_caller]
pub fn matmul_shape(a: &Shape, b: &Shape) -> Shape {
    if a.is_empty() || b.is_empty() {
        panic!("matmul: shapes {a} and {b}: both operands need at least one axis");
    }
    let (m, k) = if a.len() == 1 { (None, a[0]) } else { (Some(a[a.len() - 2]), a[a.len() - 1]) };
    let (k2, n) = if b.len() == 1 { (b[0], None) } else { (b[b.len() - 2], Some(b[b.len() - 1])) };
    if k != k2 {
        panic!("matmul: inner dimensions differ: {a} × {b} ({k} vs {k2})");
    }
    let lead = |s: &Shape| Shape::from(&s[..s.len().saturating_sub(2)]);
    let Some(batch) = broadcast(&lead(a), &lead(b)) else {
        panic!("matmul: batch dimensions do not broadcast: {a} × {b}");
    };
    let of = |m, n| batch.iter().copied().chain(m).chain(n).collect::<Shape>();
    if let Some(large) = [of(m, Some(k)), of(Some(k), n)].iter().find(|operand| !operand.fits()) {
        panic!("matmul: {a} × {b}: an operand of shape {large} has too many elements");
    }
    of(m, n).checked("matmul")
}

compiled_here! {
    /// `out ← alpha · a·b + beta · out` for operands whose shapes fit.
    fn gemm_tensors<T: Float>(alpha: T, a: &Tensor<T>, b: &Tensor<T>, beta: T, out: &mut [T]) {
        if out.is_empty() {
            return;
        }
        // Vectors become matrices of one row or one column.
        let a = if a.rank() == 1 { a.unsqueeze(0) } else { a.clone() };
        let b = if b.rank() == 1 { b.unsqueeze(1) } else { b.clone() };
        let (m, k, n) = (a.dim(-2), a.dim(-1), b.dim(-1));
        // As the shapes say, not how the operands lie.
        let rounded = is_rounded::<T>([if b.rank() == 2 { out.len() / n } else { m }, k, n]);
        // A batch on the left alone is one tall matrix.
        if b.rank() == 2
            && a.rank() > 2
            && k > 0
            && let Some(tall) = a.layout.reshape(&[a.len() / k, k].into())
        {
            let tall = a.view(tall);
            let c = MatrixMut::new(out, 0, [tall.dim(0), n], [n as isize, 1]);
            return product(rounded, alpha, matrix(&tall), matrix(&b), beta, c);
        }
        let batch = {
            let lead = |t: &Tensor<T>| Shape::from(&t.shape()[..t.rank() - 2]);
            broadcast(&lead(&a), &lead(&b)).expect("the shapes were found to fit")
        };
        let full = |rows: usize, columns: usize| batch.iter().copied().chain([rows, columns]).collect::<Shape>();
        let (a, b) = (a.broadcast_to(full(m, k)), b.broadcast_to(full(k, n)));
        let count = batch.count();
        if let (Some(stride_a), Some(stride_b)) = (batch_stride(&a.layout), batch_stride(&b.layout)) {
            let c = MatrixMut::batch(out, 0, [count, m, n], [(m * n) as isize, n as isize, 1]);
            return product(rounded, alpha, batched(&a, count, stride_a), batched(&b, count, stride_b), beta, c);
        }
        for (i, c) in out.chunks_exact_mut(m * n).enumerate() {
            let c = MatrixMut::new(c, 0, [m, n], [n as isize, 1]);
            product(rounded, alpha, matrix(&nth(&a, &batch, i)), matrix(&nth(&b, &batch, i)), beta, c);
        }
    }
}

fn matrix<T: Float>(x: &Tensor<T>) -> MatrixRef<'_, T> {
    let (rows, columns) = (x.dim(-2), x.dim(-1));
    let strides = &x.layout.strides[x.rank() - 2..];
    MatrixRef::new(x.storage.as_slice(), x.layout.offset, [rows, columns], [strides[0], strides[1]])
}

fn batched<T: Float>(x: &Tensor<T>, count: usize, stride: isize) -> MatrixRef<'_, T> {
    let strides = &x.layout.strides[x.rank() - 2..];
    let extents = [count, x.dim(-2), x.dim(-1)];
    MatrixRef::batch(x.storage.as_slice(), x.layout.offset, extents, [stride, strides[0], strides[1]])
}

/// The distance from one matrix of a batch to the next, if it is the same everywhere.
fn batch_stride(layout: &Layout) -> Option<isize> {
    let lead = layout.shape.len() - 2;
    let mut merged: Option<(usize, isize)> = None;
    for (&d, &s) in layout.shape[..lead].iter().zip(&layout.strides[..lead]).rev() {
        match merged {
            _ if d == 1 => {}
            None => merged = Some((d, s)),
            Some((count, stride)) if s == stride * count as isize => merged = Some((count * d, stride)),
            Some(_) => return None,
        }
    }
    Some(merged.map_or(0, |(_, stride)| stride))
}

/// Matrix number `i` of a batch.
fn nth<T: Float>(x: &Tensor<T>, batch: &Shape, i: usize) -> Tensor<T> {
    let mut index: SmallVec<[usize; 4]> = SmallVec::new();
    let mut rest = i;
    for (&d, &s) in batch.iter().zip(&contiguous_strides(batch)) {
        index.push(rest / s as usize % d);
        rest %= s as usize;
    }
    index.iter().fold(x.clone(), |x, &i| x.select(0, i as isize))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element by element, through indexing alone.
    fn naive(a: &Tensor<f64>, b: &Tensor<f64>) -> Tensor<f64> {
        let product = a.unsqueeze(-1) * b.unsqueeze(-3);
        product.sum_axes(-2, false)
    }

    #[test]
    fn batches_views_and_broadcasting() {
        let x = Tensor::<f64>::linspace(-1.0, 2.0, 2 * 3 * 4 * 5);
        let cases = [
            (x.reshape([2, 3, 4, 5]), x.reshape([2, 3, 5, 4])),
            (x.reshape([2, 3, 4, 5]), x.slice(..30).reshape([3, 5, 2])),
            (x.reshape([6, 4, 5]), x.slice(..10).reshape([5, 2])),
            (x.reshape([2, 3, 4, 5]).transpose(0, 1), x.reshape([3, 2, 5, 4]).flip(2)),
            (x.reshape([5, 4, 3, 2]).permute([2, 3, 1, 0]), x.reshape([3, 1, 5, 8])),
            (x.slice(..20).reshape([4, 5]).t(), x.slice(..4).reshape([4, 1])),
            (x.reshape([2, 3, 4, 5]).slice_axis(0, ..0), x.reshape([2, 3, 5, 4]).slice_axis(0, ..0)),
            (x.reshape([24, 5]).slice_axis(1, ..0), x.reshape([5, 24]).slice_axis(0, ..0)),
        ];
        for (a, b) in cases {
            let (got, expected) = (a.matmul(&b), naive(&a, &b));
            assert_eq!(got.shape(), expected.shape());
            let close = got.to_vec().iter().zip(expected.to_vec()).all(|(x, y)| (x - y).abs() < 1e-12);
            assert!(close, "{} × {}", a.shape(), b.shape());
        }
    }

    /// Whatever the parts, the operands' strides and the kernels that fit the shapes.
    #[test]
    fn rows_apart_have_the_bits_of_the_whole() {
        let matrix = |rows: usize, columns: usize| {
            let values: Vec<f32> = (0..rows * columns).map(|i| (i as f32 * 91.7).sin()).collect();
            Tensor::vector(&values).reshape([rows, columns])
        };
        for (m, k, n) in
            [(1, 90, 40), (40, 90, 1), (300, 64, 12), (300, 90, 15), (37, 5, 16), (333, 700, 48), (64, 0, 32)]
        {
            let (a, b) = (matrix(k, m).t(), matrix(k, n));
            for rows in [0, 1, 17, 50, 100, 1000] {
                let (mut shown, mut end) = (vec![0.0; m * n], m * n);
                let product = a.matmul_by_rows(&b, rows, |first, part| {
                    assert_eq!(first + part.len(), end);
                    end = first;
                    shown[first..first + part.len()].copy_from_slice(part);
                });
                assert_eq!(end, 0);
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                let whole = a.matmul(&b).to_vec();
                assert_eq!(bits(&product.to_vec()), bits(&whole), "{m} {k} {n}, {rows} rows");
                assert_eq!(bits(&shown), bits(&whole), "{m} {k} {n}, {rows} rows");
            }
        }
    }

    #[test]
    fn vectors() {
        let (m, v) = (Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]), Tensor::from([1.0f32, 0.0, -1.0]));
        assert_eq!(m.matmul(&v).to_vec(), [-2.0, -2.0]);
        assert_eq!(v.matmul(&m.t()).to_vec(), [-2.0, -2.0]);
        assert_eq!((v.dot(&v).item(), v.dot(&v).rank()), (2.0, 0));
        assert_eq!(v.outer(&v).shape(), &[3, 3]);
    }

    #[test]
    fn accumulation_leaves_sharers_alone() {
        let a = Tensor::<f64>::eye(2);
        let mut c = Tensor::<f64>::ones([2, 2]);
        let before = c.clone();
        c.add_matmul(2.0, &a, &a, 3.0);
        assert_eq!(c.to_vec(), [5.0, 3.0, 3.0, 5.0]);
        assert_eq!(before.to_vec(), [1.0; 4]);
    }

    #[test]
    #[should_panic(expected = "matmul: inner dimensions differ: [64, 784] × [128, 10] (784 vs 128)")]
    fn inner_dimensions() {
        let _ = Tensor::<f32>::zeros([64, 784]).matmul(&Tensor::zeros([128, 10]));
    }
}
