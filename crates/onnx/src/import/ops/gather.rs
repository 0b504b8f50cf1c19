//! Elements at positions.

use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced, axis_of};
use super::super::error::Problem;
use super::super::value::{Ints, Value, truth};
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Gather", 1, (2, 2), "axis:i", gather),
        operator("GatherElements", 11, (2, 2), "axis:i", gather_elements),
        operator("GatherND", 11, (2, 2), "batch_dims:i", gather_nd),
        operator("Compress", 9, (2, 2), "axis:i", compress),
    ]
}

/// A position, which may count from the end.
fn position(index: i64, length: usize) -> Result<usize, Problem> {
    let place = if index < 0 { index.saturating_add(length as i64) } else { index };
    let place = usize::try_from(place).ok().filter(|&place| place < length);
    place.filter(|&place| u32::try_from(place).is_ok()).ok_or(Problem::Index { index, length })
}

/// Positions along an axis of that length.
fn positions<T: Float>(ints: &Ints<T>, length: usize) -> Result<Tensor<u32>, Problem> {
    let places: Result<Vec<u32>, Problem> =
        ints.to_vec().into_iter().map(|index| Ok(position(index, length)? as u32)).collect();
    Ok(Tensor::from_vec(places?, ints.shape().clone()).expect("as many elements as before"))
}

fn gather<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, ints) = (call.value(0)?, call.ints(1)?);
    let shape = value.shape();
    let axis = axis_of(call.attributes.int("axis", 0), shape.len())?;
    let places = positions(ints, shape[axis])?;
    let lengths = shape[..axis].iter().chain(ints.shape().iter()).chain(&shape[axis + 1..]);
    let result: Shape = call.sized(lengths.copied())?;
    let count = places.len();
    // Tokens of a recording stay so.
    if let (Value::Float(x), Some(index)) = (value, &ints.index) {
        return Ok(vec![Value::Float(x.index_select(axis, index.reshape([count])).reshape(result))]);
    }
    let places = places.reshape([count]);
    Ok(vec![arranged!(value, |x| x.index_select(axis, &places).reshape(&result))])
}

/// For each element of an index, the position in row-major order of the element of `shape` that has the index in the place of
/// its position along `axis`.
pub(super) fn along_axis<T: Float>(
    ints: &Ints<T>,
    shape: &Shape,
    axis: usize,
) -> Result<Tensor<u32>, Problem> {
    let index = ints.shape();
    let fits = index.len() == shape.len() && (0..shape.len()).all(|i| i == axis || index[i] <= shape[i]);
    if !fits {
        let (first, second) = (shape.clone(), index.clone());
        return Err(Problem::Shapes { what: "are no values and indices", first, second });
    }
    let numbers = ints.to_vec();
    let mut at = vec![0; index.len()];
    let mut flat = Vec::with_capacity(numbers.len());
    for number in numbers {
        let mut place = 0;
        for i in 0..shape.len() {
            place = place * shape[i] + if i == axis { position(number, shape[axis])? } else { at[i] };
        }
        flat.push(
            u32::try_from(place)
                .map_err(|_| Problem::Index { index: place as i64, length: shape.count() })?,
        );
        advance(&mut at, index);
    }
    Ok(Tensor::vector(&flat))
}

/// The next position in row-major order.
fn advance(at: &mut [usize], shape: &[usize]) {
    for i in (0..at.len()).rev() {
        at[i] += 1;
        if at[i] < shape[i] {
            return;
        }
        at[i] = 0;
    }
}

fn gather_elements<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, ints) = (call.value(0)?, call.ints(1)?);
    let axis = axis_of(call.attributes.int("axis", 0), value.shape().len())?;
    let flat = along_axis(ints, value.shape(), axis)?;
    let (count, shape) = (value.shape().count(), ints.shape());
    Ok(vec![arranged!(value, |x| x.reshape([count]).index_select(0, &flat).reshape(shape))])
}

/// Rows of indices in their last axis, as positions of slices of a value with that shape, of which the first `batch` axes go
/// together with the indices'. Gives the positions, and the number of axes that a row of indices and a batch take up.
pub(super) fn of_rows<T: Float>(
    ints: &Ints<T>,
    shape: &Shape,
    batch: usize,
) -> Result<(Tensor<u32>, usize), Problem> {
    let index = ints.shape();
    let (first, second) = (shape.clone(), index.clone());
    let unlike = || Problem::Shapes { what: "are no values and rows of indices", first, second };
    let Some((&width, rows)) = index.split_last() else { return Err(unlike()) };
    if batch + width > shape.len() || batch >= index.len() || rows[..batch] != shape[..batch] {
        return Err(unlike());
    }
    let (numbers, mut at) = (ints.to_vec(), vec![0; rows.len()]);
    let count = rows.iter().product::<usize>();
    let mut flat = Vec::with_capacity(count);
    for row in 0..count {
        let mut place = 0;
        for i in 0..batch {
            place = place * shape[i] + at[i];
        }
        for i in 0..width {
            place = place * shape[batch + i] + position(numbers[row * width + i], shape[batch + i])?;
        }
        flat.push(
            u32::try_from(place)
                .map_err(|_| Problem::Index { index: place as i64, length: shape.count() })?,
        );
        advance(&mut at, rows);
    }
    Ok((Tensor::vector(&flat), batch + width))
}

fn gather_nd<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, ints) = (call.value(0)?, call.ints(1)?);
    let batch = call.attributes.int("batch_dims", 0);
    let batch = usize::try_from(batch).map_err(|_| Problem::setting("batch_dims", batch.to_string()))?;
    let shape = value.shape();
    let (flat, taken) = of_rows(ints, shape, batch)?;
    let rows = &ints.shape()[..ints.shape().len() - 1];
    let result = call.sized(rows.iter().chain(&shape[taken..]).copied())?;
    let slices: Shape =
        std::iter::once(shape[..taken].iter().product()).chain(shape[taken..].iter().copied()).collect();
    Ok(vec![arranged!(value, |x| x.reshape(&slices).index_select(0, &flat).reshape(&result))])
}

fn compress<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, mask) = (call.value(0)?, call.mask(1)?);
    let places: Vec<u32> =
        mask.value().iter().enumerate().filter(|(_, taken)| *taken).map(|(i, _)| i as u32).collect();
    let axis =
        call.attributes.given_int("axis").map(|axis| axis_of(axis, value.shape().len())).transpose()?;
    let length = axis.map_or(value.shape().count(), |axis| value.shape()[axis]);
    if let Some(&last) = places.last().filter(|&&last| last as usize >= length) {
        return Err(Problem::Index { index: i64::from(last), length });
    }
    let places = Tensor::vector(&places);
    Ok(vec![match axis {
        Some(axis) => arranged!(value, |x| x.index_select(axis, &places)),
        None => arranged!(value, |x| x.reshape([length]).index_select(0, &places)),
    }])
}
