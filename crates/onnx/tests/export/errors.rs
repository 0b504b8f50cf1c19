//! What cannot be exported is refused by its name.

use wengert_nn::{Dropout, Layer, Linear, Mode, Params};
use wengert_onnx::{Export, ExportError, OnnxFile};
use wengert_tape::{Tape, Var};
use wengert_tensor::Tensor;

fn params() -> Params {
    Params::seeded(0)
}

fn refused(result: Result<OnnxFile, ExportError>) -> String {
    match result {
        Ok(model) => panic!("exported as {:?}", model.operators()),
        Err(error) => error.to_string(),
    }
}

fn with_x() -> Export {
    Export::new().input("x", Tensor::ones([2, 3]))
}

#[test]
fn an_operation_that_onnx_lacks_is_named_with_its_line() {
    let line = line!() + 2;
    let error = refused(with_x().model(&params(), |_, inputs| {
        let y = inputs.float(0).exp().lgamma();
        vec![y.erfinv()]
    }));
    let place = format!("errors.rs:{line}:");
    assert!(error.starts_with("operation `lgamma`, recorded at ") && error.contains(&place), "{error}");
    assert!(error.contains("special function"), "{error}");
}

#[test]
fn the_first_of_several_is_named() {
    let error = refused(with_x().model(&params(), |_, inputs| {
        let x = inputs.float(0);
        vec![x.digamma() + x.erfinv() + x.lgamma()]
    }));
    assert!(error.contains("`digamma`"), "{error}");
}

/// It is computed when the model is written.
#[test]
fn an_operation_of_parameters_alone_may_be_any() {
    let mut params = params();
    let layer = Linear::new(params.root(), 3, 3);
    let model = with_x().model(&params, |cx, inputs| {
        let weight = cx.param(layer.weight()).abs().lgamma();
        vec![inputs.float(0).matmul(&weight)]
    });
    assert_eq!(model.unwrap().operators(), ["Abs", "MatMul"]);
}

#[test]
fn random_numbers_are_refused_where_they_are_drawn() {
    let params = params();
    let tape = Tape::complete();
    let x = tape.var(Tensor::<f32>::ones([2, 3]));
    let key = tape.discrete(params.key().value().clone());
    let cx = params.context(Mode::Train, &[]).with_key(&key);
    let y = Dropout::new(0.5).forward(&cx, &x);
    let error = refused(Export::new().tape(&tape, &[("x", &x), ("key", &key)], &[("y", &y)]));
    assert!(error.contains("random numbers") && error.contains("evaluation mode"), "{error}");
}

#[test]
fn nothing_goes_in_or_comes_out() {
    let none = Export::<f32>::new();
    assert!(matches!(none.model(&params(), |_, _| vec![]), Err(ExportError::NoInputs)));
    assert!(matches!(none.tape(&Tape::complete(), &[], &[]), Err(ExportError::NoInputs)));
    assert!(matches!(with_x().model(&params(), |_, _| vec![]), Err(ExportError::NoOutputs)));
}

#[test]
fn an_output_that_does_not_depend_on_the_inputs() {
    let error = with_x()
        .output("a")
        .output("b")
        .model(&params(), |_, inputs| vec![inputs.float(0).exp(), Var::ones([2])]);
    assert!(matches!(&error, Err(ExportError::Constant { name }) if name == "b"), "{error:?}");
    // Parameters are none.
    let mut params = params();
    let layer = Linear::new(params.root(), 3, 3);
    let error = with_x().model(&params, |cx, _| vec![cx.param(layer.weight()).exp()]);
    assert!(matches!(&error, Err(ExportError::Constant { name }) if name == "output"), "{error:?}");
}

#[test]
fn names_that_stand_for_two_things() {
    let twice = |export: Export| export.model(&params(), |_, inputs| vec![inputs.float(0).exp()]);
    let error = twice(with_x().input("x", Tensor::ones([1])));
    assert!(matches!(&error, Err(ExportError::Twice { name }) if name == "x"), "{error:?}");
    let error = twice(with_x().output("x"));
    assert!(matches!(&error, Err(ExportError::Twice { name }) if name == "x"), "{error:?}");
    let mut params = params();
    let layer = Linear::new(params.at("layer"), 3, 3);
    let error = Export::new().input("layer.weight", Tensor::ones([2, 3])).layer(&params, &layer);
    assert!(matches!(&error, Err(ExportError::Twice { name }) if name == "layer.weight"), "{error:?}");
}

#[test]
fn counts_and_versions_that_do_not_fit() {
    let model = |export: Export| export.model(&params(), |_, inputs| vec![inputs.float(0).exp()]);
    assert!(matches!(
        model(with_x().output("a").output("b")),
        Err(ExportError::Outputs { names: 2, outputs: 1 })
    ));
    assert!(matches!(model(with_x().opset(16)), Err(ExportError::Opset(16))));
    assert!(matches!(model(with_x().opset(24)), Err(ExportError::Opset(24))));
    let missing = model(with_x().batch_axis("y", None));
    assert!(matches!(missing, Err(ExportError::NotEntered { .. })), "{missing:?}");
    let scalar = Export::new().input("x", Tensor::scalar(1.0)).batch("n");
    assert!(matches!(model(scalar), Err(ExportError::NoBatch { axis: 0, .. })));
    let empty = Export::new().input("x", Tensor::ones([0, 3])).batch("n");
    assert!(matches!(model(empty), Err(ExportError::NoBatch { axis: 0, .. })));
}

#[test]
fn a_tape_with_something_unnamed() {
    let tape = Tape::complete();
    let (x, w) = (tape.var([1.0f32]), tape.var([2.0f32]));
    let y = &x * &w;
    let error = Export::new().tape(&tape, &[("x", &x)], &[("y", &y)]);
    assert!(
        matches!(&error, Err(ExportError::Unnamed { location, .. }) if location.contains("errors.rs")),
        "{error:?}"
    );
    let error = Export::new().tape(&tape, &[("x", &x), ("y", &y)], &[("z", &y.exp())]);
    assert!(matches!(&error, Err(ExportError::NotEntered { name }) if name == "y"), "{error:?}");
    let elsewhere = Tape::complete().var([1.0f32]);
    let error = Export::new().tape(&tape, &[("x", &elsewhere)], &[("y", &y)]);
    assert!(matches!(&error, Err(ExportError::NotEntered { name }) if name == "x"), "{error:?}");
}

#[test]
fn what_does_not_grow_with_the_batch() {
    let batch = || with_x().batch("n");
    // As many rows as columns of a square of the batch.
    let error = refused(batch().model(&params(), |_, inputs| {
        let x = inputs.float(0);
        let pairs = x.matmul(&x.t());
        let count = pairs.len();
        vec![pairs.reshape([count])]
    }));
    assert!(error.contains("batches of any size") && error.contains("`reshape`"), "{error}");
    // Another operation at another size.
    let error = refused(batch().model(&params(), |_, inputs| {
        let x = inputs.float(0);
        vec![if x.shape()[0] > 2 { x.exp() } else { x.sin() }]
    }));
    assert!(error.contains("`sin`") && error.contains("another operation"), "{error}");
    // Numbers that the program made of the size.
    let error = refused(batch().model(&params(), |_, inputs| {
        let x = inputs.float(0);
        vec![x * (x.shape()[0] as f64).sqrt()]
    }));
    assert!(error.contains("`mul`") && error.contains("factor"), "{error}");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let model = with_x().model(&params(), |_, inputs| vec![inputs.float(0).exp()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, "what was there before, and is longer than the model that comes".repeat(10))
        .unwrap();
    model.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), model.to_bytes());
    for wrong in [folder.path().to_owned(), folder.path().join("none/model.onnx")] {
        let error = model.save(&wrong).unwrap_err();
        assert!(matches!(&error, ExportError::Io { path, .. } if *path == wrong), "{error}");
        assert!(error.to_string().starts_with(wrong.to_str().unwrap()), "{error}");
    }
    // A link is followed, as all files of this workspace are written.
    #[cfg(unix)]
    {
        let link = folder.path().join("link.onnx");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        model.save(&link).unwrap();
        assert!(link.is_symlink() && path.is_file());
    }
    let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut left: Vec<_> = left.collect();
    left.retain(|name| name != "model.onnx" && name != "link.onnx");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[should_panic(expected = "inputs: number 1 of 1")]
fn an_input_that_is_not_there() {
    let _ = with_x().model(&params(), |_, inputs| vec![inputs.float(1).exp()]);
}

#[test]
#[should_panic(expected = "inputs: number 0 holds no indices")]
fn an_input_of_another_kind() {
    let _ = with_x().model(&params(), |_, inputs| vec![inputs.float(0).gather(0, inputs.index(0))]);
}

#[test]
#[should_panic(expected = "inputs: number 0 holds no truth values")]
fn an_input_that_is_no_mask() {
    let _ = with_x().model(&params(), |_, inputs| vec![inputs.float(0).masked_fill(inputs.mask(0), 0.0)]);
}

#[test]
#[should_panic(expected = "inputs: number 0 holds no floating-point numbers")]
fn an_input_that_is_no_number() {
    let export = Export::<f32>::new().index("i", Tensor::from([1u32]));
    let _ = export.model(&params(), |_, inputs| vec![inputs.float(0).exp()]);
}

#[test]
#[should_panic(expected = "inputs: number 7 of 1")]
fn an_entry_that_is_not_there() {
    let _ = with_x().model(&params(), |_, inputs| {
        inputs.get(7);
        vec![]
    });
}
