use super::*;

/// φ(α) and φ'(α) as a closure.
struct Function<F>(F, u32);

impl<F: Fn(f64) -> (f64, f64)> Line for Function<F> {
    fn value(&mut self, step: f64) -> f64 {
        self.value_and_slope(step).0
    }
    fn value_and_slope(&mut self, step: f64) -> (f64, f64) {
        self.1 += 1;
        (self.0)(step)
    }
}

fn searches() -> [(&'static str, Box<dyn LineSearch>, f64, f64); 4] {
    [
        ("weak Wolfe", Box::new(WeakWolfe::default()), 1e-4, 0.9),
        ("strong Wolfe", Box::new(StrongWolfe { curvature: 0.1, ..StrongWolfe::default() }), 1e-4, 0.1),
        ("Moré–Thuente", Box::new(MoreThuente { curvature: 0.1, ..MoreThuente::default() }), 1e-3, 0.1),
        ("Hager–Zhang", Box::new(HagerZhang { curvature: 0.1, ..HagerZhang::default() }), 0.1, 0.1),
    ]
}

type Formula = fn(f64) -> (f64, f64);

/// The test functions 1 to 3 of Moré and Thuente (1994) and others, by name.
fn functions() -> Vec<(&'static str, Formula)> {
    vec![
        ("rational", |a| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2))),
        ("quintic", |a| {
            let b = a + 0.004;
            (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
        }),
        ("oscillating", |a| {
            let (beta, l) = (0.01, 39.0);
            let w = std::f64::consts::FRAC_PI_2 * l;
            let (value, slope) = if a <= 1.0 - beta {
                (1.0 - a, -1.0)
            } else if a >= 1.0 + beta {
                (a - 1.0, 1.0)
            } else {
                ((a - 1.0).powi(2) / (2.0 * beta) + beta / 2.0, (a - 1.0) / beta)
            };
            (
                value + 2.0 * (1.0 - beta) / (l * std::f64::consts::PI) * (w * a).sin(),
                slope + (1.0 - beta) * (w * a).cos(),
            )
        }),
        ("quadratic", |a| ((a - 3.0).powi(2), 2.0 * (a - 3.0))),
        ("logarithmic wall", |a| {
            if a < 2.0 {
                (-a - 0.1 * (2.0 - a).ln(), -1.0 + 0.1 / (2.0 - a))
            } else {
                (f64::INFINITY, f64::NAN)
            }
        }),
    ]
}

#[test]
fn every_search_meets_its_conditions_from_steps_of_every_size() {
    for (name, f) in functions() {
        let (value, slope) = f(0.0);
        for exponent in [-3, -1, 0, 1, 3] {
            for (search, method, decrease, curvature) in searches() {
                let mut line = Function(f, 0);
                let start = Start::new(value, slope, 10f64.powi(exponent));
                let found =
                    method.search(&mut line, start).unwrap_or_else(|e| panic!("{search}, {name}: {e}"));
                let (v, s) = f(found.step);
                let label = format!("{search}, {name}, 1e{exponent}: {found:?} slope {s} of {slope}");
                assert!(found.satisfied && v == found.value, "{label}");
                let approximate = search == "Hager–Zhang" && v <= value + 1e-6 * value.abs();
                assert!(v <= value + decrease * found.step * slope || approximate, "{label}");
                assert!(s >= curvature * slope, "{label}");
                if search.contains("Thuente") || search.contains("strong") {
                    assert!(s.abs() <= curvature * slope.abs(), "{label}");
                }
                assert!(line.1 <= 45, "{label}: {} trials", line.1);
            }
        }
    }
}

#[test]
fn armijo_decreases_sufficiently() {
    for (name, f) in functions() {
        let (value, slope) = f(0.0);
        let found = Armijo::default().search(&mut Function(f, 0), Start::new(value, slope, 10.0)).unwrap();
        assert!(found.value <= value + 1e-4 * found.step * slope, "{name}");
    }
}

#[test]
fn trouble_is_reported() {
    let all: Vec<Box<dyn LineSearch>> = vec![
        Box::new(Armijo::default()),
        Box::new(WeakWolfe::default()),
        Box::new(StrongWolfe::default()),
        Box::new(MoreThuente::default()),
        Box::new(HagerZhang::default()),
    ];
    for search in &all {
        let ask = |f: fn(f64) -> (f64, f64), slope: f64| {
            search.search(&mut Function(f, 0), Start::new(0.0, slope, 1.0))
        };
        assert_eq!(ask(|a| (a, 1.0), 1.0), Err(SearchFailure::NotDescent), "{search:?}");
        assert_eq!(ask(|_| (f64::NAN, f64::NAN), -1.0), Err(SearchFailure::NonFinite), "{search:?}");
        // The slope lies: every step rises.
        assert_eq!(ask(|a| (1.0 + a, 1.0), -1.0), Err(SearchFailure::NoProgress), "{search:?}");
    }
    for search in &all[1..] {
        let found = search.search(&mut Function(|a: f64| (-a, -1.0), 0), Start::new(0.0, -1.0, 1.0));
        // Trials run out far away, or the step overflows: no panic, no endless loop.
        assert!(found.is_err() || found.unwrap().step > 1e6, "{search:?}");
        let limited = search.search(
            &mut Function(|a: f64| (-a, -1.0), 0),
            Start { max_step: 7.0, ..Start::new(0.0, -1.0, 1.0) },
        );
        assert_eq!(limited.unwrap().step, 7.0, "{search:?}");
    }
}

/// The function falls as far as trials go, all of which together are shorter than the point is long: that is no proof that it
/// falls for ever.
#[test]
fn a_direction_that_is_too_short_proves_nothing() {
    use crate::minimize::objective::{Objective, Problem};
    use crate::minimize::vector::dot;
    let bowl =
        Problem::new(2, |x: &[f64]| 1e17 * ((x[0] - 1.0).powi(2) + x[1] * x[1])).with_gradient(|x, g| {
            g.copy_from_slice(&[2e17 * (x[0] - 1.0), 2e17 * x[1]]);
        });
    let (origin, straight) =
        ([3.0, 4.0], Problem::new(2, |x: &[f64]| x[0] + x[1]).with_gradient(|_, g| g.fill(1.0)));
    for (search, method, ..) in searches() {
        let mut gradient = [0.0; 2];
        let value = bowl.value_and_gradient(&origin, &mut gradient);
        for size in [1e-45, 1e-60, 1e-320] {
            let direction = gradient.map(|g| -g * size);
            let slope = dot(&gradient, &direction);
            let found =
                method.search(&mut Ray::new(&bowl, &origin, &direction), Start::new(value, slope, 1.0));
            assert_ne!(found, Err(SearchFailure::Unbounded), "{search}, {size:e}");
        }
        let found =
            method.search(&mut Ray::new(&straight, &origin, &[-1.0, -1.0]), Start::new(7.0, -2.0, 1.0));
        assert!(found.is_err() || found.unwrap().step > 1e6, "{search}: {found:?}");
    }
    let found = MoreThuente::default()
        .search(&mut Ray::new(&straight, &origin, &[-1.0; 2]), Start::new(7.0, -2.0, 1.0));
    assert_eq!(found, Err(SearchFailure::Unbounded));
}

#[test]
fn exact_is_exact_on_quadratics_and_says_when_it_cannot() {
    struct Quadratic(f64);
    impl Line for Quadratic {
        fn value(&mut self, a: f64) -> f64 {
            -2.0 * a + 0.5 * self.0 * a * a
        }
        fn value_and_slope(&mut self, a: f64) -> (f64, f64) {
            (self.value(a), -2.0 + self.0 * a)
        }
        fn curvature(&mut self) -> Option<f64> {
            Some(self.0)
        }
    }
    let start = Start::new(0.0, -2.0, 1.0);
    assert_eq!(ExactQuadratic.search(&mut Quadratic(8.0), start).unwrap().step, 0.25);
    assert_eq!(ExactQuadratic.search(&mut Quadratic(-8.0), start), Err(SearchFailure::Curvature));
}
