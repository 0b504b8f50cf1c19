//! Making tensors.

use crate::array::element::{Element, Float};
use crate::array::shape::Shape;
use crate::array::size::MAX_ELEMENTS;
use crate::array::tensor::{ShapeError, Tensor};

impl<T: Element> Tensor<T> {
    /// All elements `value`.
    ///
    /// # Panics
    /// If the shape [has too many elements](crate::size), or the system no memory for them. The same holds for all
    /// functions that make a tensor of a shape or size of the caller's choice.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: T) -> Self {
        Tensor::filled_by("full", shape.into(), |out| out.fill(value))
    }

    /// All elements the default: 0 or `false`.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<f64>::zeros([2, 2]).to_vec(), [0.0; 4]);
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Tensor::filled_by("zeros", shape.into(), |out| out.fill(T::default()))
    }

    /// A tensor whose elements `write` sets, in row-major order: the way for kernels that work on slices. What the
    /// slice holds before is unspecified.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::<f32>::written([2], |out| out.copy_from_slice(&[1.0, 2.0]));
    /// assert_eq!(x.to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn written(shape: impl Into<Shape>, write: impl FnOnce(&mut [T])) -> Self {
        Tensor::filled_by("written", shape.into(), write)
    }

    /// [`written`](Tensor::written) for an operation of that name, which messages tell.
    #[track_caller]
    pub fn written_for(operation: &str, shape: impl Into<Shape>, write: impl FnOnce(&mut [T])) -> Self {
        Tensor::filled_by(operation, shape.into(), write)
    }

    /// A tensor without axes.
    pub fn scalar(value: T) -> Self {
        Tensor::full(Shape::scalar(), value)
    }

    /// The elements of `data` in row-major order.
    ///
    /// # Errors
    /// If the shape has another number of elements.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from_vec(vec![1.0f32, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x.at([1, 0]), 3.0);
    /// assert!(Tensor::from_vec(vec![1.0f32], [2, 2]).is_err());
    /// # Ok::<(), wengert_tensor::ShapeError>(())
    /// ```
    #[track_caller]
    pub fn from_vec(data: Vec<T>, shape: impl Into<Shape>) -> Result<Self, ShapeError> {
        Tensor::from_slice(&data, shape)
    }

    /// The elements of `data` in row-major order.
    ///
    /// # Errors
    /// If the shape has another number of elements.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from_slice(&[1.0f64, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x.at([1, 0]), 3.0);
    /// assert!(Tensor::from_slice(&[1.0f64], [2, 2]).is_err());
    /// # Ok::<(), wengert_tensor::ShapeError>(())
    /// ```
    #[track_caller]
    pub fn from_slice(data: &[T], shape: impl Into<Shape>) -> Result<Self, ShapeError> {
        let shape = shape.into();
        if shape.checked_count() != Some(data.len()) || !shape.fits() {
            return Err(ShapeError { shape, elements: data.len() });
        }
        Ok(Tensor::filled_by("from_slice", shape, |out| out.copy_from_slice(data)))
    }

    /// A tensor with one axis.
    #[track_caller]
    pub fn vector(data: &[T]) -> Self {
        Tensor::filled_by("vector", data.len().into(), |out| out.copy_from_slice(data))
    }

    /// Element `[i, j, …]` is `f(&[i, j, …])`.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from_fn([2, 3], |i| (10 * i[0] + i[1]) as f32);
    /// assert_eq!(x.to_vec(), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    /// ```
    #[track_caller]
    pub fn from_fn(shape: impl Into<Shape>, mut f: impl FnMut(&[usize]) -> T) -> Self {
        let shape = shape.into();
        let mut index = vec![0; shape.len()];
        Tensor::filled_by("from_fn", shape.clone(), |out| {
            for x in out {
                *x = f(&index);
                for (i, &d) in index.iter_mut().zip(shape.iter()).rev() {
                    *i += 1;
                    if *i < d {
                        break;
                    }
                    *i = 0;
                }
            }
        })
    }
}

impl<T: Float> Tensor<T> {
    /// All elements 1.
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Tensor::filled_by("ones", shape.into(), |out| out.fill(T::ONE))
    }

    /// The identity matrix of `n` rows.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<f32>::eye(2).to_vec(), [1.0, 0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn eye(n: usize) -> Self {
        Tensor::filled_by("eye", [n, n].into(), |out| {
            out.fill(T::ZERO);
            out.iter_mut().step_by(n + 1).for_each(|x| *x = T::ONE);
        })
    }

    /// `start, start + step, …` as long as it is before `end`: ⌈(end − start) / step⌉ elements.
    ///
    /// # Panics
    /// If `step` is 0, anything is not finite, or there are too many elements.
    #[track_caller]
    pub fn arange(start: f64, end: f64, step: f64) -> Self {
        let count = ((end - start) / step).ceil();
        assert!(count.is_finite(), "arange: from {start} to {end} by {step} is not a finite range");
        assert!(
            count <= MAX_ELEMENTS as f64,
            "arange: from {start} to {end} by {step} there are {count} elements, a tensor has at most {MAX_ELEMENTS}"
        );
        Tensor::filled_by("arange", (count.max(0.0) as usize).into(), |out| {
            for (i, x) in out.iter_mut().enumerate() {
                *x = T::from_f64(start + i as f64 * step);
            }
        })
    }

    /// `count` evenly spaced values from `start` to `end`, both included.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<f32>::linspace(0.0, 1.0, 5).to_vec(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    #[track_caller]
    pub fn linspace(start: f64, end: f64, count: usize) -> Self {
        let intervals = count.saturating_sub(1).max(1) as f64;
        Tensor::filled_by("linspace", count.into(), |out| {
            for (i, x) in out.iter_mut().enumerate() {
                // Both ends are met exactly.
                let t = i as f64 / intervals;
                *x = T::from_f64(if i + 1 == count && count > 1 { end } else { start + t * (end - start) });
            }
        })
    }

    /// One row per label, 1 at the label's position and 0 elsewhere: shape `labels.shape() + [classes]`.
    ///
    /// # Panics
    /// If a label is not below `classes`.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let labels = Tensor::<u32>::vector(&[2, 0]);
    /// assert_eq!(Tensor::<f32>::one_hot(&labels, 3).to_vec(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn one_hot(labels: &Tensor<u32>, classes: usize) -> Self {
        let shape = labels.shape().inserted(labels.rank(), classes).checked("one_hot");
        let labels = labels.contiguous_for("one_hot");
        if let Some(bad) = labels.contiguous_slice().iter().find(|&&l| l as usize >= classes) {
            panic!("one_hot: label {bad} is out of range for {classes} classes");
        }
        Tensor::filled_by("one_hot", shape, |out| {
            out.fill(T::ZERO);
            for (row, &label) in out.chunks_exact_mut(classes.max(1)).zip(labels.contiguous_slice()) {
                row[label as usize] = T::ONE;
            }
        })
    }
}

impl<T: Element> From<T> for Tensor<T> {
    fn from(value: T) -> Self {
        Tensor::scalar(value)
    }
}

impl<T: Element, const N: usize> From<[T; N]> for Tensor<T> {
    fn from(data: [T; N]) -> Self {
        Tensor::vector(&data)
    }
}

impl<T: Element, const M: usize, const N: usize> From<[[T; N]; M]> for Tensor<T> {
    #[track_caller]
    fn from(data: [[T; N]; M]) -> Self {
        Tensor::filled_by("from", [M, N].into(), |out| out.copy_from_slice(data.as_flattened()))
    }
}

impl<T: Element, const L: usize, const M: usize, const N: usize> From<[[[T; N]; M]; L]> for Tensor<T> {
    #[track_caller]
    fn from(data: [[[T; N]; M]; L]) -> Self {
        Tensor::filled_by("from", [L, M, N].into(), |out| {
            out.copy_from_slice(data.as_flattened().as_flattened());
        })
    }
}

impl<T: Element> From<Vec<T>> for Tensor<T> {
    fn from(data: Vec<T>) -> Self {
        Tensor::vector(&data)
    }
}

impl<T: Element> From<&[T]> for Tensor<T> {
    fn from(data: &[T]) -> Self {
        Tensor::vector(data)
    }
}
