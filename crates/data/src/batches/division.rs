//! Batches in parts.

use std::ops::Range;

/// How batches are divided among workers that train together: each into as many *shards* as this says, and which of them are
/// this worker's. Which examples are in which shard depends on the number of shards alone, not on that of the workers.
///
/// The examples of a batch are dealt out to its shards like cards.
///
/// ```
/// use wengert_data::{Division, Piece};
/// // Eight shards for three workers.
/// let own: Vec<_> = (0..3).map(|worker| Division::among(8, worker, 3).own()).collect();
/// assert_eq!(own, [0..2, 2..5, 5..8]);
/// // A batch of five has no example for the last three: the third worker is given one that does not count.
/// let pieces: Vec<Piece> = Division::among(8, 2, 3).pieces(5).collect();
/// assert_eq!(pieces.iter().map(|piece| (piece.shard, piece.counted)).collect::<Vec<_>>(), [(5, 0)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    shards: usize,
    own: Range<usize>,
}

/// A shard of a batch, as a worker trains on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// The number of the shard.
    pub shard: usize,
    /// The examples in it that count; if none does, it has the first of the batch, so that a worker without a share has something to
    /// compute.
    pub counted: usize,
    /// The examples of the whole batch.
    pub batch: usize,
    /// Whether it is the worker's first of the batch, and its last.
    pub first: bool,
    /// See [`first`](Self::first).
    pub last: bool,
}

/// The part number `index` of `whole` things in a row that are divided into `parts` consecutive parts as even as can be; some are empty
/// where there are more parts than things.
///
/// ```
/// use wengert_data::even_part;
/// assert_eq!([0, 1, 2].map(|worker| even_part(8, worker, 3)), [0..2, 2..5, 5..8]);
/// ```
///
/// # Panics
/// If there is no such part.
#[track_caller]
pub fn even_part(whole: usize, index: usize, parts: usize) -> Range<usize> {
    assert!(index < parts, "even_part: there is no part {index} among {parts}");
    // In u128, as the product may not fit.
    let start = |index: usize| (index as u128 * whole as u128 / parts as u128) as usize;
    start(index)..start(index + 1)
}

impl Piece {
    /// The share of the batch that it is, by examples.
    pub fn share(&self) -> f64 {
        self.counted as f64 / self.batch as f64
    }
}

impl Division {
    /// `shards` shards to a batch, of which these are the worker's.
    ///
    /// # Panics
    /// If there is none, or one is not below `shards`.
    #[track_caller]
    pub fn new(shards: usize, own: Range<usize>) -> Self {
        assert!(
            own.start < own.end && own.end <= shards,
            "Division: the shards {own:?} are none of {shards}"
        );
        Division { shards, own }
    }

    /// `shards` shards to a batch, of which worker `worker` of `workers` has its part of the row.
    ///
    /// # Panics
    /// If `worker` is not below `workers`, or there are fewer shards than workers.
    #[track_caller]
    pub fn among(shards: usize, worker: usize, workers: usize) -> Self {
        assert!(worker < workers, "Division: there is no worker {worker} of {workers}");
        assert!(workers <= shards, "Division: {shards} shards for {workers} workers");
        Division::new(shards, even_part(shards, worker, workers))
    }

    /// The shards of a batch.
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// Those of this worker.
    pub fn own(&self) -> Range<usize> {
        self.own.clone()
    }

    /// What this worker gets of a batch of so many examples: at least one piece, unless the batch is empty.
    pub fn pieces(&self, batch: usize) -> impl Iterator<Item = Piece> + use<> {
        let shards = self.shards;
        let (first, end) = (self.own.start, self.own.end.min(batch).max(self.own.start + 1));
        let shards_of_worker = if batch == 0 { first..first } else { first..end };
        shards_of_worker.map(move |shard| Piece {
            shard,
            counted: batch.saturating_sub(shard).div_ceil(shards),
            batch,
            first: shard == first,
            last: shard + 1 == end,
        })
    }

    /// The rows of a batch that are in a piece.
    pub(super) fn rows(&self, batch: &[u32], piece: &Piece) -> Vec<u32> {
        match piece.counted {
            0 => batch[..1].to_vec(),
            _ => batch.iter().skip(piece.shard).step_by(self.shards).copied().collect(),
        }
    }
}
