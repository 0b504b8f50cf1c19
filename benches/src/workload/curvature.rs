//! Gradients and products with the Hessian and the Gauss–Newton matrix, as functions of the flat parameter vector:
//! `grad_M`, `hvp_M` and `ggn_M` at a new point every time, `hvp_M_reuse` and `ggn_M_reuse` at one point with many
//! vectors, M being one of the models. Every product is measured in turn with the gradient.

use std::hint::black_box;
use std::rc::Rc;

use wengert::curvature::FlatLoss;
use wengert::prelude::{Objective, Objectives, Operator};

use super::data::Data;
use super::problem::Problem;
use super::{Workload, convolutional, gru, mlp, transformer};
use crate::memory::live_tensor_bytes;

/// Makes a model with its data.
type Make = fn() -> Problem;

/// The models by name.
const MODELS: &[(&str, Make)] = &[
    ("mlp", mlp::classifier),
    ("cnn", convolutional::cnn_problem),
    ("gru", gru::problem),
    ("attention", transformer::problem),
];

/// The workload of that name, if it is one of these.
pub(super) fn by_name(name: &str) -> Option<Workload> {
    let (kind, rest) = name.split_once('_')?;
    let (model, reuse) = match rest.strip_suffix("_reuse") {
        Some(model) => (model, true),
        None => (rest, false),
    };
    let (_, problem) = MODELS.iter().find(|(other, _)| *other == model)?;
    let prepare = match (kind, reuse) {
        ("grad", false) => Derivatives::gradient,
        ("hvp", false) => Derivatives::hessian,
        ("hvp", true) => Derivatives::hessian_reused,
        ("ggn", false) => Derivatives::gauss_newton,
        ("ggn", true) => Derivatives::gauss_newton_reused,
        _ => return None,
    };
    Some(prepare(Derivatives::of(problem())))
}

/// The names of these workloads.
pub(super) fn names() -> Vec<String> {
    let kinds = ["grad_", "hvp_", "ggn_"];
    MODELS.iter().flat_map(|(model, _)| kinds.map(|kind| format!("{kind}{model}"))).collect()
}

/// A loss, points to take its derivatives at, and vectors to multiply.
struct Derivatives {
    loss: Rc<FlatLoss<'static>>,
    points: [Vec<f32>; 2],
    directions: [Vec<f32>; 4],
}

impl Derivatives {
    fn of(problem: Problem) -> Self {
        let Problem { params, outputs, loss } = problem;
        let mut data = Data::seeded(2);
        let mut vector = || data.normal([params.values().len()]).to_vec();
        let first = params.values().to_vec();
        let second = first.iter().zip(vector()).map(|(x, noise)| x + 0.01 * noise).collect();
        let directions = [(); 4].map(|()| vector());
        let loss = Rc::new(params.model_objective(outputs, loss));
        Derivatives { loss, points: [first, second], directions }
    }

    /// The gradient, at the points in turn.
    fn gradients(&self) -> impl FnMut() + 'static {
        let (loss, mut points) = (Rc::clone(&self.loss), self.points.clone());
        let mut out = vec![0.0; loss.dimension()];
        move || {
            points.rotate_left(1);
            black_box(loss.value_and_gradient(&points[0], &mut out));
        }
    }

    fn gradient(self) -> Workload {
        Workload::new(self.gradients())
    }

    fn hessian(self) -> Workload {
        self.products(|loss, x, v, out| loss.hessian_operator(x).apply_once(v, out))
    }

    fn gauss_newton(self) -> Workload {
        self.products(|loss, x, v, out| loss.gauss_newton_operator(x).expect("a model").apply(v, out))
    }

    fn hessian_reused(self) -> Workload {
        let before = live_tensor_bytes();
        let hessian = self.loss.hessian_operator(&self.points[0]);
        self.reused(before, move |v, out| hessian.apply(v, out))
    }

    fn gauss_newton_reused(self) -> Workload {
        let before = live_tensor_bytes();
        let matrix = self.loss.gauss_newton_operator(&self.points[0]).expect("a model");
        self.reused(before, move |v, out| matrix.apply(v, out))
    }

    /// Products at a new point every time.
    fn products(self, product: impl Fn(&FlatLoss<'_>, &[f32], &[f32], &mut [f32]) + 'static) -> Workload {
        let gradients = self.gradients();
        let Derivatives { loss, mut points, mut directions } = self;
        let mut out = vec![0.0; loss.dimension()];
        let step = move || {
            points.rotate_left(1);
            directions.rotate_left(1);
            product(&loss, &points[0], &directions[0], &mut out);
            black_box(&out);
        };
        Workload::new(step).in_gradients(gradients)
    }

    /// Products at one point with a matrix; `before` is how much memory was held before there was one.
    fn reused(self, before: usize, apply: impl Fn(&[f32], &mut [f32]) + 'static) -> Workload {
        let gradients = self.gradients();
        let mut directions = self.directions;
        let mut out = vec![0.0; directions[0].len()];
        // The first product computes what is kept for all.
        apply(&directions[0], &mut out);
        let held_bytes = live_tensor_bytes() - before;
        let step = move || {
            directions.rotate_left(1);
            apply(&directions[0], &mut out);
            black_box(&out);
        };
        Workload { held_bytes, ..Workload::new(step) }.in_gradients(gradients)
    }
}
