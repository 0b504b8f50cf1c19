//! Inputs for models of which no more is known than what they declare.

use wengert_onnx::Value;
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

pub(crate) fn below(generator: &mut Generator, limit: usize) -> usize {
    ((generator.uniform() * limit as f64) as usize).min(limit - 1)
}

/// An input of about the declared shape.
pub(crate) fn input(declared: &str, generator: &mut Generator) -> Value {
    let inner = declared.split_once('[').map_or("", |(_, inner)| inner.trim_end_matches(']'));
    let length = |text: &str| text.trim().parse().unwrap_or(2_usize).min(7);
    let shape: Vec<usize> = inner.split(',').filter(|text| !text.is_empty()).take(5).map(length).collect();
    let count: usize = shape.iter().product();
    if declared.contains("whole") {
        let numbers: Vec<i64> = (0..count).map(|_| below(generator, 5) as i64 - 1).collect();
        return Value::from_ints(&numbers, shape).unwrap();
    }
    let numbers: Vec<f32> = (0..count).map(|_| generator.uniform() as f32).collect();
    let numbers = Tensor::from_vec(numbers, shape).unwrap();
    if declared.contains("truth") { numbers.gt(0.5).into() } else { Value::Float(numbers.into()) }
}
