//! Workers that push and never ask: what is on its way to a server stays bounded.

use std::rc::Rc;
use std::sync::atomic::{AtomicI64, Ordering};

use wengert_distributed::server::{Consistency, ParameterServer, ServerError, ServerSettings};
use wengert_distributed::{
    Buffer, Communicated, Communicator, Failure, Message, Pending, Reduction, Values, threads,
};
use wengert_optim::Sgd;

/// A rank whose messages are counted, sent less received.
struct Counted<'a> {
    inner: Rc<dyn Communicator>,
    waiting: &'a AtomicI64,
    most: &'a AtomicI64,
}

impl Counted<'_> {
    fn received<R>(&self, received: R) -> R {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        received
    }
}

impl Communicator for Counted<'_> {
    fn rank(&self) -> usize {
        self.inner.rank()
    }
    fn size(&self) -> usize {
        self.inner.size()
    }
    fn transport(&self) -> &'static str {
        self.inner.transport()
    }
    fn barrier(&self) -> Communicated {
        self.inner.barrier()
    }
    fn broadcast(&self, buffer: Buffer<'_>, root: usize) -> Communicated {
        self.inner.broadcast(buffer, root)
    }
    fn all_reduce(&self, buffer: Buffer<'_>, reduction: Reduction) -> Communicated {
        self.inner.all_reduce(buffer, reduction)
    }
    fn start_all_reduce(&self, values: Values, reduction: Reduction) -> Communicated<Box<dyn Pending>> {
        self.inner.start_all_reduce(values, reduction)
    }
    fn reduce_scatter(&self, buffer: Buffer<'_>, lengths: &[usize], reduction: Reduction) -> Communicated {
        self.inner.reduce_scatter(buffer, lengths, reduction)
    }
    fn all_gather(&self, buffer: Buffer<'_>, lengths: &[usize]) -> Communicated {
        self.inner.all_gather(buffer, lengths)
    }
    fn send(&self, to: usize, tag: u32, bytes: &[u8]) -> Communicated {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        self.inner.send(to, tag, bytes)
    }
    fn receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Message> {
        if self.rank() + 1 == self.size() {
            // A server that is slower than its workers.
            std::thread::yield_now();
        }
        self.inner.receive(from, tag).map(|message| self.received(message))
    }
    fn try_receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Option<Message>> {
        self.inner.try_receive(from, tag).map(|message| message.map(|message| self.received(message)))
    }
    fn exchange(&self, with: usize, out: Buffer<'_>, into: Buffer<'_>) -> Communicated {
        self.inner.exchange(with, out, into)
    }
    fn split(&self, colour: u32) -> Communicated<Rc<dyn Communicator>> {
        self.inner.split(colour)
    }
    fn bytes_sent(&self) -> u64 {
        self.inner.bytes_sent()
    }
    fn abort(&self, message: &str) -> ! {
        self.inner.abort(message)
    }
}

#[test]
fn pushes_on_their_way_are_bounded() {
    for consistency in
        [Consistency::Asynchronous, Consistency::Bounded { staleness: 1 }, Consistency::Synchronous]
    {
        let (waiting, most) = (AtomicI64::new(0), AtomicI64::new(0));
        let served = threads::run(3, |inner| {
            let ranks = Counted { inner, waiting: &waiting, most: &most };
            let settings = ServerSettings { consistency, ..Default::default() };
            let server = ParameterServer::new(settings, |_| Sgd::new(1.0))?;
            let served = server.run(&ranks, &[0.0f32; 4], |worker| {
                (0..3000).try_for_each(|_| worker.push(&[-1.0; 4], 1))?;
                Ok::<(), ServerError>(())
            })?;
            Ok::<_, Failure>((served.values[0], served.report.pushes))
        });
        // Every push has come: each alone, or the mean of two.
        let sum = if consistency == Consistency::Synchronous { 3000.0 } else { 6000.0 };
        assert_eq!(served.unwrap(), [(sum, 6000); 3], "{consistency:?}");
        // 64 gradients of each of two workers, and what asks for and gives an answer.
        let most = most.into_inner();
        assert!((1..=2 * 66).contains(&most), "{consistency:?}: {most} messages at a time");
        assert_eq!(waiting.into_inner(), 0);
    }
}
