//! What every closure method promises, tried on each of one list: scaling, checkpoints, callbacks, bad input, walls.

use std::ops::ControlFlow;

use wengert_optim::constrained::*;
use wengert_optim::*;

/// `scale` times Rosenbrock's function, with everything that any method may ask for: Hessian, residuals, Gauss–Newton
/// matrix, two mini-batches. Undefined outside of a ball of radius `wall`.
#[derive(Clone, Copy)]
struct Rosenbrock {
    scale: f64,
    wall: f64,
    /// One of the two residuals alone, counted twice.
    batch: Option<usize>,
}

impl Rosenbrock {
    fn new(scale: f64) -> Self {
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
    fn hessian(&self, x: &[f64]) -> Option<Box<dyn Operator<f64> + '_>> {
        let mut h = LeastSquares::from_residuals(*self).gauss_newton(x)?.dense();
        let a = self.weight(0);
        h[0] -= 20.0 * a * a * 10.0 * (x[1] - x[0] * x[0]);
        Some(Box::new(DenseOperator::new(h)))
    }
    fn gauss_newton(&self, x: &[f64]) -> Option<Box<dyn Operator<f64> + '_>> {
        let matrix = LeastSquares::from_residuals(*self).gauss_newton(x)?.dense();
        Some(Box::new(DenseOperator::new(matrix)))
    }
    fn residuals(&self) -> Option<&dyn Residuals<f64>> {
        Some(self)
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<f64> + '_>> {
        Some(Box::new(Self { batch: Some((index % 2) as usize), ..*self }))
    }
}

const START: [f64; 2] = [-1.2, 1.0];

/// What is done with each method.
trait Visit {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M);
}

/// Every closure method; the L1 term is multiplied by `scale`.
fn every_method(stopping: &Stopping, scale: f64, v: &mut impl Visit) {
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
    v.visit("quadratic penalty", &QuadraticPenalty { stopping: s(), ..QuadraticPenalty::new(&below) });
    let line = Constraints::new(2).equality(|x| x[0] + x[1] - 1.0, |_, g| g.fill(1.0));
    v.visit("KKT Newton", &KktNewton::new(&line).with_stopping(s()));
}

/// Runs every method from the same start and keeps all iterates.
struct Record {
    objective: Rosenbrock,
    runs: Vec<(String, Vec<Vec<f64>>, Outcome<f64>)>,
}

impl Visit for Record {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let mut points = Vec::new();
        let outcome = method.minimize_with(&self.objective, &START, |run| {
            points.push(run.current.point.clone());
            ControlFlow::Continue(())
        });
        self.runs.push((name.to_owned(), points, outcome.unwrap()));
    }
}

fn record(objective: Rosenbrock, stopping: &Stopping) -> Vec<(String, Vec<Vec<f64>>, Outcome<f64>)> {
    let mut record = Record { objective, runs: Vec::new() };
    every_method(stopping, objective.scale, &mut record);
    record.runs
}

/// Where f is weighed against constraints in units of their own, the ends of inner minimisations depend on its scale.
const WEIGHED: [&str; 2] = ["augmented Lagrangian", "quadratic penalty"];

/// Norms that mix gradients with distances: these methods may stop an iteration earlier or later.
const MIXED: [&str; 5] =
    ["L-BFGS-B, one bound", "L-BFGS-B, box", "projected gradient", "interior point", "KKT Newton"];

#[test]
fn scaling_f_by_a_power_of_two_changes_no_bit_of_any_iterate() {
    let limit = |tolerance| Stopping { max_iterations: 300, ..Stopping::gradient(tolerance) };
    let plain = record(Rosenbrock::new(1.0), &limit(1e-6));
    for exponent in [-40, -6, 8, 50] {
        // An even exponent: residuals are scaled by its root.
        let scale = 2f64.powi(exponent);
        let scaled = record(Rosenbrock::new(scale), &limit(1e-6 * scale));
        for ((name, a, first), (_, b, second)) in plain.iter().zip(&scaled) {
            if WEIGHED.contains(&name.as_str()) {
                continue;
            }
            let label = format!("{name}, 2^{exponent}: {first}, scaled {second}");
            let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
            assert_eq!(same, a.len().min(b.len()), "{label}");
            if !MIXED.contains(&name.as_str()) {
                assert_eq!((a.len(), first.reason), (b.len(), second.reason), "{label}");
                assert_eq!(first.counts, second.counts, "{label}");
            }
        }
    }
}

/// Interrupts each method, sends the checkpoint through JSON, and expects the bits of the uninterrupted run.
struct Resume;

impl Visit for Resume {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let f = Rosenbrock::new(1.0);
        let whole = method.minimize(&f, &START).unwrap();
        for stop_at in [0, 1, 2, 7, whole.iterations / 2] {
            if stop_at > whole.iterations {
                continue;
            }
            let mut saved = None;
            let stopped = method.minimize_with(&f, &START, |run| {
                if run.iterations < stop_at {
                    return ControlFlow::Continue(());
                }
                saved = Some(serde_json::to_string(run).unwrap());
                ControlFlow::Break(())
            });
            let stopped = stopped.unwrap();
            assert_eq!((stopped.reason, stopped.iterations), (Reason::Callback, stop_at), "{name}");
            let run: Run<f64, M::State> = serde_json::from_str(&saved.unwrap()).unwrap();
            let resumed = method.resume(&f, run, |_| ControlFlow::Continue(())).unwrap();
            let bits = |o: &Outcome<f64>| o.point.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&resumed), bits(&whole), "{name} at {stop_at}: {resumed}, whole {whole}");
            assert_eq!((resumed.reason, resumed.counts), (whole.reason, whole.counts), "{name} at {stop_at}");
            assert_eq!(resumed.iterations, whole.iterations, "{name} at {stop_at}");
            assert_eq!(resumed.trace.len(), whole.trace.len(), "{name} at {stop_at}");
            assert_eq!(resumed.multipliers, whole.multipliers, "{name} at {stop_at}");
        }
    }
}

#[test]
fn a_callback_stops_and_a_checkpoint_resumes_with_the_same_bits() {
    every_method(&Stopping { max_iterations: 60, ..Stopping::gradient(1e-6) }, 1.0, &mut Resume);
}

/// Gives every method what cannot be minimised.
struct BadInput;

impl Visit for BadInput {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let f = Rosenbrock::new(1.0);
        let error = |f: &dyn Objective<f64>, start: &[f64]| method.minimize(f, start).unwrap_err();
        let empty = Problem::new(0, |_: &[f64]| 0.0);
        assert_eq!(error(&empty, &[]), MinimizeError::ZeroDimension, "{name}");
        for length in [0, 1, 3] {
            let start = vec![0.5; length];
            let expected = MinimizeError::WrongLength { what: "the start", expected: 2, found: length };
            assert_eq!(error(&f, &start), expected, "{name}");
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let found = error(&f, &[0.0, bad]);
            assert!(matches!(found, MinimizeError::NonFiniteStart { index: 1, .. }), "{name}: {found}");
        }
        let walled = Rosenbrock { wall: 1e-3, ..f };
        let found = error(&walled, &START);
        assert!(matches!(found, MinimizeError::UndefinedAtStart { .. }), "{name}: {found}");
    }
}

#[test]
fn bad_input_is_a_typed_error_of_every_method() {
    every_method(&Stopping::default(), 1.0, &mut BadInput);
    for tolerance in [-1.0, f64::NAN] {
        struct Refuses;
        impl Visit for Refuses {
            fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
                let refused = method.minimize(&Rosenbrock::new(1.0), &START);
                assert!(matches!(refused, Err(MinimizeError::InvalidSetting { .. })), "{name}");
            }
        }
        every_method(&Stopping::gradient(tolerance), 1.0, &mut Refuses);
    }
}

#[test]
fn walls_of_nan_are_stepped_back_from() {
    // The start has norm 1.562, the minimum √2, the way between less than 1.6: steps past it meet NaN.
    let stopping = Stopping { max_iterations: 3000, ..Stopping::gradient(1e-6) };
    let free = record(Rosenbrock::new(1.0), &stopping);
    let walled = record(Rosenbrock { wall: 1.6, ..Rosenbrock::new(1.0) }, &stopping);
    for ((name, points, outcome), (_, _, reference)) in walled.iter().zip(&free) {
        println!("{name}: {outcome}, without the wall {reference}");
        assert!(points.iter().all(|x| vector::norm(x) <= 1.6), "{name}: {outcome}");
        assert!(outcome.value.is_finite() && vector::all_finite(&outcome.point), "{name}: {outcome}");
        if name == "KKT Newton" {
            // The nearest points that satisfy the constraint are behind the wall.
            assert_eq!(outcome.reason, Reason::NonFinite, "{name}: {outcome}");
            continue;
        }
        assert_eq!(outcome.converged(), reference.converged(), "{name}: {outcome}, free {reference}");
        if outcome.converged() {
            assert!(outcome.gradient_norm <= 1e-6, "{name}: {outcome}");
            let error = (outcome.value - reference.value).abs();
            assert!(error < 1e-5, "{name}: {} and {}", outcome.value, reference.value);
        }
    }
}

#[test]
fn a_regularised_sum_of_squares_is_one() {
    let second = std::iter::once(1..2).collect();
    for (name, ridge) in [
        ("all", Ridge::new(Rosenbrock::new(1.0), 0.3)),
        ("second", Ridge::on(Rosenbrock::new(1.0), 0.3, second)),
    ] {
        let residuals = ridge.residuals().unwrap();
        let x = [0.7, -0.4];
        let mut r = vec![0.0; residuals.count()];
        residuals.evaluate(&x, &mut r);
        assert!((0.5 * vector::dot(&r, &r) - ridge.value(&x)).abs() < 1e-12, "{name}");
        let (mut gradient, mut other) = ([0.0; 2], [0.0; 2]);
        ridge.gradient(&x, &mut gradient);
        residuals.jacobian(&x).apply_transpose(&r, &mut other);
        assert!((0..2).all(|i| (gradient[i] - other[i]).abs() < 1e-12), "{name}: {gradient:?} {other:?}");
        let dense = residuals.dense_jacobian(&x);
        let (mut column, jacobian) = (vec![0.0; r.len()], residuals.jacobian(&x));
        for j in 0..2 {
            jacobian.apply(&[f64::from(j == 0), f64::from(j == 1)], &mut column);
            assert!(column.iter().enumerate().all(|(i, c)| dense[2 * i + j] == *c), "{name}");
        }
        let lm = LevenbergMarquardt::default().minimize(&ridge, &START).unwrap();
        let newton = Newton::default().minimize(&ridge, &START).unwrap();
        assert!(lm.converged() && (lm.value - newton.value).abs() < 1e-10, "{name}: {lm}, {newton}");
    }
    let plain = Problem::new(2, |x: &[f64]| x[0] * x[0]);
    assert!(Ridge::new(plain, 0.3).residuals().is_none());
}

#[test]
fn constraints_that_contradict_each_other_are_called_infeasible() {
    let f = Rosenbrock::new(1.0);
    let lines = Constraints::new(2)
        .equality(|x| x[0] + x[1] - 1.0, |_, g| g.fill(1.0))
        .equality(|x| x[0] + x[1] - 3.0, |_, g| g.fill(1.0));
    let few = || Stopping { max_iterations: 100, ..Stopping::default() };
    let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 4] = [
        ("interior point", Box::new(InteriorPoint { stopping: few(), ..InteriorPoint::new(&lines) })),
        ("KKT Newton", Box::new(KktNewton::new(&lines).with_stopping(few()))),
        ("augmented Lagrangian", Box::new(AugmentedLagrangian::new(&lines))),
        ("quadratic penalty", Box::new(QuadraticPenalty::new(&lines))),
    ];
    for (name, method) in methods {
        let outcome = method.run(&f, &START).unwrap();
        assert_eq!(outcome.reason, Reason::Infeasible, "{name}: {outcome}");
        // The nearest to both is half-way.
        let violation = outcome.multipliers.unwrap().violation;
        assert!((violation - 1.0).abs() < 0.1, "{name}: {violation}");
    }
}
