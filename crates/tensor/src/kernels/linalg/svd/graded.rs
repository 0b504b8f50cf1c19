//! QR of matrices whose rows, or columns, are of very different size.

use super::norm;
use crate::array::element::Float;
use crate::kernels::linalg::reflectors::reflection;
use crate::kernels::linalg::rows::{add_scaled, dot, largest};
use crate::machine::simd::{Isa, Kernel};

/// How much larger than another row, or column, one must be.
const VERY: f64 = 4096.0;

/// Whether the rows of an m × n matrix, or if asked for its columns, are of very different size.
pub(super) fn is_graded<T: Float>(a: &[T], n: usize, columns_too: bool) -> bool {
    let row = |row: &[T]| largest(row);
    let very = |sizes: &mut dyn Iterator<Item = T>| {
        let sizes = sizes.filter(|&size| size > T::ZERO);
        let [least, most] = sizes.fold([T::MAX, T::ZERO], |[a, b], x| [a.minimum(x), b.maximum(x)]);
        most > T::ZERO && least < most / T::from_f64(VERY)
    };
    let mut columns = vec![T::ZERO; if columns_too { n } else { 0 }];
    for row in a.chunks_exact(n.max(1)) {
        columns.iter_mut().zip(row).for_each(|(size, x)| *size = size.maximum(x.abs()));
    }
    very(&mut a.chunks_exact(n.max(1)).map(row)) || very(&mut columns.into_iter())
}

/// A = Q R with the columns of R in another order: `order[j]` is the column of A that is column j of R.
pub(super) struct Pivoted<T> {
    /// m × n.
    pub(super) q: Vec<T>,
    /// n × n.
    pub(super) r: Vec<T>,
    pub(super) order: Vec<usize>,
}

/// The largest column first, and in it the largest element: reflections then mix no row or column with what is rounding of much
/// larger ones (Powell and Reid, 1969; Cox and Higham, 1998), and the rows of R become orthogonal in few sweeps (Drmač and
/// Veselić, 2008). `columns` has those of A, of m elements each.
pub(super) struct Pivot<T> {
    pub(super) columns: Vec<T>,
    pub(super) m: usize,
}

impl<T: Float> Kernel for Pivot<T> {
    type Output = Pivoted<T>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Pivoted<T> {
        let Pivot { mut columns, m } = self;
        let n = columns.len() / m.max(1);
        let (mut order, mut rows): (Vec<usize>, Vec<usize>) = ((0..n).collect(), (0..m).collect());
        let mut diagonal = vec![T::ZERO; n];
        for k in 0..n {
            let size = |j: usize| norm(&columns[j * m + k..(j + 1) * m]);
            let sizes: Vec<T> = (k..n).map(size).collect();
            let first = k + first_of_largest(&sizes);
            exchange(&mut columns, m, k, first);
            order.swap(k, first);
            let pivot = k + first_of_largest(&columns[k * m + k..(k + 1) * m]);
            if pivot != k {
                // Of the reflections before, too, which then come after the exchange.
                columns.chunks_exact_mut(m).for_each(|column| column.swap(k, pivot));
                rows.swap(k, pivot);
            }
            let (this, later) = columns[k * m..].split_at_mut(m);
            diagonal[k] = reflection::<T, I>(&mut this[k..]);
            for other in later.chunks_exact_mut(m) {
                reflect::<T, I>(&this[k..], &mut other[k..]);
            }
        }
        let mut r = vec![T::ZERO; n * n];
        for (j, column) in columns.chunks_exact(m.max(1)).enumerate() {
            (0..j).for_each(|i| r[i * n + j] = column[i]);
            r[j * n + j] = diagonal[j];
        }
        let mut q = vec![T::ZERO; m * n];
        let mut column = vec![T::ZERO; m];
        for j in 0..n {
            column.fill(T::ZERO);
            column[j] = T::ONE;
            // Those after the column leave it as it is.
            for k in (0..=j).rev() {
                reflect::<T, I>(&columns[k * m + k..(k + 1) * m], &mut column[k..]);
            }
            rows.iter().zip(&column).for_each(|(&i, &x)| q[i * n + j] = x);
        }
        Pivoted { q, r, order }
    }
}

/// x ← (I − 2 v vᵀ) x.
#[inline(always)]
fn reflect<T: Float, I: Isa>(v: &[T], x: &mut [T]) {
    let along = dot::<T, I>(v, x);
    add_scaled::<T, I>(x, -(along + along), v);
}

#[inline(always)]
fn first_of_largest<T: Float>(x: &[T]) -> usize {
    let largest = x
        .iter()
        .enumerate()
        .fold((0, T::ZERO), |(at, most), (i, x)| if x.abs() > most { (i, x.abs()) } else { (at, most) });
    largest.0
}

/// Exchanges two columns of m elements.
fn exchange<T>(columns: &mut [T], m: usize, first: usize, second: usize) {
    if first != second {
        let (before, after) = columns.split_at_mut(second * m);
        before[first * m..][..m].swap_with_slice(&mut after[..m]);
    }
}
