//! What happens to the elements of a tile of scores, row by row.

use crate::array::element::Float;
use crate::kernels::softmax::ShiftedExp;
use crate::loops::Map1;
use crate::loops::folds::{Extreme, SumOf};
use crate::loops::reduce::fold_slice;
use crate::loops::spare::Partials;
use crate::machine::simd::{Isa, Kernel};

/// The largest score of each row so far, and the sum of the weights relative to it.
pub(super) struct Running<T: Copy + 'static> {
    pub(super) largest: Partials<T>,
    pub(super) sum: Partials<T>,
}

impl<T: Float> Running<T> {
    pub(super) fn new(rows: usize) -> Self {
        let of = |number| Partials::equal(number, rows);
        Running { largest: of(T::NEG_INFINITY), sum: of(T::ZERO) }
    }
}

/// Makes of a tile's scores their weights relative to the largest so far, and brings what was summed up before, values
/// included, to the same measure (M. Milakov and N. Gimelshein, "Online normalizer calculation for softmax", 2018).
pub(super) struct Absorb<'a, T: Copy + 'static> {
    pub(super) scores: &'a mut [T],
    pub(super) columns: usize,
    pub(super) running: &'a mut Running<T>,
    pub(super) values: &'a mut [T],
    pub(super) value_width: usize,
}

impl<T: Float> Kernel for Absorb<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (i, scores) in self.scores.chunks_exact_mut(self.columns).enumerate() {
            let before = self.running.largest[i];
            let largest = before.maximum(fold_slice(scores, &Extreme::<true>));
            // Of a row in which nothing takes part yet, all weights are 0.
            let shift = if largest == T::NEG_INFINITY { T::ZERO } else { largest };
            let exp = ShiftedExp(shift);
            for score in scores.iter_mut() {
                *score = exp.call::<I>(*score);
            }
            let factor =
                if before == largest && before != T::NEG_INFINITY { T::ONE } else { exp.call::<I>(before) };
            self.running.largest[i] = largest;
            self.running.sum[i] = self.running.sum[i] * factor + fold_slice(scores, &SumOf(|e: T| e));
            if factor != T::ONE {
                for value in &mut self.values[i * self.value_width..][..self.value_width] {
                    *value *= factor;
                }
            }
        }
    }
}

/// Divides each row by the sum of its weights, and gives the statistics of its softmax: the largest score, and what the
/// weights relative to it are multiplied by, 1 over their sum; both are 0 where nothing takes part.
pub(super) struct Finish<'a, T: Copy + 'static> {
    pub(super) running: &'a Running<T>,
    pub(super) values: &'a mut [T],
    pub(super) value_width: usize,
    pub(super) statistics: &'a mut [[T; 2]],
}

impl<T: Float> Kernel for Finish<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.value_width;
        for (i, statistics) in self.statistics.iter_mut().enumerate() {
            let (largest, sum) = (self.running.largest[i], self.running.sum[i]);
            let values = &mut self.values[i * width..][..width];
            if largest == T::NEG_INFINITY {
                values.fill(T::ZERO);
                *statistics = [T::ZERO; 2];
            } else {
                for value in values {
                    *value /= sum;
                }
                *statistics = [largest, T::ONE / sum];
            }
        }
    }
}

/// Makes of scores the weights, by the statistics of the rows; 0 of −∞, whatever the others of the row are.
pub(super) struct Weights<'a, T> {
    pub(super) scores: &'a mut [T],
    pub(super) columns: usize,
    pub(super) statistics: &'a [[T; 2]],
}

impl<T: Float> Kernel for Weights<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (scores, &[largest, factor]) in self.scores.chunks_exact_mut(self.columns).zip(self.statistics) {
            let exp = ShiftedExp(largest);
            for score in scores {
                let weight = exp.call::<I>(*score) * factor;
                *score = if *score == T::NEG_INFINITY { T::ZERO } else { weight };
            }
        }
    }
}

/// Makes of the weights' cotangents those of the scores: weight · (cotangent − the row's mean).
pub(super) struct OfScores<'a, T> {
    pub(super) weights: &'a [T],
    pub(super) cotangents: &'a mut [T],
    pub(super) columns: usize,
    pub(super) means: &'a [T],
}

impl<T: Float> Kernel for OfScores<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let rows =
            self.weights.chunks_exact(self.columns).zip(self.cotangents.chunks_exact_mut(self.columns));
        for ((weights, cotangents), &mean) in rows.zip(self.means) {
            for (cotangent, &weight) in cotangents.iter_mut().zip(weights) {
                // What has no part has no derivative either, whatever stands there.
                *cotangent = if weight == T::ZERO { T::ZERO } else { weight * (*cotangent - mean) };
            }
        }
    }
}

/// a ← a·b.
pub(super) struct Multiply<'a, T>(pub(super) &'a mut [T], pub(super) &'a [T]);

impl<T: Float> Kernel for Multiply<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (a, &b) in self.0.iter_mut().zip(self.1) {
            *a *= b;
        }
    }
}

/// Makes of the scores' tangents weight · tangent, and adds them up by rows.
pub(super) struct Tangent<'a, T> {
    pub(super) weights: &'a [T],
    pub(super) of_scores: &'a mut [T],
    pub(super) columns: usize,
    pub(super) sums: &'a mut [T],
}

impl<T: Float> Kernel for Tangent<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let rows = self.weights.chunks_exact(self.columns).zip(self.of_scores.chunks_exact_mut(self.columns));
        for ((weights, of_scores), sum) in rows.zip(self.sums) {
            for (tangent, &weight) in of_scores.iter_mut().zip(weights) {
                // As with cotangents.
                *tangent = if weight == T::ZERO { T::ZERO } else { weight * *tangent };
            }
            *sum += fold_slice(of_scores, &SumOf(|t: T| t));
        }
    }
}

/// Makes of weights P, their cotangents M, the tangents Ṡ of the scores and those of the cotangents Ṁ, with the means of M,
/// of Ṡ and the tangents of the first of these: P, the cotangents of the scores, the tangents of P, and those of the
/// cotangents of the scores.
pub(super) struct DerivativeOfScores<'a, T> {
    pub(super) weights: &'a [T],
    pub(super) of_scores: &'a mut [T],
    pub(super) along_weights: &'a mut [T],
    pub(super) along_scores: &'a mut [T],
    pub(super) columns: usize,
    pub(super) means: [&'a [T]; 3],
}

impl<T: Float> Kernel for DerivativeOfScores<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let columns = self.columns;
        for (i, weights) in self.weights.chunks_exact(columns).enumerate() {
            let [mean, score_mean, along_mean] = self.means.map(|means| means[i]);
            let of_scores = &mut self.of_scores[i * columns..][..columns];
            let along_weights = &mut self.along_weights[i * columns..][..columns];
            let along_scores = &mut self.along_scores[i * columns..][..columns];
            for j in 0..columns {
                let weight = weights[j];
                let (g, p, a) =
                    (of_scores[j] - mean, along_weights[j] - score_mean, along_scores[j] - along_mean);
                let p = weight * p;
                // What has no part has no derivative either, whatever stands there.
                let none = weight == T::ZERO;
                of_scores[j] = if none { T::ZERO } else { weight * g };
                along_weights[j] = if none { T::ZERO } else { p };
                along_scores[j] = if none { T::ZERO } else { p * g + weight * a };
            }
        }
    }
}

/// Makes of weights P, tangents Ṡ and S′ of the scores and mixed ones Ṡ′, with the means of the first two: P, its two
/// tangents, and P∘((S′ − m′)∘(Ṡ − m) + Ṡ′), of which it adds up the rows.
pub(super) struct SecondTangent<'a, T> {
    pub(super) weights: &'a [T],
    pub(super) of_along: &'a mut [T],
    pub(super) of_other: &'a mut [T],
    pub(super) of_both: &'a mut [T],
    pub(super) columns: usize,
    pub(super) means: [&'a [T]; 2],
    pub(super) sums: &'a mut [T],
}

impl<T: Float> Kernel for SecondTangent<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let columns = self.columns;
        for (i, weights) in self.weights.chunks_exact(columns).enumerate() {
            let [mean, other_mean] = self.means.map(|means| means[i]);
            let of_along = &mut self.of_along[i * columns..][..columns];
            let of_other = &mut self.of_other[i * columns..][..columns];
            let of_both = &mut self.of_both[i * columns..][..columns];
            for j in 0..columns {
                let weight = weights[j];
                let (a, b) = (of_along[j] - mean, of_other[j] - other_mean);
                // As above.
                let none = weight == T::ZERO;
                of_both[j] = if none { T::ZERO } else { weight * (a * b + of_both[j]) };
                of_along[j] = if none { T::ZERO } else { weight * a };
                of_other[j] = if none { T::ZERO } else { weight * b };
            }
            self.sums[i] += fold_slice(of_both, &SumOf(|t: T| t));
        }
    }
}
