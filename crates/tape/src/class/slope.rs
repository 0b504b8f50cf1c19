//! The product of a cotangent, or a tangent, with an elementwise function's derivative, as one operation.

use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::algebra::tangent_of_slope;
use crate::class::Elementwise;
use crate::class::code::Moves;
use crate::cotangent;
use crate::op::{Cotangents, Op, Point, Saves, apply};
use crate::var::Var;

/// `v · df(z)` of a function whose derivative reads one argument `z`, its input or its output. Where it is recorded,
/// this is one node without intermediate results, however long the formula.
#[track_caller]
pub(super) fn times_slope<T: Float, E: Elementwise>(
    function: &Rc<E>,
    moves: Moves,
    v: &Var<T>,
    z: &Var<T>,
) -> Var<T> {
    let slope = Slope { function: Rc::clone(function), moves };
    // Of a piecewise linear function, z matters to no further derivative, and `v` need not be kept.
    if E::PIECEWISE_LINEAR { apply(slope, &[v, &z.stop_gradient()]) } else { apply(slope, &[v, z]) }
}

/// The product of a cotangent or a tangent with the derivative.
pub(super) struct Slope<E> {
    function: Rc<E>,
    moves: Moves,
}

impl<E: Elementwise> Slope<E> {
    /// `u · v · df′(z)`: linear in u, which moves, and in v alike, and so the rule in both modes.
    fn curvature<T: Float>(&self, moves: Moves, u: &Var<T>, v: &Var<T>, z: &Var<T>) -> Var<T> {
        if u.is_tracked() || v.is_tracked() || z.is_tracked() {
            let product = tangent_of_slope(&*self.function, u * v, None, z.clone());
            return moves.select::<T, E>(u, product.broadcast_to(z.shape()));
        }
        Var::constant((E::code().times_curvature)(&self.function, moves, u.value(), v.value(), z.value()))
    }
}

impl<T: Float, E: Elementwise> Op<T> for Slope<E> {
    fn name(&self) -> &str {
        E::NAME
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        (E::code().times_slope)(&self.function, self.moves, inputs[0], inputs[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let moves = Moves::Output;
        into.add(0, || times_slope(&self.function, moves, cotangent, at.input(1)));
        into.add(1, || self.curvature(moves, cotangent, at.input(0), at.input(1)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        if let (Some(t_v), Some(t_z)) = (&tangents[0], &tangents[1])
            && ![t_v, t_z, at.input(0), at.input(1)].iter().any(|v| v.is_tracked())
        {
            // One loop, in which both slopes share what they have in common.
            let (t_v, t_z, v, z) = (t_v.value(), t_z.value(), at.input(0).value(), at.input(1).value());
            return Some(Var::constant((E::code().slope_tangent)(&self.function, [t_v, t_z, v, z])));
        }
        let moves = Moves::Input;
        let along_v = tangents[0].as_ref().map(|t| times_slope(&self.function, moves, t, at.input(1)));
        let along_z = tangents[1].as_ref().map(|t| self.curvature(moves, t, at.input(0), at.input(1)));
        cotangent::sum(along_v, along_z)
    }

    fn saves(&self) -> Saves {
        if E::PIECEWISE_LINEAR { Saves::inputs_of(0b10) } else { Saves::INPUTS }
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        (E::code().slope)(self)
    }
}
