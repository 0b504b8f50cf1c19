//! Batches that a thread prepares.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use wengert_tensor::parallel::with_threads;

use super::{Batches, Position};
use crate::dataset::BatchOf;
use crate::source::{IntoVars, Source};

/// A pass whose batches a thread prepares: made by [`Batches::prefetch`].
///
/// ```
/// use wengert_data::Prefetched;
/// let data = wengert_data::synthetic::digits(100, 0);
/// let mut batches: Prefetched<_> = data.batches(40).prefetch(1);
/// batches.next();
/// // Where training is, however far the thread has come.
/// assert_eq!(batches.position().batch, 1);
/// ```
#[derive(Debug)]
pub struct Prefetched<S: Source> {
    /// Where the one who asks is; it makes no batch.
    pass: Batches<S>,
    /// Until the pass has ended.
    running: Option<Running<S::Batch>>,
}

#[derive(Debug)]
struct Running<B> {
    batches: Receiver<B>,
    thread: JoinHandle<()>,
}

impl<S: Source> Prefetched<S> {
    #[track_caller]
    pub(super) fn new(pass: Batches<S>, depth: usize) -> Self
    where
        S: Send + Sync + 'static,
        S::Batch: Send + 'static,
    {
        assert!(depth > 0, "prefetch: there must be room for at least 1 batch");
        let (sender, batches) = sync_channel(depth);
        let preparing = pass.clone();
        match Builder::new().name("prefetch".into()).spawn(move || prepare(preparing, sender)) {
            Ok(thread) => Prefetched { pass, running: Some(Running { batches, thread }) },
            Err(error) => panic!("prefetch: no thread can be started: {error}"),
        }
    }

    /// Where the pass is: before the batch that comes next, whatever has been prepared.
    pub fn position(&self) -> Position {
        self.pass.position()
    }
}

/// Sends batches until there is none, or nobody who takes it.
fn prepare<S>(mut pass: Batches<S>, sender: SyncSender<S::Batch>)
where
    S: Source + Send + Sync,
    S::Batch: Send,
{
    // The others of the pool are for those who compute with the batches.
    with_threads(1, || {
        while let Some(batch) = pass.next_tensors() {
            if sender.send(batch).is_err() {
                break;
            }
        }
    });
}

impl<S: Source> Iterator for Prefetched<S> {
    type Item = BatchOf<S>;

    fn next(&mut self) -> Option<BatchOf<S>> {
        if let Ok(batch) = self.running.as_ref()?.batches.recv() {
            self.pass.pass();
            return Some(batch.into_vars());
        }
        // The thread has ended: with the pass, or by a panic.
        let ended = self.running.take()?.thread.join();
        ended.map_or_else(|panic| resume_unwind(panic), |()| None)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.pass.size_hint()
    }
}

impl<S: Source> ExactSizeIterator for Prefetched<S> {}
impl<S: Source> std::iter::FusedIterator for Prefetched<S> {}

impl<S: Source> Drop for Prefetched<S> {
    fn drop(&mut self) {
        if let Some(Running { batches, thread }) = self.running.take() {
            // Sending fails from here on, which ends the thread. A panic on the way there concerns nobody any more.
            drop(batches);
            drop(thread.join());
        }
    }
}
