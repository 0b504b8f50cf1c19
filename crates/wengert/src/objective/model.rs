//! One loss of one model.

use wengert_nn::{FlatLoss, GaussNewton, Hessian, Targets};
use wengert_optim::{CurvatureAt, Objective, Operator, Want};
use wengert_tensor::Float;

use super::{Fisher, FisherInformation};

/// The loss of a model as a function of its flat parameter vector: made by [`Objectives`](super::Objectives).
pub struct ModelObjective<'a, T: Float = f32> {
    loss: FlatLoss<'a, T>,
}

impl<'a, T: Float> ModelObjective<'a, T> {
    pub(super) fn new(loss: FlatLoss<'a, T>) -> Self {
        Self { loss }
    }
}

impl<T: Float> Objective<T> for ModelObjective<'_, T> {
    fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    #[track_caller]
    fn value(&self, x: &[T]) -> f64 {
        self.loss.value(x).to_f64()
    }

    #[track_caller]
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        self.loss.value_and_gradient(x, gradient).to_f64()
    }

    #[track_caller]
    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        Some(match want {
            Want::Hessian => CurvatureAt::operator(HessianAt(self.loss.hessian(x))),
            Want::GaussNewton => CurvatureAt::operator(GaussNewtonAt(self.loss.gauss_newton(x)?)),
            Want::Kronecker { seed } => {
                CurvatureAt::Kronecker(crate::kronecker(self.loss.kronecker(x, Targets::Model, seed)?))
            }
            _ => return None,
        })
    }

    #[track_caller]
    fn second_order(&self, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
        let hessian = self.loss.hessian(x);
        hessian.gradient(gradient);
        Some((hessian.value().to_f64(), Box::new(HessianAt(hessian))))
    }
}

impl<T: Float> FisherInformation<T> for ModelObjective<'_, T> {
    #[track_caller]
    fn fisher_matrix(&self, x: &[T], kind: &Fisher) -> Box<dyn Operator<T> + '_> {
        boxed(match kind {
            Fisher::Exact(likelihood) => self.loss.fisher(x, *likelihood),
            Fisher::Sampled { likelihood, samples, generator } => {
                self.loss.fisher_sampled(x, *likelihood, *samples, &mut generator.clone())
            }
            Fisher::Empirical(reduction) => self.loss.empirical_fisher(x, *reduction),
        })
    }

    fn check_fisher(&self, kind: &Fisher) {
        match kind {
            Fisher::Exact(_) => self.loss.check_outputs("fisher"),
            Fisher::Sampled { samples, .. } => {
                self.loss.check_outputs("fisher_sampled");
                assert!(*samples > 0, "fisher_sampled: at least one sample is needed");
            }
            Fisher::Empirical(_) => self.loss.check_outputs("empirical_fisher"),
        }
    }
}

fn boxed<'a, T: Float>(matrix: GaussNewton<T>) -> Box<dyn Operator<T> + 'a> {
    Box::new(GaussNewtonAt(matrix))
}

// A curvature operator of the network crate as one of the optimiser crate.
macro_rules! operator {
    ($name:ident of $matrix:ident) => {
        struct $name<T: Float>($matrix<T>);

        impl<T: Float> Operator<T> for $name<T> {
            fn dimension(&self) -> usize {
                self.0.dimension()
            }
            fn apply(&self, v: &[T], out: &mut [T]) {
                self.0.apply(v, out);
            }
            fn diagonal(&self) -> Vec<T> {
                let mut diagonal = vec![T::ZERO; self.0.dimension()];
                self.0.diagonal(&mut diagonal);
                diagonal
            }
        }
    };
}

operator!(HessianAt of Hessian);
operator!(GaussNewtonAt of GaussNewton);
