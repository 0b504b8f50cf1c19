//! Sums that go on during the backward sweep.

use wengert_train::{PendingSum, WorkersError};

use crate::communicator::{CommunicatorError, Pending, Shared};
use crate::tree::TreeSum;

/// A sum as the transport makes it.
pub(super) struct Reduced(pub(super) Box<dyn Pending>);

impl<T: Shared> PendingSum<T> for Reduced {
    fn progress(&mut self) -> Result<bool, WorkersError> {
        Ok(self.0.progress()?)
    }

    fn finish(self: Box<Self>) -> Result<Vec<T>, WorkersError> {
        let mismatch = || {
            let reason = "numbers of another type".to_owned();
            CommunicatorError::Mismatch { operation: "start_all_reduce", reason }
        };
        Ok(T::from_values(self.0.finish()?).ok_or_else(mismatch)?)
    }
}

impl<T: Shared> PendingSum<T> for TreeSum<T> {
    fn progress(&mut self) -> Result<bool, WorkersError> {
        Ok(TreeSum::progress(self)?)
    }

    fn finish(self: Box<Self>) -> Result<Vec<T>, WorkersError> {
        Ok(TreeSum::finish(*self)?)
    }
}
