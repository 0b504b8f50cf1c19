//! The value and its tangent, tile by tile.

use super::formulas::{Absorb, Finish, Multiply, Running, Tangent};
use super::geometry::{AttentionGeometry, View};
use super::pieces::{Piece, copy_head, for_each_piece};
use super::products::all_finite;
use super::tile::{Problem, QUERIES, Workspace, of_queries};
use crate::array::element::Float;
use crate::loops::spare::Partials;
use crate::machine::simd::dispatch;

/// The values, and the statistics of the softmax.
pub(super) fn value<T: Float>(problem: &Problem<'_, T>, out: &mut [T], statistics: &mut [T]) {
    let geometry = problem.geometry;
    let AttentionGeometry { heads, queries, value_width, .. } = *geometry;
    for_each_piece(geometry, [queries, heads], QUERIES, [(out, value_width), (statistics, 2)], &|piece| {
        let rows = piece.positions.len();
        let mut space = Workspace::new(problem);
        let mut values = Partials::equal(T::ZERO, rows * value_width);
        let mut statistics = Partials::equal([T::ZERO; 2], rows);
        for head in 0..heads {
            problem.with_care(|care| {
                let mut running = Running::new(rows);
                values.fill(T::ZERO);
                for tile in problem.tiles(piece.batch, head, piece.positions.clone()) {
                    let columns = tile.keys.len();
                    let ([weights], factors) = space.of_tile(&tile);
                    problem.scores(&tile, weights);
                    let (running, values) = (&mut running, &mut values[..]);
                    dispatch(Absorb { scores: weights, columns, running, values, value_width });
                    if let Some(factors) = problem.factors(&tile, factors) {
                        dispatch(Multiply(weights, factors));
                    }
                    problem.add_values(&tile, weights, &problem.operands.value, care, values);
                }
                let (values, statistics) = (&mut values[..], &mut statistics[..]);
                dispatch(Finish { running: &running, values, value_width, statistics });
                all_finite(values)
            });
            copy_head(&values, [head, heads, value_width], piece.first);
            copy_head(statistics.as_flattened(), [head, heads, 2], piece.second);
        }
    });
}

/// The tangents of what an attention is computed from; those that are none are zero.
#[derive(Clone, Copy)]
pub struct AttentionTangents<'a, T> {
    /// Of the queries.
    pub query: Option<View<'a, T>>,
    /// Of the keys.
    pub key: Option<View<'a, T>>,
    /// Of the values.
    pub value: Option<View<'a, T>>,
    /// Of what is added to the scores.
    pub bias: Option<View<'a, T>>,
}

/// The tangent of the value, whose own `value` is given: with weights P and scores S, D∘(P∘Ṡ)·V + (D∘P)·V̇ less the value
/// times the sum of P∘Ṡ over each row, which are the `score_means`; those go where the numbers of the queries lie, or nowhere
/// if there is no place.
pub(super) fn tangent<'a, T: Float>(
    problem: &Problem<'a, T>,
    along: &AttentionTangents<'a, T>,
    value: &View<'a, T>,
    statistics: &[[T; 2]],
    out: &mut [T],
    score_means: &mut [T],
) {
    let geometry = problem.geometry;
    let AttentionGeometry { heads, queries, value_width, .. } = *geometry;
    let width_of_means = usize::from(!score_means.is_empty());
    let results = [(out, value_width), (score_means, width_of_means)];
    for_each_piece(geometry, [queries, heads], QUERIES, results, &|piece| {
        let rows = piece.positions.len();
        let mut space = Workspace::new(problem);
        let (mut sums, mut values) =
            (Partials::equal(T::ZERO, rows), Partials::equal(T::ZERO, rows * value_width));
        let mut of_dominant = Partials::equal(T::ZERO, rows);
        for head in 0..heads {
            problem.with_care(|care| {
                sums.fill(T::ZERO);
                of_dominant.fill(T::ZERO);
                values.fill(T::ZERO);
                for tile in problem.tiles(piece.batch, head, piece.positions.clone()) {
                    let columns = tile.keys.len();
                    let ([weights, of_scores], factors) = space.of_tile(&tile);
                    let statistics = of_queries(geometry, &tile, statistics);
                    problem.weights(&tile, &statistics, weights);
                    of_scores.fill(T::ZERO);
                    problem.add_tangents_of_scores(&tile, along, of_scores);
                    let factors = problem.factors(&tile, factors);
                    let dominant = problem.dominant(&tile, &statistics, weights);
                    // These are summed up apart: what has no weight has no part in the sums.
                    let taken = dominant.iter().map(|key| std::mem::take(&mut weights[key.at]));
                    let taken: Vec<T> = taken.collect();
                    for (key, &weight) in dominant.iter().zip(&taken) {
                        let along = weight * of_scores[key.at];
                        of_dominant[key.row] = along;
                        let of_key = (key.factor(factors), &problem.operands.value);
                        key.add(along, of_key, value, &mut values, value_width);
                    }
                    dispatch(Tangent { weights, of_scores, columns, sums: &mut sums });
                    dominant.iter().zip(&taken).for_each(|(key, &weight)| weights[key.at] = weight);
                    if let Some(factors) = factors {
                        dispatch(Multiply(weights, factors));
                        dispatch(Multiply(of_scores, factors));
                    }
                    problem.add_values(&tile, of_scores, &problem.operands.value, care, &mut values);
                    if let Some(t) = &along.value {
                        problem.add_values(&tile, weights, t, care, &mut values);
                    }
                }
                all_finite(&values)
            });
            subtract_means(&piece, head, &sums, value, &mut values, value_width);
            sums.iter_mut().zip(&of_dominant[..]).for_each(|(sum, &more)| *sum += more);
            copy_head(&sums, [head, heads, width_of_means], piece.second);
            copy_head(&values, [head, heads, value_width], piece.first);
        }
    });
}

/// Subtracts from the rows of a head of a piece its values times `sums`.
pub(super) fn subtract_means<T: Float>(
    piece: &Piece<'_, T>,
    head: usize,
    sums: &[T],
    value: &View<'_, T>,
    rows: &mut [T],
    width: usize,
) {
    for (i, &sum) in sums.iter().enumerate() {
        for (j, out) in rows[i * width..][..width].iter_mut().enumerate() {
            *out -= sum * value.at([piece.batch, head, piece.positions.start + i], j);
        }
    }
}
