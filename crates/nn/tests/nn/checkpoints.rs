//! Layers that are computed again: the same results in less memory.

use std::cell::Cell;
use std::rc::Rc;

use wengert_nn::*;
use wengert_tape::{Var, grad, hvp};
use wengert_tensor::random::Generator;
use wengert_tensor::{Tensor, memory};

fn random(shape: [usize; 2], seed: u64) -> Var<f64> {
    Var::constant(Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed)))
}

/// A layer with all that a context has: parameters, random numbers, a buffer, a count; and what it has seen.
struct Block {
    linear: Linear,
    mean: BufferId,
    batches: CountId,
    runs: Rc<Cell<usize>>,
}

impl Block {
    fn new(mut p: Scope<f64>, features: usize, runs: &Rc<Cell<usize>>) -> Self {
        Block {
            linear: Linear::new(p.at("linear"), features, features),
            mean: p.buffer("mean", Tensor::zeros([features])),
            batches: p.count("batches", 0),
            runs: Rc::clone(runs),
        }
    }
}

impl Layer<f64> for Block {
    fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
        self.runs.set(self.runs.get() + 1);
        let y = Dropout::new(0.25).forward(cx, &self.linear.forward(cx, x).tanh());
        let mean = y.mean_axes(0, false);
        cx.set_buffer(self.mean, cx.buffer(self.mean) * 0.5 + mean.value() * 0.5);
        cx.set_count(self.batches, cx.count(self.batches) + 1);
        // The running mean takes part, so that it shows if it is moved twice.
        (y - mean) * 2.0 + cx.buffer(self.mean)
    }
}

/// Three blocks, each computed again or not.
fn model(again: bool) -> (Params<f64>, Sequential<f64>, Rc<Cell<usize>>) {
    let (mut params, runs) = (Params::seeded(0), Rc::new(Cell::new(0)));
    let mut builder = Sequential::builder(params.root());
    for _ in 0..3 {
        builder = match again {
            true => builder.with(|p| Checkpoint::new(Block::new(p, 4, &runs))),
            false => builder.with(|p| Block::new(p, 4, &runs)),
        };
    }
    let model = builder.then(Dropout::new(0.1)).build();
    (params, model, runs)
}

#[test]
fn values_gradients_random_numbers_and_buffers_are_the_same() {
    let x = random([5, 4], 1);
    let run = |again: bool, frozen: bool| {
        let (mut params, model, runs) = model(again);
        if frozen {
            params.freeze("1.*");
        }
        let mut all = Vec::new();
        for _ in 0..3 {
            let (value, grads) = params.value_and_grad(|cx| model.forward(cx, &x).square().mean()).unwrap();
            params.values_mut().iter_mut().zip(grads.iter()).for_each(|(w, g)| *w -= 0.1 * g);
            params.update_buffers(&grads);
            all.push(value);
            all.extend_from_slice(&grads);
        }
        all.extend(params.buffers().iter().flat_map(|(_, buffer)| buffer.to_vec()));
        all.push(params.infer(|cx| model.forward(cx, &x).sum().item()));
        let counts: Vec<i64> = params.counts().iter().map(|&(_, count)| count).collect();
        (all, counts, runs.get())
    };
    for frozen in [false, true] {
        let (direct, again) = (run(false, frozen), run(true, frozen));
        assert_eq!(direct.0, again.0);
        assert_eq!((direct.1, again.1), (vec![3; 3], vec![3; 3]));
        // Twice for each gradient, once where there is none.
        assert_eq!((direct.2, again.2), (12, 21));
    }
}

#[test]
fn second_derivatives_are_the_same() {
    let x = random([5, 4], 1);
    let product = |again: bool| {
        let (params, model, _) = model(again);
        let loss = |w: &Vec<Var<f64>>| model.forward(&params.context(Mode::Train, w), &x).square().mean();
        let (w, flat) =
            (params.vars(), |v: Vec<Var<f64>>| v.iter().flat_map(|v| v.value().to_vec()).collect());
        let along = grad(loss, &w);
        let by_reverse = |w: &Vec<Var<f64>>| {
            let slopes = grad(loss, w);
            slopes.iter().zip(&along).map(|(a, b)| (a * b).sum()).sum::<Var<f64>>()
        };
        let all: [Vec<f64>; 2] = [flat(hvp(loss, &w, &along)), flat(grad(by_reverse, &w))];
        all.concat()
    };
    for (a, b) in product(true).iter().zip(product(false)) {
        assert!((a - b).abs() <= 1e-13, "{a} {b}");
    }
}

#[test]
fn memory_is_that_of_the_inputs() {
    let peak = |again: bool| {
        let mut params: Params = Params::seeded(0);
        let deep = |p: Scope<'_>| {
            let mut builder = Sequential::builder(p).with(|p| Linear::new(p, 8, 8));
            for _ in 0..10 {
                builder = builder.then(Tanh).then(Sigmoid);
            }
            builder.build()
        };
        let mut builder = Sequential::builder(params.root());
        for _ in 0..10 {
            builder = match again {
                true => builder.with(|p| Checkpoint::new(deep(p))),
                false => builder.with(deep),
            };
        }
        let (model, x) = (builder.build(), Var::ones([1000, 8]));
        memory::reset_peak();
        let before = memory::stats().live_bytes;
        let _ = params.value_and_grad(|cx| model.forward(cx, &x).mean()).unwrap();
        memory::stats().peak_bytes - before
    };
    let (direct, again) = (peak(false), peak(true));
    assert!(again * 4 < direct, "{again} instead of {direct} bytes");
}

#[test]
fn several_inputs_and_what_observers_see() {
    struct Kinds(std::cell::RefCell<Vec<String>>);
    impl Observer<f64> for Kinds {
        fn layer(&self, layer: &LayerUse<'_, f64>) {
            self.0.borrow_mut().push(layer.kind.to_owned());
        }
    }
    let mut params: Params<f64> = Params::seeded(0);
    let layer = Rc::new(Linear::new(params.root(), 4, 4));
    let (x, y) = (random([2, 4], 1), random([2, 4], 2));
    let both = |cx: &Ctx<f64>, layer: &Linear, x: &[Var<f64>]| layer.forward(cx, &x[0]) * x[1].sin();
    let kinds = Rc::new(Kinds(Default::default()));
    let (_, direct) = params.value_and_grad(|cx| both(cx, &layer, &[x.clone(), y.clone()]).sum()).unwrap();
    let (_, again) = params
        .value_and_grad(|cx| {
            cx.observe(kinds.clone());
            let layer = Rc::clone(&layer);
            let z = cx.checkpoint(move |cx, x| both(cx, &layer, x), &[&x, &y]);
            z.sum()
        })
        .unwrap();
    assert_eq!(again[..], direct[..]);
    assert_eq!(*kinds.0.borrow(), ["Linear"]);
}

#[test]
#[should_panic(expected = "checkpoint: the function captures a tracked variable")]
fn tracked_variables_are_inputs() {
    let mut params: Params<f64> = Params::seeded(0);
    let w = params.root().param("w", [2], Init::Ones);
    let _ = params.value_and_grad(|cx| {
        let outside = cx.param(w) * 2.0;
        let x = outside.clone();
        cx.checkpoint(move |_, x| &x[0] * &outside, &[&x]).sum()
    });
}
