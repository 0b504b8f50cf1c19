//! What forward passes on the shards of a batch know of each other.

use std::rc::Rc;

use wengert_nn::Shards;

use super::sum_over;
use crate::communicator::{Buffer, Communicated, Communicator, Reduction, Shared};

/// The shards of a batch of which each rank has one: what [`Ctx::set_shards`](wengert_nn::Ctx::set_shards) takes, so that BatchNorm
/// and all else that is computed of a batch as a whole sees all of it. [`DataParallel::synchronised_statistics`](super::DataParallel::synchronised_statistics) sets it in the steps of
/// a training loop; here it is set by hand, for a [`ShardedObjective`](crate::ShardedObjective) or a loss of one's own.
///
/// ```
/// use std::rc::Rc;
/// use wengert_distributed::{BatchShards, threads};
/// use wengert_nn::{BatchNorm1d, Ctx, Layer, Linear, Losses, Params};
/// use wengert_tape::Var;
///
/// let gradient = |ranks: usize| threads::run(ranks, |communicator| {
///     let mut params: Params<f64> = Params::seeded(0);
///     let (line, norm) = (Linear::new(params.at("line"), 1, 2), BatchNorm1d::new(params.at("norm"), 2));
///     // Every other number on each of two ranks.
///     let own = (0..8).skip(communicator.rank()).step_by(communicator.size());
///     let x: Vec<f64> = own.map(|i| f64::from(i * i)).collect();
///     let x = Var::constant(wengert_tensor::Tensor::vector(&x).reshape([x.len(), 1]));
///     let shards = Rc::new(BatchShards::new(communicator, x.len())?);
///     let (_, grads) = params.value_and_grad(|cx: &Ctx<f64>| {
///         cx.set_shards(shards.clone());
///         norm.forward(cx, &line.forward(cx, &x)).exp().mean()
///     })?;
///     // The mean over the ranks: of all examples.
///     Ok(params.infer(|cx| {
///         cx.set_shards(shards.clone());
///         cx.mean_over_shards(&Var::constant(wengert_tensor::Tensor::vector(&grads))).value().to_vec()
///     }))
/// });
/// let (together, alone) = (gradient(2)?, gradient(1)?);
/// assert!(together.iter().all(|found| found.iter().zip(&alone[0]).all(|(a, b)| (a - b).abs() < 1e-12)));
/// # Ok::<(), threads::RankFailed>(())
/// ```
#[derive(Clone)]
pub struct BatchShards {
    communicator: Rc<dyn Communicator>,
    /// Their number, if sums are trees over them.
    fixed: Option<usize>,
    share: f64,
}

impl BatchShards {
    /// Those of a batch of which this rank has so many examples; called by all ranks. Sums are [trees](crate::tree) over the ranks.
    ///
    /// # Errors
    /// If another rank is gone.
    pub fn new(communicator: Rc<dyn Communicator>, examples: usize) -> Communicated<Self> {
        let mut all = [examples as u64];
        communicator.all_reduce(Buffer::U64(&mut all), Reduction::Sum)?;
        let share = if all[0] == 0 { 0.0 } else { examples as f64 / all[0] as f64 };
        Ok(Self::known(communicator.clone(), Some(communicator.size()), share))
    }

    pub(super) fn known(communicator: Rc<dyn Communicator>, fixed: Option<usize>, share: f64) -> Self {
        BatchShards { communicator, fixed, share }
    }
}

impl<T: Shared> Shards<T> for BatchShards {
    fn share(&self) -> f64 {
        self.share
    }

    fn sum(&self, values: &mut [T]) {
        match sum_over(&*self.communicator, self.fixed, vec![values.to_vec()]) {
            Ok(sum) => values.copy_from_slice(&sum),
            // A forward pass cannot return it.
            Err(error) => panic!("sum over the shards of a batch: {error}"),
        }
    }
}

impl std::fmt::Debug for BatchShards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchShards")
            .field("ranks", &self.communicator.size())
            .field("share", &self.share)
            .finish()
    }
}
