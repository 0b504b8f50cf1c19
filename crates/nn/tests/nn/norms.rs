//! Normalisation layers where PyTorch's numbers do not reach: nothing to normalise, numbers far from 0, files, objectives.

use wengert_nn::*;
use wengert_tape::{Var, hvp};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

fn normal(shape: &[usize], mean: f64) -> Tensor<f64> {
    Tensor::normal(shape, mean, 1.0, &mut Generator::seeded(1))
}

/// Every layer for inputs `[batch, 4, 2, 3]`.
fn layers(params: &mut Params<f64>) -> Vec<Box<dyn Layer<f64>>> {
    vec![
        Box::new(LayerNorm::new(params.at("layer"), [2, 3])),
        Box::new(RmsNorm::new(params.at("rms"), 3)),
        Box::new(GroupNorm::new(params.at("group"), 2, 4)),
        Box::new(InstanceNorm2d::builder(4).affine().running_statistics().build(params.at("instance"))),
        Box::new(BatchNorm2d::new(params.at("batch"), 4)),
        Box::new(LocalResponseNorm::new(3)),
    ]
}

#[test]
fn batches_of_nothing() {
    let mut params: Params<f64> = Params::seeded(0);
    params.allow_unreached(true);
    let layers = layers(&mut params);
    let before = params.buffers();
    for (i, layer) in layers.iter().enumerate() {
        for shape in [[0, 4, 2, 3], [2, 4, 0, 3]] {
            // Axes of another length are refused where they are normalised.
            if i == 0 && shape[2] == 0 {
                continue;
            }
            for mode in [Mode::Train, Mode::Eval] {
                let y = params.infer_in(mode, |cx| layer.forward(cx, &Var::zeros(shape)));
                assert_eq!(y.shape(), &shape);
            }
            let x = Var::zeros(shape);
            let (value, grads) = params.value_and_grad(|cx| layer.forward(cx, &x).sum()).unwrap();
            params.update_buffers(&grads);
            assert!(value == 0.0 && grads.iter().all(|g| *g == 0.0));
        }
    }
    for ((name, old), (_, new)) in before.iter().zip(params.buffers()) {
        assert_eq!(*old, new, "{name}");
    }
    assert!(params.counts().iter().all(|(_, count)| *count == 0));
}

/// In single precision, of numbers of which it keeps a sixteenth: what is lost is lost before the layer.
#[test]
fn numbers_far_from_0_are_normalised_as_exactly_as_others() {
    let x = normal(&[16, 4, 8, 8], 1e6).cast::<f32>();
    let loss = |y: &Var<f64>| y.value().clone();
    for kind in 0..3 {
        let exact = {
            let mut params: Params<f64> = Params::seeded(0);
            let layer = far(kind, &mut params);
            params.infer_in(Mode::Train, |cx| loss(&layer.forward(cx, &Var::constant(x.cast::<f64>()))))
        };
        let mut params: Params<f32> = Params::seeded(0);
        let layer = far(kind, &mut params);
        let y = params.infer_in(Mode::Train, |cx| layer.forward(cx, &Var::constant(x.clone())));
        let error = (y.value().cast::<f64>() - exact).abs().max().item();
        assert!(error < 1e-5, "kind {kind}: {error}");
    }
    // The running statistics of one whole batch, used in evaluation, do the same within the rounding of the mean, a
    // thousandth, but for the variance, which is the unbiased one.
    let mut params: Params<f32> = Params::seeded(0);
    let layer = BatchNorm2d::builder(4).momentum(1.0).build(params.root());
    let x = Var::constant(normal(&[16, 4, 8, 8], 1e4).cast::<f32>());
    let (_, grads) = params.value_and_grad(|cx| layer.forward(cx, &x).square().sum()).unwrap();
    params.update_buffers(&grads);
    let trained = params.infer_in(Mode::Train, |cx| layer.forward(cx, &x));
    let evaluated = params.infer(|cx| layer.forward(cx, &x));
    let unbiased = (1024.0f64 / 1023.0).sqrt();
    let error = (trained - evaluated * unbiased).abs().max().item();
    assert!(error < 6e-4, "{error}");
}

fn far<T: wengert_tensor::Float>(kind: usize, params: &mut Params<T>) -> Box<dyn Layer<T>> {
    match kind {
        0 => Box::new(LayerNorm::new(params.root(), [4, 8, 8])),
        1 => Box::new(GroupNorm::new(params.root(), 2, 4)),
        _ => Box::new(BatchNorm2d::new(params.root(), 4)),
    }
}

#[test]
fn statistics_go_through_files_under_pytorchs_names() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = BatchNorm2d::new(params.at("bn"), 4);
    let x = Var::constant(normal(&[3, 4, 2, 2], 2.0));
    for _ in 0..3 {
        let (_, grads) = params.value_and_grad(|cx| layer.forward(cx, &x).square().sum()).unwrap();
        params.update_buffers(&grads);
    }
    let mut names: Vec<String> = params.iter().map(|(name, ..)| name.to_owned()).collect();
    names.extend(params.buffers().into_iter().map(|(name, _)| name));
    names.extend(params.counts().into_iter().map(|(name, _)| name));
    let expected = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    assert_eq!(names, expected.map(|name| format!("bn.{name}")));
    let mut other: Params<f64> = Params::seeded(5);
    let copy = BatchNorm2d::new(other.at("bn"), 4);
    other.load_safetensors(&params.to_safetensors().unwrap()).unwrap();
    let y = |params: &Params<f64>, layer: &BatchNorm2d| params.infer(|cx| layer.forward(cx, &x)).into_value();
    assert_eq!(y(&params, &layer), y(&other, &copy));
    assert_eq!(other.counts()[0].1, 3);
}

/// A pure function of the parameters, whatever has been evaluated before: what line searches and Newton methods need.
#[test]
fn evaluations_and_products_leave_no_trace() {
    let mut params: Params<f64> = Params::seeded(0);
    let layers = layers(&mut params);
    let x = Var::constant(normal(&[3, 4, 2, 3], 0.5));
    let loss = |w: &Vec<Var<f64>>| {
        let cx = params.context(Mode::Train, w);
        layers.iter().fold(x.clone(), |x, layer| layer.forward(&cx, &x).tanh()).square().sum()
    };
    let (before, vars) = (params.buffers(), params.vars());
    let v: Vec<Var<f64>> = vars.iter().map(|v| Var::ones(v.shape())).collect();
    let first: Vec<Tensor<f64>> = hvp(loss, &vars, &v).into_iter().map(Var::into_value).collect();
    let again: Vec<Tensor<f64>> = hvp(loss, &vars, &v).into_iter().map(Var::into_value).collect();
    assert_eq!(first, again);
    assert!(before.iter().zip(params.buffers()).all(|(a, b)| *a == b));
}
