//! Parameter servers.

use std::time::Instant;

use wengert_distributed::Communicator;
use wengert_distributed::communicator::Failure;
use wengert_distributed::compress::Compression;
use wengert_distributed::server::{Consistency, ParameterServer, ServerSettings, Worker};
use wengert_nn::Params;
use wengert_optim::Adam;
use wengert_state::State;
use wengert_train::accuracy;

use super::arguments::{Arguments, Images, Mode, Recipe};
use super::bar::Bar;
use super::model::{Net, batches, schedule};
use super::saved;
use super::table::Outcome;

fn settings(mode: Mode) -> ServerSettings {
    let (consistency, compression) = match mode {
        Mode::Server => (Consistency::Synchronous, Compression::None),
        Mode::Ssp => (Consistency::Bounded { staleness: 2 }, Compression::None),
        Mode::TopK => (Consistency::Asynchronous, Compression::TopK { fraction: 0.05 }),
        Mode::Bf16 => (Consistency::Asynchronous, Compression::Bf16),
        _ => (Consistency::Asynchronous, Compression::None),
    };
    ServerSettings { consistency, compression, ..Default::default() }
}

pub(crate) fn train(
    arguments: &Arguments,
    images: &Images,
    communicator: &dyn Communicator,
) -> Result<Outcome, Failure> {
    let (mut params, net) = Net::build(arguments.seed);
    let settings = settings(arguments.mode);
    let Recipe { batch, rate, .. } = arguments.recipe();
    let workers = (communicator.size() - settings.servers.min(communicator.size() - 1)) as u64;
    let mut updates = batches(&images.train, batch, 1);
    if settings.consistency == Consistency::Synchronous {
        updates = updates.div_ceil(workers);
    }
    let mut server = ParameterServer::new(settings, |_| Adam::new(rate))?
        .schedule(schedule(rate, arguments.epochs * updates));
    let mut done = 0;
    if let Some((epochs, state)) = saved::of_first(arguments, communicator)? {
        done = epochs;
        params.load_state(state.child("params")?)?;
        server = server.resume(state.child("server")?.clone());
    }
    let start = params.values().to_vec();
    let mut outcome = Outcome::default();
    let served = server.run(communicator, &start, |worker| {
        let run = Run { arguments, images, net: &net, batch, done };
        run.work(worker, &mut params, &mut outcome)
    })?;
    params.set_values(&served.values);
    let seen = served.report.staleness;
    outcome.staleness = Some((seen.mean(), seen.max()));
    outcome.accuracy = accuracy(&net, &params, &images.test);
    Ok(outcome)
}

/// What a worker does.
struct Run<'a> {
    arguments: &'a Arguments,
    images: &'a Images,
    net: &'a Net,
    batch: usize,
    /// The epochs before.
    done: u64,
}

impl Run<'_> {
    fn work(
        &self,
        worker: &mut Worker<'_>,
        params: &mut Params,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let Run { arguments, images, net, batch, done } = *self;
        let (index, workers) = (worker.index(), worker.workers());
        let first = index == 0;
        let steps = batches(&images.train, batch, workers);
        let mut bar = first.then(|| Bar::new(params, done, arguments.epochs, steps));
        for epoch in done..arguments.epochs {
            let begun = Instant::now();
            let batches = images.train.batches(batch).shuffled(arguments.seed).epoch(epoch);
            for (images, labels) in batches.sharded(index, workers) {
                worker.pull(params)?;
                let (loss, grads) = params.value_and_grad(|cx| net.loss(cx, &images, &labels))?;
                worker.update(params, &grads, labels.len())?;
                outcome.examples += labels.len() as f64;
                if let Some(bar) = &mut bar {
                    bar.step((params, &grads), loss, labels.len(), workers);
                }
            }
            // What is saved has to be asked for where all meet.
            if first && arguments.checkpoints.is_some() {
                let state = worker.checkpoint(params)?;
                let state = State::new("mnist_parallel", 0).with_child("server", state);
                saved::write(arguments, epoch + 1, state.with_child("params", params.state()))?;
            } else {
                worker.meet(params)?;
            }
            outcome.seconds += begun.elapsed().as_secs_f64();
            if let Some(bar) = &mut bar {
                bar.epoch(accuracy(net, params, &images.test));
            }
        }
        Ok(())
    }
}
