//! Examples and their labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use wengert_tape::Var;
use wengert_tensor::random::Generator;
use wengert_tensor::{Element, Shape, Tensor};

use crate::batches::{Batch, Batches};
use crate::error::DataError;
use crate::pixels::{Features, Scaling};

/// Examples of one shape, each with a label: a class (`u32`, the default) or a number to predict (`f32`, `f64`).
///
/// Cloning, splitting and taking subsets share the examples. Features are given out as `f32`, each example in
/// the shape that [`with_example_shape`](Dataset::with_example_shape) sets. A data set is never empty.
///
/// ```
/// use wengert_data::{DataError, Dataset};
/// use wengert_tensor::Tensor;
///
/// let x = Tensor::from([[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let xor = Dataset::new(&x, &Tensor::<u32>::vector(&[0, 1, 1, 0]))?.with_classes(2)?;
/// let batch = xor.batches(3).next().unwrap();
/// assert_eq!((batch.images.shape(), batch.labels.to_vec()), (&[3, 2].into(), vec![0, 1, 1]));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dataset<L: Element = u32> {
    features: Features,
    labels: Tensor<L>,
    scaling: Scaling,
    example_shape: Shape,
    /// Positions among the stored examples; all of them if there are none.
    rows: Option<Arc<[u32]>>,
}

impl<L: Element> Dataset<L> {
    /// Examples along the first axis of `features`, which is shared, not copied, if it is contiguous.
    ///
    /// # Errors
    /// If there is no example, or not one label for each.
    pub fn new(features: &Tensor<f32>, labels: &Tensor<L>) -> Result<Self, DataError> {
        let example_shape: Shape = features.shape().iter().skip(1).copied().collect();
        let examples = features.shape().first().copied().unwrap_or(0);
        let features = Features::Floats(features.contiguous());
        Self::from_parts(features, examples, labels.contiguous(), Scaling::IDENTITY, example_shape)
    }

    /// Examples of shape `example_shape` whose features are bytes, stored as such and given out as x / 255.
    ///
    /// # Errors
    /// If there is no example, not one label for each, or `bytes` is not a whole number of examples.
    ///
    /// ```
    /// use wengert_data::Dataset;
    /// let data = Dataset::from_bytes(vec![0, 255, 51, 102], [2], &[0u32, 1])?;
    /// assert_eq!(data.all().images.value().to_vec(), [0.0, 1.0, 0.2, 0.4]);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn from_bytes(
        bytes: Vec<u8>,
        example_shape: impl Into<Shape>,
        labels: &[L],
    ) -> Result<Self, DataError> {
        let example_shape = example_shape.into();
        let width = example_shape.checked_count().filter(|&n| n > 0 && bytes.len().is_multiple_of(n));
        let Some(width) = width else {
            return Err(DataError::WrongExampleShape { expected: example_shape, found: bytes.len().into() });
        };
        let examples = bytes.len() / width;
        let features = Features::Bytes(Arc::new(bytes));
        Self::from_parts(features, examples, labels.into(), Scaling::BYTES, example_shape)
    }

    fn from_parts(
        features: Features,
        examples: usize,
        labels: Tensor<L>,
        scaling: Scaling,
        example_shape: Shape,
    ) -> Result<Self, DataError> {
        if labels.shape() != &[examples] {
            return Err(DataError::CountMismatch { examples, labels: labels.len() });
        }
        if examples == 0 {
            return Err(DataError::Empty);
        }
        if u32::try_from(examples).is_err() {
            return Err(DataError::TooMany { examples });
        }
        Ok(Dataset { features, labels, scaling, example_shape, rows: None })
    }

    /// The number of examples, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.rows.as_ref().map_or(self.labels.len(), |rows| rows.len())
    }

    /// The shape of one example.
    pub fn example_shape(&self) -> &Shape {
        &self.example_shape
    }

    /// The same examples in another shape: `[1, 28, 28]` instead of `[784]`, for a convolution.
    ///
    /// # Panics
    /// If the shape has another number of elements.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(10, 0).with_example_shape([1, 28, 28]);
    /// assert_eq!(data.all().images.shape(), &[10, 1, 28, 28]);
    /// ```
    #[track_caller]
    pub fn with_example_shape(mut self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        if shape.checked_count() != Some(self.example_shape.count()) {
            panic!("with_example_shape: an example of shape {} cannot become {shape}", self.example_shape);
        }
        self.example_shape = shape;
        self
    }

    /// The same examples, their features given out as (x − mean) / std.
    ///
    /// # Errors
    /// If `mean` is not finite, or `std` not positive and finite.
    pub fn normalise(mut self, mean: f32, std: f32) -> Result<Self, DataError> {
        if !(mean.is_finite() && std.is_finite() && std > 0.0) {
            return Err(DataError::InvalidNormalisation { mean, std });
        }
        self.scaling = self.scaling.then(f64::from(mean), f64::from(std));
        Ok(self)
    }

    /// The examples in batches of `size`, the last of which may be shorter: see [`Batches::shuffled`] and
    /// [`Batches::drop_last`].
    ///
    /// # Panics
    /// If `size` is 0.
    #[track_caller]
    pub fn batches(&self, size: usize) -> Batches<'_, L> {
        Batches::new(self, size)
    }

    /// All examples as one batch.
    pub fn all(&self) -> Batch<L> {
        self.gather(self.len(), |i| i)
    }

    /// The examples at some positions, in their order, as one batch.
    ///
    /// # Errors
    /// If a position is past the last example.
    pub fn select(&self, positions: &[usize]) -> Result<Batch<L>, DataError> {
        self.check(positions)?;
        Ok(self.gather(positions.len(), |i| positions[i]))
    }

    /// The examples at some positions, in their order, as a data set.
    ///
    /// # Errors
    /// If a position is past the last example, or there is none.
    pub fn subset(&self, positions: &[usize]) -> Result<Self, DataError> {
        self.check(positions)?;
        if positions.is_empty() {
            return Err(DataError::Empty);
        }
        if u32::try_from(positions.len()).is_err() {
            return Err(DataError::TooMany { examples: positions.len() });
        }
        Ok(self.with_rows(positions.iter().map(|&i| self.row(i) as u32)))
    }

    /// The first `count` examples, or all if there are fewer.
    ///
    /// # Errors
    /// If `count` is 0.
    pub fn take(&self, count: usize) -> Result<Self, DataError> {
        if count == 0 {
            return Err(DataError::Empty);
        }
        Ok(self.with_rows((0..count.min(self.len())).map(|i| self.row(i) as u32)))
    }

    /// Two data sets: a `fraction` of the examples (rounded to the nearest number), drawn at random by `seed`,
    /// and the others.
    ///
    /// # Errors
    /// If one of the two would be empty, or `fraction` is not between 0 and 1.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// let (train, validation) = data.split(0.9, 42)?;
    /// assert_eq!((train.len(), validation.len()), (90, 10));
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self), DataError> {
        let examples = self.len();
        let first = (fraction * examples as f64).round();
        if !(first >= 1.0 && first < examples as f64) {
            return Err(DataError::InvalidSplit { fraction, examples });
        }
        let mut rows: Vec<u32> = (0..examples).map(|i| self.row(i) as u32).collect();
        Generator::seeded(seed).shuffle(&mut rows);
        let (first, second) = rows.split_at(first as usize);
        Ok((self.with_rows(first.iter().copied()), self.with_rows(second.iter().copied())))
    }

    fn check(&self, positions: &[usize]) -> Result<(), DataError> {
        match positions.iter().find(|&&i| i >= self.len()) {
            Some(&index) => Err(DataError::IndexOutOfRange { index, examples: self.len() }),
            None => Ok(()),
        }
    }

    fn with_rows(&self, rows: impl Iterator<Item = u32>) -> Self {
        Dataset { rows: Some(rows.collect()), ..self.clone() }
    }

    /// Where the example at `position` is stored.
    fn row(&self, position: usize) -> usize {
        self.rows.as_ref().map_or(position, |rows| rows[position] as usize)
    }

    /// The examples at `position(0), …, position(count − 1)`.
    pub(crate) fn gather(&self, count: usize, position: impl Fn(usize) -> usize + Sync + Send) -> Batch<L> {
        let shape: Shape = [count].iter().chain(self.example_shape.iter()).copied().collect();
        let mut images = Tensor::zeros(shape);
        let row = |i| self.row(position(i));
        self.features.gather(self.example_shape.count(), self.scaling, row, images.as_mut_slice());
        let mut labels = Tensor::zeros(count);
        let stored = self.labels.as_slice().expect("labels are stored contiguously");
        for (i, label) in labels.as_mut_slice().iter_mut().enumerate() {
            *label = stored[row(i)];
        }
        Batch { images: Var::constant(images), labels }
    }
}

impl Dataset<u32> {
    /// The same data set, checked to have only labels below `classes`.
    ///
    /// # Errors
    /// [`DataError::LabelOutOfRange`], naming the first example whose label is not.
    pub fn with_classes(self, classes: usize) -> Result<Self, DataError> {
        let labels = self.labels.as_slice().expect("labels are stored contiguously");
        for example in 0..self.len() {
            let label = labels[self.row(example)];
            if label as usize >= classes {
                return Err(DataError::LabelOutOfRange { example, label, classes });
            }
        }
        Ok(self)
    }

    /// How often each label occurs.
    pub fn label_counts(&self) -> BTreeMap<u32, usize> {
        let labels = self.labels.as_slice().expect("labels are stored contiguously");
        let mut counts = BTreeMap::new();
        for i in 0..self.len() {
            *counts.entry(labels[self.row(i)]).or_insert(0) += 1;
        }
        counts
    }
}
