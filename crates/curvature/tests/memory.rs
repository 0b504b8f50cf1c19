//! How much memory a product with a curvature matrix takes, counted in bytes of tensors and against the gradient of
//! the same loss.

use wengert_curvature::{FlatLoss, Objectives};
use wengert_nn::{Conv2d, Ctx, Init, Layer, Linear, Losses, Params};
use wengert_optim::{Curvatures, Objective, Operator};
use wengert_tape::{Pool2dOptions, Var};
use wengert_tensor::{Tensor, memory};

/// The most bytes that `work` holds at a time, beyond those that were there before.
fn peak(work: impl FnOnce()) -> f64 {
    memory::reset_peak();
    let before = memory::stats().live_bytes;
    work();
    (memory::stats().peak_bytes - before) as f64
}

/// Peaks in gradients: of a single Hessian product, of an operator and its products, of a Gauss–Newton product.
fn in_gradients(loss: &FlatLoss<'_>, point: &[f32]) -> [f64; 3] {
    let v: Vec<f32> = (0..point.len()).map(|i| (i as f32 * 0.7).sin()).collect();
    let mut out = vec![0.0; point.len()];
    let gradient = peak(|| assert!(loss.value_and_gradient(point, &mut out) > 0.0));
    let once = peak(|| loss.hessian_operator(point).apply_once(&v, &mut out));
    let single = out.clone();
    let kept = peak(|| {
        let hessian = loss.hessian_operator(point);
        hessian.apply(&v, &mut out);
        hessian.apply(&v, &mut out);
    });
    assert_eq!(out, single);
    let gauss_newton = peak(|| loss.gauss_newton(point).expect("a model").apply(&v, &mut out));
    [once, kept, gauss_newton].map(|bytes| bytes / gradient)
}

/// No single product takes more than twice the memory of the gradient, and no operator that stays much more.
#[track_caller]
fn memory_is_bounded(params: &Params, model: impl Fn(&Ctx) -> Var, loss: impl Fn(&Var) -> Var) {
    let flat = params.model_objective(model, loss);
    let [once, kept, gauss_newton] = in_gradients(&flat, params.values());
    println!("one product {once:.2}, an operator {kept:.2}, Gauss–Newton {gauss_newton:.2} gradients");
    assert!(once > 1.0 && once <= 2.0, "one Hessian product takes {once} gradients");
    assert!(
        gauss_newton > 1.0 && gauss_newton <= 2.0,
        "a Gauss–Newton product takes {gauss_newton} gradients"
    );
    // What serves further products stays, with the tangents on top.
    assert!(kept >= once && kept <= 2.75, "an operator with its products takes {kept} gradients");
}

fn wave<const N: usize>(shape: [usize; N]) -> Var {
    Var::constant(Tensor::from_fn(shape, |i| i.iter().map(|&at| at as f32 * 1.3).sum::<f32>().sin()))
}

fn labels(count: usize) -> Tensor<u32> {
    Tensor::from_fn([count], |i| (i[0] % 10) as u32)
}

#[test]
fn of_a_perceptron() {
    let (x, labels) = (wave([64, 200]), labels(64));
    let mut params: Params = Params::seeded(0);
    let hidden = Linear::new(params.at("hidden"), 200, 64);
    let out = Linear::new(params.at("out"), 64, 10);
    let model = |cx: &Ctx| out.forward(cx, &hidden.forward(cx, &x).relu());
    memory_is_bounded(&params, model, |y| y.cross_entropy(&labels));
}

#[test]
fn of_a_convolutional_net() {
    let (x, labels) = (wave([8, 1, 20, 20]), labels(8));
    let mut params: Params = Params::seeded(0);
    let first = Conv2d::new(params.at("first"), 1, 8, [3, 3]);
    let second = Conv2d::new(params.at("second"), 8, 16, [3, 3]);
    let out = Linear::new(params.at("out"), 16 * 8 * 8, 10);
    let model = |cx: &Ctx| {
        let y = second.forward(cx, &first.forward(cx, &x).relu()).relu();
        out.forward(cx, &y.max_pool2d(Pool2dOptions::new([2, 2])).flatten(1, -1))
    };
    memory_is_bounded(&params, model, |y| y.cross_entropy(&labels));
}

#[test]
fn of_a_recurrent_net() {
    const STEPS: usize = 12;
    const WIDTH: usize = 32;
    let (x, labels) = (wave([STEPS, 16, 10]), labels(16));
    let mut params: Params = Params::seeded(0);
    let input = Linear::new(params.at("input"), 10, 3 * WIDTH);
    let state = Linear::new(params.at("state"), WIDTH, 3 * WIDTH);
    let out = Linear::new(params.at("out"), WIDTH, 10);
    let model = |cx: &Ctx| {
        let from_inputs = input.forward(cx, &x);
        let mut h = Var::zeros([16, WIDTH]);
        for t in 0..STEPS as isize {
            let (i, s) = (from_inputs.select(0, t).chunk(3, -1), state.forward(cx, &h).chunk(3, -1));
            let (r, z) = ((&i[0] + &s[0]).sigmoid(), (&i[1] + &s[1]).sigmoid());
            let n = (&i[2] + r * &s[2]).tanh();
            h = &n + z * (&h - &n);
        }
        out.forward(cx, &h)
    };
    memory_is_bounded(&params, model, |y| y.cross_entropy(&labels));
}

#[test]
fn of_attention() {
    const BATCH: usize = 4;
    const LENGTH: usize = 16;
    const HEADS: usize = 2;
    const WIDTH: usize = 32;
    let [x, target] = [wave([BATCH, LENGTH, WIDTH]), wave([BATCH, LENGTH, WIDTH]).square()];
    let mut params: Params = Params::seeded(0);
    let norms = ["norm1", "norm2"].map(|name| {
        let mut p = params.at(name);
        [p.param("weight", [WIDTH], Init::Ones), p.param("bias", [WIDTH], Init::Zeros)]
    });
    let queries_keys_values = Linear::new(params.at("qkv"), WIDTH, 3 * WIDTH);
    let out = Linear::new(params.at("out"), WIDTH, WIDTH);
    let expand = Linear::new(params.at("expand"), WIDTH, 4 * WIDTH);
    let contract = Linear::new(params.at("contract"), 4 * WIDTH, WIDTH);
    let model = |cx: &Ctx| {
        let norm = |i: usize, x: &Var| x.layer_norm(&cx.param(norms[i][0]), &cx.param(norms[i][1]), 1e-5);
        let heads = queries_keys_values.forward(cx, &norm(0, &x));
        let heads = heads.reshape([BATCH, LENGTH, 3, HEADS, WIDTH / HEADS]).permute([2, 0, 3, 1, 4]);
        let [q, k, v] = [0, 1, 2].map(|i| heads.select(0, i));
        let weights = (q.matmul(&k.t()) * 0.25).softmax(-1);
        let mixed = weights.matmul(&v).transpose(1, 2).reshape([BATCH, LENGTH, WIDTH]);
        let x = &x + out.forward(cx, &mixed);
        &x + contract.forward(cx, &expand.forward(cx, &norm(1, &x)).gelu())
    };
    memory_is_bounded(&params, model, |y| y.mse(&target));
}
