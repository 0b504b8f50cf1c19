//! The value and its tangent, tile by tile.

use super::formulas::{Absorb, Finish, Multiply, Running, Tangent};
use super::geometry::{AttentionGeometry, View};
use super::pieces::{Piece, copy_head, for_each_piece};
use super::tile::{Problem, QUERIES, Workspace, of_queries};
use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, gemm};
use crate::machine::simd::dispatch;

/// The values, and the logarithms of the sums of the weights.
pub(super) fn value<T: Float>(problem: &Problem<'_, T>, out: &mut [T], log_sums: &mut [T]) {
    let geometry = problem.geometry;
    let AttentionGeometry { heads, queries, value_width, .. } = *geometry;
    for_each_piece(geometry, [queries, heads], QUERIES, [(out, value_width), (log_sums, 1)], &|piece| {
        let rows = piece.positions.len();
        let mut space = Workspace::new(problem);
        let mut values = vec![T::ZERO; rows * value_width];
        let mut log_sums = vec![T::ZERO; rows];
        for head in 0..heads {
            let mut running = Running::new(rows);
            values.fill(T::ZERO);
            for tile in problem.tiles(piece.batch, head, piece.positions.clone()) {
                let columns = tile.keys.len();
                let [weights, _, factors] = space.of_tile(&tile);
                problem.scores(&tile, weights);
                let (running, values) = (&mut running, &mut values[..]);
                dispatch(Absorb { scores: weights, columns, running, values, value_width });
                if let Some(factors) = problem.factors(&tile, factors) {
                    dispatch(Multiply(weights, factors));
                }
                problem.add_values(&tile, weights, &problem.operands.value, values);
            }
            let (values, log_sums) = (&mut values[..], &mut log_sums[..]);
            dispatch(Finish { running: &running, values, value_width, log_sums });
            copy_head(values, [head, heads, value_width], piece.first);
            copy_head(log_sums, [head, heads, 1], piece.second);
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
    log_sums: &[T],
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
        let mut values = vec![T::ZERO; rows * value_width];
        for head in 0..heads {
            let mut sums = vec![T::ZERO; rows];
            values.fill(T::ZERO);
            for tile in problem.tiles(piece.batch, head, piece.positions.clone()) {
                let columns = tile.keys.len();
                let [weights, of_scores, factors] = space.of_tile(&tile);
                problem.weights(&tile, &of_queries(geometry, &tile, log_sums), weights);
                of_scores.fill(T::ZERO);
                problem.add_tangents_of_scores(&tile, along, of_scores);
                dispatch(Tangent { weights, of_scores, columns, sums: &mut sums });
                if let Some(factors) = problem.factors(&tile, factors) {
                    dispatch(Multiply(weights, factors));
                    dispatch(Multiply(of_scores, factors));
                }
                problem.add_values(&tile, of_scores, &problem.operands.value, &mut values);
                if let Some(t) = &along.value {
                    problem.add_values(&tile, weights, t, &mut values);
                }
            }
            subtract_means(&piece, head, &sums, value, &mut values, value_width);
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

impl<'a, T: Float> Problem<'a, T> {
    /// `out ← out + weights · values`, for values of any kind.
    pub(super) fn add_values(
        &self,
        tile: &super::tile::Tile,
        weights: &[T],
        values: &View<'a, T>,
        out: &mut [T],
    ) {
        let ([rows, columns], width) = (tile.shape(), self.geometry.value_width);
        gemm(
            T::ONE,
            crate::kernels::gemm::MatrixRef::row_major(weights, [rows, columns]),
            values.matrix(self.key_place(tile), [columns, width]),
            T::ONE,
            MatrixMut::row_major(out, [rows, width]),
        );
    }
}
