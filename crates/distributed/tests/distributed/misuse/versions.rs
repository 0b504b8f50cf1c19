//! Ranks that run other versions of this library.

use std::rc::Rc;

use wengert_curvature::Objectives;
use wengert_data::synthetic;
use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
use wengert_distributed::server::{ParameterServer, ServerError, ServerSettings};
use wengert_distributed::{
    Buffer, Communicated, Communicator, DataParallel, Failure, Message, Pending, Reduction, ShardedObjective,
    Values, agree, threads,
};
use wengert_nn::{Layer, Linear, Losses, Params};
use wengert_optim::Sgd;
use wengert_train::Trainer;

use super::vectors::model;

const OURS: &str = env!("CARGO_PKG_VERSION");

/// A rank that says of itself that it is of a later version, and is like the others in all else.
struct Later(Rc<dyn Communicator>);

impl Later {
    /// As long as this one's.
    fn version() -> String {
        "9".repeat(OURS.len())
    }
}

impl Communicator for Later {
    fn rank(&self) -> usize {
        self.0.rank()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn transport(&self) -> &'static str {
        self.0.transport()
    }
    fn barrier(&self) -> Communicated {
        self.0.barrier()
    }
    fn broadcast(&self, buffer: Buffer<'_>, root: usize) -> Communicated {
        self.0.broadcast(buffer, root)
    }
    fn all_reduce(&self, buffer: Buffer<'_>, reduction: Reduction) -> Communicated {
        self.0.all_reduce(buffer, reduction)
    }
    fn start_all_reduce(&self, values: Values, reduction: Reduction) -> Communicated<Box<dyn Pending>> {
        self.0.start_all_reduce(values, reduction)
    }
    fn reduce_scatter(&self, buffer: Buffer<'_>, lengths: &[usize], reduction: Reduction) -> Communicated {
        self.0.reduce_scatter(buffer, lengths, reduction)
    }
    fn all_gather(&self, buffer: Buffer<'_>, lengths: &[usize]) -> Communicated {
        let Buffer::U8(bytes) = buffer else { return self.0.all_gather(buffer, lengths) };
        let said = format!("\"version of the library\",\"{OURS}\"");
        if let Some(at) = bytes.windows(said.len()).position(|part| part == said.as_bytes()) {
            let end = at + said.len() - 1;
            bytes[end - OURS.len()..end].copy_from_slice(Later::version().as_bytes());
        }
        self.0.all_gather(Buffer::U8(bytes), lengths)
    }
    fn send(&self, to: usize, tag: u32, bytes: &[u8]) -> Communicated {
        self.0.send(to, tag, bytes)
    }
    fn receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Message> {
        self.0.receive(from, tag)
    }
    fn try_receive(&self, from: Option<usize>, tag: Option<u32>) -> Communicated<Option<Message>> {
        self.0.try_receive(from, tag)
    }
    fn exchange(&self, with: usize, out: Buffer<'_>, into: Buffer<'_>) -> Communicated {
        self.0.exchange(with, out, into)
    }
    fn split(&self, colour: u32) -> Communicated<Rc<dyn Communicator>> {
        self.0.split(colour)
    }
    fn bytes_sent(&self) -> u64 {
        self.0.bytes_sent()
    }
    fn abort(&self, message: &str) -> ! {
        self.0.abort(message)
    }
}

/// Every way to begin is refused when one of three ranks is of another version.
#[test]
fn other_versions() {
    type Begin = fn(Rc<dyn Communicator>) -> Result<(), Failure>;
    let ways: [(&str, Begin); 7] = [
        ("trainer", |ranks| {
            let mut params: Params = Params::seeded(0);
            let model = Linear::new(params.root(), 784, 10);
            let trainer = Trainer::new(&mut params, Sgd::new(0.1)).parallel(DataParallel::new(ranks));
            let data = synthetic::digits(20, 0);
            trainer.fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
            Ok(())
        }),
        ("server", |ranks| {
            let server = ParameterServer::new(ServerSettings::default(), |_| Sgd::new(0.1))?;
            server.run(&*ranks, &[0.0f32; 3], |_| Ok::<(), ServerError>(()))?;
            Ok(())
        }),
        ("local", |ranks| {
            let mut params = model(3);
            Ok(LocalSgd::new(&*ranks, &params, 1)?.after_step(&mut params).map(drop)?)
        }),
        ("elastic", |ranks| {
            let mut params = model(3);
            Ok(ElasticAveraging::new(&*ranks, &params, 1, 0.5)?.after_step(&mut params).map(drop)?)
        }),
        ("gossip", |ranks| Ok(Gossip::new(&*ranks, 1, 0)?.after_step(&mut model(3)).map(drop)?)),
        ("whole loss", |ranks| {
            let mut params: Params = Params::seeded(0);
            let model = Linear::new(params.root(), 784, 10);
            let (images, labels) = synthetic::digits(20, 0).all();
            ShardedObjective::mean(ranks, 3, |_| {
                (params.objective(|cx| model.forward(cx, &images).cross_entropy(&labels)), labels.len())
            })?;
            Ok(())
        }),
        ("by hand", |ranks| Ok(agree(&*ranks, "by hand", &[])?)),
    ];
    let difference = format!("in version of the library: {}, not {OURS}", Later::version());
    for (way, begin) in ways {
        let begun =
            threads::run(3, |ranks| begin(if ranks.rank() == 2 { Rc::new(Later(ranks)) } else { ranks }));
        let message = begun.expect_err(way).message;
        assert!(
            message.contains(&difference) && message.contains("need the same program"),
            "{way}: {message}"
        );
        threads::run(3, begin).unwrap_or_else(|failed| panic!("{way}: {failed}"));
    }
}
