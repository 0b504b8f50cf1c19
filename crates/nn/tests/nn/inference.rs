//! Evaluation without gradients: its random numbers, its modes, and parameters given by the caller.

use wengert_nn::*;
use wengert_tape::{Var, grad};

/// Numbers drawn by one inference.
fn drawn(params: &Params) -> [f64; 2] {
    params.infer(|cx| [cx.generator().normal(), cx.generator().normal()])
}

fn model(seed: u64) -> (Params, Linear) {
    let mut params = Params::seeded(seed);
    let model = Linear::new(params.root(), 4, 1);
    (params, model)
}

#[test]
fn each_inference_draws_other_numbers_and_a_repeated_run_the_same() {
    let run = |seed: u64| {
        let (params, model) = model(seed);
        let mut all = Vec::new();
        for _ in 0..3 {
            all.extend((0..4).flat_map(|_| drawn(&params)));
            params.value_and_grad(|cx| model.forward(cx, &Var::ones([1, 4])).sum()).unwrap();
        }
        all
    };
    let (all, again, other) = (run(0), run(0), run(1));
    assert_eq!(all, again);
    for (i, x) in all.iter().enumerate() {
        assert!(!all[i + 1..].contains(x) && !other.contains(x), "draw {i} comes twice");
    }
}

#[test]
fn a_resumed_run_draws_what_the_first_would_have() {
    let (mut params, model) = model(0);
    let step = |params: &Params| {
        drop(params.value_and_grad(|cx| model.forward(cx, &Var::ones([1, 4])).sum()).unwrap());
    };
    (0..2).for_each(|_| step(&params));
    let first = [drawn(&params), drawn(&params)];
    let (mut resumed, _) = self::model(0);
    drawn(&resumed);
    resumed.set_step(2);
    assert_eq!([drawn(&resumed), drawn(&resumed)], first);
    let clone = params.clone();
    assert_eq!(drawn(&clone), drawn(&params));
    params.set_step(2);
    assert_eq!(drawn(&params), first[0]);
}

#[test]
fn inferences_between_the_steps_do_not_change_the_training() {
    let train = |inferences: usize| {
        let (mut params, model) = model(3);
        let (dropout, x) = (Dropout::new(0.5), Var::ones([8, 4]));
        for _ in 0..5 {
            let loss = |cx: &Ctx| dropout.forward(cx, &model.forward(cx, &x)).square().mean();
            (0..inferences).for_each(|_| {
                drawn(&params);
                params.infer_in(Mode::Train, loss);
                params.context(Mode::Train, &params.vars());
            });
            let (_, gradient) = params.value_and_grad(loss).unwrap();
            params.values_mut().iter_mut().zip(gradient.iter()).for_each(|(p, g)| *p -= 0.1 * g);
        }
        params.values().to_vec()
    };
    assert_eq!(train(0), train(3));
}

/// The masks of an inference are none that a step of the training has.
#[test]
fn inference_in_train_mode() {
    let params: Params = Params::seeded(0);
    let (dropout, x) = (Dropout::new(0.5), Var::ones([64]));
    let mask = || params.infer_in(Mode::Train, |cx| dropout.forward(cx, &x)).into_value().to_vec();
    let masks: Vec<Vec<f32>> = (0..3).map(|_| mask()).collect();
    let mut trained = Vec::new();
    let _ = params.value_and_grad(|cx| {
        trained = dropout.forward(cx, &x).into_value().to_vec();
        Var::scalar(0.0)
    });
    for (i, mask) in masks.iter().enumerate() {
        assert!(mask.iter().all(|&m| m == 0.0 || m == 2.0) && mask.contains(&0.0) && mask.contains(&2.0));
        assert!(!masks[i + 1..].contains(mask) && *mask != trained);
    }
    assert!(params.infer_in(Mode::Train, |cx| cx.is_training()) && !params.infer(Ctx::is_training));
    assert_eq!(params.infer(|cx| dropout.forward(cx, &x)).value(), x.value());
    // What it does to running statistics is forgotten.
    let mut params: Params = Params::seeded(0);
    let mean = params.root().buffer("mean", wengert_tensor::Tensor::zeros([1]));
    params.infer_in(Mode::Train, |cx| cx.set_buffer(mean, wengert_tensor::Tensor::ones([1])));
    assert_eq!(params.buffers()[0].1.item(), 0.0);
}

/// The model as a function of variables has the derivatives that it has as a function of its parameters.
#[test]
fn given_parameters() {
    let mut params: Params<f64> = Params::seeded(0);
    let net = Sequential::builder(params.at("net"))
        .with(|p| Linear::new(p, 3, 5))
        .then(Lambda::new(|_, x| x.tanh()))
        .then(Dropout::new(0.25))
        .with(|p| Linear::new(p, 5, 2))
        .build();
    let x = Var::from([[0.1, -0.4, 0.9], [1.0, 0.3, -0.2]]);
    let loss = |cx: &Ctx<f64>| net.forward(cx, &x).square().mean();
    let of_vars = |vars: &Vec<Var<f64>>| loss(&params.context(Mode::Train, vars));
    let flat = |vars: Vec<Var<f64>>| vars.iter().flat_map(|v| v.value().to_vec()).collect::<Vec<f64>>();

    let vars = params.vars();
    assert_eq!(flat(vars.clone()), params.values());
    let (value, slopes) = (of_vars(&vars).item(), flat(grad(of_vars, &vars)));
    // One parameter alone, the others as they are.
    let of_bias = |bias: &Var<f64>| {
        let mut vars = params.vars();
        vars[3] = bias.clone();
        of_vars(&vars)
    };
    assert_eq!(grad(of_bias, &vars[3]).value().to_vec(), slopes[slopes.len() - 2..]);
    // The step that comes has the same dropout.
    let (of_step, gradient) = params.value_and_grad(loss).unwrap();
    assert_eq!((of_step, &gradient[..]), (value, &slopes[..]));
}
