//! The key of most weight for a query, where that is more than half of all.
//!
//! Its value v is nearly the query's own, o: what goes by the difference of the two, or of their products with a cotangent,
//! would be the rounding of both. So the difference is taken first, and where the softmax is saturated it is 0. The largest
//! weight of a query is 1 over the sum of its weights relative to it, which is known: other queries cost nothing.

use super::geometry::View;
use super::tile::{Problem, Tile};
use crate::array::element::Float;

/// What a tile has for such a key.
pub(super) struct Dominant {
    /// The query, as a row of the tile.
    pub(super) row: usize,
    /// Where the pair stands in the tile.
    pub(super) at: usize,
    /// The query.
    pub(super) query: [usize; 3],
    /// The key.
    pub(super) key: [usize; 3],
}

impl Tile {
    /// The keys of the tile that have more than half of a query's weight, given the weights before dropout and the statistics
    /// of the tile's queries.
    pub(super) fn dominant<T: Float>(
        &self,
        statistics: &[[T; 2]],
        weights: &[T],
        key_place: [usize; 3],
    ) -> Vec<Dominant> {
        let half = T::from_f64(0.5);
        let columns = self.keys.len();
        let [batch, head, first] = key_place;
        let rows = weights.chunks_exact(columns).zip(statistics).enumerate();
        rows.filter(|(_, (_, [_, largest]))| *largest > half)
            .filter_map(|(row, (weights, _))| {
                let column = weights.iter().position(|&weight| weight > half)?;
                let (query, key) = (self.row(row), [batch, head, first + column]);
                Some(Dominant { row, at: row * columns + column, query, key })
            })
            .collect()
    }
}

impl<T: Float> Problem<'_, T> {
    /// The dominant keys of a tile.
    pub(super) fn dominant(&self, tile: &Tile, statistics: &[[T; 2]], weights: &[T]) -> Vec<Dominant> {
        tile.dominant(statistics, weights, self.key_place(tile))
    }
}

impl Dominant {
    /// What dropout leaves of the key.
    pub(super) fn factor<T: Float>(&self, factors: Option<&[T]>) -> T {
        factors.map_or(T::ONE, |factors| factors[self.at])
    }

    /// The product of `cotangent`, of the query, with factor·v − o.
    pub(super) fn product<T: Float>(
        &self,
        width: usize,
        cotangent: &View<'_, T>,
        (factor, of_key): (T, Option<&View<'_, T>>),
        of_query: &View<'_, T>,
    ) -> T {
        let of_key = |j: usize| of_key.map_or(T::ZERO, |view| factor * view.at(self.key, j));
        (0..width).map(|j| cotangent.at(self.query, j) * (of_key(j) - of_query.at(self.query, j))).sum()
    }

    /// Adds `by` times factor·v − o to the query's row.
    pub(super) fn add<T: Float>(
        &self,
        by: T,
        (factor, of_key): (T, &View<'_, T>),
        of_query: &View<'_, T>,
        rows: &mut [T],
        width: usize,
    ) {
        for (j, out) in rows[self.row * width..][..width].iter_mut().enumerate() {
            *out += by * (factor * of_key.at(self.key, j) - of_query.at(self.query, j));
        }
    }
}
