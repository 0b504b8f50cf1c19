//! Constants of a program, whose shapes and numbers may depend on the size of the batch.

use wengert_tape::Data;
use wengert_tensor::{Element, Float, Slice, Tensor};

use super::length::{Length, Quantity, Sizes, each};

/// A value that is not computed from the inputs.
pub(super) enum Constant<T: Float> {
    /// One that, broadcast to the shape, is the value at every size.
    Spread(Data<T>),
    /// One number that depends on the size.
    Quantity(Quantity),
    /// The numbers 0, 1, … along this axis, for all positions of the others.
    Positions(usize),
}

impl<T: Float> Constant<T> {
    /// The constant that has these values at the sizes.
    pub(super) fn new(values: &[&Data<T>], shape: &[Length], sizes: &Sizes) -> Option<Self> {
        if let Some(core) = spread(values, shape) {
            return Some(Constant::Spread(core));
        }
        if let Data::Float(first) = values[0]
            && first.len() == 1
        {
            let numbers: Vec<f64> = values.iter().map(|value| value.float().item().to_f64()).collect();
            return sizes.quantity(&numbers).map(Constant::Quantity);
        }
        let axis = (0..shape.len()).find(|&axis| shape[axis].known().is_none())?;
        let counts = |value: &&Data<T>| match value {
            Data::Index(tensor) => {
                let counted = Tensor::from_fn(tensor.shape(), |i: &[usize]| i[axis] as u32);
                counted.to_vec() == tensor.to_vec()
            }
            _ => false,
        };
        values.iter().all(counts).then_some(Constant::Positions(axis))
    }
}

/// What all values are when it is broadcast to their shapes: the first of the slices along each axis whose length depends on
/// the size.
fn spread<T: Float>(values: &[&Data<T>], shape: &[Length]) -> Option<Data<T>> {
    fn of<E: Element + PartialEq>(
        tensors: &[&Tensor<E>],
        shape: &[Length],
        same: impl Fn(&E, &E) -> bool,
    ) -> Option<Tensor<E>> {
        let mut core = tensors[0].clone();
        for (axis, length) in shape.iter().enumerate() {
            if length.known().is_none() {
                core = core.slice_axis(axis, Slice::from(0..1));
            }
        }
        let equal = |tensor: &&Tensor<E>| {
            let wanted = core.broadcast_to(tensor.shape()).to_vec();
            tensor.to_vec().iter().zip(&wanted).all(|(a, b)| same(a, b))
        };
        tensors.iter().all(equal).then(|| core.contiguous())
    }
    Some(match values[0] {
        Data::Float(_) => {
            let tensors =
                each(values, |value| if let Data::Float(tensor) = value { Some(tensor) } else { None })?;
            // By their bits, so that NaN is equal to itself.
            let bits = |x: &T| x.to_f64().to_bits();
            Data::Float(of(&tensors, shape, |a, b| bits(a) == bits(b))?)
        }
        Data::Index(_) => {
            let tensors =
                each(values, |value| if let Data::Index(tensor) = value { Some(tensor) } else { None })?;
            Data::Index(of(&tensors, shape, PartialEq::eq)?)
        }
        Data::Mask(_) => {
            let tensors =
                each(values, |value| if let Data::Mask(tensor) = value { Some(tensor) } else { None })?;
            Data::Mask(of(&tensors, shape, PartialEq::eq)?)
        }
    })
}
