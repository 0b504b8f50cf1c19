//! What is refused when a model runs: a typed error with the node, the operator and the shapes.

use wengert_nn::Params;
use wengert_onnx::{Model, NodeError, Problem, RunError, Value};
use wengert_tape::Var;

use super::files::{bytes, floats, int, int_attribute, ints, ints_attribute, model, node};

/// The error of a model with these nodes and tensors for an input `x` of that shape.
fn error(nodes: &[Vec<u8>], tensors: &[Vec<u8>], shape: &[usize]) -> RunError {
    let mut params: Params<f32> = Params::seeded(0);
    let model =
        Model::from_bytes(params.root(), &model(nodes, tensors, &["x"], &["y"])).expect("it can be read");
    let x = Var::<f32>::ones(shape);
    params.infer(|cx| model.forward(cx, &[("x", x.into())])).expect_err("it cannot be run")
}

/// A node, the tensors it takes, the shape of the input x, and what the message says.
type Case = (Vec<u8>, Vec<Vec<u8>>, &'static [usize], &'static [&'static str]);

#[test]
fn operands_that_do_not_fit_are_told_with_node_operator_and_shapes() {
    let cases: Vec<Case> = vec![
        (
            node("Add", &["x", "w"], &["y"], &[]),
            vec![floats("w", &[3], &[1.0; 3])],
            &[2],
            &["[2]", "[3]", "broadcast"],
        ),
        (
            node("MatMul", &["x", "w"], &["y"], &[]),
            vec![floats("w", &[3, 1], &[1.0; 3])],
            &[2, 2],
            &["[2, 2]", "[3, 1]"],
        ),
        (
            node("Gemm", &["x", "w"], &["y"], &[]),
            vec![floats("w", &[3], &[1.0; 3])],
            &[2, 2],
            &["[3]", "2 axes"],
        ),
        (
            node("Conv", &["x", "w"], &["y"], &[]),
            vec![floats("w", &[1, 2, 1], &[1.0; 2])],
            &[1, 3, 4],
            &["[1, 3, 4]", "[1, 2, 1]"],
        ),
        (
            node("Conv", &["x", "w"], &["y"], &[]),
            vec![floats("w", &[1, 1, 3], &[1.0; 3])],
            &[1, 1, 2],
            &["[1, 1, 2]", "[3]"],
        ),
        (
            node("MaxPool", &["x"], &["y"], &[ints_attribute("kernel_shape", &[3])]),
            vec![],
            &[1, 1, 2],
            &["[1, 1, 2]"],
        ),
        (node("Reshape", &["x", "s"], &["y"], &[]), vec![ints("s", &[1], &[5])], &[2, 2], &["[2, 2]", "[5]"]),
        (node("Reshape", &["x", "s"], &["y"], &[]), vec![ints("s", &[1], &[-2])], &[2, 2], &["[-2]"]),
        (
            node("Concat", &["x", "w"], &["y"], &[int_attribute("axis", 0)]),
            vec![floats("w", &[1, 3], &[1.0; 3])],
            &[2, 2],
            &["[2, 2]", "[1, 3]"],
        ),
        (node("Transpose", &["x"], &["y"], &[ints_attribute("perm", &[0, 0])]), vec![], &[2, 2], &["[0, 0]"]),
        (node("Softmax", &["x"], &["y"], &[int_attribute("axis", 5)]), vec![], &[2], &["axis 5"]),
        (node("Gather", &["x", "i"], &["y"], &[]), vec![ints("i", &[1], &[7])], &[2], &["index 7 of 2"]),
        (node("Squeeze", &["x", "a"], &["y"], &[]), vec![ints("a", &[1], &[0])], &[2], &["[2]"]),
        (
            node("Expand", &["x", "s"], &["y"], &[]),
            vec![ints("s", &[2], &[1 << 40, 1 << 40])],
            &[1],
            &["1099511627776", "limit", "elements"],
        ),
        (node("Where", &["x", "x", "x"], &["y"], &[]), vec![], &[1], &["truth values", "floating-point"]),
        (
            node("LayerNormalization", &["x", "w"], &["y"], &[]),
            vec![floats("w", &[3], &[1.0; 3])],
            &[2, 2],
            &["[3]", "[2]"],
        ),
        (node("Tile", &["x", "n"], &["y"], &[]), vec![ints("n", &[1], &[-1])], &[2], &["repeats", "-1"]),
        (
            node("Slice", &["x", "a", "a", "a", "z"], &["y"], &[]),
            vec![ints("a", &[1], &[0]), ints("z", &[1], &[0])],
            &[2],
            &["step of 0"],
        ),
        (
            node("Einsum", &["x", "x"], &["y"], &[text_attribute("equation", "ij,ki->jk")]),
            vec![],
            &[2, 3],
            &["`i`"],
        ),
        (node("TopK", &["x", "k"], &["y"], &[]), vec![ints("k", &[1], &[9])], &[2], &["9", "2"]),
        (
            node("Pad", &["x", "p"], &["y"], &[text_attribute("mode", "reflect")]),
            vec![ints("p", &[2], &[2, 2])],
            &[2],
            &["[2]"],
        ),
        (
            node("DepthToSpace", &["x"], &["y"], &[int_attribute("blocksize", 2)]),
            vec![],
            &[1, 3, 1, 1],
            &["[1, 3, 1, 1]"],
        ),
    ];
    for (node, tensors, shape, parts) in cases {
        let error = error(&[node], &tensors, shape);
        let message = error.to_string();
        assert!(matches!(error, RunError::Node(_)) && message.contains("of_y"), "{message}");
        for part in parts.iter().filter(|part| **part != "limit") {
            assert!(message.contains(part), "{message} does not say {part}");
        }
    }
}

fn text_attribute(name: &str, text: &str) -> Vec<u8> {
    [bytes(1, name), bytes(4, text), int(20, 3)].concat()
}

#[test]
fn the_typed_error_holds_both_shapes() {
    let found = error(&[node("Add", &["x", "w"], &["y"], &[])], &[floats("w", &[3], &[1.0; 3])], &[2]);
    let problem = Problem::Shapes { what: "do not broadcast", first: [2].into(), second: [3].into() };
    let expected =
        NodeError { operator: "Add".to_owned(), node: "of_y".to_owned(), problem: Box::new(problem) };
    assert_eq!(found, RunError::Node(expected));
}

#[test]
fn a_limit_holds_for_values_within_the_model() {
    let nodes = [node("Expand", &["x", "s"], &["y"], &[])];
    let file = model(&nodes, &[ints("s", &[1], &[1000])], &["x"], &["y"]);
    let mut params: Params<f32> = Params::seeded(0);
    let model = Model::from_bytes(params.root(), &file).unwrap().with_limit(999);
    let result = params.infer(|cx| model.forward(cx, &[("x", Var::ones([1]).into())]));
    let Err(RunError::Node(error)) = result else { panic!("it is within the limit") };
    assert!(matches!(*error.problem, Problem::TooLarge { limit: 999, .. }), "{error}");
}

#[test]
fn inputs_that_are_not_as_declared_are_refused() {
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx")).unwrap();
    let mut params: Params<f32> = Params::seeded(0);
    let model = Model::from_bytes(params.root(), &bytes).unwrap();
    let run = |inputs: &[(&str, Value)]| params.infer(|cx| model.forward(cx, inputs)).map(|_| ());
    let x = |shape: &[usize]| Value::from(Var::<f32>::ones(shape));
    assert!(matches!(run(&[]), Err(RunError::MissingInput { name, .. }) if name == "x"));
    assert!(matches!(run(&[("z", x(&[1, 3]))]), Err(RunError::UnknownInput { name, .. }) if name == "z"));
    assert!(matches!(run(&[("x", x(&[1, 3])), ("x", x(&[1, 3]))]), Err(RunError::UnknownInput { .. })));
    for wrong in [x(&[1, 4]), x(&[3]), Value::from_ints(&[1, 2, 3], [1, 3]).unwrap()] {
        let error = run(&[("x", wrong)]).unwrap_err();
        assert!(
            matches!(error, RunError::Input { .. }) && error.to_string().contains("[batch, 3]"),
            "{error}"
        );
    }
    // Lengths that are named are any.
    for batch in [1, 5] {
        run(&[("x", x(&[batch, 3]))]).unwrap();
    }
}
