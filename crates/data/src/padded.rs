//! Batches of sequences of unequal length.

use wengert_tensor::Tensor;

use crate::source::IntoVars;

/// Sequences that are made as long as the longest of them: a batch of [`Sequences`](crate::Sequences).
///
/// `X` is `Tensor<u32>` for token ids, `Var` or `Var<f64>` for series of numbers.
///
/// ```
/// use wengert_data::{Dataset, Padded, Sequences};
/// let Padded { values, lengths, mask } = Dataset::new(Sequences::new([&[5u32, 6][..], &[7]]))?.all();
/// assert_eq!((values.to_vec(), lengths.to_vec()), (vec![5, 6, 7, 0], vec![2, 1]));
/// assert_eq!(mask.to_vec(), [true, true, true, false]);
/// # Ok::<(), wengert_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Padded<X> {
    /// The elements, `[examples, longest, …]`; behind the end of a sequence the padding.
    pub values: X,
    /// The number of elements of each sequence, `[examples]`.
    pub lengths: Tensor<u32>,
    /// True where there is an element and false where there is padding, `[examples, longest]`.
    pub mask: Tensor<bool>,
}

impl<X: IntoVars> IntoVars for Padded<X> {
    type Vars = Padded<X::Vars>;
    fn into_vars(self) -> Self::Vars {
        Padded { values: self.values.into_vars(), lengths: self.lengths, mask: self.mask }
    }
}
