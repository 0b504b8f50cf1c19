//! Misuse of parameters, files and the first layers and losses.

use wengert_nn::init::fans;
use wengert_nn::*;
use wengert_tape::{Tape, Var};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use crate::says;

/// Activations and losses of variables whose recording has ended.
#[test]
fn escaped_variables() {
    let tape = Tape::new();
    let x: Var = tape.var([[0.5, 0.5]]);
    tape.close();
    let text = "a variable escaped the recording it belongs to, which has ended: return a value or use `stop_gradient`";
    says(&format!("leaky_relu: {text}"), || drop(x.leaky_relu(0.1)));
    says(&format!("elu: {text}"), || drop(x.elu(1.0)));
    says(&format!("silu: {text}"), || drop(x.silu()));
    says(&format!("gelu_tanh: {text}"), || drop(x.gelu_tanh()));
    let params: Params = Params::seeded(0);
    says(&format!("relu: {text}"), || params.infer(|cx| drop(Relu.forward(cx, &x))));
    says(&format!("elu: {text}"), || params.infer(|cx| drop(Elu::default().forward(cx, &x))));
    says(&format!("leaky_relu: {text}"), || params.infer(|cx| drop(LeakyRelu::default().forward(cx, &x))));
    says(&format!("softmax: {text}"), || params.infer(|cx| drop(Softmax::default().forward(cx, &x))));
    says(&format!("masked_scale: {text}"), || {
        params.infer_in(Mode::Train, |cx| drop(Dropout::new(0.5).forward(cx, &x)));
    });
    says("generator: a key has six words, this one has shape [2]", || {
        drop(params.context(Mode::Train, &params.vars()).with_key(&Tensor::vector(&[0u32, 1]).into()));
    });
    says(&format!("sum: {text}"), || drop(Reduction::Sum.apply(x.clone())));
}

fn zeros<const N: usize>(shape: [usize; N]) -> Var {
    Var::zeros(shape)
}

#[test]
fn parameters() {
    let mut params: Params = Params::seeded(0);
    let id = params.root().param("w", [2], Init::Zeros);
    let mut other: Params = Params::seeded(0);
    let foreign = other.root().param("w", [2], Init::Zeros);
    says("param: there is already a parameter or buffer named `w`", || {
        params.root().param("w", [3], Init::Zeros);
    });
    says("at: the name below `` is empty", || {
        params.at("");
    });
    says("at: the name below `a.b` is empty", || {
        params.at("a").at("b").at("");
    });
    says("param: the name below `` is empty", || {
        params.root().param("", [1], Init::Zeros);
    });
    says("param_from: there is already a parameter or buffer named `w`", || {
        params.root().param_from("w", &Tensor::zeros([1]));
    });
    says("buffer: there is already a parameter or buffer named `w`", || {
        params.root().buffer("w", Tensor::zeros([1]));
    });
    says("set_values: 3 values for 2 parameters", || params.set_values(&[0.0; 3]));
    says("freeze: no parameter's name fits `ww`: the nearest are `w`", || {
        params.clone().freeze("ww");
    });
    says("unfreeze: no parameter's name fits `*.w`: the nearest are `w`", || {
        params.clone().unfreeze("*.w");
    });
    says("l2_of: no parameter's name fits `*.weight`: the nearest are `w`", || {
        params.infer(|cx| cx.l2_of("*.weight", 1.0));
    });
    says("freeze: no parameter's name fits `*`: there are no parameters", || {
        Params::<f32>::seeded(0).freeze("*");
    });
    let text = "the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    says(&format!("param: {text}"), || {
        params.infer(|cx| cx.param(foreign));
    });
    says(&format!("slice: {text}"), || {
        params.slice(foreign);
    });
    says(&format!("slice_mut: {text}"), || {
        params.slice_mut(foreign);
    });
    says(&format!("tensor: {text}"), || {
        params.tensor(foreign);
    });
    says(&format!("name: {text}"), || {
        params.name(foreign);
    });
    says(&format!("shape: {text}"), || {
        params.shape(foreign);
    });
    let (_, grads) = params.value_and_grad(|cx| cx.l2(1.0)).unwrap();
    says(&format!("tensor: {text}"), || {
        grads.tensor(foreign);
    });
    says("context: 0 variables for 1 parameter tensors", || {
        params.context(Mode::Eval, &[]);
    });
    says("context: `w` has shape [2], the variable [3]", || {
        params.context(Mode::Eval, &[zeros([3])]);
    });
    assert_eq!(params.clone().slice(id), [0.0, 0.0]);
    says("value_and_grad: the loss has shape [2], not that of a scalar: take its mean or sum", || {
        let _ = params.value_and_grad(|cx| cx.param(id));
    });
    says("value_and_grad_with: the loss has shape [2], not that of a scalar: take its mean or sum", || {
        let _ = params.value_and_grad_with(|cx| (cx.param(id), ()));
    });
    says("value_and_grad_in: the loss has shape [2], not that of a scalar: take its mean or sum", || {
        let _ = params.value_and_grad_in(Mode::Eval, |cx| cx.param(id));
    });
    says("value_and_grad_by: the loss has shape [2], not that of a scalar: take its mean or sum", || {
        let _ = params.value_and_grad_by(|cx| cx.param(id), usize::MAX, &mut |_, _| ());
    });
    let mean = params.at("norm").buffer("mean", Tensor::zeros([2]));
    says("param: there is already a parameter or buffer named `norm.mean`", || {
        params.at("norm").param("mean", [2], Init::Zeros);
    });
    says("set_buffer: `norm.mean` has shape [2], the new value [3]", || {
        params.infer(|cx| cx.set_buffer(mean, Tensor::zeros([3])));
    });
    let count = other.at("norm").count("count", 0);
    says("count: there is already a parameter or buffer named `norm.count`", || {
        other.at("norm").count("count", 1);
    });
    says(&format!("count: {text}"), || {
        params.infer(|cx| cx.count(count));
    });
    says(&format!("set_count: {text}"), || params.infer(|cx| cx.set_count(count, 1)));
    let (_, grads) = params.value_and_grad(|cx| cx.param(id).sum()).unwrap();
    says("update_buffers: the gradients belong to another `Params`", || other.update_buffers(&grads));
    says("collect_updates: the gradients belong to another `Params`", || other.collect_updates(&grads));
    let foreign = other.at("norm").buffer("mean", Tensor::zeros([2]));
    says(&format!("set_buffer: {text}"), || {
        other.clone().infer(|_| params.infer(|cx| cx.set_buffer(foreign, Tensor::zeros([2]))));
    });
    says(&format!("buffer: {text}"), || {
        params.infer(|cx| cx.buffer(foreign));
    });
}

#[test]
fn containers() {
    let mut params: Params = Params::seeded(0);
    let w = params.at("net.0").param("weight", [2, 2], Init::Zeros);
    says("param: there is already a parameter or buffer named `net.0.weight`", || {
        drop(Sequential::starting(params.at("net"), |p| Linear::new(p, 2, 2)).build());
    });
    says("param: there is already a parameter or buffer named `net.0.weight`", || {
        drop(Sequential::builder(params.at("net")).with(|p| Linear::new(p, 2, 2)).build());
    });
    says("checkpoint: the function captures a tracked variable; pass it as an input", || {
        let _ = params.value_and_grad(|cx| {
            let outside = cx.param(w);
            let x = outside.clone();
            cx.checkpoint(move |_, x| &x[0] * &outside, &[&x]).sum()
        });
    });
}

/// What a layer whose parameters belong to another `Params` says, and where.
#[test]
fn layers_of_another_model() {
    let (mut params, mut other) = (Params::<f32>::seeded(0), Params::<f32>::seeded(0));
    let linear = Linear::new(params.at("linear"), 2, 3);
    let conv = Conv2d::new(params.at("conv"), 1, 1, 3);
    let text = "the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    // Also where the other has parameters at the same places.
    for _ in 0..2 {
        says(&format!("linear: {text}"), || {
            other.infer(|cx| linear.forward(cx, &zeros([1, 2])));
        });
        says(&format!("linear: {text}"), || {
            other.infer(|cx| Layer::forward(&&linear, cx, &zeros([1, 2])));
        });
        says(&format!("conv2d: {text}"), || {
            other.infer(|cx| conv.forward(cx, &zeros([1, 1, 5, 5])));
        });
        if other.is_empty() {
            Linear::new(other.at("linear"), 2, 3);
            Conv2d::new(other.at("conv"), 1, 1, 3);
        }
    }
    // A bias alone that belongs elsewhere, which is looked at while somebody observes.
    struct Nobody;
    impl Observer for Nobody {}
    let foreign = other.root().param("bias", [3], Init::Zeros);
    let weight = linear.weight();
    says(&format!("affine: {text}"), || {
        params.infer(|cx| {
            cx.observe(std::rc::Rc::new(Nobody));
            let y = zeros([1, 2]).matmul(&cx.param(weight).t());
            cx.affine(Affine { weight, bias: Some(foreign), convolution: None }, &zeros([1, 2]), &y);
        });
    });
    struct Traced(ParamId);
    impl Layer for Traced {
        fn forward(&self, cx: &Ctx, x: &Var) -> Var {
            cx.trace("Traced", &[Some(self.0)], x.clone())
        }
    }
    says(&format!("trace: {text}"), || {
        params.summary(&Traced(foreign), [1]);
    });
    let leaves = || params.infer(|cx| cx.enter("Traced").leave(&[Some(foreign)], zeros([1])));
    leaves();
    says(&format!("leave: {text}"), || drop(wengert_tape::profile(leaves)));
}

#[test]
fn initial_values() {
    let mut params: Params = Params::seeded(0);
    let mut fill = |expected: &str, shape: &[usize], init: Init| {
        says(expected, || {
            params.root().param("w", shape, init);
        });
    };
    fill("init: [1, 0) is not a finite interval", &[2], Init::Uniform { low: 1.0, high: 0.0 });
    fill("init: [NaN, 1) is not a finite interval", &[2], Init::Uniform { low: f64::NAN, high: 1.0 });
    let text = "init: a normal distribution of mean 0 and standard deviation -1";
    fill(text, &[2], Init::Normal { mean: 0.0, std: -1.0 });
    let text = "init: the standard deviation 0 is not positive and finite";
    fill(text, &[2], Init::TruncatedNormal { std: 0.0 });
    let text = "init: shape [2] has no fan in and fan out, which take at least two axes";
    fill(text, &[2], Init::kaiming_normal());
    fill(text, &[2], Init::xavier_uniform());
    let within = Init::NormalWithin { mean: 0.0, std: 1.0, low: 2.0, high: 1.0 };
    fill("init: a normal distribution of mean 0 and standard deviation 1 within 2 and 1", &[2], within);
    fill("init: shape [2] is no matrix with a diagonal", &[2], Init::Identity);
    fill(
        "init: shape [2, 2] is no weight of a convolution, which has three to five axes",
        &[2, 2],
        Init::Dirac { groups: 1 },
    );
    let parted = "init: 3 output channels cannot be parted into 2 groups";
    fill(parted, &[3, 1, 1], Init::Dirac { groups: 2 });
    let sparse = |sparsity: f64| Init::Sparse { sparsity, std: 1.0 };
    fill("init: shape [2] is no matrix with sparse columns", &[2], sparse(0.5));
    fill("init: 1.5 is no part of a column", &[2, 2], sparse(1.5));
    fill("init: shape [2] is no matrix to be made orthogonal", &[2], Init::Orthogonal { gain: 1.0 });
    says(text, || {
        init::fans(&[2].into());
    });
    says("init: shape [2] has 2 elements, the slice 3", || {
        Init::Zeros.fill(&[2].into(), &mut [0f32; 3], &mut Generator::seeded(0));
    });
}

#[test]
fn layers() {
    let mut params: Params = Params::seeded(0);
    let linear = Linear::new(params.at("linear"), 784, 10);
    says("linear: the input has shape [64, 100], but `linear.weight` maps 784 features to 10", || {
        params.infer(|cx| linear.forward(cx, &zeros([64, 100])));
    });
    says("conv2d: 3 input and 8 output channels are not multiples of 2 groups", || {
        Conv2d::builder(3, 8, 3).groups(2).build(params.at("conv"));
    });
    says("param: there is already a parameter or buffer named `linear.weight`", || {
        Linear::new(params.at("linear"), 1, 1);
    });
    params.at("biased").param("bias", [1], Init::Zeros);
    says("param: there is already a parameter or buffer named `biased.bias`", || {
        Linear::new(params.at("biased"), 1, 1);
    });
    params.at("convolved").param("bias", [1], Init::Zeros);
    says("param: there is already a parameter or buffer named `convolved.bias`", || {
        Conv2d::new(params.at("convolved"), 1, 1, 3);
    });
    let conv = Conv2d::new(params.at("conv"), 1, 1, 3);
    says("conv2d: image [2, 3] and weight [1, 1, 3, 3] do not both have four axes", || {
        params.infer(|cx| conv.forward(cx, &zeros([2, 3])));
    });
    says("max_pool2d: image [3] does not have four axes", || {
        params.infer(|cx| MaxPool2d::new(2).forward(cx, &zeros([3])));
    });
    says("avg_pool2d: image [3] does not have four axes", || {
        params.infer(|cx| AvgPool2d::new(2).forward(cx, &zeros([3])));
    });
    says("flatten: axis 1 is out of range for shape [3] of rank 1", || {
        params.infer(|cx| Flatten::default().forward(cx, &zeros([3])));
    });
    says("log_softmax: axis 2 is out of range for shape [3] of rank 1", || {
        params.infer(|cx| LogSoftmax { axis: 2 }.forward(cx, &zeros([3])));
    });
    says("param: there is already a parameter or buffer named `net.0.weight`", || {
        Linear::new(params.at("net").at("0"), 1, 1);
        let _ = Sequential::builder(params.at("net")).with(|p| Linear::new(p, 1, 1));
    });
    says("dropout: the probability 1.5 is not in [0, 1]", || {
        Dropout::new(1.5);
    });
    says("softmax: axis 2 is out of range for shape [3] of rank 1", || {
        params.infer(|cx| Softmax { axis: 2 }.forward(cx, &zeros([3])));
    });
}

fn conv(p: Scope<'_>, stride: usize, padding: usize) -> Conv2d {
    Conv2d::builder(1, 1, 2).stride(stride).padding(padding).build(p)
}

#[test]
fn extreme_sizes() {
    let mut params: Params = Params::seeded(0);
    let kept = Linear::new(params.at("kept"), 3, 2);
    let far = usize::MAX;
    says(
        "param: shape [2, 18446744073709551615] has too many elements, a tensor has at most 1152921504606846975",
        || {
            Linear::new(params.at("a"), far, 2);
        },
    );
    says(
        "param: shape [268435456, 268435456] takes 288230376151711744 bytes, more memory than the system has",
        || {
            Linear::new(params.at("b"), 1 << 28, 1 << 28);
        },
    );
    says(
        "param: shape [4294967296, 4294967296, 3, 3] has too many elements, a tensor has at most 1152921504606846975",
        || {
            Conv2d::new(params.at("c"), 1 << 32, 1 << 32, 3);
        },
    );
    says(
        "param: shape [0, 1, 4294967296, 4294967296] has too many elements, a tensor has at most 1152921504606846975",
        || {
            Conv2d::new(params.at("d"), 1, 0, 1 << 32);
        },
    );
    says(
        "init: 18446744073709551615 · 2 are too many elements, a tensor has at most 1152921504606846975",
        || {
            fans(&[far, 2, 2].into());
        },
    );
    // What was refused has left nothing behind.
    assert_eq!((params.len(), params.values().len(), params.id("a.weight")), (8, 8, None));
    params.infer(|cx| assert_eq!(kept.forward(cx, &zeros([4, 3])).shape(), &[4, 2]));

    let (wide, padded) = (conv(params.at("wide"), far, 1), conv(params.at("padded"), 1, 1 << 63));
    params.infer(|cx| {
        assert_eq!(wide.forward(cx, &zeros([1, 1, 2, 3])).shape(), &[1, 1, 1, 1]);
        assert_eq!(MaxPool2d::new(2).stride(far).forward(cx, &zeros([1, 1, 2, 3])).shape(), &[1, 1, 1, 1]);
    });
    let image = "image [1, 1, 2, 3]";
    let large = "is larger than 2 pixels with padding";
    says(
        &format!(
            "conv2d: {image} and weight [1, 1, 2, 2]: a kernel of 2 taps with dilation 1 {large} {}",
            1u64 << 63
        ),
        || {
            params.infer(|cx| padded.forward(cx, &zeros([1, 1, 2, 3])));
        },
    );
    says(&format!("max_pool2d: {image}: a kernel of {far} taps with dilation 1 {large} 0"), || {
        params.infer(|cx| MaxPool2d::new(far).forward(cx, &zeros([1, 1, 2, 3])));
    });
    says(&format!("avg_pool2d: {image}: a kernel of 2 taps with dilation 1 {large} {far}"), || {
        params.infer(|cx| AvgPool2d::new(2).padding(far).forward(cx, &zeros([1, 1, 2, 3])));
    });
    says("flatten: axis -9223372036854775808 is out of range for shape [2, 3] of rank 2", || {
        params.infer(|cx| Flatten { start: isize::MIN, end: -1 }.forward(cx, &zeros([2, 3])));
    });
}

#[test]
fn losses() {
    let x = zeros([2, 3]);
    says(
        "cross_entropy: the logits have shape [2, 3] with the classes along axis 1, the labels [3], which should be [2]",
        || {
            x.cross_entropy(&Tensor::from([0u32, 1, 2]));
        },
    );
    says("cross_entropy: the label 3 at position [1] is not one of 3 classes (0 to 2)", || {
        x.cross_entropy(&Tensor::from([0u32, 3]));
    });
    says("accuracy: the label 7 at position [0] is not one of 3 classes (0 to 2)", || {
        accuracy(&x, &Tensor::from([7u32, 0]));
    });
    says("cross_entropy: the logits have shape [2, 3], the probabilities [3, 2]", || {
        x.cross_entropy(&zeros([3, 2]));
    });
    says("cross_entropy: the label smoothing 2 is not in [0, 1]", || {
        CrossEntropy { label_smoothing: 2.0, ..CrossEntropy::default() }.loss(&x, &Tensor::from([0u32, 1]));
    });
    says("mse: the prediction has shape [2, 3], the target [3]", || {
        x.mse(&zeros([3]));
    });
    says("l1: the prediction has shape [2, 3], the target [3]", || {
        x.l1(&zeros([3]));
    });
    says("huber: the prediction has shape [2, 3], the target [3]", || {
        x.huber(&zeros([3]));
    });
    says("smooth_l1: the prediction has shape [2, 3], the target [3]", || {
        x.smooth_l1(&zeros([3]));
    });
    says("huber: delta 0 is not positive", || {
        Huber { delta: 0.0, ..Huber::default() }.loss(&x, &x);
    });
    says("smooth_l1: beta -1 is negative", || {
        SmoothL1 { beta: -1.0, ..SmoothL1::default() }.loss(&x, &x);
    });
    says(
        "bce: 1.5 at position [1, 0] is no probability: pass it through a sigmoid, or use bce_with_logits",
        || {
            Var::from([[0.0f32], [1.5]]).bce(&zeros([2, 1]));
        },
    );
    says("bce_with_logits: the prediction has shape [2, 3], the target [2]", || {
        x.bce_with_logits(&zeros([2]));
    });
}

/// A gradient of another length, and a tensor that a file does not have.
#[test]
fn what_does_not_belong_there() {
    let mut params: Params<f64> = Params::seeded(0);
    Linear::new(params.root(), 2, 1);
    says("gradient: 1 elements for 3 parameters", || drop(params.gradient(&[1.0])));
    says(
        "gradient_with_buffers: (3, 1, 0) elements of the gradient, of changes and of counts for (3, 0, 0)",
        || drop(params.gradient_with_buffers(&[1.0; 3], &[0.5], &[])),
    );
    says("set_buffer_values: 0 values and 1 counts for 0 and 0", || {
        params.clone().set_buffer_values(&[], &[1])
    });
    let file = std::io::Cursor::new(params.to_safetensors().unwrap());
    let mut reader = tensor_file::Reader::new(file).unwrap();
    says("rename_pattern: `*.*` has 2 wildcards, `net.*` only 1 that tell what they stand for", || {
        drop(wengert_nn::Loading::new().rename_pattern("net.*", "*.*"));
    });
    says("tensor_file: tensor 2 of a file with 2", || drop(reader.numbers(2, |_| {})));
}
