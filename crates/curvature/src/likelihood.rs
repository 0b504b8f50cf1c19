//! What distribution of the targets a model's outputs stand for.

use wengert_nn::{BceWithLogits, CrossEntropy, Mse, Reduction};
use wengert_tape::Var;
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape, Tensor};

use crate::output_curvature::{Categorical, Diagonal, OuterProducts, OutputCurvature};

/// The distribution p(target | outputs) whose negative logarithm a loss is: what a
/// [Fisher matrix](crate::FisherInformation::fisher) is made from.
///
/// The losses that are likelihoods turn into theirs, reduction included: [`CrossEntropy`] (whose label
/// smoothing concerns the targets alone), [`BceWithLogits`] and [`Mse`].
///
/// ```
/// use wengert_curvature::{Family, Likelihood};
/// use wengert_nn::{CrossEntropy, Mse, Reduction};
/// let classes = Likelihood::from(CrossEntropy::default());
/// assert_eq!(classes, Likelihood::new(Family::Categorical { axis: -1 }));
/// let squares = Likelihood::from(Mse { reduction: Reduction::Sum });
/// assert_eq!(squares.family, Family::Gaussian { variance: 0.5 });
/// // The loss 0.1·Σ ½(y − t)²:
/// let weighted = Likelihood { reduction: Reduction::Sum, weight: 0.1, family: Family::Gaussian { variance: 1.0 } };
/// assert_ne!(weighted, squares);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likelihood {
    /// The kind of distribution.
    pub family: Family,
    /// Whether the loss is the mean over the distributions (rows of logits, or elements), the default, or their sum;
    /// [`Reduction::None`] counts as a sum.
    pub reduction: Reduction,
    /// A factor on the loss; 1.
    pub weight: f64,
}

/// Distributions by what the outputs are to them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Family {
    /// Classes with probabilities softmax(outputs) along an axis. Fisher matrix: diag(p) − ppᵀ for each row.
    Categorical {
        /// The axis of the classes; −1 for the last.
        axis: isize,
    },
    /// 1 with probability sigmoid(output), else 0, for each element. Fisher matrix: p(1 − p).
    Bernoulli,
    /// Normal with the output as mean, for each element. Fisher matrix: 1/variance.
    Gaussian {
        /// σ², 1 for the loss ½(y − t)², ½ for (y − t)².
        variance: f64,
    },
}

impl Likelihood {
    /// The likelihood of that family whose negative logarithm is averaged.
    pub fn new(family: Family) -> Self {
        Likelihood { family, reduction: Reduction::Mean, weight: 1.0 }
    }

    /// The factor on each distribution's negative logarithm.
    fn scale(&self, distributions: usize) -> f64 {
        match self.reduction {
            Reduction::Mean => self.weight / distributions.max(1) as f64,
            Reduction::Sum | Reduction::None => self.weight,
        }
    }

    /// How many distributions outputs of that shape stand for, and the axis of the classes, if there are any.
    #[track_caller]
    fn distributions(&self, operation: &str, outputs: &Shape) -> (usize, Option<usize>) {
        match self.family {
            Family::Categorical { axis } => {
                let axis = outputs.axis(operation, axis);
                (outputs.count() / outputs[axis].max(1), Some(axis))
            }
            Family::Bernoulli => (outputs.count(), None),
            Family::Gaussian { variance } => {
                assert!(
                    variance > 0.0 && variance.is_finite(),
                    "{operation}: the variance {variance} of the Gaussian is not positive and finite"
                );
                (outputs.count(), None)
            }
        }
    }

    /// The Fisher information of the outputs.
    #[track_caller]
    pub(crate) fn information<T: Float>(
        &self,
        operation: &str,
        outputs: &Var<T>,
    ) -> Box<dyn OutputCurvature<T>> {
        let (count, axis) = self.distributions(operation, outputs.shape());
        let weight = self.scale(count);
        match (self.family, axis) {
            (Family::Gaussian { variance }, _) => {
                Box::new(Diagonal(Var::ones(outputs.shape()) * (weight / variance)))
            }
            (_, Some(axis)) => Box::new(Categorical { probabilities: outputs.softmax(axis), axis, weight }),
            (_, None) => {
                let p = outputs.sigmoid();
                Box::new(Diagonal(&p * (1.0 - &p) * weight))
            }
        }
    }

    /// The outer products of the gradients of −ln p(t | outputs) for targets t drawn from the distributions, averaged over
    /// `samples` draws of each.
    #[track_caller]
    pub(crate) fn sampled_information<T: Float>(
        &self,
        operation: &str,
        outputs: &Var<T>,
        samples: usize,
        generator: &mut Generator,
    ) -> Box<dyn OutputCurvature<T>> {
        let (count, axis) = self.distributions(operation, outputs.shape());
        let weight = self.scale(count) / samples as f64;
        let factors = (0..samples).map(|_| self.sampled_gradient(outputs, axis, generator)).collect();
        OuterProducts::boxed(factors, axis.into_iter().collect(), weight)
    }

    /// ∂/∂y −ln p(t | y) for one draw of all targets t.
    fn sampled_gradient<T: Float>(
        &self,
        outputs: &Var<T>,
        axis: Option<usize>,
        generator: &mut Generator,
    ) -> Var<T> {
        match (self.family, axis) {
            (Family::Gaussian { variance }, _) => {
                let mut noise = Tensor::zeros(outputs.shape());
                generator.fill_normal(noise.as_mut_slice(), T::ZERO, T::from_f64(variance.sqrt().recip()));
                Var::constant(noise)
            }
            (_, Some(axis)) => {
                // The classes last, so that rows are contiguous.
                let p = outputs.softmax(axis).transpose(axis, -1);
                let mut gradient = p.value().contiguous();
                let classes = outputs.shape()[axis].max(1);
                for row in gradient.as_mut_slice().chunks_exact_mut(classes) {
                    let drawn = draw(row, generator.uniform());
                    row[drawn] -= T::ONE;
                }
                Var::constant(gradient).transpose(axis, -1)
            }
            (_, None) => {
                let mut gradient = outputs.sigmoid().value().contiguous();
                for p in gradient.as_mut_slice() {
                    if generator.uniform() < p.to_f64() {
                        *p -= T::ONE;
                    }
                }
                Var::constant(gradient)
            }
        }
    }
}

/// The class in which `uniform` falls.
fn draw<T: Float>(probabilities: &[T], uniform: f64) -> usize {
    let mut below = 0.0;
    for (class, p) in probabilities.iter().enumerate() {
        below += p.to_f64();
        if uniform < below {
            return class;
        }
    }
    // Rounding left the sum below 1: the last class that can be.
    probabilities.iter().rposition(|&p| p > T::ZERO).unwrap_or(0)
}

impl From<CrossEntropy> for Likelihood {
    /// # Panics
    /// If the classes have weights: that is no likelihood.
    #[track_caller]
    fn from(loss: CrossEntropy) -> Self {
        assert!(
            loss.class_weights.is_none(),
            "fisher: cross-entropy with weights of the classes is no likelihood"
        );
        let family = Family::Categorical { axis: loss.axis };
        Likelihood { family, reduction: loss.reduction, weight: 1.0 }
    }
}

impl From<BceWithLogits> for Likelihood {
    /// # Panics
    /// If positive targets have another weight than 1: that is no likelihood.
    #[track_caller]
    fn from(loss: BceWithLogits) -> Self {
        assert!(
            loss.positive_weight == 1.0,
            "fisher: binary cross-entropy with the weight {} of positive targets is no likelihood",
            loss.positive_weight
        );
        Likelihood { family: Family::Bernoulli, reduction: loss.reduction, weight: 1.0 }
    }
}

impl From<Mse> for Likelihood {
    fn from(loss: Mse) -> Self {
        Likelihood { family: Family::Gaussian { variance: 0.5 }, reduction: loss.reduction, weight: 1.0 }
    }
}
