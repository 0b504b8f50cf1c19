//! How methods behave at saddles, with bad input, at the end of budgets, where values are not finite.

use std::cell::Cell;
use std::ops::ControlFlow;

use wengert_optim::constrained::{Bounds, LbfgsB};
use wengert_optim::minimize::*;
use wengert_optim::search::{Armijo, HagerZhang, StrongWolfe, WeakWolfe};
use wengert_optim::vector;

/// x⁴/4 − x²/2 + y²/2: a saddle at the origin, minima of −1/4 at (±1, 0).
fn saddle() -> Problem<'static, f64> {
    Problem::new(2, |x: &[f64]| x[0].powi(4) / 4.0 - x[0].powi(2) / 2.0 + x[1].powi(2) / 2.0)
        .with_gradient(|x, g| {
            g[0] = x[0].powi(3) - x[0];
            g[1] = x[1];
        })
        .with_hvp(|x, v, out| {
            out[0] = (3.0 * x[0] * x[0] - 1.0) * v[0];
            out[1] = v[1];
        })
}

/// Rosenbrock's function times `scale`.
fn rosenbrock(scale: f64) -> Problem<'static, f64> {
    Problem::new(2, move |x: &[f64]| scale * ((1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)))
        .with_gradient(move |x, g| {
            let r = x[1] - x[0] * x[0];
            g[0] = scale * (-2.0 * (1.0 - x[0]) - 400.0 * x[0] * r);
            g[1] = scale * (200.0 * r);
        })
        .with_hvp(move |x, v, out| {
            out[0] = scale * ((2.0 - 400.0 * (x[1] - 3.0 * x[0] * x[0])) * v[0] - 400.0 * x[0] * v[1]);
            out[1] = scale * (-400.0 * x[0] * v[0] + 200.0 * v[1]);
        })
}

/// Every unconstrained method with a stopping rule.
fn methods(stopping: &Stopping) -> Vec<(&'static str, Box<dyn Minimizer<f64>>)> {
    let s = || stopping.clone();
    let gltr = KrylovModel { solver: KrylovSolver::Gltr, ..Default::default() };
    let lbfgs_preconditioned =
        KrylovModel { preconditioning: Preconditioning::Lbfgs(10), ..Default::default() };
    vec![
        ("Newton", Box::new(Newton::default().with_stopping(s()))),
        ("Newton-CG", Box::new(NewtonCg::default().with_stopping(s()))),
        ("saddle-free", Box::new(SaddleFreeNewton::default().with_stopping(s()))),
        ("damped Newton", Box::new(DampedNewton { stopping: s(), ..Default::default() })),
        ("trust region", Box::new(TrustRegionNewton::default().with_stopping(s()))),
        ("GLTR", Box::new(TrustRegionNewton::new(gltr).with_stopping(s()))),
        ("preconditioned", Box::new(TrustRegionNewton::new(lbfgs_preconditioned).with_stopping(s()))),
        ("exact", Box::new(TrustRegionExact::default().with_stopping(s()))),
        ("Hessian-free", Box::new(HessianFree { stopping: s(), ..Default::default() })),
        ("gradient descent", Box::new(SteepestDescent::default().with_stopping(s()))),
        ("nonlinear CG", Box::new(NonlinearCg::default().with_stopping(s()))),
        ("BFGS", Box::new(Bfgs::default().with_stopping(s()))),
        ("DFP", Box::new(Dfp::default().with_stopping(s()))),
        ("SR1", Box::new(Sr1::default().with_stopping(s()))),
        ("L-BFGS", Box::new(Lbfgs::default().with_stopping(s()))),
        ("L-BFGS-B", Box::new(LbfgsB { stopping: s(), ..LbfgsB::new(Bounds::none(2)) })),
    ]
}

#[test]
fn newton_methods_leave_saddles() {
    for (name, method) in &methods(&Stopping::gradient(1e-9))[..9] {
        // Towards the saddle, at it, and beside it.
        for start in [[0.0, 1.0], [0.0, 0.0], [1e-12, 0.5]] {
            let outcome = method.run(&saddle(), &start).unwrap();
            assert!(outcome.converged(), "{name} from {start:?}: {outcome}");
            assert!((outcome.value + 0.25).abs() < 1e-12, "{name} from {start:?}: f = {}", outcome.value);
        }
    }
}

/// Σ ½cᵢxᵢ² + ¼xᵢ⁴ with curvatures from 1 to 100 at 0, but one that is weakly negative.
fn weak_saddle(n: usize, weak: f64) -> Problem<'static, f64> {
    let c = move |i: usize| if i == n / 3 { weak } else { 1.0 + 99.0 * i as f64 / (n - 1) as f64 };
    Problem::new(n, move |x: &[f64]| {
        x.iter().enumerate().map(|(i, x)| 0.5 * c(i) * x * x + 0.25 * x.powi(4)).sum()
    })
    .with_gradient(move |x, g| (0..n).for_each(|i| g[i] = c(i) * x[i] + x[i].powi(3)))
    .with_hvp(move |x, v, out| (0..n).for_each(|i| out[i] = (c(i) + 3.0 * x[i] * x[i]) * v[i]))
}

#[test]
fn weak_negative_curvature_is_found() {
    for (n, weak) in [(200, -0.01), (500, -0.1), (40, -1e-4)] {
        let f = weak_saddle(n, weak);
        // Down to −c²/4.
        let least = -0.25 * weak * weak;
        for (name, method) in &methods(&Stopping::gradient(1e-3 * weak.abs().powf(1.5)))[..9] {
            let outcome = method.run(&f, &vec![0.0; n]).unwrap();
            assert!(outcome.converged(), "{name}, {weak}: {outcome}");
            assert!(outcome.value < 0.99 * least, "{name}, {weak}: {outcome}, f = {}", outcome.value);
            // There it is twice as strong, and positive: what was found says so.
            let found = outcome.curvature.expect("looked for");
            assert!(found.settled && found.value > 0.0, "{name}: {found:?}");
            assert!(found.value >= -2.0 * weak - found.residual, "{name}: {found:?}");
        }
    }
}

#[test]
fn a_search_for_curvature_that_has_not_settled_says_so() {
    // A tenth of the steps that it takes.
    let probe = CurvatureProbe { max_steps: 8, seed: 0 };
    let method = Newton::new(NewtonDirection { probe, ..Default::default() });
    let outcome = method.minimize(&weak_saddle(200, -0.01), &[0.0; 200]).unwrap();
    let found = outcome.curvature.expect("looked for");
    assert!(outcome.converged() && !found.settled && found.steps == 8, "{outcome}: {found:?}");
    let none = CurvatureProbe { max_steps: 0, seed: 0 };
    let method = Newton::new(NewtonDirection { probe: none, ..Default::default() });
    let outcome = method.minimize(&weak_saddle(20, -0.01), &[0.0; 20]).unwrap();
    assert!(outcome.converged() && outcome.curvature.is_none(), "{outcome}");
}

#[test]
fn a_maximum_is_left_too_and_a_degenerate_minimum_is_not() {
    let cosine = Problem::new(3, |x: &[f64]| x.iter().map(|x| x.cos()).sum())
        .with_gradient(|x, g| g.iter_mut().zip(x).for_each(|(g, x)| *g = -x.sin()))
        .with_hvp(|x, v, out| (0..3).for_each(|i| out[i] = -x[i].cos() * v[i]));
    let quartic = Problem::new(2, |x: &[f64]| x[0].powi(4) + x[1] * x[1])
        .with_gradient(|x, g| {
            g[0] = 4.0 * x[0].powi(3);
            g[1] = 2.0 * x[1];
        })
        .with_hvp(|x, v, out| {
            out[0] = 12.0 * x[0] * x[0] * v[0];
            out[1] = 2.0 * v[1];
        });
    for (name, method) in &methods(&Stopping::gradient(1e-9))[..9] {
        let outcome = method.run(&cosine, &[0.0; 3]).unwrap();
        assert!(outcome.converged() && (outcome.value + 3.0).abs() < 1e-12, "{name}: {outcome}");
        let outcome = method.run(&quartic, &[0.0; 2]).unwrap();
        assert!(outcome.converged() && outcome.iterations == 0, "{name}: {outcome}");
    }
}

#[test]
fn bad_input_is_a_typed_error() {
    let f = rosenbrock(1.0);
    let empty = Problem::new(0, |_: &[f64]| 0.0);
    let undefined = Problem::new(2, |_: &[f64]| f64::NAN).with_gradient(|_, g| g.fill(0.0));
    for (name, method) in methods(&Stopping::default()) {
        let error = |objective: &Problem<'_, f64>, start: &[f64]| method.run(objective, start).unwrap_err();
        assert_eq!(error(&empty, &[]), MinimizeError::ZeroDimension, "{name}");
        assert!(
            matches!(error(&f, &[1.0]), MinimizeError::WrongLength { expected: 2, found: 1, .. }),
            "{name}"
        );
        assert!(
            matches!(error(&f, &[1.0, f64::NAN]), MinimizeError::NonFiniteStart { index: 1, .. }),
            "{name}"
        );
        assert!(
            matches!(error(&f, &[f64::INFINITY, 0.0]), MinimizeError::NonFiniteStart { index: 0, .. }),
            "{name}"
        );
        assert!(matches!(error(&undefined, &[1.0; 2]), MinimizeError::UndefinedAtStart { .. }), "{name}");
    }
    for (name, method) in methods(&Stopping::gradient(f64::NAN)) {
        assert!(matches!(method.run(&f, &[0.0; 2]), Err(MinimizeError::InvalidSetting { .. })), "{name}");
    }
    let first_order = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
    for (name, method) in &methods(&Stopping::default())[..9] {
        assert!(matches!(method.run(&first_order, &[1.0]), Err(MinimizeError::Missing { .. })), "{name}");
    }
    assert!(matches!(
        LevenbergMarquardt::default().minimize(&f, &[0.0; 2]),
        Err(MinimizeError::Missing { .. })
    ));
    assert!(matches!(GaussNewton::default().minimize(&f, &[0.0; 2]), Err(MinimizeError::Missing { .. })));
    assert!(Lbfgs::new(LbfgsDirection { history: 0 }).minimize(&f, &[0.0; 2]).is_err());
    let flat = Beta::GuaranteedDescent { mu: 1.0 };
    assert!(
        NonlinearCg::new(ConjugateDirection { beta: flat, ..Default::default() })
            .minimize(&f, &[0.0; 2])
            .is_err()
    );
}

#[test]
fn a_wall_of_nan_is_stepped_back_from() {
    // −ln x + x, undefined for x ≤ 0, started where full Newton steps fall off; minimum 1 at 1.
    let wall = || {
        Problem::new(1, |x: &[f64]| if x[0] > 0.0 { x[0] - x[0].ln() } else { f64::NAN })
            .with_gradient(|x, g| g[0] = if x[0] > 0.0 { 1.0 - 1.0 / x[0] } else { f64::NAN })
            .with_hvp(|x, v, out| out[0] = v[0] / (x[0] * x[0]))
    };
    for start in [1e-3, 0.5, 3.0, 50.0] {
        for (name, method) in methods(&Stopping::gradient(1e-8)) {
            if name == "L-BFGS-B" {
                continue; // Its bounds here are for two variables.
            }
            let outcome = method.run(&wall(), &[start]).unwrap();
            assert!(
                outcome.converged() && (outcome.value - 1.0).abs() < 1e-12,
                "{name} from {start}: {outcome}"
            );
        }
    }
}

#[test]
fn an_objective_that_turns_bad_ends_with_the_best_point_and_a_reason() {
    // After twenty calls everything is NaN.
    for (name, method) in methods(&Stopping::gradient(1e-14)) {
        let calls = Cell::new(0);
        let f = rosenbrock(1.0);
        let failing = Problem::new(2, |x: &[f64]| {
            calls.set(calls.get() + 1);
            if calls.get() > 20 { f64::NAN } else { f.value(x) }
        })
        .with_gradient(|x, g| Objective::gradient(&f, x, g))
        .with_hvp(|x, v, out| f.hessian(x).unwrap().apply(v, out));
        let outcome = method.run(&failing, &[-1.2, 1.0]).unwrap();
        assert!(!outcome.converged(), "{name}: {outcome}");
        assert!(outcome.value.is_finite() && outcome.value < 24.2, "{name}: {outcome}");
        assert_eq!(f.value(&outcome.point), outcome.value, "{name}");
    }
}

#[test]
fn unbounded_and_linear_functions_end() {
    let line = Problem::new(2, |x: &[f64]| x[0] - x[1])
        .with_gradient(|_, g| g.copy_from_slice(&[1.0, -1.0]))
        .with_hvp(|_, _, out| out.fill(0.0));
    let cliff = Problem::new(2, |x: &[f64]| -(x[0] * x[0] + x[1] * x[1]).exp())
        .with_gradient(|x, g| {
            let e = -2.0 * (x[0] * x[0] + x[1] * x[1]).exp();
            g.copy_from_slice(&[e * x[0], e * x[1]]);
        })
        .with_difference_hessian();
    let stopping = Stopping { max_iterations: 500, ..Stopping::default() };
    for (name, method) in methods(&stopping) {
        for f in [&line, &cliff] {
            let outcome = method.run(f, &[1.0, 0.5]).unwrap();
            assert!(!outcome.converged(), "{name}: {outcome}");
            assert!(outcome.value <= f.value(&[1.0, 0.5]) && outcome.value.is_finite(), "{name}: {outcome}");
        }
    }
}

#[test]
fn budgets_and_callbacks_stop() {
    let f = rosenbrock(1.0);
    let reason = |stopping: Stopping, name: usize| methods(&stopping)[name].1.run(&f, &[-1.2, 1.0]).unwrap();
    for i in 0..16 {
        let tight = Stopping::gradient(1e-12);
        let o = reason(Stopping { max_iterations: 3, ..tight.clone() }, i);
        assert_eq!((o.reason, o.iterations), (Reason::MaxIterations, 3), "{i}");
        let o = reason(Stopping { max_evaluations: Some(8), ..tight.clone() }, i);
        assert_eq!(o.reason, Reason::MaxEvaluations, "{i}");
        assert!(o.counts.values <= 8, "{i}: {o}");
        let o = reason(Stopping { max_seconds: Some(0.0), ..tight.clone() }, i);
        assert_eq!((o.reason, o.iterations), (Reason::TimeLimit, 0), "{i}");
        let o = reason(Stopping { target_value: Some(1.0), ..tight }, i);
        assert!(o.reason == Reason::TargetReached && o.value <= 1.0, "{i}");
    }
    let outcome = Lbfgs::default().minimize_with(&f, &[-1.2, 1.0], |run| {
        if run.iterations == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let outcome = outcome.unwrap();
    assert_eq!((outcome.reason, outcome.iterations), (Reason::Callback, 5));
    assert!(outcome.to_string().starts_with("stopped by the callback: |g| "));
}

#[test]
fn budgets_hold_inside_an_iteration() {
    // 300 variables of curvature from 1 to 10⁶: a Newton step takes hundreds of products.
    let d = |i: usize| 1e6f64.powf(i as f64 / 299.0);
    let bowl = Problem::new(300, |x: &[f64]| {
        std::thread::sleep(std::time::Duration::from_micros(20));
        x.iter().enumerate().map(|(i, x)| d(i) * x * x).sum()
    })
    .with_gradient(|x, g| (0..300).for_each(|i| g[i] = 2.0 * d(i) * x[i]))
    .with_hvp(|_, v, out| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        (0..300).for_each(|i| out[i] = 2.0 * d(i) * v[i]);
    });
    let newton =
        |name: &str| ["Newton-CG", "damped Newton", "trust region", "GLTR", "Hessian-free"].contains(&name);
    let start: Vec<f64> = (0..300).map(|i| 1.0 + (i % 7) as f64).collect();
    let tight = || Stopping::gradient(1e-10);
    for (name, method) in methods(&Stopping { max_products: Some(25), ..tight() }) {
        if newton(name) {
            let o = method.run(&bowl, &start).unwrap();
            assert_eq!((o.reason, o.counts.products), (Reason::MaxEvaluations, 25), "{name}: {o}");
        }
    }
    for (name, method) in methods(&Stopping { max_seconds: Some(0.02), ..tight() }) {
        if newton(name) {
            let o = method.run(&bowl, &start).unwrap();
            assert_eq!(o.reason, Reason::TimeLimit, "{name}: {o}");
            // Each product takes more than a millisecond, and a step hundreds of them.
            assert!(o.counts.products <= 20, "{name}: {o}");
        }
    }
    // A line search that needs many values stops in the middle.
    let wall = Problem::new(1, |x: &[f64]| if x[0] < 1e-12 { x[0] * x[0] - x[0] } else { f64::NAN })
        .with_gradient(|x, g| g[0] = 2.0 * x[0] - 1.0)
        .with_hvp(|_, v, out| out[0] = 2.0 * v[0]);
    for (name, method) in methods(&Stopping { max_evaluations: Some(5), ..tight() }) {
        if name != "L-BFGS-B" {
            let o = method.run(&wall, &[0.0]).unwrap();
            assert_eq!((o.reason, o.counts.values), (Reason::MaxEvaluations, 5), "{name}: {o}");
        }
    }
}

#[test]
fn the_guaranteed_descent_is_guaranteed_at_every_step_under_any_line_search() {
    for mu in [1.01, 1.5, 4.0] {
        let direction = || ConjugateDirection {
            beta: Beta::GuaranteedDescent { mu },
            powell: None,
            ..Default::default()
        };
        let base = || NonlinearCg::new(direction());
        for method in [
            base(),
            base().with_search(Armijo::default()),
            base().with_search(WeakWolfe::default()),
            base().with_search(StrongWolfe::default()),
            base().with_search(HagerZhang::default()),
        ] {
            let f = rosenbrock(1.0);
            let mut checked = 0;
            let outcome = method.minimize_with(&f, &[-1.2, 1.0], |run| {
                // The direction that the next step will take.
                let counted = Counted::new(&f);
                let mut state = run.state.clone();
                let mut d = vec![0.0; 2];
                method.direction.compute(&counted, &run.current, &mut state.memory, &mut d).unwrap();
                let g = &run.current.gradient;
                let bound = -(1.0 - 1.0 / mu) * vector::dot(g, g);
                assert!(
                    vector::dot(g, &d) <= bound * (1.0 - 1e-12),
                    "μ = {mu}, {method:?}: step {}",
                    run.iterations
                );
                checked += 1;
                ControlFlow::Continue(())
            });
            let outcome = outcome.unwrap();
            assert!(outcome.converged() && checked > 10, "μ = {mu}, {method:?}: {outcome}");
        }
    }
}

#[test]
fn single_precision_works() {
    let f = Problem::new(50, |x: &[f32]| {
        x.windows(2).map(|w| f64::from((1.0 - w[0]).powi(2) + 10.0 * (w[1] - w[0] * w[0]).powi(2))).sum()
    })
    .with_gradient(|x, g| {
        g.fill(0.0);
        for i in 0..x.len() - 1 {
            let r = x[i + 1] - x[i] * x[i];
            g[i] += -2.0 * (1.0 - x[i]) - 40.0 * x[i] * r;
            g[i + 1] += 20.0 * r;
        }
    })
    .with_difference_hessian();
    let stopping = || Stopping::gradient(1e-3);
    let methods: [(&str, Box<dyn Minimizer<f32>>); 5] = [
        ("L-BFGS", Box::new(Lbfgs::default().with_stopping(stopping()))),
        ("BFGS", Box::new(Bfgs::default().with_stopping(stopping()))),
        ("nonlinear CG", Box::new(NonlinearCg::default().with_stopping(stopping()))),
        ("Newton-CG", Box::new(NewtonCg::default().with_stopping(stopping()))),
        ("trust region", Box::new(TrustRegionNewton::default().with_stopping(stopping()))),
    ];
    for (name, method) in methods {
        let outcome = method.run(&f, &[0.5; 50]).unwrap();
        assert!(outcome.converged() && outcome.value < 1e-5, "{name}: {outcome}");
    }
}

/// Helical valley (a zero residual) and Kowalik and Osborne's problem (a small one).
#[test]
fn least_squares_methods() {
    type Residual = fn(&[f64], &mut [f64]);
    let helical: (Residual, Residual) = (
        |x, r| {
            r[0] = 10.0 * (x[2] - 10.0 * x[1].atan2(x[0]) / (2.0 * std::f64::consts::PI));
            r[1] = 10.0 * (x[0].hypot(x[1]) - 1.0);
            r[2] = x[2];
        },
        |x, j| {
            let (s, h) = (x[0] * x[0] + x[1] * x[1], x[0].hypot(x[1]));
            let c = 50.0 / (std::f64::consts::PI * s);
            j.copy_from_slice(&[
                c * x[1],
                -c * x[0],
                10.0,
                10.0 * x[0] / h,
                10.0 * x[1] / h,
                0.0,
                0.0,
                0.0,
                1.0,
            ]);
        },
    );
    const Y: [f64; 11] =
        [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
    const U: [f64; 11] = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
    let kowalik: (Residual, Residual) = (
        |x, r| {
            for i in 0..11 {
                r[i] = Y[i] - x[0] * U[i] * (U[i] + x[1]) / (U[i] * (U[i] + x[2]) + x[3]);
            }
        },
        |x, j| {
            for i in 0..11 {
                let (top, bottom) = (U[i] * (U[i] + x[1]), U[i] * (U[i] + x[2]) + x[3]);
                let row = &mut j[4 * i..4 * i + 4];
                row[0] = -top / bottom;
                row[1] = -x[0] * U[i] / bottom;
                row[2] = x[0] * top * U[i] / (bottom * bottom);
                row[3] = x[0] * top / (bottom * bottom);
            }
        },
    );
    type Case = (&'static str, (Residual, Residual), usize, Vec<f64>, f64);
    let cases: [Case; 2] = [
        ("helical", helical, 3, vec![-1.0, 0.0, 0.0], 0.0),
        ("kowalik", kowalik, 11, vec![0.25, 0.39, 0.415, 0.39], 0.5 * 3.075_056_038_492_37e-4),
    ];
    let stopping = || Stopping::gradient(1e-8);
    let krylov = KrylovModel { curvature: Curvature::GaussNewton, ..Default::default() };
    let methods: [(&str, Box<dyn Minimizer<f64>>); 4] = [
        ("Levenberg–Marquardt", Box::new(LevenbergMarquardt::default().with_stopping(stopping()))),
        ("Gauss–Newton", Box::new(GaussNewton::default().with_stopping(stopping()))),
        (
            "Gauss–Newton, LSMR",
            Box::new(GaussNewton::new(GaussNewtonDirection { dense_limit: 0 }).with_stopping(stopping())),
        ),
        ("Gauss–Newton, trust region", Box::new(TrustRegionNewton::new(krylov).with_stopping(stopping()))),
    ];
    for (problem, (r, j), m, start, expected) in cases {
        let f = LeastSquares::new(start.len(), m, r, j);
        for (name, method) in &methods {
            let outcome = method.run(&f, &start).unwrap();
            println!("{problem}, {name}: {outcome} f = {:e}", outcome.value);
            assert!(outcome.converged(), "{problem}, {name}: {outcome}");
            assert!((outcome.value - expected).abs() < 1e-12, "{problem}, {name}: {:e}", outcome.value);
        }
    }
}

#[test]
fn a_step_to_a_lower_point_without_a_gradient_is_shortened() {
    // |x| as a residual: the whole Gauss–Newton step leads to 0, where the Jacobian is 0/0.
    let residual = |x: &[f64], r: &mut [f64]| r[0] = (x[0] * x[0]).sqrt();
    let jacobian = |x: &[f64], j: &mut [f64]| j[0] = x[0] / (x[0] * x[0]).sqrt();
    let problem = LeastSquares::new(1, 1, residual, jacobian);
    let outcome = LevenbergMarquardt::default().minimize(&problem, &[3.0]).unwrap();
    assert!(outcome.value < 4.5 && outcome.value.is_finite(), "{outcome}");
}

#[test]
fn functions_without_a_bound_below_are_found_out_at_once() {
    let slope = Problem::new(2, |x: &[f64]| x[0] + x[1]).with_gradient(|_, g| g.fill(1.0));
    let cubic = Problem::new(1, |x: &[f64]| x[0].powi(3)).with_gradient(|x, g| g[0] = 3.0 * x[0] * x[0]);
    let methods: [Box<dyn Minimizer<f64>>; 3] =
        [Box::new(Lbfgs::default()), Box::new(Bfgs::default()), Box::new(NonlinearCg::default())];
    for method in methods {
        for (problem, start) in [(&slope, &[1.0, 2.0][..]), (&cubic, &[-1.0])] {
            let outcome = method.run(problem, start).unwrap();
            assert_eq!(outcome.reason, Reason::Unbounded, "{outcome}");
            assert!(outcome.counts.values < 200, "{outcome}");
        }
    }
}

#[test]
fn nonsense_for_a_budget_of_time_is_a_typed_error() {
    let square = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
    for seconds in [-1.0, f64::NAN] {
        let stopping = Stopping { max_seconds: Some(seconds), ..Stopping::default() };
        let error = Lbfgs::default().with_stopping(stopping).minimize(&square, &[1.0]).unwrap_err();
        assert!(matches!(error, MinimizeError::InvalidSetting { name: "max_seconds", .. }), "{error}");
    }
}
