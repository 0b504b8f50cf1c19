//! Softmax regression to a minimum, 784 to 10, on 10 000 rows: the mean cross-entropy plus ½·10⁻³‖W‖², from zero until
//! no element of the gradient exceeds 10⁻⁴.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use wengert::optim::Stopping;
use wengert::optim::minimize::{CurvatureProbe, NewtonCgDirection};
use wengert::prelude::*;

use super::Workload;
use super::data::Data;

const ROWS: usize = 10_000;
const FEATURES: usize = 784;
const CLASSES: usize = 10;

/// By L-BFGS.
pub(super) fn lbfgs() -> Workload {
    solving(Lbfgs::default().with_stopping(stopping()))
}

/// By Newton-CG with a line search.
pub(super) fn newton_cg() -> Workload {
    let direction = NewtonCgDirection { probe: NO_PROBE, ..NewtonCgDirection::default() };
    solving(NewtonCg::new(direction).with_stopping(stopping()))
}

/// By trust-region Newton.
pub(super) fn trust_region() -> Workload {
    solving(TrustRegionNewton { probe: NO_PROBE, ..TrustRegionNewton::default() }.with_stopping(stopping()))
}

/// The problem is convex: there are no saddles to look for, and the methods that this is compared with do not.
const NO_PROBE: CurvatureProbe = CurvatureProbe { max_steps: 0, seed: 0 };

fn stopping() -> Stopping {
    Stopping::gradient(1e-4)
}

fn solving(method: impl Method<f32> + 'static) -> Workload {
    let rows = Rows::shared().unwrap_or_else(Rows::generated);
    let found = Rc::new(RefCell::new(None));
    let (problem, last) = (rows.problem::<f32>(), Rc::clone(&found));
    let step = move || {
        let outcome = problem.solve(&method);
        *last.borrow_mut() = Some(outcome);
    };
    Workload::new(step).report(move || match &*found.borrow() {
        Some(outcome) => rows.judge(outcome),
        None => String::new(),
    })
}

/// The data.
struct Rows {
    x: Tensor,
    labels: Tensor<u32>,
    origin: &'static str,
}

impl Rows {
    /// What the programs that measure other frameworks wrote, if they did.
    fn shared() -> Option<Rows> {
        let home = match std::env::var_os("PEERS_HOME") {
            Some(home) => PathBuf::from(home),
            None => PathBuf::from(std::env::var_os("HOME")?).join(".cache/peers"),
        };
        let x = std::fs::read(home.join("logreg_x.f32")).ok()?;
        let labels = std::fs::read(home.join("logreg_y.u8")).ok()?;
        if x.len() != ROWS * FEATURES * 4 || labels.len() != ROWS {
            return None;
        }
        let x: Vec<f32> = x.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let labels: Vec<u32> = labels.into_iter().map(u32::from).collect();
        let x = Tensor::vector(&x).reshape([ROWS, FEATURES]);
        Some(Rows { x, labels: Tensor::vector(&labels), origin: "shared data" })
    }

    /// Data from the same distribution: a mean per class from N(0, 0.3²), features N(mean, 1).
    fn generated() -> Rows {
        let mut data = Data::seeded(0);
        let means = data.normal([CLASSES, FEATURES]) * 0.3;
        let labels = data.labels(ROWS, CLASSES as u64);
        let x = means.index_select(0, &labels) + data.normal([ROWS, FEATURES]);
        Rows { x, labels, origin: "data of its own" }
    }

    fn problem<T: Float>(&self) -> Regression<T> {
        let mut params = Params::seeded(0);
        let model = Linear::new(params.root(), FEATURES, CLASSES);
        params.set_values(&vec![T::ZERO; params.values().len()]);
        Regression { params, model, x: Var::constant(self.x.cast::<T>()), labels: self.labels.clone() }
    }

    /// What came of it, with value and gradient computed in double precision.
    fn judge(&self, outcome: &Outcome<f32>) -> String {
        let problem = self.problem::<f64>();
        let point: Vec<f64> = outcome.point.iter().map(|&x| f64::from(x)).collect();
        let mut gradient = vec![0.0; point.len()];
        let value = problem.objective().value_and_gradient(&point, &mut gradient);
        let norm = gradient.iter().fold(0.0f64, |norm, g| norm.max(g.abs()));
        format!(
            "{}; {}; iterations={} evaluations={} gradients={} hvps={} loss={value:.7} ginf_f64={norm:.2e}",
            self.origin,
            outcome.reason,
            outcome.iterations,
            outcome.counts.values,
            outcome.counts.gradients,
            outcome.counts.products
        )
    }
}

struct Regression<T: Float> {
    params: Params<T>,
    model: Linear,
    x: Var<T>,
    labels: Tensor<u32>,
}

impl<T: Float> Regression<T> {
    fn objective(&self) -> impl Objective<T> {
        self.params.objective(|cx| {
            self.model.forward(cx, &self.x).cross_entropy(&self.labels) + cx.l2_of("weight", 1e-3)
        })
    }

    fn solve(&self, method: &impl Method<T>) -> Outcome<T> {
        method.minimize(&self.objective(), self.params.values()).expect("settings in range")
    }
}
