//! Gradient descent.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;

use super::sgd::Plain;
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::update;
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Gradient descent: θ ← θ − η ∇J(θ), with the gradient over the whole of the data.
///
/// The step is that of plain [`Sgd`](crate::Sgd); what differs is the gradient it is given. For a quadratic whose largest
/// curvature is L it converges for η < 2 / L.
///
/// Source: Cauchy, *Méthode générale pour la résolution des systèmes d'équations simultanées*, 1847. Moves 12 bytes
/// per f32 parameter, keeps nothing.
///
/// ```
/// use wengert_optim::{GradientDescent, Optimizer};
/// let (mut theta, mut descent) = ([2.0f64, 3.0], GradientDescent::new(0.1));
/// descent.step(&mut theta, &[4.0, 6.0]); // J = θ₁² + θ₂²
/// assert!((theta[0] - 1.6).abs() < 1e-15 && (theta[1] - 2.4).abs() < 1e-15);
/// ```
pub type GradientDescent<T = f32> = FirstOrder<GradientDescentConfig, T>;

/// [`GradientDescent`] has no hyper-parameter but the learning rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientDescentConfig {}

impl NeedsNoLayout for GradientDescentConfig {}

impl Rule for GradientDescentConfig {
    const NAME: &'static str = "gradient_descent";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(GradientDescentConfig);

    fn check(&self, _: Check) -> Result<(), HyperParameterError> {
        Ok(())
    }

    fn slots(&self, _: &Layout) -> Slots {
        Slots::default()
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        update(params, grads, [], Plain { rate: T::from_f64(memory.learning_rate), decay: T::ZERO });
    }
}
