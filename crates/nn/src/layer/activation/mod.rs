//! Activations, as layers and as methods of variables.
//!
//! Those that take no number are in the list below; the others have a file each. The methods that [`Var`] does not
//! have itself are in [`Activations`].

mod elu;
mod gelu_tanh;
mod leaky_relu;
mod silu;
mod softmax;

pub use elu::Elu;
pub use leaky_relu::LeakyRelu;
pub use softmax::{LogSoftmax, Softmax};

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// A layer without options for a method of variables.
macro_rules! activations {
    ($( $(#[$doc:meta])* $Name:ident, $method:ident; )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $Name;

        impl<T: Float> Layer<T> for $Name {
            fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
                cx.trace(stringify!($Name), &[], x.$method())
            }
        }
    )* };
}

activations! {
    /// max(x, 0); the subgradient at 0 is 0.
    #[doc(alias = "ReLU")]
    Relu, relu;
    /// x · σ(x), also called swish (Elfwing, Uchibe & Doya, 2018).
    #[doc(alias = "SiLU")]
    #[doc(alias = "Swish")]
    Silu, silu;
    /// x · Φ(x), Φ being the normal distribution function (Hendrycks & Gimpel, 2016).
    #[doc(alias = "GELU")]
    Gelu, gelu;
    /// The approximation of [`Gelu`] by a hyperbolic tangent that GPT-2 and BERT use.
    GeluTanh, gelu_tanh;
    /// tanh x.
    Tanh, tanh;
    /// 1 / (1 + e⁻ˣ).
    Sigmoid, sigmoid;
    /// ln(1 + eˣ).
    Softplus, softplus;
}

/// Activations that are no methods of [`Var`] itself.
pub trait Activations<T: Float> {
    /// x where it is positive, `slope`·x elsewhere, at 0 too (Maas, Hannun & Ng, 2013).
    #[track_caller]
    fn leaky_relu(&self, slope: f64) -> Var<T>;
    /// x where it is positive, `alpha`·(eˣ − 1) elsewhere (Clevert, Unterthiner & Hochreiter, 2016).
    #[track_caller]
    fn elu(&self, alpha: f64) -> Var<T>;
    /// x · σ(x), also called swish (Elfwing, Uchibe & Doya, 2018).
    #[track_caller]
    fn silu(&self) -> Var<T>;
    /// ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), close to [`Var::gelu`] (Hendrycks & Gimpel, 2016).
    #[track_caller]
    fn gelu_tanh(&self) -> Var<T>;
}

impl<T: Float> Activations<T> for Var<T> {
    fn leaky_relu(&self, slope: f64) -> Var<T> {
        self.apply(leaky_relu::Formula { slope })
    }
    fn elu(&self, alpha: f64) -> Var<T> {
        self.apply(elu::Formula { alpha })
    }
    fn silu(&self) -> Var<T> {
        self.apply(silu::Formula)
    }
    fn gelu_tanh(&self) -> Var<T> {
        self.apply(gelu_tanh::Formula)
    }
}
