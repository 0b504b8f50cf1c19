//! A collective: every rank posts its numbers, and takes those of all when all have come.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::communicator::{Buffer, Communicated, CommunicatorError, Reduction, Values};

/// What a rank called, in which all must agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) reduction: Option<Reduction>,
    pub(super) root: Option<usize>,
    kind: &'static str,
    length: usize,
    /// A number that other lengths of segments hardly have.
    segments: u64,
}

impl Call {
    pub(super) fn new(operation: &'static str, kind: &'static str, length: usize) -> Self {
        Self { operation, reduction: None, root: None, kind, length, segments: 0 }
    }

    pub(super) fn on(operation: &'static str, buffer: &Buffer<'_>) -> Self {
        Self::new(operation, buffer.kind(), buffer.len())
    }

    pub(super) fn reducing(self, reduction: Reduction) -> Self {
        Self { reduction: Some(reduction), ..self }
    }

    pub(super) fn segmented(self, lengths: &[usize]) -> Self {
        let mut hasher = DefaultHasher::new();
        lengths.hash(&mut hasher);
        Self { segments: hasher.finish(), ..self }
    }

    pub(super) fn from(self, root: usize) -> Self {
        Self { root: Some(root), ..self }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if let Some(reduction) = self.reduction {
            write!(f, " ({reduction:?})")?;
        }
        if let Some(root) = self.root {
            write!(f, " from rank {root}")?;
        }
        write!(f, " of {} {}", self.length, self.kind)
    }
}

/// A collective under way.
pub(super) struct Round {
    call: Call,
    posted: Vec<Option<Arc<Values>>>,
    /// How the calls differ, if they do.
    mismatch: Option<String>,
    taken: usize,
}

impl Round {
    /// The collective that a rank is the first to call.
    pub(super) fn new(call: Call, size: usize) -> Self {
        Self { call, posted: vec![None; size], mismatch: None, taken: 0 }
    }

    /// Notes a rank's call with its numbers.
    pub(super) fn post(&mut self, rank: usize, call: Call, values: Values) {
        if call != self.call && self.mismatch.is_none() {
            let other = self.posted.iter().position(Option::is_some).unwrap_or(rank);
            let segments = if call.segments == self.call.segments { "" } else { " in other segments" };
            self.mismatch = Some(format!("rank {other} called {}, rank {rank} {call}{segments}", self.call));
        }
        self.posted[rank] = Some(Arc::new(values));
    }

    /// The ranks that have not come.
    pub(super) fn absent(&self) -> impl Iterator<Item = usize> {
        self.posted.iter().enumerate().filter(|(_, values)| values.is_none()).map(|(rank, _)| rank)
    }

    /// What all posted, when all have come.
    pub(super) fn take(&mut self) -> Option<Communicated<Vec<Arc<Values>>>> {
        let posted = self.posted.iter().cloned().collect::<Option<Vec<_>>>()?;
        self.leave();
        Some(match &self.mismatch {
            None => Ok(posted),
            Some(reason) => {
                Err(CommunicatorError::Mismatch { operation: self.call.operation, reason: reason.clone() })
            }
        })
    }

    /// Notes that a rank has what it wants.
    pub(super) fn leave(&mut self) {
        self.taken += 1;
    }

    /// Whether nobody will ask for it any more.
    pub(super) fn is_over(&self) -> bool {
        self.taken == self.posted.len()
    }
}
