//! Threads of one process without locks.

use std::time::Instant;

use wengert_distributed::Communicator;
use wengert_distributed::communicator::Failure;
use wengert_distributed::hogwild::{self, SharedVector, Worker};
use wengert_nn::Params;
use wengert_optim::schedule::Schedule;
use wengert_optim::{Adam, Optimizer};
use wengert_state::State;
use wengert_train::accuracy;

use super::arguments::{Arguments, Images, Recipe};
use super::bar::Bar;
use super::model::{Net, batches, schedule};
use super::saved;
use super::table::{Outcome, Share};

/// The first rank has as many threads as there are ranks; the others wait for it.
pub(crate) fn train(
    arguments: &Arguments,
    images: &Images,
    ranks: &dyn Communicator,
) -> Result<Outcome, Failure> {
    if ranks.rank() > 0 {
        return Ok(Outcome::default());
    }
    let (mut params, net) = Net::build(arguments.seed);
    let (mut done, mut kept) = (0, None);
    if let Some((epochs, state)) = saved::read(arguments)? {
        done = epochs;
        params.load_state(state.child("params")?)?;
        kept = Some(state.child("optimizer")?.clone());
    }
    let shared = SharedVector::new(params.values());
    let run = Run { arguments, images, done, optimizer: kept };
    let found = hogwild::run(&shared, ranks.size(), |worker| run.work(worker))?;
    params.set_values(&shared.to_vec());
    Ok(Outcome {
        accuracy: accuracy(&net, &params, &images.test),
        staleness: Some((found.staleness.mean(), found.staleness.max())),
        threads: found.results,
        ..Outcome::default()
    })
}

/// What a thread does.
struct Run<'a> {
    arguments: &'a Arguments,
    images: &'a Images,
    /// The epochs before, and what the first thread's optimiser remembers of them.
    done: u64,
    optimizer: Option<State>,
}

impl Run<'_> {
    fn work(&self, worker: &mut Worker<'_>) -> Result<Share, Failure> {
        let Run { arguments, images, done, .. } = *self;
        let Recipe { batch, rate, .. } = arguments.recipe();
        let (mut params, net) = Net::build(arguments.seed);
        let all = batches(&images.train, batch, 1);
        let schedule = schedule(rate, arguments.epochs * all);
        let mut adam = Adam::new(rate);
        if let Some(state) = &self.optimizer {
            adam.load_state(state)?;
        }
        let first = worker.index() == 0;
        let steps = batches(&images.train, batch, worker.workers());
        let mut bar = first.then(|| Bar::new(&params, done, arguments.epochs, steps));
        let mut share = Share::default();
        for epoch in done..arguments.epochs {
            let begun = Instant::now();
            let order = images.train.batches(batch).shuffled(arguments.seed).epoch(epoch);
            for (images, labels) in order.sharded(worker.index(), worker.workers()) {
                worker.pull(&mut params)?;
                adam.set_learning_rate(schedule.at(done * all + worker.updates()));
                let (loss, grads) = params.value_and_grad(|cx| net.loss(cx, &images, &labels))?;
                worker.push(&mut params, &mut adam, &grads);
                share.examples += labels.len() as f64;
                if let Some(bar) = &mut bar {
                    bar.step((&params, &grads), loss, labels.len(), worker.workers());
                }
            }
            share.seconds += begun.elapsed().as_secs_f64();
            if let Some(bar) = &mut bar {
                worker.pull(&mut params)?;
                bar.epoch(accuracy(&net, &params, &images.test));
                self.save(epoch + 1, &params, &adam)?;
            }
        }
        Ok(share)
    }

    fn save(&self, epochs: u64, params: &Params, adam: &Adam) -> Result<(), Failure> {
        let state = State::new("mnist_parallel", 0)
            .with_child("params", params.state())
            .with_child("optimizer", adam.state());
        saved::write(self.arguments, epochs, state)
    }
}
