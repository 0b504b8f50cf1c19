//! Swish with a factor.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x·σ(`beta`·x) (Ramachandran, Zoph and Le, "Searching for activation functions", 2017). With the default `beta` of 1
/// it is [`Silu`](crate::Silu).
///
/// ```
/// use wengert_nn::{Layer, Params, Swish};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Swish { beta: 0.0 }.forward(cx, &Var::from([4.0])));
/// assert_eq!(y.value().to_vec(), [2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swish {
    /// The factor inside.
    pub beta: f64,
}

impl Default for Swish {
    fn default() -> Self {
        Swish { beta: 1.0 }
    }
}

impl<T: Float> Layer<T> for Swish {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Swish").leave(&[], x.swish(self.beta))
    }
}

/// σ is 0 below minus this, and the product with its argument too.
const SATURATED: f64 = 1000.0;

#[derive(Clone)]
pub(super) struct Formula {
    pub(super) beta: f64,
}

impl Elementwise for Formula {
    const NAME: &'static str = "swish";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("beta", self.beta);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        if self.beta == 0.0 {
            return x * 0.5;
        }
        // x limited where the factor is 0.
        let limit = SATURATED / self.beta.abs();
        let (low, high) = if self.beta > 0.0 { (-limit, f64::INFINITY) } else { (f64::NEG_INFINITY, limit) };
        x.clamp(low, high) * (x * self.beta).sigmoid()
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let u = (x * self.beta).clamp(-SATURATED, SATURATED);
        // 1 − σ(u) as σ(−u), which keeps its precision where it is small.
        u.sigmoid() * (u.clone() * (-u).sigmoid() + 1.0)
    }
    code_compiled_here!(Formula);
}
