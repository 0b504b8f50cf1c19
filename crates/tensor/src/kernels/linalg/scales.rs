//! Powers of two that rows and columns of a matrix are divided by where its elements differ by many orders of magnitude.

use super::{check_right_hand_sides, check_square};
use crate::array::element::Float;

/// What a 0 counts for instead of its logarithm: less than any sum of others.
const NOTHING: i64 = 1 << 32;

/// The exponents of the powers of two for which A = R B C with |B| < 2 and elements from 1 on in the places of a permutation, whose
/// product is the largest that a permutation has (Olschowka and Neumaier, 1996; Duff and Koster, 2001). So B is what of A
/// is of one size, however rows and columns differ, and no element that counts in the determinant is small beside others.
#[derive(Clone, Debug)]
pub struct Scales {
    /// Of R.
    pub rows: Vec<i64>,
    /// Of C.
    pub columns: Vec<i64>,
    /// The column in which each row has its element of the permutation.
    pub places: Vec<usize>,
}

/// Whether squares of the elements, and products with them, might leave the range of numbers.
pub(super) fn is_far<T: Float>(a: &[T]) -> bool {
    range(a).is_far()
}

/// The least absolute value but 0, and the largest; of what is no number neither.
struct Range<T> {
    least: T,
    largest: T,
}

impl<T: Float> Range<T> {
    fn is_far(&self) -> bool {
        self.largest > T::MAX.sqrt() || self.least < T::MIN_POSITIVE.sqrt()
    }

    #[inline(always)]
    fn take(&mut self, x: T) {
        let x = x.abs();
        self.least = if x < self.least && x > T::ZERO { x } else { self.least };
        self.largest = if x > self.largest { x } else { self.largest };
    }
}

fn range<T: Float>(a: &[T]) -> Range<T> {
    // Independent ones, as comparisons would wait for each other.
    let mut lanes: [Range<T>; 16] = std::array::from_fn(|_| Range { least: T::MAX, largest: T::ZERO });
    let (chunks, rest) = a.as_chunks::<16>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &x)| lane.take(x));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, &x)| lane.take(x));
    lanes.into_iter().fold(Range { least: T::MAX, largest: T::ZERO }, |mut all, lane| {
        all.least = if lane.least < all.least { lane.least } else { all.least };
        all.largest = if lane.largest > all.largest { lane.largest } else { all.largest };
        all
    })
}

/// Whether elements of at least that size are found in the places of a permutation, row by row. Where it is not found there may be one.
fn has_permutation_from<T: Float>(a: &[T], n: usize, least: T) -> bool {
    let mut taken = vec![false; n];
    a.chunks_exact(n.max(1)).enumerate().all(|(i, row)| {
        let found = (i..n).chain(0..i).find(|&j| !taken[j] && row[j].abs() >= least);
        found.inspect(|&j| taken[j] = true).is_some()
    })
}

impl Scales {
    /// Those of an n × n matrix that needs them: its elements come near the ends of the range, or differ by more than 1/ε, and not only
    /// small ones beside others, of a permutation, that are all within 1/√ε of a largest one that does not come near.
    ///
    /// # Panics
    /// If `a` has not n² elements.
    #[track_caller]
    pub fn of<T: Float>(a: &[T], n: usize) -> Option<Self> {
        check_square("scales", a, n);
        let range = range(a);
        let all_far = range.largest > T::ZERO && is_far(&[range.largest]);
        let differs = range.is_far() || range.least < range.largest * T::EPSILON;
        let needed = all_far || differs && !has_permutation_from(a, n, range.largest * T::EPSILON.sqrt());
        needed.then(|| Self::always(a, n))
    }

    /// Those of any n × n matrix.
    pub(super) fn always<T: Float>(a: &[T], n: usize) -> Self {
        let costs: Vec<i64> = a.iter().map(|&x| exponent(x).map_or(NOTHING, |x| -x)).collect();
        assign(&costs, n)
    }

    /// B.
    pub fn divide<T: Float>(&self, a: &[T]) -> Vec<T> {
        let n = self.rows.len();
        let part = |(e, &x): (usize, &T)| times_power(x, -self.rows[e / n] - self.columns[e % n]);
        a.iter().enumerate().map(part).collect()
    }
}

/// ⌊log₂|x|⌋, but of 0 and what is not finite.
pub fn exponent<T: Float>(x: T) -> Option<i64> {
    let x = x.to_f64().abs();
    let bits = (x.to_bits() >> 52) as i64;
    match bits {
        0 if x == 0.0 => None,
        0 => Some((x * 2f64.powi(64)).to_bits() as i64 >> 52).map(|bits| bits - 1023 - 64),
        0x7ff => None,
        _ => Some(bits - 1023),
    }
}

/// x·2ᵉ, in steps, as the power may be out of range where the product is not.
pub fn times_power<T: Float>(x: T, exponent: i64) -> T {
    let (mut product, mut left) = (x.to_f64(), exponent.clamp(-5000, 5000));
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        product *= f64::powi(2.0, step as i32);
        left -= step;
    }
    T::from_f64(product)
}

/// X ← A⁻¹ B by the scales of A and a solver of equations with the scaled matrix, in place. Each right-hand side has its own
/// unit, as far as it must.
///
/// # Panics
/// If B or X have not as many rows as there are scales.
#[track_caller]
pub fn solve_scaled<T: Float>(
    [rows, columns]: [&[i64]; 2],
    b: &[T],
    x: &mut [T],
    solve: impl FnOnce(&mut [T]),
) {
    let count = b.len() / rows.len().max(1);
    check_right_hand_sides("scales", b, rows.len(), count);
    check_right_hand_sides("scales", x, columns.len(), count);
    let room = T::MAX.to_f64().log2() as i64 / 2;
    let units: Vec<i64> = (0..count)
        .map(|j| {
            let scaled =
                rows.iter().enumerate().filter_map(|(i, row)| Some(exponent(b[i * count + j])? - row));
            let largest = scaled.max().unwrap_or(0);
            largest - largest.clamp(-room, room)
        })
        .collect();
    for (e, (x, &b)) in x.iter_mut().zip(b).enumerate() {
        *x = times_power(b, -rows[e / count] - units[e % count]);
    }
    solve(x);
    for (e, x) in x.iter_mut().enumerate() {
        *x = times_power(*x, units[e % count] - columns[e / count]);
    }
}

/// A row or column that has no partner.
const FREE: usize = usize::MAX;

/// The permutation of least cost, by shortest paths (Kuhn and Munkres, as Jonker and Volgenant, 1987), and what of the costs
/// its rows and columns pay, negative.
fn assign(costs: &[i64], n: usize) -> Scales {
    let mut columns = vec![i64::MAX; n];
    for row in costs.chunks_exact(n.max(1)) {
        columns.iter_mut().zip(row).for_each(|(least, &cost)| *least = cost.min(*least));
    }
    let mut rows = vec![0; n];
    let (mut row_of, mut column_of) = (vec![FREE; n], vec![FREE; n]);
    // Most rows find a column that is cheapest for both.
    for (i, row) in costs.chunks_exact(n.max(1)).enumerate() {
        let left = |j: usize| row[j] - columns[j];
        rows[i] = (0..n).map(left).min().unwrap_or(0);
        if let Some(j) = (0..n).find(|&j| row_of[j] == FREE && left(j) == rows[i]) {
            (row_of[j], column_of[i]) = (i, j);
        }
    }
    for first in 0..n {
        if column_of[first] == FREE {
            augment(costs, n, first, [&mut rows, &mut columns], &mut row_of, &mut column_of);
        }
    }
    tighten(costs, n, &mut rows, &mut columns, &column_of);
    let negative = |x: Vec<i64>| x.into_iter().map(|x| -x).collect();
    Scales { rows: negative(rows), columns: negative(columns), places: column_of }
}

/// Moves what a row and its column pay from one to the other, so that the elements of the row and those of the column are as near to
/// the one that both share: small ones do not become 0 on one side while there is room on the other.
fn tighten(costs: &[i64], n: usize, rows: &mut [i64], columns: &mut [i64], column_of: &[usize]) {
    for (i, &place) in (0..n).zip(column_of) {
        let left = |i: usize, j: usize| costs[i * n + j] - rows[i] - columns[j];
        let in_row = (0..n).filter(|&j| j != place).map(|j| left(i, j)).min().unwrap_or(NOTHING);
        let in_column = (0..n).filter(|&k| k != i).map(|k| left(k, place)).min().unwrap_or(NOTHING);
        let moved = match [in_row, in_column].map(|left| left < NOTHING / 2) {
            [true, true] => (in_row - in_column) / 2,
            [true, false] => in_row,
            [false, true] => -in_column,
            [false, false] => 0,
        };
        rows[i] += moved;
        columns[place] -= moved;
    }
}

/// Gives row `first` a column, along the cheapest path of exchanges.
fn augment(
    costs: &[i64],
    n: usize,
    first: usize,
    [rows, columns]: [&mut [i64]; 2],
    row_of: &mut [usize],
    column_of: &mut [usize],
) {
    let (mut least, mut from) = (vec![i64::MAX; n], vec![first; n]);
    let mut reached: Vec<(usize, i64)> = Vec::new();
    let mut is_reached = vec![false; n];
    let (mut row, mut paid) = (first, 0);
    let last = loop {
        let mut next = FREE;
        for j in (0..n).filter(|&j| !is_reached[j]) {
            let cost = paid + costs[row * n + j] - rows[row] - columns[j];
            if cost < least[j] {
                (least[j], from[j]) = (cost, row);
            }
            if next == FREE || least[j] < least[next] {
                next = j;
            }
        }
        paid = least[next];
        if row_of[next] == FREE {
            break next;
        }
        is_reached[next] = true;
        reached.push((next, paid));
        row = row_of[next];
    };
    rows[first] += paid;
    for (j, cost) in reached {
        columns[j] -= paid - cost;
        rows[row_of[j]] += paid - cost;
    }
    let mut column = last;
    loop {
        let row = from[column];
        row_of[column] = row;
        std::mem::swap(&mut column_of[row], &mut column);
        if row == first {
            return;
        }
    }
}
