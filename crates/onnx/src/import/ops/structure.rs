//! Joining, cutting and rearranging.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Slice};

use super::super::call::{Call, Produced, axes_of, axis_of, lengths};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Concat", 1, (1, super::ANY), "axis:i", |call| {
            let axis = axis_of(call.attributes.int("axis", 1), call.shape(0)?.len())?;
            let parts: Vec<&Value<T>> =
                (0..call.inputs.len()).map(|i| call.value(i)).collect::<Result<_, _>>()?;
            Ok(vec![concat(&parts, axis, call.limit)?])
        }),
        operator("Split", 1, (1, 2), "axis:i split:ii num_outputs:i", split),
        operator("Slice", 1, (1, 5), "starts:ii ends:ii axes:ii", slice),
        operator("Transpose", 1, (1, 1), "perm:ii", transpose),
        operator("Tile", 6, (2, 2), "", tile),
        operator("DepthToSpace", 1, (1, 1), "blocksize:i mode:s", depth_to_space),
        operator("SpaceToDepth", 1, (1, 1), "blocksize:i mode:s", space_to_depth),
        operator("Trilu", 14, (1, 2), "upper:i", trilu),
        operator("ReverseSequence", 10, (2, 2), "batch_axis:i time_axis:i", reverse_sequence),
    ]
}

/// Values of one kind one after the other along an axis.
pub(in super::super) fn concat<T: Float>(
    parts: &[&Value<T>],
    axis: usize,
    limit: usize,
) -> Result<Value<T>, Problem> {
    let first = parts[0].shape();
    let mut length = 0_usize;
    for (input, part) in parts.iter().enumerate() {
        let shape = part.shape();
        let fits = shape.len() == first.len() && (0..shape.len()).all(|i| i == axis || shape[i] == first[i]);
        if !fits {
            let (first, second) = (first.clone(), shape.clone());
            return Err(Problem::Shapes {
                what: "differ in another axis than the one they are joined along",
                first,
                second,
            });
        }
        if part.kind() != parts[0].kind() {
            return Err(Problem::Kind { input, expected: parts[0].kind(), found: part.kind() });
        }
        length = length.saturating_add(shape[axis]);
    }
    let joined = first.with(axis, length);
    if joined.checked_count().is_none_or(|count| count > limit) {
        return Err(Problem::TooLarge { shape: joined.iter().map(|&n| n as i64).collect(), limit });
    }
    let numbers = || Var::cat(&parts.iter().map(|part| part.to_f64()).collect::<Vec<_>>(), axis);
    Ok(match parts[0] {
        Value::Float(_) => {
            let parts: Vec<Var<T>> = parts.iter().filter_map(|part| part.float().cloned()).collect();
            Value::Float(if parts.len() == 1 { parts[0].clone() } else { Var::cat(&parts, axis) })
        }
        Value::Int(ints) => Value::Int(ints.with(numbers())),
        _ => truth(&numbers()),
    })
}

/// One position of an axis, which goes away.
pub(in super::super) fn pick<T: Float>(value: &Value<T>, axis: usize, at: usize) -> Value<T> {
    arranged!(value, |x| x.select(axis, at as isize))
}

/// With a new axis of length 1, which is there.
pub(in super::super) fn unsqueezed<T: Float>(value: &Value<T>, axis: usize) -> Value<T> {
    arranged!(value, |x| x.unsqueeze(axis))
}

pub(super) fn reshaped<T: Float>(value: &Value<T>, shape: &Shape) -> Value<T> {
    let mut result = arranged!(value, |x| x.reshape(shape));
    // Tokens stay those of a recording.
    if let (Value::Int(result), Value::Int(ints)) = (&mut result, value) {
        result.index = ints.index.as_ref().map(|index| index.reshape(shape));
    }
    result
}

fn split<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let axis = axis_of(call.attributes.int("axis", 0), value.shape().len())?;
    let length = value.shape()[axis];
    let sizes = match call.list(1, "split")? {
        Some(sizes) => lengths("split", &sizes)?,
        None => {
            let count = call
                .attributes
                .given_int("num_outputs")
                .map_or(call.outputs, |n| usize::try_from(n).unwrap_or(0));
            if count == 0 || count > length.max(1) {
                return Err(Problem::setting("num_outputs", format!("{length} positions in {count} parts")));
            }
            let each = length.div_ceil(count);
            (0..count).map(|i| each.min(length.saturating_sub(i * each))).collect()
        }
    };
    parts(value, axis, &sizes)
}

/// Parts of these lengths, one after the other along an axis.
pub(super) fn parts<T: Float>(
    value: &Value<T>,
    axis: usize,
    sizes: &[usize],
) -> Result<Vec<Value<T>>, Problem> {
    let length = value.shape()[axis];
    if sizes.iter().fold(0_usize, |all, &size| all.saturating_add(size)) != length {
        return Err(Problem::setting("split", format!("parts {sizes:?} of {length} positions")));
    }
    let mut from = 0;
    let part = |&size: &usize| {
        let range = from..from + size;
        from += size;
        arranged!(value, |x| x.slice_axis(axis, range.clone()))
    };
    Ok(sizes.iter().map(part).collect())
}

fn slice<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let (starts, ends) = (call.needed_list(1, "starts")?, call.needed_list(2, "ends")?);
    let rank = value.shape().len();
    let axes = call.list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(Problem::setting("starts", "starts, ends, axes and steps differ in number"));
    }
    axes_of(&axes, rank)?;
    let mut result = value.clone();
    for i in 0..starts.len() {
        let (axis, step) = (axis_of(axes[i], rank)?, steps[i] as isize);
        if step == 0 {
            return Err(Problem::setting("steps", "a step of 0"));
        }
        let range = Slice::from(starts[i] as isize..ends[i] as isize).step(step);
        result = arranged!(&result, |x| x.slice_axis(axis, range));
    }
    Ok(vec![result])
}

fn transpose<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let rank = value.shape().len();
    let order: Vec<usize> = match call.attributes.ints("perm") {
        Some(order) => order.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    if order.len() != rank || (0..rank).any(|axis| !order.contains(&axis)) {
        return Err(Problem::setting("perm", format!("{order:?} is no order of {rank} axes")));
    }
    Ok(vec![arranged!(value, |x| x.permute(&order[..]))])
}

fn tile<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let counts = lengths("repeats", &call.ints(1)?.to_vec())?;
    if counts.len() != value.shape().len() {
        return Err(call.unlike(0, format!("{} axes, as many as there are repeats", counts.len())));
    }
    call.sized(value.shape().iter().zip(&counts).map(|(&n, &count)| n.saturating_mul(count)))?;
    Ok(vec![arranged!(value, |x| x.tile(&counts))])
}

/// The edge of a block, of which the square divides a number of channels, or itself both sizes.
fn block<T: Float>(call: &Call<'_, T>) -> Result<usize, Problem> {
    call.exactly(0, 4)?;
    let block = call.attributes.int("blocksize", 0);
    usize::try_from(block)
        .ok()
        .filter(|&b| (1..1 << 15).contains(&b))
        .ok_or_else(|| Problem::setting("blocksize", format!("{block}")))
}

fn depth_to_space<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (b, value) = (block(call)?, call.value(0)?);
    let [n, c, h, w] = [0, 1, 2, 3].map(|i| value.shape()[i]);
    if c % (b * b) != 0 {
        return Err(call.unlike(0, format!("channels in multiples of {}", b * b)));
    }
    let channels = c / (b * b);
    let (first, order) = match call.attributes.text("mode").unwrap_or("DCR") {
        "DCR" => ([n, b, b, channels, h, w], [0, 3, 4, 1, 5, 2]),
        "CRD" => ([n, channels, b, b, h, w], [0, 1, 4, 2, 5, 3]),
        other => return Err(Problem::setting("mode", other)),
    };
    Ok(vec![arranged!(value, |x| x.reshape(first).permute(order).reshape([n, channels, h * b, w * b]))])
}

fn space_to_depth<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (b, value) = (block(call)?, call.value(0)?);
    let [n, c, h, w] = [0, 1, 2, 3].map(|i| value.shape()[i]);
    if h % b != 0 || w % b != 0 {
        return Err(call.unlike(0, format!("sizes in multiples of {b}")));
    }
    let order = match call.attributes.text("mode").unwrap_or("DCR") {
        "DCR" => [0, 3, 5, 1, 2, 4],
        "CRD" => [0, 1, 3, 5, 2, 4],
        other => return Err(Problem::setting("mode", other)),
    };
    let result = [n, c * b * b, h / b, w / b];
    Ok(vec![arranged!(value, |x| x.reshape([n, c, h / b, b, w / b, b]).permute(order).reshape(result))])
}

fn trilu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.at_least(0, 2)?;
    let value = call.value(0)?;
    let offset = call.number(1, "")?.unwrap_or(0.0).clamp(-1e15, 1e15) as isize;
    let upper = call.attributes.int("upper", 1) != 0;
    // What is cut off has no part, also where it is infinite.
    Ok(vec![arranged!(value, |x| if upper { x.triu(offset) } else { x.tril(offset) })])
}

fn reverse_sequence<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, counts) = (call.value(0)?, call.ints(1)?.to_vec());
    let (batch, time) = (call.attributes.int("batch_axis", 1), call.attributes.int("time_axis", 0));
    let rank = value.shape().len();
    let (batch, time) = (axis_of(batch, rank)?, axis_of(time, rank)?);
    let (sequences, length) = (value.shape()[batch], value.shape()[time]);
    if batch == time || counts.len() != sequences {
        return Err(call.unlike(1, format!("[{sequences}]")));
    }
    let mut parts = Vec::with_capacity(sequences);
    for (i, &count) in counts.iter().enumerate() {
        let Some(count) = usize::try_from(count).ok().filter(|&count| count <= length) else {
            return Err(Problem::Index { index: count, length });
        };
        let order: Vec<u32> = (0..length).map(|t| if t < count { count - 1 - t } else { t } as u32).collect();
        let order = wengert_tensor::Tensor::vector(&order);
        parts.push(arranged!(value, |x| x.slice_axis(batch, i..i + 1).index_select(time, &order)));
    }
    if parts.is_empty() {
        return Ok(vec![value.clone()]);
    }
    Ok(vec![concat(&parts.iter().collect::<Vec<_>>(), batch, call.limit)?])
}
