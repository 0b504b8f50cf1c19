//! The product of a cotangent, or a tangent, with an elementwise function's derivative, as one operation.

use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::algebra::tangent_of_slope;
use crate::class::Elementwise;
use crate::cotangent;
use crate::op::{Cotangents, Op, Point, Saves, apply};
use crate::var::Var;

/// `v · df(z)` of a function whose derivative reads one argument `z`, its input or its output. Where it is recorded,
/// this is one node without intermediate results, however long the formula.
#[track_caller]
pub(super) fn times_slope<T: Float, E: Elementwise>(function: &Rc<E>, v: &Var<T>, z: &Var<T>) -> Var<T> {
    let slope = Slope(Rc::clone(function));
    // Of a piecewise linear function, z matters to no further derivative, and `v` need not be kept.
    if E::PIECEWISE_LINEAR { apply(slope, &[v, &z.stop_gradient()]) } else { apply(slope, &[v, z]) }
}

pub(super) struct Slope<E>(pub(super) Rc<E>);

impl<E: Elementwise> Slope<E> {
    /// `u · v · df′(z)`: linear in u and in v alike, and so the rule in both modes.
    fn curvature<T: Float>(&self, u: &Var<T>, v: &Var<T>, z: &Var<T>) -> Var<T> {
        if u.is_tracked() || v.is_tracked() || z.is_tracked() {
            return tangent_of_slope(&*self.0, u * v, None, z.clone()).broadcast_to(z.shape());
        }
        Var::constant((E::code().times_curvature)(&self.0, u.value(), v.value(), z.value()))
    }
}

impl<T: Float, E: Elementwise> Op<T> for Slope<E> {
    fn name(&self) -> &str {
        E::NAME
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        (E::code().times_slope)(&self.0, inputs[0], inputs[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || times_slope(&self.0, cotangent, at.input(1)));
        into.add(1, || self.curvature(cotangent, at.input(0), at.input(1)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        if let (Some(t_v), Some(t_z)) = (&tangents[0], &tangents[1])
            && ![t_v, t_z, at.input(0), at.input(1)].iter().any(|v| v.is_tracked())
        {
            // One loop, in which both slopes share what they have in common.
            let (t_v, t_z, v, z) = (t_v.value(), t_z.value(), at.input(0).value(), at.input(1).value());
            return Some(Var::constant((E::code().slope_tangent)(&self.0, [t_v, t_z, v, z])));
        }
        let along_v = tangents[0].as_ref().map(|t| times_slope(&self.0, t, at.input(1)));
        let along_z = tangents[1].as_ref().map(|t| self.curvature(t, at.input(0), at.input(1)));
        cotangent::sum(along_v, along_z)
    }

    fn saves(&self) -> Saves {
        if E::PIECEWISE_LINEAR { Saves::inputs_of(0b10) } else { Saves::INPUTS }
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        (E::code().slope)(self.0)
    }
}
