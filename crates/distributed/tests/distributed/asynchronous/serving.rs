//! Training of the network of the tests with a parameter server.

use wengert_data::Dataset;
use wengert_distributed::server::{
    Consistency, ParameterServer, Served, ServerError, ServerSettings, Worker,
};
use wengert_distributed::{Communicator, Failure};
use wengert_nn::Params;

use super::common::Net;

pub(super) fn settings(servers: usize, consistency: Consistency) -> ServerSettings {
    ServerSettings { servers, consistency, ..Default::default() }
}

/// Epochs of the network of the tests, which end with a meeting.
pub(super) fn epochs(
    worker: &mut Worker<'_>,
    (params, net): (&mut Params, &Net),
    data: &Dataset,
    epochs: std::ops::Range<u64>,
) -> Result<(), ServerError> {
    for epoch in epochs {
        let batches = data.batches(20).shuffled(7).epoch(epoch);
        for (images, labels) in batches.sharded(worker.index(), worker.workers()) {
            worker.pull(params)?;
            let (_, grads) = params.value_and_grad(|cx| net.loss(cx, &images, &labels)).unwrap();
            worker.update(params, &grads, labels.len())?;
        }
        worker.meet(params)?;
    }
    Ok(())
}

/// What every rank has in the end: servers the values alone.
pub(super) fn trained(
    ranks: &dyn Communicator,
    server: &ParameterServer<'_>,
    data: &Dataset,
    number: u64,
) -> Result<(Params, Served<(), f32>), Failure> {
    let (mut params, net) = Net::build();
    let start = params.values().to_vec();
    let served = server.run(ranks, &start, |worker| epochs(worker, (&mut params, &net), data, 0..number))?;
    params.set_values(&served.values);
    Ok((params, served))
}
