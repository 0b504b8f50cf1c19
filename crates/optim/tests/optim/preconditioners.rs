//! Preconditioners of the user's own: they are used, and bad ones are found out.

use wengert_optim::linear::DiagonalPreconditioner;
use wengert_optim::minimize::*;

const N: usize = 60;

/// Σ dᵢ (xᵢ − 1)² + (xᵢ − 1)⁴ with d from 1 to 10⁴, which gives Gauss–Newton products too.
struct Bowl;

fn scale(i: usize) -> f64 {
    1e4f64.powf(i as f64 / (N - 1) as f64)
}

fn curvature(x: &[f64]) -> Vec<f64> {
    x.iter().enumerate().map(|(i, x)| 2.0 * scale(i) + 12.0 * (x - 1.0).powi(2)).collect()
}

impl Objective<f64> for Bowl {
    fn dimension(&self) -> usize {
        N
    }
    fn value(&self, x: &[f64]) -> f64 {
        let terms = x.iter().enumerate().map(|(i, x)| scale(i) * (x - 1.0).powi(2) + (x - 1.0).powi(4));
        terms.sum()
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        for (i, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
            *g = 2.0 * scale(i) * (x - 1.0) + 4.0 * (x - 1.0).powi(3);
        }
        self.value(x)
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        (want == Want::Hessian).then(|| CurvatureAt::operator(Diagonal(curvature(x))))
    }
}

struct Diagonal(Vec<f64>);

impl Operator<f64> for Diagonal {
    fn dimension(&self) -> usize {
        self.0.len()
    }
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        for ((out, v), d) in out.iter_mut().zip(v).zip(&self.0) {
            *out = v * d;
        }
    }
}

fn methods() -> [(&'static str, Box<dyn Minimizer<f64>>); 3] {
    let stopping = || Stopping::gradient(1e-8);
    [
        ("trust region", Box::new(TrustRegionNewton::default().with_stopping(stopping()))),
        ("Newton-CG", Box::new(NewtonCg::default().with_stopping(stopping()))),
        ("Hessian-free", Box::new(HessianFree { stopping: stopping(), ..Default::default() })),
    ]
}

/// The objective with the inverse of `make(its curvature)` for a preconditioner.
fn with(make: impl Fn(&mut Vec<f64>) + 'static) -> Preconditioned<Bowl, impl Preconditioner<f64>> {
    Preconditioned::new(Bowl, move |_: &dyn Objective<f64>, x: &[f64]| -> Box<dyn Operator<f64>> {
        let mut diagonal = curvature(x);
        make(&mut diagonal);
        Box::new(Diagonal(diagonal.iter().map(|d| 1.0 / d).collect()))
    })
}

#[test]
fn a_good_one_saves_most_of_the_products() {
    let start = vec![3.0; N];
    for (name, method) in methods() {
        let plain = method.run(&Bowl, &start).unwrap();
        let preconditioned = method.run(&with(|_| {}), &start).unwrap();
        println!("{name}: {plain}, preconditioned {preconditioned}");
        assert!(plain.converged() && preconditioned.converged(), "{name}: {plain}, {preconditioned}");
        assert!(2 * preconditioned.counts.products < plain.counts.products, "{name}: {preconditioned}");
    }
}

#[test]
fn the_built_in_ones_serve_every_method() {
    let start = vec![3.0; N];
    for preconditioning in [Preconditioning::Diagonal, Preconditioning::Lbfgs(20), Preconditioning::None] {
        let model = KrylovModel { preconditioning, ..Default::default() };
        let direction = NewtonCgDirection { preconditioning, ..Default::default() };
        let free = HessianFree { preconditioning, ..Default::default() };
        let methods: [(&str, Box<dyn Minimizer<f64>>); 3] = [
            ("trust region", Box::new(TrustRegionNewton::new(model))),
            ("Newton-CG", Box::new(NewtonCg::new(direction))),
            ("Hessian-free", Box::new(free)),
        ];
        for (name, method) in methods {
            let o = method.run(&Bowl, &start).unwrap();
            assert!(o.converged() && o.value < 1e-12, "{name}, {preconditioning:?}: {o}");
        }
    }
}

#[test]
fn one_that_is_not_positive_definite_ends_the_run_and_says_so() {
    let start = vec![3.0; N];
    for (name, method) in methods() {
        let negative = with(|d| d.iter_mut().for_each(|d| *d = -*d));
        let indefinite = with(|d| d.iter_mut().step_by(2).for_each(|d| *d = -*d * 1e-6));
        let undefined = with(|d| d[3] = 0.0);
        let not_a_number = with(|d| d[3] = f64::NAN);
        for objective in [&negative as &dyn Objective<f64>, &indefinite, &undefined, &not_a_number] {
            let o = method.run(objective, &start).unwrap();
            assert_eq!(o.reason, Reason::IndefinitePreconditioner, "{name}: {o}");
            assert!(o.value.is_finite() && o.value <= Bowl.value(&start), "{name}: {o}");
        }
    }
}

#[test]
fn one_of_the_wrong_length_is_refused() {
    let wrong = Preconditioned::new(Bowl, |_: &dyn Objective<f64>, _: &[f64]| -> Box<dyn Operator<f64>> {
        Box::new(DiagonalPreconditioner::new(&[1.0; 3], 1e-6))
    });
    for (name, method) in methods() {
        let error = method.run(&wrong, &[3.0; N]).unwrap_err();
        let expected = MinimizeError::WrongLength { what: "the preconditioner", expected: N, found: 3 };
        assert_eq!(error, expected, "{name}");
    }
}
