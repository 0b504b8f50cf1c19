//! Activations, as layers and as methods of variables.
//!
//! Those that take no number are in the list below; the others have a file each. The methods that [`Var`] does not
//! have itself are in [`Activations`].

mod celu;
mod elu;
mod gated;
mod gelu_tanh;
mod hard;
mod hardtanh;
mod leaky_relu;
mod prelu;
mod rrelu;
pub(crate) mod selu;
mod shrink;
mod silu;
mod smooth;
mod softmax;
mod swish;
mod threshold;

pub use celu::Celu;
pub use elu::Elu;
pub use gated::{GeGlu, Glu, ReGlu, SwiGlu};
pub use hardtanh::Hardtanh;
pub use leaky_relu::LeakyRelu;
pub use prelu::Prelu;
pub use rrelu::Rrelu;
pub use shrink::{Hardshrink, Softshrink};
pub use softmax::{LogSoftmax, Softmax, Softmax2d, Softmin};
pub use swish::Swish;
pub use threshold::Threshold;

use wengert_tape::Var;
use wengert_tensor::Float;
use wengert_tensor::shape::broadcast;

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
                cx.enter(stringify!($Name)).leave(&[], x.$method())
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
    /// λ·x where it is positive, λ·α·(eˣ − 1) elsewhere, with α ≈ 1.6733 and λ ≈ 1.0507 (Klambauer et al.,
    /// "Self-normalizing neural networks", 2017).
    #[doc(alias = "SELU")]
    Selu, selu;
    /// x·tanh(ln(1 + eˣ)) (Misra, "Mish: a self regularized non-monotonic activation function", 2019).
    Mish, mish;
    /// x·min(max(x + 3, 0), 6)/6 (Howard et al., "Searching for MobileNetV3", 2019).
    Hardswish, hardswish;
    /// min(max(x + 3, 0), 6)/6.
    Hardsigmoid, hardsigmoid;
    /// min(max(x, 0), 6); the slope at 0 and at 6 is 0.
    #[doc(alias = "ReLU6")]
    Relu6, relu6;
    /// max(x, 0)² (So et al., "Primer: searching for efficient transformers", 2021).
    SquaredRelu, squared_relu;
    /// −ln(1 + e⁻ˣ), the logarithm of the logistic function.
    LogSigmoid, log_sigmoid;
    /// x / (1 + |x|).
    Softsign, softsign;
    /// x − tanh x.
    Tanhshrink, tanhshrink;
}

/// Activations that are no methods of [`Var`] itself.
///
/// ```
/// use wengert_nn::Activations;
/// use wengert_tape::Var;
/// assert_eq!(Var::from([-2.0f64, 3.0]).leaky_relu(0.1).value().to_vec(), [-0.2, 3.0]);
/// ```
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
    /// λ·x where it is positive, λ·α·(eˣ − 1) elsewhere (Klambauer et al., 2017).
    #[track_caller]
    fn selu(&self) -> Var<T>;
    /// x where it is positive, `alpha`·(e^(x/`alpha`) − 1) elsewhere (Barron, 2017).
    ///
    /// # Panics
    /// If `alpha` is 0.
    #[track_caller]
    fn celu(&self, alpha: f64) -> Var<T>;
    /// x·tanh(ln(1 + eˣ)) (Misra, 2019).
    #[track_caller]
    fn mish(&self) -> Var<T>;
    /// x·σ(`beta`·x) (Ramachandran, Zoph and Le, 2017).
    #[track_caller]
    fn swish(&self, beta: f64) -> Var<T>;
    /// x·min(max(x + 3, 0), 6)/6 (Howard et al., 2019).
    #[track_caller]
    fn hardswish(&self) -> Var<T>;
    /// min(max(x + 3, 0), 6)/6.
    #[track_caller]
    fn hardsigmoid(&self) -> Var<T>;
    /// x limited to `low..=high`, with a slope of 0 at the limits.
    ///
    /// # Panics
    /// If `low > high` or either is NaN.
    #[track_caller]
    fn hardtanh(&self, low: f64, high: f64) -> Var<T>;
    /// min(max(x, 0), 6).
    #[track_caller]
    fn relu6(&self) -> Var<T>;
    /// max(x, 0)² (So et al., 2021).
    #[track_caller]
    fn squared_relu(&self) -> Var<T>;
    /// −ln(1 + e⁻ˣ), the logarithm of the logistic function.
    #[track_caller]
    fn log_sigmoid(&self) -> Var<T>;
    /// x / (1 + |x|).
    #[track_caller]
    fn softsign(&self) -> Var<T>;
    /// x − tanh x.
    #[track_caller]
    fn tanhshrink(&self) -> Var<T>;
    /// x where |x| > `lambda`, 0 elsewhere.
    ///
    /// # Panics
    /// If `lambda` is negative or NaN.
    #[track_caller]
    fn hardshrink(&self, lambda: f64) -> Var<T>;
    /// x moved towards 0 by `lambda`, and 0 where |x| ≤ `lambda`.
    ///
    /// # Panics
    /// If `lambda` is negative or NaN.
    #[track_caller]
    fn softshrink(&self, lambda: f64) -> Var<T>;
    /// x where it is above `threshold`, `value` elsewhere.
    #[track_caller]
    fn threshold(&self, threshold: f64, value: f64) -> Var<T>;
    /// x where it is positive, `weight`·x elsewhere, at 0 too; the weight broadcasts to x (He et al., 2015).
    ///
    /// # Panics
    /// If the weight does not broadcast to x.
    #[track_caller]
    fn prelu(&self, weight: &Var<T>) -> Var<T>;
    /// e⁻ˣ / Σe⁻ˣ along an axis.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    fn softmin(&self, axis: isize) -> Var<T>;
    /// a·σ(b), with a and b the halves of an axis (Dauphin et al., 2017).
    ///
    /// # Panics
    /// If there is no such axis, or its length is odd.
    #[track_caller]
    fn glu(&self, axis: isize) -> Var<T>;
    /// a·silu(b), with a and b the halves of an axis (Shazeer, 2020).
    ///
    /// # Panics
    /// If there is no such axis, or its length is odd.
    #[track_caller]
    fn swiglu(&self, axis: isize) -> Var<T>;
    /// a·gelu(b), with a and b the halves of an axis (Shazeer, 2020).
    ///
    /// # Panics
    /// If there is no such axis, or its length is odd.
    #[track_caller]
    fn geglu(&self, axis: isize) -> Var<T>;
    /// a·relu(b), with a and b the halves of an axis (Shazeer, 2020).
    ///
    /// # Panics
    /// If there is no such axis, or its length is odd.
    #[track_caller]
    fn reglu(&self, axis: isize) -> Var<T>;
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
    fn selu(&self) -> Var<T> {
        self.apply(selu::Formula)
    }
    fn celu(&self, alpha: f64) -> Var<T> {
        assert!(alpha != 0.0, "celu: alpha is 0");
        self.apply(celu::Formula { alpha })
    }
    fn mish(&self) -> Var<T> {
        self.apply(smooth::Mish)
    }
    fn swish(&self, beta: f64) -> Var<T> {
        self.apply(swish::Formula { beta })
    }
    fn hardswish(&self) -> Var<T> {
        self.apply(hard::Hardswish)
    }
    fn hardsigmoid(&self) -> Var<T> {
        self.apply(hard::Hardsigmoid)
    }
    fn hardtanh(&self, low: f64, high: f64) -> Var<T> {
        assert!(low <= high, "hardtanh: the lower limit {low} is not below the upper limit {high}");
        self.apply(hardtanh::Formula { low, high })
    }
    fn relu6(&self) -> Var<T> {
        self.hardtanh(0.0, 6.0)
    }
    fn squared_relu(&self) -> Var<T> {
        self.apply(hard::SquaredRelu)
    }
    fn log_sigmoid(&self) -> Var<T> {
        self.apply(smooth::LogSigmoid)
    }
    fn softsign(&self) -> Var<T> {
        self.apply(smooth::Softsign)
    }
    fn tanhshrink(&self) -> Var<T> {
        self.apply(smooth::Tanhshrink)
    }
    fn hardshrink(&self, lambda: f64) -> Var<T> {
        assert!(lambda >= 0.0, "hardshrink: lambda {lambda} is negative");
        self.apply(shrink::Hard { lambda })
    }
    fn softshrink(&self, lambda: f64) -> Var<T> {
        assert!(lambda >= 0.0, "softshrink: lambda {lambda} is negative");
        self.apply(shrink::Soft { lambda })
    }
    fn threshold(&self, threshold: f64, value: f64) -> Var<T> {
        self.apply(threshold::Formula { threshold, value })
    }
    fn prelu(&self, weight: &Var<T>) -> Var<T> {
        assert!(
            broadcast(weight.shape(), self.shape()).as_ref() == Some(self.shape()),
            "prelu: slopes of shape {} do not broadcast to shape {}",
            weight.shape(),
            self.shape()
        );
        let positive = self.gt(0.0);
        // A slope that is not taken may be infinite, and the product with it is NaN in one of the modes.
        let slope = Var::select_where(&positive, &Var::scalar(T::ONE), weight);
        Var::select_where(positive, self, &(self * slope))
    }
    fn softmin(&self, axis: isize) -> Var<T> {
        (-self).softmax(axis)
    }
    fn glu(&self, axis: isize) -> Var<T> {
        let (a, b) = gated::halves("glu", self, axis);
        a * b.sigmoid()
    }
    fn swiglu(&self, axis: isize) -> Var<T> {
        let (a, b) = gated::halves("swiglu", self, axis);
        a * b.silu()
    }
    fn geglu(&self, axis: isize) -> Var<T> {
        let (a, b) = gated::halves("geglu", self, axis);
        a * b.gelu()
    }
    fn reglu(&self, axis: isize) -> Var<T> {
        let (a, b) = gated::halves("reglu", self, axis);
        a * b.relu()
    }
}
