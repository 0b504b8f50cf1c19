//! Normalisation.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use super::super::call::{Call, Produced, axes_of, axis_of};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator(
            "BatchNormalization",
            1,
            (5, 5),
            "epsilon:f momentum:f training_mode:i is_test:i spatial:i consumed_inputs:ii",
            batch_normalization,
        ),
        operator("InstanceNormalization", 1, (3, 3), "epsilon:f consumed_inputs:ii", instance_normalization),
        operator("LayerNormalization", 17, (2, 3), "axis:i epsilon:f stash_type:i", layer_normalization),
        operator("RMSNormalization", 23, (2, 2), "axis:i epsilon:f stash_type:i", rms_normalization),
        operator(
            "GroupNormalization",
            18,
            (3, 3),
            "epsilon:f num_groups:i stash_type:i",
            group_normalization,
        ),
        operator("LRN", 1, (1, 1), "alpha:f beta:f bias:f size:i", lrn),
        operator("MeanVarianceNormalization", 9, (1, 1), "axes:ii", mean_variance),
        operator("LpNormalization", 1, (1, 1), "axis:i p:i", lp_normalization),
    ]
}

const EPSILON: f64 = 1e-5;

fn batch_normalization<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    call.at_least(0, 2)?;
    let channels = x.shape()[1];
    (1..5).try_for_each(|input| call.of_shape(input, &[channels]))?;
    let (gain, bias, mean, variance) = (call.float(1)?, call.float(2)?, call.float(3)?, call.float(4)?);
    let epsilon = call.attributes.float("epsilon", EPSILON);
    if call.attributes.int("spatial", 1) == 0 {
        return Err(Problem::setting("spatial", "0"));
    }
    // Until opset 14 it is told by the results that are wanted.
    let trains = call.attributes.int("training_mode", (call.opset < 14 && call.outputs > 1).into()) != 0;
    if !trains {
        return Ok(vec![Value::Float(x.batch_norm_by(mean, variance, gain, bias, epsilon))]);
    }
    if x.is_empty() {
        return Err(call.unlike(0, "at least one element of each channel"));
    }
    let momentum = call.attributes.float("momentum", 0.9);
    let axes: Vec<usize> = (0..x.rank()).filter(|&axis| axis != 1).collect();
    let running =
        |old: &Var<T>, new: Var<T>| Value::Float(old * momentum + new.stop_gradient() * (1.0 - momentum));
    let (new_mean, new_variance) = (x.mean_axes(&axes[..], false), x.var_axes(&axes[..], 0, false));
    let saved = [new_mean.clone(), new_variance.clone()].map(Value::Float);
    let y = Value::Float(x.batch_norm(gain, bias, epsilon));
    Ok([y, running(mean, new_mean), running(variance, new_variance)].into_iter().chain(saved).collect())
}

fn instance_normalization<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    call.at_least(0, 3)?;
    let channels = x.shape()[1];
    (1..3).try_for_each(|input| call.of_shape(input, &[channels]))?;
    let epsilon = call.attributes.float("epsilon", EPSILON);
    Ok(vec![Value::Float(x.instance_norm(call.float(1)?, call.float(2)?, epsilon))])
}

/// The operand over the axes from `axis` on: of that shape, or broadcast to it.
fn over<T: Float>(call: &Call<'_, T>, input: usize, shape: &Shape) -> Result<Var<T>, Problem> {
    let given = call.float(input)?;
    if super::super::call::broadcasts(given.shape(), shape)? != *shape {
        return Err(call.unlike(input, format!("{shape}")));
    }
    Ok(given.broadcast_to(shape))
}

fn layer_normalization<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let axis = axis_of(call.attributes.int("axis", -1), x.rank())?;
    let epsilon = call.attributes.float("epsilon", EPSILON);
    let normalised = Shape::from(&x.shape()[axis..]);
    let gain = over(call, 1, &normalised)?;
    let bias = match call.given(2) {
        Some(_) => over(call, 2, &normalised)?,
        None => Var::zeros(&normalised),
    };
    if normalised.count() == 0 {
        return Err(call.unlike(0, "at least one element to normalise"));
    }
    let mut results = vec![Value::Float(x.layer_norm(&gain, &bias, epsilon))];
    if call.outputs > 1 {
        let axes: Vec<usize> = (axis..x.rank()).collect();
        results.push(Value::Float(x.mean_axes(&axes[..], true)));
        results.push(Value::Float((x.var_axes(&axes[..], 0, true) + epsilon).rsqrt()));
    }
    Ok(results)
}

fn rms_normalization<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let axis = axis_of(call.attributes.int("axis", -1), x.rank())?;
    let gain = over(call, 1, &Shape::from(&x.shape()[axis..]))?;
    if gain.is_empty() {
        return Err(call.unlike(0, "at least one element to normalise"));
    }
    Ok(vec![Value::Float(x.rms_norm(&gain, call.attributes.float("epsilon", EPSILON)))])
}

fn group_normalization<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    call.at_least(0, 2)?;
    let (channels, groups) = (x.shape()[1], call.attributes.int("num_groups", 0));
    let Some(groups) = usize::try_from(groups).ok().filter(|&g| g > 0 && channels.is_multiple_of(g)) else {
        return Err(Problem::setting("num_groups", format!("{groups} of {channels} channels")));
    };
    // Before opset 21 there is a gain for each group.
    let of_channels = |input: usize| {
        if call.opset >= 21 || call.shape(input)?[..] == [channels] {
            call.of_shape(input, &[channels])?;
            return Ok(call.float(input)?.clone());
        }
        call.of_shape(input, &[groups])?;
        Ok(call.float(input)?.repeat_interleave(channels / groups, 0))
    };
    let (gain, bias) = (of_channels(1)?, of_channels(2)?);
    if x.is_empty() {
        return Err(call.unlike(0, "at least one element"));
    }
    Ok(vec![Value::Float(x.group_norm(groups, &gain, &bias, call.attributes.float("epsilon", EPSILON)))])
}

fn lrn<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, attributes) = (call.float(0)?, call.attributes);
    call.at_least(0, 2)?;
    let size = attributes.int("size", 0);
    let Some(size) = usize::try_from(size).ok().filter(|&size| size > 0 && size < 1 << 31) else {
        return Err(Problem::setting("size", size.to_string()));
    };
    let [alpha, beta, bias] =
        [("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)].map(|(name, by)| attributes.float(name, by));
    let mut widths = vec![(0, 0); x.rank()];
    widths[1] = ((size - 1) / 2, size / 2);
    // As differences of running sums the sum would not depend on the window's width, but lose small numbers beside large ones.
    let padded = x.square().pad(&widths, 0.0);
    let channels = x.shape()[1];
    let sum = (0..size).map(|from| padded.slice_axis(1, from..from + channels)).reduce(|a, b| a + b);
    let sum = sum.expect("the window has at least one channel");
    Ok(vec![Value::Float(x * (sum * (alpha / size as f64) + bias).powf(-beta))])
}

fn mean_variance<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let axes = axes_of(call.attributes.ints("axes").unwrap_or(&[0, 2, 3]), x.rank())?;
    if x.is_empty() {
        return Err(call.unlike(0, "at least one element"));
    }
    let centred = x - x.mean_axes(&axes[..], true);
    let deviation = centred.square().mean_axes(&axes[..], true).sqrt();
    Ok(vec![Value::Float(centred / (deviation + 1e-9))])
}

fn lp_normalization<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let axis = axis_of(call.attributes.int("axis", -1), x.rank())?;
    let p = match call.attributes.int("p", 2) {
        p @ (1 | 2) => p as f64,
        other => return Err(Problem::setting("p", other.to_string())),
    };
    let norm = x.norm_axes(p, axis, true);
    // Of zeros it is zeros.
    let is_zero = norm.equal(0.0);
    let divisor = norm.masked_fill(&is_zero, 1.0);
    Ok(vec![Value::Float(x / divisor)])
}
