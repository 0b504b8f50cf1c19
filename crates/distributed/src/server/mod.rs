//! A parameter server (Li 2014): some ranks keep the parameters and the optimiser, the others evaluate gradients.
//!
//! The flat vector of parameters is divided into equal parts, one for each server, with the optimiser's state of that part.
//! *Workers* pull the parameters, evaluate a gradient on examples of their own, and push it. When a gradient becomes an update, and
//! whom a worker waits for, is the [`Consistency`]. Gradients may be [compressed](crate::compress).
//!
//! The ranks below R − S of R are workers, so that rank 0 is one, and prints; the last S are servers. A rank alone is both, sends
//! nothing, and has the bits of the serial program, as one worker with any number of servers has.

mod error;
mod protocol;
mod service;
mod settings;
mod shard;
mod staleness;
mod worker;

pub use error::ServerError;
pub use settings::{Consistency, ServerSettings};
pub use staleness::Histogram;
pub use wengert_optim::first::is_elementwise;
pub use worker::Worker;

use std::fmt::Display;
use std::ops::Range;

use wengert_data::even_part;
use wengert_optim::Optimizer;
use wengert_optim::schedule::Schedule;
use wengert_state::State;

use crate::agreement::{agree, fingerprint_of, text};
use crate::communicator::{Buffer, Communicated, Communicator, CommunicatorError, Reduction, Shared};
use crate::compress::Compressor;
use service::Service;
use shard::Shard;
use worker::Servers;

/// Training with a parameter server: the same object on all ranks, [run](ParameterServer::run) by all.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_distributed::server::{Consistency, ParameterServer, ServerSettings};
/// use wengert_distributed::{Failure, threads};
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Adam;
///
/// let data = synthetic::digits(300, 0);
/// let reached = threads::run(3, |ranks| {
///     let mut params: Params = Params::seeded(0);
///     let model = Linear::new(params.root(), 784, 10);
///     let consistency = Consistency::Bounded { staleness: 1 };
///     let settings = ServerSettings { consistency, ..Default::default() };
///     let server = ParameterServer::new(settings, |_| Adam::new(1e-3))?;
///     let start = params.values().to_vec();
///     let trained = server.run(&*ranks, &start, |worker| {
///         for epoch in 0..10 {
///             let batches = data.batches(20).shuffled(epoch);
///             for (images, labels) in batches.sharded(worker.index(), worker.workers()) {
///                 worker.pull(&mut params)?;
///                 let loss = params.value_and_grad(|cx| model.forward(cx, &images).cross_entropy(&labels));
///                 worker.update(&mut params, &loss?.1, labels.len())?;
///             }
///             worker.meet(&mut params)?;
///         }
///         Ok::<(), Failure>(())
///     })?;
///     assert!(trained.report.lead.max() <= 1);
///     params.set_values(&trained.values);
///     Ok(wengert_train::accuracy(&model, &params, &data))
/// })?;
/// assert!(reached[0] > 0.8 && reached[0] == reached[2]);
/// # Ok::<(), threads::RankFailed>(())
/// ```
pub struct ParameterServer<'a, T: Shared = f32> {
    settings: ServerSettings,
    build: Box<dyn Fn(usize) -> Box<dyn Optimizer<T>> + 'a>,
    schedule: Option<Box<dyn Schedule + 'a>>,
    state: Option<State>,
}

/// What training with a parameter server gives to each rank.
#[derive(Clone, Debug)]
pub struct Served<R, T = f32> {
    /// What the worker's program returned; nothing on servers.
    pub result: Option<R>,
    /// The parameters to evaluate the model with.
    pub values: Vec<T>,
    /// What was seen.
    pub report: ServerReport,
}

/// How training with a parameter server went, over all ranks.
///
/// ```
/// use wengert_distributed::server::{ParameterServer, ServerReport, ServerSettings};
/// use wengert_distributed::threads;
/// use wengert_optim::Sgd;
///
/// // Two workers and a server, whose parameter every push moves by 1.
/// let reports = threads::run(3, |ranks| {
///     let server = ParameterServer::new(ServerSettings::default(), |_| Sgd::new(1.0))?;
///     let served = server.run(&*ranks, &[0.0f32], |worker| {
///         (0..5).try_for_each(|_| {
///             worker.pull_range(0..1, &mut [0.0])?;
///             worker.push(&[-1.0], 1)
///         })
///     })?;
///     assert_eq!(served.values, [10.0]);
///     Ok(served.report)
/// })?;
/// let ServerReport { updates, staleness, .. } = &reports[0];
/// assert_eq!((*updates, staleness.total()), (10, 10));
/// println!("pushes by the updates that they were late: {staleness}");
/// # Ok::<(), threads::RankFailed>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReport {
    /// Updates of the parameters, with those before a restart.
    pub updates: u64,
    /// Gradients that the workers pushed.
    pub pushes: u64,
    /// By how many updates parameters had changed between a gradient's pull and its push, for each push and server.
    pub staleness: Histogram,
    /// How many steps a worker was ahead of the slowest when its push was taken, for each push and server.
    pub lead: Histogram,
}

impl<'a, T: Shared> ParameterServer<'a, T> {
    /// A server whose optimiser `build` makes, for parts of the parameters of the length that it is given.
    ///
    /// # Errors
    /// If a setting makes no sense, or the optimiser [cannot be divided](is_elementwise).
    pub fn new<O: Optimizer<T> + 'static>(
        settings: ServerSettings,
        build: impl Fn(usize) -> O + 'a,
    ) -> Result<Self, ServerError> {
        settings.check()?;
        let name = build(1).name();
        if !is_elementwise(name) {
            return Err(ServerError::NotElementwise { optimizer: name.to_owned() });
        }
        let build = Box::new(move |len| Box::new(build(len)) as Box<dyn Optimizer<T>>);
        Ok(ParameterServer { settings, build, schedule: None, state: None })
    }

    /// Sets the learning rate by the number of the server's step, from 0.
    ///
    /// ```
    /// use wengert_distributed::Single;
    /// use wengert_distributed::server::{ParameterServer, ServerError, ServerSettings};
    /// use wengert_optim::Sgd;
    /// use wengert_optim::schedule::Exponential;
    ///
    /// let server = ParameterServer::new(ServerSettings::default(), |_| Sgd::new(1.0))?;
    /// let server = server.schedule(Exponential::new(1.0, 0.5));
    /// let served = server.run(&Single::new(), &[0.0f32], |worker| {
    ///     (0..3).try_for_each(|_| worker.push(&[-1.0], 1))
    /// })?;
    /// assert_eq!(served.values, [1.0 + 0.5 + 0.25]);
    /// # Ok::<(), ServerError>(())
    /// ```
    pub fn schedule(mut self, schedule: impl Schedule + 'a) -> Self {
        self.schedule = Some(Box::new(schedule));
        self
    }

    /// Goes on from the state of a [checkpoint](Worker::checkpoint), which all ranks are given.
    pub fn resume(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Serves on the ranks that are servers, and runs `work` on the workers, until all workers have ended. The parameters start with
    /// the `values` of rank 0.
    ///
    /// # Errors
    /// If there are too few ranks, a cut is behind the parameters, ranks differ, a saved state does not fit, a rank failed, or with the error of `work`. A worker's failure
    /// ends all the others at their next pull.
    pub fn run<R, E: From<ServerError> + Display>(
        &self,
        communicator: &dyn Communicator,
        values: &[T],
        work: impl FnOnce(&mut Worker<'_, T>) -> Result<R, E>,
    ) -> Result<Served<R, T>, E> {
        let (rank, ranks, servers) = (communicator.rank(), communicator.size(), self.settings.servers);
        if ranks == 1 {
            self.check_cuts(values.len())?;
            return self.alone(values, work);
        }
        if servers >= ranks {
            return Err(ServerError::TooFewRanks { servers, ranks }.into());
        }
        let workers = ranks - servers;
        self.agree(communicator, values.len()).map_err(ServerError::from)?;
        self.check_cuts(values.len())?;
        let mut values = values.to_vec();
        communicator.broadcast(T::buffer(&mut values), 0).map_err(ServerError::from)?;
        let len = values.len();
        let parts: Vec<_> =
            (0..servers).map(|server| (workers + server, even_part(len, server, servers))).collect();
        let (mut counted, mut result) = (None, None);
        if rank < workers {
            let servers = Servers::Ranks { communicator, parts: parts.clone() };
            let mut worker = self.worker((rank, workers), len, servers)?;
            match work(&mut worker) {
                Ok(done) => result = Some(done),
                Err(error) => {
                    // Whether the servers hear of it or not, this is the error.
                    let _ = worker.end(Some(error.to_string()));
                    return Err(error);
                }
            }
            worker.end(None)?;
        } else {
            let shard = self.shard(parts[rank - workers].1.clone(), &values)?;
            let mut service = Service::new(communicator, workers, self.settings.consistency, shard);
            service.run()?;
            values[service.shard.range()].copy_from_slice(&service.shard.evaluation());
            counted = Some((service.shard.updates(), service.staleness, service.lead));
        }
        let mut lengths = vec![0; workers];
        lengths.extend(parts.iter().map(|(_, part)| part.len()));
        communicator.all_gather(T::buffer(&mut values), &lengths).map_err(ServerError::from)?;
        let report = report(communicator, counted, servers).map_err(ServerError::from)?;
        Ok(Served { result, values, report })
    }

    /// That there are parameters where they are to be cut.
    fn check_cuts(&self, len: usize) -> Result<(), ServerError> {
        match self.settings.cuts.iter().find(|&&cut| cut > len) {
            Some(&cut) => Err(ServerError::Cut { cut, len }),
            None => Ok(()),
        }
    }

    /// That all ranks have the same settings, optimiser and number of parameters.
    fn agree(&self, communicator: &dyn Communicator, len: usize) -> Communicated {
        let schedule = self.schedule.as_ref().map(|schedule| schedule.settings());
        let optimizer = (self.build)(1);
        let facts = [
            ("element type", std::any::type_name::<T>().to_owned()),
            ("number of parameters", len.to_string()),
            ("settings", format!("{:?}", self.settings)),
            ("optimizer", optimizer.name().to_owned()),
            ("learning rate", optimizer.learning_rate().to_string()),
            ("settings of the optimizer", text(Some(&optimizer.settings()))),
            ("schedule", text(schedule.as_ref())),
            ("state to go on from", fingerprint_of(self.state.as_ref())),
        ];
        agree(communicator, "parameter_server", &facts)
    }

    /// Worker and server in one.
    fn alone<R, E: From<ServerError>>(
        &self,
        values: &[T],
        work: impl FnOnce(&mut Worker<'_, T>) -> Result<R, E>,
    ) -> Result<Served<R, T>, E> {
        let shard = Servers::Alone(Box::new(self.shard(0..values.len(), values)?));
        let mut worker = self.worker((0, 1), values.len(), shard)?;
        let result = Some(work(&mut worker)?);
        let Servers::Alone(shard) = &worker.servers else { unreachable!("it was made so") };
        let report = ServerReport {
            updates: shard.updates(),
            pushes: worker.pushes(),
            staleness: worker.staleness.clone(),
            lead: worker.staleness.clone(),
        };
        Ok(Served { result, values: shard.evaluation(), report })
    }

    fn worker<'w>(
        &'w self,
        place: (usize, usize),
        len: usize,
        servers: Servers<'w, T>,
    ) -> Result<Worker<'w, T>, ServerError> {
        let compressor = Compressor::new(self.settings.compression, len)?;
        let whole_only = self.settings.consistency == Consistency::Synchronous;
        Ok(Worker::new(place, len, &self.settings.cuts, whole_only, servers, compressor))
    }

    fn shard(&self, range: Range<usize>, values: &[T]) -> Result<Shard<'_, T>, ServerError> {
        let ServerSettings { cuts, staleness_power, .. } = &self.settings;
        let mut shard =
            Shard::new(range, values, cuts, &self.build, self.schedule.as_deref(), *staleness_power);
        if let Some(state) = &self.state {
            shard.load(state)?;
        }
        Ok(shard)
    }
}

/// What the servers have counted, on all ranks.
fn report(
    communicator: &dyn Communicator,
    counted: Option<(u64, Histogram, Histogram)>,
    servers: usize,
) -> Result<ServerReport, CommunicatorError> {
    let (updates, staleness, lead) = counted.unwrap_or_default();
    let mut sums: Vec<u64> = staleness.sums().chain(lead.sums()).collect();
    let mut largest = [staleness.max(), lead.max(), updates];
    communicator.all_reduce(Buffer::U64(&mut sums), Reduction::Sum)?;
    communicator.all_reduce(Buffer::U64(&mut largest), Reduction::Max)?;
    let [oldest, ahead, updates] = largest;
    let (staleness, lead) = sums.split_at(Histogram::SUMS);
    let (staleness, lead) = (Histogram::of_sums(staleness, oldest), Histogram::of_sums(lead, ahead));
    Ok(ServerReport { updates, pushes: lead.total() / servers as u64, staleness, lead })
}
