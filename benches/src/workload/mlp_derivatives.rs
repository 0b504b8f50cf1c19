//! Gradients and Hessian–vector products of the mean cross-entropy of 784-128-10 on a batch of 256.

use std::hint::black_box;

use wengert::prelude::*;
use wengert::tape::HessianOperator;

use super::Workload;
use super::data::Data;
use super::mlp::perceptron;

const SIZES: [usize; 3] = [784, 128, 10];
const BATCH: usize = 256;

/// The gradient alone, at two points in turn.
pub(super) fn grad_mlp() -> Workload {
    let mut data = Data::seeded(0);
    let (x, labels) = (data.normal_var([BATCH, SIZES[0]]), data.labels(BATCH, 10));
    let mut points = [1, 2].map(|seed| {
        let mut params = Params::seeded(seed);
        let model = perceptron(&mut params, &SIZES);
        (params, model)
    });
    Workload::new(move || {
        points.rotate_left(1);
        let (params, model) = &points[0];
        let found = params.value_and_grad(|cx| model.forward(cx, &x).cross_entropy(&labels));
        black_box(found.expect("the loss depends on every parameter"));
    })
}

/// A product at a new point every time.
pub(super) fn hvp_mlp() -> Workload {
    let Problem { loss, mut points, mut directions } = Problem::new();
    Workload::new(move || {
        points.rotate_left(1);
        directions.rotate_left(1);
        black_box(hvp(&loss, &points[0], &directions[0]));
    })
}

/// Products at one point with many vectors.
pub(super) fn hvp_mlp_reuse() -> Workload {
    let Problem { loss, points, mut directions } = Problem::new();
    let hessian = HessianOperator::new(&loss, &points[0]);
    Workload::new(move || {
        directions.rotate_left(1);
        black_box(hessian.apply(&directions[0]));
    })
}

type Loss = dyn Fn(&Vec<Var>) -> Var;

/// The loss as a function of the parameter tensors, points to take its derivatives at, and vectors to multiply.
struct Problem {
    loss: Box<Loss>,
    points: [Vec<Var>; 2],
    directions: [Vec<Var>; 4],
}

impl Problem {
    fn new() -> Self {
        let mut data = Data::seeded(0);
        let (x, labels) = (data.normal_var([BATCH, SIZES[0]]), data.labels(BATCH, 10));
        let loss = move |p: &Vec<Var>| {
            let hidden = (x.matmul(&p[0].t()) + &p[1]).relu();
            (hidden.matmul(&p[2].t()) + &p[3]).cross_entropy(&labels)
        };
        let points = [1, 2].map(|seed| {
            let mut params: Params = Params::seeded(seed);
            perceptron(&mut params, &SIZES);
            let tensor = |name| Var::constant(params.tensor(params.id(name).expect("a parameter")));
            ["0.weight", "0.bias", "2.weight", "2.bias"].map(tensor).to_vec()
        });
        let like = |p: &Var, data: &mut Data| data.normal_var(p.shape());
        let directions = [(); 4].map(|()| points[0].iter().map(|p| like(p, &mut data)).collect());
        Problem { loss: Box::new(loss), points, directions }
    }
}
