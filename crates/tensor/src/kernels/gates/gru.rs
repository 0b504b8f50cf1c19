//! The gated recurrent unit (Cho et al., "Learning phrase representations using RNN encoder–decoder", 2014; the reset gate is
//! applied to the product, as in PyTorch): r = σ(aᵣ + bᵣ), z = σ(a_z + b_z), n = tanh(aₙ + r·bₙ), h′ = n + z·(h − n), of the
//! products a of the input and b of the state, biases included.

use super::check;
use super::rows::{BLOCK, Gates, for_each_row, part, sigmoids};
use super::sequence::Steps;
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::simd::Isa;

/// The products of the input and of the state with the weights, `[rows, 3 · hidden]`, and the state, `[rows, hidden]`.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a, T> {
    /// Of the input: reset, update, new.
    pub a: &'a [T],
    /// Of the state: reset, update, new.
    pub b: &'a [T],
    /// The state.
    pub h: &'a [T],
}

impl<'a, T> Inputs<'a, T> {
    #[track_caller]
    fn check(&self, rows: usize, hidden: usize) {
        check(rows, hidden, &[(self.a, 3), (self.b, 3), (self.h, 1)]);
    }

    /// A block of a row: a, b and h.
    #[inline(always)]
    fn block(
        &self,
        row: usize,
        hidden: usize,
        start: usize,
        length: usize,
    ) -> ([&'a [T]; 3], [&'a [T]; 3], &'a [T]) {
        let gates = |x: &'a [T]| {
            [
                part(x, [row, 3, 0], hidden, start, length),
                part(x, [row, 3, 1], hidden, start, length),
                part(x, [row, 3, 2], hidden, start, length),
            ]
        };
        (gates(self.a), gates(self.b), part(self.h, [row, 1, 0], hidden, start, length))
    }
}

/// r, z and n of a block.
#[inline(always)]
fn gates<T: Float, I: Isa>(a: [&[T]; 3], b: [&[T]; 3]) -> [[T; BLOCK]; 3] {
    let [mut r, mut z, mut n] = [[T::ZERO; BLOCK]; 3];
    sigmoids::<T, I>(a[0], b[0], &mut r);
    sigmoids::<T, I>(a[1], b[1], &mut z);
    for (((n, &a), &b), &r) in n.iter_mut().zip(a[2]).zip(b[2]).zip(&r) {
        *n = I::mul_add(r, b, a).tanh::<I>();
    }
    [r, z, n]
}

struct Value<'a, T>(Inputs<'a, T>);

impl<T: Float> Gates<T> for Value<'_, T> {
    #[inline(always)]
    fn block<I: Isa>(&self, row: usize, hidden: usize, start: usize, length: usize, out: &mut [T]) {
        let (a, b, h) = self.0.block(row, hidden, start, length);
        let [_, z, n] = gates::<T, I>(a, b);
        for (((o, &h), &z), &n) in out[start..][..length].iter_mut().zip(h).zip(&z).zip(&n) {
            *o = I::mul_add(z, h - n, n);
        }
    }
}

struct Gradient<'a, T>(Inputs<'a, T>, &'a [T]);

impl<T: Float> Gates<T> for Gradient<'_, T> {
    #[inline(always)]
    fn block<I: Isa>(&self, row: usize, hidden: usize, start: usize, length: usize, out: &mut [T]) {
        let (a, b, h) = self.0.block(row, hidden, start, length);
        let v = part(self.1, [row, 1, 0], hidden, start, length);
        let [r, z, n] = gates::<T, I>(a, b);
        let (of_gates, of_h) = out.split_at_mut(6 * hidden);
        let of_h = &mut of_h[start..][..length];
        gradients_of_block([hidden, start, length], [&r, &z, &n], b[2], h, v, of_gates, of_h);
    }
}

/// The gradients of a's gates and of b's, one behind the other, and of h, without what comes by way of b.
#[inline(always)]
fn gradients_of_block<T: Float>(
    [hidden, start, length]: [usize; 3],
    [r, z, n]: [&[T]; 3],
    b_n: &[T],
    h: &[T],
    v: &[T],
    of_gates: &mut [T],
    of_h: &mut [T],
) {
    let [mut of_r, mut of_z, mut of_n] = [[T::ZERO; BLOCK]; 3];
    for (((o, &v), &z), &n) in of_n.iter_mut().zip(v).zip(z).zip(n) {
        *o = v * (T::ONE - z) * (T::ONE - n * n);
    }
    for (((o, &d), &b), &r) in of_r.iter_mut().zip(&of_n).zip(b_n).zip(r) {
        *o = d * b * r * (T::ONE - r);
    }
    for ((((o, &v), &h), &z), &n) in of_z.iter_mut().zip(v).zip(h).zip(z).zip(n) {
        *o = v * (h - n) * z * (T::ONE - z);
    }
    let mut parts = of_gates.chunks_exact_mut(hidden).map(|part| &mut part[start..][..length]);
    let mut next = || parts.next().expect("six parts");
    for gate in [&of_r, &of_z, &of_n, &of_r, &of_z] {
        next().copy_from_slice(&gate[..length]);
    }
    for ((o, &d), &r) in next().iter_mut().zip(&of_n).zip(r) {
        *o = d * r;
    }
    for ((o, &v), &z) in of_h.iter_mut().zip(v).zip(z) {
        *o = v * z;
    }
}

/// The unit in a sequence. Kept are r, z, n and bₙ.
pub(super) struct Gru;

impl<T: Float> Steps<T> for Gru {
    const GATES: usize = 3;
    const KEPT: usize = 4;
    const GRADIENTS: usize = 6;
    const OF_STATE: usize = 3;
    const HAS_CELL: bool = false;

    #[inline(always)]
    fn forward<I: Isa>(at: [usize; 3], [a, b]: [&[T]; 2], state: &[T], h: &mut [T], kept: &mut [T]) {
        let [hidden, start, length] = at;
        let (a, b, state) = Inputs { a, b, h: state }.block(0, hidden, start, length);
        let [r, z, n] = gates::<T, I>(a, b);
        for (((y, &h), &z), &n) in h[start..][..length].iter_mut().zip(state).zip(&z).zip(&n) {
            *y = I::mul_add(z, h - n, n);
        }
        for (to, from) in kept.chunks_exact_mut(hidden).zip([&r[..], &z, &n, b[2]]) {
            to[start..][..length].copy_from_slice(&from[..length]);
        }
    }

    #[inline(always)]
    fn backward<I: Isa>(
        at: [usize; 3],
        kept: &[T],
        state: &[T],
        v: &[T],
        [to_h, _]: [&mut [T]; 2],
        gradients: &mut [T],
    ) {
        let [hidden, start, length] = at;
        let [r, z, n, b_n] = [0, 1, 2, 3].map(|k| part(kept, [0, 4, k], hidden, start, length));
        let to_h = &mut to_h[start..][..length];
        let mut v_h = [T::ZERO; BLOCK];
        for ((y, &v), &later) in v_h.iter_mut().zip(&v[start..][..length]).zip(&*to_h) {
            *y = v + later;
        }
        let state = &state[start..][..length];
        gradients_of_block(at, [r, z, n], b_n, state, &v_h[..length], gradients, to_h);
    }
}

struct Tangent<'a, T>(Inputs<'a, T>, Inputs<'a, T>);

impl<T: Float> Gates<T> for Tangent<'_, T> {
    #[inline(always)]
    fn block<I: Isa>(&self, row: usize, hidden: usize, start: usize, length: usize, out: &mut [T]) {
        let (a, b, h) = self.0.block(row, hidden, start, length);
        let (t_a, t_b, t_h) = self.1.block(row, hidden, start, length);
        let [r, z, n] = gates::<T, I>(a, b);
        let mut along_n = [T::ZERO; BLOCK];
        for (((o, &t_a), &t_b), &r) in along_n.iter_mut().zip(t_a[0]).zip(t_b[0]).zip(&r) {
            *o = (t_a + t_b) * r * (T::ONE - r);
        }
        for (((((o, &b), &t_a), &t_b), &r), &n) in
            along_n.iter_mut().zip(b[2]).zip(t_a[2]).zip(t_b[2]).zip(&r).zip(&n)
        {
            *o = (T::ONE - n * n) * (t_a + *o * b + r * t_b);
        }
        let mut along_z = [T::ZERO; BLOCK];
        for (((o, &t_a), &t_b), &z) in along_z.iter_mut().zip(t_a[1]).zip(t_b[1]).zip(&z) {
            *o = (t_a + t_b) * z * (T::ONE - z);
        }
        let out = out[start..][..length].iter_mut();
        for ((((((o, &h), &t_h), &z), &n), &t_z), &t_n) in
            out.zip(h).zip(t_h).zip(&z).zip(&n).zip(&along_z).zip(&along_n)
        {
            *o = t_n + t_z * (h - n) + z * (t_h - t_n);
        }
    }
}

/// The next state of every row.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn value<T: Float>(hidden: usize, inputs: Inputs<'_, T>, out: &mut [T]) {
    compiled_here! {
        fn value<T: Float>(hidden: usize, inputs: Inputs<'_, T>, out: &mut [T]) {
            for_each_row(hidden, 1, out, &Value(inputs));
        }
    }
    inputs.check(out.len() / hidden.max(1), hidden);
    value(hidden, inputs, out);
}

/// The gradients for the cotangent `v` of the next state: in each row a's three, b's three, and h's.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn gradients<T: Float>(hidden: usize, inputs: Inputs<'_, T>, v: &[T], out: &mut [T]) {
    compiled_here! {
        fn gradients<T: Float>(hidden: usize, inputs: Inputs<'_, T>, v: &[T], out: &mut [T]) {
            for_each_row(hidden, 7, out, &Gradient(inputs, v));
        }
    }
    let rows = v.len() / hidden.max(1);
    inputs.check(rows, hidden);
    check(rows, hidden, &[(v, 1), (out, 7)]);
    gradients(hidden, inputs, v, out);
}

/// The tangent of the next state along tangents of the inputs.
///
/// # Panics
/// If a slice has another length.
#[track_caller]
pub fn tangent<T: Float>(hidden: usize, inputs: Inputs<'_, T>, along: Inputs<'_, T>, out: &mut [T]) {
    compiled_here! {
        fn tangent<T: Float>(hidden: usize, inputs: Inputs<'_, T>, along: Inputs<'_, T>, out: &mut [T]) {
            for_each_row(hidden, 1, out, &Tangent(inputs, along));
        }
    }
    inputs.check(out.len() / hidden.max(1), hidden);
    along.check(out.len() / hidden.max(1), hidden);
    tangent(hidden, inputs, along, out);
}
