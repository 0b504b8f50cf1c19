//! Linear units with a gate: one half of an axis times a function of the other.

use wengert_tape::Var;
use wengert_tensor::{Axis, Float};

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// The two halves of an axis.
#[track_caller]
pub(super) fn halves<T: Float>(operation: &str, x: &Var<T>, axis: isize) -> (Var<T>, Var<T>) {
    let at = x.shape().axis(operation, Axis::from(axis));
    let length = x.shape()[at];
    assert!(
        length.is_multiple_of(2),
        "{operation}: axis {axis} of shape {}, with {length} elements, has no halves",
        x.shape()
    );
    (x.slice_axis(at, ..length / 2), x.slice_axis(at, length / 2..))
}

macro_rules! gated {
    ($( $(#[$doc:meta])* $Name:ident, $method:ident; )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $Name {
            /// The axis; negative ones count from the end. Default −1.
            pub axis: isize,
        }

        impl Default for $Name {
            fn default() -> Self {
                $Name { axis: -1 }
            }
        }

        impl<T: Float> Layer<T> for $Name {
            /// # Panics
            /// If there is no such axis, or its length is odd.
            #[track_caller]
            fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
                cx.enter(stringify!($Name)).leave(&[], x.$method(self.axis))
            }
        }
    )* };
}

gated! {
    /// a·σ(b), with a and b the halves of an axis (Dauphin et al., "Language modeling with gated convolutional networks",
    /// 2017).
    #[doc(alias = "GLU")]
    Glu, glu;
    /// a·silu(b), with a and b the halves of an axis (Shazeer, "GLU variants improve transformer", 2020). The gate is the
    /// second half, as in [`Glu`].
    #[doc(alias = "SwiGLU")]
    SwiGlu, swiglu;
    /// a·gelu(b), with a and b the halves of an axis (Shazeer, 2020).
    #[doc(alias = "GEGLU")]
    GeGlu, geglu;
    /// a·relu(b), with a and b the halves of an axis (Shazeer, 2020).
    #[doc(alias = "ReGLU")]
    ReGlu, reglu;
}
