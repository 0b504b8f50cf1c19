//! Constrained problems at their limits: infeasible, variables fixed by their bounds, budgets, settings.

use std::cell::Cell;

use wengert_optim::constrained::*;
use wengert_optim::*;

/// ½ Σ (xᵢ − aᵢ)².
fn nearest(a: &'static [f64]) -> Problem<'static, f64> {
    Problem::new(a.len(), move |x: &[f64]| x.iter().zip(a).map(|(x, a)| 0.5 * (x - a).powi(2)).sum())
        .with_gradient(move |x, g| (0..a.len()).for_each(|i| g[i] = x[i] - a[i]))
        .with_hvp(|_, v, out| out.copy_from_slice(v))
}

fn methods<'a>(constraints: &'a Constraints<'a, f64>) -> [(&'static str, Box<dyn Minimizer<f64> + 'a>); 3] {
    [
        ("interior point", Box::new(InteriorPoint::new(constraints))),
        ("augmented Lagrangian", Box::new(AugmentedLagrangian::new(constraints))),
        ("quadratic penalty", Box::new(AugmentedLagrangian::quadratic_penalty(constraints))),
    ]
}

#[test]
fn violations_that_cannot_vanish_are_infeasible() {
    type Make = fn(f64) -> Constraints<'static, f64>;
    let all: [(&str, Make, f64); 6] = [
        // The infimum 1 of the violation is not attained.
        (
            "exp x = −1",
            |s| {
                Constraints::new(2).equality(
                    move |x: &[f64]| s * (x[0].exp() + 1.0),
                    move |x, g| {
                        g[0] = s * x[0].exp();
                        g[1] = 0.0;
                    },
                )
            },
            1.0,
        ),
        (
            "x² = −1",
            |s| {
                Constraints::new(2).equality(
                    move |x| s * (x[0] * x[0] + 1.0),
                    move |x, g| {
                        g[0] = 2.0 * s * x[0];
                        g[1] = 0.0;
                    },
                )
            },
            1.0,
        ),
        (
            "x ≤ −1 with x ≥ 0",
            |s| {
                Constraints::new(2)
                    .inequality(
                        move |x| s * (-1.0 - x[0]),
                        move |_, g| {
                            g[0] = -s;
                            g[1] = 0.0;
                        },
                    )
                    .with_bounds(Bounds::uniform(2, 0.0, 9.0).unwrap())
            },
            1.0,
        ),
        (
            "x + y = 2 in the unit square's half",
            |s| {
                Constraints::new(2)
                    .equality(move |x| s * (x[0] + x[1] - 2.0), move |_, g| g.fill(s))
                    .with_bounds(Bounds::uniform(2, 0.0, 0.5).unwrap())
            },
            1.0,
        ),
        (
            "two discs apart",
            |s| {
                Constraints::new(2)
                    .inequality(
                        move |x| s * (1.0 - x[0] * x[0] - x[1] * x[1]),
                        move |x, g| {
                            g[0] = -2.0 * s * x[0];
                            g[1] = -2.0 * s * x[1];
                        },
                    )
                    .inequality(
                        move |x: &[f64]| 1.0 - (x[0] - 4.0).powi(2) - x[1] * x[1],
                        |x, g| {
                            g[0] = -2.0 * (x[0] - 4.0);
                            g[1] = -2.0 * x[1];
                        },
                    )
            },
            0.0,
        ),
        (
            "fixed, and elsewhere",
            |s| {
                Constraints::new(2)
                    .equality(
                        move |x| s * (x[0] - 1.0),
                        move |_, g| {
                            g[0] = s;
                            g[1] = 0.0;
                        },
                    )
                    .with_bounds(Bounds::new(vec![2.0, -9.0], vec![2.0, 9.0]).unwrap())
            },
            1.0,
        ),
    ];
    let f = nearest(&[0.5, -0.25]);
    for (what, make, violation) in all {
        for size in [1.0, 1e-4, 1e4] {
            let constraints = make(size);
            for (name, method) in methods(&constraints) {
                let outcome = method.run(&f, &[0.3, 0.4]).unwrap();
                let label = format!("{what}, times {size}, {name}: {outcome} {:?}", outcome.point);
                assert_eq!(outcome.reason, Reason::Infeasible, "{label}");
                let found = outcome.multipliers.unwrap().violation;
                assert!(found > 0.0, "{label}");
                // Of more than one constraint the sizes weigh.
                if size == 1.0 && violation > 0.0 {
                    assert!((found - violation).abs() < 1e-3 * violation, "{label}: {found}");
                }
            }
        }
    }
}

/// Stationary for the violation, but no minimum of it: there is a way out.
#[test]
fn a_start_where_the_violation_is_stationary() {
    let saddle = Constraints::new(2).equality(
        |x| x[0] * x[1] + 1.0,
        |x, g| {
            g[0] = x[1];
            g[1] = x[0];
        },
    );
    let circle = Constraints::new(2).equality(
        |x| x[0] * x[0] + x[1] * x[1] - 1.0,
        |x, g| {
            g[0] = 2.0 * x[0];
            g[1] = 2.0 * x[1];
        },
    );
    let inflection = Constraints::new(2).equality(
        |x: &[f64]| x[0].powi(3) - 1.0,
        |x, g| {
            g[0] = 3.0 * x[0] * x[0];
            g[1] = 0.0;
        },
    );
    let outside = Constraints::new(2).inequality(
        |x| x[0] * x[0] + x[1] * x[1] - 1.0,
        |x, g| {
            g[0] = 2.0 * x[0];
            g[1] = 2.0 * x[1];
        },
    );
    let f = nearest(&[0.0, 0.0]);
    for (what, constraints) in
        [("saddle", saddle), ("circle", circle), ("inflection", inflection), ("outside", outside)]
    {
        for (name, method) in methods(&constraints) {
            let outcome = method.run(&f, &[0.0, 0.0]).unwrap();
            let label = format!("{what}, {name}: {outcome} {:?}", outcome.point);
            assert_ne!(outcome.reason, Reason::Infeasible, "{label}");
            if name != "quadratic penalty" {
                assert!(outcome.converged() && outcome.multipliers.unwrap().violation < 1e-6, "{label}");
            }
        }
    }
}

#[test]
fn fixed_variables_stay_and_have_multipliers() {
    // (2, 1, 0) nearest to the target with the second held at 0 and x₀ + x₁ + x₂ = 2: dual (0.5, ·, 0.5).
    let f = nearest(&[2.0, 1.0, 1.0]);
    let plane = || Constraints::new(3).equality(|x| x.iter().sum::<f64>() - 2.0, |_, g| g.fill(1.0));
    let bounds = Bounds::new(vec![-9.0, 0.0, -9.0], vec![9.0, 0.0, 9.0]).unwrap();
    let one = plane().with_bounds(bounds);
    for (name, method) in methods(&one) {
        let outcome = method.run(&f, &[5.0, 5.0, 5.0]).unwrap();
        let label = format!("{name}: {outcome} {:?} {:?}", outcome.point, outcome.multipliers);
        if name == "quadratic penalty" {
            assert!((outcome.point[0] - 1.5).abs() < 1e-4 && outcome.point[1] == 0.0, "{label}");
            continue;
        }
        assert!(outcome.converged() && outcome.point[1] == 0.0, "{label}");
        assert!((outcome.point[0] - 1.5).abs() < 1e-6 && (outcome.point[2] - 0.5).abs() < 1e-6, "{label}");
        // ∇f − y 1 = (−½, −1, −½) + ½ = (0, −½, 0): the upper bound's is ½.
        let m = outcome.multipliers.unwrap();
        assert!((m.equalities[0] + 0.5).abs() < 1e-5 && (m.upper[1] - 0.5).abs() < 1e-5, "{label}");
        assert!(m.lower[1] == 0.0 && m.lower[0] < 1e-6 && m.upper[2] < 1e-6, "{label}");
    }
    // All fixed: on the plane, and off it.
    for (third, reason) in [(2.0, Reason::Converged), (1.0, Reason::Infeasible)] {
        let values = vec![0.5, -0.5, third];
        let all = plane().with_bounds(Bounds::new(values.clone(), values.clone()).unwrap());
        for (name, method) in methods(&all) {
            let outcome = method.run(&f, &[5.0, 5.0, 5.0]).unwrap();
            assert_eq!((outcome.reason, &outcome.point), (reason, &values), "{name}: {outcome}");
        }
    }
    let values = vec![0.5, -0.5, 2.0];
    let fixed = || Bounds::new(values.clone(), values.clone()).unwrap();
    let lone = Constraints::new(3).with_bounds(fixed());
    let bounded: [(&str, Box<dyn Minimizer<f64> + '_>); 5] = [
        ("L-BFGS-B", Box::new(LbfgsB::new(fixed()))),
        ("projected", Box::new(ProjectedGradient::new(fixed()))),
        ("FISTA", Box::new(ProximalGradient::new(fixed()))),
        ("interior point", Box::new(InteriorPoint::new(&lone))),
        ("augmented Lagrangian", Box::new(AugmentedLagrangian::new(&lone))),
    ];
    for (name, method) in bounded {
        let outcome = method.run(&f, &[5.0, 5.0, 5.0]).unwrap();
        assert!(
            outcome.converged() && outcome.point == values && outcome.counts.values == 1,
            "{name}: {outcome}"
        );
        if let Some(m) = outcome.multipliers {
            assert_eq!((m.lower, m.upper), (vec![0.0, 0.0, 1.0], vec![1.5, 1.5, 0.0]), "{name}");
        }
    }
}

#[test]
fn bounds_a_few_floats_apart_fix_as_well() {
    let f = nearest(&[2.0, 1.0]);
    for width in [f64::EPSILON, 1e-14, 1e-12, 1e-10, 1e-6] {
        let bounds = Bounds::new(vec![1.0, -9.0], vec![1.0 + width, 9.0]).unwrap();
        let line =
            Constraints::new(2).equality(|x| x[0] + x[1] - 2.0, |_, g| g.fill(1.0)).with_bounds(bounds);
        for (name, method) in methods(&line) {
            let outcome = method.run(&f, &[0.0, 0.0]).unwrap();
            let near = (outcome.point[0] - 1.0).abs() <= 2.0 * width && (outcome.point[1] - 1.0).abs() < 1e-4;
            assert!(
                near && (outcome.converged() || name == "quadratic penalty"),
                "{width}, {name}: {outcome}"
            );
        }
    }
}

/// f and a constraint that count their evaluations.
#[test]
fn budgets_end_within_one_evaluation() {
    for most in [1, 2, 3, 5, 10, 40] {
        let (values, constraint_values) = (Cell::new(0u64), Cell::new(0u64));
        let f = Problem::new(2, |x: &[f64]| {
            values.set(values.get() + 1);
            100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2)
        })
        .with_gradient(|x, g| {
            g[0] = -400.0 * x[0] * (x[1] - x[0] * x[0]) - 2.0 * (1.0 - x[0]);
            g[1] = 200.0 * (x[1] - x[0] * x[0]);
        })
        .with_difference_hessian();
        let disc = Constraints::new(2)
            .inequality(
                |x| {
                    constraint_values.set(constraint_values.get() + 1);
                    0.5 - x[0] * x[0] - x[1] * x[1]
                },
                |x, g| {
                    g[0] = -2.0 * x[0];
                    g[1] = -2.0 * x[1];
                },
            )
            .with_bounds(Bounds::uniform(2, -1.0, 0.9).unwrap());
        let stopping = || Stopping { max_evaluations: Some(most), ..Stopping::gradient(1e-12) };
        let bounds = || Bounds::uniform(2, -1.0, 0.5).unwrap();
        let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 7] = [
            ("interior point", Box::new(InteriorPoint { stopping: stopping(), ..InteriorPoint::new(&disc) })),
            (
                "augmented",
                Box::new(AugmentedLagrangian { stopping: stopping(), ..AugmentedLagrangian::new(&disc) }),
            ),
            (
                "penalty",
                Box::new(AugmentedLagrangian {
                    stopping: stopping(),
                    ..AugmentedLagrangian::quadratic_penalty(&disc)
                }),
            ),
            ("L-BFGS-B", Box::new(LbfgsB { stopping: stopping(), ..LbfgsB::new(bounds()) })),
            (
                "projected",
                Box::new(ProjectedGradient { stopping: stopping(), ..ProjectedGradient::new(bounds()) }),
            ),
            ("FISTA", Box::new(ProximalGradient { stopping: stopping(), ..ProximalGradient::new(bounds()) })),
            ("OWL-QN", Box::new(OwlQn { stopping: stopping(), ..OwlQn::new(0.1) })),
        ];
        for (name, method) in methods {
            values.set(0);
            constraint_values.set(0);
            // Outside of the bounds.
            let outcome = method.run(&f, &[-1.2, 1.0]).unwrap();
            let label = format!("{most}, {name}: {outcome}, {} {}", values.get(), constraint_values.get());
            assert!(outcome.counts.values <= most && values.get() == outcome.counts.values, "{label}");
            if most <= 3 {
                assert_eq!(outcome.reason, Reason::MaxEvaluations, "{label}");
            }
            assert!(constraint_values.get() <= values.get(), "{label}");
        }
    }
}

#[test]
fn time_ends_constrained_runs_before_a_further_evaluation() {
    let calls = Cell::new(0);
    let f = Problem::new(2, |x: &[f64]| {
        calls.set(calls.get() + 1);
        std::thread::sleep(std::time::Duration::from_millis(30));
        (x[0] - 3.0).powi(4) + (x[1] + 2.0).powi(4)
    })
    .with_gradient(|x, g| {
        g[0] = 4.0 * (x[0] - 3.0).powi(3);
        g[1] = 4.0 * (x[1] + 2.0).powi(3);
    })
    .with_difference_hessian();
    let below = Constraints::new(2).inequality(
        |x: &[f64]| 1.0 - x[0] * x[1],
        |x, g: &mut [f64]| {
            g[0] = -x[1];
            g[1] = -x[0];
        },
    );
    let stopping = || Stopping { max_seconds: Some(0.01), ..Stopping::gradient(1e-12) };
    let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 2] = [
        ("interior point", Box::new(InteriorPoint { stopping: stopping(), ..InteriorPoint::new(&below) })),
        (
            "augmented",
            Box::new(AugmentedLagrangian { stopping: stopping(), ..AugmentedLagrangian::new(&below) }),
        ),
    ];
    for (name, method) in methods {
        calls.set(0);
        let outcome = method.run(&f, &[0.0, 0.0]).unwrap();
        assert_eq!((outcome.reason, calls.get()), (Reason::TimeLimit, 1), "{name}: {outcome}");
    }
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let f = nearest(&[1.0, 2.0]);
    let constraints = Constraints::new(2);
    let refused = |method: &dyn Minimizer<f64>, name: &'static str| {
        let error = method.run(&f, &[0.0, 0.0]).unwrap_err();
        assert!(
            matches!(error, MinimizeError::InvalidSetting { name: n, .. } if n == name),
            "{name}: {error}"
        );
    };
    for bad in [f64::NAN, 0.0, -1.0, 1.0, 2.0, f64::INFINITY] {
        refused(
            &InteriorPoint { initial_barrier: bad, ..InteriorPoint::new(&constraints) },
            "initial_barrier",
        );
    }
    for bad in [f64::NAN, 0.0, -1.0, f64::INFINITY, 1e16] {
        let initial_penalty = Some(bad);
        refused(
            &AugmentedLagrangian { initial_penalty, ..AugmentedLagrangian::new(&constraints) },
            "initial_penalty",
        );
        refused(
            &AugmentedLagrangian { initial_penalty, ..AugmentedLagrangian::quadratic_penalty(&constraints) },
            "initial_penalty",
        );
    }
    for growth in [f64::NAN, 1.0, 0.5, -3.0, f64::INFINITY] {
        refused(&AugmentedLagrangian { growth, ..AugmentedLagrangian::new(&constraints) }, "growth");
        refused(
            &AugmentedLagrangian { growth, ..AugmentedLagrangian::quadratic_penalty(&constraints) },
            "growth",
        );
    }
    for bad in [f64::NAN, -1e-300, -1.0, f64::INFINITY] {
        refused(&OwlQn::new(bad), "lambda");
        refused(&ProximalGradient::new(L1(bad)), "lambda");
        refused(&ProjectedGradient::new(L1(bad)), "lambda");
    }
    refused(&OwlQn { history: 0, ..OwlQn::new(0.1) }, "history");
    refused(&LbfgsB { history: 0, ..LbfgsB::new(Bounds::none(2)) }, "history");
    refused(&ProjectedGradient { memory: 0, ..ProjectedGradient::new(Bounds::none(2)) }, "memory");
    // Infinite in f32 alone.
    let single = Problem::new(1, |x: &[f32]| f64::from(x[0])).with_gradient(|_, g| g[0] = 1.0);
    assert!(Method::<f32>::minimize(&OwlQn::new(1e300), &single, &[0.0]).is_err());
    // Bounds of another length are no panic.
    let three = Bounds::uniform(3, 0.0, 1.0).unwrap();
    let wrong = |method: &dyn Minimizer<f64>| {
        assert!(matches!(method.run(&f, &[0.0, 0.0]), Err(MinimizeError::WrongLength { .. })));
    };
    wrong(&ProximalGradient::new(three.clone()));
    wrong(&ProjectedGradient::new(three.clone()));
    wrong(&InteriorPoint::new(&Constraints::new(2).with_bounds(three)));
    for bad in [(f64::NAN, 1.0), (0.0, f64::NAN), (f64::INFINITY, f64::INFINITY), (1.0, 0.0)] {
        assert!(Bounds::uniform(1, bad.0, bad.1).is_err(), "{bad:?}");
    }
}

#[test]
fn single_precision_solves_and_says_infeasible() {
    let f = Problem::new(3, |x: &[f32]| x.iter().map(|x| f64::from(x - 2.0).powi(2)).sum())
        .with_gradient(|x, g| g.iter_mut().zip(x).for_each(|(g, x)| *g = 2.0 * (x - 2.0)))
        .with_hvp(|_, v, out| out.iter_mut().zip(v).for_each(|(o, v)| *o = 2.0 * v));
    let bounds = || Bounds::new(vec![0.0, 0.25, -1.0], vec![9.0, 0.25, 9.0]).unwrap();
    let sum = |s: f32, level: f32| {
        Constraints::new(3)
            .inequality(move |x: &[f32]| f64::from(s * (level - x[0] - x[1] - x[2])), move |_, g| g.fill(-s))
            .with_bounds(bounds())
    };
    for (s, level, reason) in [
        (1.0, 2.25, Reason::Converged),
        (1e-3, 2.25, Reason::Converged),
        (1e3, 2.25, Reason::Converged),
        (1.0, -2.0, Reason::Infeasible),
    ] {
        let constraints = sum(s, level);
        let tolerance = 1e-3 * f64::from(s.max(1.0));
        let stopping = || Stopping { max_iterations: 100, ..Stopping::gradient(tolerance) };
        let methods: [(&str, Box<dyn Minimizer<f32> + '_>); 2] = [
            (
                "interior point",
                Box::new(InteriorPoint { stopping: stopping(), ..InteriorPoint::new(&constraints) }),
            ),
            (
                "augmented Lagrangian",
                Box::new(AugmentedLagrangian {
                    stopping: stopping(),
                    ..AugmentedLagrangian::new(&constraints)
                }),
            ),
        ];
        for (name, method) in methods {
            let outcome = method.run(&f, &[0.5, 0.5, 0.5]).unwrap();
            let label = format!("{s}, {level}, {name}: {outcome} {:?}", outcome.point);
            assert_eq!((outcome.reason, outcome.point[1]), (reason, 0.25), "{label}");
            if reason == Reason::Converged && s <= 1.0 {
                assert!(
                    (outcome.point[0] - 1.0).abs() < 2e-3 && (outcome.point[2] - 1.0).abs() < 2e-3,
                    "{label}"
                );
            }
        }
    }
}
