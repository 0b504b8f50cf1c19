//! Ranks that train by themselves and meet now and then: local steps with averages between them, elastic averaging, gossip.
//!
//! Each is told of every step by `after_step`, whatever made the step: an optimiser, [`train_step`], the training loop.
//! A rank alone keeps its bits, but for the outer optimiser of [`LocalSgd`], which is a part of the method with one rank too.
//!
//! [`train_step`]: https://docs.rs/wengert-train

mod buffers;
mod elastic;
mod gossip;
mod sgd;
mod turns;

pub use elastic::ElasticAveraging;
pub use gossip::Gossip;
pub use sgd::LocalSgd;

pub(crate) use buffers::{flat_buffers, set_flat_buffers};

use wengert_nn::Params;

use crate::communicator::{Communicated, Communicator, Reduction, Shared};

/// That a model has as many parameters as the one that a training began with.
#[track_caller]
fn check_model<T: Shared>(operation: &str, params: &Params<T>, began_with: usize) {
    let len = params.len();
    assert!(len == began_with, "{operation}: {len} parameters, but the training began with {began_with}");
}

/// Puts the mean of the ranks' vectors in all of them. A rank alone keeps its own.
///
/// ```
/// use wengert_distributed::{local, threads};
/// let means = threads::run(3, |ranks| {
///     let mut x = [ranks.rank() as f64, 6.0];
///     local::average(&*ranks, &mut x)?;
///     Ok(x)
/// })?;
/// assert_eq!(means, [[1.0, 6.0]; 3]);
/// # Ok::<(), threads::RankFailed>(())
/// ```
///
/// # Errors
/// If the communication fails.
pub fn average<T: Shared>(communicator: &dyn Communicator, values: &mut [T]) -> Communicated {
    let ranks = communicator.size();
    if ranks == 1 {
        return Ok(());
    }
    communicator.all_reduce(T::buffer(values), Reduction::Sum)?;
    let ranks = T::from_usize(ranks);
    values.iter_mut().for_each(|value| *value /= ranks);
    Ok(())
}

/// The same with the running statistics of a model. Counts become the largest.
///
/// ```
/// use wengert_distributed::{local, threads};
/// use wengert_nn::{BatchNorm1d, Params};
/// use wengert_tape::Var;
/// let means = threads::run(2, |ranks| {
///     let mut params: Params<f64> = Params::seeded(0);
///     let norm = BatchNorm1d::new(params.at("norm"), 1);
///     let x = Var::from([[0.0], [10.0 * ranks.rank() as f64]]);
///     let (_, grads) = params.value_and_grad(|cx| wengert_nn::Layer::forward(&norm, cx, &x).square().sum()).unwrap();
///     params.update_buffers(&grads);
///     local::average_buffers(&*ranks, &mut params)?;
///     Ok(params.buffers()[0].1.to_vec())
/// })?;
/// // A tenth of 0 and of 5.
/// assert_eq!(means, [[0.25], [0.25]]);
/// # Ok::<(), threads::RankFailed>(())
/// ```
///
/// # Errors
/// If the communication fails.
pub fn average_buffers<T: Shared>(communicator: &dyn Communicator, params: &mut Params<T>) -> Communicated {
    if communicator.size() == 1 || (params.buffers().is_empty() && params.counts().is_empty()) {
        return Ok(());
    }
    let (mut buffers, mut counts) = flat_buffers(params);
    average(communicator, &mut buffers)?;
    communicator.all_reduce(crate::communicator::Buffer::U64(&mut counts), Reduction::Max)?;
    set_flat_buffers(params, &buffers, &counts);
    Ok(())
}
