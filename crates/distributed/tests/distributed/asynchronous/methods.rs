//! Training of the network of the tests by local steps, elastic averaging and gossip.

use wengert_data::Dataset;
use wengert_distributed::local::{ElasticAveraging, Gossip, LocalSgd};
use wengert_distributed::{Communicator, Failure};
use wengert_nn::Params;
use wengert_optim::first::SgdConfig;
use wengert_optim::{Adam, Sgd};
use wengert_train::Training;

use super::common::Net;

pub(super) const RATE: f64 = 3e-3;

/// Epochs on this rank's part of the data, with something after each step and each epoch.
fn train(
    ranks: &dyn Communicator,
    data: &Dataset,
    epochs: u64,
    mut after_step: impl FnMut(&mut Params) -> Result<(), Failure>,
    mut after_epoch: impl FnMut(&mut Params, u64) -> Result<(), Failure>,
    (params, net): (&mut Params, &Net),
) -> Result<(), Failure> {
    let mut optimizer = Adam::new(RATE);
    for epoch in 0..epochs {
        let batches = data.batches(20).shuffled(7).epoch(epoch);
        let batches = batches.sharded(ranks.rank(), ranks.size());
        // The third rank makes a step less than the others.
        let steps = batches.len() - usize::from(ranks.rank() == 2);
        for (images, labels) in batches.take(steps) {
            params.train_step(&mut optimizer, |cx| net.loss(cx, &images, &labels))?;
            after_step(params)?;
        }
        after_epoch(params, epoch)?;
    }
    Ok(())
}

pub(super) fn nesterov() -> Sgd {
    Sgd::with_config(0.7, SgdConfig { momentum: 0.9, nesterov: true, ..Default::default() }).unwrap()
}

/// Every method, by its name, on these ranks: the network in the end.
pub(super) fn method(
    ranks: &dyn Communicator,
    name: &str,
    data: &Dataset,
    epochs: u64,
) -> Result<Params, Failure> {
    let (mut params, net) = Net::build();
    match name {
        "local" | "diloco" => {
            let mut local = LocalSgd::new(ranks, &params, 3)?;
            if name == "diloco" {
                local = local.outer(nesterov());
            }
            let local = std::cell::RefCell::new(local);
            let step =
                |params: &mut Params| local.borrow_mut().after_step(params).map(drop).map_err(Failure::from);
            let epoch = |params: &mut Params, _| Ok(local.borrow_mut().finish(params)?);
            train(ranks, data, epochs, step, epoch, (&mut params, &net))?;
        }
        "elastic" => {
            let mut elastic = ElasticAveraging::new(ranks, &params, 3, 0.9)?;
            let step = |params: &mut Params| elastic.after_step(params).map(drop).map_err(Failure::from);
            train(ranks, data, epochs, step, |_, _| Ok(()), (&mut params, &net))?;
            elastic.finish(&mut params)?;
        }
        _ => {
            let gossip = std::cell::RefCell::new(Gossip::new(ranks, 1, 5)?);
            let rounds = data.batches(20).sharded(0, ranks.size()).len() as u64;
            let step =
                |params: &mut Params| gossip.borrow_mut().after_step(params).map(drop).map_err(Failure::from);
            let epoch = |params: &mut Params, epoch| {
                Ok(gossip.borrow_mut().catch_up(params, (epoch + 1) * rounds)?)
            };
            train(ranks, data, epochs, step, epoch, (&mut params, &net))?;
            gossip.borrow_mut().finish(&mut params)?;
        }
    }
    Ok(params)
}
