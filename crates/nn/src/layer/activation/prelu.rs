//! The rectifier with a learned slope.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use super::Activations;
use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// x where it is positive, `weight`·x elsewhere, at 0 too (He et al., "Delving deep into rectifiers", 2015).
///
/// The parameter `weight` has one slope for all, of shape `[1]`, or one for each channel, the second axis; they start at 0.25.
///
/// ```
/// use wengert_nn::{Layer, Params, Prelu};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let act = Prelu::new(params.at("act"));
/// let y = params.infer(|cx| act.forward(cx, &Var::from([-4.0, 2.0])));
/// assert_eq!(y.value().to_vec(), [-1.0, 2.0]);
/// ```
#[doc(alias = "PReLU")]
#[derive(Clone, Debug)]
pub struct Prelu {
    weight: ParamId,
}

impl Prelu {
    /// One slope, which starts at 0.25.
    ///
    /// # Panics
    /// If the place already has a `weight`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>) -> Self {
        Prelu::with_slopes(p, 1, 0.25)
    }

    /// A slope for each of so many channels (or one for all, if it is 1), which starts at `slope`.
    ///
    /// # Panics
    /// If the place already has a `weight`.
    #[doc(alias = "num_parameters")]
    #[track_caller]
    pub fn with_slopes<T: Float>(mut p: Scope<'_, T>, channels: usize, slope: f64) -> Self {
        Prelu { weight: p.param("weight", [channels], Init::Constant(slope)) }
    }

    /// The slopes, of shape `[channels]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }
}

impl<T: Float> Layer<T> for Prelu {
    /// # Panics
    /// If there are several slopes and the second axis of `x` does not have as many channels, or the layer belongs to
    /// another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let weight = cx.param_of("prelu", self.weight);
        let shape = x.shape();
        let weight = if weight.len() == 1 {
            weight
        } else {
            assert!(
                shape.get(1) == Some(&weight.len()),
                "prelu: {} slopes for the channels, the second axis, of shape {shape}",
                weight.len()
            );
            let axis = |axis: usize| if axis == 1 { weight.len() } else { 1 };
            weight.reshape((0..shape.len()).map(axis).collect::<Shape>())
        };
        cx.enter("Prelu").leave(&[Some(self.weight)], x.prelu(&weight))
    }
}
