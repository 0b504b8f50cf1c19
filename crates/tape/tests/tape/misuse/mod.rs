//! Misuse of tapes and transforms: what the panic says, and that it names the caller's line.

use crate::documented_panics::assert_all_provoked;
use crate::panics::caught;
use crate::recording::Told;
use wengert_tape::{
    Arguments, Attributes, BilinearMap, Cotangents, Data, Description, HessianOperator, Index, LinearMap,
    Mask, Op, Point, Pool2dOptions, Primals, Saves, Sweep, Tape, Var, apply, apply_given, checkpoint, grad,
    hessian, hvp, jvp, linearize, value_and_grad, vjp,
};
use wengert_tensor::conv::Conv2dOptions;
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape, Tensor};

/// Asserts that `$work` panics on its own line with a text that has all of the parts.
macro_rules! assert_panics {
    ($work:expr, $($part:expr),+) => {{
        let (panic, line) = (caught(|| $work), line!());
        $( assert!(panic.message.contains($part), "{:?} does not say {:?}", panic.message, $part); )+
        assert_eq!((&panic.file[..], panic.line), (file!(), line), "{}", panic.message);
    }};
}

mod ctc;
mod elementwise;
mod fft;
mod linalg;
mod normalise;
mod recurrent;
mod replay;
mod structure;
mod windows;
// Behind the macro, which it uses.
mod attention;
mod scan;

fn x() -> Var<f64> {
    Var::from([1.0, 2.0, 3.0])
}

#[test]
fn two_tapes() {
    let (first, second) = (Tape::new(), Tape::new());
    let (a, b) = (first.var(Tensor::from([1.0f64])), second.var(Tensor::from([2.0])));
    assert_panics!(&a * &b, "mul", "two different tapes", "stop_gradient");
    assert_panics!(a.matmul(&b), "matmul", "two different tapes");
    assert_panics!(Var::cat(&[&a, &b], 0), "cat", "two different tapes");
    assert_eq!((&a * b.stop_gradient()).item(), 2.0);
}

#[test]
fn a_variable_that_escaped() {
    let mut kept = None;
    grad(
        |x: &Var<f64>| {
            kept = Some(x.clone());
            x.sum()
        },
        &x(),
    );
    let kept = kept.unwrap();
    assert_eq!(kept.value().to_vec(), [1.0, 2.0, 3.0]);
    assert_panics!(&kept + &kept, "add: ", "escaped", "stop_gradient");
    assert_panics!(kept.exp(), "exp: ", "escaped");
    assert_panics!(kept.sum(), "escaped");
    assert_panics!(-&kept, "escaped");
    assert_panics!(&kept * 2.0, "escaped");
    assert_panics!(kept.powi(3), "escaped");
    assert_eq!(kept.stop_gradient().sum().item(), 6.0);
}

#[test]
fn a_tape_that_is_used_up() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0f64]));
    let y = x.square();
    assert_eq!(tape.gradients(&y, &[&x])[0].item(), 2.0);
    assert_panics!(&x * &y, "escaped");
    // Not a second gradient that is silently 0.
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0f64]));
    let y = x.square();
    tape.pull_back(&y, Var::ones([1]), &[&x], Sweep::Consume);
    assert_panics!(tape.pull_back(&y, Var::ones([1]), &[&x], Sweep::Consume), "pull_back", "used up");
    assert_panics!(tape.push_forward(&[&y], &[&x], &[Var::ones([1])]), "push_forward", "used up");
    assert_panics!(tape.var([1.0]), "var: ", "used up");
    assert_panics!(tape.enter(&x), "enter: ", "used up");
    assert_panics!(tape.recorded_gradients(&y, &[&x]), "recorded_gradients: ", "used up");
    assert_panics!(y.exp(), "escaped");
}

#[test]
fn a_gradient_of_several_values() {
    assert_panics!(grad(|x: &Var<f64>| x * x, &x()), "grad: ", "[3]", "sum");
    assert_panics!(value_and_grad(|x: &Var<f64>| x * x, &x()), "value_and_grad: ", "[3]");
    assert_panics!(hvp(|x: &Var<f64>| x * x, &x(), &x()), "hvp: ", "[3]");
    assert_panics!(HessianOperator::new(|x: &Var<f64>| x * x, &x()), "HessianOperator::new: ", "[3]");
    assert_panics!(hessian(|x: &Var<f64>| x * x, &x()), "hessian: ", "[3]");
    assert_panics!(grad(|x: &Var<f64>| x.slice(..0), &x()), "grad", "[0]");
    let tape = Tape::new();
    let v = tape.var(x().into_value());
    assert_panics!(tape.recorded_gradients(&(&v * &v), &[&v]), "recorded_gradients", "[3]");
    assert_panics!(tape.gradients(&v, &[&v]), "gradients", "[3]");
}

#[test]
fn directions_of_other_shapes() {
    let wrong = Var::from([1.0, 2.0]);
    let (_, pullback) = vjp(|x: &Var<f64>| x * x, &x());
    assert_panics!(pullback.apply(&wrong), "vjp: ", "[2]", "[3]");
    assert_panics!(jvp(|x: &Var<f64>| x * x, &x(), &wrong), "jvp: ", "[2]", "[3]");
    let (_, linearized) = linearize(|x: &Var<f64>| x * x, &x());
    assert_panics!(linearized.apply(&wrong), "linearize: ", "[2]", "[3]");
    assert_panics!(linearized.apply(&vec![x(), x()]), "linearize: ", "1 variables but 2 tangents");
    let operator = HessianOperator::new(|x: &Var<f64>| x.square().sum(), &x());
    assert_panics!(operator.apply(&wrong), "HessianOperator::apply: ", "[2]", "[3]");
    assert_panics!(operator.apply_once(&wrong), "HessianOperator::apply_once: ", "[2]", "[3]");
    assert_panics!(hvp(|x: &Var<f64>| x.sum(), &x(), &wrong), "hvp: ", "[2]", "[3]");
    assert_panics!((x(), x()).with_vars(vec![x()]), "with_vars: 1 variables", "2");
    assert_panics!(x().with_vars(vec![x(), x()]), "with_vars: 2 variables", "1");
    assert_panics!([x(), x()].with_vars(vec![]), "with_vars: 0 variables", "2");
    assert_panics!(vec![x()].with_vars(vec![]), "with_vars: 0 variables", "1");
    assert_panics!([x(), x()][..].rebuilt(vec![x()]), "with_vars: 1 variables", "2");
}

#[test]
fn variables_of_another_tape() {
    let (tape, another) = (Tape::new(), Tape::new());
    let (v, w) = (tape.var(x().into_value()), another.var(x().into_value()));
    let y = v.square();
    assert_panics!(tape.pull_back(&y, x(), &[&w], Sweep::Retain), "pull_back", "[3]", "not on this tape");
    let (told, mode) = (&mut Told::default(), Sweep::Retain);
    assert_panics!(tape.pull_back_observed(&y, x(), &[&w], mode, told), "pull_back_observed", "[3]");
    assert_panics!(tape.push_forward(&[&y], &[&w], &[x()]), "push_forward", "not on this tape");
    assert_panics!(tape.recorded_gradients(&y.sum(), &[&x()]), "recorded_gradients: ", "not on this tape");
    let once = vec![y.clone()];
    assert_panics!(tape.push_forward_once(once, &[&w], &[x()]), "push_forward_once: ", "not on this");
    let sum = y.sum();
    assert_panics!(tape.gradients(&sum, &[&x()]), "gradients: ", "[3]", "not on this tape");
}

#[test]
fn a_checkpoint_that_captures() {
    let outer = Tape::new();
    let captured = outer.var(x().into_value());
    let inner = captured.clone();
    let product = move |v: &[Var<f64>]| &v[0] * &inner;
    assert_panics!(checkpoint(product, &[&captured]), "checkpoint", "captures", "input");
}

fn ones(shape: &[usize]) -> Var<f64> {
    Var::ones(shape)
}

/// What tensors do not have as variables do, or not under the same conditions: see `shapes.rs` for the others.
#[test]
fn shapes_and_numbers_that_operations_refuse() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    let none: [Var<f64>; 0] = [];
    assert_panics!(Var::<f64>::cat(&none, 0), "cat: there are no variables");
    assert_panics!(Var::<f64>::stack(&none, 0), "stack: there are no variables");
    assert_panics!(Var::stack(&[&v, &v], 2), "stack: axis 2", "out of range");
    assert_panics!(Var::stack(&[v.clone(), m.clone()], 0), "stack: ", "[3]", "[2, 3]");
    assert_panics!(m.masked_fill(Tensor::full([2], true), 0.0), "masked_fill: ", "[2, 3]", "[2]");
    assert_panics!(m.flatten(1, 0), "flatten: ", "[2, 3]");
    assert_panics!(m.flatten(0, 2), "flatten: ", "[2, 3]");
    assert_panics!(ones(&[]).slice(..1), "slice: ", "[]");
    assert_panics!(v.triu(0), "triu: ", "[3]");
    assert_panics!(ones(&[]).diag(0), "diag: ", "[]");
    assert_panics!(ones(&[0]).min(), "min: ", "[0]");
    assert_panics!(m.max_axes(2, false), "max: ", "2", "[2, 3]");
    assert_panics!(m.std_axes(2, 1, false), "std: ", "2", "[2, 3]");
    assert_panics!(m.cumprod(2), "cumprod: ", "2", "[2, 3]");
    assert_panics!(m.prod_axis(2, false), "prod: ", "2", "[2, 3]");
    assert_panics!(m.sort(2, false), "sort: ", "2", "[2, 3]");
    assert_panics!(m.topk(1, 2), "topk: ", "2", "[2, 3]");
    assert_panics!(m.topk(4, 1), "topk: ", "4", "[2, 3]");
    assert_panics!(m.argsort(2, false), "argsort: ", "2", "[2, 3]");
    assert_panics!(m.argmax(2), "argmax: ", "2", "[2, 3]");
    assert_panics!(m.argmin(2), "argmin: ", "2", "[2, 3]");
    let two = ones(&[2]);
    assert_panics!(m.gt(&two), "gt: ", "[2, 3]", "[2]");
    assert_panics!(m.ge(&two), "ge: ", "[2, 3]", "[2]");
    assert_panics!(m.lt(&two), "lt: ", "[2, 3]", "[2]");
    assert_panics!(m.le(&two), "le: ", "[2, 3]", "[2]");
    assert_panics!(m.equal(&two), "equal: ", "[2, 3]", "[2]");
    assert_panics!(m.not_equal(&two), "not_equal: ", "[2, 3]", "[2]");
    let labels = Index::<f64>::constant(Tensor::vector(&[0, 3]));
    assert_panics!(labels.one_hot(3), "one_hot: ", "3");
    assert_panics!(labels.reshape([3]), "reshape: ", "[2]", "[3]");
    assert_panics!(m.dropout(1.5, Index::key(&Generator::seeded(0))), "dropout: ", "1.5");
    assert_panics!(labels.fork(1), "fork: ", "six words", "[2]");
    assert_panics!(labels.generator(), "generator: ", "six words", "[2]");
    assert_panics!(m.dropout(0.5, &labels), "dropout: ", "six words", "[2]");
    assert_panics!(m.masked_scale(&Tensor::ones([2])), "masked_scale: ", "[2, 3]", "[2]");
    assert_panics!(m.clamp(1.0, 0.0), "clamp: ", "1", "0");
    assert_panics!(m.conv2d(&v, None, Conv2dOptions::default()), "conv2d: ", "[2, 3]", "[3]");
    let (image, kernel) = (ones(&[1, 1, 3, 3]), ones(&[1, 1, 2, 2]));
    assert_panics!(image.conv2d(&kernel, Some(&v), Conv2dOptions::default()), "conv2d: ", "[3]", "1 output");
    assert_panics!(m.max_pool2d(Pool2dOptions::new([2, 2])), "max_pool2d: ", "[2, 3]", "four axes");
    assert_panics!(m.avg_pool2d(Pool2dOptions::new([2, 2]), true), "avg_pool2d: ", "[2, 3]", "four axes");
    assert_panics!(image.avg_pool2d(Pool2dOptions::new([4, 4]), true), "avg_pool2d: ", "[1, 1, 3, 3]", "4");
    let [one, unknown, known] = &[&[0u32][..], &[0, 3], &[0, 1]].map(Tensor::vector);
    assert_panics!(m.softmax_cross_entropy(one, 0.0), "softmax_cross_entropy: ", "[2, 3]", "[1]");
    assert_panics!(m.softmax_cross_entropy(unknown, 0.0), "softmax_cross_entropy: ", "3");
    assert_panics!(m.softmax_cross_entropy(known, 2.0), "softmax_cross_entropy: ", "2");
    assert_panics!(m.layer_norm(&ones(&[2]), &ones(&[2]), 1e-5), "layer_norm: ", "[2, 3]", "[2]");
    assert_panics!(m.layer_norm(&v, &ones(&[2]), 1e-5), "layer_norm: ", "[3]", "[2]");
    assert_panics!(&v + Tensor::<f64>::ones([2]), "add: ", "[3]", "[2]");
    assert_panics!(Tensor::<f64>::ones([2]) - &v, "sub: ", "[2]", "[3]");
    let mut sum = v.clone();
    assert_panics!(sum += &m.t(), "add: ", "[3]", "[3, 2]");
    assert_panics!(sum -= &m.t(), "sub: ", "[3]", "[3, 2]");
    assert_panics!(sum *= m.t(), "mul: ", "[3]", "[3, 2]");
    assert_panics!(sum /= m.t().into_value(), "div: ", "[3]", "[3, 2]");
    assert_eq!(sum.value(), v.value());
}

/// Rules whose cotangent is of another shape than the input: the message names the operation, or the call.
#[test]
fn rules_that_do_not_fit() {
    #[derive(Clone)]
    struct Halved;
    impl<T: Float> LinearMap<T> for Halved {
        fn name(&self) -> &str {
            "halved"
        }
        fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
            x.slice(..1)
        }
        fn transpose(&self, _: &Var<T>, _: &Shape) -> Var<T> {
            Var::ones([2])
        }
    }
    #[derive(Clone)]
    struct First;
    impl<T: Float> BilinearMap<T> for First {
        fn name(&self) -> &str {
            "first"
        }
        fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
            (a * b).slice(..1)
        }
        fn left(&self, cotangent: &Var<T>, b: &Var<T>, _: &Shape) -> Var<T> {
            cotangent * b
        }
        fn right(&self, _: &Var<T>, _: &Var<T>, _: &Shape) -> Var<T> {
            Var::ones([5])
        }
    }
    let panic = caught(|| grad(|x: &Var<f64>| x.linear(Halved).sum(), &x()));
    assert!(panic.message.starts_with("halved: ") && panic.message.contains("[2]"), "{}", panic.message);
    let panic = caught(|| grad(|y: &Var<f64>| x().bilinear(First, y).sum(), &x()));
    assert!(panic.message.starts_with("first: ") && panic.message.contains("[5]"), "{}", panic.message);

    /// An operation whose rule is wrong in the way that its number says.
    struct Wrong(usize);
    impl Op<f64> for Wrong {
        fn name(&self) -> &str {
            "wrong"
        }
        fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> {
            x[0].clone()
        }
        fn vjp(&self, at: &Point<f64>, cotangent: &Var<f64>, into: &mut Cotangents<f64>) {
            match self.0 {
                0 => into.add(0, || Var::ones([2])),
                1 => into.add(1, || cotangent.clone()),
                2 => {
                    let none = || Description { name: "nothing".into(), attributes: Attributes::default() };
                    into.add_in_place(1, none, [cotangent], || cotangent.clone(), |_, _| ());
                }
                3 => drop(at.input(1)),
                4 => assert!(at.needs(1)),
                5 => drop(at.given(0)),
                6 => into.add_all(0, || Var::ones([2])),
                7 => into.add_all(1, || cotangent.clone()),
                _ => drop(at.input(0).value()),
            }
        }
        fn saves(&self) -> Saves {
            Saves::NOTHING
        }
    }
    let texts = [
        "Cotangents::add: the contribution to the cotangent of input 0 has shape [2], to which the input's [3] does not",
        "Cotangents::add: there is no input 1, the operation has 1",
        "Cotangents::add: there is no input 1, the operation has 1",
        "input: there is no input 1, the operation has 1",
        "needs: there is no input 1, the operation has 1",
        "given: there is no input 0, the operation has 0",
        "Cotangents::add: the contribution to the cotangent of input 0 has shape [2], to which the input's [3] does not",
        "Cotangents::add: there is no input 1, the operation has 1",
        "a gradient rule reads a value of shape [3]",
    ];
    for (i, text) in texts.into_iter().enumerate() {
        let panic = caught(|| grad(|x: &Var<f64>| apply(Wrong(i), &[x]).sum(), &x()));
        assert!(panic.message.starts_with(text), "{}", panic.message);
        // The rule's own line.
        assert_eq!(panic.file, file!(), "{}", panic.message);
    }
}

/// An operation whose inputs are on two tapes.
struct Meeting;

impl Op<f64> for Meeting {
    fn name(&self) -> &str {
        "meeting"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> {
        x[0] + x[1]
    }
    fn vjp(&self, _: &Point<f64>, _: &Var<f64>, _: &mut Cotangents<f64>) {}
}

#[test]
fn values_of_the_wrong_kind_and_recordings_that_are_not_for_derivatives() {
    let (float, mask) = (Data::Float(Tensor::<f64>::ones([2])), Data::<f64>::Mask(Tensor::full([2], true)));
    assert_panics!(float.index(), "a value of kind index is needed", "float");
    assert_panics!(float.mask(), "a value of kind mask is needed", "float");
    assert_panics!(mask.float(), "a value of kind float is needed", "mask");
    let labels = Index::<f64>::constant(Tensor::vector(&[0, 1]));
    assert_panics!(labels.given().to_mask(), "a value of kind mask is needed", "index");
    let mask = Mask::<f64>::constant(Tensor::full([2], true));
    assert_panics!(mask.given().to_index(), "a value of kind index is needed", "mask");

    let tape = Tape::complete();
    let x = tape.var([1.0f64, 2.0]);
    let y = (&x * &x).sum();
    let steps = tape.steps();
    assert_panics!(steps[0].run(&[]), "run: a step `input` is no operation");
    assert_panics!(steps[1].run(&[&float]), "run: `mul` takes 2 inputs, not 1");
    assert_panics!(tape.recorded_gradients(&y, &[&x]), "recorded_gradients: a complete tape");
    assert_panics!(tape.push_forward(&[&y], &[&x], &[Var::ones([2])]), "push_forward: a complete tape");
    let [a, b] = [Tape::new(), Tape::new()].map(|tape| tape.var([1.0f64]));
    assert_panics!(apply_given(Meeting, &[&a, &b], &[]), "meeting: its inputs are on two different tapes");
    tape.close();
    assert_panics!(tape.discrete(Tensor::vector(&[0u32])), "discrete: the tape has been used up");
}

/// Every function that says when it panics is called in this folder or in `shapes.rs`.
#[test]
fn every_documented_panic_is_provoked() {
    assert_all_provoked(
        env!("CARGO_MANIFEST_DIR"),
        &["tests/tape/misuse", "tests/tape/shapes.rs"],
        70,
        "layer_norm",
    );
}
