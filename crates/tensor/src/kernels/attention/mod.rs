//! Scaled dot-product attention: softmax(scale · Q·Kᵀ + bias)·V (A. Vaswani et al., "Attention is all you need", 2017),
//! without ever holding all scores.
//!
//! The scores are computed by tiles of some queries and some keys. The value needs, for each query, the largest score so
//! far and the sum of the weights relative to it; what has been summed up is scaled anew whenever a larger score comes
//! (M. Milakov and N. Gimelshein, "Online normalizer calculation for softmax", 2018). The gradients compute the tiles
//! again, with two statistics of each query's softmax kept from the value (T. Dao et al., "FlashAttention", 2022), and so do
//! the derivatives of the gradients and of the tangent. The statistics are the largest score and 1 over the sum of the weights
//! relative to it. The logarithm of the sum of all would be one number, but known to the machine's precision times the
//! largest score only, and the weights no better.
//!
//! A query to which no key takes part has the value 0, and zero gradients. Keys and values that take no part for a query do
//! not reach its value or derivatives, even if they are no numbers. Results lie as `[batch, length, heads, width]`,
//! so that the heads of a position follow each other; the numbers of the queries as `[batch, queries, heads]`. The same
//! bits for any number of threads: every piece of a result is summed up by one of them, in one order.

mod dominant;
mod formulas;
mod forward;
mod geometry;
mod gradient;
mod pieces;
mod products;
mod second;
#[cfg(test)]
mod tests;
mod tile;

pub use forward::AttentionTangents;
pub use geometry::{AttentionGeometry, AttentionOperands, View};

use crate::array::element::Float;
use crate::compiled_here;
use crate::random::Generator;
use gradient::{Backward, Contributions};
use second::BackwardAlong;
use tile::{KEYS, Problem, QUERIES, Tile, draw_factors, ranges};

compiled_here! {
    /// The value, of `[batch, queries, heads, value_width]`, and the statistics of the softmax, of `[batch, queries, heads,
    /// 2]`: the largest score, and 1 over the sum of the weights relative to it, or both 0 where no key takes part.
    pub fn value<T: Float>(
        geometry: &AttentionGeometry,
        operands: &AttentionOperands<'_, T>,
        out: &mut [T],
        statistics: &mut [T],
    ) {
        forward::value(&Problem { geometry, operands }, out, statistics);
    }
}

compiled_here! {
    /// The tangent of [`value`], which and whose statistics are given.
    pub fn tangent<T: Float>(
        geometry: &AttentionGeometry,
        operands: &AttentionOperands<'_, T>,
        along: &AttentionTangents<'_, T>,
        value: &View<'_, T>,
        statistics: &[T],
        out: &mut [T],
    ) {
        forward::tangent(&Problem { geometry, operands }, along, value, pairs(statistics), out, &mut []);
    }
}

/// The two of each query.
fn pairs<T>(statistics: &[T]) -> &[[T; 2]] {
    statistics.as_chunks().0
}

/// Where the gradients go; `None` for those that nobody needs.
pub struct AttentionGradients<'a, T> {
    /// Of the queries, `[batch, queries, heads, width]`.
    pub query: Option<&'a mut [T]>,
    /// Of the keys and of the values, `[batch, keys, key_heads, width]` and `[batch, keys, key_heads, value_width]`.
    pub key_and_value: Option<[&'a mut [T]; 2]>,
    /// Of the bias, with its shape, whose axes are those of the scores `[batch, heads, queries, keys]` or 1 long.
    pub bias: Option<([usize; 4], &'a mut [T])>,
}

compiled_here! {
    /// The gradients for the `cotangent` of [`value`], which and whose statistics are given.
    pub fn gradients<T: Float>(
        geometry: &AttentionGeometry,
        operands: &AttentionOperands<'_, T>,
        value: &View<'_, T>,
        statistics: &[T],
        cotangent: &View<'_, T>,
        out: AttentionGradients<'_, T>,
    ) {
        write(&Backward::new(Problem { geometry, operands }, *value, *cotangent, pairs(statistics)), out);
    }
}

/// What tiles contribute goes where it is needed.
fn write<T: Float>(contributions: &impl Contributions<T>, out: AttentionGradients<'_, T>) {
    if let Some(out) = out.query {
        contributions.queries(out);
    }
    if let Some(out) = out.key_and_value {
        contributions.keys_and_values(out);
    }
    if let Some((shape, out)) = out.bias {
        contributions.bias(shape, out);
    }
}

compiled_here! {
    /// The tangents of [`gradients`] along tangents of the operands and of the `cotangent`; by the symmetry of second
    /// derivatives also the gradients of what `gradients` gives, along the first, for fixed weights of its results.
    #[allow(clippy::too_many_arguments)]
    pub fn gradients_along<T: Float>(
        geometry: &AttentionGeometry,
        operands: &AttentionOperands<'_, T>,
        value: &View<'_, T>,
        statistics: &[T],
        cotangent: &View<'_, T>,
        along: &AttentionTangents<'_, T>,
        along_cotangent: Option<View<'_, T>>,
        out: AttentionGradients<'_, T>,
    ) {
        let backward = Backward::new(Problem { geometry, operands }, *value, *cotangent, pairs(statistics));
        write(&BackwardAlong::new(backward, along, along_cotangent), out);
    }
}

compiled_here! {
    /// The tangent of [`tangent`] where the operands move along the second of these, and the tangents, the first, along the
    /// third.
    pub fn second_tangent<T: Float>(
        geometry: &AttentionGeometry,
        operands: &AttentionOperands<'_, T>,
        along: [&AttentionTangents<'_, T>; 3],
        value: &View<'_, T>,
        statistics: &[T],
        out: &mut [T],
    ) {
        second::second_tangent(&Problem { geometry, operands }, along, value, pairs(statistics), out);
    }
}

compiled_here! {
    /// What dropout with probability `p` multiplies the weights by, all of them, of that shape `[batch, heads, queries,
    /// keys]`.
    pub fn dropout_factors<T: Float>(shape: [usize; 4], p: f64, generator: &Generator, out: &mut [T]) {
        let [batch, heads, queries, keys] = shape;
        let mut space = [T::ZERO; QUERIES * KEYS];
        for (matrix, out) in out.chunks_exact_mut((queries * keys).max(1)).enumerate().take(batch * heads) {
            for (rows, columns) in ranges(queries, QUERIES).flat_map(|rows| ranges(keys, KEYS).map(move |c| (rows.clone(), c))) {
                let tile = Tile { batch: matrix / heads, head: matrix % heads, queries: rows.clone(), keys: columns.clone() };
                let factors = &mut space[..rows.len() * columns.len()];
                draw_factors(&tile, [heads, queries, keys], p, generator, factors);
                for (query, factors) in rows.zip(factors.chunks_exact(columns.len())) {
                    out[query * keys..][columns.clone()].copy_from_slice(factors);
                }
            }
        }
    }
}
