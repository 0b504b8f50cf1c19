//! One-sided Jacobi rotations: of the rows of a matrix, until they are orthogonal.

use super::norm;
use crate::array::element::Float;
use crate::kernels::linalg::rows::{dot, largest, rotate, scale_to_one};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Sweeps over all pairs of rows: after a QR factorisation some six are needed.
const SWEEPS: usize = 60;

/// The largest cosine between rows that count as orthogonal.
pub(super) fn tolerance<T: Float>(n: usize) -> T {
    T::from_usize(n).sqrt() * T::EPSILON
}

/// G R and the orthogonal G for which its rows are orthogonal; `None` if that takes too long.
pub(super) fn orthogonalise<T: Float>(r: Vec<T>, n: usize) -> Option<(Vec<T>, Vec<T>)> {
    let (mut w, mut g) = (r, vec![T::ZERO; n * n]);
    g.iter_mut().step_by(n + 1).for_each(|d| *d = T::ONE);
    let tolerance = tolerance(n);
    (0..SWEEPS).any(|_| dispatch(Sweep { w: &mut w, g: &mut g, n, tolerance })).then_some((w, g))
}

/// Likewise, and then one rotation more for each pair, however near to orthogonal: where rows or columns are of very different size,
/// so are the elements of vectors, and angles that are rounding beside 1 are their small ones.
pub(super) fn orthogonalise_graded<T: Float>(r: Vec<T>, n: usize) -> Option<(Vec<T>, Vec<T>)> {
    let (mut w, mut g) = orthogonalise(r, n)?;
    dispatch(Sweep { w: &mut w, g: &mut g, n, tolerance: T::ZERO });
    Some((w, g))
}

/// One rotation for each pair of rows of `w`, and of `g` along with it, after which those two are orthogonal. Gives whether
/// all were before.
struct Sweep<'a, T> {
    w: &'a mut [T],
    g: &'a mut [T],
    n: usize,
    tolerance: T,
}

impl<T: Float> Kernel for Sweep<'_, T> {
    type Output = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        let Sweep { w, g, n, tolerance } = self;
        let mut orthogonal = true;
        for i in 0..n {
            bring_largest_first::<T, I>(w, g, n, i);
            for j in i + 1..n {
                orthogonal &= !turn::<T, I>(w, g, n, [i, j], tolerance);
            }
        }
        orthogonal
    }
}

/// The rotation that makes the rows i < j orthogonal. Gives whether they were not.
#[inline(always)]
pub(super) fn turn<T: Float, I: Isa>(
    w: &mut [T],
    g: &mut [T],
    n: usize,
    [i, j]: [usize; 2],
    tolerance: T,
) -> bool {
    let (above, below) = w.split_at_mut(j * n);
    let (x, y) = (&mut above[i * n..][..n], &mut below[..n]);
    let squares = [dot::<T, I>(x, x), dot::<T, I>(x, y), dot::<T, I>(y, y)];
    if squares[0].minimum(squares[2]) >= T::MIN_POSITIVE / T::EPSILON {
        return turn_by::<T, I>(w, g, n, [i, j], squares, tolerance);
    }
    // Squares without digits: one row is nothing beside the other, or both are small.
    let sizes = [largest(x), largest(y)];
    let [least, size] = [sizes[0].minimum(sizes[1]), sizes[0].maximum(sizes[1])];
    if least < size * (T::MIN_POSITIVE / T::EPSILON).sqrt() {
        let first_is_smaller = sizes[0] < sizes[1];
        let (smaller, larger) = if first_is_smaller { (x, &*y) } else { (y, &*x) };
        let projection = subtract_projection::<T, I>(smaller, larger, tolerance);
        if let Some(t) = projection {
            let (above, below) = g.split_at_mut(j * n);
            let s = if first_is_smaller { t } else { -t };
            rotate::<T, I>(&mut above[i * n..][..n], &mut below[..n], T::ONE, s);
        }
        return projection.is_some();
    }
    let scale = if size > T::ZERO { scale_to_one(size) } else { T::ONE };
    [&mut *x, &mut *y].into_iter().flatten().for_each(|x| *x *= scale);
    let squares = [dot::<T, I>(x, x), dot::<T, I>(x, y), dot::<T, I>(y, y)];
    let turned = turn_by::<T, I>(w, g, n, [i, j], squares, tolerance);
    for row in [i, j] {
        w[row * n..][..n].iter_mut().for_each(|x| *x /= scale);
    }
    turned
}

/// The rotation by the dot products of the rows, which have their digits.
#[inline(always)]
fn turn_by<T: Float, I: Isa>(
    w: &mut [T],
    g: &mut [T],
    n: usize,
    [i, j]: [usize; 2],
    [xx, xy, yy]: [T; 3],
    tolerance: T,
) -> bool {
    let (above, below) = w.split_at_mut(j * n);
    let (x, y) = (&mut above[i * n..][..n], &mut below[..n]);
    // Rows of zeros are orthogonal to all.
    if xy == T::ZERO || xy.abs() <= tolerance * xx.sqrt() * yy.sqrt() {
        return false;
    }
    let zeta = (yy - xx) / (xy + xy);
    let t = T::ONE.copysign(zeta) / (zeta.abs() + T::ONE.hypot(zeta));
    let c = T::ONE / T::ONE.hypot(t);
    rotate::<T, I>(x, y, c, c * t);
    let (above, below) = g.split_at_mut(j * n);
    rotate::<T, I>(&mut above[i * n..][..n], &mut below[..n], c, c * t);
    clear_rounding(w, n, [i, j], [xx, xy, yy]);
    true
}

/// Makes a row whose squares underflow orthogonal to a larger one; a rotation would subtract as much, and leave the larger row as
/// it is. What is not far from the smallest numbers becomes 0, since it cannot be told which way it points. Gives how much of
/// the larger row was subtracted, if anything changed.
#[cold]
fn subtract_projection<T: Float, I: Isa>(smaller: &mut [T], larger: &[T], tolerance: T) -> Option<T> {
    let (size, other) = (largest(smaller), largest(larger));
    if size == T::ZERO {
        return None;
    }
    let scaled = |row: &[T], scale: T| row.iter().map(|&x| x * scale).collect::<Vec<T>>();
    let (mut y, x) = (scaled(smaller, scale_to_one(size)), scaled(larger, scale_to_one(other)));
    let (xx, xy, before) = (dot::<T, I>(&x, &x), dot::<T, I>(&x, &y), norm(&y));
    if xy.abs() <= tolerance * xx.sqrt() * before {
        return None;
    }
    if size < T::MIN_POSITIVE / (T::EPSILON * T::EPSILON) {
        smaller.fill(T::ZERO);
        return Some(T::ZERO);
    }
    y.iter_mut().zip(&x).for_each(|(y, &x)| *y -= xy / xx * x);
    if norm(&y) <= T::from_f64(4.0) * tolerance * before {
        y.fill(T::ZERO);
    }
    smaller.iter_mut().zip(y).for_each(|(out, y)| *out = y / scale_to_one(size));
    Some(xy / xx * (scale_to_one(other) / scale_to_one(size)))
}

/// Of rows that were parallel a rotation leaves one and, in the place of the other, rounding errors, which would be turned for
/// ever: those become 0.
#[inline(always)]
fn clear_rounding<T: Float>(w: &mut [T], n: usize, [i, j]: [usize; 2], [xx, xy, yy]: [T; 3]) {
    let cosine = xy.abs() / xx.sqrt() / yy.sqrt();
    if cosine < T::ONE - T::EPSILON.sqrt() {
        return;
    }
    let sizes = [i, j].map(|row| norm(&w[row * n..][..n]));
    let (smaller, size) = if sizes[0] < sizes[1] { (i, sizes[0]) } else { (j, sizes[1]) };
    // What the rotation subtracted from each other was about as long as the shorter of the two rows.
    let subtracted = if xx < yy { xx.sqrt() } else { yy.sqrt() };
    if size <= T::from_f64(4.0) * T::from_usize(n).sqrt() * T::EPSILON * subtracted {
        w[smaller * n..][..n].fill(T::ZERO);
    }
}

/// Exchanges row i for the largest of the rows from i on (de Rijk, 1989).
#[inline(always)]
fn bring_largest_first<T: Float, I: Isa>(w: &mut [T], g: &mut [T], n: usize, i: usize) {
    let square = |row: &[T]| dot::<T, I>(row, row);
    let mut largest = i;
    let mut most = square(&w[i * n..][..n]);
    for j in i + 1..n {
        let size = square(&w[j * n..][..n]);
        if size > most {
            (largest, most) = (j, size);
        }
    }
    if largest != i {
        for rows in [w, g] {
            let (above, below) = rows.split_at_mut(largest * n);
            above[i * n..][..n].swap_with_slice(&mut below[..n]);
        }
    }
}
