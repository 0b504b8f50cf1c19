//! How much data a batch holds.

use wengert_data::Padded;
use wengert_tape::Var;
use wengert_tensor::{Element, Float, Shape, Tensor};

/// A batch of data, by whose size [`objective_over`](crate::Objectives::objective_over) weighs it: tensors, whose first axis
/// is that of the examples, [`Padded`] sequences, and tuples of an input and up to three more that belong to it. For a type
/// of one's own it is one method.
///
/// ```
/// use wengert_curvature::Examples;
/// use wengert_tensor::Tensor;
/// assert_eq!((Tensor::<f32>::zeros([3, 5]), Tensor::from([0u32, 1, 0])).examples(), 3);
/// ```
pub trait Examples {
    /// The number of examples.
    fn examples(&self) -> usize;
}

impl<E: Element> Examples for Tensor<E> {
    fn examples(&self) -> usize {
        along_first(self.shape())
    }
}

impl<T: Float> Examples for Var<T> {
    fn examples(&self) -> usize {
        along_first(self.shape())
    }
}

macro_rules! tuple {
    ($($other:ident),*) => {
        impl<X: Examples, $($other),*> Examples for (X, $($other,)*) {
            fn examples(&self) -> usize {
                self.0.examples()
            }
        }
    };
}
tuple!();
tuple!(Y);
tuple!(Y, Z);
tuple!(Y, Z, W);

impl<X> Examples for Padded<X> {
    fn examples(&self) -> usize {
        self.lengths.examples()
    }
}

impl<B: Examples> Examples for &B {
    fn examples(&self) -> usize {
        (**self).examples()
    }
}

/// The length of the first axis; what has none is one example.
fn along_first(shape: &Shape) -> usize {
    shape.first().copied().unwrap_or(1)
}
