//! Layers made of layers, and the bilinear layer.

use wengert_nn::*;
use wengert_tape::{Var, check_grads};
use wengert_tensor::Tensor;

fn x() -> Var<f64> {
    Var::from([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
}

#[test]
fn residuals() {
    let mut params: Params<f64> = Params::seeded(0);
    let plain = Residual::new(Tanh);
    let projected = Residual::new(Linear::new(params.at("branch"), 3, 2))
        .shortcut(Linear::builder(3, 2).no_bias().build(params.at("shortcut")));
    let x = x();
    params.infer(|cx| {
        assert_eq!(plain.forward(cx, &x).value(), (&x + x.tanh()).value());
        let by_hand = x.matmul(&cx.param(params.id("shortcut.weight").unwrap()).t())
            + x.matmul(&cx.param(params.id("branch.weight").unwrap()).t())
            + cx.param(params.id("branch.bias").unwrap());
        assert!(projected.forward(cx, &x).value().all_close(by_hand.value(), 1e-14, 1e-14));
    });
    let of_params = |w: &[Var<f64>]| projected.forward(&params.context(Mode::Train, w), &x);
    check_grads(of_params, &params.vars(), 2).unwrap();
}

#[test]
fn branches_side_by_side() {
    let mut params: Params<f64> = Params::seeded(0);
    let p = params.at("net");
    let sum = Parallel::builder(p).with(|p| Linear::new(p, 3, 3)).then(Identity).then(Tanh).sum();
    let names: Vec<&str> = params.iter().map(|(name, ..)| name).collect();
    assert_eq!((names, sum.len(), sum.is_empty()), (vec!["net.0.weight", "net.0.bias"], 3, false));
    let cat = Parallel::builder(params.at("cat")).then(Relu).with(|p| Linear::new(p, 3, 1)).cat(-1);
    assert!(params.id("cat.1.weight").is_some());
    let own = Parallel::new(vec![Box::new(Tanh), Box::new(Sigmoid)], |y| &y[0] * &y[1]);
    let x = x();
    params.infer(|cx| {
        let linear = x.matmul(&cx.leaf(0).t()) + cx.leaf(1);
        assert!(sum.forward(cx, &x).value().all_close((linear + &x + x.tanh()).value(), 1e-14, 1e-14));
        let y = cat.forward(cx, &x);
        assert_eq!((y.shape(), y.slice_axis(1, ..3).value()), (&[2, 4].into(), x.relu().value()));
        assert_eq!(own.forward(cx, &x).value(), (x.tanh() * x.sigmoid()).value());
    });
    let of_x = |v: &[Var<f64>]| sum.forward(&params.context(Mode::Train, &params.vars()), &v[0]);
    check_grads(of_x, std::slice::from_ref(&x), 2).unwrap();
}

#[test]
fn bilinear_forms() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = Bilinear::new(params.root(), 3, 2, 4);
    let shapes: Vec<String> = params.iter().map(|(name, shape, _)| format!("{name} {shape}")).collect();
    assert_eq!(shapes, ["weight [4, 3, 2]", "bias [4]"]);
    let (a, b) = (x(), Var::from([[1.0, -2.0], [0.5, 3.0]]));
    let y = params.infer(|cx| layer.forward(cx, &(a.clone(), b.clone())));
    let (weight, bias) = (params.tensor(layer.weight()), params.tensor(layer.bias().unwrap()));
    let by_hand = Tensor::from_fn([2, 4], |i| {
        let of =
            |j: usize, k: usize| a.value().at([i[0], j]) * weight.at([i[1], j, k]) * b.value().at([i[0], k]);
        (0..3).flat_map(|j| (0..2).map(move |k| (j, k))).map(|(j, k)| of(j, k)).sum::<f64>() + bias.at([i[1]])
    });
    assert!(y.value().all_close(&by_hand, 1e-14, 1e-14));
    let all = [vec![a.clone(), b.clone()], params.vars()].concat();
    let f = |v: &[Var<f64>]| {
        layer.forward(&params.context(Mode::Train, &v[2..]), &(v[0].clone(), v[1].clone())).tanh()
    };
    check_grads(f, &all, 2).unwrap();
    // Any axes before the features, and none.
    for shape in [&[][..], &[0], &[2, 1, 3]] {
        let of = |n: usize| Var::ones([shape, &[n]].concat());
        let y = params.infer(|cx| layer.forward(cx, &(of(3), of(2))));
        assert_eq!(y.shape()[..], [shape, &[4]].concat());
    }
    // Uniform in ±1/√in1, whatever in2.
    let mut params: Params<f64> = Params::seeded(1);
    Bilinear::new(params.root(), 25, 40, 30);
    let (largest, n) = (params.values().iter().fold(0.0, |m: f64, w| m.max(w.abs())), params.len() as f64);
    let variance = params.values().iter().map(|w| w * w).sum::<f64>() / n;
    assert!(largest < 0.2 && largest > 0.199 && (variance * 75.0 - 1.0).abs() < 0.02, "{largest} {variance}");
}
