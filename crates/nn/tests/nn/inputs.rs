//! Layers from and to other things than variables, and what holds them.

use wengert_nn::*;
use wengert_tape::{Var, check_grads};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape, Tensor};

/// A learned vector for each token.
struct Tokens(ParamId);

impl Tokens {
    fn new<T: Float>(mut p: Scope<'_, T>, tokens: usize, features: usize) -> Self {
        Tokens(p.param("weight", [tokens, features], Init::xavier_normal()))
    }
}

impl<T: Float> Layer<T, Tensor<u32>> for Tokens {
    fn forward(&self, cx: &Ctx<T>, tokens: &Tensor<u32>) -> Var<T> {
        let flat = tokens.reshape([tokens.len()]);
        let mut shape = tokens.shape().to_vec();
        let rows = cx.param(self.0).index_select(0, &flat);
        shape.push(rows.shape()[1]);
        cx.trace("Tokens", &[Some(self.0)], rows.reshape(Shape::from(shape)))
    }
}

/// A cell with a state: (x, h) to (y, h′).
struct Cell {
    input: Linear,
    state: Linear,
}

impl Cell {
    fn new<T: Float>(mut p: Scope<'_, T>, features: usize) -> Self {
        let input = Linear::new(p.at("input"), features, features);
        Cell { input, state: Linear::builder(features, features).no_bias().build(p.at("state")) }
    }
}

type Pair<T> = (Var<T>, Var<T>);

impl<T: Float> Layer<T, Pair<T>, Pair<T>> for Cell {
    fn forward(&self, cx: &Ctx<T>, (x, h): &Pair<T>) -> Pair<T> {
        let h = (self.input.forward(cx, x) + self.state.forward(cx, h)).tanh();
        (&h * 2.0, h)
    }
}

/// All steps of a sequence `[batch, time, features]` by a cell: the last output.
struct Recurrent<C>(C);

impl<T: Float, C: Layer<T, Pair<T>, Pair<T>>> Layer<T> for Recurrent<C> {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let start = Var::zeros([x.shape()[0], x.shape()[2]]);
        let (mut y, mut h) = (start.clone(), start);
        for t in 0..x.shape()[1] {
            (y, h) = self.0.forward(cx, &(x.select(1, t as isize), h));
        }
        y
    }
}

/// Attention of queries to values, of which a mask leaves some out.
struct Attention(Linear);

struct Attended<T: Float> {
    queries: Var<T>,
    values: Var<T>,
    left_out: Tensor<bool>,
}

impl<T: Float> Layer<T, Attended<T>> for Attention {
    fn forward(&self, cx: &Ctx<T>, x: &Attended<T>) -> Var<T> {
        let scores = self.0.forward(cx, &x.queries).matmul(&x.values.transpose(-1, -2));
        let weights = scores.masked_fill(x.left_out.unsqueeze(0), -1e9).softmax(-1);
        weights.matmul(&x.values)
    }
}

fn random(shape: impl Into<Shape>, seed: u64) -> Var<f64> {
    Var::constant(Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed)))
}

#[track_caller]
fn right_derivatives(params: &Params<f64>, loss: impl Fn(&Ctx<f64>) -> Var<f64>) {
    check_grads(|w| loss(&params.context(Mode::Train, w)), &params.vars(), 2).unwrap();
}

#[test]
fn tokens_through_a_sequence_of_layers() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Sequential::starting(params.at("net"), |p| Tokens::new(p, 10, 3))
        .with(|p| Recurrent(Cell::new(p, 3)))
        .then(Dropout::new(0.5))
        .with(|p| Linear::new(p, 3, 2))
        .build();
    let names: Vec<&str> = params.iter().map(|(name, ..)| name).collect();
    let expected = ["0.weight", "1.input.weight", "1.input.bias", "1.state.weight", "3.weight", "3.bias"];
    assert_eq!(names, expected.map(|name| format!("net.{name}")));
    assert_eq!((model.len(), model.is_empty()), (4, false));
    let tokens = Tensor::from([[1u32, 2, 9], [0, 0, 3]]);
    right_derivatives(&params, |cx| model.forward(cx, &tokens).square());
    // As a trait object, from tokens too.
    let boxed: Box<dyn Layer<f64, Tensor<u32>>> = Box::new(model);
    assert_eq!(params.infer(|cx| boxed.forward(cx, &tokens)).shape(), &[2, 2]);
    let empty = Sequential::<f64>::new(Vec::new());
    assert!(empty.is_empty() && Sequential::builder(params.at("none")).build().is_empty());
    assert_eq!(params.infer(|cx| empty.forward(cx, &random([2], 1))).shape(), &[2]);
}

#[test]
fn a_cell_with_a_state() {
    let mut params: Params<f64> = Params::seeded(0);
    let cell = Cell::new(params.at("cell"), 3);
    let (x, h) = (random([2, 3], 1), random([2, 3], 2));
    right_derivatives(&params, |cx| {
        let (y, h) = cell.forward(cx, &(x.clone(), h.clone()));
        y * h.sin()
    });
    // Two cells one above the other are a cell: what the lower gives is the input of the upper.
    let upper = Cell::new(params.at("upper"), 3);
    let stack = Chain::new(cell, upper);
    let (y, h) = params.infer(|cx| stack.forward(cx, &(x.clone(), h.clone())));
    assert_eq!((y.shape(), y.value()), (h.shape(), (&h * 2.0).value()));
    right_derivatives(&params, |cx| Recurrent(&stack).forward(cx, &random([2, 4, 3], 5)));
}

#[test]
fn several_inputs_and_a_mask() {
    let mut params: Params<f64> = Params::seeded(0);
    let attention = Attention(Linear::new(params.root(), 3, 3));
    let (queries, values) = (random([2, 3], 1), random([4, 3], 2));
    let left_out = Tensor::from([false, true, false, true]);
    let input = |values: Var<f64>| Attended { queries: queries.clone(), values, left_out: left_out.clone() };
    right_derivatives(&params, |cx| attention.forward(cx, &input(values.clone())));
    // What is left out does not matter.
    let other = Var::from(Tensor::from_fn([4, 3], |i| match i[0] % 2 {
        0 => values.value().at([i[0], i[1]]),
        _ => 100.0,
    }));
    let [a, b] = [values.clone(), other].map(|v| params.infer(|cx| attention.forward(cx, &input(v))));
    assert!(a.value().all_close(b.value(), 1e-12, 1e-12));
    // Made from tokens by a chain of types.
    struct Parts(Tokens);
    impl Layer<f64, [Tensor<u32>; 2], Attended<f64>> for Parts {
        fn forward(&self, cx: &Ctx<f64>, [questions, text]: &[Tensor<u32>; 2]) -> Attended<f64> {
            let [queries, values] = [questions, text].map(|tokens| self.0.forward(cx, tokens));
            Attended { queries, values, left_out: text.equal(0) }
        }
    }
    let parts = Parts(Tokens::new(params.at("tokens"), 10, 3));
    let model = Chain::new(Chain::new(parts, attention), Linear::new(params.at("out"), 3, 1));
    let input = [Tensor::from([1u32, 2]), Tensor::from([3u32, 4, 0])];
    right_derivatives(&params, |cx| model.forward(cx, &input));
}
