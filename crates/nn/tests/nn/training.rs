//! Training a small network: it learns, its memory is flat, and its gradient is right.

use wengert_nn::{Ctx, GradError, Layer, Linear, Losses, Params, Relu, Sequential, Tanh, accuracy};
use wengert_tape::{Var, check_grads};
use wengert_tensor::random::Generator;
use wengert_tensor::{Tensor, memory};

struct Mlp {
    hidden: Linear,
    out: Linear,
}

impl Mlp {
    fn new(p: &mut Params) -> Self {
        Mlp { hidden: Linear::new(p.at("hidden"), 2, 16), out: Linear::new(p.at("out"), 16, 2) }
    }
}

impl Layer for Mlp {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, x).relu())
    }
}

/// Points in the square, labelled by the sign of the product of their coordinates.
fn quadrants(count: usize) -> (Var, Tensor<u32>) {
    let mut points = vec![0f32; 2 * count];
    Generator::seeded(1).fill_uniform(&mut points, -1.0, 1.0);
    let labels: Vec<u32> = points.chunks(2).map(|p| u32::from(p[0] * p[1] > 0.0)).collect();
    (Var::from(Tensor::vector(&points).reshape([count, 2])), Tensor::vector(&labels))
}

fn train(params: &mut Params, model: &dyn Layer, x: &Var, labels: &Tensor<u32>, steps: usize) -> f32 {
    let mut last = f32::NAN;
    for _ in 0..steps {
        let (loss, grads) = params.value_and_grad(|cx| model.forward(cx, x).cross_entropy(labels)).unwrap();
        for (p, g) in params.values_mut().iter_mut().zip(grads.iter()) {
            *p -= 0.5 * g;
        }
        last = loss;
    }
    last
}

#[test]
fn a_network_learns_what_no_linear_model_can() {
    let (x, labels) = quadrants(200);
    let mut params = Params::seeded(0);
    let model = Mlp::new(&mut params);
    train(&mut params, &model, &x, &labels, 1000);
    let right = accuracy(&params.infer(|cx| model.forward(cx, &x)), &labels);
    assert!(right > 0.97, "{right}");
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let (x, labels) = quadrants(50);
    let run = || {
        let mut params = Params::seeded(3);
        let model = Mlp::new(&mut params);
        train(&mut params, &model, &x, &labels, 20);
        params.values().to_vec()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_steady_training_step_takes_no_memory_from_the_system() {
    let (x, labels) = quadrants(32);
    let mut params = Params::seeded(0);
    let model = Mlp::new(&mut params);
    train(&mut params, &model, &x, &labels, 3);
    let before = memory::stats();
    train(&mut params, &model, &x, &labels, 10_000);
    let after = memory::stats();
    assert_eq!(after.live_buffers, before.live_buffers);
    assert_eq!(after.live_bytes, before.live_bytes);
    assert_eq!(after.system_allocations, before.system_allocations);
}

#[test]
fn parameters_are_views_of_the_flat_vector_and_are_written_in_place() {
    let mut params = Params::seeded(0);
    let model = Mlp::new(&mut params);
    let address = params.values_mut().as_ptr();
    let (x, labels) = quadrants(4);
    let id = params.id("out.weight").unwrap();
    params
        .value_and_grad(|cx| {
            let weight = cx.param(id);
            let offset = params.ranges("out.weight")[0].start;
            assert_eq!(weight.value().as_slice().unwrap().as_ptr(), address.wrapping_add(offset));
            model.forward(cx, &x).cross_entropy(&labels)
        })
        .unwrap();
    assert_eq!(params.values_mut().as_ptr(), address);
}

#[test]
fn a_parameter_that_the_loss_does_not_reach_is_named() {
    let mut params = Params::seeded(0);
    let model = Mlp::new(&mut params);
    let unused = Linear::new(params.at("unused"), 2, 1);
    let (x, labels) = quadrants(4);
    let loss = |cx: &Ctx| model.forward(cx, &x).cross_entropy(&labels);
    let error = params.value_and_grad(loss).unwrap_err();
    assert_eq!(error, GradError::Unreached { names: vec!["unused.weight".into(), "unused.bias".into()] });
    assert_eq!(
        error.to_string(),
        "the loss does not depend on `unused.weight`, `unused.bias`: use it, `freeze` it, or call `allow_unreached`"
    );
    // Used, but without effect on the loss.
    let error = params
        .value_and_grad(|cx| {
            unused.forward(cx, &x);
            loss(cx)
        })
        .unwrap_err();
    assert!(matches!(error, GradError::Unreached { names } if names.len() == 2));
    assert_eq!(params.freeze("unused.*"), 2);
    let (_, grads) = params.value_and_grad(loss).unwrap();
    assert!(grads.get("unused.weight").unwrap().iter().all(|&g| g == 0.0));
    params.unfreeze("*");
    params.allow_unreached(true);
    assert_eq!(&params.value_and_grad(loss).unwrap().1[..], &grads[..]);
}

#[test]
fn the_flat_gradient_is_the_gradient_of_every_tensor() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Sequential::builder(params.root())
        .with(|p| Linear::new(p, 3, 4))
        .then(Relu)
        .with(|p| Linear::new(p, 4, 2))
        .build();
    let mut generator = Generator::seeded(5);
    let x = Var::from(Tensor::from_fn([5, 3], |_| generator.normal()));
    let loss = |cx: &Ctx<f64>| model.forward(cx, &x).square().mean() + cx.l2_of("*.weight", 0.1);
    let (value, grads) = params.value_and_grad(loss).unwrap();
    let mut moved = params.clone();
    for i in 0..params.len() {
        let mut at = |t: f64| {
            moved.values_mut()[i] = params.values()[i] + t;
            let value = moved.infer(|cx| loss(cx).item());
            moved.values_mut()[i] = params.values()[i];
            value
        };
        let h = 1e-5;
        let expected = (at(h) - at(-h)) / (2.0 * h);
        assert!((grads[i] - expected).abs() < 1e-8, "{i}: {} against {expected}", grads[i]);
        assert_eq!(at(0.0), value);
    }
}

#[test]
fn the_product_of_the_linear_layer_differentiates_twice() {
    let mut params: Params<f64> = Params::seeded(0);
    let layer = Linear::new(params.root(), 3, 2);
    for shape in [vec![3], vec![4, 3], vec![2, 2, 3]] {
        let mut generator = Generator::seeded(5);
        let x = Var::from(Tensor::from_fn(shape, |_| generator.normal()));
        params.infer(|cx| check_grads(|v| layer.forward(cx, &v[0]).tanh(), &[x], 2)).unwrap();
    }
}

/// What is shown of a gradient on the way is final, in parts of large matrices too, and the bits are those of the whole.
#[test]
fn a_gradient_is_shown_while_it_grows() {
    let mut params: Params = Params::seeded(4);
    let model = Sequential::builder(params.root())
        .with(|p| Linear::new(p, 20, 50))
        .then(Tanh)
        .with(|p| Linear::new(p, 50, 40))
        .then(Tanh)
        .with(|p| Linear::new(p, 40, 3))
        .build();
    params.freeze("2.bias");
    let x = Var::constant(Tensor::<f32>::linspace(-1.0, 1.0, 3 * 7 * 20).reshape([3, 7, 20]));
    let loss = |cx: &Ctx| model.forward(cx, &x).square().mean();
    let (value, whole) = params.value_and_grad(loss).unwrap();
    let shown = |every: usize| {
        let mut offsets = vec![params.len()];
        let (found, grads) = params
            .value_and_grad_by(loss, every, &mut |flat, offset| {
                assert!(flat[offset..] == whole[offset..], "from {offset}");
                offsets.push(offset);
            })
            .unwrap();
        assert!(found == value && grads[..] == whole[..]);
        offsets.dedup();
        offsets
    };
    // The weights begin at 0, 1,050 and 3,090; a bias is there before its weight, and one that is frozen from the beginning.
    assert_eq!(shown(usize::MAX), [3213, 3090, 3050, 1050, 0]);
    // Of 400 elements are 20 rows of the first weight, and eight of the second, which are too few.
    assert_eq!(shown(400), [3213, 3090, 3050, 1050 + 24 * 50, 1050, 30 * 20, 0]);
}
