//! Standard unconstrained test problems (Moré, Garbow and Hillstrom, 1981, and others), with second derivatives by
//! nested differentiation of the formula: each is written once, over dual numbers.

mod dual;

use dual::{Dual, Scalar};
use wengert_optim::{Objective, Operator};

/// A problem: its name as in the golden files, its formula, its standard start, its least value.
#[derive(Clone, Copy)]
pub(crate) struct TestProblem {
    pub(crate) name: &'static str,
    formula: Formula,
    start: fn(usize) -> Vec<f64>,
    pub(crate) n: usize,
    pub(crate) minimum: f64,
    /// The value may be this far above the minimum where ‖g‖∞ ≤ 10⁻⁸.
    pub(crate) slack: f64,
}

type Second = Dual<Dual<f64>>;

/// The formula for plain numbers, first and second directional derivatives.
#[derive(Clone, Copy)]
struct Formula {
    value: fn(&[f64]) -> f64,
    first: fn(&[Dual<f64>]) -> Dual<f64>,
    second: fn(&[Second]) -> Second,
}

macro_rules! formula {
    ($f:ident) => {
        Formula { value: $f::<f64>, first: $f::<Dual<f64>>, second: $f::<Second> }
    };
}

fn rosenbrock<S: Scalar>(x: &[S]) -> S {
    let term = |w: &[S]| (w[1] - w[0] * w[0]).square() * 100.0 + (-w[0] + 1.0).square();
    x.windows(2).fold(S::from(0.0), |sum, w| sum + term(w))
}

fn extended_rosenbrock<S: Scalar>(x: &[S]) -> S {
    x.chunks(2).fold(S::from(0.0), |sum, w| sum + rosenbrock(w))
}

fn beale<S: Scalar>(x: &[S]) -> S {
    let mut power = x[1];
    let mut sum = S::from(0.0);
    for y in [1.5, 2.25, 2.625] {
        sum = sum + (-(x[0] * (-power + 1.0)) + y).square();
        power = power * x[1];
    }
    sum
}

fn himmelblau<S: Scalar>(x: &[S]) -> S {
    (x[0] * x[0] + x[1] + -11.0).square() + (x[0] + x[1] * x[1] + -7.0).square()
}

fn helical_valley<S: Scalar>(x: &[S]) -> S {
    let theta = S::atan2(x[1], x[0]) * (0.5 / std::f64::consts::PI);
    let r = (x[0] * x[0] + x[1] * x[1]).sqrt();
    (x[2] - theta * 10.0).square() * 100.0 + (r + -1.0).square() * 100.0 + x[2].square()
}

fn powell_singular<S: Scalar>(x: &[S]) -> S {
    (x[0] + x[1] * 10.0).square()
        + (x[2] - x[3]).square() * 5.0
        + (x[1] - x[2] * 2.0).square().square()
        + (x[0] - x[3]).square().square() * 10.0
}

fn wood<S: Scalar>(x: &[S]) -> S {
    (x[1] - x[0] * x[0]).square() * 100.0
        + (-x[0] + 1.0).square()
        + (x[3] - x[2] * x[2]).square() * 90.0
        + (-x[2] + 1.0).square()
        + ((x[1] + -1.0).square() + (x[3] + -1.0).square()) * 10.1
        + (x[1] + -1.0) * (x[3] + -1.0) * 19.8
}

fn variably_dimensioned<S: Scalar>(x: &[S]) -> S {
    let mut squares = S::from(0.0);
    let mut weighted = S::from(0.0);
    for (i, &x) in x.iter().enumerate() {
        squares = squares + (x + -1.0).square();
        weighted = weighted + (x + -1.0) * (i + 1) as f64;
    }
    squares + weighted.square() + weighted.square().square()
}

fn broyden_tridiagonal<S: Scalar>(x: &[S]) -> S {
    let n = x.len();
    (0..n).fold(S::from(0.0), |sum, i| {
        let mut r = (-(x[i] * 2.0) + 3.0) * x[i] + 1.0;
        if i > 0 {
            r = r - x[i - 1];
        }
        if i + 1 < n {
            r = r - x[i + 1] * 2.0;
        }
        sum + r.square()
    })
}

fn zakharov<S: Scalar>(x: &[S]) -> S {
    let mut squares = S::from(0.0);
    let mut weighted = S::from(0.0);
    for (i, &x) in x.iter().enumerate() {
        squares = squares + x.square();
        weighted = weighted + x * (0.5 * (i + 1) as f64);
    }
    squares + weighted.square() + weighted.square().square()
}

/// −1.2, 1, −1.2, 1 …
fn valley_start(n: usize) -> Vec<f64> {
    (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect()
}

/// Every problem of the grid.
pub(crate) fn all() -> Vec<TestProblem> {
    // With ‖g‖∞ ≤ 10⁻⁸ and eigenvalues from about ½, f is at most ‖g‖²/(2 · ½) ≤ n 10⁻¹⁶ above: a margin of a hundred.
    let p = |name, formula, start, n| TestProblem {
        name,
        formula,
        start,
        n,
        minimum: 0.0,
        slack: 1e-14 * n as f64,
    };
    vec![
        p("rosenbrock_2", formula!(rosenbrock), valley_start, 2),
        // From the standard start the chain has a second minimum nearby; this start leads to the global one.
        p("rosenbrock_100", formula!(rosenbrock), |n| vec![0.5; n], 100),
        p("extended_rosenbrock_1000", formula!(extended_rosenbrock), valley_start, 1000),
        p("beale", formula!(beale), |_| vec![1.0, 1.0], 2),
        p("himmelblau", formula!(himmelblau), |_| vec![1.0, 1.0], 2),
        p("helical_valley", formula!(helical_valley), |_| vec![-1.0, 0.0, 0.0], 3),
        TestProblem {
            // Singular Hessian: the value can only be had to ‖g‖^(4/3).
            slack: 1e-9,
            ..p("powell_singular", formula!(powell_singular), |_| vec![3.0, -1.0, 0.0, 1.0], 4)
        },
        p("wood", formula!(wood), |_| vec![-3.0, -1.0, -3.0, -1.0], 4),
        p(
            "variably_dimensioned_10",
            formula!(variably_dimensioned),
            |n| (0..n).map(|i| 1.0 - (i + 1) as f64 / n as f64).collect(),
            10,
        ),
        p("broyden_tridiagonal_100", formula!(broyden_tridiagonal), |n| vec![-1.0; n], 100),
        p("zakharov_10", formula!(zakharov), |n| vec![1.0; n], 10),
    ]
}

impl TestProblem {
    /// The standard start.
    pub(crate) fn start(&self) -> Vec<f64> {
        (self.start)(self.n)
    }
}

impl Objective<f64> for TestProblem {
    fn dimension(&self) -> usize {
        self.n
    }

    fn value(&self, x: &[f64]) -> f64 {
        (self.formula.value)(x)
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut at: Vec<Dual<f64>> = x.iter().map(|&x| Dual::new(x, 0.0)).collect();
        for i in 0..x.len() {
            at[i].derivative = 1.0;
            gradient[i] = (self.formula.first)(&at).derivative;
            at[i].derivative = 0.0;
        }
        self.value(x)
    }

    fn hessian(&self, x: &[f64]) -> Option<Box<dyn Operator<f64> + '_>> {
        Some(Box::new(Hessian { problem: *self, at: x.to_vec() }))
    }
}

struct Hessian {
    problem: TestProblem,
    at: Vec<f64>,
}

impl Operator<f64> for Hessian {
    fn dimension(&self) -> usize {
        self.at.len()
    }

    fn apply(&self, v: &[f64], out: &mut [f64]) {
        let pairs = self.at.iter().zip(v);
        let mut at: Vec<_> = pairs.map(|(&x, &v)| Dual::new(Dual::new(x, v), Dual::new(0.0, 0.0))).collect();
        for i in 0..v.len() {
            at[i].derivative.value = 1.0;
            out[i] = (self.problem.formula.second)(&at).derivative.derivative;
            at[i].derivative.value = 0.0;
        }
    }
}
