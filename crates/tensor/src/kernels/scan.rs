//! Linear recurrences of rows, and the logarithms of cumulative sums.

use std::ops::{Add, Mul};

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::loops::rows::{map_slices, row_of};
use crate::machine::simd::Isa;
use crate::math::Transcendental;

/// What a recurrence is computed in: `f64`, since parts of a product of `f32` may leave the range of numbers though the whole
/// does not, or that with a derivative.
pub(super) trait Number: Copy + Add<Output = Self> + Mul<Output = Self> {
    /// −0, which is what changes no number when added, not even −0.
    const NOTHING: Self;

    /// Whether the number is 0, with all its derivatives.
    fn is_zero(self) -> bool;

    /// Whether it is one that adds nothing.
    fn is_nothing(self) -> bool;

    /// `added` + `factor` · `self`. What is multiplied by 0 and replaced is not looked at, be it infinite: another product or row begins.
    #[inline(always)]
    fn next(self, added: Self, factor: Self) -> Self {
        if factor.is_zero() && !added.is_nothing() { added } else { added + factor * self }
    }
}

impl Number for f64 {
    const NOTHING: f64 = -0.0;

    #[inline(always)]
    fn is_zero(self) -> bool {
        self == 0.0
    }

    #[inline(always)]
    fn is_nothing(self) -> bool {
        self.to_bits() == Self::NOTHING.to_bits()
    }
}

/// A number and its derivative in some direction; of such numbers, with a second derivative.
#[derive(Clone, Copy)]
struct Dual<N = f64> {
    value: N,
    tangent: N,
}

impl<N: Number> Add for Dual<N> {
    type Output = Dual<N>;
    #[inline(always)]
    fn add(self, other: Dual<N>) -> Dual<N> {
        Dual { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<N: Number> Mul for Dual<N> {
    type Output = Dual<N>;
    #[inline(always)]
    fn mul(self, other: Dual<N>) -> Dual<N> {
        Dual {
            value: self.value * other.value,
            tangent: self.tangent * other.value + self.value * other.tangent,
        }
    }
}

impl<N: Number> Number for Dual<N> {
    const NOTHING: Dual<N> = Dual { value: N::NOTHING, tangent: N::NOTHING };

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.value.is_zero() && self.tangent.is_zero()
    }

    #[inline(always)]
    fn is_nothing(self) -> bool {
        self.value.is_nothing()
    }
}

/// The elements of a row by number.
#[inline(always)]
fn plain<T: Float>(row: &[T]) -> impl Fn(usize) -> f64 {
    |i| row[i].to_f64()
}

/// The elements of a row and those of their tangents, by number.
#[inline(always)]
fn dual<T: Float>(row: &[T], tangents: &[T]) -> impl Fn(usize) -> Dual {
    |i| Dual { value: row[i].to_f64(), tangent: tangents[i].to_f64() }
}

/// Solves sᵢ = cᵢ + aᵢ·sᵢ₋₁, for i below `length`.
#[inline(always)]
fn solve<N: Number>(
    length: usize,
    c: impl Fn(usize) -> N,
    a: impl Fn(usize) -> N,
    mut write: impl FnMut(usize, N),
) {
    let mut state = N::NOTHING;
    for i in 0..length {
        state = state.next(c(i), a(i));
        write(i, state);
    }
}

/// Of each factor aᵢ of a recurrence the slope rᵢ·sᵢ₋₁, where r is the recurrence of the row backwards, rᵢ = vᵢ + aᵢ₊₁·rᵢ₊₁,
/// and s that of c forwards. The first has none, since nothing comes before it.
#[inline(always)]
fn slopes<N: Number>(
    length: usize,
    v: impl Fn(usize) -> N,
    c: impl Fn(usize) -> N,
    a: impl Fn(usize) -> N,
    mut write: impl FnMut(usize, N),
) {
    let mut backwards: SmallVec<[N; 64]> = SmallVec::from_elem(N::NOTHING, length);
    let mut state = N::NOTHING;
    for i in (0..length).rev() {
        state = if i + 1 < length { state.next(v(i), a(i + 1)) } else { v(i) };
        backwards[i] = state;
    }
    let mut before = N::NOTHING;
    for i in 0..length {
        if i > 0 {
            write(i, backwards[i] * before);
        }
        before = if i > 0 { before.next(c(i), a(i)) } else { c(i) };
    }
}

/// sᵢ = cᵢ + aᵢ·sᵢ₋₁ with these a.
struct Recurrence<'a, T>(&'a [T]);

impl<T: Float> RowMap<T, T> for Recurrence<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, c: &[T], out: &mut [T]) {
        let a = row_of(self.0, index, c.len());
        solve(c.len(), plain(c), plain(a), |i, s| out[i] = T::from_f64(s));
    }
}

/// The tangent of a recurrence with these factors, for these tangents of what is added and of the factors.
struct RecurrenceTangent<'a, T> {
    factors: &'a [T],
    added_tangents: &'a [T],
    factor_tangents: &'a [T],
}

impl<T: Float> RowMap<T, T> for RecurrenceTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, c: &[T], out: &mut [T]) {
        let row = |of| row_of(of, index, c.len());
        let a = dual(row(self.factors), row(self.factor_tangents));
        solve(c.len(), dual(c, row(self.added_tangents)), a, |i, s| out[i] = T::from_f64(s.tangent));
    }
}

/// The derivative of that tangent: of these factors and their tangents, and in a further direction of what is added, the factors
/// and their tangents.
struct SecondTangent<'a, T> {
    factors: [&'a [T]; 4],
    added: [&'a [T]; 3],
}

impl<T: Float> RowMap<T, T> for SecondTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, c: &[T], out: &mut [T]) {
        let row = |of| row_of(of, index, c.len());
        let [a, t_a, u_a, u_t_a] = self.factors.map(row);
        let [t_c, u_c, u_t_c] = self.added.map(row);
        let both = |value: &[T], t: &[T], u: &[T], u_t: &[T], i: usize| Dual {
            value: Dual { value: value[i].to_f64(), tangent: t[i].to_f64() },
            tangent: Dual { value: u[i].to_f64(), tangent: u_t[i].to_f64() },
        };
        let (c, a) = (|i| both(c, t_c, u_c, u_t_c, i), |i| both(a, t_a, u_a, u_t_a, i));
        solve(out.len(), c, a, |i, s| out[i] = T::from_f64(s.tangent.tangent));
    }
}

/// The slopes of the factors of a recurrence.
struct FactorSlopes<'a, T> {
    added: &'a [T],
    factors: &'a [T],
}

impl<T: Float> RowMap<T, T> for FactorSlopes<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, v: &[T], out: &mut [T]) {
        let row = |of| row_of(of, index, v.len());
        out[0] = T::ZERO;
        let write = |i: usize, slope: f64| out[i] = T::from_f64(slope);
        slopes(v.len(), plain(v), plain(row(self.added)), plain(row(self.factors)), write);
    }
}

/// The tangents of the slopes of the factors, for these tangents of v, of what is added and of the factors.
struct SlopeTangents<'a, T> {
    of: FactorSlopes<'a, T>,
    tangents: [&'a [T]; 3],
}

impl<T: Float> RowMap<T, T> for SlopeTangents<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, v: &[T], out: &mut [T]) {
        let row = |of| row_of(of, index, v.len());
        let [v_tangents, c_tangents, a_tangents] = self.tangents;
        let (c, a) = (row(self.of.added), row(self.of.factors));
        out[0] = T::ZERO;
        let write = |i: usize, slope: Dual| out[i] = T::from_f64(slope.tangent);
        slopes(v.len(), dual(v, row(v_tangents)), dual(c, row(c_tangents)), dual(a, row(a_tangents)), write);
    }
}

/// ln Σeˣ of each element and all before it, in `f64`: the largest so far, and the sum relative to it.
struct LogSums;

impl<T: Float> RowMap<T, T> for LogSums {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let (mut largest, mut sum) = (f64::NEG_INFINITY, 0.0f64);
        for (o, &x) in out.iter_mut().zip(x) {
            let x = x.to_f64();
            // Equal infinities have no difference.
            if x == largest {
                sum += 1.0;
            } else if x > largest {
                sum = sum * Transcendental::exp::<I>(largest - x) + 1.0;
                largest = x;
            } else {
                sum += Transcendental::exp::<I>(x - largest);
            }
            *o = T::from_f64(if largest.is_infinite() && !sum.is_nan() {
                largest
            } else {
                largest + Transcendental::ln::<I>(sum)
            });
        }
    }
}

compiled_here! {
    /// The logarithms of the sums of the exponentials of each element and all before it in every row.
    pub(crate) fn log_sums<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &LogSums);
    }
}

compiled_here! {
    /// The slopes of the factors of recurrences, of `v`, of what is added and of the factors.
    pub(crate) fn recurrence_slopes<T: Float>(
        v: &[T],
        added: &[T],
        factors: &[T],
        length: usize,
        out: &mut [T],
    ) {
        map_slices(v, length, out, &FactorSlopes { added, factors });
    }
}

compiled_here! {
    /// The tangents of those slopes, of the rows and of their tangents in the same order.
    pub(crate) fn recurrence_slopes_tangent<T: Float>(
        rows: [&[T]; 3],
        tangents: [&[T]; 3],
        length: usize,
        out: &mut [T],
    ) {
        let [v, added, factors] = rows;
        map_slices(v, length, out, &SlopeTangents { of: FactorSlopes { added, factors }, tangents });
    }
}

compiled_here! {
    /// The tangent of the solution of sᵢ = cᵢ + aᵢ·sᵢ₋₁, of c and a and of their tangents.
    pub(crate) fn recurrence_tangent<T: Float>(
        rows: [&[T]; 2],
        tangents: [&[T]; 2],
        length: usize,
        out: &mut [T],
    ) {
        let ([c, factors], [added_tangents, factor_tangents]) = (rows, tangents);
        map_slices(c, length, out, &RecurrenceTangent { factors, added_tangents, factor_tangents });
    }
}

compiled_here! {
    /// The derivative of that tangent, of c, a and their tangents and of the tangents of those four in a further direction.
    pub(crate) fn recurrence_second_tangent<T: Float>(
        rows: [&[T]; 4],
        tangents: [&[T]; 4],
        length: usize,
        out: &mut [T],
    ) {
        let ([c, a, t_c, t_a], [u_c, u_a, u_t_c, u_t_a]) = (rows, tangents);
        map_slices(c, length, out, &SecondTangent { factors: [a, t_a, u_a, u_t_a], added: [t_c, u_c, u_t_c] });
    }
}

compiled_here! {
    /// The solution of sᵢ = cᵢ + aᵢ·sᵢ₋₁ of every row of `length` elements.
    pub(crate) fn recurrence<T: Float>(c: &[T], a: &[T], length: usize, out: &mut [T]) {
        map_slices(c, length, out, &Recurrence(a));
    }
}
