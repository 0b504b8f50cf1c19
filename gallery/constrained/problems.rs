//! The classic problems, their functions written in operations on `Var`. Numbers are those of Hock and Schittkowski,
//! *Test Examples for Nonlinear Programming Codes*, 1981.

use wengert::optim::MinimizeError;
use wengert::optim::constrained::{Bounds, Constraints};
use wengert::prelude::*;

/// A problem with its known minimum.
pub(crate) struct Classic {
    pub name: &'static str,
    pub objective: FunctionObjective<'static>,
    pub constraints: Constraints<'static, f64>,
    pub start: Vec<f64>,
    /// The least value.
    pub optimum: f64,
    pub methods: &'static [Solver],
}

/// What solves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Solver {
    InteriorPoint,
    KktNewton,
    AugmentedLagrangian,
    QuadraticPenalty,
    LbfgsB,
    ProjectedGradient,
}

use Solver::*;

/// For equalities alone.
const EQUALITIES: &[Solver] = &[KktNewton, AugmentedLagrangian, QuadraticPenalty];
/// For inequalities.
const GENERAL: &[Solver] = &[InteriorPoint, AugmentedLagrangian];
/// For bounds alone.
const BOUNDS: &[Solver] = &[LbfgsB, InteriorPoint, ProjectedGradient];

/// All of them, in the order of the table.
///
/// # Errors
/// If bounds are inconsistent.
pub(crate) fn all() -> Result<Vec<Classic>, MinimizeError> {
    Ok(vec![
        hs6(),
        hs7(),
        hs39(),
        hs40(),
        hs35()?,
        hs43(),
        hs65()?,
        hs71()?,
        hs76()?,
        hs100(),
        tutorial()?,
        bounded_rosenbrock(2, 0.5, 0.25)?,
        bounded_rosenbrock(100, 0.5, ROSENBROCK_100)?,
    ])
}

/// x[i].
fn at(x: &Var<f64>, i: isize) -> Var<f64> {
    x.select(0, i)
}

fn hs6() -> Classic {
    Classic {
        name: "HS 6",
        objective: FunctionObjective::new(2, |x: &Var<f64>| (1.0 - at(x, 0)).square()),
        constraints: Constraints::new(2).equality_of(|x| (at(x, 1) - at(x, 0).square()) * 10.0),
        start: vec![-1.2, 1.0],
        optimum: 0.0,
        methods: EQUALITIES,
    }
}

fn hs7() -> Classic {
    Classic {
        name: "HS 7",
        objective: FunctionObjective::new(2, |x: &Var<f64>| (at(x, 0).square() + 1.0).ln() - at(x, 1)),
        constraints: Constraints::new(2)
            .equality_of(|x| (at(x, 0).square() + 1.0).square() + at(x, 1).square() - 4.0),
        start: vec![2.0, 2.0],
        optimum: -3f64.sqrt(),
        methods: EQUALITIES,
    }
}

fn hs39() -> Classic {
    Classic {
        name: "HS 39",
        objective: FunctionObjective::new(4, |x: &Var<f64>| -at(x, 0)),
        constraints: Constraints::new(4)
            .equality_of(|x| at(x, 1) - at(x, 0).powi(3) - at(x, 2).square())
            .equality_of(|x| at(x, 0).square() - at(x, 1) - at(x, 3).square()),
        start: vec![2.0; 4],
        optimum: -1.0,
        methods: EQUALITIES,
    }
}

fn hs40() -> Classic {
    Classic {
        name: "HS 40",
        objective: FunctionObjective::new(4, |x: &Var<f64>| -x.prod()),
        constraints: Constraints::new(4)
            .equality_of(|x| at(x, 0).powi(3) + at(x, 1).square() - 1.0)
            .equality_of(|x| at(x, 0).square() * at(x, 3) - at(x, 2))
            .equality_of(|x| at(x, 3).square() - at(x, 1)),
        start: vec![0.8; 4],
        optimum: -0.25,
        methods: EQUALITIES,
    }
}

fn hs35() -> Result<Classic, MinimizeError> {
    Ok(Classic {
        name: "HS 35",
        objective: FunctionObjective::new(3, |x: &Var<f64>| {
            let (a, b, c) = (at(x, 0), at(x, 1), at(x, 2));
            let squares = a.square() * 2.0 + b.square() * 2.0 + c.square();
            let linear = &a * 8.0 + &b * 6.0 + &c * 4.0;
            squares - linear + 9.0 + &a * b * 2.0 + a * c * 2.0
        }),
        constraints: Constraints::new(3)
            .inequality_of(|x| 3.0 - at(x, 0) - at(x, 1) - at(x, 2) * 2.0)
            .with_bounds(Bounds::uniform(3, 0.0, f64::INFINITY)?),
        start: vec![0.5; 3],
        optimum: 1.0 / 9.0,
        methods: GENERAL,
    })
}

fn hs43() -> Classic {
    Classic {
        name: "HS 43",
        objective: FunctionObjective::new(4, |x: &Var<f64>| {
            let weights = Var::from([1.0, 1.0, 2.0, 1.0]);
            (weights * x.square()).sum() + (Var::from([-5.0, -5.0, -21.0, 7.0]) * x).sum()
        }),
        constraints: Constraints::new(4)
            .inequality_of(|x| 8.0 - x.square().sum() - (Var::from([1.0, -1.0, 1.0, -1.0]) * x).sum())
            .inequality_of(|x| {
                10.0 - (Var::from([1.0, 2.0, 1.0, 2.0]) * x.square()).sum() + at(x, 0) + at(x, 3)
            })
            .inequality_of(|x| {
                let squares = (Var::from([2.0, 1.0, 1.0, 0.0]) * x.square()).sum();
                5.0 - squares - (Var::from([2.0, -1.0, 0.0, -1.0]) * x).sum()
            }),
        start: vec![0.0; 4],
        optimum: -44.0,
        methods: GENERAL,
    }
}

fn hs65() -> Result<Classic, MinimizeError> {
    Ok(Classic {
        name: "HS 65",
        objective: FunctionObjective::new(3, |x: &Var<f64>| {
            let (a, b, c) = (at(x, 0), at(x, 1), at(x, 2));
            (&a - &b).square() + (a + b - 10.0).square() / 9.0 + (c - 5.0).square()
        }),
        constraints: Constraints::new(3)
            .inequality_of(|x| 48.0 - x.square().sum())
            .with_bounds(Bounds::new(vec![-4.5, -4.5, -5.0], vec![4.5, 4.5, 5.0])?),
        start: vec![-4.0, 4.0, 0.0],
        optimum: 0.953_528_856_8,
        methods: GENERAL,
    })
}

fn hs71() -> Result<Classic, MinimizeError> {
    Ok(Classic {
        name: "HS 71",
        objective: FunctionObjective::new(4, |x: &Var<f64>| {
            at(x, 0) * at(x, 3) * x.slice(..3).sum() + at(x, 2)
        }),
        constraints: Constraints::new(4)
            .equality_of(|x| x.square().sum() - 40.0)
            .inequality_of(|x| x.prod() - 25.0)
            .with_bounds(Bounds::uniform(4, 1.0, 5.0)?),
        start: vec![1.0, 5.0, 5.0, 1.0],
        optimum: 17.014_017_289_3,
        methods: &[InteriorPoint, AugmentedLagrangian, QuadraticPenalty],
    })
}

fn hs76() -> Result<Classic, MinimizeError> {
    Ok(Classic {
        name: "HS 76",
        objective: FunctionObjective::new(4, |x: &Var<f64>| {
            let squares = (Var::from([1.0, 0.5, 1.0, 0.5]) * x.square()).sum();
            let products = at(x, 2) * (at(x, 3) - at(x, 0));
            squares + products + (Var::from([-1.0, -3.0, 1.0, -1.0]) * x).sum()
        }),
        constraints: Constraints::new(4)
            .inequality_of(|x| 5.0 - (Var::from([1.0, 2.0, 1.0, 1.0]) * x).sum())
            .inequality_of(|x| 4.0 - (Var::from([3.0, 1.0, 2.0, -1.0]) * x).sum())
            .inequality_of(|x| at(x, 1) + at(x, 2) * 4.0 - 1.5)
            .with_bounds(Bounds::uniform(4, 0.0, f64::INFINITY)?),
        start: vec![0.5; 4],
        optimum: -4.681_818_181_8,
        methods: GENERAL,
    })
}

fn hs100() -> Classic {
    Classic {
        name: "HS 100",
        objective: FunctionObjective::new(7, |x: &Var<f64>| {
            let first = (at(x, 0) - 10.0).square() + (at(x, 1) - 12.0).square() * 5.0 + at(x, 2).powi(4);
            let middle = (at(x, 3) - 11.0).square() * 3.0 + at(x, 4).powi(6) * 10.0;
            let (a, b) = (at(x, 5), at(x, 6));
            first + middle + a.square() * 7.0 + b.powi(4) - &a * &b * 4.0 - a * 10.0 - b * 8.0
        }),
        constraints: Constraints::new(7)
            .inequality_of(|x| {
                let first = at(x, 0).square() * 2.0 + at(x, 1).powi(4) * 3.0 + at(x, 2);
                127.0 - first - at(x, 3).square() * 4.0 - at(x, 4) * 5.0
            })
            .inequality_of(|x| {
                let first = at(x, 0) * 7.0 + at(x, 1) * 3.0 + at(x, 2).square() * 10.0;
                282.0 - first - at(x, 3) + at(x, 4)
            })
            .inequality_of(|x| {
                196.0 - at(x, 0) * 23.0 - at(x, 1).square() - at(x, 5).square() * 6.0 + at(x, 6) * 8.0
            })
            .inequality_of(|x| {
                let (a, b) = (at(x, 0), at(x, 1));
                let first = a.square() * -4.0 - b.square() + a * b * 3.0;
                first - at(x, 2).square() * 2.0 - at(x, 5) * 5.0 + at(x, 6) * 11.0
            }),
        start: vec![1.0, 2.0, 0.0, 4.0, 0.0, 1.0, 1.0],
        optimum: 680.630_057_3,
        methods: GENERAL,
    }
}

/// The tutorial of NLopt: √y with y ≥ (2x)³ and y ≥ (1 − x)³.
fn tutorial() -> Result<Classic, MinimizeError> {
    Ok(Classic {
        name: "√y, two cubics",
        objective: FunctionObjective::new(2, |x: &Var<f64>| at(x, 1).sqrt()),
        constraints: Constraints::new(2)
            .inequality_of(|x| at(x, 1) - (at(x, 0) * 2.0).powi(3))
            .inequality_of(|x| at(x, 1) - (1.0 - at(x, 0)).powi(3))
            // The root needs something to hold on to.
            .with_bounds(Bounds::new(vec![f64::NEG_INFINITY, 1e-9], vec![f64::INFINITY; 2])?),
        start: vec![1.234, 5.678],
        optimum: (8f64 / 27.0).sqrt(),
        methods: GENERAL,
    })
}

/// The least value of Rosenbrock's function of 100 variables with 0 ≤ x ≤ ½, by SciPy's L-BFGS-B from three starts.
/// (Without the bounds on the others there are lower minima.)
const ROSENBROCK_100: f64 = 96.685_531_617_512_3;

/// Rosenbrock's valley, its minimum cut off by x ≤ `upper`; x ≥ 0.
fn bounded_rosenbrock(n: usize, upper: f64, optimum: f64) -> Result<Classic, MinimizeError> {
    Ok(Classic {
        name: if n == 2 { "Rosenbrock 2, x ≤ ½" } else { "Rosenbrock 100, x ≤ ½" },
        objective: FunctionObjective::new(n, |x: &Var<f64>| {
            let (head, tail) = (x.slice(..-1), x.slice(1..));
            ((tail - head.square()).square() * 100.0 + (1.0 - head).square()).sum()
        }),
        constraints: Constraints::new(n).with_bounds(Bounds::uniform(n, 0.0, upper)?),
        start: (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect(),
        optimum,
        methods: BOUNDS,
    })
}
