//! How tensors print.

use std::fmt;

use crate::element::Element;
use crate::tensor::Tensor;

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor<{}>{} {:?}", T::NAME, self.shape(), self.to_vec())
    }
}
