//! Mini-batches.

mod division;
mod plan;
mod position;
mod prefetch;

use std::fmt;
use std::sync::Arc;

use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

pub use division::{Division, Piece, even_part};
pub use position::Position;
pub use prefetch::Prefetched;

use crate::dataset::{BatchOf, Dataset};
use crate::error::DataError;
use crate::source::{IntoVars, Source};
use plan::Plan;

/// A batch of a data set with features and labels: a variable for the model and what the loss compares with.
pub type Batch<X = wengert_tape::Var, Y = Tensor<u32>> = (X, Y);

/// One pass over a [`Dataset`] in batches: made by [`Dataset::batches`].
///
/// What the batches are depends on the settings alone, not on threads. A pass that is broken off can be taken up where
/// it was, with the same batches:
///
/// ```
/// use wengert_data::{Position, synthetic};
///
/// let data = synthetic::digits(1000, 0);
/// // Three epochs, each in its own order, which depends on the seed and the epoch.
/// let batches = data.batches(64).shuffled(7);
/// let mut saved: Option<Position> = None;
/// for mut epoch in batches.clone().epochs(3) {
///     while let Some((images, labels)) = epoch.next() {
///         assert_eq!(images.shape()[0], labels.len());
///         // Where training would go on: seven numbers, to be stored.
///         if epoch.position().epoch == 1 && epoch.position().batch == 5 {
///             saved = Some(epoch.position());
///         }
///     }
/// }
/// // In another run of the program, the rest of the second epoch, and the third.
/// let rest = batches.resume(&saved.unwrap())?.epochs(3);
/// assert_eq!(rest.map(|epoch| epoch.count()).collect::<Vec<_>>(), [11, 16]);
/// # Ok::<(), wengert_data::DataError>(())
/// ```
///
/// Tensors of a pass live in buffers that are recycled, so that a training loop asks the system for no memory after its first
/// steps.
#[doc(alias = "DataLoader")]
pub struct Batches<S: Source = (crate::Features, Tensor<u32>)> {
    dataset: Dataset<S>,
    plan: Plan,
    augment: Option<Augment<S::Batch>>,
    /// This worker's examples as rows of the source, batch after batch; made when the first batch is asked for.
    order: Option<Tensor<u32>>,
    /// The number of the batch that comes next.
    next: usize,
    /// If a worker gets pieces of the batches, which, and how many of the next batch's it has had.
    division: Option<Division>,
    taken: usize,
}

type Augment<B> = Arc<dyn Fn(B, &mut Generator) -> B + Send + Sync>;

impl<S: Source> Clone for Batches<S> {
    fn clone(&self) -> Self {
        Batches {
            dataset: self.dataset.clone(),
            plan: self.plan.clone(),
            augment: self.augment.clone(),
            order: self.order.clone(),
            next: self.next,
            division: self.division.clone(),
            taken: self.taken,
        }
    }
}

impl<S: Source> fmt::Debug for Batches<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("plan", &self.plan).field("next", &self.next).finish_non_exhaustive()
    }
}

impl<S: Source> Batches<S> {
    #[track_caller]
    pub(crate) fn new(dataset: Dataset<S>, size: usize) -> Self {
        assert!(size > 0, "batches: the batch size must be at least 1");
        Batches {
            dataset,
            plan: Plan::of_size(size),
            augment: None,
            order: None,
            next: 0,
            division: None,
            taken: 0,
        }
    }

    fn planned(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self.order = None;
        self
    }

    /// In the random order that belongs to `seed`, another one in each [epoch](Batches::epoch): a run can be repeated.
    ///
    /// The order is a Fisher–Yates shuffle by [`Generator`], the same on every platform, seeded by `seed` plus the epoch
    /// (as PyTorch's `DistributedSampler` is), so that `shuffled(epoch)` in a loop over epochs is the same as
    /// `shuffled(0).epoch(epoch)`.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// let labels = |seed| data.batches(100).shuffled(seed).next().unwrap().1;
    /// assert_eq!(labels(1), labels(1));
    /// assert_ne!(labels(1), labels(2));
    /// ```
    pub fn shuffled(self, seed: u64) -> Self {
        self.planned(|plan| plan.seed = Some(seed))
    }

    /// The batches of this epoch, from the first one on; 0 unless it is set.
    pub fn epoch(mut self, epoch: u64) -> Self {
        (self.next, self.taken) = (0, 0);
        self.planned(|plan| plan.epoch = epoch)
    }

    /// Without the last batch, if it is short (for several workers: if it is for one of them).
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// assert_eq!(data.batches(64).len(), 2);
    /// assert_eq!(data.batches(64).drop_last().len(), 1);
    /// ```
    pub fn drop_last(self) -> Self {
        self.planned(|plan| plan.drop_last = true)
    }

    /// In batches of examples of similar [length](Source::length), so that little of them is padding: `batches` batches'
    /// worth of the order at a time are sorted by length (equal ones keep their order) and cut into batches. If
    /// shuffled, whole batches are then put into a random order; a short one stays the last.
    ///
    /// More batches at a time make less padding and a less random order.
    ///
    /// # Panics
    /// If `batches` is 0.
    ///
    /// ```
    /// use wengert_data::{Dataset, Sequences};
    /// let short_and_long = Sequences::new([&[1u32][..], &[1, 2, 3, 4], &[2], &[4, 3, 2, 1]]);
    /// // Two of one and two of four instead of twice one of each.
    /// for batch in Dataset::new(short_and_long)?.batches(2).bucketed(2) {
    ///     assert!(batch.mask.iter().all(|there| there));
    /// }
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    #[track_caller]
    pub fn bucketed(self, batches: usize) -> Self {
        assert!(batches > 0, "bucketed: there must be at least 1 batch to sort");
        self.planned(|plan| plan.bucket = batches)
    }

    /// The part of one of `workers` that train together. Every epoch's order is dealt out like cards, so that the workers'
    /// parts are disjoint, cover everything and change from epoch to epoch; the batches of all workers with the same
    /// number have together the examples of one batch of `size` · `workers` of a single worker.
    ///
    /// Give weight to a worker's gradient by the number of its examples: last batches may differ by one. A worker gets one
    /// batch less than others if there are fewer than `workers` examples for the last ([`drop_last`](Batches::drop_last)
    /// leaves out any last batch that is not full), and none if there are fewer examples than workers.
    ///
    /// # Panics
    /// If `worker` is not below `workers`.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// let of_worker = |worker| data.batches(10).shuffled(0).sharded(worker, 2);
    /// let examples = |worker| of_worker(worker).map(|(_, labels)| labels.len()).sum::<usize>();
    /// assert_eq!(examples(0) + examples(1), 100);
    /// ```
    #[track_caller]
    pub fn sharded(self, worker: usize, workers: usize) -> Self {
        assert!(worker < workers, "sharded: there is no worker {worker} of {workers}");
        self.planned(|plan| (plan.worker, plan.workers) = (worker, workers))
    }

    /// The same batches, of each of which this worker gets its pieces, one after the other: what a group of workers trains on that
    /// is to have the result of one. Sizes and positions are those of the whole batches; a position is before the batch as long as
    /// not all pieces of it were taken.
    ///
    /// ```
    /// use wengert_data::Division;
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// // The second of two workers, with two of four shards: four batches of 32, 32, 32 and 4.
    /// let pieces = data.batches(32).shuffled(0).divided(Division::among(4, 1, 2));
    /// assert_eq!(pieces.map(|(_, labels)| labels.len()).collect::<Vec<_>>(), [8, 8, 8, 8, 8, 8, 1, 1]);
    /// ```
    ///
    /// # Panics
    /// If the batches are [sharded](Batches::sharded) already.
    #[track_caller]
    pub fn divided(self, division: Division) -> Self {
        assert!(!self.is_sharded(), "divided: the batches are sharded already");
        Batches { division: Some(division), taken: 0, ..self }
    }

    /// Whether they are the part of one of several workers already, by [`sharded`](Batches::sharded).
    pub fn is_sharded(&self) -> bool {
        self.plan.workers > 1
    }

    /// With every batch changed by `change`, which may draw random numbers: shifts, noise. It gets the batch as tensors, on
    /// the thread that prepares it, and a generator that depends on seed, epoch, batch and worker alone, so that a
    /// run can be repeated and resumed.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// let noisy = data.batches(50).shuffled(0).augmented(|(images, labels), random| {
    ///     let mut noise = Tensor::zeros(images.shape());
    ///     random.fill_normal(noise.as_mut_slice(), 0.0, 0.1);
    ///     (images + noise, labels)
    /// });
    /// let first = |epoch| noisy.clone().epoch(epoch).next().unwrap().0.into_value();
    /// assert_eq!(first(0), first(0));
    /// assert_ne!(first(0), first(1));
    /// ```
    pub fn augmented(
        mut self,
        change: impl Fn(S::Batch, &mut Generator) -> S::Batch + Send + Sync + 'static,
    ) -> Self {
        self.augment = Some(Arc::new(change));
        self
    }

    /// The number of examples in a full batch.
    pub fn batch_size(&self) -> usize {
        self.plan.size
    }

    /// The number of examples in all batches of an epoch: those of the data set, or of a worker's share of them.
    ///
    /// ```
    /// let batches = wengert_data::synthetic::digits(100, 0).batches(64);
    /// assert_eq!((batches.batch_size(), batches.examples(), batches.drop_last().examples()), (64, 100, 64));
    /// ```
    pub fn examples(&self) -> usize {
        self.plan.share(self.dataset.len())
    }

    /// A number that batches of data with other contents hardly have, whatever the order: that of the [data set](Dataset::fingerprint).
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// assert_eq!(data.batches(64).shuffled(7).fingerprint(), data.fingerprint());
    /// ```
    pub fn fingerprint(&self) -> Option<u64> {
        self.dataset.fingerprint()
    }

    /// Where the pass is: before the batch that comes next.
    pub fn position(&self) -> Position {
        self.plan.position(self.dataset.len(), self.next)
    }

    /// From a position on, which was noted in batches of the same settings; [`sharded`](Batches::sharded) ones may have
    /// another number of workers if their batches have together the same size.
    ///
    /// # Errors
    /// If batch size, seed, bucketing or the number of examples differ, or the epoch has no such batch.
    pub fn resume(self, position: &Position) -> Result<Self, DataError> {
        let next = self.plan.number_of(position, self.dataset.len())?;
        let mut resumed = self.epoch(position.epoch);
        resumed.next = next;
        Ok(resumed)
    }

    /// This pass, and then the epochs behind it up to `end`, which is not one of them.
    pub fn epochs(self, end: u64) -> impl Iterator<Item = Batches<S>> {
        let following = |pass: &Self| {
            let epoch = pass.plan.epoch.saturating_add(1);
            Some(pass.clone().epoch(epoch))
        };
        std::iter::successors(Some(self), following).take_while(move |pass| pass.plan.epoch < end)
    }

    /// The same batches, prepared by a thread while others are used: up to `depth` wait. Bits and order are the same.
    ///
    /// Preparing takes one thread, whatever the number of those that the program computes with. A panic in it goes on in the
    /// one that asks for the batch. The thread ends with the pass, or when the iterator is dropped, which waits for the
    /// batch that is being prepared. Each pass has a thread of its own, which asks the system for the memory of the batches
    /// that are under way.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(300, 0);
    /// let batches = data.batches(64).shuffled(1);
    /// for ((images, labels), (same_images, same_labels)) in batches.clone().prefetch(2).zip(batches) {
    ///     assert_eq!((images.value(), labels), (same_images.value(), same_labels));
    /// }
    /// ```
    ///
    /// # Panics
    /// If `depth` is 0, or the system has no thread.
    #[track_caller]
    pub fn prefetch(self, depth: usize) -> Prefetched<S>
    where
        S: Send + Sync + 'static,
        S::Batch: Send + 'static,
    {
        Prefetched::new(self, depth)
    }

    /// The next batch as tensors.
    fn next_tensors(&mut self) -> Option<S::Batch> {
        let (size, share) = (self.plan.size, self.plan.share(self.dataset.len()));
        if self.next >= share.div_ceil(size) {
            return None;
        }
        if self.order.is_none() {
            self.order = Some(self.plan.order(&self.dataset));
        }
        let rows = self.order.as_ref().and_then(Tensor::as_slice).expect("a new tensor is contiguous");
        let start = self.next * size;
        let rows = &rows[start..share.min(start.saturating_add(size))];
        let (batch, part) = match self.piece() {
            Some((division, piece)) => {
                (self.dataset.source().batch(&division.rows(rows, &piece)), piece.shard)
            }
            None => (self.dataset.source().batch(rows), self.plan.worker),
        };
        let batch = match &self.augment {
            Some(augment) => augment(batch, &mut self.plan.augmenting(self.next, part)),
            None => batch,
        };
        self.pass();
        Some(batch)
    }

    /// The piece that comes next, where a worker gets pieces.
    fn piece(&self) -> Option<(&Division, Piece)> {
        let division = self.division.as_ref()?;
        let (size, share) = (self.plan.size, self.plan.share(self.dataset.len()));
        let batch = share.saturating_sub(self.next * size).min(size);
        Some((division, division.pieces(batch).nth(self.taken)?))
    }

    /// Goes on behind what comes next.
    fn pass(&mut self) {
        let last = self.piece().is_none_or(|(_, piece)| piece.last);
        (self.next, self.taken) = if last { (self.next + 1, 0) } else { (self.next, self.taken + 1) };
    }
}

impl<S: Source> Iterator for Batches<S> {
    type Item = BatchOf<S>;

    fn next(&mut self) -> Option<BatchOf<S>> {
        self.next_tensors().map(S::Batch::into_vars)
    }

    /// Passes over batches without making them.
    fn nth(&mut self, n: usize) -> Option<BatchOf<S>> {
        let passed = n.min(self.len());
        match self.division {
            Some(_) => (0..passed).for_each(|_| self.pass()),
            None => self.next = self.next.saturating_add(passed),
        }
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (size, share) = (self.plan.size, self.plan.share(self.dataset.len()));
        let left = share.div_ceil(size).saturating_sub(self.next);
        let left = match &self.division {
            Some(division) if left > 0 => {
                let pieces = |batch| division.pieces(batch).count();
                let last = share - (self.next + left - 1) * size;
                (left - 1) * pieces(size) + pieces(last) - self.taken
            }
            _ => left,
        };
        (left, Some(left))
    }

    /// The number of batches that are left, without making them.
    fn count(self) -> usize {
        self.len()
    }
}

impl<S: Source> ExactSizeIterator for Batches<S> {}
impl<S: Source> std::iter::FusedIterator for Batches<S> {}
