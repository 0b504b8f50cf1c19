//! Data sets with features that can be scaled and shaped.

use std::sync::Arc;

use wengert_tensor::{Float, Shape};

use super::Dataset;
use crate::error::DataError;
use crate::features::Features;
use crate::moments::Moments;
use crate::source::Source;

/// Examples that are gathered at once to find their moments.
const CHUNK: usize = 256;

/// A source that has [`Features`], alone or as the first part of a tuple.
///
/// ```
/// use wengert_data::{Dataset, HasFeatures, Source, synthetic};
/// /// The pixels of an image of any labelled set.
/// fn width<S: Source + HasFeatures>(data: &Dataset<S>) -> usize {
///     data.source().features().example_shape().count()
/// }
/// assert_eq!(width(&synthetic::digits(10, 0)), 784);
/// ```
pub trait HasFeatures: Sized {
    /// `f32` or `f64`.
    type Element: Float;

    /// The features.
    fn features(&self) -> &Features<Self::Element>;

    /// With other features of the same examples.
    fn with_features(self, features: Features<Self::Element>) -> Self;
}

impl<T: Float> HasFeatures for Features<T> {
    type Element = T;
    fn features(&self) -> &Features<T> {
        self
    }
    fn with_features(self, features: Features<T>) -> Self {
        features
    }
}

macro_rules! tuple {
    ($($other:ident $i:tt),*) => {
        impl<T: Float, $($other),*> HasFeatures for (Features<T>, $($other,)*) {
            type Element = T;
            fn features(&self) -> &Features<T> {
                &self.0
            }
            fn with_features(self, features: Features<T>) -> Self {
                (features, $(self.$i,)*)
            }
        }
    };
}
tuple!();
tuple!(Y 1);
tuple!(Y 1, Z 2);
tuple!(Y 1, Z 2, W 3);

impl<S: Source + HasFeatures + Clone> Dataset<S> {
    /// The shape of the features of one example.
    pub fn example_shape(&self) -> &Shape {
        self.source.features().example_shape()
    }

    /// The same examples in another shape: `[1, 28, 28]` instead of `[784]`, for a convolution.
    ///
    /// # Panics
    /// If the shape has another number of elements.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(10, 0).with_example_shape([1, 28, 28]);
    /// assert_eq!(data.all().0.shape(), &[10, 1, 28, 28]);
    /// ```
    #[track_caller]
    pub fn with_example_shape(self, shape: impl Into<Shape>) -> Self {
        let features = self.source.features().clone().with_example_shape(shape);
        self.with_features(features)
    }

    /// The same examples, their features given out as (x − mean) / std.
    ///
    /// # Errors
    /// If `mean` is not finite, or `std` not positive and finite.
    ///
    /// ```
    /// use wengert_data::{Dataset, Features};
    /// use wengert_tensor::Tensor;
    /// let data = Dataset::new(Features::new(&Tensor::<f64>::from([[1.0], [5.0]])))?.normalise(3.0, 2.0)?;
    /// assert_eq!(data.all().value().to_vec(), [-1.0, 1.0]);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn normalise(self, mean: f64, std: f64) -> Result<Self, DataError> {
        let features = self.source.features().clone().normalise(mean, std)?;
        Ok(self.with_features(features))
    }

    /// The same examples, each feature given out as (x − mean) / std with its own mean and standard deviation: see
    /// [`Features::standardise`].
    ///
    /// # Errors
    /// If there are not as many moments as features, or they are not finite.
    pub fn standardise(self, moments: &Moments) -> Result<Self, DataError> {
        let features = self.source.features().clone().standardise(moments)?;
        Ok(self.with_features(features))
    }

    /// Mean and standard deviation of each feature, as it is given out, over the examples of this data set. Take those of
    /// the training set for all sets, so that nothing of the others is learnt beforehand:
    ///
    /// ```
    /// use wengert_data::{DataError, Dataset, Features};
    /// use wengert_tensor::Tensor;
    ///
    /// let sizes = Tensor::<f64>::from([[70.0, 3.0], [50.0, 2.0], [90.0, 3.0], [30.0, 1.0]]);
    /// let (train, test) = Dataset::new(Features::new(&sizes))?.split(0.5, 0)?;
    /// let moments = train.moments()?;
    /// let (train, test) = (train.standardise(&moments)?, test.standardise(&moments)?);
    /// assert!(train.moments()?.mean.iter().all(|mean| mean.abs() < 1e-12));
    /// # Ok::<(), DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::NotFinite`] if a feature has none, as it is infinite or NaN in some example.
    pub fn moments(&self) -> Result<Moments, DataError> {
        let (features, examples) = (self.source.features(), self.len());
        let width = features.example_shape().count();
        let moments = Moments::of(width, |take| {
            for start in (0..examples).step_by(CHUNK) {
                let rows: Vec<u32> =
                    (start..examples.min(start + CHUNK)).map(|position| self.row(position)).collect();
                let chunk = features.gather(&rows);
                let values = chunk.as_slice().expect("a new tensor is contiguous");
                for row in values.chunks_exact(width.max(1)) {
                    take(&mut row.iter().map(|x| x.to_f64()));
                }
            }
        });
        match moments.not_finite() {
            Some(feature) => Err(DataError::NotFinite { feature }),
            None => Ok(moments),
        }
    }

    fn with_features(self, features: Features<S::Element>) -> Self {
        let source = Arc::unwrap_or_clone(self.source).with_features(features);
        Dataset { source: Arc::new(source), rows: self.rows }
    }
}
