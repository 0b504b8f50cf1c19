//! Gradients and products with the Hessian and the Gauss–Newton matrix, as functions of the flat parameter vector:
//! `grad_M`, `hvp_M` and `ggn_M` at a new point every time, `hvp_M_reuse` and `ggn_M_reuse` at one point with many
//! vectors, M being one of the models. Every product is measured in turn with the gradient.

use std::hint::black_box;
use std::rc::Rc;

use wengert::curvature::FlatLoss;
use wengert::nn::Mode;
use wengert::prelude::{Objective, Objectives, Operator, Tensor, Var};
use wengert::tape::{compile, hvp};
use wengert::tensor::Shape;

use super::data::Data;
use super::problem::{Batch, Problem};
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

/// Products with the Hessian of the loss of [`mlp::classifier`] at a new point every time, recorded once and replayed.
pub(super) fn hvp_mlp_replay() -> Workload {
    let problem = mlp::classifier();
    let (whole, batch) = (problem.whole(), problem.batch.clone());
    let derivatives = Derivatives::of(mlp::classifier());
    let gradients = derivatives.gradients();
    let params = problem.params;
    let shapes: Vec<Shape> = params.vars().iter().map(|v| v.shape().clone()).collect();
    let parts = move |flat: &Var| -> Vec<Var> {
        let mut start = 0;
        let part = |shape: &Shape| {
            start += shape.count();
            flat.slice(start - shape.count()..start).reshape(shape)
        };
        shapes.iter().map(part).collect()
    };
    let mut product = compile(move |(w, v, batch): &(Var, Var, Batch)| {
        let loss = |w: &Vec<Var>| whole(&params.context(Mode::Train, w), batch);
        let parts = hvp(loss, &parts(w), &parts(v)).into_iter().map(|part| part.reshape([part.len()]));
        Var::cat(&parts.collect::<Vec<_>>(), 0)
    });
    let Derivatives { mut points, mut directions, .. } = derivatives;
    let mut out = vec![0.0; points[0].len()];
    let step = move || {
        points.rotate_left(1);
        directions.rotate_left(1);
        let [w, v] = [&points[0], &directions[0]].map(|x| Var::from(Tensor::vector(x)));
        let found = product.call(&(w, v, batch.clone()));
        out.copy_from_slice(found.value().as_slice().expect("a joined vector is contiguous"));
        black_box(&out);
    };
    Workload::new(step).in_gradients(gradients)
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
        let ((outputs, loss), params) = (problem.functions(), problem.params);
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
