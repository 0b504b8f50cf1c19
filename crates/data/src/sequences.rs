//! Sequences of unequal length.

use std::sync::Arc;

use wengert_tensor::{Element, Shape, Tensor};

use crate::error::DataError;
use crate::padded::Padded;
use crate::rows;
use crate::source::{Fingerprint, IntoVars, Source};

/// Sequences of unequal length, one for each example: token ids (`u32`), or series of numbers or of vectors (`f32`,
/// `f64`). A batch is [`Padded`] to the longest of its sequences.
///
/// Cloning shares the elements.
///
/// ```
/// use wengert_data::{DataError, Dataset, Sequences};
/// use wengert_tensor::Tensor;
///
/// let sentences = Sequences::new([&[5u32, 6, 7][..], &[8], &[9, 9]]).padded_with(1);
/// let data = Dataset::new((sentences, Tensor::from([0u32, 1, 0])))?;
/// let (tokens, labels) = data.select(&[2, 0])?;
/// assert_eq!(tokens.values, Tensor::from([[9, 9, 1], [5, 6, 7]]));
/// assert_eq!(tokens.lengths, Tensor::from([2, 3]));
/// assert_eq!(tokens.mask, Tensor::from([[true, true, false], [true, true, true]]));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "pad_sequence")]
pub struct Sequences<E: Element> {
    /// All elements, one sequence after the other, `[elements, …]`; contiguous.
    elements: Tensor<E>,
    /// Where each sequence starts, and where the last one ends.
    starts: Arc<[usize]>,
    padding: E,
    longest: usize,
}

impl<E: Element> Sequences<E> {
    /// Sequences of single elements, padded with 0 (`false`).
    pub fn new<S: AsRef<[E]>>(sequences: impl IntoIterator<Item = S>) -> Self {
        let (mut elements, mut starts) = (Vec::new(), vec![0]);
        for sequence in sequences {
            elements.extend_from_slice(sequence.as_ref());
            starts.push(elements.len());
        }
        Sequences::from_starts(Tensor::from(elements), starts)
    }

    /// Sequences of elements that are tensors themselves: each is `[length, …]`, of its own length.
    ///
    /// # Errors
    /// [`DataError::UnequalShapes`] with the first sequence whose elements have another shape than those of the first
    /// one, or that has no axis.
    ///
    /// ```
    /// use wengert_data::{DataError, Dataset, Sequences};
    /// use wengert_tensor::Tensor;
    /// let series = [Tensor::<f64>::ones([2, 3]), Tensor::ones([4, 3])];
    /// let data = Dataset::new(Sequences::from_tensors(&series)?)?;
    /// assert_eq!(data.all().values.shape(), &[2, 4, 3]);
    /// # Ok::<(), DataError>(())
    /// ```
    pub fn from_tensors(sequences: &[Tensor<E>]) -> Result<Self, DataError> {
        let item = |tensor: &Tensor<E>| Some(Shape::from(tensor.shape().get(1..)?));
        let expected = sequences.first().and_then(item).unwrap_or_else(Shape::scalar);
        let mut starts = vec![0];
        for (example, sequence) in sequences.iter().enumerate() {
            if item(sequence).as_ref() != Some(&expected) {
                let found = sequence.shape().clone();
                return Err(DataError::UnequalShapes { example, expected, found });
            }
            starts.push(starts[example] + sequence.shape()[0]);
        }
        let elements = if sequences.is_empty() { Tensor::zeros(0) } else { Tensor::cat(sequences, 0) };
        Ok(Sequences::from_starts(elements, starts))
    }

    fn from_starts(elements: Tensor<E>, starts: Vec<usize>) -> Self {
        let elements = elements.contiguous();
        Sequences { elements, starts: starts.into(), padding: E::default(), longest: usize::MAX }
    }

    /// With `value` behind the end of a sequence.
    pub fn padded_with(mut self, value: E) -> Self {
        self.padding = value;
        self
    }

    /// With at most the first `length` elements of each sequence.
    ///
    /// ```
    /// use wengert_data::{Dataset, Sequences};
    /// let two = Dataset::new(Sequences::new([&[5u32, 6, 7][..], &[8]]).truncated(2))?.all();
    /// assert_eq!(two.values.to_vec(), [5, 6, 8, 0]);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn truncated(mut self, length: usize) -> Self {
        self.longest = length;
        self
    }

    /// The elements of the sequence at a position, as a range of all of them.
    fn range(&self, position: usize) -> std::ops::Range<usize> {
        let (start, end) = (self.starts[position], self.starts[position + 1]);
        start..end.min(start.saturating_add(self.longest))
    }
}

impl<E: Element> Source for Sequences<E>
where
    Tensor<E>: IntoVars,
{
    type Batch = Padded<Tensor<E>>;

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn fingerprint(&self, positions: &[u32]) -> Option<u64> {
        let Padded { values, lengths, .. } = self.batch(positions);
        Some(Fingerprint::new().tensor(&values).tensor(&lengths).value())
    }

    fn batch(&self, positions: &[u32]) -> Self::Batch {
        let length = |&position: &u32| self.length(position as usize);
        let (count, longest) = (positions.len(), positions.iter().map(length).max().unwrap_or(0));
        let item = &self.elements.shape()[1..];
        let width: usize = item.iter().product();
        let shape: Shape = [count, longest].iter().chain(item).copied().collect();
        let elements = self.elements.as_slice().expect("sequences are stored contiguously");
        let values = Tensor::written_for("batch", shape, |out| {
            rows::fill(out, longest * width, positions, |position, row| {
                let range = self.range(position);
                let (sequence, rest) = row.split_at_mut(range.len() * width);
                sequence.copy_from_slice(&elements[range.start * width..range.end * width]);
                rest.fill(self.padding);
            });
        });
        let lengths = Tensor::written_for("batch", count, |out| {
            for (out, position) in out.iter_mut().zip(positions) {
                // `check` saw that it fits.
                *out = length(position) as u32;
            }
        });
        let mask = Tensor::written_for("batch", [count, longest], |out| {
            rows::fill(out, longest, positions, |position, row| {
                let (sequence, rest) = row.split_at_mut(self.range(position).len());
                sequence.fill(true);
                rest.fill(false);
            });
        });
        Padded { values, lengths, mask }
    }

    fn length(&self, position: usize) -> usize {
        self.range(position).len()
    }

    fn check(&self) -> Result<(), DataError> {
        let longest = (0..self.count()).map(|position| self.length(position)).max().unwrap_or(0);
        match u32::try_from(longest) {
            Ok(_) => Ok(()),
            Err(_) => Err(DataError::TooLong { length: longest }),
        }
    }
}
