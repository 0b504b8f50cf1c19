//! What becomes of initialisers: parameters, buffers and constants; and values of the newer kinds.

use wengert_nn::{Layer, Params};
use wengert_onnx::{Model, Problem, ReadError, RunError, Value};
use wengert_tape::Var;

use super::files::{bytes, floats, int, int_attribute, ints, model, node, of_set, tensor};

fn names(params: &Params<f32>) -> (Vec<String>, Vec<String>) {
    let buffers = params.buffers().into_iter().map(|(name, _)| name).collect();
    (params.iter().map(|(name, ..)| name.to_owned()).collect(), buffers)
}

fn float_attribute(name: &str, value: f32) -> Vec<u8> {
    [bytes(1, name), vec![0x15], value.to_le_bytes().to_vec(), int(20, 1)].concat()
}

#[test]
fn roles_pass_through_what_is_computed_of_initialisers_alone() {
    let half = tensor("w", 10, &[2], &[0x00, 0x3c, 0x00, 0xc0]);
    let nodes = [
        node("Cast", &["w"], &["wide"], &[int_attribute("to", 1)]),
        node("Mul", &["x", "wide"], &["scaled"], &[]),
        node("Neg", &["limit"], &["low"], &[]),
        node("Clip", &["scaled", "low", "limit"], &["y"], &[]),
    ];
    let file = model(&nodes, &[half, floats("limit", &[], &[3.0])], &["x"], &["y"]);
    let mut params: Params<f32> = Params::seeded(0);
    let read = Model::from_bytes(params.root(), &file).unwrap();
    assert_eq!(names(&params), (vec!["w".to_owned()], vec![]));
    let x = Var::from([2.0, 4.0]);
    let (_, grads) = params.value_and_grad(|cx| Layer::forward(&read, cx, &x).sum()).unwrap();
    // 4·(−2) is cut off.
    assert_eq!(grads[..], [2.0, 0.0]);
}

/// (x − mean)/√(variance + ε), with the variance plus 3 by a node of its own.
fn normalisation(attributes: &[Vec<u8>], outputs: &[&str]) -> Vec<u8> {
    let nodes = [
        node("Add", &["variance", "three"], &["more"], &[]),
        node("BatchNormalization", &["x", "gain", "bias", "mean", "more"], outputs, attributes),
    ];
    let one = |name: &str, value: f32| floats(name, &[1], &[value]);
    let tensors =
        [one("gain", 2.0), one("bias", 0.5), one("mean", 1.0), one("variance", 1.0), one("three", 3.0)];
    model(&nodes, &tensors, &["x"], &["y"])
}

#[test]
fn running_statistics_are_buffers() {
    let file = normalisation(&[float_attribute("epsilon", 0.0)], &["y"]);
    let mut params: Params<f32> = Params::seeded(0);
    let read = Model::from_bytes(params.root(), &file).unwrap();
    let of = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&params), (of(&["gain", "bias"]), of(&["mean", "variance", "three"])));
    let run = |params: &Params<f32>| {
        params.infer(|cx| Layer::forward(&read, cx, &Var::from([[5.0], [1.0]]))).value().to_vec()
    };
    assert_eq!(run(&params), [4.5, 0.5]);
    params.set_buffer_values(&[3.0, 13.0, 3.0], &[]);
    assert_eq!(run(&params), [1.5, -0.5]);
}

/// Since set 14 an attribute says so, and before that the results that are wanted.
#[test]
fn statistics_of_a_normalisation_by_the_batch_move_in_training() {
    let (trains, momentum) = (int_attribute("training_mode", 1), float_attribute("momentum", 0.75));
    let epsilon = float_attribute("epsilon", 0.0);
    let inputs = ["x", "gain", "bias", "mean", "variance"];
    let outputs = ["y", "new_mean", "new_variance", "saved_mean", "saved_variance"];
    let of =
        |outputs: &[&str], attributes: &[Vec<u8>]| node("BatchNormalization", &inputs, outputs, attributes);
    let one = |name: &str, value: f32| floats(name, &[1], &[value]);
    let tensors = [one("gain", 1.0), one("bias", 0.0), one("mean", 1.0), one("variance", 2.0)];
    let now = of(&outputs[..3], &[trains, momentum.clone(), epsilon.clone()]);
    for file in [of_set(15, now, &tensors), of_set(9, of(&outputs, &[momentum, epsilon]), &tensors)] {
        moves_in_training(&file);
    }
}

fn moves_in_training(file: &[u8]) {
    let mut params: Params<f32> = Params::seeded(0);
    let read = Model::from_bytes(params.root(), file).unwrap();
    let x = Var::from([[3.0], [7.0]]);
    let loss = |cx: &wengert_nn::Ctx| Layer::forward(&read, cx, &x).square().sum();
    let (value, grads) = params.value_and_grad(loss).unwrap();
    assert_eq!(value, 2.0);
    params.infer(loss);
    assert_eq!(params.buffer_values(), [1.0, 2.0]);
    params.update_buffers(&grads);
    // A quarter of the way to 5 and 4.
    assert_eq!(params.buffer_values(), [2.0, 2.5]);
}

fn run(nodes: &[Vec<u8>], tensors: &[Vec<u8>], x: &Var) -> Result<Value, RunError> {
    let mut params: Params<f32> = Params::seeded(0);
    let read = Model::from_bytes(params.root(), &model(nodes, tensors, &["x"], &["y"])).expect("a model");
    params.infer(|cx| Ok(read.forward(cx, &[("x", x.into())])?.into_values().remove(0)))
}

fn problem(result: Result<Value, RunError>) -> Problem {
    match result {
        Err(RunError::Node(error)) => *error.problem,
        other => panic!("{other:?}"),
    }
}

/// Buckets of relative positions take the logarithm of 0 before they mask it.
#[test]
fn infinities_become_the_ends_of_the_range_of_whole_numbers() {
    let nodes = [
        node("Log", &["x"], &["log"], &[]),
        node("Cast", &["log"], &["whole"], &[int_attribute("to", 7)]),
        node("Add", &["whole", "two"], &["sum"], &[]),
        node("Min", &["sum", "three"], &["y"], &[]),
    ];
    let tensors = [ints("two", &[1], &[2]), ints("three", &[1], &[3])];
    let found = run(&nodes, &tensors, &Var::from([0.0, 1.0, 2.8, 1e9, f32::NAN])).unwrap();
    assert_eq!(found.ints().unwrap().to_vec(), [i64::MIN, 2, 3, 3, 2]);
}

#[test]
fn divisions_by_zero_and_numbers_that_are_not_held_are_two_faults() {
    let cast = node("Cast", &["x"], &["whole"], &[int_attribute("to", 7)]);
    for operator in ["Div", "Mod"] {
        let nodes = [cast.clone(), node(operator, &["two", "whole"], &["y"], &[])];
        let found = problem(run(&nodes, &[ints("two", &[1], &[2])], &Var::from([0.0])));
        assert_eq!(found, Problem::DivisionByZero);
    }
    let nodes = [cast, node("Mul", &["large", "whole"], &["y"], &[])];
    let found = problem(run(&nodes, &[ints("large", &[1], &[1 << 52])], &Var::from([3.0])));
    assert_eq!(found, Problem::Inexact);
    // Neither is a constant of a node a panic.
    let constant = node("Constant", &[], &["c"], &[int_attribute("value_int", (1 << 53) + 1)]);
    let file = model(&[constant, node("Relu", &["c"], &["y"], &[])], &[], &["x"], &["y"]);
    let error = Model::<f32>::from_bytes(Params::seeded(0).root(), &file).unwrap_err();
    assert!(
        matches!(&error, ReadError::Constant { source, .. } if *source.problem == Problem::Inexact),
        "{error}"
    );
}

#[test]
fn sequences_are_values_but_no_tensors() {
    let split = node("SplitToSequence", &["x"], &["s"], &[]);
    let x = Var::from([[1.0, 2.0], [3.0, 4.0]]);
    let found = run(&[split.clone(), node("Identity", &["s"], &["y"], &[])], &[], &x).unwrap();
    let parts = found.sequence().unwrap();
    assert_eq!((parts.len(), &parts[1].shape()[..]), (2, &[1, 2][..]));
    for (operator, inputs) in [("Relu", &["s"][..]), ("Add", &["x", "s"]), ("Concat", &["s", "s"])] {
        let found = problem(run(&[split.clone(), node(operator, inputs, &["y"], &[])], &[], &x));
        assert!(matches!(found, Problem::Kind { found: "a sequence", .. }), "{operator}: {found}");
    }
    let at = |place: i64| {
        let nodes = [split.clone(), node("SequenceAt", &["s", "at"], &["y"], &[])];
        run(&nodes, &[ints("at", &[], &[place])], &x)
    };
    assert_eq!(at(-2).unwrap().float().unwrap().value().to_vec(), [1.0, 2.0]);
    assert_eq!(problem(at(2)), Problem::Index { index: 2, length: 2 });
    assert_eq!(problem(at(-3)), Problem::Index { index: -3, length: 2 });
    // A sequence of one value, which is taken out.
    let none =
        [node("SequenceConstruct", &["x"], &["one"], &[]), node("SequenceErase", &["one"], &["none"], &[])];
    let then = |last: Vec<u8>| problem(run(&[&none[..], &[last]].concat(), &[], &x));
    assert!(matches!(then(node("SequenceErase", &["none"], &["y"], &[])), Problem::Index { length: 0, .. }));
    let joined = node("ConcatFromSequence", &["none"], &["y"], &[int_attribute("axis", 0)]);
    assert!(matches!(then(joined), Problem::Unsupported(_)));
}
