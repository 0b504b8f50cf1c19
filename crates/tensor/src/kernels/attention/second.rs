//! The derivatives of the gradients and of the tangent, of which tiles are computed again as well.
//!
//! With weights P, of which dropout D leaves W = D∘P, scores S, values V and a cotangent C of the value, the cotangents of
//! the weights are M = D∘(C·Vᵀ), those of the scores G = P∘(M − μ) with the means μ of the rows of M by the weights. Along
//! tangents, written with a dot, Ṗ = P∘(Ṡ − m) with the means m of the rows of Ṡ, and Ġ = Ṗ∘(M − μ) + P∘(Ṁ − μ̇).

use super::dominant::Dominant;
use super::formulas::{DerivativeOfScores, Multiply, SecondTangent};
use super::forward::{self, AttentionTangents};
use super::geometry::{AttentionGeometry, View};
use super::gradient::{Backward, Contributions, row_products};
use super::pieces::{copy_head, for_each_piece};
use super::products::{Care, all_finite};
use super::tile::{Problem, QUERIES, Tile, Workspace, of_queries};
use crate::array::element::Float;
use crate::array::tensor::Tensor;
use crate::loops::spare::Partials;
use crate::machine::simd::dispatch;

impl<'a, T: Float> Problem<'a, T> {
    /// The tangents of a tile's scores.
    fn tangents_of_scores(&self, tile: &Tile, along: &AttentionTangents<'a, T>, out: &mut [T]) {
        out.fill(T::ZERO);
        self.add_tangents_of_scores(tile, along, out);
    }

    pub(super) fn add_tangents_of_scores(
        &self,
        tile: &Tile,
        along: &AttentionTangents<'a, T>,
        out: &mut [T],
    ) {
        if let Some(t) = &along.query {
            self.products(tile, t, &self.operands.key, true, out);
        }
        if let Some(t) = &along.key {
            self.products(tile, &self.operands.query, t, true, out);
        }
        if let Some(t) = &along.bias {
            self.add_bias(tile, t, out);
        }
    }
}

/// What the tangents of the gradients are computed from.
pub(super) struct BackwardAlong<'a, T: Float> {
    backward: Backward<'a, T>,
    /// The tangents of the operands.
    along: &'a AttentionTangents<'a, T>,
    /// The tangent of the value's cotangent.
    along_cotangent: Option<View<'a, T>>,
    /// The tangent of the value, as results lie.
    tangent: Tensor<T>,
    /// m.
    score_means: Vec<T>,
    /// μ̇.
    along_means: Partials<T>,
}

impl<'a, T: Float> BackwardAlong<'a, T> {
    pub(super) fn new(
        backward: Backward<'a, T>,
        along: &'a AttentionTangents<'a, T>,
        along_cotangent: Option<View<'a, T>>,
    ) -> Self {
        let geometry = backward.problem.geometry;
        let value = &backward.value;
        let AttentionGeometry { batch, heads, queries, value_width, .. } = *geometry;
        let mut score_means = vec![T::ZERO; batch * queries * heads];
        let mut tangent = Tensor::zeros([batch, queries, heads, value_width]);
        let out = tangent.as_mut_slice();
        forward::tangent(&backward.problem, along, value, backward.statistics, out, &mut score_means);
        // μ is the product of the value and its cotangent.
        let mut along_means =
            row_products(geometry, &as_results_lie(geometry, &tangent), &backward.cotangent);
        if let Some(t) = &along_cotangent {
            let more = row_products(geometry, value, t);
            along_means.iter_mut().zip(&more[..]).for_each(|(mean, &more)| *mean += more);
        }
        BackwardAlong { backward, along, along_cotangent, tangent, score_means, along_means }
    }

    /// Computes what goes by differences from the mean where a key is [dominant](super::dominant): G and Ġ, of W and Ẇ.
    fn of_dominant(
        &self,
        dominant: &[Dominant],
        [weights, of_scores, along_weights, along_scores]: [&mut [T]; 4],
        factors: Option<&[T]>,
    ) {
        let Backward { problem, value, cotangent, .. } = &self.backward;
        let (width, tangent) = (problem.geometry.value_width, self.tangent());
        for key in dominant {
            let (at, factor) = (key.at, key.factor(factors));
            let of_key = (factor, Some(&problem.operands.value));
            let product = key.product(width, cotangent, of_key, value);
            let mut along = key.product(width, cotangent, (factor, self.along.value.as_ref()), &tangent);
            if let Some(t) = &self.along_cotangent {
                along += key.product(width, t, of_key, value);
            }
            of_scores[at] = weights[at] * product;
            along_scores[at] = along_weights[at] * product + weights[at] * along;
        }
    }

    fn tangent(&self) -> View<'_, T> {
        as_results_lie(self.backward.problem.geometry, &self.tangent)
    }
}

/// A result for the queries, `[batch, queries, heads, value_width]`, by heads.
fn as_results_lie<'a, T: Float>(geometry: &AttentionGeometry, result: &'a Tensor<T>) -> View<'a, T> {
    let AttentionGeometry { heads, queries, value_width, .. } = *geometry;
    let [h, l, w] = [heads, queries, value_width].map(|x| x as isize);
    let (memory, offset) = result.memory();
    View::new(memory, offset, [l * h * w, w, h * w, 1])
}

/// The tiles are W, G, Ẇ and Ġ.
impl<T: Float> Contributions<T> for BackwardAlong<'_, T> {
    type Space = Workspace<T, 4>;

    fn problem(&self) -> &Problem<'_, T> {
        &self.backward.problem
    }

    fn space(&self) -> Workspace<T, 4> {
        Workspace::new(&self.backward.problem)
    }

    fn compute(&self, tile: &Tile, space: &mut Workspace<T, 4>) {
        let Backward { problem, cotangent, statistics, means, .. } = &self.backward;
        let geometry = problem.geometry;
        let rows = |numbers: &[T]| of_queries(geometry, tile, numbers);
        let ([weights, of_scores, along_weights, along_scores], factors) = space.of_tile(tile);
        let statistics = of_queries(geometry, tile, statistics);
        problem.weights(tile, &statistics, weights);
        problem.of_weights(tile, cotangent, &problem.operands.value, false, of_scores);
        problem.tangents_of_scores(tile, self.along, along_weights);
        along_scores.fill(T::ZERO);
        if let Some(t) = &self.along_cotangent {
            problem.of_weights(tile, t, &problem.operands.value, true, along_scores);
        }
        if let Some(t) = &self.along.value {
            problem.of_weights(tile, cotangent, t, true, along_scores);
        }
        let factors = problem.factors(tile, factors);
        if let Some(factors) = factors {
            dispatch(Multiply(of_scores, factors));
            dispatch(Multiply(along_scores, factors));
        }
        dispatch(DerivativeOfScores {
            weights,
            of_scores,
            along_weights,
            along_scores,
            columns: tile.keys.len(),
            means: [&rows(means), &rows(&self.score_means), &rows(&self.along_means)],
        });
        let dominant = problem.dominant(tile, &statistics, weights);
        self.of_dominant(&dominant, [weights, of_scores, along_weights, along_scores], factors);
        if let Some(factors) = factors {
            dispatch(Multiply(weights, factors));
            dispatch(Multiply(along_weights, factors));
        }
    }

    /// scale · (Ġ·K + G·K̇).
    fn add_to_queries(&self, tile: &Tile, space: &mut Workspace<T, 4>, care: Care, sum: &mut [T]) {
        let problem = self.problem();
        let ([_, of_scores, _, along_scores], _) = space.of_tile(tile);
        problem.add_to_queries(tile, along_scores, &problem.operands.key, care, sum);
        if let Some(t) = &self.along.key {
            problem.add_to_queries(tile, of_scores, t, care, sum);
        }
    }

    /// scale · (Ġᵀ·Q + Gᵀ·Q̇), and Ẇᵀ·C + Wᵀ·Ċ.
    fn add_to_keys_and_values(
        &self,
        tile: &Tile,
        space: &mut Workspace<T, 4>,
        care: Care,
        sums: [&mut [T]; 2],
    ) {
        let (problem, [of_keys, of_values]) = (self.problem(), sums);
        let ([weights, of_scores, along_weights, along_scores], _) = space.of_tile(tile);
        problem.add_to_keys(tile, along_scores, &problem.operands.query, care, of_keys);
        if let Some(t) = &self.along.query {
            problem.add_to_keys(tile, of_scores, t, care, of_keys);
        }
        problem.add_to_values(tile, along_weights, &self.backward.cotangent, care, of_values);
        if let Some(t) = &self.along_cotangent {
            problem.add_to_values(tile, weights, t, care, of_values);
        }
    }

    fn of_scores<'b>(&self, tile: &Tile, space: &'b mut Workspace<T, 4>) -> &'b [T] {
        let ([_, _, _, along_scores], _) = space.of_tile(tile);
        along_scores
    }
}

/// The tangent, along `other`, of the tangent along `along`, whose own tangents are `mixed`: with what is along `other`
/// written with an accent, D∘X·V + Ẇ·V′ + W′·V̇ + W·V̇′ less the value times the sums of the rows of X, where X is
/// P∘((S′ − m′)∘(Ṡ − m) + Ṡ′).
pub(super) fn second_tangent<'a, T: Float>(
    problem: &Problem<'a, T>,
    [along, other, mixed]: [&AttentionTangents<'a, T>; 3],
    value: &View<'a, T>,
    statistics: &[[T; 2]],
    out: &mut [T],
) {
    let geometry = problem.geometry;
    let AttentionGeometry { batch, heads, queries, value_width, .. } = *geometry;
    let means = |along: &AttentionTangents<'a, T>| {
        let mut means = vec![T::ZERO; batch * queries * heads];
        // The tangent itself is of no use.
        let mut tangent = Tensor::zeros([batch, queries, heads, value_width]);
        forward::tangent(problem, along, value, statistics, tangent.as_mut_slice(), &mut means);
        means
    };
    let (means, other_means) = (means(along), means(other));
    for_each_piece(geometry, [queries, heads], QUERIES, [(out, value_width), (&mut [], 0)], &|piece| {
        let rows = piece.positions.len();
        let mut space = Workspace::new(problem);
        let (mut sums, mut values) = (vec![T::ZERO; rows], vec![T::ZERO; rows * value_width]);
        for head in 0..heads {
            problem.with_care(|care| {
                sums.fill(T::ZERO);
                values.fill(T::ZERO);
                for tile in problem.tiles(piece.batch, head, piece.positions.clone()) {
                    let of_rows = |numbers: &[T]| of_queries(geometry, &tile, numbers);
                    let ([weights, of_along, of_other, of_both], factors) = space.of_tile(&tile);
                    let statistics = of_queries(geometry, &tile, statistics);
                    problem.weights(&tile, &statistics, weights);
                    problem.tangents_of_scores(&tile, along, of_along);
                    problem.tangents_of_scores(&tile, other, of_other);
                    problem.tangents_of_scores(&tile, mixed, of_both);
                    for (along, other) in [(along, other), (other, along)] {
                        if let (Some(query), Some(key)) = (&along.query, &other.key) {
                            problem.products(&tile, query, key, true, of_both);
                        }
                    }
                    let factors = problem.factors(&tile, factors);
                    let (means, other_means) = (of_rows(&means), of_rows(&other_means));
                    // As for the tangent, summed up apart: [P, ∘(Ṡ − m), ∘(S′ − m′)] of each.
                    let dominant = problem.dominant(&tile, &statistics, weights);
                    let taken: Vec<[T; 3]> = dominant
                        .iter()
                        .map(|key| {
                            let weight = std::mem::take(&mut weights[key.at]);
                            let a = of_along[key.at] - means[key.row];
                            let b = of_other[key.at] - other_means[key.row];
                            let of_key = (key.factor(factors), &problem.operands.value);
                            let both = weight * (a * b + of_both[key.at]);
                            key.add(both, of_key, value, &mut values, value_width);
                            [weight, weight * a, weight * b]
                        })
                        .collect();
                    dispatch(SecondTangent {
                        weights,
                        of_along,
                        of_other,
                        of_both,
                        columns: tile.keys.len(),
                        means: [&means, &other_means],
                        sums: &mut sums,
                    });
                    for (key, &numbers) in dominant.iter().zip(&taken) {
                        [weights[key.at], of_along[key.at], of_other[key.at]] = numbers;
                    }
                    if let Some(factors) = factors {
                        [&mut *weights, of_along, of_other, of_both]
                            .into_iter()
                            .for_each(|tile| dispatch(Multiply(tile, factors)));
                    }
                    problem.add_values(&tile, of_both, &problem.operands.value, care, &mut values);
                    for (weights, along) in [(&*of_along, other), (&*of_other, along), (&*weights, mixed)] {
                        if let Some(t) = &along.value {
                            problem.add_values(&tile, weights, t, care, &mut values);
                        }
                    }
                }
                all_finite(&values)
            });
            forward::subtract_means(&piece, head, &sums, value, &mut values, value_width);
            copy_head(&values, [head, heads, value_width], piece.first);
        }
    });
}
