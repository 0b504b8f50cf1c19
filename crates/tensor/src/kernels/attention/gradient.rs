//! The gradients, from tiles that are computed again: once by queries and once by keys, so that each is summed by one
//! thread in one order.

use super::geometry::{AttentionGeometry, View};
use super::pieces::{copy_head, for_each_piece};
use super::tile::{KEYS, Problem, QUERIES, Rows, Tile, Workspace, ranges};
use crate::array::element::Float;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::machine::parallel;

/// What the gradients are computed from, beside the operands.
pub(super) struct Backward<'a, T> {
    pub(super) problem: Problem<'a, T>,
    /// The cotangent of the value, as it lies.
    pub(super) cotangent: View<'a, T>,
    pub(super) log_sums: &'a [T],
    /// The mean of the weights' cotangents for each query, by the weights.
    pub(super) means: Vec<T>,
}

impl<'a, T: Float> Backward<'a, T> {
    /// The means are the products of the value and its cotangent (T. Dao et al., "FlashAttention", 2022, equation 4).
    pub(super) fn new(
        problem: Problem<'a, T>,
        value: &View<'a, T>,
        cotangent: View<'a, T>,
        log_sums: &'a [T],
    ) -> Self {
        let geometry = problem.geometry;
        let AttentionGeometry { batch, heads, queries, value_width, .. } = *geometry;
        let mut means = vec![T::ZERO; batch * queries * heads];
        for_each_piece(geometry, [queries, heads], QUERIES, [(&mut means[..], 1), (&mut [], 0)], &|piece| {
            for (i, mean) in piece.first.iter_mut().enumerate() {
                let place = [piece.batch, i % heads, piece.positions.start + i / heads];
                *mean = (0..value_width).map(|j| value.at(place, j) * cotangent.at(place, j)).sum();
            }
        });
        Backward { problem, cotangent, log_sums, means }
    }

    /// What is known of a tile's queries.
    fn rows(&self, tile: &Tile) -> Rows<T> {
        Rows::of(self.problem.geometry, tile, self.log_sums, &self.means)
    }

    /// The weights that dropout left, and the cotangents of a tile's scores.
    fn tile<'b>(&self, tile: &Tile, space: &'b mut Workspace<T>) -> [&'b [T]; 2] {
        self.problem.gradient(tile, &self.cotangent, &self.rows(tile), space);
        let [weights, of_scores, _] = space.of_tile(tile);
        [weights, of_scores]
    }

    fn workspace(&self) -> Workspace<T> {
        Workspace::new(&self.problem)
    }

    /// The gradient of the queries: scale · (cotangents of the scores) · keys.
    pub(super) fn queries(&self, out: &mut [T]) {
        let geometry = self.problem.geometry;
        let AttentionGeometry { heads, queries, width, .. } = *geometry;
        for_each_piece(geometry, [queries, heads], QUERIES, [(out, width), (&mut [], 0)], &|piece| {
            let mut space = self.workspace();
            let mut sum = vec![T::ZERO; piece.positions.len() * width];
            for head in 0..heads {
                sum.fill(T::ZERO);
                for tile in self.problem.tiles(piece.batch, head, piece.positions.clone()) {
                    let [_, of_scores] = self.tile(&tile, &mut space);
                    let [rows, columns] = tile.shape();
                    gemm(
                        T::from_f64(geometry.scale),
                        MatrixRef::row_major(of_scores, [rows, columns]),
                        self.problem.operands.key.matrix(self.problem.key_place(&tile), [columns, width]),
                        T::ONE,
                        MatrixMut::row_major(&mut sum, [rows, width]),
                    );
                }
                copy_head(&sum, [head, heads, width], piece.first);
            }
        });
    }

    /// The gradients of the keys, scale · (cotangents of the scores)ᵀ · queries, and of the values, weightsᵀ · cotangents.
    pub(super) fn keys_and_values(&self, of_keys: &mut [T], of_values: &mut [T]) {
        let geometry = self.problem.geometry;
        let AttentionGeometry { heads, key_heads, queries, keys, width, value_width, .. } = *geometry;
        let results = [(of_keys, width), (of_values, value_width)];
        for_each_piece(geometry, [keys, key_heads], KEYS, results, &|piece| {
            let mut space = self.workspace();
            let columns = piece.positions.len();
            let (mut of_keys, mut of_values) =
                (vec![T::ZERO; columns * width], vec![T::ZERO; columns * value_width]);
            for key_head in 0..key_heads {
                of_keys.fill(T::ZERO);
                of_values.fill(T::ZERO);
                for head in (0..heads).filter(|&head| geometry.key_head(head) == key_head) {
                    for positions in ranges(queries, QUERIES) {
                        if geometry.limit(positions.end - 1) <= piece.positions.start {
                            continue;
                        }
                        let keys = piece.positions.clone();
                        let tile = Tile { batch: piece.batch, head, queries: positions, keys };
                        let tile_values = self.tile(&tile, &mut space);
                        self.add_keys_and_values(&tile, tile_values, [&mut of_keys, &mut of_values]);
                    }
                }
                copy_head(&of_keys, [key_head, key_heads, width], piece.first);
                copy_head(&of_values, [key_head, key_heads, value_width], piece.second);
            }
        });
    }

    fn add_keys_and_values(
        &self,
        tile: &Tile,
        [weights, of_scores]: [&[T]; 2],
        [of_keys, of_values]: [&mut [T]; 2],
    ) {
        let [rows, columns] = tile.shape();
        let AttentionGeometry { width, value_width, scale, .. } = *self.problem.geometry;
        gemm(
            T::from_f64(scale),
            MatrixRef::row_major(of_scores, [rows, columns]).transposed(),
            self.problem.operands.query.matrix(tile.query(), [rows, width]),
            T::ONE,
            MatrixMut::row_major(of_keys, [columns, width]),
        );
        gemm(
            T::ONE,
            MatrixRef::row_major(weights, [rows, columns]).transposed(),
            self.cotangent.matrix(tile.query(), [rows, value_width]),
            T::ONE,
            MatrixMut::row_major(of_values, [columns, value_width]),
        );
    }

    /// The gradient of what is added to the scores, of that `shape`, whose axes are the scores' or 1 long: the cotangents
    /// of the scores, summed up. By matrices of the result, each in one order.
    pub(super) fn bias(&self, shape: [usize; 4], out: &mut [T]) {
        let AttentionGeometry { batch, heads, queries, .. } = *self.problem.geometry;
        let [batches, of_heads, rows, columns] = shape;
        let all = |length: usize, of: usize, i: usize| if length == 1 { 0..of } else { i..i + 1 };
        let size = rows * columns;
        parallel::for_each_chunk(out, size, batches * of_heads > 1, |start, out| {
            out.fill(T::ZERO);
            let mut space = self.workspace();
            let matrix = start / size;
            for batch in all(batches, batch, matrix / of_heads) {
                for head in all(of_heads, heads, matrix % of_heads) {
                    for positions in ranges(queries, QUERIES) {
                        for tile in self.problem.tiles(batch, head, positions) {
                            let [_, of_scores] = self.tile(&tile, &mut space);
                            add_scores(&tile, of_scores, [rows, columns], out);
                        }
                    }
                }
            }
        });
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
