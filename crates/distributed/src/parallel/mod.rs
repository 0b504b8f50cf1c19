//! Ranks that train one model together.

mod error;
mod pending;
mod shards;

pub use error::ParallelError;
pub use shards::BatchShards;

use std::cell::Cell;
use std::rc::Rc;

use wengert_data::Division;
use wengert_nn::Shards;
use wengert_train::{Parallel, PendingSum, Workers, WorkersError};

use crate::agreement;
use crate::communicator::{Communicated, Communicator, CommunicatorError, MAX_TAG, Reduction, Shared};
use crate::tree::{self, TreeSum};

/// Synchronous data-parallel training: every batch is divided among the ranks, and all make the same step with the gradient of the
/// whole. It is what [`Trainer::parallel`](wengert_train::Trainer::parallel) takes; the rest of the program stays as it is.
///
/// There are two ways to divide a batch:
///
/// | | [`DataParallel::new`] | [`DataParallel::deterministic`] |
/// |---|---|---|
/// | shards of a batch | one for each rank | S, a setting of the training |
/// | gradients | one all-reduce of a flat vector | summed as a tree over the shards ([`tree`]) |
/// | the same bits | in a run that is repeated, if the transport promises it | for any number of ranks up to S, alone too |
/// | dropout | for each rank's shard | for each of the S shards |
/// | statistics of a batch | those of each rank's shard, or [of the whole](Self::synchronised_statistics) | those of each of the S shards, or of the whole with S ranks |
///
/// Either way a shard counts by its examples, so that an unequal division of the last batch changes nothing (as a mean of the ranks'
/// means would); running statistics move once a step, to the mean over the shards. All ranks start from the parameters of rank 0, and
/// compare models, settings and data first, and their parameters at every epoch.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_distributed::{DataParallel, threads};
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Adam;
/// use wengert_train::Trainer;
///
/// let train = |ranks: usize| threads::run(ranks, |communicator| {
///     let data = synthetic::digits(200, 0);
///     let mut params: Params = Params::seeded(0);
///     let model = Linear::new(params.root(), 784, 10);
///     Trainer::new(&mut params, Adam::new(3e-3))
///         .parallel(DataParallel::deterministic(communicator, 4)?)
///         .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
///     Ok(params.values().to_vec())
/// });
/// assert_eq!(train(2)?[1], train(1)?[0]);
/// # Ok::<(), wengert_distributed::threads::RankFailed>(())
/// ```
#[derive(Clone)]
pub struct DataParallel {
    communicator: Rc<dyn Communicator>,
    /// The number of shards, if it does not depend on the ranks.
    shards: Option<usize>,
    /// Whether statistics of a batch are those of the whole.
    synchronised: bool,
    /// Whether each rank keeps the optimiser's state of its part of the parameters alone.
    shares_state: bool,
    bucket: Option<usize>,
    /// The number of the next sum that is begun during a sweep.
    sums: Rc<Cell<u64>>,
}

/// The tag of what ranks send to the first for a checkpoint.
const PART: u32 = MAX_TAG - 2;

impl DataParallel {
    /// The fast way: a shard for each rank. Sums are the transport's, which need not have the same bits for other numbers of ranks.
    pub fn new(communicator: Rc<dyn Communicator>) -> Self {
        Self::of(communicator, None)
    }

    /// The way that keeps the bits: `shards` shards to a batch, 8 or 16 say, whoever computes them. Several shards of a rank are
    /// evaluated one after the other, which takes longer than all at once where batches are small.
    ///
    /// # Errors
    /// If there are fewer shards than ranks.
    pub fn deterministic(communicator: Rc<dyn Communicator>, shards: usize) -> Result<Self, ParallelError> {
        if shards < communicator.size() {
            return Err(ParallelError::Shards { shards, ranks: communicator.size() });
        }
        Ok(Self::of(communicator, Some(shards)))
    }

    fn of(communicator: Rc<dyn Communicator>, shards: Option<usize>) -> Self {
        DataParallel {
            communicator,
            shards,
            synchronised: false,
            shares_state: false,
            bucket: None,
            sums: Rc::default(),
        }
    }

    /// Lets the layers see the whole batch and not this rank's shard alone: BatchNorm takes its statistics over all ranks, as
    /// `torch.nn.SyncBatchNorm` does, and so does all that asks for them by
    /// [`Ctx::sum_over_shards`](wengert_nn::Ctx::sum_over_shards). Values, gradients and running statistics are then those of one
    /// program with the whole batch, up to rounding. For each such layer ranks communicate twice in a forward pass and twice in its
    /// derivative. It is a setting of the training and not of the layer, so that a model need not know how it is trained.
    ///
    /// ```
    /// use wengert_data::{Dataset, synthetic};
    /// use wengert_distributed::{DataParallel, threads};
    /// use wengert_nn::{BatchNorm1d, Layer, Linear, Losses, Params};
    /// use wengert_optim::Sgd;
    /// use wengert_train::Trainer;
    ///
    /// let train = |ranks: usize| threads::run(ranks, |communicator| {
    ///     let data = synthetic::digits(60, 0);
    ///     let mut params: Params = Params::seeded(0);
    ///     let (line, norm) = (Linear::new(params.at("line"), 784, 10), BatchNorm1d::new(params.at("norm"), 10));
    ///     Trainer::new(&mut params, Sgd::new(0.1))
    ///         .batch_size(20)
    ///         .parallel(DataParallel::new(communicator).synchronised_statistics()?)
    ///         .fit(&data, 1, |cx, (images, labels)| norm.forward(cx, &line.forward(cx, images)).cross_entropy(labels))?;
    ///     Ok(params.values().to_vec())
    /// });
    /// let (together, alone) = (train(2)?, train(1)?);
    /// assert!(together[1].iter().zip(&alone[0]).all(|(a, b)| (a - b).abs() < 1e-4));
    /// # Ok::<(), wengert_distributed::threads::RankFailed>(())
    /// ```
    ///
    /// # Errors
    /// If a rank has several shards of a batch ([`deterministic`](Self::deterministic) with more of them than ranks): it evaluates them
    /// one after the other, so that none can wait for what another makes of its part.
    #[doc(alias = "SyncBatchNorm")]
    pub fn synchronised_statistics(self) -> Result<Self, ParallelError> {
        let (shards, ranks) = (self.division().shards(), self.communicator.size());
        if shards > ranks {
            return Err(ParallelError::SeveralShards { shards, ranks });
        }
        Ok(DataParallel { synchronised: true, ..self })
    }

    /// Adds gradients up in buckets of so many bytes, the last parameters' first, each as soon as the backward sweep has passed it, so
    /// that ranks communicate while they compute; not so by default. It is of use where ranks are on several machines: over shared
    /// memory the cores that compute do the copying. Over MPI a thread has the sums of the fast way go on. A gradient that is no larger than a bucket is added up
    /// behind the sweep, as all are with `None`, and those of [shared state](DataParallel::shared_state).
    ///
    /// In the deterministic way the bits are the same with buckets of any size and without. In the fast way the order in which the
    /// transport adds may depend on the size.
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_distributed::{DataParallel, threads};
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::Adam;
    /// use wengert_train::Trainer;
    ///
    /// let train = |bytes: Option<usize>| threads::run(2, |communicator| {
    ///     let data = synthetic::digits(100, 0);
    ///     let mut params: Params = Params::seeded(0);
    ///     let model = Linear::new(params.root(), 784, 10);
    ///     Trainer::new(&mut params, Adam::new(3e-3))
    ///         .parallel(DataParallel::deterministic(communicator, 4)?.buckets(bytes))
    ///         .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
    ///     Ok(params.values().to_vec())
    /// });
    /// assert_eq!(train(Some(4096))?, train(None)?);
    /// # Ok::<(), wengert_distributed::threads::RankFailed>(())
    /// ```
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn buckets(mut self, bytes: Option<usize>) -> Self {
        assert!(bytes != Some(0), "buckets: a bucket must have at least 1 byte, not 0");
        self.bucket = bytes;
        self
    }

    /// Shares the optimiser's state out among the ranks (ZeRO, stage 1): each keeps it for its [part](wengert_optim::first::Share) of the parameters alone,
    /// gets that part of the gradient's sum, steps it, and the parts are gathered. So of R ranks each has one R-th of Adam's two
    /// vectors, say, and one step sends as many bytes as before. The bits are those of the state that is not shared out; a checkpoint
    /// has all of it, so that another number of ranks can go on from it, or a program without. As all ranks have a part of what is
    /// saved, a run that ends by an error or a panic writes no checkpoint then.
    ///
    /// It takes optimisers whose rule is [elementwise](wengert_optim::first::is_elementwise), also in [groups](wengert_optim::Groups),
    /// with schedules, weight decay, averages, and clipping by value and by the global norm; others (LAMB, Muon, Shampoo …) and
    /// `clip_units` are refused by name.
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_distributed::{DataParallel, threads};
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::AdamW;
    /// use wengert_train::Trainer;
    ///
    /// let train = |ranks: usize, shared: bool| threads::run(ranks, |communicator| {
    ///     let data = synthetic::digits(100, 0);
    ///     let mut params: Params = Params::seeded(0);
    ///     let model = Linear::new(params.root(), 784, 30);
    ///     let workers = DataParallel::deterministic(communicator, 4)?;
    ///     Trainer::new(&mut params, AdamW::new(3e-3))
    ///         .clip_norm(1.0)
    ///         .parallel(if shared { workers.shared_state() } else { workers })
    ///         .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
    ///     Ok(params.values().to_vec())
    /// });
    /// assert_eq!(train(2, true)?[1], train(1, false)?[0]);
    /// # Ok::<(), wengert_distributed::threads::RankFailed>(())
    /// ```
    #[doc(alias = "zero")]
    #[doc(alias = "ZeroRedundancyOptimizer")]
    pub fn shared_state(mut self) -> Self {
        self.shares_state = true;
        self
    }

    /// How the ranks talk.
    pub fn communicator(&self) -> &Rc<dyn Communicator> {
        &self.communicator
    }
}

impl Workers for DataParallel {
    fn rank(&self) -> usize {
        self.communicator.rank()
    }

    fn workers(&self) -> usize {
        self.communicator.size()
    }

    fn division(&self) -> Division {
        let (rank, size) = (self.communicator.rank(), self.communicator.size());
        match self.shards {
            Some(shards) => Division::new(shards, tree::owned(shards, rank, size)),
            None => Division::new(size, rank..rank + 1),
        }
    }

    fn exchange(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, WorkersError> {
        Ok(agreement::messages(&*self.communicator, mine)?)
    }

    fn message_of_first(&self, message: Vec<u8>) -> Result<Vec<u8>, WorkersError> {
        Ok(agreement::message_of_first(&*self.communicator, message)?)
    }

    fn messages_to_first(&self, mine: Vec<u8>) -> Result<Vec<Vec<u8>>, WorkersError> {
        if self.communicator.rank() > 0 {
            self.communicator.send(0, PART, &mine)?;
            return Ok(Vec::new());
        }
        let of = |rank| Ok(self.communicator.receive(Some(rank), Some(PART))?.bytes);
        std::iter::once(Ok(mine)).chain((1..self.communicator.size()).map(of)).collect()
    }

    fn shares_state(&self) -> bool {
        self.shares_state
    }

    fn bucket(&self) -> Option<usize> {
        self.bucket.filter(|_| self.communicator.size() > 1)
    }
}

impl<T: Shared> Parallel<T> for DataParallel {
    fn sum(&self, shards: Vec<Vec<T>>) -> Result<Vec<T>, WorkersError> {
        Ok(sum_over(&*self.communicator, self.shards, shards)?)
    }

    fn start_sum(&self, mut shards: Vec<Vec<T>>) -> Result<Box<dyn PendingSum<T>>, WorkersError> {
        let number = self.sums.replace(self.sums.get() + 1);
        Ok(match self.shards {
            Some(count) => Box::new(TreeSum::start(self.communicator.clone(), count, shards, number)?),
            None => {
                let own = T::values(shards.pop().unwrap_or_default());
                Box::new(pending::Reduced(self.communicator.start_all_reduce(own, Reduction::Sum)?))
            }
        })
    }

    fn sum_segments(&self, mut shards: Vec<Vec<T>>, lengths: &[usize]) -> Result<Vec<T>, WorkersError> {
        let communicator = &*self.communicator;
        let Some(count) = self.shards else {
            let mut sum = shards.pop().unwrap_or_default();
            communicator.reduce_scatter(T::buffer(&mut sum), lengths, Reduction::Sum)?;
            return Ok(sum);
        };
        let mut shards = shards.into_iter();
        let own = tree::reduce_scatter(communicator, count, lengths, |_| {
            Ok::<_, CommunicatorError>(shards.next().unwrap_or_default())
        })?;
        let mut sum = vec![T::default(); lengths.iter().sum()];
        let place = tree::behind_each_other(lengths).swap_remove(communicator.rank());
        sum[place].copy_from_slice(&own);
        Ok(sum)
    }

    fn gather(&self, values: &mut [T], lengths: &[usize]) -> Result<(), WorkersError> {
        Ok(self.communicator.all_gather(T::buffer(values), lengths)?)
    }

    fn numbers_of_first(&self, values: &mut [T]) -> Result<(), WorkersError> {
        Ok(self.communicator.broadcast(T::buffer(values), 0)?)
    }

    fn shards(&self, share: f64) -> Option<Rc<dyn Shards<T>>> {
        let shards = || BatchShards::known(self.communicator.clone(), self.shards, share);
        self.synchronised.then(|| Rc::new(shards()) as _)
    }
}

/// The sum over all shards, of which this rank has its own in their order: as a tree if there are so many whatever the number of ranks,
/// or as the transport adds.
pub(crate) fn sum_over<T: Shared>(
    communicator: &dyn Communicator,
    fixed: Option<usize>,
    mut own: Vec<Vec<T>>,
) -> Communicated<Vec<T>> {
    match fixed {
        Some(shards) => {
            let length = own.first().map_or(0, Vec::len);
            let mut own = own.into_iter();
            tree::all_reduce(communicator, shards, length, |_| Ok(own.next().unwrap_or_default()))
        }
        None => {
            let mut sum = own.pop().unwrap_or_default();
            communicator.all_reduce(T::buffer(&mut sum), Reduction::Sum)?;
            Ok(sum)
        }
    }
}

impl std::fmt::Debug for DataParallel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataParallel")
            .field("transport", &self.communicator.transport())
            .field("ranks", &self.communicator.size())
            .field("shards", &self.shards)
            .field("synchronised", &self.synchronised)
            .field("shares_state", &self.shares_state)
            .field("bucket", &self.bucket)
            .finish()
    }
}
