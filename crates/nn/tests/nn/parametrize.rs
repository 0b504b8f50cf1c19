//! Computed weights: names, starts, what observers see, and layers that are computed again.

use std::cell::RefCell;
use std::rc::Rc;

use wengert_nn::*;
use wengert_tape::Var;
use wengert_tensor::Tensor;

fn names(params: &Params<f64>) -> Vec<String> {
    let mut names: Vec<String> = params.iter().map(|(name, shape, _)| format!("{name} {shape}")).collect();
    names.extend(params.buffers().into_iter().map(|(name, value)| format!("{name} {}", value.shape())));
    names.sort();
    names
}

#[test]
fn names_are_those_of_pytorch() {
    let mut params: Params<f64> = Params::seeded(0);
    WeightNorm::of(params.at("a"), |p| Linear::new(p, 3, 2));
    WeightNorm::builder().whole().old_names().build(params.at("b"), |p| Conv2d::new(p, 3, 2, 1));
    SpectralNorm::builder().axis(1).build(params.at("c"), |p| Conv2d::builder(3, 2, 5).no_bias().build(p));
    WeightNorm::builder().name("bias").build(params.at("d"), |p| Linear::new(p, 3, 2));
    let expected = [
        "a.bias [2]",
        "a.parametrizations.weight.original0 [2, 1]",
        "a.parametrizations.weight.original1 [2, 3]",
        "b.bias [2]",
        "b.weight_g []",
        "b.weight_v [2, 3, 1, 1]",
        "c.parametrizations.weight.0._u [3]",
        "c.parametrizations.weight.0._v [50]",
        "c.parametrizations.weight.original [2, 3, 5, 5]",
        "d.parametrizations.bias.original0 [2]",
        "d.parametrizations.bias.original1 [2]",
        "d.weight [2, 3]",
    ];
    assert_eq!(names(&params), expected);
    assert!(params.get("a.weight").is_none());
    let (id, name) = (params.id("b.weight_v").unwrap(), "b.weight_v");
    assert_eq!(params.name(id), name);
}

#[test]
fn a_normalised_layer_starts_as_the_layer_itself() {
    let (mut params, mut plain): (Params<f64>, Params<f64>) = (Params::seeded(7), Params::seeded(7));
    let normalised = WeightNorm::of(params.at("a"), |p| Linear::new(p, 30, 20));
    let layer = Linear::new(plain.at("a"), 30, 20);
    let x = Var::ones([2, 30]);
    let [a, b] = [params.infer(|cx| normalised.forward(cx, &x)), plain.infer(|cx| layer.forward(cx, &x))];
    assert!(a.value().all_close(b.value(), 1e-14, 1e-14));
    // The power iteration has been started: near the singular value, and below it.
    let mut params: Params<f64> = Params::seeded(7);
    let spectral = SpectralNorm::of(params.at("a"), |p| Linear::new(p, 30, 20));
    let weight = params.infer(|cx| spectral.weight(cx)).into_value();
    let largest = weight.matmul(&weight.t());
    let mut v = Tensor::<f64>::ones([20]);
    for _ in 0..500 {
        v = largest.matmul(&v);
        v = &v / v.norm(2.0);
    }
    let sigma = largest.matmul(&v).norm(2.0).item().sqrt();
    assert!((1.0..1.3).contains(&sigma), "{sigma}");
}

/// Recurrent layers and what else there is: any layer, any input, any of its parameters.
#[test]
fn a_function_of_ones_own_in_a_layer_with_another_input() {
    let mut params: Params<f64> = Params::seeded(0);
    let double = |_: &Ctx<f64>, raw: &Var<f64>| raw * 2.0;
    let layer = Parametrized::new(params.root(), "weight", |p| Bilinear::new(p, 3, 2, 2), double);
    let pair = (Var::from([[1.0, 2.0, 3.0]]), Var::from([[0.5, -1.0]]));
    let (y, bias) = params.infer(|cx| (layer.forward(cx, &pair), cx.param(layer.layer().bias().unwrap())));
    let once = params.infer(|cx| layer.layer().forward(cx, &pair));
    assert!((y - &bias).value().all_close(((once - &bias) * 2.0).value(), 1e-14, 1e-14));
}

#[derive(Default)]
struct Seen(RefCell<Vec<String>>);

impl Observer<f64> for Seen {
    fn affine(&self, of: &AffineUse<'_, f64>) {
        self.0.borrow_mut().push(format!("affine {}", of.map.weight.index()));
    }
    fn layer(&self, of: &LayerUse<'_, f64>) {
        self.0.borrow_mut().push(format!("{} {}", of.kind, of.path));
    }
    fn param(&self, of: &ParamUse<'_, f64>) {
        self.0.borrow_mut().push(of.name.to_owned());
    }
}

#[test]
fn observers_see_what_is_trained_and_no_affine_map_of_what_is_not() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = WeightNorm::of(params.at("a"), |p| Linear::new(p, 3, 2));
    let plain = Linear::new(params.at("b"), 2, 2);
    let seen = Rc::new(Seen::default());
    params.infer(|cx| {
        cx.observe(seen.clone());
        plain.forward(cx, &layer.forward(cx, &Var::ones([1, 3])));
    });
    let expected = [
        "a.parametrizations.weight.original1",
        "a.parametrizations.weight.original0",
        "a.bias",
        "Linear a",
        "b.weight",
        "b.bias",
        "affine 3",
        "Linear b",
    ];
    assert_eq!(*seen.0.borrow(), expected);
}

/// A layer inside that is computed again has the computed weight, and so has the gradient; and the other way round.
#[test]
fn checkpoints_inside_and_outside() {
    let gradient = |inside: bool, outside: bool| {
        let mut params: Params<f64> = Params::seeded(0);
        let x = Var::from([[0.5, -1.0, 2.0]]);
        let map = |_: &Ctx<f64>, raw: &Var<f64>| raw.exp();
        let layer: Box<dyn Layer<f64>> = match (inside, outside) {
            (true, _) => {
                let inner = |p: Scope<'_, f64>| Checkpoint::new(Linear::new(p, 3, 2));
                Box::new(Parametrized::new(params.root(), "weight", inner, map))
            }
            (false, true) => {
                let linear = |p: Scope<'_, f64>| Linear::new(p, 3, 2);
                Box::new(Checkpoint::new(Parametrized::new(params.root(), "weight", linear, map)))
            }
            _ => Box::new(Parametrized::new(params.root(), "weight", |p| Linear::new(p, 3, 2), map)),
        };
        let (value, grads) = params.value_and_grad(|cx| layer.forward(cx, &x).tanh().square().sum()).unwrap();
        (value, grads.to_vec())
    };
    let direct = gradient(false, false);
    assert!(direct.1.iter().all(|g| *g != 0.0));
    assert_eq!(gradient(true, false), direct);
    assert_eq!(gradient(false, true), direct);
}

/// What several evaluations of a step make of the singular vectors is what one does, and they change once.
#[test]
fn singular_vectors_change_once_for_each_step() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = SpectralNorm::of(params.root(), |p| Linear::new(p, 5, 4));
    let loss = |cx: &Ctx<f64>| layer.forward(cx, &Var::ones([2, 5])).square().sum();
    let before = params.buffers();
    let (_, first) = params.value_and_grad(loss).unwrap();
    let (_, second) = params.value_and_grad(loss).unwrap();
    let mut other = params.clone();
    assert_eq!(params.buffers()[0].1, before[0].1);
    params.collect_updates(&first);
    params.update_buffers(&second);
    other.update_buffers(&first);
    assert_ne!(params.buffers()[0].1, before[0].1);
    assert!(params.buffers()[0].1.all_close(&other.buffers()[0].1, 1e-15, 1e-15));
    let norm = params.buffers()[0].1.norm(2.0).item();
    assert!((norm - 1.0).abs() < 1e-12);
}
