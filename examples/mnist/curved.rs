//! The methods with curvature that can be chosen, and what suits each.

use wengert::optim::Counts;
use wengert::optim::minimize::{Curvature, KrylovModel};
use wengert::prelude::*;
use wengert_examples::work;

use crate::arguments::Arguments;

/// A method with curvature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curved {
    /// Newton's method with the Hessian, in a trust region.
    NewtonCg,
    Lbfgs,
    /// The Gauss–Newton matrix in a trust region.
    GaussNewton,
    HessianFree,
    Kfac,
}

use Curved::*;

impl Curved {
    /// The method of a name, with dashes, underscores or neither.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_lowercase().replace(['-', '_'], "").as_str() {
            "newtoncg" => Some(NewtonCg),
            "lbfgs" => Some(Lbfgs),
            "gaussnewton" => Some(GaussNewton),
            "hessianfree" => Some(HessianFree),
            "kfac" => Some(Kfac),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            NewtonCg => "newton-cg",
            Lbfgs => "l-bfgs",
            GaussNewton => "gauss-newton",
            HessianFree => "hessian-free",
            Kfac => "kfac",
        }
    }

    /// The budget, in gradients over all digits, without `--epochs`.
    pub(crate) fn epochs(self) -> u64 {
        match self {
            NewtonCg | GaussNewton => 300,
            Lbfgs => 150,
            HessianFree => 300,
            Kfac => 30,
        }
    }

    /// Digits in a mini-batch without `--batch-size`: of [`Kfac`] for everything, of [`HessianFree`] for products.
    pub(crate) fn batch_size(self) -> Option<u64> {
        match self {
            NewtonCg | Lbfgs | GaussNewton => None,
            HessianFree => Some(5000),
            Kfac => Some(500),
        }
    }

    /// The [work] that the counts stand for, in gradients over all digits, where a mini-batch is `share` of them.
    pub(crate) fn work(self, counts: Counts, iterations: u64, share: f64) -> f64 {
        match self {
            NewtonCg | Lbfgs | GaussNewton => work::on_the_whole(counts),
            HessianFree => work::with_products_on_batches(counts, share),
            Kfac => work::on_batches(counts, share, iterations),
        }
    }

    /// Refuses options that this method does not have.
    ///
    /// # Errors
    /// If there is one.
    pub(crate) fn check(self, arguments: &Arguments) -> Result<(), String> {
        let name = self.name();
        if arguments.lr.is_some() {
            return Err(format!("{name} finds the length of its steps itself: leave out --lr"));
        }
        if arguments.batch_size.is_some() && self.batch_size().is_none() {
            return Err(format!("{name} takes all digits for each step: leave out --batch-size"));
        }
        match arguments.l2 {
            Some(l2) if !(l2 >= 0.0 && l2.is_finite()) => {
                Err(format!("--l2 {l2} must be finite and at least 0"))
            }
            _ => Ok(()),
        }
    }
}

/// The trust-region method with one of the matrices.
pub(crate) fn trust_region(curvature: Curvature) -> TrustRegionNewton {
    TrustRegionNewton::new(KrylovModel { curvature, max_products: Some(100), ..KrylovModel::default() })
}
