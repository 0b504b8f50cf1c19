//! Running statistics and counts change once for each step.

use wengert_nn::*;
use wengert_tape::Var;
use wengert_tensor::Tensor;

struct Model {
    params: Params<f64>,
    w: ParamId,
    mean: BufferId,
    count: CountId,
}

impl Model {
    fn new() -> Self {
        let mut params = Params::seeded(0);
        let w = params.root().param("w", [1], Init::Ones);
        let mean = params.at("norm").buffer("mean", Tensor::zeros([1]));
        let count = params.at("norm").count("count", 0);
        Model { params, w, mean, count }
    }

    /// A loss that moves the mean half of the way to `x`, in two parts, and counts.
    fn loss(&self, cx: &Ctx<f64>, x: f64) -> Var<f64> {
        let half = cx.buffer(self.mean) * 0.5;
        cx.set_buffer(self.mean, half);
        let moved = cx.buffer(self.mean) + x * 0.5;
        cx.set_buffer(self.mean, moved);
        cx.set_count(self.count, cx.count(self.count) + 1);
        cx.param(self.w).sum()
    }

    fn evaluated(&self, x: f64) -> Grads<f64> {
        self.params.value_and_grad(|cx| self.loss(cx, x)).unwrap().1
    }

    fn now(&self) -> (f64, i64) {
        (self.params.buffers()[0].1.item(), self.params.counts()[0].1)
    }
}

#[test]
fn evaluations_change_nothing_and_a_step_all() {
    let mut model = Model::new();
    let copy = model.params.clone();
    model.params.infer(|cx| model.loss(cx, 1.0).item());
    model.params.infer_in(Mode::Train, |cx| model.loss(cx, 1.0).item());
    assert!(model.params.value_and_grad(|cx| model.loss(cx, 1.0).stop_gradient()).is_err());
    let grads = model.evaluated(1.0);
    let other = model.evaluated(8.0);
    assert_eq!(model.now(), (0.0, 0));
    model.params.update_buffers(&grads);
    assert_eq!(model.now(), (0.5, 1));
    // What was not taken is lost, and what was taken is not taken again.
    let next = model.evaluated(1.0);
    model.params.update_buffers(&next);
    assert_eq!(model.now(), (0.75, 2));
    drop(other);
    assert_eq!(copy.buffers()[0].1.item(), 0.0);
}

#[test]
fn a_step_of_several_evaluations_takes_their_mean_once() {
    let mut model = Model::new();
    for x in [1.0, 2.0, 6.0] {
        let grads = model.evaluated(x);
        model.params.collect_updates(&grads);
        assert_eq!(model.now(), (0.0, 0));
    }
    // All start from what is stored: (0.5 + 1 + 3 + 5.5)/4, and one batch.
    let last = model.evaluated(11.0);
    model.params.update_buffers(&last);
    assert_eq!(model.now(), (2.5, 1));
    // Nothing waits any more.
    let grads = model.evaluated(2.5);
    model.params.collect_updates(&grads);
    model.params.discard_updates();
    let grads = model.evaluated(0.5);
    model.params.update_buffers(&grads);
    assert_eq!(model.now(), (1.5, 2));
}

/// The same bits for evaluations on any threads, given that they are collected in one order.
#[test]
fn evaluations_on_threads() {
    let values = [0.1, 0.7, -0.3, 12.9, 1e-3];
    let serial = {
        let mut model = Model::new();
        let all = values.map(|x| model.evaluated(x));
        all.iter().for_each(|grads| model.params.collect_updates(grads));
        model.params.update_buffers(&all[0]);
        model.now()
    };
    let mut model = Model::new();
    let all: Vec<Grads<f64>> = std::thread::scope(|scope| {
        let model = &model;
        let threads = values.map(|x| scope.spawn(move || model.evaluated(x)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    all.iter().for_each(|grads| model.params.collect_updates(grads));
    model.params.update_buffers(&all[0]);
    assert_eq!(model.now(), serial);
}

/// A loop that never takes over the statistics would use the model with those that it started with.
#[test]
fn statistics_that_are_forgotten_are_not_used() {
    let read = |params: &Params<f64>, id: BufferId| params.infer(|cx| cx.buffer(id).item());
    let message = |work: &dyn Fn() -> f64| {
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
        *payload.downcast::<String>().unwrap()
    };
    let mut model = Model::new();
    for _ in 0..2 {
        // Looking at a gradient, or one step, is no training.
        assert_eq!(read(&model.params, model.mean), 0.0);
        model.evaluated(1.0);
        model.params.values_mut()[0] -= 0.1;
    }
    let text = "`norm.mean` is as it was at the start, since no step took over what evaluations made of it: call `update_buffers` after each step, or `discard_updates` if it is to stay";
    assert_eq!(message(&|| read(&model.params, model.mean)), format!("buffer: {text}"));
    let count = || model.params.clone().infer(|cx| cx.count(model.count)) as f64;
    assert_eq!(message(&count), format!("count: {text}").replace("norm.mean", "norm.count"));
    // Training goes on, and so does what is set in the context itself.
    let grads = model.evaluated(1.0);
    let set = |cx: &Ctx<f64>| {
        cx.set_count(model.count, 4);
        cx.count(model.count)
    };
    assert_eq!(model.params.infer(set), 4);
    let mut kept = model.params.clone();
    kept.discard_updates();
    assert_eq!(read(&kept, model.mean), 0.0);
    model.params.update_buffers(&grads);
    assert_eq!(read(&model.params, model.mean), 0.5);
}
