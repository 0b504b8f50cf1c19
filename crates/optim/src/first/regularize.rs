//! Penalties and constraints on the parameters: L1, L2, elastic net, soft threshold, max-norm.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::clip::{global_norm, map, ratio, scale};
use super::layout::Layout;
use super::loops::{Update, sums, update};
use crate::error::{Check, HyperParameterError};

/// The elastic net λ₁ ‖θ‖₁ + ½ λ₂ ‖θ‖², which has L1 (λ₂ = 0) and L2 (λ₁ = 0) as its ends.
///
/// As a penalty: [`add_gradient`](ElasticNet::add_gradient) (the subgradient of |θ| at 0 is 0) and
/// [`value`](ElasticNet::value). As a proximal step after the optimiser's, which gives exact zeros:
/// [`proximal`](ElasticNet::proximal).
///
/// Sources: Tibshirani 1996 (lasso), Zou and Hastie 2005 (elastic net), Daubechies et al. 2004 (soft threshold).
///
/// ```
/// use wengert_optim::first::ElasticNet;
/// let lasso = ElasticNet::new(0.5, 0.0);
/// let (mut theta, mut grads) = ([2.0f64, -0.3], [0.0, 0.0]);
/// assert!((lasso.value(&theta) - 1.15).abs() < 1e-12);
/// lasso.add_gradient(&theta, &mut grads);
/// assert_eq!(grads, [0.5, -0.5]);
/// lasso.proximal(&mut theta, 1.0);
/// assert_eq!(theta, [1.5, 0.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticNet {
    /// λ₁.
    pub l1: f64,
    /// λ₂.
    pub l2: f64,
}

impl ElasticNet {
    /// The penalty of these weights, λ₁ and λ₂.
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses them.
    #[track_caller]
    pub fn new(l1: f64, l2: f64) -> Self {
        let net = ElasticNet { l1, l2 };
        HyperParameterError::or_panic(net.check());
        net
    }

    /// Checks the weights, e.g. after reading them from a file.
    ///
    /// # Errors
    /// If either is negative or not finite.
    pub fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("elastic_net").non_negative("l1", self.l1)?.non_negative("l2", self.l2)?;
        Ok(())
    }

    /// λ₁ ‖θ‖₁ + ½ λ₂ ‖θ‖².
    pub fn value<T: Float>(&self, params: &[T]) -> f64 {
        // A penalty that is not there costs nothing, and its sum may overflow: 0 · ∞ is no number.
        let mut value = 0.0;
        if self.l1 > 0.0 {
            let [absolute] = sums(params, params, |p: T, _| [p.to_f64().abs()]);
            value += self.l1 * absolute;
        }
        if self.l2 > 0.0 {
            value += 0.5 * (self.l2.sqrt() * global_norm(params)).powi(2);
        }
        value
    }

    /// Adds λ₁ sign θ + λ₂ θ to `grads`, also for frozen parameters, which it does not know: they do not move, but count in
    /// norms of the gradient.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn add_gradient<T: Float>(&self, params: &[T], grads: &mut [T]) {
        assert!(
            params.len() == grads.len(),
            "ElasticNet::add_gradient: {} parameters, but the gradient has {} elements",
            params.len(),
            grads.len()
        );
        let [] = update(grads, params, [], AddPenalty { l1: T::from_f64(self.l1), l2: T::from_f64(self.l2) });
    }

    /// The proximal step of size `rate`: θ ← sign θ · max(|θ| − η λ₁, 0) / (1 + η λ₂).
    ///
    /// # Panics
    /// If `rate` is negative or not finite.
    #[track_caller]
    pub fn proximal<T: Float>(&self, params: &mut [T], rate: f64) {
        assert!(rate.is_finite() && rate >= 0.0, "ElasticNet::proximal: the step is {rate}");
        let threshold = T::from_f64(rate * self.l1);
        let shrink = T::from_f64((1.0 + rate * self.l2).recip());
        map(params, move |p| p.sign() * (p.abs() - threshold).maximum(T::ZERO) * shrink);
    }
}

/// The penalty's gradient, with the gradient in the place of the parameter.
#[derive(Clone, Copy)]
struct AddPenalty<T> {
    l1: T,
    l2: T,
}

impl<T: Float> Update<T, 0> for AddPenalty<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, g: T, p: T, _: [T; 0]) -> (T, [T; 0], [T; 0]) {
        (I::mul_add(self.l1, p.sign(), I::mul_add(self.l2, p, g)), [], [])
    }
}

/// Max-norm: after a step, scales the weights into each output unit back to a largest norm.
///
/// Units are the rows (over all but the first dimension) of tensors of two or more dimensions; others are left alone.
///
/// Source: Srebro, Rennie and Jaakkola 2005; Srivastava et al., *Dropout*, 2014. Usual: 3 or 4.
///
/// ```
/// use wengert_optim::Layout;
/// use wengert_optim::first::MaxNorm;
/// let layout = Layout::new([("weight", vec![2, 2]), ("bias", vec![2])]);
/// let mut theta = [3.0f64, 4.0, 0.3, 0.4, 9.0, 9.0];
/// MaxNorm::new(1.0, "weight").apply(&mut theta, &layout);
/// assert!((theta[0] - 0.6).abs() < 1e-12 && theta[2..] == [0.3, 0.4, 9.0, 9.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxNorm {
    /// The largest norm of a unit.
    pub limit: f64,
    /// Which tensors are limited.
    pub pattern: String,
}

impl MaxNorm {
    /// Limits the tensors whose name fits the pattern (see [`name_matches`](crate::name_matches); `"*"` is all).
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses the limit.
    #[track_caller]
    pub fn new(limit: f64, pattern: &str) -> Self {
        let limited = MaxNorm { limit, pattern: pattern.to_owned() };
        HyperParameterError::or_panic(limited.check());
        limited
    }

    /// Checks the limit, e.g. after reading it from a file.
    ///
    /// # Errors
    /// If it is not finite and above 0.
    pub fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("max_norm").positive("limit", self.limit)?;
        Ok(())
    }

    /// Scales back the units that are over the limit.
    ///
    /// # Panics
    /// If the length is not that of the layout, or the pattern fits none of its names.
    #[track_caller]
    pub fn apply<T: Float>(&self, params: &mut [T], layout: &Layout) {
        let len = layout.len();
        assert!(params.len() == len, "MaxNorm::apply: {} parameters for a layout of {len}", params.len());
        let limited =
            layout.matching(&self.pattern).unwrap_or_else(|error| panic!("MaxNorm::apply: {error}"));
        for (segment, _) in layout.segments().iter().zip(limited).filter(|(_, limited)| *limited) {
            let [outputs, _, ..] = *segment.shape.as_slice() else { continue };
            let unit = segment.range.len().checked_div(outputs).unwrap_or(0).max(1);
            for row in params[segment.range.clone()].chunks_mut(unit) {
                let norm = global_norm(row);
                if norm.is_finite() && norm > self.limit {
                    scale(row, ratio(self.limit, norm));
                }
            }
        }
    }
}
