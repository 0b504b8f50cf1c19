//! Running statistics change once for each step, whatever evaluations a step takes.

use wengert::nn::BatchNorm1d;
use wengert::optim::first::{NonFinite, methods};
use wengert::optim::{Minimizer, Step, Stepper};
use wengert::prelude::*;

struct Net {
    first: Linear,
    norm: BatchNorm1d,
    last: Linear,
}

impl Net {
    fn new() -> (Params<f64>, Self) {
        let mut params = Params::seeded(0);
        let first = Linear::new(params.at("first"), 3, 4);
        let norm = BatchNorm1d::new(params.at("norm"), 4);
        let last = Linear::new(params.at("last"), 4, 2);
        (params, Net { first, norm, last })
    }

    fn loss(&self, cx: &Ctx<f64>, (x, labels): &(Var<f64>, Tensor<u32>)) -> Var<f64> {
        let y = self.norm.forward(cx, &self.first.forward(cx, x));
        self.last.forward(cx, &y.tanh()).cross_entropy(labels)
    }

    /// The means that a batch has before the normalisation, at these parameters.
    fn means(&self, params: &Params<f64>, batch: &(Var<f64>, Tensor<u32>)) -> Vec<f64> {
        params.infer(|cx| self.first.forward(cx, &batch.0).mean_axes(0, false)).value().to_vec()
    }
}

fn batch(seed: u64) -> (Var<f64>, Tensor<u32>) {
    let x = Tensor::normal([6, 3], 0.5, 1.0, &mut Generator::seeded(seed));
    (Var::from(x), Tensor::from_fn([6], |i| (i[0] % 2) as u32))
}

fn running(params: &Params<f64>) -> (Vec<f64>, i64) {
    (params.buffers()[0].1.to_vec(), params.counts()[0].1)
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(close && found.len() == expected.len(), "{what}: {found:?} instead of {expected:?}");
}

/// Every first-order method that there is: the statistics are those of the batch at the parameters, once.
#[test]
fn all_optimisers() {
    for method in methods::<f64>() {
        let ((mut params, net), name) = (Net::new(), method.name);
        let mut optimizer = method.build(method.learning_rate, &params.segments()).unwrap();
        let mut expected = vec![0.0; 4];
        for step in 1..=4 {
            let batch = batch(step);
            for (mean, new) in expected.iter_mut().zip(net.means(&params, &batch)) {
                *mean = 0.9 * *mean + 0.1 * new;
            }
            params.train_step(&mut *optimizer, |cx| net.loss(cx, &batch)).unwrap();
            let (mean, batches) = running(&params);
            assert_close(&mean, &expected, name);
            assert_eq!(batches, step as i64, "{name}");
        }
        params.evaluated(&*optimizer, |params| params.infer(|cx| net.loss(cx, &batch(9)).item()));
        assert_eq!(running(&params).1, 4, "{name}");
    }
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let (mut params, net) = Net::new();
    let forgotten = params.root().param("forgotten", [1], Init::Ones);
    for name in ["sgd", "sam"] {
        let mut optimizer = optimizer_by_name::<f64>(name, None, &params.segments()).unwrap();
        assert!(params.train_step(&mut *optimizer, |cx| net.loss(cx, &batch(1))).is_err());
        // Also if it is the second evaluation that does.
        let first = std::cell::Cell::new(true);
        let loss = |cx: &Ctx<f64>| {
            let loss = net.loss(cx, &batch(1));
            if first.replace(false) { loss + cx.param(forgotten).sum() } else { loss }
        };
        assert_eq!(params.train_step(&mut *optimizer, loss).is_err(), name == "sam");
        // That of SGD has no second, and succeeds.
        assert_eq!(running(&params).1, 1, "{name}");
    }
}

#[test]
fn accumulated_gradients_are_one_step() {
    let (mut params, net) = Net::new();
    let sgd = Sgd::new(0.1);
    let mut stepper = Stepper::new(sgd, &params.segments()).non_finite(NonFinite::Skip).accumulate(3);
    let mut expected = vec![0.0; 4];
    let mut seed = 0;
    for step in 1..=3 {
        let mut means = vec![0.0; 4];
        for part in 0..3 {
            seed += 1;
            let batch = batch(seed);
            let new = net.means(&params, &batch);
            means.iter_mut().zip(new).for_each(|(mean, new)| *mean += new / 3.0);
            let (_, mut grads) = params.value_and_grad(|cx| net.loss(cx, &batch)).unwrap();
            // A gradient that is skipped leaves its statistics behind too.
            let mut lost = grads.clone();
            lost[0] = f64::NAN;
            let skipped = params.accumulate(&mut stepper, &mut lost).unwrap();
            assert!(matches!(skipped, Step::Skipped { .. }));
            let done = params.accumulate(&mut stepper, &mut grads).unwrap();
            assert_eq!(matches!(done, Step::Updated { .. }), part == 2);
            assert_eq!(running(&params).1, step - i64::from(part < 2));
        }
        expected.iter_mut().zip(means).for_each(|(mean, new)| *mean = 0.9 * *mean + 0.1 * new);
        assert_close(&running(&params).0, &expected, "accumulated");
    }
}

/// Methods that evaluate an objective at points of their own choice, in line searches above all.
#[test]
fn objectives_change_nothing() {
    let (params, net) = Net::new();
    let before = running(&params);
    let batches: Vec<(Var<f64>, Tensor<u32>)> = (0..3).map(batch).collect();
    let objective = Ridge::new(params.objective_over(&batches, |cx, batch| net.loss(cx, batch)), 0.1);
    let methods: [Box<dyn Minimizer<f64>>; 2] =
        [Box::new(Lbfgs::default()), Box::new(TrustRegionNewton::default())];
    for method in methods {
        let outcome = method.run(&objective, params.values()).unwrap();
        assert!(outcome.iterations > 1);
    }
    assert_eq!(running(&params), before);
    assert_eq!(params.step(), 0);
}
