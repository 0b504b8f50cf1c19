//! What is refused when a model is read, and how it is told.

use wengert_nn::Params;
use wengert_onnx::{Model, ReadError};

use super::files::{bytes, floats, int, int_attribute, ints, ints_attribute, model, node, of_graph, tensor};

fn error(bytes: &[u8]) -> ReadError {
    let mut params: Params<f32> = Params::seeded(0);
    let error = Model::from_bytes(params.root(), bytes).expect_err("it is wrong");
    assert!(params.is_empty(), "parameters were made for a model that was refused");
    error
}

/// The message, which says all of these.
fn says(bytes: &[u8], parts: &[&str]) -> ReadError {
    let error = error(bytes);
    let message = error.to_string();
    parts.iter().for_each(|part| assert!(message.contains(part), "{message} does not say {part}"));
    error
}

#[test]
fn all_unknown_operators_are_named_at_once() {
    let nodes = [
        node("Frobnicate", &["x"], &["a"], &[]),
        node("Relu", &["a"], &["b"], &[]),
        node("Gelu", &["b"], &["c"], &[]),
        node("Relu", &["c"], &["d"], &[int_attribute("speed", 1)]),
        node("Conv", &["d"], &["y"], &[]),
    ];
    let error = says(
        &model(&nodes, &[], &["x"], &["y"]),
        &["Frobnicate", "of_a", "Gelu", "opset 17", "from opset 20", "speed"],
    );
    let ReadError::Unsupported { operators, .. } = error else { panic!("{error}") };
    let names: Vec<&str> = operators.iter().map(|operator| operator.operator.as_str()).collect();
    assert_eq!(names, ["Frobnicate", "Gelu", "Relu", "Conv"]);
}

#[test]
fn what_is_no_graph_is_refused() {
    let cycle = [node("Add", &["x", "b"], &["a"], &[]), node("Relu", &["a"], &["b"], &[])];
    says(&model(&cycle, &[], &["x"], &["b"]), &["takes what it makes itself"]);
    says(
        &model(&[node("Relu", &["z"], &["y"], &[])], &[], &["x"], &["y"]),
        &["`z`", "of_y", "no node makes"],
    );
    says(&model(&[node("Relu", &["x"], &["y"], &[])], &[], &["x"], &["z"]), &["`z`"]);
    let twice = [node("Relu", &["x"], &["y"], &[]), node("Relu", &["x"], &["y"], &[])];
    says(&model(&twice, &[], &["x"], &["y"]), &["two values", "`y`"]);
    says(&model(&twice[..1], &[], &["x", "x"], &["y"]), &["two values", "`x`"]);
    says(&of_graph(&[])[..2], &["no graph"]);
    says(&[int(1, 8), bytes(7, bytes(1, &twice[0])), bytes(8, int(2, 99))].concat(), &["operator set 99"]);
}

#[test]
fn nodes_may_stand_in_any_order() {
    let nodes = [node("Relu", &["a"], &["y"], &[]), node("Neg", &["x"], &["a"], &[])];
    let mut params: Params<f32> = Params::seeded(0);
    let model = Model::from_bytes(params.root(), &model(&nodes, &[], &["x"], &["y"])).unwrap();
    let x = wengert_tape::Var::from([1.0f32, -2.0]);
    let y = params.infer(|cx| model.forward(cx, &[("x", x.into())])).unwrap();
    assert_eq!(y.float("y").unwrap().value().to_vec(), [0.0, 2.0]);
}

#[test]
fn tensors_that_do_not_fit_their_shapes_are_refused() {
    let add = || node("Add", &["x", "w"], &["y"], &[]);
    let with = |tensor: Vec<u8>| model(&[add()], &[tensor], &["x"], &["y"]);
    says(&with(floats("w", &[3], &[1.0])), &["`w`", "4 bytes", "12"]);
    says(&with(floats("w", &[-1], &[1.0])), &["`w`", "length -1"]);
    says(&with(floats("w", &[i64::MAX, i64::MAX], &[])), &["`w`", "more elements"]);
    says(&with(floats("w", &[0, i64::MAX], &[])), &["`w`", "more elements"]);
    says(&with(tensor("w", 8, &[1], &[0])), &["`w`", "type 8"]);
    says(&with(ints("w", &[1], &[(1 << 53) + 1])), &["9007199254740993"]);
    says(&with([floats("w", &[1], &[1.0]), int(14, 1)].concat()), &["`w`", "names no file"]);
    let elsewhere = |location: &str| {
        let entry = bytes(13, [bytes(1, "location"), bytes(2, location)].concat());
        with([floats("w", &[1], &[1.0]), int(14, 1), entry].concat())
    };
    says(&elsewhere("weights"), &["`weights`", "no folder"]);
}

#[test]
fn external_data_stays_below_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("model");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(folder.path().join("secret"), 1f32.to_le_bytes()).unwrap();
    std::fs::write(inner.join("weights"), [1f32.to_le_bytes(), 2f32.to_le_bytes()].concat()).unwrap();
    let read = |entries: &[(&str, &str)]| {
        let entries: Vec<u8> = entries
            .iter()
            .flat_map(|(key, value)| bytes(13, [bytes(1, key), bytes(2, value)].concat()))
            .collect();
        let tensor = [int(1, 1), int(2, 1), bytes(8, "w"), int(14, 1), entries].concat();
        let file = model(&[node("Add", &["x", "w"], &["y"], &[])], &[tensor], &["x"], &["y"]);
        std::fs::write(inner.join("model.onnx"), file).unwrap();
        let mut params: Params<f32> = Params::seeded(0);
        Model::read(params.root(), inner.join("model.onnx")).map(|_| params.values().to_vec())
    };
    assert_eq!(read(&[("location", "weights"), ("offset", "4"), ("length", "4")]).unwrap(), [2.0]);
    let secret = folder.path().join("secret");
    for outside in ["../secret", secret.to_str().unwrap(), "", "sub/../../secret"] {
        let message = read(&[("location", outside)]).unwrap_err().to_string();
        assert!(message.contains("not below"), "{message}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, inner.join("link")).unwrap();
        assert!(read(&[("location", "link")]).unwrap_err().to_string().contains("not below"));
    }
    for (entries, part) in [
        (&[("location", "none")][..], "none"),
        (&[("location", "weights"), ("offset", "x")], "offset"),
        (&[("location", "weights"), ("length", "5")], "5 bytes"),
        (&[("location", "weights"), ("offset", "6")], "2 bytes"),
        (&[("location", "weights"), ("offset", "18446744073709551615")], "0 bytes"),
    ] {
        let message = read(entries).unwrap_err().to_string();
        assert!(message.contains(part) && message.contains("model.onnx"), "{message}");
    }
}

#[test]
fn constants_that_do_not_go_together_are_refused_when_they_are_read() {
    let tensors = [ints("a", &[2], &[1, 2]), ints("b", &[3], &[1, 2, 3])];
    let error = says(
        &model(&[node("Add", &["a", "b"], &["y"], &[])], &tensors, &[], &["y"]),
        &["Add", "of_y", "[2]", "[3]"],
    );
    assert!(matches!(error, ReadError::Constant { .. }));
    let zero = [ints("a", &[1], &[1]), ints("b", &[1], &[0])];
    says(&model(&[node("Div", &["a", "b"], &["y"], &[])], &zero, &[], &["y"]), &["by zero"]);
}

#[test]
fn names_that_the_scope_has_are_refused() {
    let file = model(&[node("Add", &["x", "w"], &["y"], &[])], &[floats("w", &[1], &[1.0])], &["x"], &["y"]);
    let mut params: Params<f32> = Params::seeded(0);
    Model::from_bytes(params.root(), &file).unwrap();
    let error = Model::from_bytes(params.root(), &file).unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
    Model::from_bytes(params.at("second"), &file).unwrap();
}

#[test]
fn what_is_no_protobuf_is_refused() {
    let good = model(&[node("Relu", &["x"], &["y"], &[])], &[], &["x"], &["y"]);
    for length in 1..good.len() {
        let mut params: Params<f32> = Params::seeded(0);
        // A prefix may end between two fields, and lacks something then.
        assert!(Model::from_bytes(params.root(), &good[..length]).is_err(), "{length} bytes");
    }
    says(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], &["beyond the end"]);
    says(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], &["64 bits"]);
    says(&[0x00], &["no field"]);
    says(&[0x38, 1], &["wire type"]);
    // Graphs within attributes of nodes of graphs.
    let mut graph = Vec::new();
    for _ in 0..200 {
        graph = bytes(1, bytes(5, bytes(6, &graph)));
    }
    says(&of_graph(&graph), &["deep"]);
}

/// One line, however long the names and lists of a file are.
#[test]
fn messages_do_not_grow_with_the_file() {
    let long = "line\n".repeat(10_000);
    let many: Vec<Vec<u8>> = (0..100).map(|i| node(&long, &["x"], &[format!("{i}").as_str()], &[])).collect();
    let ends = (1..10_000).collect::<Vec<i64>>();
    let permuted = node("Transpose", &["w"], &["y"], &[ints_attribute("perm", &ends)]);
    for file in [
        model(&many, &[], &["x"], &["0"]),
        model(&[node("Relu", &[&long], &["y"], &[])], &[], &["x"], &["y"]),
        model(&[node("Relu", &["x"], &["y"], &[])], &[], &["x"], &[&long]),
        model(&[node("Relu", &["x"], &[&long], &[])], &[], &["x", &long], &[&long]),
        model(&[node("Add", &["x", &long], &[&long], &[])], &[], &["x"], &[&long]),
        model(&[node("Loop", &["x"], &[&long], &[])], &[], &["x"], &[&long]),
        model(&[node("Relu", &["x"], &["y"], &[int_attribute(&long, 1)])], &[], &["x"], &["y"]),
        model(&[node("Add", &["x", "w"], &["y"], &[])], &[tensor(&long, 8, &[1], &[0])], &["x"], &["y"]),
        model(&[permuted], &[ints("w", &[1], &[1])], &["x"], &["y"]),
    ] {
        let message = error(&file).to_string();
        assert!(message.len() < 6000 && !message.contains('\n'), "{} bytes: {message}", message.len());
    }
}

/// A node that calls a function of the domain `f`.
fn call(function: &str, output: &str) -> Vec<u8> {
    [node(function, &["x"], &[output], &[]), bytes(7, "f")].concat()
}

/// A function of one input x, with the last of its nodes' outputs named y.
fn function(name: &str, nodes: &[Vec<u8>]) -> Vec<u8> {
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| bytes(7, node)).collect();
    let sets = [bytes(9, int(2, 17)), bytes(9, [bytes(1, "f"), int(2, 1)].concat())].concat();
    [bytes(1, name), bytes(4, "x"), bytes(5, "y"), nodes, sets, bytes(10, "f")].concat()
}

/// A tenth of a megabyte, of which functions within functions would make a hundred.
#[test]
fn functions_unfold_to_so_much_and_no_more() {
    let numbers = bytes(5, floats("", &[25_000], &[1.0; 25_000]));
    let value = [bytes(1, "value"), numbers, int(20, 4)].concat();
    let constant = node("Constant", &[], &["y"], &[value]);
    let many = |inner: &str| -> Vec<Vec<u8>> {
        let name = |i: usize| if i == 0 { "y".to_owned() } else { format!("y{i}") };
        (0..32).map(|i| call(inner, &name(i))).collect()
    };
    let functions = |top: &str| {
        let graph = model(&[call(top, "y")], &[], &["x"], &["y"]);
        let functions = [
            bytes(25, function("a", std::slice::from_ref(&constant))),
            bytes(25, function("b", &many("a"))),
            bytes(25, function("c", &many("b"))),
        ];
        [graph, bytes(8, [bytes(1, "f"), int(2, 1)].concat()), functions.concat()].concat()
    };
    says(&functions("c"), &["unfold", "bytes"]);
    let mut params: Params<f32> = Params::seeded(0);
    Model::from_bytes(params.root(), &functions("b")).expect("32 calls are allowed");
}

/// What each costs must not grow with the number of the others: it takes a second and would take minutes.
#[test]
fn many_constants_are_read() {
    let constant = bytes(5, floats("", &[1], &[1.0]));
    let attribute = [bytes(1, "value"), constant, int(20, 4)].concat();
    let names: Vec<String> = (0..20_000).map(|i| format!("c{i}")).collect();
    let mut nodes: Vec<Vec<u8>> = names
        .iter()
        .map(|name| node("Constant", &[], &[name.as_str()], std::slice::from_ref(&attribute)))
        .collect();
    nodes.push(node("Add", &["x", "c19999"], &["y"], &[]));
    let mut params: Params<f32> = Params::seeded(0);
    Model::from_bytes(params.root(), &model(&nodes, &[], &["x"], &["y"])).unwrap();
}
