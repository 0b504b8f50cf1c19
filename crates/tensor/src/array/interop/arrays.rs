//! Conversion to and from `ndarray`'s arrays, with the feature `ndarray`.

use ndarray::{ArrayBase, ArrayD, Data, Dimension, IxDyn};

use crate::array::element::Element;
use crate::array::tensor::Tensor;

/// A copy of an array of any layout.
///
/// ```
/// # use wengert_tensor::Tensor;
/// let array = ndarray::array![[1.0f32, 2.0], [3.0, 4.0]];
/// assert_eq!(Tensor::from(&array.t()), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
/// ```
impl<T: Element, S: Data<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Tensor<T> {
    #[track_caller]
    fn from(array: &ArrayBase<S, D>) -> Self {
        Tensor::filled_by("from", array.shape().into(), |out| match array.as_slice() {
            Some(elements) => out.copy_from_slice(elements),
            None => out.iter_mut().zip(array).for_each(|(o, &x)| *o = x),
        })
    }
}

/// A copy of an array of any layout.
impl<T: Element, S: Data<Elem = T>, D: Dimension> From<ArrayBase<S, D>> for Tensor<T> {
    #[track_caller]
    fn from(array: ArrayBase<S, D>) -> Self {
        Tensor::from(&array)
    }
}

/// A copy in standard (row-major) layout.
///
/// ```
/// # use wengert_tensor::Tensor;
/// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
/// let array = ndarray::ArrayD::from(&x.t());
/// assert_eq!(array, ndarray::array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
/// ```
impl<T: Element> From<&Tensor<T>> for ArrayD<T> {
    #[track_caller]
    fn from(tensor: &Tensor<T>) -> Self {
        ArrayD::from_shape_vec(IxDyn(tensor.shape()), tensor.to_vec())
            .expect("a tensor has as many elements as its shape")
    }
}

/// A copy in standard (row-major) layout.
impl<T: Element> From<Tensor<T>> for ArrayD<T> {
    #[track_caller]
    fn from(tensor: Tensor<T>) -> Self {
        ArrayD::from(&tensor)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, Axis, ShapeBuilder, s};

    use super::*;

    #[test]
    fn there_and_back_for_any_layout() {
        let standard = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f64);
        let mut fortran = Array3::zeros((2, 3, 4).f());
        fortran.assign(&standard);
        let mut reversed = standard.clone();
        reversed.invert_axis(Axis(1));
        let strided = standard.slice(s![.., ..;2, 1..]).to_owned();
        for array in [standard, fortran, reversed, strided, Array3::zeros((2, 0, 4))] {
            for view in [array.view(), array.view().permuted_axes([2, 0, 1]), array.slice(s![.., ..;-1, ..])]
            {
                let tensor = Tensor::from(&view);
                assert_eq!(tensor.shape()[..], *view.shape());
                assert!(tensor.iter().eq(view.iter().copied()));
                assert_eq!(ArrayD::from(tensor), view.into_dyn());
            }
        }
        let scalar = Tensor::from(ndarray::arr0(3u32));
        assert_eq!((scalar.rank(), scalar.item()), (0, 3));
    }
}
