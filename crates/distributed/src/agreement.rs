//! Whether ranks run the same program.

use std::hash::{DefaultHasher, Hash, Hasher};

use wengert_data::{Dataset, Division, Source};
use wengert_nn::Params;
use wengert_state::State;
use wengert_tensor::Float;
use wengert_train::{TrainError, Workers, WorkersError, expect_alike, model_facts, shown_fingerprint};

use crate::communicator::{Buffer, Communicated, Communicator, CommunicatorError};
use crate::tree::behind_each_other;

/// Lets the ranks compare facts, which are names and values: settings, shapes; and the version of this library. Called by all. What is trained by
/// [`DataParallel`](crate::DataParallel), a [`ParameterServer`](crate::server::ParameterServer) or the methods of [`local`](crate::local)
/// is compared already; this is for loops of one's own, and [`agree_on_data`] for what the last two are not shown.
///
/// ```
/// use wengert_distributed::{agree, threads};
/// let failed = threads::run(3, |ranks| {
///     let temperature = if ranks.rank() == 2 { 0.5 } else { 1.0 };
///     agree(&*ranks, "distillation", &[("temperature", temperature.to_string())])?;
///     Ok(())
/// });
/// let message = failed.unwrap_err().message;
/// assert!(message.starts_with("distillation: rank 2 differs from rank 0 in temperature: 0.5, not 1; all ranks need the same"));
/// ```
///
/// # Errors
/// [`CommunicatorError::Mismatch`], on all ranks alike, with the first rank and the first fact of it that differs from rank 0's; or if
/// a rank is gone.
pub fn agree(
    communicator: &dyn Communicator,
    operation: &'static str,
    facts: &[(&str, String)],
) -> Communicated {
    if communicator.size() == 1 {
        return Ok(());
    }
    let version = [("version of the library", env!("CARGO_PKG_VERSION").to_owned())];
    let facts: Vec<(String, String)> =
        version.iter().chain(facts).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let reason = match expect_alike(&Meeting(communicator), &facts) {
        Ok(()) => return Ok(()),
        Err(TrainError::Unlike { what, first, other, rank }) => {
            format!(
                "rank {rank} differs from rank 0 in {what}: {other}, not {first}; all ranks need the same program, settings and data"
            )
        }
        Err(TrainError::Workers(error)) => match error.downcast::<CommunicatorError>() {
            Ok(error) => return Err(*error),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    Err(CommunicatorError::Mismatch { operation, reason })
}

/// Lets the ranks find out whether they have the same data, by the number of examples and their
/// [fingerprint](Dataset::fingerprint). Called by all, before they train on their shares of it. A
/// [`Trainer`](wengert_train::Trainer) compares what it is given already; a
/// [`ParameterServer`](crate::server::ParameterServer), the methods of [`local`](crate::local), a
/// [`ShardedObjective`](crate::ShardedObjective) and [`ShardedResiduals`](crate::ShardedResiduals) are not shown the data, and a program
/// with one of them calls this. `name` is that of the data in the error.
///
/// A rank that reads a part alone has nothing to compare. Data whose [source](Source::fingerprint) has no fingerprint are compared by
/// their number.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_distributed::{agree_on_data, threads};
/// let failed = threads::run(2, |ranks| {
///     let data = synthetic::digits(100 + 20 * ranks.rank(), 0);
///     agree_on_data(&*ranks, "digits", &data)?;
///     Ok(())
/// });
/// let message = failed.unwrap_err().message;
/// assert!(message.starts_with("digits: rank 1 differs from rank 0 in number of examples: 120, not 100; all ranks need"));
/// ```
///
/// # Errors
/// [`CommunicatorError::Mismatch`], on all ranks alike, with the first rank whose data differ from rank 0's; or if a rank is gone.
pub fn agree_on_data<S: Source>(
    communicator: &dyn Communicator,
    name: &'static str,
    data: &Dataset<S>,
) -> Communicated {
    if communicator.size() == 1 {
        return Ok(());
    }
    let facts = [
        ("number of examples", data.len().to_string()),
        ("contents of the data", shown_fingerprint(data.fingerprint())),
    ];
    agree(communicator, name, &facts)
}

/// Lets the ranks compare facts, and behind them what their models have: over MPI numbers of other lengths would be waited for in vain.
pub(crate) fn agree_on_model<T: Float>(
    communicator: &dyn Communicator,
    operation: &'static str,
    facts: &[(&str, String)],
    params: &Params<T>,
) -> Communicated {
    let model = model_facts(params);
    let model = model.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let facts: Vec<(&str, String)> = facts.iter().cloned().chain(model).collect();
    agree(communicator, operation, &facts)
}

/// A state, settings say, as a fact.
pub(crate) fn text(state: Option<&State>) -> String {
    state.map_or_else(|| "none".to_owned(), |state| serde_json::to_string(state).expect("it is text"))
}

/// Numbers as a fact: two that differ are hardly said to be the same.
pub(crate) fn fingerprint<T: Float>(values: &[T]) -> String {
    shown_fingerprint(Some(wengert_train::fingerprint(0, values)))
}

/// The same of a state, which may be large.
pub(crate) fn fingerprint_of(state: Option<&State>) -> String {
    let mut hasher = DefaultHasher::new();
    text(state).hash(&mut hasher);
    shown_fingerprint(Some(hasher.finish()))
}

/// Ranks as those who compare what they have.
struct Meeting<'a>(&'a dyn Communicator);

impl Workers for Meeting<'_> {
    fn rank(&self) -> usize {
        self.0.rank()
    }

    fn workers(&self) -> usize {
        self.0.size()
    }

    fn division(&self) -> Division {
        Division::among(self.0.size(), self.0.rank(), self.0.size())
    }

    fn exchange(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, WorkersError> {
        Ok(messages(self.0, mine)?)
    }

    fn message_of_first(&self, message: Vec<u8>) -> Result<Vec<u8>, WorkersError> {
        Ok(message_of_first(self.0, message)?)
    }
}

/// The messages of all ranks, in their order.
pub(crate) fn messages(communicator: &dyn Communicator, mine: &[u8]) -> Communicated<Vec<Vec<u8>>> {
    let (rank, size) = (communicator.rank(), communicator.size());
    let mut said = vec![0u64; size];
    said[rank] = mine.len() as u64;
    communicator.all_gather(Buffer::U64(&mut said), &vec![1; size])?;
    let lengths = said.iter().map(|&length| usize::try_from(length).ok()).collect::<Option<Vec<_>>>();
    let total = lengths.iter().flatten().try_fold(0usize, |sum, &length| sum.checked_add(length));
    let (Some(lengths), Some(total)) = (lengths, total) else { return Err(no_room(&said)) };
    let mut all = room(total).ok_or_else(|| no_room(&said))?;
    let places = behind_each_other(&lengths);
    all[places[rank].clone()].copy_from_slice(mine);
    communicator.all_gather(Buffer::U8(&mut all), &lengths)?;
    Ok(places.into_iter().map(|place| all[place].to_vec()).collect())
}

/// The message of rank 0; what the others bring is not read.
pub(crate) fn message_of_first(
    communicator: &dyn Communicator,
    mut message: Vec<u8>,
) -> Communicated<Vec<u8>> {
    let mut length = [message.len() as u64];
    communicator.broadcast(Buffer::U64(&mut length), 0)?;
    if communicator.rank() > 0 {
        message = usize::try_from(length[0]).ok().and_then(room).ok_or_else(|| no_room(&length))?;
    }
    communicator.broadcast(Buffer::U8(&mut message), 0)?;
    Ok(message)
}

/// Zeros, if there is memory for so many.
fn room(length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).ok()?;
    bytes.resize(length, 0);
    Some(bytes)
}

/// Lengths that no rank has meant: ranks that are not in the same place of the same program say such, over MPI.
fn no_room(lengths: &[u64]) -> CommunicatorError {
    let reason =
        format!("there is no memory for messages of {lengths:?} bytes: do all ranks run the same program?");
    CommunicatorError::Mismatch { operation: "messages of all ranks", reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads;

    /// A rank that says something else in the place of a length.
    fn saying(length: u64) -> Vec<Communicated<()>> {
        threads::run(2, |ranks| {
            if ranks.rank() == 0 {
                return Ok(messages(&*ranks, b"here").map(drop));
            }
            let mut said = [0, length];
            Ok(ranks.all_gather(Buffer::U64(&mut said), &[1, 1]))
        })
        .unwrap()
    }

    #[test]
    fn lengths_that_no_message_has_are_errors() {
        for length in [u64::MAX, u64::MAX - 3, 1 << 62, i64::MAX as u64] {
            let found = saying(length);
            let Err(CommunicatorError::Mismatch { reason, .. }) = &found[0] else { panic!("{found:?}") };
            assert!(reason.contains(&format!("[4, {length}]")), "{reason}");
        }
        let first = threads::run(2, |ranks| {
            if ranks.rank() == 1 {
                return Ok(message_of_first(&*ranks, Vec::new()).map(drop));
            }
            Ok(ranks.broadcast(Buffer::U64(&mut [1 << 60]), 0))
        });
        assert!(matches!(first.unwrap()[1], Err(CommunicatorError::Mismatch { .. })));
    }
}
