//! Linear maps of one axis after the other: borders, resampling, adaptive means, patches.

mod interpolate;
mod pad;
mod patches;

use std::rc::Rc;

use wengert_tensor::axis_map::{AxisMap, apply_axis_map};
use wengert_tensor::{Float, Shape, Tensor};

pub use interpolate::Resize;
pub use pad::PadMode;

use super::slice;
use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// A map of one axis.
#[derive(Clone)]
pub(super) struct AlongAxis {
    /// The operation's name, and its transpose's.
    names: [&'static str; 2],
    axis: usize,
    map: Rc<AxisMap>,
    /// What the map was made from.
    attributes: Attributes,
    transposed: bool,
}

impl AlongAxis {
    /// `attributes` say all that the map was made from besides its sizes.
    pub(super) fn new(names: [&'static str; 2], axis: usize, map: AxisMap, attributes: Attributes) -> Self {
        AlongAxis { names, axis, map: Rc::new(map), attributes, transposed: false }
    }

    fn turned(&self) -> Self {
        AlongAxis { map: Rc::new(self.map.transposed()), transposed: !self.transposed, ..self.clone() }
    }
}

impl<T: Float> LinearMap<T> for AlongAxis {
    fn name(&self) -> &str {
        self.names[usize::from(self.transposed)]
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("from", self.map.inputs());
        attributes.set("to", self.map.outputs());
        for (name, value) in self.attributes.iter() {
            attributes.set(name, value.clone());
        }
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let x = x.contiguous();
        let inner = x.shape()[self.axis + 1..].iter().product();
        let shape = x.shape().with(self.axis, self.map.outputs());
        Tensor::written_for(self.names[0], shape, |out| apply_axis_map(&self.map, inner, slice(&x), out))
    }

    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(self.turned())
    }

    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.with(self.axis, self.map.outputs()))
    }
    rules_compiled_here!(AlongAxis in LinearOp);
}

/// Applies the map with the transposed roles.
pub(super) fn transposed(map: AlongAxis) -> AlongAxis {
    map.turned()
}

/// The result of an operation if it has no elements: then no map is needed, which might be of any size.
pub(super) fn nothing<T: Float>(x: &Var<T>, shape: &Shape) -> Option<Var<T>> {
    (shape.count() == 0).then(|| x.slice(..0).reshape(shape))
}
