//! Loops that a few bytes make go on for ever, or collect without end.

use wengert_nn::Params;
use wengert_onnx::{Model, Problem, RunError};
use wengert_tape::Var;

use super::files::{graph_attribute, int_attribute, ints, model, node};

const LIMIT: usize = 1000;

/// What is wrong with a model of these nodes and an endless count `times`, when it runs on x of that shape within the limit.
fn problem(nodes: &[Vec<u8>], shape: &[usize]) -> Problem {
    let file = model(nodes, &[ints("times", &[], &[i64::MAX])], &["x"], &["y"]);
    let mut params: Params<f32> = Params::seeded(0);
    let model = Model::from_bytes(params.root(), &file).expect("it can be read").with_limit(LIMIT);
    let run = params.infer(|cx| model.forward(cx, &[("x", Var::<f32>::ones(shape).into())]));
    match run.expect_err("it cannot be run") {
        RunError::Node(error) => *error.problem,
        error => panic!("{error}"),
    }
}

/// A body that goes on, carries x by these nodes, and collects these values.
fn body(nodes: &[Vec<u8>], collected: &[&str]) -> Vec<u8> {
    let same = node("Identity", &["on"], &["on_too"], &[]);
    let outputs = [&["on_too", "next"], collected].concat();
    graph_attribute("body", &[&[same], nodes].concat(), &["i", "on", "carried"], &outputs)
}

fn next() -> Vec<u8> {
    node("Add", &["carried", "carried"], &["next"], &[])
}

#[test]
fn an_endless_loop_ends_at_the_limit() {
    for times in ["times", ""] {
        let found = problem(&[node("Loop", &[times, "", "x"], &["y"], &[body(&[next()], &[])])], &[2]);
        assert!(matches!(found, Problem::TooManyRounds { limit: LIMIT }), "{found}");
    }
}

#[test]
fn rounds_of_loops_within_loops_are_counted_together() {
    // Three in each other that go round a hundred times each.
    let mut inner = next();
    for _ in 0..2 {
        inner = node("Loop", &["hundred", "", "carried"], &["next"], &[body(&[inner], &[])]);
    }
    let outer = node("Loop", &["hundred", "", "x"], &["y"], &[body(&[inner], &[])]);
    let hundred = node("Constant", &[], &["hundred"], &[int_attribute("value_int", 100)]);
    let found = problem(&[hundred, outer], &[2]);
    assert!(matches!(found, Problem::TooManyRounds { limit: LIMIT }), "{found}");
}

#[test]
fn what_an_endless_loop_collects_ends_at_the_limit() {
    let body = body(&[next()], &["next"]);
    let found = problem(&[node("Loop", &["times", "", "x"], &["last", "y"], &[body])], &[2]);
    let Problem::TooLarge { shape, limit: LIMIT } = &found else { panic!("{found}") };
    assert_eq!(shape[..], [501, 2]);
}

/// A sequence of which each element is added to that of another and to x.
#[test]
fn a_map_takes_elements_that_belong_together() {
    let run = |others: &[&str]| {
        let sum = node("Sum", &["one", "other", "all"], &["sum"], &[]);
        let body = graph_attribute("body", &[sum], &["one", "other", "all"], &["sum"]);
        let nodes = [
            node("Mul", &["x", "x"], &["square"], &[]),
            node("SequenceConstruct", &["x", "square"], &["list"], &[]),
            node("SequenceConstruct", others, &["others"], &[]),
            node("SequenceMap", &["list", "others", "x"], &["sums"], &[body]),
            node("ConcatFromSequence", &["sums"], &["y"], &[int_attribute("axis", 0)]),
        ];
        let mut params: Params<f32> = Params::seeded(0);
        let model = Model::from_bytes(params.root(), &model(&nodes, &[], &["x"], &["y"])).unwrap();
        params.infer(|cx| model.forward(cx, &[("x", Var::from([2.0f32, 3.0]).into())]))
    };
    let y = run(&["square", "square"]).unwrap();
    assert_eq!(y.float("y").unwrap().value().to_vec(), [8.0, 15.0, 10.0, 21.0]);
    let error = run(&["square"]).unwrap_err().to_string();
    assert!(error.ends_with("sequences of 2 and of 1 values"), "{error}");
}

/// A map of no sequence, and one whose body takes something else.
#[test]
fn a_map_of_something_else_is_refused() {
    let of = |inputs: &[&str]| {
        let body = graph_attribute("body", &[node("Neg", &["one"], &["less"], &[])], &["one"], &["less"]);
        let list = node("SequenceConstruct", &["x"], &["list"], &[]);
        problem(&[list, node("SequenceMap", inputs, &["y"], &[body])], &[2])
    };
    assert!(matches!(of(&["x"]), Problem::Kind { input: 0, .. }));
    assert!(matches!(of(&["list", "x"]), Problem::Unsupported(_)));
    assert!(matches!(of(&[]), Problem::Missing { input: 0 }));
}

/// Parts without elements are collected in as large a number as is wanted, and cost as many rounds.
#[test]
fn a_scan_of_empty_parts_ends_at_the_limit() {
    let body = graph_attribute("body", &[node("Identity", &["part"], &["of"], &[])], &["part"], &["of"]);
    let scan = node("Scan", &["x"], &["y"], &[body, int_attribute("num_scan_inputs", 1)]);
    let found = problem(&[scan], &[LIMIT + 1, 0]);
    assert!(matches!(found, Problem::TooManyRounds { limit: LIMIT }), "{found}");
}
