//! A recording is a program: train steps and a product with the Hessian, recorded once and run on other images, labels,
//! parameters and random numbers, give the bits of the same step taken directly.

#[path = "../../../tape/tests/replay/interpreter.rs"]
mod interpreter;

use std::collections::BTreeSet;

use interpreter::{Catalogue, Inputs, Program, bits};
use wengert_nn::{
    Activations, AlphaDropout, BatchNorm2d, Conv2d, CrossEntropy, Ctx, Dropout, Dropout2d, GroupNorm, Huber,
    Init, InstanceNorm2d, Layer, Linear, Losses, MaxPool2d, Mode, Params, Prelu, RmsNorm, Rrelu, SmoothL1,
    SpectralNorm, WeightNorm,
};
use wengert_tape::{Data, Index, Tape, Var, hvp, value_and_grad};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

/// A loss of a batch.
type Loss = Box<dyn Fn(&Ctx, &Var, &Index) -> Var>;

const BATCH: usize = 12;
const CLASSES: usize = 5;

/// The recorded batch, and another one.
struct Batches {
    images: [Tensor<f32>; 2],
    labels: [Tensor<u32>; 2],
}

impl Batches {
    fn of(example: &[usize]) -> Self {
        let mut generator = Generator::seeded(11);
        let shape: Vec<usize> = [&[BATCH][..], example].concat();
        let images = [0.0, 0.3].map(|mean| Tensor::normal(&shape[..], mean, 1.0, &mut generator));
        let mut label = |_| generator.below(CLASSES as u64) as u32;
        let labels = [(); 2].map(|()| Tensor::vector(&(0..BATCH).map(&mut label).collect::<Vec<u32>>()));
        Batches { images, labels }
    }
}

/// Other parameters, at another step.
fn move_on(params: &mut Params) {
    let mut values = params.values().to_vec();
    Generator::seeded(3).fill_normal(&mut values, 0.0, 0.3);
    params.set_values(&values);
    params.set_step(7);
}

/// Records a train step, runs it on everything else, and compares with the step that `Params` takes. Returns the names
/// of the operations.
fn train_step(mut params: Params, loss: &Loss, batches: &Batches) -> BTreeSet<String> {
    let tape = Tape::complete();
    let x = tape.var(batches.images[0].clone());
    let y: Index = tape.discrete(batches.labels[0].clone());
    let key: Index = tape.discrete(params.key().value().clone());
    let w: Vec<Var> = params.vars().iter().map(|v| tape.enter(v)).collect();
    let (value, grads) = value_and_grad(|w| loss(&params.context(Mode::Train, w).with_key(&key), &x, &y), &w);
    let program = Program::new(&tape, std::iter::once(&value).chain(&grads));
    let old = grads.iter().flat_map(|g| g.value().to_vec()).collect::<Vec<f32>>();

    move_on(&mut params);
    let weights: Vec<Tensor<f32>> = params.vars().into_iter().map(Var::into_value).collect();
    let inputs = Inputs::new()
        .set(&tape, &x, Data::Float(batches.images[1].clone()))
        .set(&tape, &y, Data::Index(batches.labels[1].clone()))
        .set(&tape, &key, Data::Index(params.key().value().clone()))
        .set_all(&tape, &w, &weights);
    let replayed = program.run(&inputs);

    let (x, y) = (Var::constant(batches.images[1].clone()), Index::from(&batches.labels[1]));
    let (value, grads) = params.value_and_grad(|cx| loss(cx, &x, &y)).unwrap();
    assert_eq!(replayed[0].item().to_bits(), value.to_bits());
    let found: Vec<f32> = replayed[1..].iter().flat_map(Tensor::to_vec).collect();
    assert_eq!(found.len(), grads.len());
    for (i, (a, b)) in found.iter().zip(grads.iter()).enumerate() {
        assert_eq!(a.to_bits(), b.to_bits(), "derivative {i}: {a} and {b}");
    }
    assert!(grads.iter().any(|g| *g != 0.0) && grads[..] != old[..], "the step has something to show");
    program.steps().map(|(_, step)| step.name().to_owned()).collect()
}

/// The same for a product with the Hessian.
fn hessian_product(mut params: Params, loss: &Loss, batches: &Batches) -> BTreeSet<String> {
    let along = |params: &Params, seed: u64| -> Vec<Tensor<f32>> {
        let mut generator = Generator::seeded(seed);
        params.vars().iter().map(|v| Tensor::normal(v.shape(), 0.0, 1.0, &mut generator)).collect()
    };
    let tape = Tape::complete();
    let x = tape.var(batches.images[0].clone());
    let y: Index = tape.discrete(batches.labels[0].clone());
    let key: Index = tape.discrete(params.key().value().clone());
    let w: Vec<Var> = params.vars().iter().map(|v| tape.enter(v)).collect();
    let v: Vec<Var> = along(&params, 1).into_iter().map(|v| tape.var(v)).collect();
    let product = hvp(|w| loss(&params.context(Mode::Train, w).with_key(&key), &x, &y), &w, &v);
    let program = Program::new(&tape, &product);

    move_on(&mut params);
    let weights = params.vars();
    let direction = along(&params, 2);
    let inputs = Inputs::new()
        .set(&tape, &x, Data::Float(batches.images[1].clone()))
        .set(&tape, &y, Data::Index(batches.labels[1].clone()))
        .set(&tape, &key, Data::Index(params.key().value().clone()))
        .set_all(&tape, &w, &weights.iter().map(|w| w.value().clone()).collect::<Vec<_>>())
        .set_all(&tape, &v, &direction);
    let replayed = program.run(&inputs);

    let (x, y) = (Var::constant(batches.images[1].clone()), Index::from(&batches.labels[1]));
    let direction: Vec<Var> = direction.into_iter().map(Var::constant).collect();
    let direct = hvp(|w| loss(&params.context(Mode::Train, w), &x, &y), &weights, &direction);
    assert_eq!(replayed.len(), direct.len());
    for (i, (a, b)) in replayed.iter().zip(&direct).enumerate() {
        assert_eq!(bits(a), bits(b.value()), "parameter {i}");
        assert!(a.to_vec().iter().any(|x| *x != 0.0), "parameter {i}: the product is 0");
    }
    program.steps().map(|(_, step)| step.name().to_owned()).collect()
}

fn has(names: &BTreeSet<String>, wanted: &[&str]) {
    for name in wanted {
        assert!(names.contains(*name), "`{name}` is not among {names:?}");
    }
}

/// Two hidden layers side by side on one, wide enough that products are summed in several pieces.
fn perceptron() -> (Params, Loss, Batches) {
    let mut params = Params::seeded(0);
    let first = Linear::new(params.at("first"), 20, 600);
    let [left, right] = ["left", "right"].map(|name| Linear::new(params.at(name), 600, 520));
    let gain = params.root().param("gain", [520], Init::Constant(1.0));
    let bias = params.root().param("bias", [520], Init::Constant(0.0));
    let out = Linear::new(params.at("out"), 520, CLASSES);
    let loss = move |cx: &Ctx, x: &Var, y: &Index| {
        let h = first.forward(cx, x).relu();
        let h = left.forward(cx, &h).tanh() + right.forward(cx, &h).gelu();
        let h = h.layer_norm(&cx.param(gain), &cx.param(bias), 1e-5);
        out.forward(cx, &h).cross_entropy(y) + cx.l2(1e-3)
    };
    (params, Box::new(loss), Batches::of(&[20]))
}

fn convolutional() -> (Params, Loss, Batches) {
    let mut params = Params::seeded(1);
    let first = Conv2d::new(params.at("first"), 2, 6, 3);
    let second = Conv2d::new(params.at("second"), 6, 8, 3);
    let pool = MaxPool2d::new(2);
    let out = Linear::new(params.at("out"), 8 * 3 * 3, CLASSES);
    let loss = move |cx: &Ctx, x: &Var, y: &Index| {
        let h = pool.forward(cx, &first.forward(cx, x).tanh());
        let h = second.forward(cx, &h).softplus();
        out.forward(cx, &pool.forward(cx, &h).flatten(1, -1)).cross_entropy(y)
    };
    (params, Box::new(loss), Batches::of(&[2, 18, 18]))
}

/// What chooses by values: all that used to be constants of one batch.
fn choosing() -> (Params, Loss, Batches) {
    let mut params = Params::seeded(2);
    let hidden = Linear::new(params.at("hidden"), 9, 16);
    let out = Linear::new(params.at("out"), 16 + 4 + 1, CLASSES);
    let dropout = Dropout::new(0.3);
    let loss = move |cx: &Ctx, x: &Var, y: &Index| {
        let h = dropout.forward(cx, &hidden.forward(cx, x).tanh());
        let sorted = h.sort(1, true);
        let (top, positions) = h.square().topk(4, 1);
        let gathered = sorted.gather(1, &positions);
        let mixed = Var::select_where(gathered.gt(&top), &gathered, &(top * 0.5));
        let largest = h.max_axes(1, true).maximum(&mixed.norm_axes(1.0, 1, true));
        let features = Var::cat(&[&sorted, &mixed, &largest], 1);
        out.forward(cx, &dropout.forward(cx, &features)).cross_entropy(y)
    };
    (params, Box::new(loss), Batches::of(&[9]))
}

/// Everything that normalises: values, by statistics of all kinds, and weights.
fn normalised() -> (Params, Loss, Batches) {
    let mut params = Params::seeded(3);
    let first = WeightNorm::of(params.at("first"), |p| Conv2d::new(p, 2, 6, 3));
    let batch = BatchNorm2d::new(params.at("batch"), 6);
    let slopes = Prelu::with_slopes(params.at("slopes"), 6, 0.25);
    let group = GroupNorm::new(params.at("group"), 2, 6);
    let instance = InstanceNorm2d::builder(6).affine().build(params.at("instance"));
    let hidden = SpectralNorm::of(params.at("hidden"), |p| Linear::new(p, 6 * 4 * 4, 32));
    let rms = RmsNorm::new(params.at("rms"), 32);
    let out = Linear::new(params.at("out"), 16, CLASSES);
    let (channels, alpha) = (Dropout2d::new(0.2), AlphaDropout::new(0.2));
    let loss = move |cx: &Ctx, x: &Var, y: &Index| {
        let h = batch.forward(cx, &first.forward(cx, x));
        let h = group.forward(cx, &channels.forward(cx, &slopes.forward(cx, &h)));
        let h = instance.forward(cx, &(h.mish() + &h.square())).selu();
        let h = Rrelu::default().forward(cx, &hidden.forward(cx, &h.flatten(1, -1)));
        let h = alpha.forward(cx, &rms.forward(cx, &h)).glu(-1);
        out.forward(cx, &h).cross_entropy(y)
    };
    (params, Box::new(loss), Batches::of(&[2, 6, 6]))
}

#[test]
fn a_train_step_of_a_network_that_normalises() {
    let (params, loss, batches) = normalised();
    let wanted =
        ["batch_norm", "batch_norm_gradients", "group_norm", "rms_norm", "instance_norm", "rrelu_slopes"];
    has(&train_step(params, &loss, &batches), &wanted);
    let (params, loss, batches) = normalised();
    has(&hessian_product(params, &loss, &batches), &["batch_norm_tangent", "batch_norm_gradient_tangent"]);
}

#[test]
fn a_train_step_of_a_perceptron() {
    let (params, loss, batches) = perceptron();
    let names = train_step(params, &loss, &batches);
    has(&names, &["linear", "linear_add_left", "layer_norm_gradients", "softmax_cross_entropy_gradient"]);
}

#[test]
fn a_train_step_of_a_convolutional_network() {
    let (params, loss, batches) = convolutional();
    has(&train_step(params, &loss, &batches), &["conv2d", "max_pool2d_positions", "max_pool2d_gradient"]);
}

#[test]
fn a_train_step_that_sorts_chooses_and_drops() {
    let (params, loss, batches) = choosing();
    let wanted =
        ["argsort", "topk", "gather", "gt", "select_where", "fork", "dropout_factors", "scatter_add"];
    has(&train_step(params, &loss, &batches), &wanted);
}

#[test]
fn products_with_the_hessian() {
    let (params, loss, batches) = perceptron();
    has(&hessian_product(params, &loss, &batches), &["linear_tangent", "tanh_slope_tangent"]);
    let (params, loss, batches) = convolutional();
    has(&hessian_product(params, &loss, &batches), &["conv2d_tangent", "max_pool2d"]);
    let (params, loss, batches) = choosing();
    has(&hessian_product(params, &loss, &batches), &["argsort", "dropout_factors"]);
}

/// Activations and losses with their derivatives, of one set of numbers so that descriptions must tell them apart.
#[test]
fn activations_and_losses() {
    type Function = fn(&Var<f64>, &Var<f64>) -> Var<f64>;
    let functions: [(&str, Function); 37] = [
        ("elu", |x, _| x.elu(1.0)),
        ("elu of another alpha", |x, _| x.elu(0.5)),
        ("leaky_relu", |x, _| x.leaky_relu(0.01)),
        ("leaky_relu of another slope", |x, _| x.leaky_relu(0.2)),
        ("silu", |x, _| x.silu()),
        ("gelu_tanh", |x, _| x.gelu_tanh()),
        ("selu", |x, _| x.selu()),
        ("celu", |x, _| x.celu(1.0)),
        ("celu of another alpha", |x, _| x.celu(0.5)),
        ("mish", |x, _| x.mish()),
        ("swish", |x, _| x.swish(1.0)),
        ("swish of another beta", |x, _| x.swish(2.0)),
        ("hardswish", |x, _| x.hardswish()),
        ("hardsigmoid", |x, _| x.hardsigmoid()),
        ("hardtanh", |x, _| x.hardtanh(-1.0, 1.0)),
        ("hardtanh of other limits", |x, _| x.hardtanh(-0.2, 0.5)),
        ("squared_relu", |x, _| x.squared_relu()),
        ("log_sigmoid", |x, _| x.log_sigmoid()),
        ("softsign", |x, _| x.softsign()),
        ("tanhshrink", |x, _| x.tanhshrink()),
        ("hardshrink", |x, _| x.hardshrink(0.5)),
        ("hardshrink of another lambda", |x, _| x.hardshrink(0.3)),
        ("softshrink", |x, _| x.softshrink(0.5)),
        ("softshrink of another lambda", |x, _| x.softshrink(0.3)),
        ("threshold", |x, _| x.threshold(0.5, 0.0)),
        ("threshold of another value", |x, _| x.threshold(0.5, 1.0)),
        ("prelu", |x, t| x.prelu(t)),
        ("glu", |x, _| x.glu(-1)),
        ("geglu", |x, _| x.geglu(-1)),
        ("mse", |x, t| x.mse(t)),
        ("l1", |x, t| x.l1(t)),
        ("huber", |x, t| x.huber(t)),
        ("huber of another delta", |x, t| Huber { delta: 0.25, ..Huber::default() }.loss(x, t)),
        ("smooth_l1", |x, t| SmoothL1 { beta: 0.25, ..SmoothL1::default() }.loss(x, t)),
        ("bce", |x, t| x.bce(t)),
        ("bce_with_logits", |x, t| x.bce_with_logits(t)),
        ("cross_entropy of probabilities", |x, t| CrossEntropy::default().loss(x, t)),
    ];
    let point = |low: f64| {
        let mut generator = Generator::seeded(5);
        [(); 3].map(|()| Tensor::uniform([3, 4], low, 1.0, &mut generator))
    };
    let mut known = Catalogue::default();
    for (name, f) in functions {
        // Probabilities where they are needed.
        let low = if name == "bce" { 0.1 } else { -1.0 };
        let all = |x: &Var<f64>, t: &Var<f64>, v: &Var<f64>| {
            let loss = |x: &Var<f64>| f(x, t).sum();
            let (value, gradient) = value_and_grad(loss, x);
            [value, gradient, hvp(loss, x, v)]
        };
        let tape = Tape::complete();
        let [x, t, v] = point(low).map(|tensor| tape.var(tensor * 0.5 + 0.45));
        let outputs = all(&x, &t, &v);
        let depend: Vec<&Var<f64>> = outputs.iter().filter(|o| tape.position(*o).is_some()).collect();
        let program = Program::new(&tape, depend.iter().copied());
        let new = point(low).map(|tensor| tensor * 0.4 + 0.5);
        let inputs = Inputs::new().set_all(&tape, &[x, t, v], &new);
        let [x, t, v] = new.map(Var::constant);
        let values = program.values(&inputs);
        for (output, eager) in outputs.iter().zip(all(&x, &t, &v)) {
            let replayed = tape.position(output).map(|i| values[i].as_ref().unwrap().float().clone());
            let replayed = replayed.unwrap_or_else(|| output.value().clone());
            assert_eq!(bits(&replayed), bits(eager.value()), "{name}");
        }
        assert_eq!(known.add(name, &program, &values), Vec::<String>::new());
    }
}
