//! The lasso, ½‖A x − b‖² + λ‖x‖₁: its optimum is bounded from below by its dual.

use wengert::optim::constrained::{L1, OwlQn, ProximalGradient};
use wengert::optim::{MinimizeError, Multipliers, Stopping};
use wengert::prelude::*;

use crate::table::Row;

const EXAMPLES: usize = 60;
const FEATURES: usize = 200;
const LAMBDA: f64 = 2.0;

/// A sparse signal seen through a random matrix, with noise.
struct Lasso {
    matrix: Var<f64>,
    seen: Var<f64>,
}

impl Lasso {
    fn new(seed: u64) -> Self {
        let mut generator = Generator::seeded(seed);
        let mut normal = |count: usize| {
            let mut out = vec![0.0; count];
            generator.fill_normal(&mut out, 0.0, 1.0);
            Tensor::vector(&out)
        };
        let matrix = Var::constant(normal(EXAMPLES * FEATURES).reshape([EXAMPLES, FEATURES]));
        let signal: Vec<f64> = (0..FEATURES).map(|i| if i % 25 == 0 { 1.0 } else { 0.0 }).collect();
        let noise = Var::constant(normal(EXAMPLES)) * 0.1;
        let seen = matrix.matmul(&Var::constant(Tensor::vector(&signal))) + noise;
        Lasso { matrix, seen }
    }

    fn residual(&self, x: &Var<f64>) -> Var<f64> {
        self.matrix.matmul(x) - &self.seen
    }

    /// The value of the dual, max −½‖θ‖² − bᵀθ with ‖Aᵀθ‖∞ ≤ λ, at the residual made feasible: at most the optimum.
    fn dual(&self, x: &[f64]) -> f64 {
        let r = self.residual(&Var::constant(Tensor::vector(x)));
        let steepest = r.matmul(&self.matrix).abs().max().item();
        let theta = r * (LAMBDA / steepest).min(1.0);
        -0.5 * theta.square().sum().item() - (&self.seen * theta).sum().item()
    }
}

/// By OWL-QN and by FISTA.
///
/// # Errors
/// If the minimisation cannot start.
pub(crate) fn solve() -> Result<[Row; 2], MinimizeError> {
    let lasso = Lasso::new(0);
    let smooth = FunctionObjective::new(FEATURES, |x: &Var<f64>| lasso.residual(x).square().sum() * 0.5);
    let stopping = Stopping { max_iterations: 20_000, ..Stopping::gradient(1e-7) };
    let start = [0.0; FEATURES];
    let owl = OwlQn { stopping: stopping.clone(), ..OwlQn::new(LAMBDA) }.minimize(&smooth, &start)?;
    let fista =
        ProximalGradient { stopping, ..ProximalGradient::new(L1(LAMBDA)) }.minimize(&smooth, &start)?;
    Ok([("OWL-QN", owl), ("FISTA", fista)].map(|(method, outcome)| {
        let multipliers = Multipliers { kkt_residual: outcome.gradient_norm, ..Multipliers::default() };
        let optimum = lasso.dual(&outcome.point);
        Row { problem: "lasso 60 × 200", method, optimum, tolerance: 1e-6, multipliers, outcome }
    }))
}
