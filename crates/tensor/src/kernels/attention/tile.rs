//! A tile: the scores of some consecutive queries of one head with some consecutive keys.

use std::ops::Range;

use super::formulas::{Multiply, OfScores, Weights};
use super::geometry::{AttentionGeometry, AttentionOperands, View};
use crate::array::element::Float;
use crate::array::tensor::Tensor;
use crate::loops::spare::Partials;
use crate::machine::simd::dispatch;
use crate::random::Generator;

/// Queries of a tile.
pub(super) const QUERIES: usize = 64;
/// Keys of a tile.
pub(super) const KEYS: usize = 128;

/// An attention, with what its parts are made from.
pub(super) struct Problem<'a, T> {
    pub(super) geometry: &'a AttentionGeometry,
    pub(super) operands: &'a AttentionOperands<'a, T>,
}

/// Which scores a tile has.
#[derive(Clone)]
pub(super) struct Tile {
    pub(super) batch: usize,
    pub(super) head: usize,
    pub(super) queries: Range<usize>,
    pub(super) keys: Range<usize>,
}

impl Tile {
    /// Rows and columns.
    pub(super) fn shape(&self) -> [usize; 2] {
        [self.queries.len(), self.keys.len()]
    }

    /// Row `i` of what has the scores' shape.
    pub(super) fn row(&self, i: usize) -> [usize; 3] {
        [self.batch, self.head, self.queries.start + i]
    }

    /// The tile's first query.
    pub(super) fn query(&self) -> [usize; 3] {
        self.row(0)
    }
}

/// Positions `0..length` in ranges of `size`.
pub(super) fn ranges(length: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(size).map(move |first| first..length.min(first + size))
}

impl<'a, T: Float> Problem<'a, T> {
    /// The tiles of some queries of a head, without those in which no key takes part because it comes too late.
    pub(super) fn tiles(
        &self,
        batch: usize,
        head: usize,
        queries: Range<usize>,
    ) -> impl Iterator<Item = Tile> {
        let limit = self.geometry.limit(queries.end.saturating_sub(1));
        ranges(self.geometry.keys, KEYS).take_while(move |keys| keys.start < limit).map(move |keys| Tile {
            batch,
            head,
            queries: queries.clone(),
            keys,
        })
    }

    /// The keys of a tile as rows.
    pub(super) fn key_place(&self, tile: &Tile) -> [usize; 3] {
        [tile.batch, self.geometry.key_head(tile.head), tile.keys.start]
    }

    /// Adds to a tile's scores; −∞ to anything gives that.
    pub(super) fn add_bias(&self, tile: &Tile, bias: &View<'a, T>, scores: &mut [T]) {
        let columns = tile.keys.len();
        let add = |score: &mut T, bias: T| {
            *score = if bias == T::NEG_INFINITY { bias } else { *score + bias };
        };
        for (i, scores) in scores.chunks_exact_mut(columns).enumerate() {
            match bias.row(tile.row(i), tile.keys.start, columns) {
                Some(bias) => scores.iter_mut().zip(bias).for_each(|(score, &bias)| add(score, bias)),
                None => {
                    for (j, score) in scores.iter_mut().enumerate() {
                        add(score, bias.at(tile.row(i), tile.keys.start + j));
                    }
                }
            }
        }
    }

    /// The scores, −∞ where a key takes no part.
    pub(super) fn scores(&self, tile: &Tile, out: &mut [T]) {
        self.products(tile, &self.operands.query, &self.operands.key, false, out);
        if let Some(bias) = &self.operands.bias {
            self.add_bias(tile, bias, out);
        }
        let columns = tile.keys.len();
        for (i, scores) in out.chunks_exact_mut(columns).enumerate() {
            if let Some(mask) = &self.operands.takes_part {
                exclude(mask, tile.row(i), tile.keys.start, scores);
            }
            let limit = self.geometry.limit(tile.queries.start + i).saturating_sub(tile.keys.start);
            scores[limit.min(columns)..].fill(T::NEG_INFINITY);
        }
    }

    /// The weights, of which those of a row sum up to 1.
    pub(super) fn weights(&self, tile: &Tile, statistics: &[[T; 2]], out: &mut [T]) {
        self.scores(tile, out);
        dispatch(Weights { scores: out, columns: tile.keys.len(), statistics });
    }

    /// Draws the factors that dropout gives the tile's weights, if it is on.
    pub(super) fn factors<'b>(&self, tile: &Tile, factors: &'b mut [T]) -> Option<&'b [T]> {
        let (p, generator) = self.operands.dropout.as_ref()?;
        let AttentionGeometry { heads, queries, keys, .. } = *self.geometry;
        draw_factors(tile, [heads, queries, keys], *p, generator, factors);
        Some(factors)
    }

    /// The cotangents of a tile's scores for the `cotangent` of the value, and the weights as dropout leaves them.
    pub(super) fn gradient(
        &self,
        tile: &Tile,
        [value, cotangent]: [&View<'a, T>; 2],
        rows: &Rows<T>,
        space: &mut Workspace<T, 2>,
    ) {
        let columns = tile.keys.len();
        let AttentionOperands { value: values, .. } = self.operands;
        let ([weights, of_scores], factors) = space.of_tile(tile);
        self.weights(tile, &rows.statistics, weights);
        self.of_weights(tile, cotangent, &self.operands.value, false, of_scores);
        let factors = self.factors(tile, factors);
        if let Some(factors) = factors {
            dispatch(Multiply(of_scores, factors));
        }
        dispatch(OfScores { weights, cotangents: of_scores, columns, means: &rows.means });
        for key in self.dominant(tile, &rows.statistics, weights) {
            let of_key = (key.factor(factors), Some(values));
            of_scores[key.at] =
                weights[key.at] * key.product(self.geometry.value_width, cotangent, of_key, value);
        }
        if let Some(factors) = factors {
            dispatch(Multiply(weights, factors));
        }
    }
}

/// The factors that dropout gives a tile's weights; those of each tile are independent of the others.
pub(super) fn draw_factors<T: Float>(
    tile: &Tile,
    [heads, queries, keys]: [usize; 3],
    p: f64,
    generator: &Generator,
    out: &mut [T],
) {
    let row = (tile.batch * heads + tile.head) * queries.div_ceil(QUERIES) + tile.queries.start / QUERIES;
    let number = row * keys.div_ceil(KEYS) + tile.keys.start / KEYS;
    generator.fork(number as u64).fill_bernoulli(out, 1.0 - p);
    if p < 1.0 {
        let scale = T::from_f64(1.0 / (1.0 - p));
        out.iter_mut().for_each(|factor| *factor *= scale);
    }
}

/// What is known of each query of a tile: the statistics of its softmax, and the mean of the cotangents of its weights.
pub(super) struct Rows<T: Copy + 'static> {
    pub(super) statistics: Partials<[T; 2]>,
    pub(super) means: Partials<T>,
}

/// What is known of each query, in the order of batch, query, head.
pub(super) fn of_queries<N: Copy + 'static>(
    geometry: &AttentionGeometry,
    tile: &Tile,
    numbers: &[N],
) -> Partials<N> {
    let AttentionGeometry { heads, queries, .. } = *geometry;
    let number = |query: usize| numbers[(tile.batch * queries + query) * heads + tile.head];
    let mut found = Partials::equal(number(tile.queries.start), tile.queries.len());
    found.iter_mut().zip(tile.queries.clone()).for_each(|(to, query)| *to = number(query));
    found
}

/// Memory for some tiles, and one for the factors of dropout.
pub(super) struct Workspace<T: Float, const TILES: usize> {
    tiles: [Tensor<T>; TILES],
    factors: Tensor<T>,
}

impl<T: Float, const TILES: usize> Workspace<T, TILES> {
    /// For the tiles of a problem.
    pub(super) fn new(problem: &Problem<'_, T>) -> Self {
        let AttentionGeometry { queries, keys, .. } = *problem.geometry;
        let size = queries.min(QUERIES) * keys.min(KEYS);
        let of_size = |size: usize| Tensor::filled_by("attention", size.into(), |_| {});
        let factors = if problem.operands.dropout.is_some() { size } else { 0 };
        Workspace { tiles: std::array::from_fn(|_| of_size(size)), factors: of_size(factors) }
    }

    /// As large as a tile; behind them the room for the factors.
    pub(super) fn of_tile(&mut self, tile: &Tile) -> ([&mut [T]; TILES], &mut [T]) {
        let size = tile.queries.len() * tile.keys.len();
        let factors = self.factors.as_mut_slice();
        let of_factors = size.min(factors.len());
        (self.tiles.each_mut().map(|tile| &mut tile.as_mut_slice()[..size]), &mut factors[..of_factors])
    }
}

/// Makes −∞ of the scores of keys, from `first` on, that take no part.
fn exclude<T: Float>(takes_part: &View<'_, bool>, row: [usize; 3], first: usize, scores: &mut [T]) {
    match takes_part.row(row, first, scores.len()) {
        Some(takes_part) => {
            for (score, &takes_part) in scores.iter_mut().zip(takes_part) {
                *score = if takes_part { *score } else { T::NEG_INFINITY };
            }
        }
        None => {
            for (j, score) in scores.iter_mut().enumerate() {
                if !takes_part.at(row, first + j) {
                    *score = T::NEG_INFINITY;
                }
            }
        }
    }
}
