//! Running a model of which no more is known than what it declares.

use wengert_nn::Params;
use wengert_onnx::{Model, Value};
use wengert_tensor::random::Generator;

use super::inputs::input;

/// Whether it runs, within a limit, on inputs of about the declared shapes.
pub(crate) fn runs(model: Model<f32>, params: &Params<f32>, generator: &mut Generator) -> bool {
    let model = model.with_limit(1 << 16);
    let declared: Vec<(String, String)> =
        model.inputs().iter().map(|input| (input.name().to_owned(), input.to_string())).collect();
    let inputs: Vec<(&str, Value)> =
        declared.iter().map(|(name, text)| (name.as_str(), input(text, generator))).collect();
    params.infer(|cx| model.forward(cx, &inputs)).is_ok()
}
