//! Looking for negative curvature where the gradient vanishes.

use serde::{Deserialize, Serialize};

use super::method::Iterate;
use crate::linear::lanczos;
use crate::objective::{Counted, Objective};
use crate::vector::{self, Float};

/// How a method with second derivatives makes sure that it is not at a saddle before it claims convergence: Lanczos
/// steps on the Hessian from a seeded random vector, and where a clearly negative Ritz value turns up, a step along
/// its vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvatureProbe {
    /// Lanczos steps, so Hessian products; 0 for no probe; 8.
    pub steps: usize,
    /// The seed of the random vector; 0.
    pub seed: u64,
}

impl Default for CurvatureProbe {
    fn default() -> Self {
        Self { steps: 8, seed: 0 }
    }
}

impl CurvatureProbe {
    /// Moves `at` to a lower point along negative curvature and returns the length of the step, if there is one.
    pub(super) fn escape<T: Float>(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Option<f64> {
        if self.steps == 0 {
            return None;
        }
        let start = random_vector(at.point.len(), self.seed);
        let hessian = problem.hessian(&at.point)?;
        let krylov = lanczos(&*hessian, &start, self.steps);
        let k = krylov.diagonal.len();
        if k == 0 {
            return None;
        }
        let (values, vectors) = krylov.ritz();
        let (least, largest) = (values[0], values.iter().fold(0.0f64, |m, v| m.max(v.abs())));
        // Zero eigenvalues come out as rounding of the largest.
        if least.is_nan() || least >= -T::EPSILON.to_f64().sqrt() * largest {
            return None;
        }
        let mut direction = start;
        krylov.combine(&vectors[..k], &mut direction);
        if vector::dot(&direction, &at.gradient) > 0.0 {
            vector::scale(-1.0, &mut direction);
        }
        self.descend(problem, at, &direction, least)
    }

    /// The longest of steps 1, ½, ¼ … (times the size of x) that achieves half of what the curvature promises.
    fn descend<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        direction: &[T],
        curvature: f64,
    ) -> Option<f64> {
        let mut point = at.point.clone();
        let mut length = vector::norm_inf(&at.point).max(1.0);
        for _ in 0..40 {
            vector::add_scaled(&at.point, length, direction, &mut point);
            let value = problem.value(&point);
            if value.is_finite() && value < at.value && value <= at.value + 0.25 * curvature * length * length
            {
                let mut gradient = vec![T::ZERO; point.len()];
                problem.gradient(&point, &mut gradient);
                if vector::all_finite(&gradient) {
                    *at = Iterate { point, value, gradient };
                    return Some(length);
                }
            }
            length *= 0.5;
        }
        None
    }
}

/// Elements in (−1, 1) from a SplitMix64 sequence.
pub(super) fn random_vector<T: Float>(n: usize, seed: u64) -> Vec<T> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            T::from_f64(((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
        })
        .collect()
}
