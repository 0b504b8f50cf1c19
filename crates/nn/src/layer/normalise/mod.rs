//! Normalisation.

mod batch_norm;
mod group_norm;
mod instance_norm;
mod layer_norm;
mod local_response;
mod over_shards;
mod rms_norm;
mod running;

pub use batch_norm::{BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d, BatchNormBuilder};
pub use group_norm::{GroupNorm, GroupNormBuilder};
pub use instance_norm::{InstanceNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, InstanceNormBuilder};
pub use layer_norm::{LayerNorm, LayerNormBuilder};
pub use local_response::LocalResponseNorm;
pub use rms_norm::{RmsNorm, RmsNormBuilder};

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use crate::ctx::Ctx;
use crate::init::Init;
use crate::params::{ParamId, Scope};

/// The learned factor and shift of a normalisation, if it has them.
#[derive(Clone, Debug)]
struct Gain {
    shape: Shape,
    weight: Option<ParamId>,
    bias: Option<ParamId>,
}

impl Gain {
    #[track_caller]
    fn make<T: Float>(p: &mut Scope<'_, T>, shape: &Shape, weight: bool, bias: bool) -> Self {
        let weight = p.optional("weight", shape, weight.then_some(Init::Ones));
        let bias = p.optional("bias", shape, bias.then_some(Init::Zeros));
        Gain { shape: shape.clone(), weight, bias }
    }

    fn ids(&self) -> [Option<ParamId>; 2] {
        [self.weight, self.bias]
    }

    /// Both, as 1 and 0 where there is none.
    #[track_caller]
    fn get<T: Float>(&self, operation: &str, cx: &Ctx<T>) -> (Var<T>, Var<T>) {
        // Not in closures, which would lose the caller's line.
        let weight = match self.weight {
            Some(id) => cx.param_of(operation, id),
            None => Var::ones(&self.shape),
        };
        let bias = match self.bias {
            Some(id) => cx.param_of(operation, id),
            None => Var::zeros(&self.shape),
        };
        (weight, bias)
    }
}

/// ε, if it is one.
#[track_caller]
fn checked_epsilon(operation: &str, epsilon: f64) -> f64 {
    assert!(epsilon >= 0.0, "{operation}: ε is {epsilon}, which is not 0 or more");
    epsilon
}

/// Checks that the last axes are those that are normalised.
#[track_caller]
fn check_last_axes(operation: &str, x: &Shape, features: &Shape) {
    assert!(
        x.ends_with(features),
        "{operation}: the input has shape {x}, but the layer normalises axes of shape {features}"
    );
}

/// Checks the number of axes, which is one of two, and the channels at one of them.
#[track_caller]
fn check_channels(kind: &str, x: &Shape, ranks: [usize; 2], axis: usize, channels: usize) {
    let [least, most] = ranks;
    let expected = if least == most { most.to_string() } else { format!("{least} or {most}") };
    assert!(
        (least..=most).contains(&x.len()),
        "{kind}: the input has shape {x}, but {expected} axes are expected"
    );
    assert!(
        x[axis] == channels,
        "{kind}: the input has shape {x}, but {channels} channels are expected on axis {axis}"
    );
}
