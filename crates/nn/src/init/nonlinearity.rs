//! What follows a layer, for the scale of its weights.

use super::Init;

/// What the output of a layer goes through: its weights start so much larger that the variance stays.
///
/// ```
/// use wengert_nn::Init;
/// use wengert_nn::init::Nonlinearity;
/// let init = Init::XavierUniform { gain: Nonlinearity::Tanh.gain() };
/// assert_eq!(init, Init::XavierUniform { gain: 5.0 / 3.0 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Nonlinearity {
    /// Nothing.
    Linear,
    /// The logistic function.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// max(x, 0).
    Relu,
    /// A slope for negative numbers.
    LeakyRelu(f64),
    /// SELU, with a gain that favours stability, as in PyTorch; the fixed point of self-normalising networks needs 1.
    Selu,
}

impl Nonlinearity {
    /// The factor: 1, 1, 5/3, √2, √(2/(1 + slope²)) and 3/4.
    #[doc(alias = "calculate_gain")]
    pub fn gain(self) -> f64 {
        match self {
            Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
            Nonlinearity::Tanh => 5.0 / 3.0,
            Nonlinearity::Relu => std::f64::consts::SQRT_2,
            Nonlinearity::LeakyRelu(slope) => Init::leaky_relu_gain(slope),
            Nonlinearity::Selu => 0.75,
        }
    }
}
