//! Adaptive gradient clipping.

use wengert_state::{Scalar, State};
use wengert_tensor::Float;
use wengert_tensor::names::PatternError;

use super::clip::{global_norm, ratio, scale};
use super::layout::Layout;
use crate::error::{Check, HyperParameterError};

/// Adaptive gradient clipping: limits the gradient of every unit in proportion to the norm of its weights.
///
/// For each unit: g ← g · min(1, λ max(‖w‖, ε) / ‖g‖). The units are the rows of a tensor of two or more dimensions,
/// whose first is the outputs, and the whole of a tensor of fewer.
///
/// Source: Brock et al., *High-performance large-scale image recognition without normalization*, 2021. Usual: λ = 0.01 to
/// 0.16, ε = 1e-3. The paper leaves the last layer out: see [`without`](AdaptiveClip::without).
///
/// ```
/// use wengert_optim::{AdaptiveClip, Layout};
/// let layout = Layout::new([("weight", vec![2, 2])]);
/// let clip = AdaptiveClip::new(0.1, 1e-3, &layout);
/// let mut grads = [3.0f64, 4.0, 0.1, 0.0];
/// clip.apply(&[6.0, 8.0, 6.0, 8.0], &mut grads);
/// assert!((grads[0] - 0.6).abs() < 1e-12 && grads[2] == 0.1);
/// ```
#[derive(Debug, Clone)]
pub struct AdaptiveClip {
    ratio: f64,
    epsilon: f64,
    layout: Layout,
    clipped: Vec<bool>,
}

impl AdaptiveClip {
    /// Clips to `ratio` (λ) times the norm of the weights, which counts as at least `epsilon`.
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses them.
    #[track_caller]
    pub fn new(ratio: f64, epsilon: f64, layout: &Layout) -> Self {
        HyperParameterError::or_panic(Self::check(ratio, epsilon));
        AdaptiveClip { ratio, epsilon, layout: layout.clone(), clipped: vec![true; layout.segments().len()] }
    }

    /// Whether it can be made with these.
    ///
    /// # Errors
    /// If either is not finite and above 0.
    pub fn check(ratio: f64, epsilon: f64) -> Result<(), HyperParameterError> {
        Check::new("adaptive_clip").positive("ratio", ratio)?.positive("epsilon", epsilon)?;
        Ok(())
    }

    /// Leaves out the tensors whose name fits the pattern (see [`name_matches`](crate::name_matches)).
    ///
    /// # Errors
    /// If none fits.
    ///
    /// ```
    /// use wengert_optim::{AdaptiveClip, Layout};
    /// let layout = Layout::new([("hidden.weight", vec![1, 1]), ("head.weight", vec![1, 1])]);
    /// let clip = AdaptiveClip::new(0.1, 1e-3, &layout).without("head.*")?;
    /// let mut grads = [5.0f64, 5.0];
    /// clip.apply(&[1.0, 1.0], &mut grads);
    /// assert!((grads[0] - 0.1).abs() < 1e-12 && grads[1] == 5.0);
    /// # Ok::<(), wengert_optim::PatternError>(())
    /// ```
    pub fn without(mut self, pattern: &str) -> Result<Self, PatternError> {
        let left_out = self.layout.matching(pattern)?;
        self.clipped.iter_mut().zip(left_out).for_each(|(clipped, out)| *clipped &= !out);
        Ok(self)
    }

    /// Ratio, epsilon and the parameters that are left out, by name.
    ///
    /// ```
    /// use wengert_optim::{AdaptiveClip, Layout};
    /// let layout = Layout::new([("w", vec![2, 2])]);
    /// assert_eq!(AdaptiveClip::new(0.1, 1e-3, &layout).settings().real("ratio")?, 0.1);
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    pub fn settings(&self) -> State {
        let names = self.layout.names().zip(&self.clipped);
        let without: Vec<&str> = names.filter_map(|(name, clipped)| (!clipped).then_some(name)).collect();
        State::new("adaptive_clip", 0)
            .with_real("ratio", self.ratio)
            .with_real("epsilon", self.epsilon)
            .with_scalar("without", Scalar::Text(without.join(", ")))
    }

    /// Clips `grads`, the gradient at `params`. Units whose gradient is not finite are left as they are.
    ///
    /// # Panics
    /// If a length is not that of the layout.
    #[track_caller]
    pub fn apply<T: Float>(&self, params: &[T], grads: &mut [T]) {
        let len = self.layout.len();
        assert!(
            params.len() == len && grads.len() == len,
            "AdaptiveClip::apply: {} parameters and {} gradient elements for a layout of {len}",
            params.len(),
            grads.len()
        );
        for segment in self.layout.segments().iter().zip(&self.clipped).filter_map(|(s, &on)| on.then_some(s))
        {
            let unit = match *segment.shape.as_slice() {
                [outputs, _, ..] if outputs > 0 => segment.range.len() / outputs,
                _ => segment.range.len(),
            };
            let (p, g) = (&params[segment.range.clone()], &mut grads[segment.range.clone()]);
            for (p, g) in p.chunks(unit.max(1)).zip(g.chunks_mut(unit.max(1))) {
                let (size, norm) = (global_norm(p).max(self.epsilon), global_norm(g));
                if norm.is_finite() && norm > self.ratio * size {
                    scale(g, ratio(self.ratio * size, norm));
                }
            }
        }
    }
}
