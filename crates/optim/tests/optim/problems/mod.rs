//! Standard unconstrained test problems (Moré, Garbow and Hillstrom, 1981, and others), with second derivatives by
//! nested differentiation of the formula: each is written once, over dual numbers.

pub(crate) mod dual;
mod residuals;
mod terms;

use dual::{Dual, Scalar};
use wengert_optim::{CurvatureAt, Jacobian, Objective, Operator, Residuals, Want, vector};

/// A problem: its name as in the golden files, its formula, its standard start, its least value.
#[derive(Clone, Copy)]
pub(crate) struct TestProblem {
    pub(crate) name: &'static str,
    formula: Formula,
    start: fn(usize) -> Vec<f64>,
    pub(crate) n: usize,
    /// The least value, then those of other minima.
    pub(crate) minima: &'static [f64],
    /// The value may be this far from a minimum's where ‖g‖∞ ≤ 10⁻⁸.
    pub(crate) slack: f64,
}

type Second = Dual<Dual<f64>>;

/// What is added up to give f.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The squares of what the formula gives.
    Squares,
    /// What the formula gives.
    Terms,
}

impl Kind {
    fn sum<S: Scalar>(self, terms: Vec<S>) -> S {
        residuals::sum(terms.into_iter().map(|t| if self == Self::Squares { t.square() } else { t }))
    }
}

/// The residuals, or the terms, for plain numbers, first and second directional derivatives.
#[derive(Clone, Copy)]
struct Formula {
    kind: Kind,
    value: fn(&[f64]) -> Vec<f64>,
    first: fn(&[Dual<f64>]) -> Vec<Dual<f64>>,
    second: fn(&[Second]) -> Vec<Second>,
}

macro_rules! formula {
    ($f:ident) => {
        formula!(Squares, residuals, $f)
    };
    ($kind:ident, $module:ident, $f:ident) => {
        Formula {
            kind: Kind::$kind,
            value: $module::$f::<f64>,
            first: $module::$f::<Dual<f64>>,
            second: $module::$f::<Second>,
        }
    };
}

/// −1.2, 1, −1.2, 1 …
fn valley_start(n: usize) -> Vec<f64> {
    (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect()
}

/// (i + 1)/(n + 1) for i from 0: where many problems start, in their units.
fn grid(n: usize) -> impl Iterator<Item = f64> {
    (1..=n).map(move |i| i as f64 / (n + 1) as f64)
}

/// Every problem of the grid.
#[rustfmt::skip]
pub(crate) fn all() -> Vec<TestProblem> {
    // With ‖g‖∞ ≤ 10⁻⁸ and eigenvalues from about ½, f is at most ‖g‖²/(2 · ½) ≤ n 10⁻¹⁶ above: a margin of a hundred.
    let p = |name, formula, start, n, minima| TestProblem { name, formula, start, n, minima, slack: 1e-14 * n as f64 };
    // Singular or nearly singular Hessians: the value can only be had to a power of ‖g‖ below 2.
    let flat = |slack, p| TestProblem { slack, ..p };
    macro_rules! sum {
        ($f:ident) => {
            formula!(Terms, terms, $f)
        };
    }
    vec![
        p("rosenbrock_2", formula!(rosenbrock), valley_start, 2, &[0.0]),
        // From the standard start the chain has a second minimum nearby.
        p("rosenbrock_100", formula!(rosenbrock), valley_start, 100, &[0.0, 3.986_623_854_300_93]),
        p("rosenbrock_100_from_half", formula!(rosenbrock), |n| vec![0.5; n], 100, &[0.0]),
        p("extended_rosenbrock_100", formula!(extended_rosenbrock), valley_start, 100, &[0.0]),
        p("extended_rosenbrock_1000", formula!(extended_rosenbrock), valley_start, 1000, &[0.0]),
        p("beale", formula!(beale), |_| vec![1.0, 1.0], 2, &[0.0]),
        p("himmelblau", formula!(himmelblau), |_| vec![1.0, 1.0], 2, &[0.0]),
        p("helical_valley", formula!(helical_valley), |_| vec![-1.0, 0.0, 0.0], 3, &[0.0]),
        flat(1e-9, p("powell_singular", formula!(powell_singular), |_| vec![3.0, -1.0, 0.0, 1.0], 4, &[0.0])),
        p("wood", formula!(wood), |_| vec![-3.0, -1.0, -3.0, -1.0], 4, &[0.0]),
        p("variably_dimensioned_10", formula!(variably_dimensioned), |n| (1..=n).map(|i| 1.0 - i as f64 / n as f64).collect(), 10, &[0.0]),
        p("broyden_tridiagonal_100", formula!(broyden_tridiagonal), |n| vec![-1.0; n], 100, &[0.0, 0.712_527_909_586_083]),
        p("broyden_banded_50", formula!(broyden_banded), |n| vec![-1.0; n], 50, &[0.0, 3.054_547_042_223_44]),
        p("zakharov_10", formula!(zakharov), |n| vec![1.0; n], 10, &[0.0]),
        flat(1e-12, p("freudenstein_roth", formula!(freudenstein_roth), |_| vec![0.5, -2.0], 2, &[0.0, 48.984_253_679_240_0])),
        flat(1e-8, p("powell_badly_scaled", formula!(powell_badly_scaled), |_| vec![0.0, 1.0], 2, &[0.0])),
        p("brown_badly_scaled", formula!(brown_badly_scaled), |_| vec![1.0, 1.0], 2, &[0.0]),
        flat(1e-10, p("jennrich_sampson", formula!(jennrich_sampson), |_| vec![0.3, 0.4], 2, &[124.362_182_355_615])),
        p("gaussian", formula!(gaussian), |_| vec![0.4, 1.0, 0.0], 3, &[1.127_932_769_618_66e-8]),
        flat(1e-9, p("box_3d", formula!(box_3d), |_| vec![0.0, 10.0, 20.0], 3, &[0.0, 0.075_588_670_0])),
        flat(1e-9, p("biggs_exp6", formula!(biggs_exp6), |_| vec![1.0, 2.0, 1.0, 1.0, 1.0, 1.0], 6, &[0.0, 5.655_649_925e-3])),
        flat(1e-9, p("penalty_1_10", formula!(penalty_1), |n| (1..=n).map(|i| i as f64).collect(), 10, &[7.087_651_467_0e-5])),
        flat(1e-9, p("penalty_2_10", formula!(penalty_2), |n| vec![0.5; n], 10, &[2.936_605_374_0e-4])),
        flat(1e-9, p("trigonometric_10", formula!(trigonometric), |n| vec![1.0 / n as f64; n], 10, &[0.0, 2.795_061_122e-5])),
        p("brown_almost_linear_10", formula!(brown_almost_linear), |n| vec![0.5; n], 10, &[0.0, 1.0]),
        p("discrete_boundary_value_10", formula!(discrete_boundary_value), |n| grid(n).map(|t| t * (t - 1.0)).collect(), 10, &[0.0]),
        p("chebyquad_8", formula!(chebyquad), |n| grid(n).collect(), 8, &[3.516_873_725_68e-3]),
        p("dixon_price_10", formula!(dixon_price), |n| vec![1.0; n], 10, &[0.0]),
        p("rastrigin_10", formula!(rastrigin), |n| (0..n).map(|i| 0.1 + 0.02 * i as f64).collect(), 10, &[0.0, 0.994_959_057_093_291, 1.989_918_114_186_583, 2.984_877_171_279_875]),
        flat(1e-12, p("kowalik_osborne", formula!(kowalik_osborne), |_| vec![0.25, 0.39, 0.415, 0.39], 4, &[3.075_056_038_492_37e-4])),
        flat(1e-9, p("gulf", formula!(gulf), |_| vec![5.0, 2.5, 0.15], 3, &[0.0])),
        flat(1e-12, p("bard", formula!(bard), |_| vec![1.0; 3], 3, &[8.214_877_306_578_98e-3])),
        flat(1e-10, p("watson_6", formula!(watson), |n| vec![0.0; n], 6, &[2.287_670_053_552_4e-3])),
        flat(1e-12, p("osborne_2", formula!(osborne_2), |_| vec![1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5], 11, &[4.013_773_629_354_77e-2, 8.759_472_409_341_58e-2])),
        // Values of 10⁴ are rounded to 10⁻¹¹.
        flat(1e-9, p("brown_dennis", formula!(brown_dennis), |_| vec![25.0, 5.0, -5.0, -1.0], 4, &[85_822.201_626_356_3])),
        flat(1e-10, p("extended_freudenstein_roth_100", formula!(extended_freudenstein_roth), |n| [0.5, -2.0].repeat(n / 2), 100, &[2_449.212_683_962_0])),
        p("discrete_integral_equation_10", formula!(discrete_integral_equation), |n| grid(n).map(|t| t * (t - 1.0)).collect(), 10, &[0.0]),
        flat(1e-12, p("arwhead_100", sum!(arwhead), |n| vec![1.0; n], 100, &[0.0])),
        p("engval1_100", sum!(engval1), |n| vec![2.0; n], 100, &[109.088_136_143_092_1]),
        p("bohachevsky", sum!(bohachevsky), |_| vec![0.2, -0.1], 2, &[0.0]),
        p("log_cosh_10", sum!(log_cosh), |n| vec![0.0; n], 10, &[0.0]),
        flat(1e-11, p("trid_10", sum!(trid), |n| vec![0.0; n], 10, &[-210.0])),
        p("tquartic_50", formula!(tquartic), |n| vec![0.1; n], 50, &[0.0]),
        p("logistic_20", sum!(logistic), |n| vec![0.0; n], 20, &[45.798_903_454_566_9]),
        p("power_50", sum!(power), |n| vec![1.0; n], 50, &[0.0]),
    ]
}

/// The bounds, the same for each variable, within which a problem is solved by methods for bounds: some are active.
pub(crate) fn bounds(name: &str) -> Option<(f64, f64)> {
    Some(match name {
        "rosenbrock_2" => (-2.0, 0.5),
        "rosenbrock_100" => (-1.5, 0.9),
        "extended_rosenbrock_1000" => (-1.5, 0.8),
        "wood" => (-4.0, 0.9),
        "beale" => (0.5, 2.5),
        "helical_valley" => (-1.0, 0.8),
        "broyden_tridiagonal_100" => (-1.0, -0.6),
        "zakharov_10" => (0.1, 1.0),
        "chebyquad_8" => (0.1, 0.9),
        "rastrigin_10" => (0.05, 0.4),
        _ => return None,
    })
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
        self.formula.kind.sum((self.formula.value)(x))
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut at: Vec<Dual<f64>> = x.iter().map(|&x| Dual::new(x, 0.0)).collect();
        for i in 0..x.len() {
            at[i].derivative = 1.0;
            gradient[i] = self.formula.kind.sum((self.formula.first)(&at)).derivative;
            at[i].derivative = 0.0;
        }
        self.value(x)
    }

    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        (want == Want::Hessian).then(|| CurvatureAt::operator(Hessian { problem: *self, at: x.to_vec() }))
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
            out[i] = self.problem.formula.kind.sum((self.problem.formula.second)(&at)).derivative.derivative;
            at[i].derivative.value = 0.0;
        }
    }
}

impl Residuals<f64> for TestProblem {
    fn dimension(&self) -> usize {
        self.n
    }
    fn count(&self) -> usize {
        (self.formula.value)(&self.start()).len()
    }
    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&(self.formula.value)(x));
    }
    fn jacobian(&self, x: &[f64]) -> Box<dyn Jacobian<f64> + '_> {
        let mut at: Vec<Dual<f64>> = x.iter().map(|&x| Dual::new(x, 0.0)).collect();
        let mut column = |i: usize| {
            at[i].derivative = 1.0;
            let column = (self.formula.first)(&at).iter().map(|r| r.derivative).collect();
            at[i].derivative = 0.0;
            column
        };
        Box::new(Columns((0..x.len()).map(&mut column).collect()))
    }
}

struct Columns(Vec<Vec<f64>>);

impl Jacobian<f64> for Columns {
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (column, v) in self.0.iter().zip(v) {
            vector::axpy(*v, column, out);
        }
    }
    fn apply_transpose(&self, u: &[f64], out: &mut [f64]) {
        for (column, out) in self.0.iter().zip(out) {
            *out = vector::dot(column, u);
        }
    }
}
