//! Numbers of inputs and outputs of a unit.

use wengert_tensor::{Shape, size};

/// What the variance is kept of from layer to layer.
///
/// ```
/// use wengert_nn::init::Fan;
/// use wengert_nn::{Init, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// // He's rule for ReLU, by the number of inputs.
/// let he = Init::KaimingNormal { gain: 2f64.sqrt(), fan: Fan::In };
/// params.root().param("weight", [100, 400], he);
/// let square = params.values().iter().map(|w| w * w).sum::<f64>() / 40_000.0;
/// assert!((square.sqrt() - (2.0 / 400.0f64).sqrt()).abs() < 1e-3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fan {
    /// The values in the forward pass.
    In,
    /// The gradients in the backward pass.
    Out,
}

/// The numbers of inputs and outputs of one unit of a weight of shape `[out, in, kernel…]`:
/// `in · Π kernel` and `out · Π kernel`.
///
/// # Panics
/// If the shape has less than two axes, or a number is larger than [that of a tensor's elements](wengert_tensor::size).
///
/// ```
/// use wengert_nn::init::fans;
/// assert_eq!(fans(&[10, 128].into()), (128, 10));
/// assert_eq!(fans(&[16, 6, 5, 5].into()), (150, 400));
/// ```
#[track_caller]
pub fn fans(shape: &Shape) -> (usize, usize) {
    assert!(shape.len() >= 2, "init: shape {shape} has no fan in and fan out, which take at least two axes");
    let kernel = size::product("init", &shape[2..]);
    (size::product("init", &[shape[1], kernel]), size::product("init", &[shape[0], kernel]))
}
