//! What attends to what, and where the operands lie.

use crate::array::element::{Element, Float};
use crate::kernels::gemm::MatrixRef;
use crate::random::Generator;

/// The sizes of an attention: `batch` × `heads` problems of `queries` × `keys` scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionGeometry {
    /// Problems that share nothing.
    pub batch: usize,
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of the keys and values: consecutive groups of `heads / key_heads` heads of queries share one.
    pub key_heads: usize,
    /// The number of queries.
    pub queries: usize,
    /// The number of keys and values.
    pub keys: usize,
    /// The length of a query and of a key.
    pub width: usize,
    /// The length of a value.
    pub value_width: usize,
    /// What the products of queries and keys are multiplied by.
    pub scale: f64,
    /// Query i attends to no key beyond i + this; `None` if to all.
    pub last_key: Option<isize>,
}

impl AttentionGeometry {
    /// The head of the keys and values that a head of the queries attends to.
    pub(super) fn key_head(&self, head: usize) -> usize {
        head / (self.heads / self.key_heads)
    }

    /// How many of the first keys query `query` may attend to.
    pub(super) fn limit(&self, query: usize) -> usize {
        match self.last_key {
            None => self.keys,
            Some(past) => {
                (query as isize).saturating_add(past).saturating_add(1).clamp(0, self.keys as isize) as usize
            }
        }
    }
}

/// Elements (batch, head, row, column) in a slice, with any strides.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    data: &'a [T],
    offset: usize,
    strides: [isize; 4],
}

impl<'a, T: Element> View<'a, T> {
    /// Element (b, h, i, j) is `data[offset + b·strides[0] + h·strides[1] + i·strides[2] + j·strides[3]]`.
    pub fn new(data: &'a [T], offset: usize, strides: [isize; 4]) -> Self {
        View { data, offset, strides }
    }

    /// Where row `row` begins.
    fn start(&self, [batch, head, row]: [usize; 3]) -> usize {
        let [b, h, i, _] = self.strides;
        self.offset.wrapping_add_signed(batch as isize * b + head as isize * h + row as isize * i)
    }

    /// Element (batch, head, row, column).
    #[inline(always)]
    pub(super) fn at(&self, place: [usize; 3], column: usize) -> T {
        self.data[self.start(place).wrapping_add_signed(column as isize * self.strides[3])]
    }

    /// Columns of a row, if they follow each other.
    #[inline(always)]
    pub(super) fn row(&self, place: [usize; 3], first: usize, count: usize) -> Option<&'a [T]> {
        let start = self.start(place).wrapping_add(first);
        (self.strides[3] == 1).then(|| &self.data[start..start + count])
    }
}

impl<'a, T: Float> View<'a, T> {
    /// `rows` rows from row `first` of a head on, of `columns` elements.
    pub(super) fn matrix(
        &self,
        [batch, head, first]: [usize; 3],
        [rows, columns]: [usize; 2],
    ) -> MatrixRef<'a, T> {
        let start = if rows == 0 || columns == 0 { 0 } else { self.start([batch, head, first]) };
        MatrixRef::new(self.data, start, [rows, columns], [self.strides[2], self.strides[3]])
    }
}

/// What an attention is computed from.
#[derive(Clone, Debug)]
pub struct AttentionOperands<'a, T> {
    /// Shape `[batch, heads, queries, width]`.
    pub query: View<'a, T>,
    /// Shape `[batch, key_heads, keys, width]`.
    pub key: View<'a, T>,
    /// Shape `[batch, key_heads, keys, value_width]`.
    pub value: View<'a, T>,
    /// What is added to the scores, `[batch, heads, queries, keys]`, by strides of 0 where it is the same.
    pub bias: Option<View<'a, T>>,
    /// Which keys take part, of that shape.
    pub takes_part: Option<View<'a, bool>>,
    /// The probability with which a weight becomes 0, and what draws.
    pub dropout: Option<(f64, Generator)>,
}
