//! Conversions to and from other containers, and iteration.

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::tensor::Tensor;

/// The elements of a tensor in row-major order, whatever its strides: see [`Tensor::iter`].
///
/// ```
/// use wengert_tensor::{Iter, Tensor};
/// let x = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]);
/// let mut elements: Iter<'_, f64> = x.iter();
/// assert_eq!(elements.next(), Some(1.0));
/// ```
#[derive(Clone, Debug)]
pub struct Iter<'a, T: Element> {
    tensor: &'a Tensor<T>,
    /// The multi-index and the storage position of the next element.
    index: Vec<usize>,
    position: usize,
    remaining: usize,
}

impl<T: Element> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.remaining = self.remaining.checked_sub(1)?;
        let element = self.tensor.storage.as_slice()[self.position];
        let Layout { shape, strides, .. } = &self.tensor.layout;
        for axis in (0..shape.len()).rev() {
            self.index[axis] += 1;
            self.position = self.position.wrapping_add_signed(strides[axis]);
            if self.index[axis] < shape[axis] {
                break;
            }
            self.position = self.position.wrapping_add_signed(-strides[axis] * shape[axis] as isize);
            self.index[axis] = 0;
        }
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<T: Element> ExactSizeIterator for Iter<'_, T> {}

impl<T: Element> Tensor<T> {
    /// The elements in row-major order.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert!(x.t().iter().eq([1.0, 3.0, 2.0, 4.0]));
    /// ```
    pub fn iter(&self) -> Iter<'_, T> {
        Iter {
            tensor: self,
            index: vec![0; self.rank()],
            position: self.layout.offset,
            remaining: self.len(),
        }
    }
}

impl<'a, T: Element> IntoIterator for &'a Tensor<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// A tensor with one axis.
///
/// ```
/// # use wengert_tensor::Tensor;
/// let x: Tensor<f32> = (0..3).map(|i| i as f32).collect();
/// assert_eq!(x.to_vec(), [0.0, 1.0, 2.0]);
/// ```
impl<T: Element> FromIterator<T> for Tensor<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Tensor::from(Vec::from_iter(elements))
    }
}

/// The elements in row-major order.
impl<T: Element> From<Tensor<T>> for Vec<T> {
    #[track_caller]
    fn from(tensor: Tensor<T>) -> Vec<T> {
        tensor.to_vec()
    }
}

/// The elements in row-major order.
impl<T: Element> From<&Tensor<T>> for Vec<T> {
    #[track_caller]
    fn from(tensor: &Tensor<T>) -> Vec<T> {
        tensor.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterating_over_views() {
        let x = Tensor::<f64>::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
        let wide = Tensor::from([1.0, 2.0]).unsqueeze(1).broadcast_to([2, 3]);
        let none = Tensor::zeros([2, 0, 3]);
        for view in [x.clone(), x.t(), x.flip([0, 2]), x.slice_axis(1, 1..), wide, none, Tensor::scalar(5.0)]
        {
            assert_eq!(view.iter().len(), view.len());
            assert_eq!(view.iter().collect::<Vec<_>>(), view.to_vec());
        }
        assert_eq!(Vec::from(&x.t()), x.t().iter().collect::<Vec<_>>());
    }
}
