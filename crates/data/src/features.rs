//! Features that are scaled as they are given out.

use std::sync::Arc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::error::DataError;
use crate::moments::Moments;
use crate::rows;
use crate::scaling::Scaling;
use crate::source::{Fingerprint, IntoVars, Source};

/// The features of all examples, of one shape, given out in `T` as (x − offset) / divisor with the numbers that
/// [`normalise`](Features::normalise) or [`standardise`](Features::standardise) set.
///
/// Images stay bytes, a quarter of the memory of `f32`; a batch is converted when it is made, which costs no more than
/// copying it would. Cloning shares the examples. What is not scaled is given out bit by bit, NaN included.
#[derive(Clone, Debug)]
pub struct Features<T: Float = f32> {
    stored: Stored<T>,
    count: usize,
    scaling: Scaling<T>,
    example_shape: Shape,
}

#[derive(Clone, Debug)]
enum Stored<T: Float> {
    Bytes(Arc<Vec<u8>>),
    /// Contiguous.
    Floats(Tensor<T>),
}

impl<T: Float> Features<T> {
    /// Examples along the first axis of a tensor, which is shared, not copied, if it is contiguous. A tensor without
    /// axes has none.
    pub fn new(values: &Tensor<T>) -> Self {
        Features {
            stored: Stored::Floats(values.contiguous()),
            count: values.shape().first().copied().unwrap_or(0),
            scaling: Scaling::IDENTITY,
            example_shape: values.shape().iter().skip(1).copied().collect(),
        }
    }

    /// Examples of shape `example_shape` whose features are bytes, stored as such and given out as x / 255.
    ///
    /// # Errors
    /// If `bytes` is not a whole number of examples, or an example has no element.
    ///
    /// ```
    /// use wengert_data::{Dataset, Features};
    /// let data = Dataset::new(Features::<f64>::from_bytes(vec![0, 255, 51, 102], [2])?)?;
    /// assert_eq!(data.all().value().to_vec(), [0.0, 1.0, 0.2, 0.4]);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn from_bytes(bytes: Vec<u8>, example_shape: impl Into<Shape>) -> Result<Self, DataError> {
        let example_shape = example_shape.into();
        let width = example_shape.checked_count().filter(|&n| n > 0 && bytes.len().is_multiple_of(n));
        let Some(width) = width else {
            return Err(DataError::WrongExampleShape { expected: example_shape, found: bytes.len().into() });
        };
        let count = bytes.len() / width;
        let stored = Stored::Bytes(Arc::new(bytes));
        Ok(Features { stored, count, scaling: Scaling::BYTES, example_shape })
    }

    /// The shape of one example.
    pub fn example_shape(&self) -> &Shape {
        &self.example_shape
    }

    /// The same examples in another shape: `[1, 28, 28]` instead of `[784]`, for a convolution.
    ///
    /// # Panics
    /// If the shape has another number of elements.
    #[track_caller]
    pub fn with_example_shape(mut self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        if shape.checked_count() != Some(self.example_shape.count()) {
            panic!("with_example_shape: an example of shape {} cannot become {shape}", self.example_shape);
        }
        self.example_shape = shape;
        self
    }

    /// The same examples, given out as (x − mean) / std of what they were given out as.
    ///
    /// # Errors
    /// If `mean` is not finite, or `std` not positive and finite, in `T`.
    pub fn normalise(self, mean: f64, std: f64) -> Result<Self, DataError> {
        Ok(Features { scaling: self.scaling.then(mean, std)?, ..self })
    }

    /// The same examples, each feature given out as (x − mean) / std with its own mean and standard deviation, those of a
    /// training set: see [`Dataset::moments`](crate::Dataset::moments). Where the deviation is 0, as the feature is the same
    /// in all examples, it is divided by 1.
    ///
    /// # Errors
    /// If there are not as many moments as features, or they are as in [`normalise`](Features::normalise).
    pub fn standardise(self, moments: &Moments) -> Result<Self, DataError> {
        let scaling = self.scaling.then_each(moments, self.example_shape.count())?;
        Ok(Features { scaling, ..self })
    }

    /// The examples at these positions, `[positions, …]`.
    pub(crate) fn gather(&self, positions: &[u32]) -> Tensor<T> {
        let (width, scaling) = (self.example_shape.count(), &self.scaling);
        Tensor::written_for("batch", rows::shape(positions.len(), &self.example_shape), |out| {
            match &self.stored {
                Stored::Bytes(bytes) => rows::fill(out, width, positions, |position, row| {
                    scaling.apply(&bytes[position * width..][..width], row);
                }),
                Stored::Floats(values) => {
                    let values = values.as_slice().expect("features are stored contiguously");
                    rows::fill(out, width, positions, |position, row| {
                        scaling.apply(&values[position * width..][..width], row);
                    });
                }
            }
        })
    }
}

impl<T: Float> Source for Features<T>
where
    Tensor<T>: IntoVars,
{
    type Batch = Tensor<T>;

    fn count(&self) -> usize {
        self.count
    }

    fn fingerprint(&self, positions: &[u32]) -> Option<u64> {
        Some(Fingerprint::new().tensor(&self.batch(positions)).value())
    }

    fn batch(&self, positions: &[u32]) -> Tensor<T> {
        self.gather(positions)
    }
}
