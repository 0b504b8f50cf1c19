//! Choosing between values: by a mask, and the larger or smaller of two.

use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Tensor, compiled_here};

use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

/// The first input where the mask is true, the second elsewhere. What is not taken gets the cotangent 0, even if
/// it is NaN.
struct Where(Tensor<bool>);

impl<T: Float> Op<T> for Where {
    fn name(&self) -> &str {
        "select_where"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        Tensor::select_where(&self.0, x[0], x[1])
    }

    fn vjp(&self, _: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || Var::select_where(&self.0, cotangent, &Var::scalar(T::ZERO)));
        into.add(1, || Var::select_where(&self.0, &Var::scalar(T::ZERO), cotangent));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let part = |i: usize| tangents[i].clone().unwrap_or_else(|| Var::scalar(T::ZERO));
        Some(Var::select_where(&self.0, &part(0), &part(1)).broadcast_to(at.output().shape()))
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Where);
}

/// The larger or the smaller of two. Equal values share the cotangent half and half.
#[derive(Clone, Copy, PartialEq)]
enum Extreme {
    Maximum,
    Minimum,
}

impl Extreme {
    /// How much of the cotangent the first input gets: 1, 0 or ½.
    fn share<T: Float>(self, at: &Point<T>) -> Var<T> {
        compiled_here! {
            fn share<T: Float>(a: &Tensor<T>, b: &Tensor<T>, maximum: bool) -> Tensor<T> {
                let share = move |a: T, b: T| match (a > b, a < b) {
                    (true, _) => T::from_f64(f64::from(u8::from(maximum))),
                    (_, true) => T::from_f64(f64::from(u8::from(!maximum))),
                    // Equal, or one of them NaN, which the value then shows.
                    _ => T::from_f64(0.5),
                };
                a.zip_map("maximum", b, share)
            }
        }
        Var::constant(share(at.input(0).value(), at.input(1).value(), self == Extreme::Maximum))
    }
}

impl<T: Float> Op<T> for Extreme {
    fn name(&self) -> &str {
        match self {
            Extreme::Maximum => "maximum",
            Extreme::Minimum => "minimum",
        }
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        match self {
            Extreme::Maximum => x[0].maximum(x[1]),
            Extreme::Minimum => x[0].minimum(x[1]),
        }
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let share = self.share(at);
        into.add(0, || cotangent * &share);
        into.add(1, || cotangent * (1.0 - &share));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let share = self.share(at);
        let first = tangents[0].as_ref().map(|t| t * &share);
        let second = tangents[1].as_ref().map(|t| t * (1.0 - &share));
        match (first, second) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        }
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Extreme);
}

impl<T: Float> Var<T> {
    /// `if_true` where the mask is true, `if_false` elsewhere, after broadcasting all three. What is not taken
    /// has derivative 0, even where it is NaN or infinite.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn select_where(mask: &Tensor<bool>, if_true: &Var<T>, if_false: &Var<T>) -> Var<T> {
        apply(Where(mask.clone()), &[if_true, if_false])
    }

    /// `value` where the mask is true, the element elsewhere.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: f64) -> Var<T> {
        broadcast_or_panic("masked_fill", self.shape(), mask.shape());
        Var::select_where(mask, &Var::scalar(T::from_f64(value)), self)
    }

    /// The elements where the mask is true, in row-major order, as a vector.
    ///
    /// # Panics
    /// If the mask has another shape, or more than 2³² elements.
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Var<T> {
        assert!(
            mask.shape() == self.shape(),
            "masked_select: the mask has shape {}, the tensor {}",
            mask.shape(),
            self.shape()
        );
        check_positions("masked_select", self.len());
        let chosen = mask.to_vec().into_iter().enumerate().filter(|(_, m)| *m).map(|(i, _)| i as u32);
        self.reshape([-1]).index_select(0, &Tensor::vector(&chosen.collect::<Vec<u32>>()))
    }

    /// The larger of two; NaN if either is NaN. Where they are equal, each gets half the derivative.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: &Var<T>) -> Var<T> {
        apply(Extreme::Maximum, &[self, other])
    }

    /// The smaller of two; NaN if either is NaN. Where they are equal, each gets half the derivative.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: &Var<T>) -> Var<T> {
        apply(Extreme::Minimum, &[self, other])
    }
}
