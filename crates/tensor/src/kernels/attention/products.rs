//! Products of tiles with rows of operands, and what they make of keys that take no part.
//!
//! Where a key takes no part, its weight is 0, and so is what stands for it in every other tile. But 0·∞ and 0·NaN are NaN,
//! and padding may hold anything. So sums are first computed without care; if a mask may exclude keys and a sum is not
//! finite, it is computed again, and what is not finite is multiplied only where the key takes part. What the others give is
//! the same to the bit.

use super::geometry::{AttentionGeometry, AttentionOperands, View};
use super::tile::{Problem, Tile};
use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::loops::folds::SumOf;
use crate::loops::reduce::fold_slice;

/// Whether it is looked at which keys take part.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Care {
    No,
    Yes,
}

/// What a tile is multiplied by: rows for its keys, so that a sum belongs to a query, or rows for its queries.
#[derive(Clone, Copy)]
enum By {
    Keys,
    Queries,
}

/// Whether all elements are numbers, and finite.
pub(super) fn all_finite<T: Float>(sums: &[T]) -> bool {
    // 0 times anything else is NaN.
    fold_slice(sums, &SumOf(|x: T| x * T::ZERO)) == T::ZERO
}

impl<'a, T: Float> Problem<'a, T> {
    /// Whether there may be keys that take no part.
    fn excludes(&self) -> bool {
        let AttentionOperands { bias, takes_part, .. } = self.operands;
        takes_part.is_some() || bias.is_some() || self.geometry.limit(0) < self.geometry.keys
    }

    /// Whether a key takes part for a query, in a tile.
    fn takes_part(&self, tile: &Tile, query: usize, key: usize) -> bool {
        let (row, key) = (tile.row(query), tile.keys.start + key);
        let AttentionOperands { bias, takes_part, .. } = self.operands;
        key < self.geometry.limit(row[2])
            && takes_part.is_none_or(|mask| mask.at(row, key))
            && bias.is_none_or(|bias| bias.at(row, key) != T::NEG_INFINITY)
    }

    /// Calls `work`, which computes sums and says whether they are finite, and calls it again if it has to take care.
    pub(super) fn with_care(&self, mut work: impl FnMut(Care) -> bool) {
        if !work(Care::No) && self.excludes() {
            work(Care::Yes);
        }
    }

    /// `out ← scale · queries · keysᵀ (+ out)`, for queries and keys of any kind.
    pub(super) fn products(
        &self,
        tile: &Tile,
        query: &View<'a, T>,
        key: &View<'a, T>,
        add: bool,
        out: &mut [T],
    ) {
        let (scale, width) = (T::from_f64(self.geometry.scale), self.geometry.width);
        self.of_pairs(tile, scale, [query, key], width, add, out);
    }

    /// `out ← cotangents · valuesᵀ (+ out)`, for cotangents and values of any kind.
    pub(super) fn of_weights(
        &self,
        tile: &Tile,
        cotangent: &View<'_, T>,
        values: &View<'_, T>,
        add: bool,
        out: &mut [T],
    ) {
        self.of_pairs(tile, T::ONE, [cotangent, values], self.geometry.value_width, add, out);
    }

    /// A tile of products of rows for its queries and rows for its keys.
    fn of_pairs(
        &self,
        tile: &Tile,
        scale: T,
        [of_queries, of_keys]: [&View<'_, T>; 2],
        width: usize,
        add: bool,
        out: &mut [T],
    ) {
        let [rows, columns] = tile.shape();
        gemm(
            scale,
            of_queries.matrix(tile.query(), [rows, width]),
            of_keys.matrix(self.key_place(tile), [columns, width]).transposed(),
            if add { T::ONE } else { T::ZERO },
            MatrixMut::row_major(out, [rows, columns]),
        );
    }

    /// `sum ← sum + weights · values`, for values of any kind.
    pub(super) fn add_values(
        &self,
        tile: &Tile,
        weights: &[T],
        values: &View<'_, T>,
        care: Care,
        sum: &mut [T],
    ) {
        self.add_product(tile, (T::ONE, weights), By::Keys, (values, self.geometry.value_width), care, sum);
    }

    /// `sum ← sum + scale · scores · keys`, for keys of any kind.
    pub(super) fn add_to_queries(
        &self,
        tile: &Tile,
        scores: &[T],
        keys: &View<'_, T>,
        care: Care,
        sum: &mut [T],
    ) {
        let AttentionGeometry { scale, width, .. } = *self.geometry;
        self.add_product(tile, (T::from_f64(scale), scores), By::Keys, (keys, width), care, sum);
    }

    /// `sum ← sum + scale · scoresᵀ · queries`, for queries of any kind.
    pub(super) fn add_to_keys(
        &self,
        tile: &Tile,
        scores: &[T],
        queries: &View<'_, T>,
        care: Care,
        sum: &mut [T],
    ) {
        let AttentionGeometry { scale, width, .. } = *self.geometry;
        self.add_product(tile, (T::from_f64(scale), scores), By::Queries, (queries, width), care, sum);
    }

    /// `sum ← sum + weightsᵀ · cotangents`, for cotangents of any kind.
    pub(super) fn add_to_values(
        &self,
        tile: &Tile,
        weights: &[T],
        cotangents: &View<'_, T>,
        care: Care,
        sum: &mut [T],
    ) {
        let width = self.geometry.value_width;
        self.add_product(tile, (T::ONE, weights), By::Queries, (cotangents, width), care, sum);
    }

    /// Adds the product of a tile, scaled, and rows of an operand.
    fn add_product(
        &self,
        tile: &Tile,
        (scale, scores): (T, &[T]),
        by: By,
        (operand, width): (&View<'_, T>, usize),
        care: Care,
        sum: &mut [T],
    ) {
        let [rows, columns] = tile.shape();
        let matrix = MatrixRef::row_major(scores, [rows, columns]);
        let (matrix, place) = match by {
            By::Keys => (matrix, self.key_place(tile)),
            By::Queries => (matrix.transposed(), tile.query()),
        };
        let [sums, terms] = matrix.shape();
        let mut multiply = |rows: MatrixRef<'_, T>| {
            gemm(scale, matrix, rows, T::ONE, MatrixMut::row_major(sum, [sums, width]));
        };
        if care == Care::No {
            return multiply(operand.matrix(place, [terms, width]));
        }
        let (finite, others) = apart(operand, place, [terms, width]);
        multiply(MatrixRef::row_major(&finite, [terms, width]));
        for (term, column, x) in others {
            for i in 0..sums {
                let (query, key) = match by {
                    By::Keys => (i, term),
                    By::Queries => (term, i),
                };
                if self.takes_part(tile, query, key) {
                    sum[i * width + column] += scale * scores[query * columns + key] * x;
                }
            }
        }
    }
}

/// Rows of an operand with 0 for what is not finite, and that, with its row and column.
fn apart<T: Float>(
    operand: &View<'_, T>,
    [batch, head, first]: [usize; 3],
    [rows, columns]: [usize; 2],
) -> (Vec<T>, Vec<(usize, usize, T)>) {
    let mut finite = vec![T::ZERO; rows * columns];
    let mut others = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let x = operand.at([batch, head, first + row], column);
            if x.is_finite() {
                finite[row * columns + column] = x;
            } else {
                others.push((row, column, x));
            }
        }
    }
    (finite, others)
}
