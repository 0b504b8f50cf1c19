//! Misuse panics with the operation, the shapes and the caller's line.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use wengert_nn::init::fans;
use wengert_nn::*;
use wengert_tape::Var;
use wengert_tensor::Tensor;

/// One hook at a time.
static HOOK: Mutex<()> = Mutex::new(());

/// The message and the file of the panic of `work`.
fn panic_of(work: impl FnOnce()) -> (String, String) {
    let _guard = HOOK.lock().unwrap_or_else(|e| e.into_inner());
    static FILE: Mutex<String> = Mutex::new(String::new());
    std::panic::set_hook(Box::new(|info| {
        *FILE.lock().unwrap() = info.location().map_or(String::new(), |l| l.file().to_owned());
    }));
    let error = catch_unwind(AssertUnwindSafe(work)).expect_err("it should have panicked");
    let _ = std::panic::take_hook();
    let message = match error.downcast::<String>() {
        Ok(message) => *message,
        Err(error) => (*error.downcast::<&str>().unwrap()).to_owned(),
    };
    (message, FILE.lock().unwrap().clone())
}

#[track_caller]
fn says(expected: &str, work: impl FnOnce()) {
    let (message, file) = panic_of(work);
    assert_eq!(message, expected);
    assert!(file.ends_with("misuse.rs"), "`{message}` points at {file}");
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
    says("param: there is already a parameter named `w`", || {
        params.root().param("w", [3], Init::Zeros);
    });
    says("a parameter's name below `` is empty", || {
        params.at("");
    });
    says("set_values: 3 values for 2 parameters", || params.set_values(&[0.0; 3]));
    let text = "the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    says(&format!("param: {text}"), || {
        params.infer(|cx| cx.param(foreign));
    });
    says(&format!("slice: {text}"), || {
        params.slice(foreign);
    });
    assert_eq!(params.clone().slice(id), [0.0, 0.0]);
    says("value_and_grad: the loss has shape [2], not that of a scalar: take its mean or sum", || {
        let _ = params.value_and_grad(|cx| cx.param(id));
    });
    says("the parameter vector has 1 elements, for 2 parameters", || {
        params.flat_loss(|cx| cx.param(id).sum()).value(&[1.0]);
    });
    let mean = params.at("norm").buffer("mean", Tensor::zeros([2]));
    says("param: there is already a parameter named `norm.mean`", || {
        params.at("norm").param("mean", [2], Init::Zeros);
    });
    says("set_buffer: `norm.mean` has shape [2], the new value [3]", || {
        params.infer(|cx| cx.set_buffer(mean, Tensor::zeros([3])));
    });
}

#[test]
fn layers() {
    let mut params: Params = Params::seeded(0);
    let linear = Linear::new(params.at("linear"), 784, 10);
    says("linear: the input has shape [64, 100], but the layer maps 784 features to 10", || {
        params.infer(|cx| linear.forward(cx, &zeros([64, 100])));
    });
    says("conv2d: 3 input and 8 output channels are not multiples of 2 groups", || {
        Conv2d::builder(3, 8, 3).groups(2).build(params.at("conv"));
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
