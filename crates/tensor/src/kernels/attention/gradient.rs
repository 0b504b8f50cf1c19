//! The gradients, from tiles that are computed again: once by queries and once by keys, so that each is summed by one
//! thread in one order.

use super::geometry::{AttentionGeometry, View};
use super::pieces::{copy_head, for_each_piece};
use super::products::{Care, all_finite};
use super::tile::{KEYS, Problem, QUERIES, Rows, Tile, Workspace, of_queries, ranges};
use crate::array::element::Float;
use crate::loops::spare::Partials;
use crate::machine::parallel;

/// What tiles contribute to results that have the shapes of the operands.
pub(super) trait Contributions<T: Float>: Sync {
    /// Memory for what is known of a tile.
    type Space;

    fn problem(&self) -> &Problem<'_, T>;

    fn space(&self) -> Self::Space;

    /// Computes what is to be known of a tile.
    fn compute(&self, tile: &Tile, space: &mut Self::Space);

    /// Adds to rows of queries.
    fn add_to_queries(&self, tile: &Tile, space: &mut Self::Space, care: Care, sum: &mut [T]);

    /// Adds to rows of keys and of values.
    fn add_to_keys_and_values(&self, tile: &Tile, space: &mut Self::Space, care: Care, sums: [&mut [T]; 2]);

    /// What is added to the result for the scores.
    fn of_scores<'b>(&self, tile: &Tile, space: &'b mut Self::Space) -> &'b [T];

    /// The result for the queries, `[batch, queries, heads, width]`.
    fn queries(&self, out: &mut [T]) {
        let geometry = self.problem().geometry;
        let AttentionGeometry { heads, queries, width, .. } = *geometry;
        for_each_piece(geometry, [queries, heads], QUERIES, [(out, width), (&mut [], 0)], &|piece| {
            let mut space = self.space();
            let mut sum = Partials::equal(T::ZERO, piece.positions.len() * width);
            for head in 0..heads {
                self.problem().with_care(|care| {
                    sum.fill(T::ZERO);
                    for tile in self.problem().tiles(piece.batch, head, piece.positions.clone()) {
                        self.compute(&tile, &mut space);
                        self.add_to_queries(&tile, &mut space, care, &mut sum);
                    }
                    all_finite(&sum)
                });
                copy_head(&sum, [head, heads, width], piece.first);
            }
        });
    }

    /// The results for the keys and the values, `[batch, keys, key_heads, width]` and `[batch, keys, key_heads,
    /// value_width]`.
    fn keys_and_values(&self, [of_keys, of_values]: [&mut [T]; 2]) {
        let geometry = self.problem().geometry;
        let AttentionGeometry { heads, key_heads, queries, keys, width, value_width, .. } = *geometry;
        let results = [(of_keys, width), (of_values, value_width)];
        for_each_piece(geometry, [keys, key_heads], KEYS, results, &|piece| {
            let mut space = self.space();
            let columns = piece.positions.len();
            let (mut of_keys, mut of_values) =
                (Partials::equal(T::ZERO, columns * width), Partials::equal(T::ZERO, columns * value_width));
            for key_head in 0..key_heads {
                self.problem().with_care(|care| {
                    of_keys.fill(T::ZERO);
                    of_values.fill(T::ZERO);
                    for head in (0..heads).filter(|&head| geometry.key_head(head) == key_head) {
                        for positions in ranges(queries, QUERIES) {
                            if geometry.limit(positions.end - 1) <= piece.positions.start {
                                continue;
                            }
                            let keys = piece.positions.clone();
                            let tile = Tile { batch: piece.batch, head, queries: positions, keys };
                            self.compute(&tile, &mut space);
                            let sums = [&mut of_keys[..], &mut of_values];
                            self.add_to_keys_and_values(&tile, &mut space, care, sums);
                        }
                    }
                    all_finite(&of_keys) && all_finite(&of_values)
                });
                copy_head(&of_keys, [key_head, key_heads, width], piece.first);
                copy_head(&of_values, [key_head, key_heads, value_width], piece.second);
            }
        });
    }

    /// The result for what is added to the scores, of that `shape`, whose axes are the scores' or 1 long: that of the
    /// scores, summed up. By matrices of the result, each in one order.
    fn bias(&self, shape: [usize; 4], out: &mut [T]) {
        let AttentionGeometry { batch, heads, queries, .. } = *self.problem().geometry;
        let [batches, of_heads, rows, columns] = shape;
        let all = |length: usize, of: usize, i: usize| if length == 1 { 0..of } else { i..i + 1 };
        let size = rows * columns;
        parallel::for_each_chunk(out, size, batches * of_heads > 1, |start, out| {
            out.fill(T::ZERO);
            let mut space = self.space();
            let matrix = start / size;
            for batch in all(batches, batch, matrix / of_heads) {
                for head in all(of_heads, heads, matrix % of_heads) {
                    for positions in ranges(queries, QUERIES) {
                        for tile in self.problem().tiles(batch, head, positions) {
                            self.compute(&tile, &mut space);
                            add_scores(&tile, self.of_scores(&tile, &mut space), [rows, columns], out);
                        }
                    }
                }
            }
        });
    }
}

/// What the gradients are computed from, beside the operands.
pub(super) struct Backward<'a, T: Copy + 'static> {
    pub(super) problem: Problem<'a, T>,
    pub(super) value: View<'a, T>,
    /// The cotangent of the value, as it lies.
    pub(super) cotangent: View<'a, T>,
    pub(super) statistics: &'a [[T; 2]],
    /// The mean of the weights' cotangents for each query, by the weights.
    pub(super) means: Partials<T>,
}

impl<'a, T: Float> Backward<'a, T> {
    /// The means are the products of the value and its cotangent (T. Dao et al., "FlashAttention", 2022, equation 4).
    pub(super) fn new(
        problem: Problem<'a, T>,
        value: View<'a, T>,
        cotangent: View<'a, T>,
        statistics: &'a [[T; 2]],
    ) -> Self {
        let means = row_products(problem.geometry, &value, &cotangent);
        Backward { problem, value, cotangent, statistics, means }
    }

    /// What is known of a tile's queries.
    fn rows(&self, tile: &Tile) -> Rows<T> {
        let geometry = self.problem.geometry;
        Rows {
            statistics: of_queries(geometry, tile, self.statistics),
            means: of_queries(geometry, tile, &self.means),
        }
    }
}

/// For each query the product of what two tensors like the value have there; as numbers of the queries lie.
pub(super) fn row_products<T: Float>(
    geometry: &AttentionGeometry,
    a: &View<'_, T>,
    b: &View<'_, T>,
) -> Partials<T> {
    let AttentionGeometry { batch, heads, queries, value_width, .. } = *geometry;
    let mut products = Partials::equal(T::ZERO, batch * queries * heads);
    for_each_piece(geometry, [queries, heads], QUERIES, [(&mut products[..], 1), (&mut [], 0)], &|piece| {
        for (i, product) in piece.first.iter_mut().enumerate() {
            let place = [piece.batch, i % heads, piece.positions.start + i / heads];
            *product = (0..value_width).map(|j| a.at(place, j) * b.at(place, j)).sum();
        }
    });
    products
}

/// The tiles are the weights that dropout left, and the cotangents of the scores.
impl<T: Float> Contributions<T> for Backward<'_, T> {
    type Space = Workspace<T, 2>;

    fn problem(&self) -> &Problem<'_, T> {
        &self.problem
    }

    fn space(&self) -> Workspace<T, 2> {
        Workspace::new(&self.problem)
    }

    fn compute(&self, tile: &Tile, space: &mut Workspace<T, 2>) {
        self.problem.gradient(tile, [&self.value, &self.cotangent], &self.rows(tile), space);
    }

    /// scale · (cotangents of the scores) · keys.
    fn add_to_queries(&self, tile: &Tile, space: &mut Workspace<T, 2>, care: Care, sum: &mut [T]) {
        let ([_, of_scores], _) = space.of_tile(tile);
        self.problem.add_to_queries(tile, of_scores, &self.problem.operands.key, care, sum);
    }

    /// scale · (cotangents of the scores)ᵀ · queries, and weightsᵀ · cotangents.
    fn add_to_keys_and_values(
        &self,
        tile: &Tile,
        space: &mut Workspace<T, 2>,
        care: Care,
        sums: [&mut [T]; 2],
    ) {
        let ([weights, of_scores], _) = space.of_tile(tile);
        let [of_keys, of_values] = sums;
        self.problem.add_to_keys(tile, of_scores, &self.problem.operands.query, care, of_keys);
        self.problem.add_to_values(tile, weights, &self.cotangent, care, of_values);
    }

    fn of_scores<'b>(&self, tile: &Tile, space: &'b mut Workspace<T, 2>) -> &'b [T] {
        let ([_, of_scores], _) = space.of_tile(tile);
        of_scores
    }
}

/// Adds the tile to a matrix of all scores of a head, or to one row or column of sums, or to one number.
fn add_scores<T: Float>(tile: &Tile, of_scores: &[T], [rows, columns]: [usize; 2], out: &mut [T]) {
    for (query, of_scores) in tile.queries.clone().zip(of_scores.chunks_exact(tile.keys.len())) {
        let row = if rows == 1 { 0 } else { query };
        let out = &mut out[row * columns..][..columns];
        if columns == 1 {
            out[0] += of_scores.iter().copied().sum();
        } else {
            out[tile.keys.clone()].iter_mut().zip(of_scores).for_each(|(out, &x)| *out += x);
        }
    }
}
