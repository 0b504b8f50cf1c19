//! Ranks that train by themselves and meet now and then: local steps with averages between them, elastic averaging, gossip.
//!
//! Each is told of every step by `after_step`, whatever made the step: an optimiser, [`train_step`], the training loop.
//! A rank alone keeps its bits, but for the outer optimiser of [`LocalSgd`], which is a part of the method with one rank too.
//!
//! One rank's NaN or infinity would be everybody's after a meeting. So ranks that meet with parameters that are not finite are refused
//! by [`NonFinite`](crate::CommunicatorError::NonFinite), before anything is averaged.
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

use crate::communicator::{Buffer, Communicated, Communicator, CommunicatorError, Reduction, Shared};

/// That a model has as many parameters as the one that a training began with.
#[track_caller]
fn check_model<T: Shared>(operation: &str, params: &Params<T>, began_with: usize) {
    let len = params.len();
    assert!(len == began_with, "{operation}: {len} parameters, but the training began with {began_with}");
}

/// Whether parameters have left the finite numbers since they were `before`. What was infinite then, as frozen ones may be, may stay.
fn strayed<T: Shared>(values: &[T], before: &[T]) -> bool {
    values.iter().zip(before).any(|(value, before)| !value.is_finite() && value != before)
}

/// What ranks that meet tell each other first: whether all have finished; an error, on all alike, if the parameters of one have strayed.
/// `values` are those and what they were before.
fn told<T: Shared>(
    communicator: &dyn Communicator,
    operation: &'static str,
    (values, before): (&[T], &[T]),
    finished: bool,
) -> Communicated<bool> {
    if communicator.size() == 1 {
        return Ok(finished);
    }
    let astray = if strayed(values, before) { communicator.rank() as u64 } else { u64::MAX };
    let mut told = [u64::from(finished), astray];
    communicator.all_reduce(Buffer::U64(&mut told), Reduction::Min)?;
    match told {
        [finished, u64::MAX] => Ok(finished == 1),
        [_, rank] => Err(CommunicatorError::NonFinite { operation, rank: rank as usize }),
    }
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
    communicator.all_reduce(Buffer::U64(&mut counts), Reduction::Max)?;
    set_flat_buffers(params, &buffers, &counts);
    Ok(())
}
