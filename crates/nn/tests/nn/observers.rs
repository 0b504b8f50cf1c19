//! Watching forward passes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use wengert_nn::{
    AffineUse, Ctx, Lambda, Layer, LayerUse, Linear, Observer, ParamUse, Params, Relu, Sequential,
};
use wengert_tape::Var;
use wengert_tensor::Tensor;

/// The mean of each layer's output, and how much of it is zero.
#[derive(Default)]
struct Statistics(RefCell<Vec<(String, f64, f64)>>);

impl Observer<f64> for Statistics {
    fn layer(&self, layer: &LayerUse<'_, f64>) {
        let y = layer.output.value();
        let zeros = y.iter().filter(|&y| y == 0.0).count() as f64 / y.len() as f64;
        self.0.borrow_mut().push((format!("{} {}", layer.path, layer.kind), y.mean().item(), zeros));
    }
}

/// The first layer that made a NaN, and the parameters that had one.
#[derive(Default)]
struct Faults {
    layer: RefCell<Option<String>>,
    params: RefCell<Vec<String>>,
}

fn has_nan(x: &Var<f64>) -> bool {
    x.value().iter().any(f64::is_nan)
}

impl Observer<f64> for Faults {
    fn param(&self, param: &ParamUse<'_, f64>) {
        if has_nan(param.value) {
            self.params.borrow_mut().push(param.name.to_owned());
        }
    }
    fn layer(&self, layer: &LayerUse<'_, f64>) {
        if has_nan(layer.output) {
            self.layer.borrow_mut().get_or_insert_with(|| format!("{} {}", layer.path, layer.kind));
        }
    }
}

fn net(params: &mut Params<f64>) -> Sequential<f64> {
    Sequential::builder(params.at("net"))
        .with(|p| Linear::new(p, 2, 2))
        .then(Relu)
        .then(Lambda::new(|_, x: &Var<f64>| x.ln()))
        .with(|p| Linear::new(p, 2, 1))
        .build()
}

#[test]
fn statistics_of_activations_from_a_training_step() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = net(&mut params);
    params.set_values(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.5]);
    let statistics = Rc::new(Statistics::default());
    let x = Var::from([[1.0, 1.0], [1.0, 1.0]]);
    let loss = |cx: &Ctx<f64>| {
        cx.observe(statistics.clone());
        model.forward(cx, &x).sum()
    };
    let (value, gradient) = params.value_and_grad(loss).unwrap();
    let expected =
        [("net.0 Linear", 1.0, 0.0), (" Relu", 1.0, 0.0), (" Lambda", 0.0, 1.0), ("net.3 Linear", 0.5, 0.0)];
    assert_eq!(statistics.0.take(), expected.map(|(name, mean, zeros)| (name.to_owned(), mean, zeros)));
    // Who watches changes nothing, and is gone with the context.
    let (other, unseen) = params.value_and_grad(|cx| model.forward(cx, &x).sum()).unwrap();
    assert_eq!((value, &gradient[..]), (other, &unseen[..]));
    assert!(statistics.0.take().is_empty() && Rc::strong_count(&statistics) == 1);
}

#[test]
fn the_first_layer_with_a_nan_is_found_beside_other_observers() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Sequential::new(vec![
        Box::new(Linear::new(params.at("first"), 2, 2)),
        Box::new(Lambda::new(|_, x: &Var<f64>| x.ln())),
        Box::new(Linear::new(params.at("last"), 2, 1)),
    ]);
    let (faults, statistics) = (Rc::new(Faults::default()), Rc::new(Statistics::default()));
    let run = |params: &Params<f64>| {
        params.infer(|cx| {
            cx.observe(faults.clone());
            cx.observe(statistics.clone());
            model.forward(cx, &Var::ones([1, 2]))
        });
        (faults.layer.take(), faults.params.take(), statistics.0.take().len())
    };
    params.values_mut().fill(1.0);
    assert_eq!(run(&params), (None, vec![], 3));
    params.values_mut().fill(-1.0);
    assert_eq!(run(&params), (Some(" Lambda".to_owned()), vec![], 3));
    params.values_mut().fill(1.0);
    let bias = params.id("first.bias").unwrap();
    params.slice_mut(bias)[1] = f64::NAN;
    assert_eq!(run(&params), (Some("first Linear".to_owned()), vec!["first.bias".to_owned()], 3));
}

/// What each weight is applied to.
#[derive(Default)]
struct Inputs(RefCell<BTreeMap<usize, Seen>>);

/// ‖x‖² and, for a convolution, the shape of its output.
type Seen = (f64, Option<[usize; 4]>);

impl Observer<f64> for Inputs {
    fn affine(&self, affine: &AffineUse<'_, f64>) {
        let norm = affine.input.value().square().sum().item();
        let shape = affine.geometry.map(|geometry| geometry.output_shape());
        let at = self.0.borrow().len();
        assert_eq!(affine.output.shape()[0], affine.input.shape()[0]);
        self.0.borrow_mut().insert(at, (norm, shape));
    }
}

#[test]
fn affine_maps_come_with_inputs_outputs_and_geometry() {
    let mut params: Params<f64> = Params::seeded(0);
    let conv = wengert_nn::Conv2d::new(params.at("conv"), 1, 2, 3);
    let out = Linear::new(params.at("out"), 8, 1);
    let inputs = Rc::new(Inputs::default());
    let y = params.infer(|cx| {
        cx.observe(inputs.clone());
        let y = conv.forward(cx, &Var::ones([5, 1, 4, 4]));
        out.forward(cx, &y.reshape([5, 8]));
        y
    });
    let expected = [(0, (80.0, Some([5, 2, 2, 2]))), (1, (y.value().square().sum().item(), None))];
    assert_eq!(inputs.0.take(), BTreeMap::from(expected));
}

#[test]
#[should_panic(expected = "trace: the id belongs to another `Params`")]
fn a_traced_layer_of_other_parameters() {
    let (mut params, mut others): (Params<f64>, Params<f64>) = (Params::seeded(0), Params::seeded(0));
    Linear::new(params.root(), 2, 2);
    let foreign = Linear::new(others.root(), 2, 2);
    params.infer(|cx| {
        cx.observe(Rc::new(Statistics::default()));
        cx.trace("Mine", &[Some(foreign.weight())], Var::from(Tensor::zeros([1])))
    });
}
