//! Constrained problems with known solutions.

use wengert_optim::constrained::*;
use wengert_optim::*;

/// Hock and Schittkowski's problem 71.
fn hs71() -> (Problem<'static, f64>, Constraints<'static, f64>) {
    let f = Problem::new(4, |x: &[f64]| x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2])
        .with_gradient(|x, g| {
            g[0] = x[3] * (2.0 * x[0] + x[1] + x[2]);
            g[1] = x[0] * x[3];
            g[2] = x[0] * x[3] + 1.0;
            g[3] = x[0] * (x[0] + x[1] + x[2]);
        })
        .with_hvp(|x, v, out| {
            let side = 2.0 * x[0] + x[1] + x[2];
            out[0] = 2.0 * x[3] * v[0] + x[3] * (v[1] + v[2]) + side * v[3];
            out[1] = x[3] * v[0] + x[0] * v[3];
            out[2] = x[3] * v[0] + x[0] * v[3];
            out[3] = side * v[0] + x[0] * (v[1] + v[2]);
        });
    let product_but =
        |x: &[f64], skip: &[usize]| (0..4).filter(|i| !skip.contains(i)).map(|i| x[i]).product::<f64>();
    let constraints = Constraints::new(4)
        .equality(
            |x| x.iter().map(|x| x * x).sum::<f64>() - 40.0,
            |x, g| g.iter_mut().zip(x).for_each(|(g, x)| *g = 2.0 * x),
        )
        .with_equality_hvp(0, |_, v, out| out.iter_mut().zip(v).for_each(|(o, v)| *o = 2.0 * v))
        .inequality(
            |x| x.iter().product::<f64>() - 25.0,
            move |x, g| (0..4).for_each(|i| g[i] = product_but(x, &[i])),
        )
        .with_inequality_hvp(0, move |x, v, out| {
            for (i, out) in out.iter_mut().enumerate() {
                *out = (0..4).filter(|&j| j != i).map(|j| product_but(x, &[i, j]) * v[j]).sum();
            }
        })
        .with_bounds(Bounds::uniform(4, 1.0, 5.0).unwrap());
    (f, constraints)
}

/// The tutorial of NLopt: min √y with y ≥ (2x)³ and y ≥ (1 − x)³.
fn tutorial() -> (Problem<'static, f64>, Constraints<'static, f64>) {
    let f = Problem::new(2, |x: &[f64]| x[1].sqrt())
        .with_gradient(|x, g| {
            g[0] = 0.0;
            g[1] = 0.5 / x[1].sqrt();
        })
        .with_hvp(|x, v, out| {
            out[0] = 0.0;
            out[1] = -0.25 * x[1].powf(-1.5) * v[1];
        });
    let cubic = |a: f64, b: f64| {
        (
            move |x: &[f64]| x[1] - (a * x[0] + b).powi(3),
            move |x: &[f64], g: &mut [f64]| {
                g[0] = -3.0 * a * (a * x[0] + b).powi(2);
                g[1] = 1.0;
            },
        )
    };
    let ((c1, g1), (c2, g2)) = (cubic(2.0, 0.0), cubic(-1.0, 1.0));
    let bounds = Bounds::new(vec![f64::NEG_INFINITY, 1e-9], vec![f64::INFINITY; 2]).unwrap();
    (f, Constraints::new(2).inequality(c1, g1).inequality(c2, g2).with_bounds(bounds))
}

#[test]
fn interior_point_solves_hs71_in_twelve_iterations_with_the_right_multipliers() {
    let (f, constraints) = hs71();
    let method = InteriorPoint { stopping: Stopping::gradient(1e-8), ..InteriorPoint::new(&constraints) };
    let outcome = method.minimize(&f, &[1.0, 5.0, 5.0, 1.0]).unwrap();
    println!("{outcome}");
    assert!(outcome.converged() && outcome.iterations <= 12, "{outcome}");
    assert!((outcome.value - 17.014_017_3).abs() < 1e-6, "{}", outcome.value);
    let solution = [1.0, 4.742_999_64, 3.821_149_98, 1.379_408_29];
    for (x, s) in outcome.point.iter().zip(solution) {
        assert!((x - s).abs() < 1e-6, "{:?}", outcome.point);
    }
    // Ipopt's: 0.16147 for the squares (of opposite sign in its Lagrangian), −0.55229 for the product, 1.08787 for x₁ ≥ 1.
    let m = outcome.multipliers.unwrap();
    assert!((m.equalities[0] + 0.161_468_56).abs() < 1e-5, "{m:?}");
    assert!((m.inequalities[0] - 0.552_293_66).abs() < 1e-5, "{m:?}");
    assert!((m.lower[0] - 1.087_871_21).abs() < 1e-5, "{m:?}");
    assert!(m.upper.iter().all(|u| *u < 1e-6) && m.violation < 1e-8 && m.kkt_residual <= 1e-8);
}

#[test]
fn nlopt_tutorial() {
    let (f, constraints) = tutorial();
    let expected = (8f64 / 27.0).sqrt();
    assert!((expected - 0.544_331_054_0).abs() < 1e-10);
    let stopping = Stopping::gradient(1e-8);
    let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 2] = [
        (
            "interior point",
            Box::new(InteriorPoint { stopping: stopping.clone(), ..InteriorPoint::new(&constraints) }),
        ),
        (
            "augmented Lagrangian",
            Box::new(AugmentedLagrangian {
                stopping: Stopping { max_iterations: 100, ..stopping },
                ..AugmentedLagrangian::new(&constraints)
            }),
        ),
    ];
    for (name, method) in methods {
        let outcome = method.run(&f, &[1.234, 5.678]).unwrap();
        println!("{name}: {outcome}");
        assert!(outcome.converged(), "{name}: {outcome}");
        assert!((outcome.value - expected).abs() < 1e-8, "{name}: {}", outcome.value);
        assert!((outcome.point[0] - 1.0 / 3.0).abs() < 1e-7, "{name}: {:?}", outcome.point);
    }
}

#[test]
fn augmented_lagrangian_and_penalty_solve_hs71() {
    let (f, constraints) = hs71();
    let exact = AugmentedLagrangian::new(&constraints).minimize(&f, &[1.0, 5.0, 5.0, 1.0]).unwrap();
    println!("{exact}");
    assert!(exact.converged() && (exact.value - 17.014_017_3).abs() < 1e-5, "{exact} {}", exact.value);
    let m = exact.multipliers.unwrap();
    assert!(
        (m.inequalities[0] - 0.552_293_66).abs() < 1e-4 && (m.lower[0] - 1.087_871_21).abs() < 1e-4,
        "{m:?}"
    );
    let penalty = AugmentedLagrangian {
        stopping: Stopping::gradient(1e-4),
        ..AugmentedLagrangian::quadratic_penalty(&constraints)
    };
    let rough = penalty.minimize(&f, &[1.0, 5.0, 5.0, 1.0]).unwrap();
    println!("{rough}");
    assert!(rough.converged() && (rough.value - 17.014_017_3).abs() < 1e-3, "{rough} {}", rough.value);
}

/// Hock and Schittkowski's problem 6, 7 and 27 by name: equality constraints alone.
#[test]
fn newton_on_the_lagrangian() {
    // HS7: min ln(1 + x²) − y with (1 + x²)² + y² = 4: −√3 at (0, √3).
    let f = Problem::new(2, |x: &[f64]| (1.0 + x[0] * x[0]).ln() - x[1])
        .with_gradient(|x, g| {
            g[0] = 2.0 * x[0] / (1.0 + x[0] * x[0]);
            g[1] = -1.0;
        })
        .with_hvp(|x, v, out| {
            let s = 1.0 + x[0] * x[0];
            out[0] = (2.0 / s - 4.0 * x[0] * x[0] / (s * s)) * v[0];
            out[1] = 0.0;
        });
    let constraints = Constraints::new(2).equality(
        |x: &[f64]| (1.0 + x[0] * x[0]).powi(2) + x[1] * x[1] - 4.0,
        |x, g| {
            g[0] = 4.0 * x[0] * (1.0 + x[0] * x[0]);
            g[1] = 2.0 * x[1];
        },
    );
    let outcome = KktNewton::new(&constraints).minimize(&f, &[2.0, 2.0]).unwrap();
    println!("{outcome}");
    assert!(
        outcome.converged() && (outcome.value + 3f64.sqrt()).abs() < 1e-9,
        "{outcome} {:?}",
        outcome.point
    );
    // A quadratic with a linear constraint takes one step: nearest point of x + y = 2 to the origin.
    let square = Problem::new(2, |x: &[f64]| 0.5 * (x[0] * x[0] + x[1] * x[1]))
        .with_gradient(|x, g| g.copy_from_slice(x))
        .with_hvp(|_, v, out| out.copy_from_slice(v));
    let line = Constraints::new(2).equality(|x| x[0] + x[1] - 2.0, |_, g| g.fill(1.0));
    let outcome = KktNewton::new(&line).minimize(&square, &[5.0, -3.0]).unwrap();
    assert!(outcome.converged() && outcome.iterations == 1, "{outcome}");
    assert!((outcome.multipliers.unwrap().equalities[0] - 1.0).abs() < 1e-12);
    let (_, with_bounds) = hs71();
    assert!(matches!(
        KktNewton::new(&with_bounds).minimize(&hs71().0, &[1.0, 5.0, 5.0, 1.0]),
        Err(MinimizeError::Missing { method: "KktNewton", .. })
    ));
}

#[test]
fn infeasible_constraints_are_reported() {
    // x ≥ 1 and x ≤ −1.
    let f = Problem::new(1, |x: &[f64]| x[0] * x[0])
        .with_gradient(|x, g| g[0] = 2.0 * x[0])
        .with_hvp(|_, v, out| out[0] = 2.0 * v[0]);
    let impossible = Constraints::new(1)
        .inequality(|x| x[0] - 1.0, |_, g| g[0] = 1.0)
        .inequality(|x| -1.0 - x[0], |_, g| g[0] = -1.0);
    let interior = InteriorPoint::new(&impossible).minimize(&f, &[0.3]).unwrap();
    println!("{interior}");
    assert_eq!(interior.reason, Reason::Infeasible, "{interior}");
    assert!(interior.multipliers.unwrap().violation > 0.9);
    let augmented = AugmentedLagrangian::new(&impossible).minimize(&f, &[0.3]).unwrap();
    println!("{augmented}");
    assert_eq!(augmented.reason, Reason::Infeasible, "{augmented}");
}

#[test]
fn bounded_problems_by_four_methods() {
    // Rosenbrock with the minimum cut off: x ≤ 0.5 gives (0.5, 0.25).
    let f = Problem::new(2, |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2))
        .with_gradient(|x, g| {
            let r = x[1] - x[0] * x[0];
            g[0] = -2.0 * (1.0 - x[0]) - 400.0 * x[0] * r;
            g[1] = 200.0 * r;
        })
        .with_difference_hessian();
    let bounds = Bounds::new(vec![-2.0, f64::NEG_INFINITY], vec![0.5, 2.0]).unwrap();
    let constraints = Constraints::new(2).with_bounds(bounds.clone());
    let stopping = Stopping { gradient_tolerance: 1e-6, max_iterations: 20_000, ..Stopping::default() };
    let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 4] = [
        ("L-BFGS-B", Box::new(LbfgsB { stopping: stopping.clone(), ..LbfgsB::new(bounds.clone()) })),
        (
            "projected",
            Box::new(ProjectedGradient {
                stopping: stopping.clone(),
                ..ProjectedGradient::new(bounds.clone())
            }),
        ),
        ("FISTA", Box::new(ProximalGradient { stopping, ..ProximalGradient::new(bounds) })),
        ("interior point", Box::new(InteriorPoint::new(&constraints))),
    ];
    for (name, method) in methods {
        for start in [[-1.2, 1.0], [3.0, 3.0]] {
            let outcome = method.run(&f, &start).unwrap();
            println!("{name}: {outcome}");
            assert!(outcome.converged(), "{name}: {outcome}");
            assert!(
                (outcome.point[0] - 0.5).abs() < 1e-6 && (outcome.point[1] - 0.25).abs() < 1e-5,
                "{name}: {:?}",
                outcome.point
            );
            assert!(outcome.point[0] <= 0.5);
        }
    }
}

/// The lasso ½‖A x − b‖² + λ‖x‖₁ with a solution whose subgradient conditions are checked one by one.
#[test]
fn lasso_by_owl_qn_and_fista() {
    let (m, n, lambda) = (30, 50, 0.7);
    let a: Vec<f64> = (0..m * n).map(|k| (((k * 7919 + 13) % 1009) as f64 / 504.5 - 1.0) * 0.5).collect();
    let b: Vec<f64> = (0..m).map(|i| ((i * 31) % 17) as f64 / 4.0 - 2.0).collect();
    let residual =
        |x: &[f64]| -> Vec<f64> { a.chunks(n).zip(&b).map(|(row, b)| vector::dot(row, x) - b).collect() };
    let gradient = |x: &[f64], g: &mut [f64]| {
        g.fill(0.0);
        residual(x).iter().zip(a.chunks(n)).for_each(|(r, row)| vector::axpy(*r, row, g));
    };
    let f =
        Problem::new(n, |x: &[f64]| 0.5 * vector::dot(&residual(x), &residual(x))).with_gradient(gradient);
    let stopping = Stopping { gradient_tolerance: 1e-7, max_iterations: 20_000, ..Stopping::default() };
    let owl = OwlQn { stopping: stopping.clone(), ..OwlQn::new(lambda) }.minimize(&f, &vec![0.0; n]).unwrap();
    let fista = ProximalGradient { stopping, ..ProximalGradient::new(L1(lambda)) }
        .minimize(&f, &vec![0.0; n])
        .unwrap();
    for (name, o) in [("OWL-QN", &owl), ("FISTA", &fista)] {
        println!("{name}: {o}");
        assert!(o.converged(), "{name}: {o}");
        let zeros = o.point.iter().filter(|x| **x == 0.0).count();
        assert!(zeros >= n - m && zeros < n, "{name}: {zeros} zeros");
        for (x, g) in o.point.iter().zip(&o.gradient) {
            let excess = if *x == 0.0 { g.abs() - lambda } else { (g + lambda * x.signum()).abs() };
            assert!(excess <= 2e-6, "{name}: {x} {g}");
        }
        assert_eq!(o.value, f.value(&o.point) + lambda * vector::norm_1(&o.point));
    }
    assert!((owl.value - fista.value).abs() < 1e-8);
}

#[test]
fn bad_bounds_and_settings_are_typed_errors() {
    assert!(matches!(
        Bounds::new(vec![0.0, 2.0], vec![1.0, 1.0]),
        Err(MinimizeError::InconsistentBounds { index: 1, .. })
    ));
    assert!(Bounds::new(vec![f64::NAN], vec![1.0]).is_err());
    assert!(matches!(Bounds::new(vec![0.0], vec![]), Err(MinimizeError::WrongLength { .. })));
    let f = Problem::new(2, |x: &[f64]| x[0] + x[1]).with_gradient(|_, g| g.fill(1.0));
    let three = Bounds::uniform(3, 0.0, 1.0).unwrap();
    assert!(matches!(
        LbfgsB::new(three.clone()).minimize(&f, &[0.0; 2]),
        Err(MinimizeError::WrongLength { .. })
    ));
    let constraints = Constraints::new(3);
    assert!(AugmentedLagrangian::new(&constraints).minimize(&f, &[0.0; 2]).is_err());
    assert!(OwlQn::new(-1.0).minimize(&f, &[0.0; 2]).is_err());
    let two = Constraints::new(2);
    assert!(matches!(InteriorPoint::new(&two).minimize(&f, &[0.0; 2]), Err(MinimizeError::Missing { .. })));
    // Linear and unbounded below: an outcome.
    let outcome = LbfgsB::new(Bounds::none(2)).minimize(&f, &[0.0; 2]).unwrap();
    assert!(!outcome.converged());
}

/// x + (l − x) need not be l.
#[test]
fn rounding_does_not_lead_out_of_the_bounds() {
    for i in 0..2000 {
        let (low, start) = (-f64::from(i % 89) / 97.0, f64::from(i % 53) / 1031.0);
        let line = Problem::new(1, |x: &[f64]| x[0]).with_gradient(|_, g| g[0] = 1.0);
        let bounds = Bounds::uniform(1, low, 10.0).unwrap();
        let o = ProjectedGradient::new(bounds).minimize(&line, &[start]).unwrap();
        assert!(o.converged() && o.point[0] >= low && o.point[0] - low < 1e-6, "{low}: {:?}, {o}", o.point);
    }
}

/// The gradient map of a step that is far too long is small anywhere.
#[test]
fn a_start_on_a_gentle_slope_is_not_taken_for_the_solution() {
    let bowl = Problem::new(1, |x: &[f64]| 0.045 * (x[0] - 0.02).powi(2))
        .with_gradient(|x, g| g[0] = 0.09 * (x[0] - 0.02));
    let stopping = Stopping::gradient(2e-4);
    let o = ProximalGradient { stopping, ..ProximalGradient::new(L1(3.2e-3)) }
        .minimize(&bowl, &[0.0465])
        .unwrap();
    assert!(o.converged() && o.point == [0.0], "{:?}, {o}", o.point);
}
