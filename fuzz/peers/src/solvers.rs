//! Minimisations whose solutions are known.

use serde_json::{Value, json};
use wengert::curvature::{FunctionObjective, FunctionResiduals};
use wengert::optim::constrained::*;
use wengert::optim::minimize::*;
use wengert::tape::{Var, grad, hvp};
use wengert::tensor::Tensor;

use crate::wire::{self, Attrs};

/// What is minimised, as a function of a vector.
fn function(case: &Attrs) -> Box<dyn Fn(&Var<f64>) -> Var<f64>> {
    let given = |name: &str| wire::var::<f64>(case.get(name));
    match case.text("problem") {
        "quadratic" => {
            let (a, b) = (given("a"), given("b"));
            Box::new(move |x| a.matmul(x).dot(x) * 0.5 - b.dot(x))
        }
        "linear" => {
            let c = given("c");
            Box::new(move |x| c.dot(x))
        }
        // Rosenbrock's in coordinates that are moved and scaled.
        "rosenbrock" => {
            let (scale, shift, steep) = (given("scale"), given("shift"), case.number("steep"));
            Box::new(move |x| {
                let y = (x - &shift) * &scale;
                let valley = (y.slice(1..) - y.slice(..-1).square()).square().sum() * steep;
                valley + (1.0 - y.slice(..-1)).square().sum()
            })
        }
        "log_sum_exp" => {
            let (a, b, ridge) = (given("a"), given("b"), case.number("ridge"));
            Box::new(move |x| (a.matmul(x) + &b).logsumexp(0, false) + x.square().sum() * ridge)
        }
        other => panic!("there is no problem {other}"),
    }
}

fn residuals(case: &Attrs) -> Box<dyn Fn(&Var<f64>) -> Var<f64>> {
    let (t, y) = (wire::var::<f64>(case.get("t")), wire::var::<f64>(case.get("y")));
    match case.text("model") {
        "linear" => Box::new(move |p| t.matmul(p) - &y),
        "decay" => Box::new(move |p| p.select(0, 0) * (-(&t * p.select(0, 1))).exp() + p.select(0, 2) - &y),
        "logistic" => {
            Box::new(move |p| p.select(0, 0) * (p.select(0, 1) * (&t - p.select(0, 2))).sigmoid() - &y)
        }
        "wave" => Box::new(move |p| p.select(0, 0) * (p.select(0, 1) * &t + p.select(0, 2)).sin() - &y),
        other => panic!("there is no model {other}"),
    }
}

/// Constraints with derivatives by the tape: rows of matrices, and balls.
fn constraints(case: &Attrs, n: usize) -> Constraints<'static, f64> {
    let mut constraints = Constraints::new(n);
    let rows = |name: &str| -> Vec<Box<dyn Fn(&Var<f64>) -> Var<f64>>> {
        if !case.has(name) {
            return Vec::new();
        }
        let pair = case.get(name);
        let (matrix, right) = (wire::var::<f64>(&pair[0]), wire::var::<f64>(&pair[1]));
        let row = |i: usize| -> Box<dyn Fn(&Var<f64>) -> Var<f64>> {
            let (row, right) = (matrix.select(0, i as isize), right.select(0, i as isize));
            Box::new(move |x| row.dot(x) - &right)
        };
        (0..right.len()).map(row).collect()
    };
    let gradient = |f: &std::rc::Rc<Box<dyn Fn(&Var<f64>) -> Var<f64>>>| {
        let f = f.clone();
        move |x: &[f64], g: &mut [f64]| {
            g.copy_from_slice(&grad(|x: &Var<f64>| f(x), &Var::from(Tensor::vector(x))).value().to_vec());
        }
    };
    let product = |f: &std::rc::Rc<Box<dyn Fn(&Var<f64>) -> Var<f64>>>| {
        let f = f.clone();
        move |x: &[f64], v: &[f64], out: &mut [f64]| {
            let [x, v] = [x, v].map(|x| Var::from(Tensor::vector(x)));
            out.copy_from_slice(&hvp(|x: &Var<f64>| f(x), &x, &v).value().to_vec());
        }
    };
    let value = |f: &std::rc::Rc<Box<dyn Fn(&Var<f64>) -> Var<f64>>>| {
        let f = f.clone();
        move |x: &[f64]| f(&Var::from(Tensor::vector(x))).item()
    };
    let mut equal = rows("equalities");
    if case.has("sphere") {
        let square = case.number("sphere");
        equal.push(Box::new(move |x| x.square().sum() - square));
    }
    let mut above = rows("inequalities");
    if case.has("ball") {
        let square = case.number("ball");
        above.push(Box::new(move |x| square - x.square().sum()));
    }
    for (i, f) in equal.into_iter().enumerate() {
        let f = std::rc::Rc::new(f);
        constraints = constraints.equality(value(&f), gradient(&f)).with_equality_hvp(i, product(&f));
    }
    for (i, f) in above.into_iter().enumerate() {
        let f = std::rc::Rc::new(f);
        constraints = constraints.inequality(value(&f), gradient(&f)).with_inequality_hvp(i, product(&f));
    }
    if case.has("low") { constraints.with_bounds(bounds(case)) } else { constraints }
}

fn bounds(case: &Attrs) -> Bounds<f64> {
    Bounds::new(wire::numbers(case.get("low")), wire::numbers(case.get("high"))).expect("low is below high")
}

/// Whether the method says that it converged, where, and why it stopped.
pub fn answer(case: &Value) -> Value {
    let case = Attrs(case);
    let start = wire::numbers(case.get("start"));
    let n = start.len();
    let s = Stopping {
        gradient_tolerance: case.number("tolerance"),
        max_iterations: 20_000,
        ..Default::default()
    };
    let objective: Box<dyn Objective<f64>> = if case.has("model") {
        let count = wire::numbers(&case.get("y")[1]).len();
        Box::new(LeastSquares::from_residuals(FunctionResiduals::new(n, count, residuals(&case))))
    } else {
        Box::new(FunctionObjective::new(n, function(&case)))
    };
    let f = &*objective;
    let outcome = match case.text("method") {
        "steepest descent" => SteepestDescent::default().with_stopping(s).minimize(f, &start),
        "nonlinear CG" => NonlinearCg::default().with_stopping(s).minimize(f, &start),
        "BFGS" => Bfgs::default().with_stopping(s).minimize(f, &start),
        "DFP" => Dfp::default().with_stopping(s).minimize(f, &start),
        "SR1" => Sr1::default().with_stopping(s).minimize(f, &start),
        "L-BFGS" => Lbfgs::default().with_stopping(s).minimize(f, &start),
        "Newton" => Newton::default().with_stopping(s).minimize(f, &start),
        "saddle-free Newton" => SaddleFreeNewton::default().with_stopping(s).minimize(f, &start),
        "Newton-CG" => NewtonCg::default().with_stopping(s).minimize(f, &start),
        "damped Newton" => DampedNewton { stopping: s, ..Default::default() }.minimize(f, &start),
        "trust region" => TrustRegionNewton::default().with_stopping(s).minimize(f, &start),
        "exact trust region" => TrustRegionExact::default().with_stopping(s).minimize(f, &start),
        "Gauss-Newton" => GaussNewton::default().with_stopping(s).minimize(f, &start),
        "Levenberg-Marquardt" => LevenbergMarquardt::default().with_stopping(s).minimize(f, &start),
        "L-BFGS-B" => LbfgsB { stopping: s, ..LbfgsB::new(bounds(&case)) }.minimize(f, &start),
        "projected gradient" => {
            ProjectedGradient { stopping: s, ..ProjectedGradient::new(bounds(&case)) }.minimize(f, &start)
        }
        "interior point" => {
            let constraints = constraints(&case, n);
            InteriorPoint { stopping: s, ..InteriorPoint::new(&constraints) }.minimize(f, &start)
        }
        "augmented Lagrangian" => {
            let constraints = constraints(&case, n);
            AugmentedLagrangian { stopping: s, ..AugmentedLagrangian::new(&constraints) }.minimize(f, &start)
        }
        other => panic!("there is no method {other}"),
    };
    let outcome = outcome.expect("a start that the method takes");
    json!({
        "converged": outcome.converged(),
        "reason": outcome.to_string(),
        "point": wire::text(&Tensor::vector(&outcome.point)),
    })
}
