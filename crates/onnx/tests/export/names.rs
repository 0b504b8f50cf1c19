//! Parameters and buffers keep their names, in the file and when it is read again.

use wengert_nn::{
    BatchNorm1d, BatchNorm2d, Conv2d, Ctx, GroupNorm, InstanceNorm2d, Layer, LayerNorm, Linear, Params,
};
use wengert_onnx::{Export, Model, OnnxFile};
use wengert_tape::Var;
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

/// Every parameter and buffer stands in the file under its name, and what is read of it has those alone, with their numbers.
pub(crate) fn assert_kept<T: Float>(params: &Params<T>, model: &OnnxFile) {
    let held = |params: &Params<T>| {
        let mut all: Vec<(String, Vec<T>)> = params
            .iter()
            .map(|(name, ..)| (name.to_owned(), params.slice(params.id(name).unwrap()).to_vec()))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let mut buffers: Vec<(String, Vec<T>)> =
            params.buffers().into_iter().map(|(name, tensor)| (name, tensor.to_vec())).collect();
        buffers.sort_by(|a, b| a.0.cmp(&b.0));
        (all, buffers)
    };
    let mut read: Params<T> = Params::seeded(0);
    Model::from_bytes(read.root(), &model.to_bytes()).expect("a model");
    assert_eq!(held(&read), held(params));
}

struct Net {
    conv: Conv2d,
    norms: (BatchNorm2d, GroupNorm, InstanceNorm2d),
    plain: BatchNorm2d,
    fc: Linear,
    last: (LayerNorm, BatchNorm1d),
}

impl Net {
    fn new<T: Float>(params: &mut Params<T>) -> Self {
        Net {
            conv: Conv2d::builder(2, 4, 3).no_bias().build(params.at("stem.conv")),
            norms: (
                BatchNorm2d::builder(4).eps(1e-3).build(params.at("stem.norm")),
                GroupNorm::new(params.at("blocks.0.norm"), 2, 4),
                InstanceNorm2d::builder(4).affine().build(params.at("blocks.1.norm")),
            ),
            plain: BatchNorm2d::builder(4).no_affine().build(params.at("blocks.2.norm")),
            fc: Linear::new(params.at("head.fc"), 4 * 9, 5),
            last: (LayerNorm::new(params.at("head.norm"), 5), BatchNorm1d::new(params.at("head.out"), 5)),
        }
    }
}

impl<T: Float> Layer<T> for Net {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (batch, group, instance) = &self.norms;
        let h = batch.forward(cx, &self.conv.forward(cx, x)).relu();
        let h = self.plain.forward(cx, &instance.forward(cx, &group.forward(cx, &h)));
        let (layer, out) = &self.last;
        out.forward(cx, &layer.forward(cx, &self.fc.forward(cx, &h.flatten(1, -1))))
    }
}

/// After some steps, so that the statistics are others than at the start.
fn trained<T: Float>() -> (Params<T>, Net) {
    let mut params: Params<T> = Params::seeded(1);
    let net = Net::new(&mut params);
    let mut generator = Generator::seeded(2);
    for _ in 0..3 {
        let x = Var::constant(Tensor::normal([4, 2, 5, 5], 0.5, 2.0, &mut generator));
        let (_, grads) = params.value_and_grad(|cx| (net.forward(cx, &x) - 1.0).square().mean()).unwrap();
        params.values_mut().iter_mut().zip(grads.iter()).for_each(|(x, &g)| *x -= g * T::from_f64(0.1));
        params.update_buffers(&grads);
    }
    (params, net)
}

fn kept_in<T: Float>(opset: i64) {
    let (params, net) = trained::<T>();
    let export = Export::new().input("x", Tensor::ones([1, 2, 5, 5])).batch("n").opset(opset);
    let model = export.layer(&params, &net).unwrap();
    assert_kept(&params, &model);
    assert_eq!(model.operators().iter().filter(|name| **name == "BatchNormalization").count(), 3);
    let has = |name: &str| model.operators().contains(&name);
    assert_eq!(has("GroupNormalization"), opset >= 21 && size_of::<T>() == 4);

    // The same model with the same weights, of which one is trained further like the other.
    let mut again: Params<T> = Params::seeded(0);
    let read = Model::from_bytes(again.root(), &model.to_bytes()).unwrap();
    let x = Var::constant(Tensor::normal([3, 2, 5, 5], 0.5, 2.0, &mut Generator::seeded(3)));
    let mode = wengert_nn::Mode::Eval;
    let step = |params: &Params<T>, layer: &dyn Fn(&Ctx<T>) -> Var<T>| {
        let (loss, grads) = params.value_and_grad_in(mode, |cx| layer(cx).square().mean()).unwrap();
        let named = params.iter().map(|(name, ..)| (name.to_owned(), grads.get(name).unwrap().to_vec()));
        let mut named: Vec<(String, Vec<T>)> = named.collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        (loss.to_f64(), named)
    };
    let (loss, grads) = step(&params, &|cx| net.forward(cx, &x));
    let (loss_again, grads_again) = step(&again, &|cx| Layer::forward(&read, cx, &x));
    let tolerance = if size_of::<T>() == 4 { 1e-5 } else { 1e-12 };
    assert!((loss - loss_again).abs() <= tolerance * loss.abs(), "{loss} and {loss_again}");
    for ((name, a), (other, b)) in grads.iter().zip(&grads_again) {
        assert_eq!(name, other);
        for (a, b) in a.iter().zip(b) {
            let (a, b) = (a.to_f64(), b.to_f64());
            assert!((a - b).abs() <= tolerance * (1.0 + a.abs()), "{name}: {a} and {b}");
        }
    }

    // A file of weights of the one fits the other.
    let (mut moved, net) = trained::<T>();
    moved.values_mut().iter_mut().for_each(|x| *x *= T::from_f64(1.5));
    again.load_safetensors(&moved.to_safetensors().unwrap()).unwrap();
    let difference =
        |params: &Params<T>, y: Var<T>| (params.infer(|cx| net.forward(cx, &x)) - y).abs().max().item();
    let y = again.infer(|cx| Layer::forward(&read, cx, &x));
    assert!(difference(&moved, y).to_f64() < 100.0 * tolerance);
}

#[test]
fn normalisations_keep_the_names_of_what_they_have() {
    for opset in [17, 20, 21, 23] {
        kept_in::<f32>(opset);
        kept_in::<f64>(opset);
    }
}
