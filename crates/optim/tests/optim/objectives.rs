//! Objectives made of others: what one has, its wrappers have.

use std::cell::RefCell;

use wengert_optim::minimize::Counted;
use wengert_optim::*;

/// ½‖x‖² with all that an objective may have. It keeps what it is asked for.
#[derive(Default)]
struct Spy(RefCell<Vec<String>>);

impl Spy {
    fn note(&self, what: &str) {
        self.0.borrow_mut().push(what.to_owned());
    }
}

impl Objective<f64> for Spy {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.note("value");
        0.5 * vector::dot(x, x)
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.note("value_and_gradient");
        gradient.copy_from_slice(x);
        0.5 * vector::dot(x, x)
    }
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) {
        self.note("gradient");
        gradient.copy_from_slice(x);
    }
    fn curvature(&self, want: Want, _: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        self.note(&format!("{want:?}"));
        match want {
            Want::Kronecker { .. } => {
                Some(CurvatureAt::Kronecker(Kronecker::new(2, Vec::new(), vec![(0, vec![1.0, 1.0])])))
            }
            _ => Some(CurvatureAt::operator(DenseOperator::with_diagonal(&[1.0, 1.0]))),
        }
    }
    fn second_order(&self, x: &[f64], gradient: &mut [f64]) -> Option<(f64, Box<dyn Operator<f64> + '_>)> {
        self.note("second_order");
        gradient.copy_from_slice(x);
        Some((0.5 * vector::dot(x, x), Box::new(DenseOperator::with_diagonal(&[1.0, 1.0]))))
    }
    fn residuals(&self) -> Option<&dyn Residuals<f64>> {
        self.note("residuals");
        Some(self)
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<f64> + '_>> {
        self.note(&format!("batch {index}"));
        Some(Box::new(self))
    }
    fn exhausted(&self) -> bool {
        self.note("exhausted");
        false
    }
}

impl Residuals<f64> for Spy {
    fn dimension(&self) -> usize {
        2
    }
    fn count(&self) -> usize {
        2
    }
    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(x);
    }
    fn jacobian(&self, _: &[f64]) -> Box<dyn Jacobian<f64> + '_> {
        unreachable!("nobody asks for the derivative")
    }
}

/// Asks for everything. Gradients, Hessians and Gauss–Newton matrices must be x and I times `weight`.
fn asked(spy: &Spy, objective: &dyn Objective<f64>, weight: f64) -> Vec<String> {
    let (x, mut g) = ([3.0, -4.0], [f64::NAN; 2]);
    assert_eq!(objective.dimension(), 2);
    spy.0.take();
    assert_eq!(objective.value(&x), weight * 12.5);
    assert_eq!(objective.value_and_gradient(&x, &mut g), weight * 12.5);
    assert_eq!(g, x.map(|x| weight * x));
    g.fill(f64::NAN);
    objective.gradient(&x, &mut g);
    assert_eq!(g, x.map(|x| weight * x));
    for matrix in [objective.hessian(&x), objective.gauss_newton(&x)] {
        assert_eq!(matrix.map(|a| a.dense()), Some(vec![weight, 0.0, 0.0, weight]));
    }
    if let Some(factors) = objective.kronecker(&x, 7) {
        assert_eq!(factors.diagonal(), [weight, weight]);
    }
    drop(objective.preconditioner(&x));
    drop(objective.second_order(&x, &mut g));
    objective.residuals();
    drop(objective.batch(5));
    objective.exhausted();
    spy.0.take()
}

const ALL: [&str; 11] = [
    "value",
    "value_and_gradient",
    "gradient",
    "Hessian",
    "GaussNewton",
    "Kronecker { seed: 7 }",
    "Preconditioner",
    "second_order",
    "residuals",
    "batch 5",
    "exhausted",
];

#[test]
fn other_forms_of_an_objective_forget_nothing() {
    let spy = Spy::default();
    assert_eq!(asked(&spy, &&spy, 1.0), ALL);
    let boxed: Box<dyn Objective<f64> + '_> = Box::new(&spy);
    assert_eq!(asked(&spy, &boxed, 1.0), ALL);
    let own = |_: &dyn Objective<f64>, _: &[f64]| -> Box<dyn Operator<f64>> {
        Box::new(DenseOperator::with_diagonal(&[1.0, 1.0]))
    };
    let expected: Vec<&str> = ALL.into_iter().filter(|&what| what != "Preconditioner").collect();
    assert_eq!(asked(&spy, &Preconditioned::new(&spy, own), 1.0), expected);
}

#[test]
fn wrappers_that_change_an_objective_forget_nothing() {
    let spy = Spy::default();
    assert_eq!(asked(&spy, &Ridge::new(&spy, 1.0), 2.0), ALL);
    let mut counted = asked(&spy, &Counted::new(&spy), 1.0);
    // It asks whether evaluations are refused before each, and makes Hessian and gradient together for methods that read both.
    counted.retain(|what| what != "exhausted");
    assert_eq!(
        counted,
        ALL.into_iter().filter(|w| !["second_order", "exhausted"].contains(w)).collect::<Vec<_>>()
    );
    for sum in [Batched::sum(vec![&spy]), Batched::sum(vec![&spy]).recomputing()] {
        let asked = asked(&spy, &sum, 1.0);
        for what in ["value", "value_and_gradient", "gradient", "Hessian", "GaussNewton", "exhausted"] {
            assert!(asked.iter().any(|asked| asked == what), "{what} of {asked:?}");
        }
        assert!(asked.iter().any(|what| what.starts_with("Kronecker")), "{asked:?}");
    }
}

#[test]
fn sums_use_what_their_parts_keep_of_the_last_value() {
    let (one, other) = (Spy::default(), Spy::default());
    let mean = Batched::mean(vec![&one, &other], &[1, 3]);
    let mut g = [0.0; 2];
    mean.value(&[1.0, 2.0]);
    mean.gradient(&[1.0, 2.0], &mut g);
    assert_eq!(g, [1.0, 2.0]);
    for part in [&one, &other] {
        assert_eq!(part.0.take(), ["value", "gradient"]);
    }
}
