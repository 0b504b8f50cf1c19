//! Kronecker factors against explicit sums over examples and positions.

use wengert_curvature::{Objectives, Targets};
use wengert_nn::{Affine, Conv1d, Conv2d, CrossEntropy, Ctx, Init, Layer, Linear, Losses, Params, Reduction};
use wengert_optim::{Curvatures, Kronecker, KroneckerBlock, Operator};
use wengert_tape::Var;
use wengert_tensor::random::Generator;
use wengert_tensor::{Shape, Tensor};

fn random(shape: impl Into<Shape>, seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed))
}

#[track_caller]
fn assert_close(found: &Tensor<f64>, expected: &Tensor<f64>, tolerance: f64) {
    assert_eq!(found.shape(), expected.shape());
    for (i, (a, b)) in found.iter().zip(expected.iter()).enumerate() {
        assert!((a - b).abs() <= tolerance, "element {i}: {a} and {b}");
    }
}

/// (x, 1)(x, 1)ᵀ
fn square(x: &Tensor<f64>) -> Tensor<f64> {
    let x = Tensor::cat(&[x.clone(), Tensor::ones([1])], 0);
    x.outer(&x)
}

/// A symmetric factor as a matrix.
fn matrix(elements: &[f64]) -> Tensor<f64> {
    let size = elements.len().isqrt();
    Tensor::vector(elements).reshape([size, size])
}

fn inputs(block: &KroneckerBlock<f64>) -> Tensor<f64> {
    matrix(block.inputs())
}

fn outputs(block: &KroneckerBlock<f64>) -> Tensor<f64> {
    matrix(block.outputs())
}

/// The diagonal at a parameter that no block has; zero if it is not there.
#[track_caller]
fn apart(factors: &Kronecker<f64>, params: &Params<f64>, name: &str) -> Tensor<f64> {
    let range = params.ranges(name)[0].clone();
    let starts = |block: &KroneckerBlock<f64>| [Some(block.weight()), block.bias()];
    assert!(!factors.blocks().iter().flat_map(starts).any(|start| start == Some(range.start)), "{name}");
    Tensor::vector(&factors.diagonal()[range])
}

/// The mean over many seeds.
fn mean(factors: impl Fn(u64) -> Tensor<f64>, seeds: u64) -> Tensor<f64> {
    let sum = (0..seeds).map(factors).reduce(|a, b| a + b).unwrap();
    sum * (1.0 / seeds as f64)
}

/// A perceptron with a parameter that no affine map has.
struct Net {
    hidden: Linear,
    out: Linear,
    scale: wengert_nn::ParamId,
}

impl Net {
    fn new(p: &mut Params<f64>) -> Self {
        let hidden = Linear::new(p.at("hidden"), 3, 4);
        let scale = p.root().param("scale", [4], Init::Constant(1.5));
        Net { hidden, out: Linear::new(p.at("out"), 4, 2), scale }
    }

    fn inner(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
        self.hidden.forward(cx, x).tanh() * cx.param(self.scale)
    }
}

impl Layer<f64> for Net {
    fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
        self.out.forward(cx, &self.inner(cx, x))
    }
}

/// One row of a matrix, as a matrix.
fn row(x: &Tensor<f64>, n: usize) -> Tensor<f64> {
    x.slice(n..n + 1)
}

#[test]
fn empirical_factors_are_sums_over_the_gradients_of_single_examples() {
    let mut params: Params<f64> = Params::seeded(3);
    let net = Net::new(&mut params);
    let (x, y, examples) = (random([5, 3], 1), random([5, 2], 2), 5);
    let (vx, vy) = (Var::from(x.clone()), Var::from(y.clone()));
    let loss = params.model_objective(|cx| net.forward(cx, &vx), |z| z.mse(&vy));
    let factors = loss.kronecker_factors(params.values(), Targets::Data, 7).unwrap();

    let (mut a, mut g) = (vec![Tensor::zeros([4, 4]), Tensor::zeros([5, 5])], vec![]);
    g.extend([Tensor::zeros([4, 4]), Tensor::zeros([2, 2])]);
    for n in 0..examples {
        let (x, y) = (row(&x, n), row(&y, n));
        let inner = params.infer(|cx| net.inner(cx, &Var::from(x.clone())).value().select(0, 0));
        a[0] = &a[0] + square(&x.select(0, 0)) * 0.2;
        a[1] = &a[1] + square(&inner) * 0.2;
        let (x, y) = (Var::from(x), Var::from(y));
        let (_, gradient) = params.value_and_grad(|cx| net.forward(cx, &x).mse(&y)).unwrap();
        for (i, name) in ["hidden.bias", "out.bias"].iter().enumerate() {
            let bias = Tensor::vector(&gradient[params.ranges(name)[0].clone()]);
            g[i] = &g[i] + bias.outer(&bias) * 0.2;
        }
    }
    assert_eq!(factors.blocks().len(), 2);
    for (i, block) in factors.blocks().iter().enumerate() {
        assert_close(&inputs(block), &a[i], 1e-14);
        assert_close(&outputs(block), &g[i], 1e-14);
    }
    let start = |name: &str| params.ranges(name)[0].start;
    assert_eq!(factors.blocks()[0].weight(), start("hidden.weight"));
    assert_eq!(factors.blocks()[1].bias(), Some(start("out.bias")));
    assert_eq!(factors.dimension(), params.len());
    assert!(apart(&factors, &params, "scale").min().item() > 0.0);
}

#[test]
fn the_diagonal_of_other_parameters_is_the_mean_of_squared_gradients() {
    let mut params: Params<f64> = Params::seeded(3);
    let net = Net::new(&mut params);
    let (x, y) = (random([4, 3], 1), random([4, 2], 2));
    let mut expected = Tensor::zeros([4]);
    for n in 0..4 {
        let (x, y) = (Var::from(row(&x, n)), Var::from(row(&y, n)));
        let (_, gradient) = params.value_and_grad(|cx| net.forward(cx, &x).mse(&y)).unwrap();
        expected = expected + Tensor::vector(&gradient[params.ranges("scale")[0].clone()]).square() * 0.25;
    }
    let (x, y) = (Var::from(x), Var::from(y));
    let loss = params.model_objective(|cx| net.forward(cx, &x), |z| z.mse(&y));
    let diagonal = |targets, seed| {
        let factors = loss.kronecker_factors(params.values(), targets, seed).unwrap();
        apart(&factors, &params, "scale")
    };
    // Of eight outcomes of the signs up to their common one, the mean is exact: that of many draws is near.
    assert_close(&mean(|seed| diagonal(Targets::Data, seed), 4000), &expected, 0.06 * expected.max().item());
    // The other targets have the diagonal of the Gauss–Newton matrix as their mean.
    let matrix = loss.gauss_newton(params.values()).unwrap();
    let start = params.ranges("scale")[0].start;
    let expected = Tensor::from_fn([4], |i| {
        let (mut unit, mut column) = (vec![0.0; params.len()], vec![0.0; params.len()]);
        unit[start + i[0]] = 1.0;
        matrix.apply(&unit, &mut column);
        column[start + i[0]]
    });
    assert_close(&mean(|seed| diagonal(Targets::Model, seed), 4000), &expected, 0.06 * expected.max().item());
}

/// E[G] for a single layer with these outputs and loss: Σ over rows of the Hessian's blocks.
#[track_caller]
fn output_factor(loss: impl Fn(&Var<f64>) -> Var<f64>, shape: [usize; 2], expected: &Tensor<f64>) {
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 2, shape[1]);
    let x = Var::from(random([shape[0], 2], 5));
    let loss = params.model_objective(|cx| layer.forward(cx, &x), loss);
    let draw =
        |seed| outputs(&loss.kronecker_factors(params.values(), Targets::Model, seed).unwrap().blocks()[0]);
    assert_close(&mean(draw, 6000), expected, 0.06 * expected.max().item());
}

#[test]
fn drawn_cotangents_have_the_losses_curvature() {
    let (rows, classes) = (4, 3);
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 2, classes);
    let x = Var::from(random([rows, 2], 5));
    let z = params.infer(|cx| layer.forward(cx, &x).into_value());
    let p = z.softmax(1);
    let softmax = |weight: &dyn Fn(usize) -> f64| {
        let block = |n: usize| {
            let p = p.select(0, n as isize);
            (Tensor::eye(classes) * &p - p.outer(&p)) * weight(n)
        };
        (0..rows).map(block).reduce(|a, b| a + b).unwrap()
    };
    let labels = Tensor::from([0u32, 2, 1, 1]);
    output_factor(|z| z.cross_entropy(&labels), [rows, classes], &softmax(&|_| 0.25));
    let summed = CrossEntropy { reduction: Reduction::Sum, label_smoothing: 0.1, ..Default::default() };
    output_factor(|z| summed.loss(z, &labels), [rows, classes], &softmax(&|_| 1.0));
    // Rows of different weights, one of them none.
    let weights = [0.5, 0.0, 2.0, 1.0];
    let weighted = |z: &Var<f64>| {
        let each = CrossEntropy { reduction: Reduction::None, ..Default::default() }.loss(z, &labels);
        (each * Var::from(weights)).sum()
    };
    output_factor(weighted, [rows, classes], &softmax(&|n| weights[n]));
    // Binary cross-entropy: p(1 − p) for each, here of the mean over all elements.
    let p = z.sigmoid();
    let expected = Tensor::eye(classes) * (&p * (1.0 - &p)).sum_axes(0, false) * (1.0 / 12.0);
    let targets = Var::from(random([rows, classes], 9).gt(0.0).cast::<f64>());
    output_factor(|z| z.bce_with_logits(&targets), [rows, classes], &expected);
}

#[test]
fn a_loss_of_another_kind_has_no_factors_for_drawn_targets() {
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 2, 3);
    let x = Var::from(random([4, 2], 5));
    let outputs = |cx: &Ctx<f64>| layer.forward(cx, &x);
    // Neither diagonal nor softmax.
    let coupled = params.model_objective(outputs, |z| z.sum().square());
    assert!(coupled.kronecker_factors(params.values(), Targets::Model, 0).is_none());
    assert!(coupled.kronecker_factors(params.values(), Targets::Data, 0).is_some());
    let whole = params.objective(|cx| outputs(cx).square().sum());
    assert!(whole.kronecker_factors(params.values(), Targets::Model, 0).is_none());
}

/// The factors of a convolution, pixel by pixel.
fn convolution(layer: &Conv2d, options: wengert_tensor::conv::Conv2dOptions, params: &Params<f64>) {
    let x = random([3, 4, 6, 5], 11);
    let vx = Var::from(x.clone());
    let z = params.infer(|cx| layer.forward(cx, &vx).into_value());
    let targets = random(z.shape(), 12);
    let factors = params
        .model_objective(|cx| layer.forward(cx, &vx), |z| z.mse(&Var::constant(targets.clone())))
        .kronecker_factors(params.values(), Targets::Data, 0)
        .unwrap();
    // √N times the gradient of the mean.
    let cotangent = (&z - &targets) * (2.0 / z.len() as f64 * 3f64.sqrt());
    let weight = params.shape(layer.weight()).clone();
    let (groups, bias) = (options.groups, layer.bias().is_some());
    assert_eq!(factors.blocks().len(), groups);
    let [filters, channels] = [weight[0] / groups, weight[1]];
    let taps = channels * weight[2] * weight[3];
    for (group, block) in factors.blocks().iter().enumerate() {
        let size = taps + usize::from(bias);
        let (mut a, mut g) = (Tensor::zeros([size, size]), Tensor::zeros([filters, filters]));
        for n in 0..3 {
            for (i, j) in (0..z.dim(2)).flat_map(|i| (0..z.dim(3)).map(move |j| (i, j))) {
                let patch = Tensor::from_fn([size], |at| {
                    let Some(tap) = Some(at[0]).filter(|&t| t < taps) else { return 1.0 };
                    let (c, u, v) =
                        (tap / (weight[2] * weight[3]), tap / weight[3] % weight[2], tap % weight[3]);
                    let at = |axis: usize, p: usize, t: usize| {
                        (p * options.stride[axis] + t * options.dilation[axis]) as isize
                            - options.padding[axis] as isize
                    };
                    let (y, x_) = (at(0, i, u), at(1, j, v));
                    let inside = (0..6).contains(&y) && (0..5).contains(&x_);
                    if inside { x.at([n, group * channels + c, y as usize, x_ as usize]) } else { 0.0 }
                });
                a = a + patch.outer(&patch) * (1.0 / (3 * z.dim(2) * z.dim(3)) as f64);
                let c = Tensor::from_fn([filters], |o| cotangent.at([n, group * filters + o[0], i, j]));
                g = g + c.outer(&c);
            }
        }
        assert_close(&inputs(block), &a, 1e-13);
        assert_close(&outputs(block), &g, 1e-13);
        assert_eq!(block.weight(), params.ranges("weight")[0].start + group * filters * taps);
        let start = params.ranges("bias").first().map(|bias| bias.start + group * filters);
        assert_eq!(block.bias(), start);
    }
}

#[test]
fn convolutions_sum_over_positions_and_patches() {
    for (stride, padding, dilation, groups, bias) in [
        ([1, 1], [0, 0], [1, 1], 1, true),
        ([2, 1], [1, 2], [1, 2], 2, true),
        ([1, 2], [2, 0], [2, 1], 4, false),
    ] {
        let mut params: Params<f64> = Params::seeded(2);
        let builder = Conv2d::builder(4, 8, [3, 2]).stride(stride).padding(padding).dilation(dilation);
        let builder = builder.groups(groups);
        let builder = if bias { builder } else { builder.no_bias() };
        let layer = builder.build(params.root());
        let options = wengert_tensor::conv::Conv2dOptions { stride, padding, dilation, groups };
        convolution(&layer, options, &params);
    }
}

/// Sequences are images of height 1.
#[test]
fn convolutions_of_sequences_have_the_factors_of_images() {
    let x = random([3, 2, 7], 5);
    let mut params: Params<f64> = Params::seeded(2);
    let of_sequences = Conv1d::builder(2, 4, 3).stride(2).padding(1).build(params.root());
    let mut image_params: Params<f64> = Params::seeded(2);
    let of_images = Conv2d::builder(2, 4, [1, 3]).stride([1, 2]).padding([0, 1]).build(image_params.root());
    image_params.set_values(params.values());
    let (sequences, images) = (Var::from(x.clone()), Var::from(x.reshape([3, 2, 1, 7])));
    let loss = params.model_objective(|cx| of_sequences.forward(cx, &sequences), |z| z.square().sum());
    let found = loss.kronecker_factors(params.values(), Targets::Model, 0).unwrap();
    let loss = image_params.model_objective(|cx| of_images.forward(cx, &images), |z| z.square().sum());
    let expected = loss.kronecker_factors(image_params.values(), Targets::Model, 0).unwrap();
    assert_eq!((found.blocks().len(), expected.blocks().len()), (1, 1));
    assert_close(&inputs(&found.blocks()[0]), &inputs(&expected.blocks()[0]), 1e-12);
    assert_close(&outputs(&found.blocks()[0]), &outputs(&expected.blocks()[0]), 1e-12);
}

#[test]
fn patches_of_many_images_come_in_several_parts() {
    // 90 · 30 · 30 · 27 elements exceed one part.
    let mut params: Params<f64> = Params::seeded(2);
    let layer = Conv2d::builder(3, 1, 3).padding(1).build(params.root());
    let x = random([90, 3, 30, 30], 4);
    let vx = Var::from(x.clone());
    let loss = params.model_objective(|cx| layer.forward(cx, &vx), |z| z.square().mean());
    let factors = loss.kronecker_factors(params.values(), Targets::Model, 0).unwrap();
    // The middle tap of channel 1 meets every pixel of that channel.
    let expected = x.select(1, 1).square().mean().item();
    let found = inputs(&factors.blocks()[0]);
    assert!((found.at([13, 13]) - expected).abs() < 1e-12);
    assert!((found.at([27, 27]) - 1.0).abs() < 1e-12);
}

#[test]
fn a_weight_of_a_recurrence_has_one_block_over_all_uses() {
    let mut params: Params<f64> = Params::seeded(4);
    let step = Linear::new(params.at("step"), 3, 3);
    let h0 = random([2, 3], 1);
    let states = |cx: &Ctx<f64>| {
        let mut states = vec![Var::from(h0.clone())];
        for t in 0..3 {
            states.push(step.forward(cx, &states[t]).tanh());
        }
        states
    };
    let loss = params.model_objective(|cx| states(cx).pop().unwrap(), |h| h.square().sum());
    let factors = loss.kronecker_factors(params.values(), Targets::Model, 0).unwrap();
    let [block] = factors.blocks() else { panic!("{} blocks", factors.blocks().len()) };
    assert_eq!(block.bias(), Some(params.ranges("step.bias")[0].start));
    let states = params.infer(states);
    let all = states[..3].iter().flat_map(|h| [h.value().select(0, 0), h.value().select(0, 1)]);
    let expected = all.map(|h| square(&h) * (1.0 / 6.0)).reduce(|a, b| a + b).unwrap();
    assert_close(&inputs(block), &expected, 1e-14);
    assert!(block.outputs()[0] > 0.0);
}

#[test]
fn frozen_parameters_have_no_block_and_more_axes_are_more_positions() {
    let mut params: Params<f64> = Params::seeded(4);
    let net = Net::new(&mut params);
    let x = Var::from(random([2, 5, 3], 1));
    let kronecker = |params: &Params<f64>| {
        let loss = params.model_objective(|cx| net.forward(cx, &x), |z| z.square().mean());
        loss.kronecker_factors(params.values(), Targets::Model, 0).unwrap()
    };
    let all = kronecker(&params);
    let of_all = inputs(&all.blocks()[0]);
    assert!((of_all.at([3, 3]) - 1.0).abs() < 1e-15);
    let rows = x.value().reshape([10, 3]);
    let expected = rows.t().matmul(&rows) * 0.1;
    assert_close(&of_all.slice_axis(0, ..3).slice_axis(1, ..3), &expected, 1e-14);

    params.freeze("hidden.bias");
    params.freeze("scale");
    let some = kronecker(&params);
    for name in ["hidden.bias", "scale"] {
        assert_eq!(apart(&some, &params, name).to_vec(), [0.0; 4]);
    }
    assert_close(&inputs(&some.blocks()[0]), &expected, 1e-14);
    params.freeze("hidden.*");
    params.unfreeze("hidden.bias");
    let some = kronecker(&params);
    assert_eq!(some.blocks().len(), 1);
    assert!(apart(&some, &params, "hidden.bias").min().item() > 0.0);
}

#[test]
fn a_bias_of_two_weights_belongs_to_neither() {
    let mut params: Params<f64> = Params::seeded(4);
    let [a, b] = ["a", "b"].map(|name| params.root().param(name, [2, 3], Init::Ones));
    let bias = params.root().param("bias", [2], Init::Ones);
    let x = Var::from(random([2, 3], 1));
    let forward = |cx: &Ctx<f64>| {
        let layer = |weight| {
            let y = x.matmul(&cx.param(weight).t()) + cx.param(bias);
            cx.affine(Affine { weight, bias: Some(bias), convolution: None }, &x, &y);
            y
        };
        layer(a) * layer(b)
    };
    let loss = params.model_objective(forward, |z| z.square().sum());
    let factors = loss.kronecker_factors(params.values(), Targets::Model, 0).unwrap();
    assert_eq!(factors.blocks().iter().map(|b| b.inputs().len()).collect::<Vec<_>>(), [9, 9]);
    assert!(apart(&factors, &params, "bias").min().item() > 0.0);
}

#[test]
#[should_panic(
    expected = "affine: a weight of shape [2, 3] with a bias of shape none does not map an input of shape [4, 3] to an output of shape [4, 3]"
)]
fn shapes_that_do_not_fit_are_named() {
    let mut params: Params<f64> = Params::seeded(4);
    let weight = params.root().param("w", [2, 3], Init::Ones);
    let x = Var::from(random([4, 3], 1));
    let forward = |cx: &Ctx<f64>| {
        cx.affine(Affine { weight, bias: None, convolution: None }, &x, &x);
        x.matmul(&cx.param(weight).t())
    };
    params.model_objective(forward, |z| z.square().sum()).kronecker_factors(
        params.values(),
        Targets::Model,
        0,
    );
}
