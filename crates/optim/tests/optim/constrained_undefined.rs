//! Constraints, objectives and terms that are NaN or infinite somewhere: never taken for satisfied, never called solved.

use std::cell::Cell;

use wengert_optim::constrained::*;
use wengert_optim::*;

/// ½(x − 3)².
fn square() -> Problem<'static, f64> {
    Problem::new(1, |x: &[f64]| 0.5 * (x[0] - 3.0).powi(2))
        .with_gradient(|x, g| g[0] = x[0] - 3.0)
        .with_hvp(|_, v, out| out[0] = v[0])
}

/// Runs the methods for general constraints.
fn run(
    f: &dyn Objective<f64>,
    constraints: &Constraints<'_, f64>,
    start: &[f64],
) -> Vec<(&'static str, Outcome<f64>)> {
    let rough = Stopping { max_iterations: 100, ..Stopping::gradient(1e-4) };
    vec![
        ("interior point", InteriorPoint::new(constraints).minimize(f, start).unwrap()),
        ("augmented Lagrangian", AugmentedLagrangian::new(constraints).minimize(f, start).unwrap()),
        (
            "quadratic penalty",
            AugmentedLagrangian { stopping: rough, ..AugmentedLagrangian::quadratic_penalty(constraints) }
                .minimize(f, start)
                .unwrap(),
        ),
    ]
}

/// ln(2 − x) ≥ 0 is x ≤ 1, and undefined from 2 on.
#[test]
fn a_logarithm_holds_at_its_zero() {
    let log =
        || Constraints::new(1).inequality(|x: &[f64]| (2.0 - x[0]).ln(), |x, g| g[0] = -1.0 / (2.0 - x[0]));
    let gradient_nan = Constraints::new(1)
        .inequality(|x: &[f64]| 1.0 - x[0], |x, g| g[0] = if x[0] > 1.7 { f64::NAN } else { -1.0 });
    let inside = || |x: &[f64]| if x[0] < 2.0 { 1.0 - x[0] } else { f64::NEG_INFINITY };
    let satisfied = |x: &[f64]| if x[0] < 2.0 { 1.0 - x[0] } else { f64::INFINITY };
    let slope = |_: &[f64], g: &mut [f64]| g[0] = -1.0;
    let never = |x: &[f64]| if x[0] < 2.5 { 10.0 } else { f64::NAN };
    let all = [
        ("NaN", log()),
        ("NaN in a gradient", gradient_nan),
        ("−∞", Constraints::new(1).inequality(inside(), slope)),
        ("∞", Constraints::new(1).inequality(satisfied, slope)),
        (
            "one of three",
            log().inequality(|x| x[0] + 9.0, |_, g| g[0] = 1.0).inequality(never, |_, g| g[0] = 0.0),
        ),
    ];
    for (what, constraints) in all {
        for start in [0.0, 0.9, 1.3, -5.0] {
            for (name, outcome) in run(&square(), &constraints, &[start]) {
                let label = format!("{what}, {name} from {start}: {outcome} at {:?}", outcome.point);
                assert!(outcome.converged(), "{label}");
                assert!((outcome.point[0] - 1.0).abs() < 1e-3, "{label}");
                assert!(outcome.multipliers.unwrap().violation < 1e-3, "{label}");
            }
        }
    }
}

#[test]
fn an_equality_that_is_undefined_on_one_side() {
    // √x = 2 with f = x: 4.
    let f =
        Problem::new(1, |x: &[f64]| x[0]).with_gradient(|_, g| g[0] = 1.0).with_hvp(|_, _, out| out[0] = 0.0);
    let root = Constraints::new(1).equality(|x: &[f64]| x[0].sqrt() - 2.0, |x, g| g[0] = 0.5 / x[0].sqrt());
    for (name, outcome) in run(&f, &root, &[0.01]) {
        assert!(
            outcome.converged() && (outcome.point[0] - 4.0).abs() < 1e-2,
            "{name}: {outcome} {:?}",
            outcome.point
        );
    }
    let outcome = KktNewton::new(&root).minimize(&f, &[0.01]).unwrap();
    assert!(outcome.converged() && (outcome.point[0] - 4.0).abs() < 1e-5, "{outcome}");
}

/// f alone is undefined beyond the constraint's bound.
#[test]
fn an_objective_that_is_undefined_outside() {
    for bad in [f64::NAN, f64::INFINITY] {
        let f = Problem::new(1, move |x: &[f64]| if x[0] > 1.5 { bad } else { 0.5 * (x[0] - 3.0).powi(2) })
            .with_gradient(move |x, g| g[0] = if x[0] > 1.5 { bad } else { x[0] - 3.0 })
            .with_hvp(|_, v, out| out[0] = v[0]);
        let below = Constraints::new(1).inequality(|x| 1.0 - x[0], |_, g| g[0] = -1.0);
        for (name, outcome) in run(&f, &below, &[0.0]) {
            assert!(outcome.converged() && (outcome.point[0] - 1.0).abs() < 1e-3, "{bad}, {name}: {outcome}");
        }
    }
}

#[test]
fn undefined_at_the_start_is_said() {
    let bad_values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for bad in bad_values {
        let good = || Constraints::new(1).inequality(|x: &[f64]| 1.0 - x[0], |_, g| g[0] = -1.0);
        let all = [
            ("inequality", good().inequality(move |_| bad, |_, g| g[0] = -1.0)),
            ("gradient", good().inequality(|_| 1.0, move |_, g| g[0] = bad)),
            ("equality", good().equality(move |_| bad, |_, g| g[0] = -1.0)),
            ("equality's gradient", good().equality(|_| 0.0, move |_, g| g[0] = bad)),
        ];
        for (what, constraints) in all {
            for (name, outcome) in run(&square(), &constraints, &[3.0]) {
                let label = format!("{bad} in {what}, {name}: {outcome}");
                assert_eq!(outcome.reason, Reason::NonFinite, "{label}");
                assert_eq!(outcome.point, [3.0], "{label}");
                let multipliers = outcome.multipliers.unwrap();
                assert!(multipliers.kkt_residual.is_nan() && outcome.gradient_norm.is_nan(), "{label}");
                let in_value = !what.contains("gradient");
                assert_eq!(multipliers.violation.is_nan(), in_value, "{label}");
                // A loose relative test is no way round it.
                let stopping = Stopping { relative_tolerance: 0.9, ..Stopping::default() };
                let loose = InteriorPoint { stopping, ..InteriorPoint::new(&constraints) };
                assert_eq!(loose.minimize(&square(), &[3.0]).unwrap().reason, Reason::NonFinite, "{label}");
            }
        }
    }
}

/// Terms and bounds for methods without general constraints; NaN beyond a wall that the way to the minimum does not cross.
#[test]
fn walls_of_nan_for_bounds_and_terms() {
    for bad in [f64::NAN, f64::INFINITY] {
        let f = Problem::new(2, move |x: &[f64]| {
            if x[0] > 3.1 { bad } else { 50.0 * (x[0] - 3.0).powi(2) + (x[1] + 1.0).powi(2) }
        })
        .with_gradient(move |x, g| {
            g[0] = if x[0] > 3.1 { bad } else { 100.0 * (x[0] - 3.0) };
            g[1] = 2.0 * (x[1] + 1.0);
        });
        let bounds = Bounds::new(vec![f64::NEG_INFINITY, 0.0], vec![f64::INFINITY; 2]).unwrap();
        let methods: [(&str, Box<dyn Minimizer<f64>>, f64); 5] = [
            ("L-BFGS-B", Box::new(LbfgsB::new(bounds.clone())), 0.0),
            ("projected", Box::new(ProjectedGradient::new(bounds.clone())), 0.0),
            ("FISTA", Box::new(ProximalGradient::new(bounds)), 0.0),
            ("FISTA, L1", Box::new(ProximalGradient::new(L1(0.0))), -1.0),
            ("OWL-QN", Box::new(OwlQn::new(0.0)), -1.0),
        ];
        for (name, method, second) in methods {
            let outcome = method.run(&f, &[-4.0, 2.0]).unwrap();
            let label = format!("{bad}, {name}: {outcome} {:?}", outcome.point);
            assert!(outcome.converged() && (outcome.point[0] - 3.0).abs() < 1e-6, "{label}");
            assert!((outcome.point[1] - second).abs() < 1e-5, "{label}");
        }
    }
}

#[test]
fn minus_infinity_is_unbounded() {
    let f = Problem::new(1, |x: &[f64]| if x[0] < -1.0 { f64::NEG_INFINITY } else { x[0] })
        .with_gradient(|_, g| g[0] = 1.0)
        .with_hvp(|_, _, out| out[0] = 0.0);
    let below = Constraints::new(1).inequality(|x| 9.0 - x[0], |_, g| g[0] = -1.0);
    let half = Bounds::new(vec![f64::NEG_INFINITY], vec![9.0]).unwrap();
    let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 6] = [
        ("interior point", Box::new(InteriorPoint::new(&below))),
        ("augmented Lagrangian", Box::new(AugmentedLagrangian::new(&below))),
        ("L-BFGS-B", Box::new(LbfgsB::new(half.clone()))),
        ("projected", Box::new(ProjectedGradient::new(half.clone()))),
        ("FISTA", Box::new(ProximalGradient::new(half))),
        ("OWL-QN", Box::new(OwlQn::new(0.1))),
    ];
    for (name, method) in methods {
        let outcome = method.run(&f, &[2.0]).unwrap();
        assert!(
            !outcome.converged() && outcome.value.is_finite(),
            "{name}: {outcome}, f = {}",
            outcome.value
        );
    }
}

/// A term whose value is NaN is no lower value.
#[derive(Debug)]
struct Broken;

impl Proximable<f64> for Broken {
    fn value(&self, x: &[f64]) -> f64 {
        if x[0] > 1.0 { f64::NAN } else { 0.0 }
    }
    fn proximal(&self, _: &mut [f64], _: f64) {}
}

#[test]
fn a_term_that_is_nan_does_not_win() {
    let outcome = ProximalGradient::new(Broken).minimize(&square(), &[0.0]).unwrap();
    assert!(!outcome.converged() && outcome.value.is_finite() && outcome.point[0] <= 1.0, "{outcome}");
}

#[test]
fn a_hessian_that_is_nan_is_done_without() {
    let calls = Cell::new(0);
    let f = Problem::new(2, |x: &[f64]| (x[0] - 3.0).powi(2) + (x[1] - 1.0).powi(2))
        .with_gradient(|x, g| {
            g[0] = 2.0 * (x[0] - 3.0);
            g[1] = 2.0 * (x[1] - 1.0);
        })
        .with_hvp(|_, v, out| {
            calls.set(calls.get() + 1);
            out.copy_from_slice(v);
            out[0] = f64::NAN;
        });
    let line = Constraints::new(2).equality(|x| x[0] + x[1] - 2.0, |_, g| g.fill(1.0));
    let outcome = InteriorPoint::new(&line).minimize(&f, &[0.0, 0.0]).unwrap();
    assert!(outcome.converged() && (outcome.point[0] - 2.0).abs() < 1e-5 && calls.get() > 0, "{outcome}");
}
