//! Every closure method in one list, and a problem that gives each what it may ask for.

pub(crate) mod identity;

use wengert_optim::constrained::*;
use wengert_optim::minimize::*;

/// `scale` times Rosenbrock's function, with everything that any method may ask for: Hessian, residuals, Gauss–Newton
/// matrix, two mini-batches. Undefined outside of a ball of radius `wall`.
#[derive(Clone, Copy)]
pub(crate) struct Rosenbrock {
    pub(crate) scale: f64,
    pub(crate) wall: f64,
    /// One of the two residuals alone, counted twice.
    pub(crate) batch: Option<usize>,
}

impl Rosenbrock {
    pub(crate) fn new(scale: f64) -> Self {
        Self { scale, wall: f64::INFINITY, batch: None }
    }

    /// The weight of each residual, in r and so not squared.
    fn weight(&self, i: usize) -> f64 {
        let share = match self.batch {
            None => 2.0,
            Some(batch) if batch == i => 4.0,
            Some(_) => 0.0,
        };
        (share * self.scale).sqrt()
    }
}

/// The two rows of a Jacobian.
struct Rows([[f64; 2]; 2]);

impl Jacobian<f64> for Rows {
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        (0..2).for_each(|i| out[i] = vector::dot(&self.0[i], v));
    }
    fn apply_transpose(&self, u: &[f64], out: &mut [f64]) {
        (0..2).for_each(|j| out[j] = self.0[0][j] * u[0] + self.0[1][j] * u[1]);
    }
}

impl Residuals<f64> for Rosenbrock {
    fn dimension(&self) -> usize {
        2
    }
    fn count(&self) -> usize {
        2
    }
    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        let inside = if vector::norm(x) <= self.wall { 1.0 } else { f64::NAN };
        out[0] = inside * self.weight(0) * 10.0 * (x[1] - x[0] * x[0]);
        out[1] = inside * self.weight(1) * (1.0 - x[0]);
    }
    fn jacobian(&self, x: &[f64]) -> Box<dyn Jacobian<f64> + '_> {
        let (a, b) = (self.weight(0), self.weight(1));
        Box::new(Rows([[-20.0 * a * x[0], 10.0 * a], [-b, 0.0]]))
    }
}

impl Objective<f64> for Rosenbrock {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        LeastSquares::from_residuals(*self).value(x)
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        LeastSquares::from_residuals(*self).value_and_gradient(x, gradient)
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        let mut matrix = LeastSquares::from_residuals(*self).gauss_newton(x)?.dense();
        match want {
            Want::Hessian => {
                let a = self.weight(0);
                matrix[0] -= 20.0 * a * a * 10.0 * (x[1] - x[0] * x[0]);
            }
            Want::GaussNewton => {}
            // Of one layer with two inputs and an output the Gauss–Newton matrix is the one factor.
            Want::Kronecker { .. } => {
                let block = KroneckerBlock::new(0, None, matrix, vec![1.0]);
                return Some(CurvatureAt::Kronecker(Kronecker::new(2, vec![block], Vec::new())));
            }
            _ => return None,
        }
        Some(CurvatureAt::operator(DenseOperator::new(matrix)))
    }
    fn residuals(&self) -> Option<&dyn Residuals<f64>> {
        Some(self)
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<f64> + '_>> {
        Some(Box::new(Self { batch: Some((index % 2) as usize), ..*self }))
    }
}

pub(crate) const START: [f64; 2] = [-1.2, 1.0];

/// What is done with each method.
pub(crate) trait Visit {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M);
}

/// Every closure method; the L1 term is multiplied by `scale`.
pub(crate) fn every_method(stopping: &Stopping, scale: f64, v: &mut impl Visit) {
    let s = || stopping.clone();
    v.visit("steepest descent", &SteepestDescent::default().with_stopping(s()));
    for (name, beta) in [
        ("CG, FR", Beta::FletcherReeves),
        ("CG, PR", Beta::PolakRibiere),
        ("CG, PR+", Beta::PolakRibierePlus),
        ("CG, HS", Beta::HestenesStiefel),
        ("CG, HS+", Beta::HestenesStiefelPlus),
        ("CG, DY", Beta::DaiYuan),
        ("CG, HZ", Beta::HagerZhang),
        ("CG, guaranteed descent", Beta::GuaranteedDescent { mu: 1.5 }),
    ] {
        let direction = ConjugateDirection { beta, ..Default::default() };
        v.visit(name, &NonlinearCg::new(direction).with_stopping(s()));
    }
    let periodic = ConjugateDirection { restart_every: Some(5), ..Default::default() };
    v.visit("CG, restarted", &NonlinearCg::new(periodic).with_stopping(s()));
    v.visit("BFGS", &Bfgs::default().with_stopping(s()));
    v.visit("DFP", &Dfp::default().with_stopping(s()));
    v.visit("SR1", &Sr1::default().with_stopping(s()));
    v.visit("L-BFGS", &Lbfgs::default().with_stopping(s()));
    v.visit("Newton", &Newton::default().with_stopping(s()));
    v.visit("saddle-free Newton", &SaddleFreeNewton::default().with_stopping(s()));
    v.visit("Newton-CG", &NewtonCg::default().with_stopping(s()));
    let diagonal = NewtonCgDirection { preconditioning: Preconditioning::Diagonal, ..Default::default() };
    v.visit("Newton-CG, diagonal", &NewtonCg::new(diagonal).with_stopping(s()));
    v.visit("damped Newton", &DampedNewton { stopping: s(), ..Default::default() });
    v.visit("Hessian-free", &HessianFree { stopping: s(), ..Default::default() });
    let batches = HessianFree { curvature_batches: true, stopping: s(), ..Default::default() };
    v.visit("Hessian-free, mini-batches", &batches);
    v.visit("trust region", &TrustRegionNewton::default().with_stopping(s()));
    let gltr = KrylovModel { solver: KrylovSolver::Gltr, ..Default::default() };
    v.visit("trust region, GLTR", &TrustRegionNewton::new(gltr).with_stopping(s()));
    let pairs = KrylovModel { preconditioning: Preconditioning::Lbfgs(4), ..Default::default() };
    v.visit("trust region, pairs", &TrustRegionNewton::new(pairs).with_stopping(s()));
    let squares = KrylovModel { curvature: Curvature::GaussNewton, ..Default::default() };
    v.visit("trust region, Gauss–Newton", &TrustRegionNewton::new(squares).with_stopping(s()));
    v.visit("exact trust region", &TrustRegionExact::default().with_stopping(s()));
    v.visit("Gauss–Newton", &GaussNewton::default().with_stopping(s()));
    v.visit("Levenberg–Marquardt", &LevenbergMarquardt::default().with_stopping(s()));
    let rough = StochasticLbfgs { learning_rate: 0.01, steps: 6, pair_every: 3, ..Default::default() };
    let few = Stopping { max_iterations: 40.min(stopping.max_iterations), ..s() };
    v.visit("stochastic L-BFGS", &StochasticLbfgs { stopping: few, ..rough });
    v.visit("L-BFGS-B, no bounds", &LbfgsB { stopping: s(), ..LbfgsB::new(Bounds::none(2)) });
    let half = Bounds::new(vec![f64::NEG_INFINITY; 2], vec![0.5, f64::INFINITY]).unwrap();
    v.visit("L-BFGS-B, one bound", &LbfgsB { stopping: s(), ..LbfgsB::new(half.clone()) });
    let square = Bounds::uniform(2, -1.5, 0.5).unwrap();
    v.visit("L-BFGS-B, box", &LbfgsB { stopping: s(), ..LbfgsB::new(square.clone()) });
    v.visit(
        "projected gradient",
        &ProjectedGradient { stopping: s(), ..ProjectedGradient::new(half.clone()) },
    );
    v.visit("FISTA, bounds", &ProximalGradient { stopping: s(), ..ProximalGradient::new(half.clone()) });
    v.visit("FISTA, L1", &ProximalGradient { stopping: s(), ..ProximalGradient::new(L1(0.1 * scale)) });
    v.visit("OWL-QN", &OwlQn { stopping: s(), ..OwlQn::new(0.1 * scale) });
    let below =
        Constraints::new(2).inequality(|x| 1.0 - x[0] - x[1], |_, g| g.fill(-1.0)).with_bounds(square);
    v.visit("interior point", &InteriorPoint { stopping: s(), ..InteriorPoint::new(&below) });
    v.visit(
        "augmented Lagrangian",
        &AugmentedLagrangian { stopping: s(), ..AugmentedLagrangian::new(&below) },
    );
    v.visit(
        "quadratic penalty",
        &AugmentedLagrangian { stopping: s(), ..AugmentedLagrangian::quadratic_penalty(&below) },
    );
    let line = Constraints::new(2).equality(|x| x[0] + x[1] - 1.0, |_, g| g.fill(1.0));
    v.visit("KKT Newton", &KktNewton::new(&line).with_stopping(s()));
}
