//! Weighted sums of the elements at given positions, bilinear in elements and weights.

use wengert_tensor::taps::{TapSums, sampled, spread, weighed};
use wengert_tensor::{Float, Shape, Tensor};

use crate::cotangent;
use crate::data::{Data, Given};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given, rules_compiled_here};
use crate::ops::slice;
use crate::var::Var;

/// Which of the three the operation computes from the other two.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// The sums, from (planes, weights).
    Sums,
    /// The planes' gradient, from (sums, weights).
    Planes,
    /// The weights' gradient, from (sums, planes).
    Weights,
}

#[derive(Clone, Copy)]
struct Taps {
    part: Part,
    geometry: TapSums,
}

/// Σₖ `weights[n, k, p]` · `planes[n, c, at[n, k, p]]` for planes `[n, c, inputs]`, weights and positions `[n, taps, outputs]`.
#[track_caller]
pub(super) fn tap_sums<T: Float>(planes: &Var<T>, weights: &Var<T>, at: &Given<T>) -> Var<T> {
    let (planes_shape, shape) = (planes.shape(), weights.shape());
    let geometry = TapSums {
        batch: planes_shape[0],
        channels: planes_shape[1],
        inputs: planes_shape[2],
        taps: shape[1],
        outputs: shape[2],
    };
    Taps { part: Part::Sums, geometry }.of(planes, weights, at)
}

impl Taps {
    fn of<T: Float>(self, a: &Var<T>, b: &Var<T>, at: &Given<T>) -> Var<T> {
        apply_given(self, &[a, b], &[at])
    }

    fn other<T: Float>(self, part: Part, a: &Var<T>, b: &Var<T>, at: &Given<T>) -> Var<T> {
        Taps { part, ..self }.of(a, b, at)
    }

    fn shape(&self) -> Shape {
        let TapSums { batch, channels, inputs, taps, outputs } = self.geometry;
        Shape::from(match self.part {
            Part::Sums => [batch, channels, outputs],
            Part::Planes => [batch, channels, inputs],
            Part::Weights => [batch, taps, outputs],
        })
    }
}

impl<T: Float> Op<T> for Taps {
    fn name(&self) -> &str {
        match self.part {
            Part::Sums => "tap_sums",
            Part::Planes => "tap_sums_planes",
            Part::Weights => "tap_sums_weights",
        }
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("inputs", self.geometry.inputs);
        attributes.set("taps", self.geometry.taps);
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("{}: evaluated with its positions", Op::<T>::name(self))
    }

    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let (a, b, at) = (x[0].contiguous(), x[1].contiguous(), given[0].index().contiguous());
        let (a, b, at, g) = (slice(&a), slice(&b), slice(&at), &self.geometry);
        Data::Float(Tensor::written_for(Op::<T>::name(self), self.shape(), |out| match self.part {
            Part::Sums => sampled(g, a, b, at, out),
            Part::Planes => spread(g, a, b, at, out),
            Part::Weights => weighed(g, a, b, at, out),
        }))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (a, b, positions) = (at.input(0), at.input(1), at.given(0));
        let other = |part, a, b| self.other(part, a, b, positions);
        into.add(0, || match self.part {
            Part::Sums => other(Part::Planes, cotangent, b),
            Part::Planes => other(Part::Sums, cotangent, b),
            Part::Weights => other(Part::Sums, b, cotangent),
        });
        into.add(1, || match self.part {
            Part::Sums => other(Part::Weights, cotangent, a),
            Part::Planes => other(Part::Weights, a, cotangent),
            Part::Weights => other(Part::Planes, a, cotangent),
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let along_a = tangents[0].as_ref().map(|t| self.of(t, at.input(1), at.given(0)));
        let along_b = tangents[1].as_ref().map(|t| self.of(at.input(0), t, at.given(0)));
        cotangent::sum(along_a, along_b)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, _: &[&Shape]) -> Option<Shape> {
        Some(self.shape())
    }
    rules_compiled_here!(Taps);
}
