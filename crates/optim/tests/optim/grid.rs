//! Every method on every test problem, and their counts beside those of SciPy and PyTorch.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::problems;
use crate::problems::TestProblem;
use wengert_optim::constrained::{Bounds, LbfgsB};
use wengert_optim::minimize::*;

fn stopping() -> Stopping {
    Stopping { gradient_tolerance: 1e-8, max_iterations: 20_000, ..Stopping::default() }
}

fn beta(beta: Beta) -> Box<dyn Minimizer<f64>> {
    Box::new(NonlinearCg::new(ConjugateDirection { beta, ..Default::default() }).with_stopping(stopping()))
}

type Entry = (&'static str, Box<dyn Minimizer<f64>>, &'static [&'static str]);

/// The methods by name, with the peers that they are measured against.
fn methods() -> Vec<Entry> {
    let gltr = KrylovModel { solver: KrylovSolver::Gltr, ..Default::default() };
    vec![
        ("L-BFGS", Box::new(Lbfgs::default().with_stopping(stopping())), &["L-BFGS-B", "torch-LBFGS"]),
        ("BFGS", Box::new(Bfgs::default().with_stopping(stopping())), &["BFGS"]),
        ("Newton-CG", Box::new(NewtonCg::default().with_stopping(stopping())), &["Newton-CG"]),
        (
            "trust region",
            Box::new(TrustRegionNewton::default().with_stopping(stopping())),
            &["trust-ncg", "trust-krylov"],
        ),
        (
            "trust region, GLTR",
            Box::new(TrustRegionNewton::new(gltr).with_stopping(stopping())),
            &["trust-krylov"],
        ),
        ("nonlinear CG", Box::new(NonlinearCg::default().with_stopping(stopping())), &["CG"]),
        ("CG, PR+", beta(Beta::PolakRibierePlus), &[]),
        ("CG, PR", beta(Beta::PolakRibiere), &[]),
        ("CG, HZ", beta(Beta::HagerZhang), &[]),
        ("damped Newton", Box::new(DampedNewton { stopping: stopping(), ..Default::default() }), &[]),
        ("Hessian-free", Box::new(HessianFree { stopping: stopping(), ..Default::default() }), &[]),
        ("CG, DY", beta(Beta::DaiYuan), &[]),
        ("CG, FR", beta(Beta::FletcherReeves), &[]),
        ("CG, guaranteed descent", beta(Beta::GuaranteedDescent { mu: 1.5 }), &[]),
        ("Newton", Box::new(Newton::default().with_stopping(stopping())), &[]),
        (
            "exact trust region",
            Box::new(TrustRegionExact::default().with_stopping(stopping())),
            &["trust-exact"],
        ),
        ("saddle-free Newton", Box::new(SaddleFreeNewton::default().with_stopping(stopping())), &[]),
        ("DFP", Box::new(Dfp::default().with_stopping(stopping())), &[]),
        ("SR1", Box::new(Sr1::default().with_stopping(stopping())), &[]),
    ]
}

fn outcome(method: &dyn Minimizer<f64>, problem: &TestProblem) -> Outcome<f64> {
    method.run(problem, &problem.start()).unwrap()
}

/// [iterations, values, gradients, products, converged, value] by problem and peer.
type Row = (u64, u64, u64, u64, bool, Option<f64>);
type Golden = BTreeMap<String, BTreeMap<String, Row>>;

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/peers.json")).unwrap()
}

/// Dense methods are for small problems.
fn applies(name: &str, problem: &TestProblem) -> bool {
    problem.n <= 100 || !["BFGS", "Newton", "exact trust region", "DFP", "SR1"].contains(&name)
}

/// What is not solved to ‖g‖∞ ≤ 10⁻⁸: conjugate gradients where the curvatures differ by 10⁸ and more (SciPy's fail on two of
/// them too), and a stationary point of dixon_price_10 with a singular Hessian.
const UNSOLVED: &[(&str, &str)] = &[
    ("CG, guaranteed descent", "powell_badly_scaled"),
    ("CG, FR", "powell_badly_scaled"),
    ("CG, HZ", "dixon_price_10"),
    ("CG, guaranteed descent", "brown_badly_scaled"),
];

/// Where methods without second derivatives end at a saddle of biggs_exp6, as SciPy's do; those with them must not.
const SADDLES: &[(&str, &str)] = &[
    ("L-BFGS", "biggs_exp6"),
    ("BFGS", "biggs_exp6"),
    ("nonlinear CG", "biggs_exp6"),
    ("CG, PR+", "biggs_exp6"),
    ("CG, PR", "biggs_exp6"),
    ("CG, HZ", "biggs_exp6"),
    ("CG, DY", "biggs_exp6"),
    ("CG, FR", "biggs_exp6"),
    ("CG, guaranteed descent", "biggs_exp6"),
    ("DFP", "biggs_exp6"),
];

#[test]
fn every_method_solves_every_problem() {
    let mut unexpected = Vec::new();
    for problem in problems::all() {
        for (name, method, _) in methods() {
            if !applies(name, &problem) {
                continue;
            }
            let o = outcome(&*method, &problem);
            let label = format!("{name} on {}: {o}, f = {:.15e}", problem.name, o.value);
            println!("{label}");
            let at_minimum = problem.minima.iter().any(|m| (o.value - m).abs() <= problem.slack);
            if (o.converged() && at_minimum) == UNSOLVED.contains(&(name, problem.name)) {
                unexpected.push(label.clone());
            }
            if o.converged() && at_minimum && (o.value - problem.minima[0]).abs() > problem.slack {
                // Another minimum than the least is one only if the Hessian says so.
                let hessian = problem.hessian(&o.point).unwrap().dense();
                let (eigenvalues, _) = wengert_tensor::linalg::symmetric_eigen(&hessian, problem.n).unwrap();
                let definite = eigenvalues[0] > 1e-9 * eigenvalues[problem.n - 1];
                assert_eq!(definite, !SADDLES.contains(&(name, problem.name)), "{label}: {eigenvalues:?}");
            }
            // What is reported is what is there.
            let mut gradient = vec![0.0; problem.n];
            assert_eq!(problem.value_and_gradient(&o.point, &mut gradient), o.value, "{label}");
            assert_eq!(vector::norm_inf(&gradient), o.gradient_norm, "{label}");
            assert_eq!(o.trace.len() as u64, o.iterations + 1, "{label}");
        }
    }
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

/// Values or gradients, whichever are more, and products.
fn cost(f: u64, g: u64, products: u64) -> u64 {
    f.max(g) + products
}

/// Where the best peer of the same kind needs fewer evaluations by more than a quarter.
///
/// SciPy's BFGS begins with H = I and trusts it, which pays where curvatures happen to be of the order of 1 or above (gaussian,
/// freudenstein_roth, brown_almost_linear, discrete_boundary_value, power); here nothing depends on the scale of f, and the
/// scale of the first step is what there is to begin with. A larger one wins on quadratics and loses elsewhere. SciPy's Newton-CG
/// solves tquartic by one step, since its first is accurate; its trust regions take twice as many as Newton-CG here. Of the
/// others no cause is known.
const BEHIND: &[(&str, &str)] = &[
    ("BFGS", "freudenstein_roth"),
    ("BFGS", "gaussian"),
    ("BFGS", "discrete_boundary_value_10"),
    ("BFGS", "gulf"),
    ("BFGS", "watson_6"),
    ("BFGS", "power_50"),
    ("L-BFGS", "brown_badly_scaled"),
    ("Newton-CG", "gaussian"),
    ("Newton-CG", "rastrigin_10"),
    ("Newton-CG", "tquartic_50"),
    ("trust region", "discrete_boundary_value_10"),
    ("trust region, GLTR", "discrete_boundary_value_10"),
];

#[test]
fn evaluations_are_at_most_five_quarters_of_the_best_peer() {
    let golden = golden();
    let unexpected = RefCell::new(Vec::new());
    let compare = |problem: &TestProblem, name: &str, peers: &[&str], o: &Outcome<f64>| {
        // Peers that did not converge, or at a higher minimum, are no measure.
        let same =
            |row: &&Row| row.4 && row.5.is_some_and(|v| v <= o.value + 1e-3 * o.value.abs() + problem.slack);
        let rows = peers.iter().filter_map(|p| golden[problem.name].get(*p)).filter(same);
        let Some(best) = rows.map(|r| cost(r.1, r.2, r.3)).min() else { return };
        // Jacobians are counted as products here, as gradients there.
        let products = if name == "Levenberg–Marquardt" { 0 } else { o.counts.products };
        let mine = cost(o.counts.values, o.counts.gradients, products);
        let ratio = mine as f64 / best as f64;
        println!("{:26} {name:22} {mine:5} of {best:5}: {ratio:.2}", problem.name);
        if (ratio > 1.25) != BEHIND.contains(&(name, problem.name)) {
            unexpected.borrow_mut().push(format!("{name} on {}: {mine}, {best}", problem.name));
        }
    };
    for problem in problems::all() {
        for (name, method, peers) in methods() {
            if applies(name, &problem) && !peers.is_empty() {
                compare(&problem, name, peers, &outcome(&*method, &problem));
            }
        }
        if golden[problem.name].contains_key("lm") {
            let method = LevenbergMarquardt::default().with_stopping(stopping());
            let o = method.minimize(&LeastSquares::from_residuals(problem), &problem.start()).unwrap();
            compare(&problem, "Levenberg–Marquardt", &["lm"], &o);
        }
    }
    let unbounded = |n| LbfgsB { stopping: stopping(), ..LbfgsB::new(Bounds::none(n)) };
    for problem in problems::all() {
        compare(&problem, "L-BFGS-B", &["L-BFGS-B"], &outcome(&unbounded(problem.n), &problem));
        if let Some((lower, upper)) = problems::bounds(problem.name) {
            let bounds = Bounds::uniform(problem.n, lower, upper).unwrap();
            let method = LbfgsB { bounds, ..unbounded(problem.n) };
            let mut start = problem.start();
            method.bounds.project(&mut start);
            let o = method.minimize(&problem, &start).unwrap();
            compare(&problem, "L-BFGS-B, bounds", &["L-BFGS-B bounded"], &o);
        }
    }
    let unexpected = unexpected.into_inner();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}
