//! The unit with a long short-term memory (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers, Schmidhuber and
//! Cummins, "Learning to forget", 2000): of the sums s = a + b of the products of the input and of the state, biases
//! included, i = σ(sᵢ), f = σ(s_f), g = tanh(s_g), o = σ(sₒ), c′ = f·c + i·g, h′ = o·tanh(c′).

use super::check;
use super::rows::{BLOCK, Gates, for_each_row, part, sigmoids, tanhs};
use super::sequence::Steps;
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::simd::Isa;

/// The products of the input and of the state with the weights, `[rows, 4 · hidden]`, and the cell's content, `[rows, hidden]`.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a, T> {
    /// Of the input: input, forget, cell, output.
    pub a: &'a [T],
    /// Of the state: input, forget, cell, output.
    pub b: &'a [T],
    /// What the cell holds.
    pub c: &'a [T],
}

impl<'a, T> Inputs<'a, T> {
    #[track_caller]
    fn check(&self, rows: usize, hidden: usize) {
        check(rows, hidden, &[(self.a, 4), (self.b, 4), (self.c, 1)]);
    }

    /// A block of gate number `gate` of a row.
    #[inline(always)]
    fn gate(&self, row: usize, gate: usize, [hidden, start, length]: [usize; 3]) -> [&'a [T]; 2] {
        [self.a, self.b].map(|x| part(x, [row, 4, gate], hidden, start, length))
    }

    /// A block of what the cell holds.
    #[inline(always)]
    fn cell(&self, row: usize, [hidden, start, length]: [usize; 3]) -> &'a [T] {
        part(self.c, [row, 1, 0], hidden, start, length)
    }
}

/// The gates of a block and tanh(c′).
struct Block<T> {
    i: [T; BLOCK],
    f: [T; BLOCK],
    g: [T; BLOCK],
    o: [T; BLOCK],
    /// c′.
    cell: [T; BLOCK],
    /// tanh(c′).
    shown: [T; BLOCK],
}

#[inline(always)]
fn gates<T: Float, I: Isa>(inputs: &Inputs<'_, T>, row: usize, at: [usize; 3]) -> Block<T> {
    let [mut i, mut f, mut g, mut o, mut cell, mut shown] = [[T::ZERO; BLOCK]; 6];
    let [a, b] = inputs.gate(row, 0, at);
    sigmoids::<T, I>(a, b, &mut i);
    let [a, b] = inputs.gate(row, 1, at);
    sigmoids::<T, I>(a, b, &mut f);
    let [a, b] = inputs.gate(row, 2, at);
    tanhs::<T, I>(a, b, &mut g);
    let [a, b] = inputs.gate(row, 3, at);
    sigmoids::<T, I>(a, b, &mut o);
    for ((((y, &c), &i), &f), &g) in cell.iter_mut().zip(inputs.cell(row, at)).zip(&i).zip(&f).zip(&g) {
        *y = I::mul_add(f, c, i * g);
    }
    for (y, &c) in shown[..at[2]].iter_mut().zip(&cell) {
        *y = c.tanh::<I>();
    }
    Block { i, f, g, o, cell, shown }
}

struct Value<'a, T>(Inputs<'a, T>);

impl<T: Float> Gates<T> for Value<'_, T> {
    #[inline(always)]
    fn block<I: Isa>(&self, row: usize, hidden: usize, start: usize, length: usize, out: &mut [T]) {
        let Block { o, cell, shown, .. } = gates::<T, I>(&self.0, row, [hidden, start, length]);
        let (of_h, of_c) = out.split_at_mut(hidden);
        for ((y, &o), &t) in of_h[start..][..length].iter_mut().zip(&o).zip(&shown) {
            *y = o * t;
        }
        of_c[start..][..length].copy_from_slice(&cell[..length]);
    }
}

struct Gradient<'a, T>(Inputs<'a, T>, &'a [T]);

impl<T: Float> Gates<T> for Gradient<'_, T> {
    #[inline(always)]
    fn block<I: Isa>(&self, row: usize, hidden: usize, start: usize, length: usize, out: &mut [T]) {
        let at = [hidden, start, length];
        let Block { i, f, g, o, shown, .. } = gates::<T, I>(&self.0, row, at);
        let v = [0, 1].map(|k| part(self.1, [row, 2, k], hidden, start, length));
        let (of_gates, of_c) = out.split_at_mut(4 * hidden);
        let of_c = &mut of_c[start..][..length];
        gradients_of_block(at, [&i, &f, &g, &o], &shown, self.0.cell(row, at), v, of_gates, of_c);
    }
}

/// The gradients of the four sums, one behind the other, and of c, for the cotangents of h′ and c′.
#[inline(always)]
fn gradients_of_block<T: Float>(
    [hidden, start, length]: [usize; 3],
    [i, f, g, o]: [&[T]; 4],
    shown: &[T],
    c: &[T],
    [v_h, v_c]: [&[T]; 2],
    of_gates: &mut [T],
    of_c: &mut [T],
) {
    let mut through = [T::ZERO; BLOCK];
    for ((((y, &v_h), &v_c), &o), &t) in through.iter_mut().zip(v_h).zip(v_c).zip(o).zip(shown) {
        *y = v_c + v_h * o * (T::ONE - t * t);
    }
    let mut parts = of_gates.chunks_exact_mut(hidden).map(|part| part[start..][..length].iter_mut());
    let mut next = || parts.next().expect("four parts");
    for (((y, &d), &g), &i) in next().zip(&through).zip(g).zip(i) {
        *y = d * g * i * (T::ONE - i);
    }
    for (((y, &d), &c), &f) in next().zip(&through).zip(c).zip(f) {
        *y = d * c * f * (T::ONE - f);
    }
    for (((y, &d), &i), &g) in next().zip(&through).zip(i).zip(g) {
        *y = d * i * (T::ONE - g * g);
    }
    for (((y, &v), &t), &o) in next().zip(v_h).zip(shown).zip(o) {
        *y = v * t * o * (T::ONE - o);
    }
    for ((y, &d), &f) in of_c.iter_mut().zip(&through).zip(f) {
        *y = d * f;
    }
}

/// The unit in a sequence. Kept are i, f, g, o and c′.
pub(super) struct Lstm;

impl<T: Float> Steps<T> for Lstm {
    const GATES: usize = 4;
    const KEPT: usize = 5;
    const GRADIENTS: usize = 4;
    const OF_STATE: usize = 0;
    const HAS_CELL: bool = true;

    #[inline(always)]
    fn forward<I: Isa>(at: [usize; 3], [a, b]: [&[T]; 2], state: &[T], h: &mut [T], kept: &mut [T]) {
        let [hidden, start, length] = at;
        let Block { i, f, g, o, cell, shown } = gates::<T, I>(&Inputs { a, b, c: state }, 0, at);
        for ((y, &o), &t) in h[start..][..length].iter_mut().zip(&o).zip(&shown) {
            *y = o * t;
        }
        for (to, from) in kept.chunks_exact_mut(hidden).zip([i, f, g, o, cell]) {
            to[start..][..length].copy_from_slice(&from[..length]);
        }
    }

    #[inline(always)]
    fn backward<I: Isa>(
        at: [usize; 3],
        kept: &[T],
        state: &[T],
        v: &[T],
        [to_h, to_c]: [&mut [T]; 2],
        gradients: &mut [T],
    ) {
        let [hidden, start, length] = at;
        let [i, f, g, o, cell] = [0, 1, 2, 3, 4].map(|k| part(kept, [0, 5, k], hidden, start, length));
        let [mut shown, mut v_h, mut v_c] = [[T::ZERO; BLOCK]; 3];
        for (y, &c) in shown.iter_mut().zip(cell) {
            *y = c.tanh::<I>();
        }
        for ((y, &v), &later) in v_h.iter_mut().zip(&v[start..][..length]).zip(&to_h[start..][..length]) {
            *y = v + later;
        }
        let to_c = &mut to_c[start..][..length];
        v_c[..length].copy_from_slice(to_c);
        let state = &state[start..][..length];
        gradients_of_block(at, [i, f, g, o], &shown, state, [&v_h, &v_c], gradients, to_c);
    }
}

struct Tangent<'a, T>(Inputs<'a, T>, Inputs<'a, T>);

impl<T: Float> Gates<T> for Tangent<'_, T> {
    #[inline(always)]
    fn block<I: Isa>(&self, row: usize, hidden: usize, start: usize, length: usize, out: &mut [T]) {
        let at = [hidden, start, length];
        let Block { i, f, g, o, shown, .. } = gates::<T, I>(&self.0, row, at);
        let (c, t_c) = (self.0.cell(row, at), self.1.cell(row, at));
        let mut along_c = [T::ZERO; BLOCK];
        let [t_a, t_b] = self.1.gate(row, 0, at);
        for ((((y, &t_a), &t_b), &i), &g) in along_c.iter_mut().zip(t_a).zip(t_b).zip(&i).zip(&g) {
            *y = (t_a + t_b) * i * (T::ONE - i) * g;
        }
        let [t_a, t_b] = self.1.gate(row, 1, at);
        for (((((y, &t_a), &t_b), &f), &c), &t_c) in
            along_c.iter_mut().zip(t_a).zip(t_b).zip(&f).zip(c).zip(t_c)
        {
            *y += (t_a + t_b) * f * (T::ONE - f) * c + f * t_c;
        }
        let [t_a, t_b] = self.1.gate(row, 2, at);
        for ((((y, &t_a), &t_b), &i), &g) in along_c.iter_mut().zip(t_a).zip(t_b).zip(&i).zip(&g) {
            *y += i * (T::ONE - g * g) * (t_a + t_b);
        }
        let [t_a, t_b] = self.1.gate(row, 3, at);
        let (of_h, of_c) = out.split_at_mut(hidden);
        let of_h = of_h[start..][..length].iter_mut();
        for (((((y, &t_a), &t_b), &o), &shown), &t_c) in
            of_h.zip(t_a).zip(t_b).zip(&o).zip(&shown).zip(&along_c)
        {
            *y = (t_a + t_b) * o * (T::ONE - o) * shown + o * (T::ONE - shown * shown) * t_c;
        }
        of_c[start..][..length].copy_from_slice(&along_c[..length]);
    }
}

/// The next state of every row: h′, c′.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn value<T: Float>(hidden: usize, inputs: Inputs<'_, T>, out: &mut [T]) {
    compiled_here! {
        fn value<T: Float>(hidden: usize, inputs: Inputs<'_, T>, out: &mut [T]) {
            for_each_row(hidden, 2, out, &Value(inputs));
        }
    }
    let rows = inputs.c.len() / hidden.max(1);
    inputs.check(rows, hidden);
    check(rows, hidden, &[(out, 2)]);
    value(hidden, inputs, out);
}

/// The gradients for the cotangent `v` of the next state, h′ and c′ of each row: in each row those of the four sums, and c's.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn gradients<T: Float>(hidden: usize, inputs: Inputs<'_, T>, v: &[T], out: &mut [T]) {
    compiled_here! {
        fn gradients<T: Float>(hidden: usize, inputs: Inputs<'_, T>, v: &[T], out: &mut [T]) {
            for_each_row(hidden, 5, out, &Gradient(inputs, v));
        }
    }
    let rows = inputs.c.len() / hidden.max(1);
    inputs.check(rows, hidden);
    check(rows, hidden, &[(v, 2), (out, 5)]);
    gradients(hidden, inputs, v, out);
}

/// The tangent of the next state, h′ and c′ of each row, along tangents of the inputs.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn tangent<T: Float>(hidden: usize, inputs: Inputs<'_, T>, along: Inputs<'_, T>, out: &mut [T]) {
    compiled_here! {
        fn tangent<T: Float>(hidden: usize, inputs: Inputs<'_, T>, along: Inputs<'_, T>, out: &mut [T]) {
            for_each_row(hidden, 2, out, &Tangent(inputs, along));
        }
    }
    let rows = inputs.c.len() / hidden.max(1);
    inputs.check(rows, hidden);
    along.check(rows, hidden);
    check(rows, hidden, &[(out, 2)]);
    tangent(hidden, inputs, along, out);
}
