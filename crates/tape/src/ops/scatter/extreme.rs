//! The largest or smallest of what comes to a place.

use wengert_tensor::{Combine, Float, Tensor};

use super::places::Places;
use crate::class::piecewise;
use crate::cotangent;
use crate::data::{Data, Given};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, apply_given, rules_compiled_here};
use crate::ops::extremes::Hits;
use crate::ops::select::gated;
use crate::var::Var;

/// The extreme of each element of the first input and the elements of the second that come to its place. Equal ones share
/// the derivative evenly.
#[derive(Clone)]
struct Extreme {
    places: Places,
    largest: bool,
    /// Whether an element of the first input takes part where something comes to it. It is the start otherwise, which equals
    /// what comes if that is as infinite.
    own: bool,
}

#[track_caller]
pub(super) fn extreme<T: Float>(
    places: Places,
    [largest, own]: [bool; 2],
    x: &Var<T>,
    index: &Given<T>,
    source: &Var<T>,
) -> Var<T> {
    apply_given(Extreme { places, largest, own }, &[x, source], &[index])
}

impl Extreme {
    /// Which part each element of both inputs has in the result.
    fn shares<T: Float>(&self, at: &Point<T>) -> [Var<T>; 2] {
        let (x, source, y, index) = (at.input(0), at.input(1), at.output(), at.given(0));
        let mut here = piecewise(Hits, &[x, y]);
        if !self.own {
            here = here.masked_fill(self.places.touched(index, x.shape()), 0.0);
        }
        let there = piecewise(Hits, &[source, &self.places.read(y, index)]);
        let count = &here + self.places.sum(&there, index, x.shape());
        [here / &count, there / self.places.read(&count, index)]
    }
}

impl<T: Float> Op<T> for Extreme {
    fn name(&self) -> &str {
        if self.largest { "scatter_max" } else { "scatter_min" }
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.places.describe(attributes);
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("{}: evaluated with its index", Op::<T>::name(self))
    }

    #[track_caller]
    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let how = if self.largest { Combine::Larger } else { Combine::Smaller };
        Data::Float(self.places.combine(Op::<T>::name(self), x[0], given[0].index(), x[1], how))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let [here, there] = self.shares(at);
        into.add(0, || gated(cotangent, &here));
        into.add(1, || gated(&self.places.read(cotangent, at.given(0)), &there));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let [here, there] = self.shares(at);
        let of_x = tangents[0].as_ref().map(|t| gated(t, &here));
        let of_source = tangents[1].as_ref().map(|t| gated(t, &there));
        let summed = of_source.map(|t| self.places.sum(&t, at.given(0), at.input(0).shape()));
        cotangent::sum(of_x, summed)
    }
    rules_compiled_here!(Extreme);
}
