//! What is kept for a parameter, and what is the same for all.

use wengert_tensor::text;

use super::error::OptimizerProblem;
use super::method::{Method, Vector};
use crate::torch::value::{Dict, StoredTensor, Value};

/// Counts of steps are below this.
const MOST_STEPS: f64 = (1u64 << 53) as f64;

/// A parameter of PyTorch's optimiser: its number there, its name here, and what is kept for it.
pub(super) struct Known<'a> {
    pub(super) number: i64,
    pub(super) name: &'a str,
    pub(super) state: Option<Dict<'a>>,
}

/// Whether the state of a parameter has a vector, and not nothing in its place.
pub(super) fn has(state: &Dict<'_>, vector: &Vector) -> bool {
    state.get(vector.there).is_some_and(|value| value.tensor().is_some())
}

/// The steps that all parameters with a state have made, and what else is one number for all.
pub(super) fn counts(method: &Method, known: &[Known<'_>]) -> Result<(u64, Option<f64>), OptimizerProblem> {
    let (mut step, mut real) = (None, None);
    for Known { name, state, .. } in known {
        let Some(state) = state else { continue };
        let wrong =
            |what: &str, reason| OptimizerProblem::Value { name: format!("{what} of {name}"), reason };
        let own = if method.counted {
            let own = state.get("step").ok_or_else(|| wrong("step", "is missing"))?;
            let own = number(own).filter(|own| (0.0..MOST_STEPS).contains(own) && own.fract() == 0.0);
            own.ok_or_else(|| wrong("step", "is no count"))? as u64
        } else {
            1
        };
        let expected = *step.get_or_insert(own);
        if own != expected {
            return Err(OptimizerProblem::Steps { name: text::shortened(name), found: own, expected });
        }
        if let Some((_, there)) = method.real {
            let own = state.get(there).and_then(number).ok_or_else(|| wrong(there, "is no number"))?;
            real.get_or_insert(own);
        }
    }
    Ok((step.unwrap_or(0), real))
}

/// The number that a value is, or the only one that a tensor has.
pub(super) fn number(value: Value<'_>) -> Option<f64> {
    value.float().or_else(|| single(value.tensor()?))
}

fn single(tensor: StoredTensor<'_>) -> Option<f64> {
    if tensor.shape().checked_count() != Some(1) {
        return None;
    }
    let bytes = tensor.bytes().ok()?;
    Some(match tensor.dtype() {
        "F32" => f32::from_le_bytes(bytes.try_into().ok()?).into(),
        "F64" => f64::from_le_bytes(bytes.try_into().ok()?),
        "I64" => i64::from_le_bytes(bytes.try_into().ok()?) as f64,
        _ => return None,
    })
}
