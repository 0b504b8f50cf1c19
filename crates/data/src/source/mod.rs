//! What examples are taken from.

mod fingerprint;
mod tensor;
mod tuple;
mod vars;

#[doc(hidden)]
pub use fingerprint::Fingerprint;
pub(crate) use fingerprint::sample;
pub use vars::IntoVars;

use crate::error::DataError;

/// Examples that can be taken together by their positions, in any order: PyTorch's map-style `Dataset` with its
/// `collate`. A [`Dataset`](crate::Dataset) shuffles, splits and batches what any source has.
///
/// Sources are tensors (whose rows are the examples), [`Features`](crate::Features),
/// [`Sequences`](crate::Sequences), tuples of up to four sources of as many examples (inputs and targets, several
/// inputs), and types of one's own:
///
/// ```
/// use wengert_data::{DataError, Dataset, Source};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
///
/// /// `width` values of a series, and the one after them.
/// struct Windows {
///     series: Vec<f32>,
///     width: usize,
/// }
///
/// impl Source for Windows {
///     type Batch = (Tensor<f32>, Tensor<f32>);
///
///     fn count(&self) -> usize {
///         self.series.len().saturating_sub(self.width)
///     }
///
///     fn batch(&self, positions: &[u32]) -> Self::Batch {
///         let at = |row: usize, column: usize| self.series[positions[row] as usize + column];
///         let windows = Tensor::from_fn([positions.len(), self.width], |i| at(i[0], i[1]));
///         (windows, Tensor::from_fn([positions.len(), 1], |i| at(i[0], self.width)))
///     }
/// }
///
/// let series = (0..10).map(|t| t as f32).collect();
/// let data = Dataset::new(Windows { series, width: 3 })?;
/// let (windows, next): (Var, Var) = data.batches(2).next().unwrap();
/// assert_eq!(windows.value(), &Tensor::from([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]));
/// assert_eq!(next.value().to_vec(), [3.0, 4.0]);
/// # Ok::<(), DataError>(())
/// ```
pub trait Source {
    /// Some examples together, as tensors: what a thread may prepare for another one. A source that can fail, as it
    /// reads files, gives a `Result`.
    type Batch: IntoVars;

    /// The number of examples.
    fn count(&self) -> usize;

    /// The examples at these positions, in their order. Each is below [`count`](Source::count); they may repeat.
    fn batch(&self, positions: &[u32]) -> Self::Batch;

    /// How long an example is, by which [`bucketed`](crate::Batches::bucketed) batches are made: 0 for all by default,
    /// and for a tuple the sum of its parts'.
    fn length(&self, position: usize) -> usize {
        let _ = position;
        0
    }

    /// A number that examples with other contents hardly have at these positions, by which those who train on the same data find out
    /// whether they do ([`Batches::fingerprint`](crate::Batches::fingerprint)). By default none: a source of one's own, which may have
    /// to read files for it, is compared by the number of its examples alone.
    ///
    /// ```
    /// use std::hash::{DefaultHasher, Hash, Hasher};
    /// use wengert_data::{DataError, Dataset, Source};
    /// use wengert_tensor::Tensor;
    ///
    /// /// Words, of which a batch has the lengths.
    /// struct Words(Vec<&'static str>);
    ///
    /// impl Source for Words {
    ///     type Batch = Tensor<u32>;
    ///
    ///     fn count(&self) -> usize {
    ///         self.0.len()
    ///     }
    ///
    ///     fn batch(&self, positions: &[u32]) -> Tensor<u32> {
    ///         let lengths = positions.iter().map(|&position| self.0[position as usize].len() as u32);
    ///         Tensor::vector(&lengths.collect::<Vec<_>>())
    ///     }
    ///
    ///     fn fingerprint(&self, positions: &[u32]) -> Option<u64> {
    ///         let mut hasher = DefaultHasher::new();
    ///         positions.iter().for_each(|&position| self.0[position as usize].hash(&mut hasher));
    ///         Some(hasher.finish())
    ///     }
    /// }
    ///
    /// let words = Dataset::new(Words(vec!["one", "two"]))?;
    /// let others = Dataset::new(Words(vec!["one", "six"]))?;
    /// assert!(words.fingerprint().is_some() && words.fingerprint() != others.fingerprint());
    /// # Ok::<(), DataError>(())
    /// ```
    fn fingerprint(&self, positions: &[u32]) -> Option<u64> {
        let _ = positions;
        None
    }

    /// Whether the examples fit together, which [`Dataset::new`](crate::Dataset::new) asks first.
    ///
    /// # Errors
    /// If they do not, as the parts of a tuple that have not as many examples.
    fn check(&self) -> Result<(), DataError> {
        Ok(())
    }
}
