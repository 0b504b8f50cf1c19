//! Layers whose kernels and windows move over one, two and three axes: second derivatives, initial values, names, empty
//! batches.

use wengert_nn::*;
use wengert_tape::{Interpolation, PadMode, Resize, Var, grad, hvp};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

fn random(shape: &[usize], seed: u64) -> Var<f64> {
    Var::constant(Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed)))
}

/// Compares Hessian–vector products of the model's loss with central differences of its gradients.
fn products_are_differences(params: &Params<f64>, model: &dyn Layer<f64>, x: &Var<f64>) {
    let loss =
        |vars: &Vec<Var<f64>>| model.forward(&params.context(Mode::Train, vars), x).tanh().square().sum();
    let point = params.vars();
    let along: Vec<Var<f64>> = point.iter().enumerate().map(|(i, v)| random(v.shape(), i as u64)).collect();
    let product = hvp(loss, &point, &along);
    let step = 1e-5;
    let at = |sign: f64| {
        let moved: Vec<Var<f64>> = point.iter().zip(&along).map(|(x, v)| x + v * (sign * step)).collect();
        grad(loss, &moved)
    };
    for (product, (up, down)) in product.iter().zip(at(1.0).iter().zip(&at(-1.0))) {
        let difference = (up - down) * (0.5 / step);
        let error = (product - &difference).norm(2.0).item() / product.norm(2.0).item().max(1e-3);
        assert!(error < 1e-6, "{error}");
    }
}

#[test]
fn hessian_products_through_max_pooling_are_differences_of_gradients() {
    let mut params: Params<f64> = Params::seeded(1);
    let model = Sequential::builder(params.root())
        .with(|p| Conv1d::builder(2, 4, 3).same().build(p))
        .then(MaxPool1d::new(3).stride(2).padding(1).ceil_mode(true))
        .with(|p| ConvTranspose1d::builder(4, 2, 3).stride(2).build(p))
        .then(AdaptiveMaxPool1d::new(3))
        .build();
    products_are_differences(&params, &model, &random(&[3, 2, 9], 7));

    let mut params: Params<f64> = Params::seeded(2);
    let model = Sequential::builder(params.root())
        .with(|p| Conv2d::builder(1, 3, 3).padding(1).padding_mode(PadMode::Reflect).build(p))
        .then(Tanh)
        .then(MaxPool2d::new(2))
        .then(Upsample::new(Resize::Scale([2.0; 2]), Interpolation::Linear { align_corners: false }))
        .with(|p| Conv2d::new(p, 3, 2, 3))
        .then(AdaptiveMaxPool2d::new(2))
        .build();
    products_are_differences(&params, &model, &random(&[2, 1, 6, 7], 8));

    let mut params: Params<f64> = Params::seeded(3);
    let model = Sequential::builder(params.root())
        .with(|p| Conv3d::builder(1, 2, 2).padding(1).build(p))
        .then(Tanh)
        .then(MaxPool3d::new(2).padding(1))
        .with(|p| Conv3d::new(p, 2, 2, 2))
        .build();
    products_are_differences(&params, &model, &random(&[2, 1, 3, 4, 3], 9));
}

#[test]
fn parameters_have_pytorchs_names_shapes_and_bounds() {
    let mut params: Params<f64> = Params::seeded(0);
    Conv1d::builder(12, 20, 5).groups(2).build(params.at("conv1d"));
    Conv3d::new(params.at("conv3d"), 6, 10, [1, 2, 3]);
    ConvTranspose1d::builder(20, 12, 5).groups(2).build(params.at("up1d"));
    ConvTranspose2d::builder(8, 10, [3, 2]).no_bias().build(params.at("up2d"));
    ConvTranspose3d::new(params.at("up3d"), 8, 10, 2);
    // The number of inputs of a unit by which PyTorch bounds the values: of transposed convolutions, it takes the outputs.
    let expected: [(&str, &[usize], usize); 9] = [
        ("conv1d.weight", &[20, 6, 5], 30),
        ("conv1d.bias", &[20], 30),
        ("conv3d.weight", &[10, 6, 1, 2, 3], 36),
        ("conv3d.bias", &[10], 36),
        ("up1d.weight", &[20, 6, 5], 30),
        ("up1d.bias", &[12], 30),
        ("up2d.weight", &[8, 10, 3, 2], 60),
        ("up3d.weight", &[8, 10, 2, 2, 2], 80),
        ("up3d.bias", &[10], 80),
    ];
    assert_eq!(params.iter().count(), expected.len());
    for (name, shape, fan_in) in expected {
        let id = params.id(name).unwrap();
        assert_eq!(params.shape(id).to_vec(), shape, "{name}");
        let (values, bound) = (params.slice(id), 1.0 / (fan_in as f64).sqrt());
        let largest = values.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        assert!(largest <= bound && largest > 0.6 * bound, "{name}: {largest} of {bound}");
        if values.len() > 300 {
            let variance = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
            assert!((variance * 3.0 / (bound * bound) - 1.0).abs() < 0.15, "{name}: {variance}");
        }
    }
}

#[test]
fn batches_of_nothing_go_through_all_layers() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Sequential::builder(params.root())
        .with(|p| Conv2d::builder(2, 4, 3).same().padding_mode(PadMode::Circular).build(p))
        .then(MaxPool2d::new(3).stride(1).padding(1).ceil_mode(true))
        .then(LpPool2d::new(2.0, 2).stride(1))
        .then(ReflectionPad2d::new(1))
        .then(Upsample::new(Resize::Size([8, 8]), Interpolation::Cubic { align_corners: true }))
        .then(AdaptiveAvgPool2d::new(4))
        .then(PixelShuffle { factor: 2 })
        .then(Unfold::new([2, 2]))
        .then(Fold::new([8, 8], [2, 2]))
        .with(|p| ConvTranspose2d::new(p, 1, 2, 3))
        .then(AdaptiveMaxPool2d::keeping([Some(3), None]))
        .build();
    let x = Var::zeros([0, 2, 5, 5]);
    assert_eq!(params.infer(|cx| model.forward(cx, &x)).shape(), &[0, 2, 3, 10]);
    let (loss, grads) = params.value_and_grad(|cx| model.forward(cx, &x).sum()).unwrap();
    assert_eq!((loss, grads.iter().all(|&g| g == 0.0)), (0.0, true));
}

#[test]
fn fractional_windows_are_drawn_anew() {
    let params: Params<f64> = Params::seeded(0);
    let (x, layer) = (random(&[2, 3, 20, 17], 3), FractionalMaxPool2d::with_ratio(2, [0.6, 0.7]));
    let draw = || params.infer(|cx| layer.with_indices(cx, &x));
    let ((y, at), (other, _)) = (draw(), draw());
    assert_eq!(y.shape(), &[2, 3, 12, 11]);
    assert_ne!(y.value(), other.value());
    // What the indices say is what was given.
    assert_eq!(
        &x.reshape([2, 3, 340]).gather(2, at.reshape([2, 3, 132])).reshape([2, 3, 12, 11]).value(),
        &y.value()
    );
}
