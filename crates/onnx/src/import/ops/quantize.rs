//! Numbers of few bits with a scale: x = (n − zero point)·scale.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use super::super::call::{Call, Produced, axis_of, broadcasts};
use super::super::error::Problem;
use super::super::value::{Ints, Value};
use super::conv::{Operands, SETTINGS, convolved};
use super::{Operator, operator};
use crate::proto::DataType;

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator(
            "QuantizeLinear",
            10,
            (2, 3),
            "axis:i saturate:i block_size:i output_dtype:i precision:i",
            quantize_linear,
        ),
        operator("DequantizeLinear", 10, (2, 3), "axis:i block_size:i output_dtype:i", dequantize_linear),
        operator("DynamicQuantizeLinear", 11, (1, 1), "", dynamic_quantize_linear),
        operator("MatMulInteger", 10, (2, 4), "", |call| {
            let (a, b) = (shifted(call, 0, 2, Along::Rows)?, shifted(call, 1, 3, Along::Columns)?);
            Ok(vec![int32(product(call, &a, &b)?)])
        }),
        operator("QLinearMatMul", 10, (8, 8), "", q_linear_matmul),
        operator("ConvInteger", 10, (2, 4), SETTINGS, |call| {
            let (x, w) = (shifted(call, 0, 2, Along::Nothing)?, shifted(call, 1, 3, Along::First)?);
            let operands = Operands::of(call, [&x, &w], None, false)?;
            Ok(vec![int32(convolved(call, &operands)?)])
        }),
        operator("QLinearConv", 10, (8, 9), SETTINGS, q_linear_conv),
    ]
}

fn int32<T: Float>(numbers: Var<f64>) -> Value<T> {
    Value::Int(Ints::new(numbers, DataType::Int32))
}

/// The range of the numbers of a type.
fn range(data_type: DataType) -> Result<(f64, f64), Problem> {
    if data_type.is_float() || data_type == DataType::Bool || data_type.bits() > 16 {
        return Err(Problem::Unsupported(format!("numbers of type {data_type:?} with a scale")));
    }
    let all = (1_u32 << data_type.bits()) as f64;
    let low = if data_type.is_signed() { -all / 2.0 } else { 0.0 };
    Ok((low, low + all - 1.0))
}

/// Scales or zero points in a shape that broadcasts to `shape`: one for all, one for each position of an axis, or one for
/// each block of positions.
fn spread<S: Float>(
    of: &Var<S>,
    shape: &Shape,
    axis: i64,
    block: i64,
    unlike: impl Fn() -> Problem,
) -> Result<Var<S>, Problem> {
    if of.len() == 1 {
        return Ok(of.reshape(Shape::scalar()));
    }
    let axis = axis_of(axis, shape.len())?;
    if block == 0 {
        if of.shape()[..] != shape[axis..=axis] {
            return Err(unlike());
        }
        let lengths = (0..shape.len()).map(|i| if i == axis { shape[axis] } else { 1 });
        return Ok(of.reshape(lengths.collect::<Shape>()));
    }
    let block = usize::try_from(block).map_err(|_| Problem::setting("block_size", block.to_string()))?;
    let fits = of.rank() == shape.len()
        && (0..shape.len())
            .all(|i| of.shape()[i] == if i == axis { shape[i].div_ceil(block) } else { shape[i] });
    if !fits {
        return Err(unlike());
    }
    Ok(of.repeat_interleave(block.min(shape[axis].max(1)), axis).slice_axis(axis, ..shape[axis]))
}

/// Rounded and cut off at the ends of a type's range.
fn saturated<T: Float>(numbers: &Var<f64>, to: DataType) -> Result<Value<T>, Problem> {
    let (low, high) = range(to)?;
    Ok(Value::Int(Ints::new(numbers.clamp(low, high), to)))
}

/// In single precision, in which runtimes divide: what lies between two numbers must be rounded to the same of both.
fn single<S: Float>(x: &Var<S>) -> Var<f32> {
    Var::constant(x.value().cast::<f32>())
}

fn double(x: &Var<f32>) -> Var<f64> {
    Var::constant(x.value().cast::<f64>())
}

fn quantize_linear<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, scale) = (call.value(0)?, call.float(1)?);
    let (axis, block) = (call.attributes.int("axis", 1), call.attributes.int("block_size", 0));
    let (x, scale) = (single(&value.to_f64()), single(scale));
    let wanted = call.attributes.int("output_dtype", 0);
    let zero = call.given(2).map(|_| call.ints(2)).transpose()?;
    let to = match (zero, i32::try_from(wanted).ok().and_then(DataType::from_code)) {
        (Some(zero), _) => zero.data_type,
        (None, Some(to)) => to,
        (None, None) => DataType::Uint8,
    };
    let scale = spread(&scale, x.shape(), axis, block, || call.unlike(1, "a scale for all or for each"))?;
    let mut numbers = double(&(&x / scale).round());
    if let Some(zero) = zero {
        numbers += spread(&zero.numbers, x.shape(), axis, block, || call.unlike(2, "as the scale"))?;
    }
    Ok(vec![saturated(&numbers, to)?])
}

fn dequantize_linear<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (ints, scale) = (call.ints(0)?, call.float(1)?);
    let (axis, block) = (call.attributes.int("axis", 1), call.attributes.int("block_size", 0));
    let mut numbers = ints.numbers.clone();
    if call.given(2).is_some() {
        let zero = &call.ints(2)?.numbers;
        numbers -= spread(zero, ints.shape(), axis, block, || call.unlike(2, "as the scale"))?;
    }
    let scale = spread(scale, ints.shape(), axis, block, || call.unlike(1, "a scale for all or for each"))?;
    Ok(vec![Value::Float(Var::constant(numbers.value().cast::<T>()) * scale)])
}

/// To `uint8` by the least and the largest number.
fn dynamic_quantize_linear<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = single(call.float(0)?);
    if x.is_empty() {
        return Err(call.unlike(0, "at least one element"));
    }
    let (low, high) = (x.min().clamp(f64::NEG_INFINITY, 0.0), x.max().clamp(0.0, f64::INFINITY));
    let scale = (high - &low) / 255.0;
    // Zeros alone have no scale, and any will do.
    let scale = scale.masked_fill(scale.equal(0.0), 1.0);
    let zero = (-low / &scale).clamp(0.0, 255.0).round();
    let numbers = double(&(&x / &scale).round()) + double(&zero);
    let zero = Value::Int(Ints::new(double(&zero), DataType::Uint8));
    let scale = Value::Float(Var::constant(scale.value().cast::<T>()));
    Ok(vec![saturated(&numbers, DataType::Uint8)?, scale, zero])
}

/// What a list of scales or zero points goes along.
#[derive(Clone, Copy)]
enum Along {
    Nothing,
    First,
    Rows,
    Columns,
}

/// A scalar or a list in a shape that broadcasts to an operand with that many axes.
fn along<S: Float>(of: &Var<S>, rank: usize, along: Along) -> Option<Var<S>> {
    if of.len() == 1 {
        return Some(of.reshape(Shape::scalar()));
    }
    // What has as many axes as the operand is as it should be.
    if of.rank() != 1 {
        return (of.rank() == rank).then(|| of.clone());
    }
    let axis = match along {
        Along::Nothing => return None,
        Along::First => 0,
        Along::Rows => rank.checked_sub(2)?,
        Along::Columns => rank.checked_sub(1)?,
    };
    Some(of.reshape((0..rank).map(|i| if i == axis { of.len() } else { 1 }).collect::<Shape>()))
}

/// Whole numbers less their zero point.
fn shifted<T: Float>(call: &Call<'_, T>, input: usize, zero: usize, by: Along) -> Result<Var<f64>, Problem> {
    let x = call.ints(input)?;
    if call.given(zero).is_none() {
        return Ok(x.numbers.clone());
    }
    let of = along(&call.ints(zero)?.numbers, x.shape().len(), by);
    let of = of.ok_or_else(|| call.unlike(zero, "a zero point for all or for each"))?;
    if broadcasts(x.shape(), of.shape())? != *x.shape() {
        return Err(call.unlike(zero, "a zero point for all or for each"));
    }
    Ok(&x.numbers - of)
}

fn product<T: Float>(call: &Call<'_, T>, a: &Var<f64>, b: &Var<f64>) -> Result<Var<f64>, Problem> {
    super::matmul::product_shape(call, a.shape(), b.shape())?;
    Ok(a.matmul(b))
}

/// A result in the numbers of the last scale and zero point, which stand at `at` and behind it.
fn rescaled<T: Float>(
    call: &Call<'_, T>,
    numbers: &Var<f64>,
    scales: [Var<f64>; 2],
    at: usize,
) -> Produced<T> {
    let scale = call.float(at)?;
    let zero = call.ints(at + 1)?;
    if scale.len() != 1 || zero.numbers.len() != 1 {
        return Err(call.unlike(at, "one scale and one zero point"));
    }
    let [a, b] = scales;
    let factor = a * b / scale.value().cast::<f64>().item();
    if broadcasts(numbers.shape(), factor.shape())? != *numbers.shape() {
        return Err(call.unlike(at, "scales for all or for each"));
    }
    Ok(vec![saturated(&((numbers * factor).round() + zero.numbers.item()), zero.data_type)?])
}

fn scale_of<T: Float>(call: &Call<'_, T>, input: usize, rank: usize, by: Along) -> Result<Var<f64>, Problem> {
    let scale = Var::constant(call.float(input)?.value().cast::<f64>());
    along(&scale, rank, by).ok_or_else(|| call.unlike(input, "a scale for all or for each"))
}

fn q_linear_matmul<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (a, b) = (shifted(call, 0, 2, Along::Rows)?, shifted(call, 3, 5, Along::Columns)?);
    let scales = [scale_of(call, 1, a.rank(), Along::Rows)?, scale_of(call, 4, b.rank(), Along::Columns)?];
    rescaled(call, &product(call, &a, &b)?, scales, 6)
}

fn q_linear_conv<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, w) = (shifted(call, 0, 2, Along::Nothing)?, shifted(call, 3, 5, Along::First)?);
    let bias = call.given(8).map(|_| Ok::<_, Problem>(call.ints(8)?.numbers.clone())).transpose()?;
    let operands = Operands::of(call, [&x, &w], bias.as_ref().map(|bias| (8, bias)), false)?;
    let y = convolved(call, &operands)?;
    let channels = scale_of(call, 4, w.rank(), Along::First)?;
    // One for each channel of the result, its second axis.
    let channels = if channels.rank() == 0 { channels } else { channels.movedim(&[0], &[1]) };
    rescaled(call, &y, [scale_of(call, 1, x.rank(), Along::Nothing)?, channels], 6)
}
