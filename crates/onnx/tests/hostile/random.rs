//! Operators that draw random numbers.

use wengert_nn::{Mode, Params};
use wengert_onnx::Model;
use wengert_tape::Var;

use super::files::{bytes, floats, int, ints_attribute, model, node};

/// The output of one node for an input of 10,000 elements, in training.
fn drawn(node: Vec<u8>, x: f32, seed: u64) -> Vec<f32> {
    let mut params: Params<f32> = Params::seeded(seed);
    let flag = [int(2, 9), bytes(8, "flag"), bytes(9, [1])].concat();
    let tensors = [floats("ratio", &[], &[0.25]), flag];
    let model = Model::from_bytes(params.root(), &model(&[node], &tensors, &["x"], &["y"])).unwrap();
    let x = Var::<f32>::ones([10_000]) * f64::from(x);
    let y = params.infer_in(Mode::Train, |cx| model.forward(cx, &[("x", x.into())])).unwrap();
    y.float("y").unwrap().value().to_vec()
}

#[test]
fn random_operators_draw_what_they_should() {
    let float = |name: &str, value: f32| {
        [bytes(1, name), vec![0x15], value.to_le_bytes().to_vec(), int(20, 1)].concat()
    };
    let shape = ints_attribute("shape", &[100, 100]);
    // The mean and the standard deviation that each has.
    let cases = [
        (
            node("RandomNormal", &[], &["y"], &[shape.clone(), float("mean", 2.0), float("scale", 3.0)]),
            2.0,
            3.0,
        ),
        (node("RandomNormalLike", &["x"], &["y"], &[float("mean", 2.0)]), 2.0, 1.0),
        (node("RandomUniform", &[], &["y"], &[shape, float("high", 3.0)]), 1.5, 3.0 / 12f64.sqrt()),
        (node("RandomUniformLike", &["x"], &["y"], &[float("low", -1.0)]), 0.0, 2.0 / 12f64.sqrt()),
        (node("Bernoulli", &["x"], &["y"], &[]), 0.25, 0.1875f64.sqrt()),
        (node("Dropout", &["x", "ratio", "flag"], &["y"], &[]), 0.25, 0.25 * (1.0 / 3f64).sqrt()),
    ];
    for (node, mean, deviation) in cases {
        let numbers = drawn(node.clone(), 0.25, 1);
        let count = numbers.len() as f64;
        let found = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let spread = (numbers.iter().map(|&x| (f64::from(x) - found).powi(2)).sum::<f64>() / count).sqrt();
        // Five standard errors.
        assert!((found - mean).abs() < 5.0 * deviation / count.sqrt(), "mean {found} and not {mean}");
        assert!((spread - deviation).abs() < 0.05 * deviation, "deviation {spread} and not {deviation}");
        assert_eq!(numbers, drawn(node.clone(), 0.25, 1));
        assert_ne!(numbers, drawn(node, 0.25, 2));
    }
}
