//! Ranks that train by themselves and meet now and then.

use std::time::Instant;

use wengert_distributed::Communicator;
use wengert_distributed::communicator::{Communicated, Failure};
use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
use wengert_nn::Params;
use wengert_optim::first::SgdConfig;
use wengert_optim::schedule::Schedule;
use wengert_optim::{Adam, Optimizer, Sgd};
use wengert_state::{State, StateError};
use wengert_train::{Training, accuracy};

use super::arguments::{Arguments, Images, Mode, Recipe};
use super::bar::Bar;
use super::model::{Net, batches, schedule};
use super::saved;
use super::table::Outcome;

/// How ranks meet.
enum Meeting<'a> {
    Local(LocalSgd<'a>),
    Elastic(ElasticAveraging<'a>),
    Gossip(Gossip<'a>),
}

impl<'a> Meeting<'a> {
    fn new(
        mode: Mode,
        every: u64,
        (params, seed): (&Params, u64),
        ranks: &'a dyn Communicator,
    ) -> Result<Self, Failure> {
        Ok(match mode {
            Mode::Elastic => Meeting::Elastic(ElasticAveraging::new(ranks, params, every, 0.9)?),
            Mode::Gossip => Meeting::Gossip(Gossip::new(ranks, every, seed)?),
            Mode::Diloco => {
                let config = SgdConfig { momentum: 0.9, nesterov: true, ..Default::default() };
                let outer = Sgd::with_config(0.7, config)?;
                Meeting::Local(LocalSgd::new(ranks, params, every)?.outer(outer))
            }
            _ => Meeting::Local(LocalSgd::new(ranks, params, every)?),
        })
    }

    fn after_step(&mut self, params: &mut Params) -> Communicated<bool> {
        match self {
            Meeting::Local(local) => local.after_step(params),
            Meeting::Elastic(elastic) => elastic.after_step(params),
            Meeting::Gossip(gossip) => gossip.after_step(params),
        }
    }

    /// Brings all ranks together after an epoch, in which the first, which has the most steps, has made `rounds` rounds by now.
    fn finish(&mut self, params: &mut Params, rounds: u64) -> Communicated {
        match self {
            Meeting::Local(local) => local.finish(params),
            Meeting::Elastic(elastic) => elastic.finish(params),
            Meeting::Gossip(gossip) => {
                gossip.catch_up(params, rounds)?;
                gossip.finish(params)
            }
        }
    }

    fn state(&self) -> State {
        match self {
            Meeting::Local(local) => local.state(),
            Meeting::Elastic(elastic) => elastic.state(),
            Meeting::Gossip(gossip) => gossip.state(),
        }
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        match self {
            Meeting::Local(local) => local.load_state(state),
            Meeting::Elastic(elastic) => elastic.load_state(state),
            Meeting::Gossip(gossip) => gossip.load_state(state),
        }
    }
}

pub(crate) fn train(
    arguments: &Arguments,
    images: &Images,
    ranks: &dyn Communicator,
) -> Result<Outcome, Failure> {
    let (mut params, net) = Net::build(arguments.seed);
    let Recipe { batch, rate, every } = arguments.recipe();
    let steps = batches(&images.train, batch, ranks.size());
    let schedule = schedule(rate, arguments.epochs * steps);
    let mut adam = Adam::new(rate);
    let mut meeting = Meeting::new(arguments.mode, every, (&params, arguments.seed), ranks)?;
    let mut done = 0;
    if let Some((epochs, state)) = saved::of_first(arguments, ranks)? {
        // All ranks go on with what the first one's optimiser remembers.
        done = epochs;
        params.load_state(state.child("params")?)?;
        adam.load_state(state.child("optimizer")?)?;
        meeting.load_state(state.child("meeting")?)?;
    }
    let first = ranks.rank() == 0;
    let mut bar = first.then(|| Bar::new(&params, done, arguments.epochs, steps));
    let mut outcome = Outcome::default();
    for epoch in done..arguments.epochs {
        let begun = Instant::now();
        let order = images.train.batches(batch).shuffled(arguments.seed).epoch(epoch);
        for (step, (images, labels)) in (epoch * steps..).zip(order.sharded(ranks.rank(), ranks.size())) {
            adam.set_learning_rate(schedule.at(step));
            let (loss, grads) = params.value_and_grad(|cx| net.loss(cx, &images, &labels))?;
            params.update(&mut adam, &grads);
            meeting.after_step(&mut params)?;
            outcome.examples += labels.len() as f64;
            if let Some(bar) = &mut bar {
                bar.step((&params, &grads), loss, labels.len(), ranks.size());
            }
        }
        meeting.finish(&mut params, (epoch + 1) * steps / every)?;
        outcome.seconds += begun.elapsed().as_secs_f64();
        if let Some(bar) = &mut bar {
            outcome.accuracy = accuracy(&net, &params, &images.test);
            bar.epoch(outcome.accuracy);
            let state = State::new("mnist_parallel", 0)
                .with_child("params", params.state())
                .with_child("optimizer", adam.state())
                .with_child("meeting", meeting.state());
            saved::write(arguments, epoch + 1, state)?;
        }
    }
    Ok(outcome)
}
