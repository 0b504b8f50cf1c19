//! What is refused when a model is read, and how it is told.

use wengert_nn::Params;
use wengert_onnx::{Model, ReadError};

use super::files::{bytes, floats, int, int_attribute, ints, model, node, of_graph, tensor};

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
