//! Attention and rotary positions.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced, broadcasts};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator(
            "Attention",
            23,
            (3, 7),
            "is_causal:i kv_num_heads:i left_window_size:i q_num_heads:i qk_matmul_output_mode:i right_window_size:i scale:f softcap:f softmax_precision:i",
            attention,
        ),
        operator(
            "RotaryEmbedding",
            23,
            (3, 4),
            "interleaved:i num_heads:i rotary_embedding_dim:i",
            rotary_embedding,
        ),
    ]
}

/// `[batch, heads, positions, features]` of an operand that may have its heads among its features.
fn by_heads<T: Float>(call: &Call<'_, T>, input: usize, heads: &'static str) -> Result<Var<T>, Problem> {
    let x = call.float(input)?;
    if x.rank() == 4 {
        return Ok(x.clone());
    }
    call.exactly(input, 3)?;
    let [batch, positions, features] = [0, 1, 2].map(|axis| x.shape()[axis]);
    let heads = match usize::try_from(call.attributes.int(heads, 0)) {
        Ok(count) if count > 0 && features % count == 0 => count,
        _ => {
            return Err(Problem::setting(
                heads,
                format!("{} for {features} features", call.attributes.int(heads, 0)),
            ));
        }
    };
    Ok(x.reshape([batch, positions, heads, features / heads]).permute([0, 2, 1, 3]))
}

/// Where queries may look: 0 there and −∞ elsewhere, and whether a row of queries may look anywhere.
fn bias<T: Float>(
    call: &Call<'_, T>,
    [batch, queries, keys]: [usize; 3],
    past: Option<usize>,
) -> Result<Option<Var<T>>, Problem> {
    let causal = call.attributes.int("is_causal", 0) != 0;
    let (left, right) =
        (call.attributes.int("left_window_size", -1), call.attributes.int("right_window_size", -1));
    let lengths = match call.given(6) {
        Some(_) => {
            call.of_shape(6, &[batch])?;
            Some(call.ints(6)?.to_vec())
        }
        None => None,
    };
    let mut sum: Option<Var<T>> = None;
    if call.given(3).is_some() {
        let mut mask = match call.value(3)? {
            Value::Float(mask) => mask.clone(),
            Value::Bool(mask) => {
                Var::select_where(mask, &Var::scalar(T::ZERO), &Var::scalar(T::from_f64(f64::NEG_INFINITY)))
            }
            _ => return Err(call.kind(3, "floating-point numbers or truth values")),
        };
        call.at_least(3, 1)?;
        let rank = mask.rank();
        let given = mask.shape()[rank - 1];
        if given < keys && given != 1 {
            let mut widths = vec![(0, 0); rank];
            widths[rank - 1].1 = keys - given;
            mask = mask.pad(&widths, f64::NEG_INFINITY);
        }
        sum = Some(mask);
    }
    if causal || left >= 0 || right >= 0 || lengths.is_some() {
        let batches = if lengths.is_some() { batch } else { 1 };
        call.sized([batches, queries, keys])?;
        let looks = |at: &[usize]| {
            let (query, key) = (at[2] as i64, at[3] as i64);
            let length = lengths.as_ref().map(|lengths| lengths[at[0]]);
            let offset = match (past, length) {
                (Some(past), _) => past as i64,
                (None, Some(length)) => length.saturating_sub(queries as i64),
                (None, None) => 0,
            };
            let ahead = key - query.saturating_add(offset);
            let within = (left < 0 || -ahead <= left) && (right < 0 || ahead <= right);
            let may = within && (!causal || ahead <= 0) && length.is_none_or(|length| key < length);
            if may { T::ZERO } else { T::from_f64(f64::NEG_INFINITY) }
        };
        let given = Var::constant(Tensor::from_fn([batches, 1, queries, keys], looks));
        sum = Some(match sum {
            Some(mask) => {
                call.broadcast(mask.shape(), given.shape())?;
                mask + given
            }
            None => given,
        });
    }
    Ok(sum)
}

fn attention<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let query = by_heads(call, 0, "q_num_heads")?;
    let (mut key, mut value) = (by_heads(call, 1, "kv_num_heads")?, by_heads(call, 2, "kv_num_heads")?);
    let past = match (call.given_float(4)?, call.given_float(5)?) {
        (Some(past_key), Some(past_value)) => {
            for (input, past, new) in [(4, past_key, &key), (5, past_value, &value)] {
                call.exactly(input, 4)?;
                let fits = [0, 1, 3].iter().all(|&axis| past.shape()[axis] == new.shape()[axis]);
                if !fits {
                    let (first, second) = (past.shape().clone(), new.shape().clone());
                    return Err(Problem::Shapes {
                        what: "are no past and present keys or values",
                        first,
                        second,
                    });
                }
            }
            let past = past_key.shape()[2];
            key = Var::cat(&[past_key, &key], 2);
            value = Var::cat(&[past_value, &value], 2);
            Some(past)
        }
        (None, None) => None,
        _ => return Err(Problem::Missing { input: 5 }),
    };
    let (q, k, v) = (query.shape().clone(), key.shape().clone(), value.shape().clone());
    let unlike = |first: &Shape, second: &Shape| Problem::Shapes {
        what: "are no queries, keys and values",
        first: first.clone(),
        second: second.clone(),
    };
    if q[0] != k[0] || q[3] != k[3] || k[1] == 0 || !q[1].is_multiple_of(k[1]) {
        return Err(unlike(&q, &k));
    }
    if k[..3] != v[..3] || k[2] == 0 {
        return Err(unlike(&k, &v));
    }
    let (present_key, present_value) = (key.clone(), value.clone());
    // Several heads of queries share one of keys.
    let shared = q[1] / k[1];
    if shared > 1 {
        key = key.repeat_interleave(shared, 1);
        value = value.repeat_interleave(shared, 1);
    }
    call.sized([q[0], q[1], q[2], k[2]])?;
    let scale = call.attributes.float("scale", 1.0 / (q[3] as f64).sqrt());
    let softcap = call.attributes.float("softcap", 0.0);
    let plain = query.matmul(&key.transpose(2, 3)) * scale;
    let capped = if softcap > 0.0 { (&plain / softcap).tanh() * softcap } else { plain.clone() };
    let scores = capped.shape().clone();
    let bias = bias(call, [q[0], q[2], k[2]], past)?;
    let biased = match &bias {
        Some(bias) if broadcasts(bias.shape(), &scores)? == scores => &capped + bias,
        Some(bias) => return Err(unlike(&scores, bias.shape())),
        None => capped.clone(),
    };
    let mut weights = biased.softmax(3);
    if let Some(bias) = &bias {
        // A row of which nothing is seen gives nothing.
        let nothing = bias.max_axes(-1, true).equal(f64::NEG_INFINITY);
        let safe = biased.masked_fill(&nothing, 0.0);
        weights = safe.softmax(3).masked_fill(&nothing, 0.0);
    }
    let mut y = weights.matmul(&value);
    if call.float(0)?.rank() == 3 {
        y = y.permute([0, 2, 1, 3]).reshape([q[0], q[2], q[1] * v[3]]);
    }
    let shown = match call.attributes.int("qk_matmul_output_mode", 0) {
        0 => plain,
        1 => capped,
        2 => biased,
        3 => weights,
        other => return Err(Problem::setting("qk_matmul_output_mode", other.to_string())),
    };
    Ok([y, present_key, present_value, shown].map(Value::Float).into())
}

fn rotary_embedding<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = by_heads(call, 0, "num_heads")?;
    let [batch, _, positions, features] = [0, 1, 2, 3].map(|axis| x.shape()[axis]);
    let rotated = match usize::try_from(call.attributes.int("rotary_embedding_dim", 0)) {
        Ok(0) => features,
        Ok(rotated) if rotated <= features => rotated,
        _ => return Err(Problem::setting("rotary_embedding_dim", "beyond the features")),
    };
    if rotated % 2 != 0 {
        return Err(Problem::setting("rotary_embedding_dim", format!("{rotated} is odd")));
    }
    let half = rotated / 2;
    // [batch, positions, half], for each position its row of the cache.
    let cached = |input: usize| -> Result<Var<T>, Problem> {
        let cache = call.float(input)?;
        let rows = match call.given(3) {
            None => {
                call.of_shape(input, &[batch, positions, half])?;
                cache.clone()
            }
            Some(_) => {
                call.exactly(input, 2)?;
                call.of_shape(3, &[batch, positions])?;
                let mut places = Vec::new();
                for index in call.ints(3)?.to_vec() {
                    let length = cache.shape()[0];
                    let place = u32::try_from(index).ok().filter(|&place| (place as usize) < length);
                    places.push(place.ok_or(Problem::Index { index, length })?);
                }
                call.of_shape(input, &[cache.shape()[0], half])?;
                cache.index_select(0, Tensor::vector(&places)).reshape([batch, positions, half])
            }
        };
        Ok(rows.unsqueeze(1))
    };
    let (cos, sin) = (cached(1)?, cached(2)?);
    let interleaved = call.attributes.int("interleaved", 0) != 0;
    let turned = x.slice_axis(3, ..rotated);
    let (first, second) = if interleaved {
        let pairs = turned.reshape([batch, x.shape()[1], positions, half, 2]);
        (pairs.select(4, 0), pairs.select(4, 1))
    } else {
        (turned.slice_axis(3, ..half), turned.slice_axis(3, half..))
    };
    let (real, imaginary) = (&cos * &first - &sin * &second, &sin * &first + &cos * &second);
    let turned = if interleaved {
        Var::stack(&[real, imaginary], 4).reshape(turned.shape())
    } else {
        Var::cat(&[real, imaginary], 3)
    };
    let mut y = if rotated < features { Var::cat(&[turned, x.slice_axis(3, rotated..)], 3) } else { turned };
    if call.float(0)?.rank() == 3 {
        y = y.permute([0, 2, 1, 3]).reshape(call.shape(0)?);
    }
    Ok(vec![Value::Float(y)])
}
