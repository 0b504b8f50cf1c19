//! The products of what comes to each place.

use wengert_tensor::{Float, Shape, Tensor};

use super::overwrite::overwritten;
use super::places::Places;
use crate::class::{Decision, decision};
use crate::data::{Data, Given, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::recurrence::recurrence;
use crate::var::Var;

/// The product of the elements of `source` that come to each place, 1 where none do, for a result of this shape; of slices,
/// whose index must be a vector, or of elements. Exact derivatives of any order, also where elements are 0: the elements in
/// the order of their places are one cumulative product that begins anew at each place, and the last number of each is written
/// there.
#[track_caller]
pub(super) fn products<T: Float>(places: Places, source: &Var<T>, index: &Given<T>, shape: &Shape) -> Var<T> {
    let ones = Var::ones(shape);
    if source.is_empty() {
        return ones;
    }
    let (axis, elements) = (places.axis(), matches!(places, Places::Elements(_)));
    let along = if elements { axis } else { 0 };
    let order: Index<T> = decision(Grouped { axis: along, sorted: false }, &[], &[index]);
    let sorted: Index<T> = decision(Grouped { axis: along, sorted: true }, &[], &[index]);
    let starts =
        places.over_source(&decision(Starts { axis: along }, &[], &[sorted.given()]), source.shape());
    let x = places.read(source, order.given());
    // The first of each place is added to nothing, and each further one multiplies what is there. −0 changes not even −0.
    let added = Var::select_where(&starts, &x, &Var::scalar(T::from_f64(-0.0)));
    let factors = Var::select_where(&starts, &Var::scalar(T::ZERO), &x);
    overwritten(places, &ones, sorted.given(), &recurrence(&added, &factors, axis))
}

/// The positions that sort an index along an axis, or the sorted index; equal ones keep their order.
struct Grouped {
    axis: usize,
    sorted: bool,
}

impl<T: Float> Decision<T> for Grouped {
    type Element = u32;
    fn name(&self) -> &str {
        if self.sorted { "sort" } else { "argsort" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let index = given[0].index();
        if self.sorted { index.sort(self.axis, false) } else { index.argsort(self.axis, false) }
    }
    rules_compiled_here!(Grouped in DecisionOp);
}

/// Where the number of a sorted index differs from the one before it along an axis.
struct Starts {
    axis: usize,
}

impl<T: Float> Decision<T> for Starts {
    type Element = bool;
    fn name(&self) -> &str {
        "starts"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let index = given[0].index();
        let inner: usize = index.shape()[self.axis + 1..].iter().product();
        let (numbers, length) = (index.to_vec(), index.shape()[self.axis]);
        let starts = |i: usize| (i / inner).is_multiple_of(length) || numbers[i] != numbers[i - inner];
        let starts: Vec<bool> = (0..numbers.len()).map(starts).collect();
        Tensor::vector(&starts).reshape(index.shape())
    }
    rules_compiled_here!(Starts in DecisionOp);
}
