//! Layers and losses: derivatives, dropout, buffers, tied weights, extremes.

use wengert_nn::*;
use wengert_tape::{Var, check_grads};
use wengert_tensor::random::Generator;
use wengert_tensor::{Shape, Tensor};

fn random(shape: impl Into<Shape>, seed: u64) -> Var<f64> {
    let mut generator = Generator::seeded(seed);
    Var::from(Tensor::from_fn(shape, |_| generator.normal()))
}

/// Checks the derivatives by the input and by the parameters, both to second order.
fn check_layer(params: &Params<f64>, layer: &dyn Layer<f64>, x: &Var<f64>) {
    params.infer(|cx| check_grads(|v| layer.forward(cx, &v[0]).tanh(), std::slice::from_ref(x), 2)).unwrap();
}

#[test]
fn layers_have_right_derivatives_by_their_input() {
    let mut params: Params<f64> = Params::seeded(0);
    let image = random([2, 2, 5, 6], 3);
    let conv = Conv2d::builder(2, 4, [3, 2]).padding(1).stride([2, 1]).groups(2).build(params.at("conv"));
    check_layer(&params, &conv, &image);
    check_layer(&params, &MaxPool2d::new(2), &image);
    check_layer(&params, &AvgPool2d::new(3).stride(2).padding(1).count_padding(false), &image);
    check_layer(&params, &Flatten::default(), &image);
    let nested = Sequential::builder(params.at("net"))
        .with(|p| Sequential::builder(p).with(|p| Linear::new(p, 3, 4)).then(Gelu).build())
        .with(|p| Linear::builder(4, 2).no_bias().build(p))
        .build();
    check_layer(&params, &nested, &random([2, 3], 4));
    assert!(params.id("net.0.0.weight").is_some() && params.id("net.1.bias").is_none());
}

#[test]
fn losses_have_right_derivatives() {
    let (x, t) = (random([3, 4], 1), random([3, 4], 2));
    let p = t.sigmoid();
    let labels = Tensor::from([1u32, 0, 3]);
    let smooth = CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::default() };
    check_grads(|v| smooth.loss(&v[0], &labels), std::slice::from_ref(&x), 2).unwrap();
    check_grads(|v| smooth.loss(&v[0].t(), &labels), &[random([4, 3], 1)], 2).unwrap();
    check_grads(|v| smooth.loss(&v[0], &v[1].softmax(1)), &[x.clone(), t.clone()], 2).unwrap();
    check_grads(|v| v[0].mse(&v[1]), &[x.clone(), t.clone()], 2).unwrap();
    check_grads(|v| v[0].l1(&v[1]), &[x.clone(), t.clone()], 2).unwrap();
    check_grads(|v| v[0].huber(&v[1]), &[x.clone(), t.clone()], 2).unwrap();
    check_grads(|v| v[0].smooth_l1(&v[1]), &[x.clone(), t.clone()], 2).unwrap();
    check_grads(|v| v[0].sigmoid().bce(&v[1]), &[x.clone(), p.clone()], 2).unwrap();
    check_grads(|v| v[0].bce_with_logits(&v[1]), &[x, p], 2).unwrap();
}

#[test]
fn losses_of_extreme_logits_are_finite_and_exact() {
    let logits = Var::from([[1e4f32, -1e4], [-1e4, 1e4]]);
    assert_eq!(logits.cross_entropy(&Tensor::from([0u32, 0])).item(), 1e4);
    let x = Var::from([20f32, -20.0]);
    let loss = x.bce_with_logits(&Var::from([1f32, 0.0])).item();
    assert!((loss / (-20f32).exp() - 1.0).abs() < 1e-5, "{loss}");
}

#[test]
fn an_empty_batch_has_no_mean() {
    let loss = Var::<f32>::zeros([0, 3]).cross_entropy(&Tensor::zeros([0]));
    assert!(loss.item().is_nan());
    assert!(accuracy(&Var::<f32>::zeros([0, 3]), &Tensor::zeros([0])).is_nan());
}

#[test]
fn dropout_drops_the_right_share_and_keeps_the_mean() {
    let mut params: Params = Params::seeded(0);
    let scale = params.root().param("scale", [], Init::Ones);
    let x = Var::<f32>::ones([100_000]);
    let draw = |params: &Params| {
        let mut seen = Tensor::zeros([0]);
        let loss = |cx: &Ctx| {
            let y = Dropout::new(0.3).forward(cx, &(&x * cx.param(scale)));
            seen = y.value().clone();
            y.mean()
        };
        params.value_and_grad(loss).unwrap();
        seen.to_vec()
    };
    let first = draw(&params);
    let dropped = first.iter().filter(|&&y| y == 0.0).count() as f64 / first.len() as f64;
    assert!((dropped - 0.3).abs() < 0.01, "{dropped}");
    assert!(first.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.7).abs() < 1e-6));
    assert_ne!(draw(&params), first);
    params.set_step(0);
    assert_eq!(draw(&params), first);
    // Two layers in one pass draw different masks.
    params.allow_unreached(true);
    let (value, _) = params
        .value_and_grad(|cx| {
            let [a, b] = [(); 2].map(|()| Dropout::new(0.5).forward(cx, &x));
            (a - b).abs().mean()
        })
        .unwrap();
    assert!(value > 0.5);
    assert_eq!(params.value_and_grad(|cx| Dropout::new(1.0).forward(cx, &x).sum()).unwrap().0, 0.0);
}

#[test]
fn a_tied_weight_collects_both_gradients() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = Linear::builder(3, 3).no_bias().build(params.root());
    let x = random([2, 3], 1);
    let (_, grads) =
        params.value_and_grad(|cx| layer.forward(cx, &layer.forward(cx, &x)).square().sum()).unwrap();
    let w = Var::from(params.tensor(layer.weight()));
    let expected = wengert_tape::grad(|w: &Var<f64>| x.matmul(&w.t()).matmul(&w.t()).square().sum(), &w);
    assert!(grads.tensor(layer.weight()).all_close(expected.value(), 1e-12, 1e-12));
}

#[test]
fn initial_values_depend_on_seed_and_name_alone() {
    let build = |seed: u64, names: &[&str]| {
        let mut params: Params = Params::seeded(seed);
        for name in names {
            Linear::new(params.at(name), 3, 2);
        }
        params
    };
    let (one, two, other) = (build(0, &["a"]), build(0, &["b", "a"]), build(1, &["a"]));
    assert_eq!(one.get("a.weight"), two.get("a.weight"));
    assert_ne!(two.get("a.weight"), two.get("b.weight"));
    assert_ne!(one.get("a.weight"), other.get("a.weight"));
}

#[test]
fn many_tensors_of_all_sizes_keep_their_places() {
    let mut params: Params = Params::seeded(0);
    let mut ids = Vec::new();
    for i in 0..50usize {
        ids.push(params.at(format!("{i}")).param("w", [i % 7, 3], Init::Constant(i as f64)));
    }
    for (i, &id) in ids.iter().enumerate() {
        assert_eq!(params.slice(id), vec![i as f32; i % 7 * 3]);
    }
    params.slice_mut(ids[8])[0] = -1.0;
    assert_eq!(params.slice(ids[8]), [-1.0, 8.0, 8.0]);
    assert_eq!(params.tensor(ids[9]).shape(), &[2, 3]);
    assert_eq!(params.iter().map(|(_, _, v)| v.len()).sum::<usize>(), params.len());
}

#[test]
fn a_summary_lists_what_a_model_passes_through() {
    struct Model {
        layer: Linear,
        factor: ParamId,
    }
    impl Layer for Model {
        fn forward(&self, cx: &Ctx, x: &Var) -> Var {
            let once = self.layer.forward(cx, x);
            self.layer.forward(cx, &Relu.forward(cx, &once)) * cx.param(self.factor)
        }
    }
    let mut params: Params = Params::seeded(0);
    let mut p = params.at("model");
    let model =
        Model { layer: Linear::new(p.at("layer"), 40, 40), factor: p.param("factor", [], Init::Ones) };
    let summary = params.summary(&model, [2, 40]);
    assert_eq!(summary.parameters, 1641);
    // What is kept: of relu the mask of its own value, of the second application its input, and the product's operand.
    let product = 2 * 2 * 40 * 40 + 80;
    assert_eq!(summary.flops, 2 * product + 80 + 80);
    let table = summary.to_string();
    let expected = "\
layer                 output shape  parameters   FLOPs  kept bytes
model.layer   Linear       [2, 40]       1,640   6,480           0
              Relu         [2, 40]                  80         320
model.layer   Linear       [2, 40]               6,480           0
model.factor                    []           1
elsewhere                                           80         320
total                                    1,641  13,120         640
";
    assert!(table.starts_with(expected), "{table}");
}

#[test]
fn a_summary_counts_both_passes_and_their_memory() {
    let mut params: Params = Params::seeded(0);
    let model = Sequential::builder(params.at("net"))
        .with(|p| Linear::new(p, 50, 40))
        .then(Relu)
        .with(|p| Linear::new(p, 40, 30))
        .build();
    let summary = params.summary(&model, [8, 50]);
    let (first, second) = (2 * 8 * 50 * 40, 2 * 8 * 40 * 30);
    assert_eq!(summary.flops, first + 8 * 40 + second + 8 * 40 + 8 * 30);
    // The input's gradient is nobody's: one product for the first layer, two for the second; relu's slope, and sums of the
    // rows for the biases.
    assert!(summary.backward_flops >= first + 2 * second);
    assert!(summary.backward_flops < first + 2 * second + 8 * 200);
    let gradients = 4 * params.len();
    assert!(summary.peak_bytes >= gradients + summary.kept_bytes.min(4 * 8 * 30));
    assert!(summary.peak_bytes < 3 * gradients);
    // What is frozen has no gradient.
    params.freeze("net.2.*");
    assert!(params.summary(&model, [8, 50]).backward_flops <= summary.backward_flops - second);
}

#[test]
fn layers_are_spans_of_a_profile() {
    let mut params: Params = Params::seeded(0);
    let model = Sequential::builder(params.at("net"))
        .with(|p| Linear::new(p, 5, 4))
        .then(Relu)
        .with(|p| wengert_nn::Gru::new(p, 4, 3))
        .build();
    let x = Var::ones([2, 6, 5]);
    let (plain, (watched, profile)) = (
        params.infer(|cx| model.forward(cx, &x)),
        wengert_tape::profile(|| params.infer(|cx| model.forward(cx, &x))),
    );
    assert_eq!(plain.value(), watched.value());
    let spans = profile.spans();
    let row =
        |name: &str| spans.rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("{spans}"));
    assert_eq!(row("net.0 Linear").flops, 2 * 12 * 5 * 4 + 12 * 4);
    assert_eq!(row("Relu").flops, 12 * 4);
    assert!(row("net.2 Gru").flops > 12 * 2 * 3 * 3 * (4 + 3));
}
