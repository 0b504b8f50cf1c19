//! The product of a cotangent, or a tangent, with an elementwise function's derivative, as one operation.

use std::sync::Arc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::algebra::evaluate;
use crate::class::code::{Function, Moves};
use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{
    ByElement, Cotangents, Description, Op, Point, Replays, Saves, apply, fused_by_element,
    rules_compiled_here,
};
use crate::var::Var;

/// `v · df(z)` of a function whose derivative reads one argument `z`, its input or its output. Where it is recorded,
/// this is one node without intermediate results, however long the formula.
#[track_caller]
pub(super) fn times_slope<T: Float>(
    function: &Arc<dyn Function<T>>,
    moves: Moves,
    v: &Var<T>,
    z: &Var<T>,
) -> Var<T> {
    let slope = Slope { function: Arc::clone(function), moves };
    // Of a piecewise linear function, z matters to no further derivative, and `v` need not be kept.
    if function.facts().piecewise_linear {
        apply(slope, &[v, &z.stop_gradient()])
    } else {
        apply(slope, &[v, z])
    }
}

/// The product of a cotangent or a tangent with the derivative.
pub(super) struct Slope<T: Float> {
    function: Arc<dyn Function<T>>,
    moves: Moves,
}

impl<T: Float> Slope<T> {
    /// `u · v · df′(z)`: linear in u, which moves, and in v alike, and so the rule in both modes.
    fn curvature(&self, moves: Moves, u: &Var<T>, v: &Var<T>, z: &Var<T>) -> Var<T> {
        let function = Arc::clone(&self.function);
        fused_by_element(
            || part(&*self.function, "curvature", moves),
            [u, v, z],
            move |of| function.times_curvature(moves, of),
            || {
                let product = evaluate([u * v, z.clone()], &|of| self.function.curvature_formula(of));
                moves.select(self.function.facts(), u, product.broadcast_to(z.shape()))
            },
        )
    }
}

/// A loop that computes a part of a function's derivatives.
pub(super) fn part<T: Float>(function: &dyn Function<T>, name: &str, moves: Moves) -> Description {
    let mut attributes = Attributes::default();
    function.describe(&mut attributes);
    moves.describe(&mut attributes);
    Description { name: format!("{}_{name}", function.facts().name), attributes }
}

impl<T: Float> Op<T> for Slope<T> {
    fn name(&self) -> &str {
        self.function.facts().name
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.function.describe(attributes);
        attributes.set("part", "slope");
        self.moves.describe(attributes);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.function.times_slope(self.moves, inputs[0], inputs[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let moves = Moves::Output;
        into.add(0, || times_slope(&self.function, moves, cotangent, at.input(1)));
        into.add(1, || self.curvature(moves, cotangent, at.input(0), at.input(1)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (v, z) = (at.input(0), at.input(1));
        let moves = Moves::Input;
        let along_v = |t: &Var<T>| times_slope(&self.function, moves, t, z);
        let along_z = |t: &Var<T>| self.curvature(moves, t, v, z);
        Some(match (&tangents[0], &tangents[1]) {
            (Some(t_v), Some(t_z)) => {
                // One loop, in which both slopes share what they have in common.
                let function = Arc::clone(&self.function);
                fused_by_element(
                    || part(&*self.function, "slope_tangent", moves),
                    [t_v, t_z, v, z],
                    move |of| function.slope_tangent(of),
                    || cotangent::accumulate(along_v(t_v), along_z(t_z)),
                )
            }
            (Some(t), None) => along_v(t),
            (None, Some(t)) => along_z(t),
            (None, None) => return None,
        })
    }

    fn saves(&self) -> Saves {
        if self.function.facts().piecewise_linear { Saves::inputs_of(0b10) } else { Saves::INPUTS }
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }

    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Slope(&*self.function, self.moves)), ..Replays::default() }
    }

    rules_compiled_here!(Slope<T>);
}
