//! The parameters of which each worker keeps the optimiser's state.

use std::rc::Rc;

use wengert_optim::first::Share;
use wengert_optim::global_norm;
use wengert_state::{State, StateError, Values};
use wengert_tensor::Float;

use crate::error::TrainError;
use crate::parallel::Parallel;

/// A flat vector of parameters that is shared out among workers.
pub(crate) struct Shares<T: Float> {
    group: Rc<dyn Parallel<T>>,
    own: Share,
    lengths: Vec<usize>,
}

impl<T: Float> Shares<T> {
    pub(crate) fn new(group: &Rc<dyn Parallel<T>>, len: usize) -> Self {
        let workers = group.workers();
        let of = |worker: usize| Share::of(len, worker, workers);
        let lengths = (0..workers).map(|worker| of(worker).range().len()).collect();
        Shares { group: Rc::clone(group), own: of(group.rank()), lengths }
    }

    /// What this worker has.
    pub(crate) fn own(&self) -> &Share {
        &self.own
    }

    /// The lengths of all workers' parts, in their order.
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The norm of the gradient of which each worker has its part. It is gathered where its squares do not tell.
    pub(crate) fn norm(&self, gradient: &mut [T]) -> Result<f64, TrainError> {
        let mine: Vec<u8> = self.own.square_sums(gradient).iter().flat_map(|sum| sum.to_le_bytes()).collect();
        let all = self.group.exchange(&mine).map_err(TrainError::Workers)?;
        let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let sums: Vec<f64> = all.iter().flat_map(|part| part.chunks_exact(8)).map(number).collect();
        match Share::norm(&sums) {
            Some(norm) => Ok(norm),
            None => {
                self.complete(gradient)?;
                Ok(global_norm(gradient))
            }
        }
    }

    /// Gives all workers all parts.
    pub(crate) fn complete(&self, values: &mut [T]) -> Result<(), TrainError> {
        self.group.gather(values, &self.lengths).map_err(TrainError::Workers)
    }
}

/// The state of an optimiser whose parameters were shared out, of the states of the parts in their order: its vectors are put one behind
/// the other, and what is no vector is the same in all.
pub(crate) fn joined(parts: Vec<State>) -> Result<State, StateError> {
    let mut parts = parts.into_iter();
    let mut whole =
        parts.next().ok_or_else(|| StateError::Missing { kind: "workers".into(), name: "state".into() })?;
    for part in parts {
        append(&mut whole, part)?;
    }
    Ok(whole)
}

fn append(whole: &mut State, mut part: State) -> Result<(), StateError> {
    let missing =
        |kind: &str, name: &str| StateError::Missing { kind: kind.to_owned(), name: name.to_owned() };
    for (name, values) in &mut whole.vectors {
        match (values, part.vectors.remove(name)) {
            (Values::F32(values), Some(Values::F32(more))) => values.extend(more),
            (Values::F64(values), Some(Values::F64(more))) => values.extend(more),
            _ => return Err(missing(&whole.kind, name)),
        }
    }
    for (name, child) in &mut whole.children {
        append(child, part.children.remove(name).ok_or_else(|| missing(&whole.kind, name))?)?;
    }
    Ok(())
}
