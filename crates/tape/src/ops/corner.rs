//! Points at which formulas of two numbers have no value though what they stand for has one.

use wengert_tensor::{Float, Tensor, compiled_here};

use crate::class::{Decision, decision};
use crate::data::{Data, Mask};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// Of which points a rule has to beware.
#[derive(Clone, Copy)]
pub(super) enum Corner {
    /// Both are 0.
    ZeroAndZero,
    /// The first is 0, the second not negative.
    ZeroAndNonNegative,
    /// The first is 0, the second not positive.
    ZeroAndNonPositive,
    /// The first is infinite or no number, the second 0.
    NotFiniteAndZero,
    /// Both are +∞, or both −∞.
    SameInfinity,
}

impl Corner {
    fn name(self) -> &'static str {
        match self {
            Corner::ZeroAndZero => "zero and zero",
            Corner::ZeroAndNonNegative => "zero and non-negative",
            Corner::ZeroAndNonPositive => "zero and non-positive",
            Corner::NotFiniteAndZero => "not finite and zero",
            Corner::SameInfinity => "same infinity",
        }
    }

    /// Where a and b are such a point.
    pub(super) fn of<T: Float>(self, a: &Var<T>, b: &Var<T>) -> Mask<T> {
        decision(At(self), &[a, b], &[])
    }
}

/// Where two infinities have no difference.
#[inline(always)]
pub(super) fn is_same_infinity<T: Float>(a: T, b: T) -> bool {
    // Not `&&`, which would be a branch.
    (a == b) & !a.is_finite()
}

struct At(Corner);

impl<T: Float> Decision<T> for At {
    type Element = bool;
    fn name(&self) -> &str {
        "corner"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("at", self.0.name());
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<bool> {
        compiled_here! {
            fn at<T: Float>(corner: Corner, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<bool> {
                a.zip_map("corner", b, move |a: T, b: T| match corner {
                    Corner::ZeroAndZero => a == T::ZERO && b == T::ZERO,
                    Corner::ZeroAndNonNegative => a == T::ZERO && b >= T::ZERO,
                    Corner::ZeroAndNonPositive => a == T::ZERO && b <= T::ZERO,
                    Corner::NotFiniteAndZero => !a.is_finite() && b == T::ZERO,
                    Corner::SameInfinity => is_same_infinity(a, b),
                })
            }
        }
        at(self.0, x[0], x[1])
    }
    rules_compiled_here!(At in DecisionOp);
}
