//! Distances between all pairs of rows, and what their derivatives are made of.

use crate::array::element::Float;
use crate::array::shape::{Shape, broadcast_or_panic};
use crate::array::size;
use crate::array::tensor::Tensor;
use crate::kernels::distance::{self, Distance, Sizes};

/// Operands of pairs of rows: `a` of shape `[…, P, M]` and `b` of shape `[…, R, M]`, with all of a batch in memory.
struct Pairs<T: Float> {
    a: Tensor<T>,
    b: Tensor<T>,
    sizes: Sizes,
    batch: Shape,
}

impl<T: Float> Pairs<T> {
    #[track_caller]
    fn new(operation: &str, a: &Tensor<T>, b: &Tensor<T>) -> Self {
        let (&[.., p, length], &[.., r, columns]) = (&a.shape()[..], &b.shape()[..]) else {
            panic!("{operation}: shapes {} and {} are not both of rows", a.shape(), b.shape())
        };
        assert!(
            length == columns,
            "{operation}: rows of shapes {} and {} differ in length",
            a.shape(),
            b.shape()
        );
        let lead = |x: &Tensor<T>| Shape::from(&x.shape()[..x.rank() - 2]);
        let batch = broadcast_or_panic(operation, &lead(a), &lead(b));
        let whole = |x: &Tensor<T>, rows| x.broadcast_to(with(&batch, rows, length)).contiguous();
        Pairs { a: whole(a, p), b: whole(b, r), sizes: Sizes { p, r, length }, batch }
    }

    /// An operand with a row for each of `a`.
    #[track_caller]
    fn beside(&self, operation: &str, x: &Tensor<T>, columns: usize) -> Tensor<T> {
        let shape = with(&self.batch, self.sizes.p, columns);
        assert!(x.shape() == &shape, "{operation}: shape {} is not {shape}", x.shape());
        x.contiguous()
    }

    /// What a kernel makes of these; 0 where rows are empty.
    #[track_caller]
    fn filled(&self, operation: &str, columns: usize, kernel: impl FnOnce(&mut [T])) -> Tensor<T> {
        let shape = with(&self.batch, self.sizes.p, columns).checked(operation);
        Tensor::filled_by(operation, shape, |out| {
            if self.sizes.length == 0 || self.sizes.r == 0 {
                out.fill(T::ZERO);
            } else {
                kernel(out);
            }
        })
    }
}

/// The shape of a batch of matrices.
fn with(batch: &Shape, rows: usize, columns: usize) -> Shape {
    batch.iter().copied().chain([rows, columns]).collect()
}

/// The distance ‖aᵢ − bⱼ‖ of each row of `a` (`[…, P, M]`) and each of `b` (`[…, R, M]`): `[…, P, R]`.
///
/// # Panics
/// If an operand has fewer than two axes, the rows differ in length, or the batches do not broadcast.
///
/// ```
/// use wengert_tensor::{Distance, Tensor, pair_distances};
/// let (a, b) = (Tensor::from([[0.0f32, 0.0]]), Tensor::from([[3.0, 4.0], [0.0, 0.0]]));
/// assert_eq!(pair_distances(Distance::Euclidean, &a, &b).to_vec(), [5.0, 0.0]);
/// assert_eq!(pair_distances(Distance::City, &a, &b).to_vec(), [7.0, 0.0]);
/// ```
#[track_caller]
pub fn pair_distances<T: Float>(metric: Distance, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let pairs = Pairs::new("pair_distances", a, b);
    let (a, b) = (pairs.a.contiguous_slice(), pairs.b.contiguous_slice());
    pairs.filled("pair_distances", pairs.sizes.r, |out| distance::distances(metric, pairs.sizes, a, b, out))
}

/// The distances ‖aᵢ − aⱼ‖ of all pairs of rows of a matrix, in the order (0, 1), (0, 2), …, (1, 2), ….
///
/// # Panics
/// If there are not two axes, or there are too many pairs.
///
/// ```
/// use wengert_tensor::{Distance, Tensor, own_pair_distances};
/// let a = Tensor::from([[0.0f32, 0.0], [3.0, 4.0], [0.0, 1.0]]);
/// assert_eq!(own_pair_distances(Distance::City, &a).to_vec(), [7.0, 1.0, 6.0]);
/// ```
#[track_caller]
pub fn own_pair_distances<T: Float>(metric: Distance, a: &Tensor<T>) -> Tensor<T> {
    let &[rows, length] = &a.shape()[..] else {
        panic!("own_pair_distances: shape {} is not that of a matrix", a.shape())
    };
    let pairs = size::product("own_pair_distances", &[rows, rows.saturating_sub(1)]) / 2;
    let a = a.contiguous();
    Tensor::filled_by("own_pair_distances", [pairs].into(), |out| {
        if length == 0 || out.is_empty() {
            out.fill(T::ZERO);
        } else {
            distance::own_distances(metric, rows, a.contiguous_slice(), out);
        }
    })
}

/// Σⱼ wᵢⱼ·(aᵢ − bⱼ)/dᵢⱼ for `w` and `distances` of shape `[…, P, R]`: `[…, P, M]`, from the differences themselves; where the
/// distance d is 0, nothing. Without distances, of the signs of the differences, which where they are 0 count nothing.
///
/// # Panics
/// As [`pair_distances`], or if `w` or `distances` has another shape.
///
/// ```
/// use wengert_tensor::{Distance, Tensor, pair_distances, pair_sums};
/// let (a, b) = (Tensor::from([[1.0f64]]), Tensor::from([[0.0], [3.0]]));
/// let distances = pair_distances(Distance::Euclidean, &a, &b);
/// // 1·(1 − 0)/1 + 10·(1 − 3)/2.
/// assert_eq!(pair_sums(&Tensor::from([[1.0, 10.0]]), &a, &b, Some(&distances)).to_vec(), [-9.0]);
/// ```
#[track_caller]
pub fn pair_sums<T: Float>(
    w: &Tensor<T>,
    a: &Tensor<T>,
    b: &Tensor<T>,
    distances: Option<&Tensor<T>>,
) -> Tensor<T> {
    let pairs = Pairs::new("pair_sums", a, b);
    let of_pairs = |x: &Tensor<T>| pairs.beside("pair_sums", x, pairs.sizes.r);
    let (w, distances) = (of_pairs(w), distances.map(of_pairs));
    let distances = distances.as_ref().map(Tensor::contiguous_slice);
    let (a, b) = (pairs.a.contiguous_slice(), pairs.b.contiguous_slice());
    let sum = |out: &mut [T]| distance::sums(pairs.sizes, w.contiguous_slice(), a, b, distances, out);
    pairs.filled("pair_sums", pairs.sizes.length, sum)
}

/// uᵢ·(aᵢ − bⱼ)/dᵢⱼ for `u` of shape `[…, P, M]` and `distances` of shape `[…, P, R]`: `[…, P, R]`, from the differences themselves;
/// 0 where the distance d is. Without distances, of the signs of the differences.
///
/// # Panics
/// As [`pair_distances`], or if `u` or `distances` has another shape.
///
/// ```
/// use wengert_tensor::{Distance, Tensor, pair_distances, pair_dots};
/// let (a, b) = (Tensor::from([[1.0f64]]), Tensor::from([[0.0], [3.0]]));
/// let distances = pair_distances(Distance::Euclidean, &a, &b);
/// assert_eq!(pair_dots(&Tensor::from([[2.0]]), &a, &b, Some(&distances)).to_vec(), [2.0, -2.0]);
/// ```
#[track_caller]
pub fn pair_dots<T: Float>(
    u: &Tensor<T>,
    a: &Tensor<T>,
    b: &Tensor<T>,
    distances: Option<&Tensor<T>>,
) -> Tensor<T> {
    let pairs = Pairs::new("pair_dots", a, b);
    let u = pairs.beside("pair_dots", u, pairs.sizes.length);
    let distances = distances.map(|d| pairs.beside("pair_dots", d, pairs.sizes.r));
    let distances = distances.as_ref().map(Tensor::contiguous_slice);
    let (a, b) = (pairs.a.contiguous_slice(), pairs.b.contiguous_slice());
    let dots = |out: &mut [T]| distance::dots(pairs.sizes, u.contiguous_slice(), a, b, distances, out);
    pairs.filled("pair_dots", pairs.sizes.r, dots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::parallel::with_threads;

    fn points(rows: usize, length: usize, salt: f64) -> Tensor<f64> {
        Tensor::from_fn([2, rows, length], |i| ((i[0] * 31 + i[1] * 7 + i[2]) as f64 * 0.7 + salt).sin())
    }

    #[test]
    fn as_by_differences() {
        for (p, r, length) in
            [(3, 4, 1), (1, 5, 8), (4, 3, 21), (3, 37, 21), (2, 16, 90), (2, 0, 3), (0, 2, 3), (2, 3, 0)]
        {
            let (a, b) = (points(p, length, 0.0), points(r, length, 1.0));
            let (w, u) = (points(p, r, 2.0), points(p, length, 3.0));
            let difference = a.unsqueeze(2) - b.unsqueeze(1);
            let near =
                |x: Tensor<f64>, y: Tensor<f64>| assert!(x.all_close(&y, 1e-13, 1e-13), "{p} {r} {length}");
            let distances = pair_distances(Distance::Euclidean, &a, &b);
            near(distances.clone(), difference.norm_axes(2.0, -1, false));
            let directions = &difference / distances.unsqueeze(3);
            near(pair_sums(&w, &a, &b, Some(&distances)), (&directions * w.unsqueeze(3)).sum_axes(2, false));
            near(pair_dots(&u, &a, &b, Some(&distances)), (&directions * u.unsqueeze(2)).sum_axes(3, false));
            let (city, signs) = (Distance::City, difference.sign());
            near(pair_distances(city, &a, &b), difference.norm_axes(1.0, -1, false));
            near(pair_sums(&w, &a, &b, None), (&signs * w.unsqueeze(3)).sum_axes(2, false));
            near(pair_dots(&u, &a, &b, None), (&signs * u.unsqueeze(2)).sum_axes(3, false));
            let first = b.slice(..1);
            near(
                pair_distances(Distance::Euclidean, &a, &first),
                (a.unsqueeze(2) - first.unsqueeze(1)).norm_axes(2.0, -1, false),
            );
        }
    }

    #[test]
    fn pairs_of_one_matrix() {
        for (rows, length) in [(0, 3), (1, 3), (2, 1), (15, 4), (16, 9), (17, 8), (40, 21), (5, 0)] {
            let a = points(rows, length, 0.5).select(0, 0);
            for metric in [Distance::City, Distance::Euclidean] {
                let all = pair_distances(metric, &a, &a);
                let expected: Vec<f64> =
                    (0..rows).flat_map(|i| (i + 1..rows).map(move |j| [i, j])).map(|at| all.at(at)).collect();
                assert_eq!(own_pair_distances(metric, &a).to_vec(), expected);
            }
        }
    }

    /// A row has the same distances whether it is one of many or alone.
    #[test]
    fn the_same_bits_beside_others() {
        let (a, b) = (points(3, 21, 0.0).cast::<f32>(), points(50, 21, 1.0).cast::<f32>());
        for metric in [Distance::City, Distance::Euclidean] {
            let all = pair_distances(metric, &a, &b);
            for j in 0..50 {
                let alone = pair_distances(metric, &a, &b.slice_axis(1, j..j + 1));
                assert_eq!(alone, all.slice_axis(2, j..j + 1));
            }
        }
    }

    #[test]
    fn coordinates_that_coincide_or_are_no_numbers() {
        let (a, b) = (Tensor::from([[1.0f64, f64::NAN, f64::INFINITY]]), Tensor::from([[1.0, 0.0, 0.0]]));
        let sums = pair_sums(&Tensor::from([[f64::INFINITY]]), &a, &b, None).to_vec();
        assert!(sums[0] == 0.0 && sums[1].is_nan() && sums[2] == f64::INFINITY, "{sums:?}");
    }

    #[test]
    fn near_and_far() {
        let a = Tensor::from([[1e200, 1e-200, 1.0]]).t();
        assert_eq!(pair_distances(Distance::Euclidean, &a, &a).diagonal(0).to_vec(), [0.0; 3]);
        let zero = Tensor::<f64>::zeros([1, 1]);
        assert_eq!(pair_distances(Distance::Euclidean, &a, &zero).to_vec(), [1e200, 1e-200, 1.0]);
        let (x, y) = (Tensor::from([[1.0f32, 3e30]]), Tensor::from([[1.0f32 + 1e-6, 3e30]]));
        assert_eq!(pair_distances(Distance::Euclidean, &x, &y).item(), (1.0f32 + 1e-6) - 1.0);
        let wild = Tensor::from([[f64::NAN], [f64::INFINITY]]);
        let found = pair_distances(Distance::Euclidean, &wild, &zero).to_vec();
        assert!(found[0].is_nan() && found[1] == f64::INFINITY);
    }

    /// Of points whose differences' squares, or numbers divided by them twice, leave the range.
    #[test]
    fn directions_of_what_is_far() {
        let (a, b) = (Tensor::from([[3.0f32, 0.0], [0.0, 0.0]]), Tensor::from([[0.0f32, 4.0], [0.0, 0.0]]));
        for unit in [-140, -100, 0, 100].map(|e| 2f64.powi(e)) {
            let (a, b) = (&a * unit, &b * unit);
            let distances = pair_distances(Distance::Euclidean, &a, &b);
            let w = Tensor::from([[1e30f32, -2e30], [1e30, 1e30]]);
            // (3, −4)/5 and (1, 0); (0, −1), and nothing of the point itself.
            let sums = pair_sums(&w, &a, &b, Some(&distances)) * 1e-30;
            assert!(sums.all_close(&[[0.6 - 2.0, -0.8], [0.0, -1.0]].into(), 1e-6, 0.0), "{unit}: {sums:?}");
            let u = Tensor::from([[1e30f32, 1e29], [1e30, 1e30]]);
            let dots = pair_dots(&u, &a, &b, Some(&distances)) * 1e-30;
            assert!(dots.all_close(&[[0.6 - 0.08, 1.0], [-1.0, 0.0]].into(), 1e-6, 0.0), "{unit}: {dots:?}");
        }
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let (a, b) = (points(300, 10, 0.0), points(200, 10, 1.0));
        let all = || {
            let distances = pair_distances(Distance::Euclidean, &a, &b);
            let sums = pair_sums(&points(300, 200, 2.0), &a, &b, Some(&distances));
            (distances, sums)
        };
        assert!(with_threads(1, all) == with_threads(3, all));
    }

    #[test]
    #[should_panic(expected = "pair_distances: rows of shapes [2, 3] and [2, 2] differ in length")]
    fn rows_of_different_length() {
        pair_distances(Distance::Euclidean, &Tensor::<f32>::zeros([2, 3]), &Tensor::zeros([2, 2]));
    }

    #[test]
    #[should_panic(expected = "pair_sums: shape [2, 2] is not [2, 4]")]
    fn weights_of_another_shape() {
        let a = Tensor::<f32>::zeros([2, 3]);
        pair_sums(&Tensor::zeros([2, 2]), &a, &Tensor::zeros([4, 3]), None);
    }
}
