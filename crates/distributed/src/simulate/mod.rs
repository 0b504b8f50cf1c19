//! How long training takes with many ranks, by a cost model: compute, latency and bandwidth.
//!
//! Every message takes the latency and its bytes over the bandwidth, on the links of both ends, which take one message at a time in
//! each direction; computing takes the measured time of a step with a random part. What waits for what is simulated event by
//! event, so that queues in front of servers and the wait for the slowest come out of themselves. Nothing is measured while it
//! runs, and the same seed gives the same numbers.
//!
//! ```
//! use wengert_distributed::simulate::{Cluster, Mode, Workload, simulate};
//! // A network of 25 million parameters, 0.2 s a step; 10 Gbit/s and 30 µs between machines.
//! let cluster = Cluster { latency: 30e-6, bandwidth: 1.25e9, cores: None };
//! let work = Workload { compute: 0.2, jitter: 0.05, bytes: 100e6, update: 0.01, examples: 32.0 };
//! let seconds = |mode, ranks| simulate(&cluster, &work, mode, ranks, 20, 0).unwrap().step;
//! // A ring's bandwidth does not depend on the number of ranks, a single server's does.
//! assert!(seconds(Mode::Ring, 64) < 1.5 * seconds(Mode::Ring, 4));
//! let server = Mode::Server { servers: 1, bound: None };
//! assert!(seconds(server, 64) > 10.0 * seconds(server, 4));
//! ```

mod collective;
mod prediction;
mod server;

pub use prediction::{Bottleneck, Prediction, Shares};

use wengert_optim::{Check, HyperParameterError};
use wengert_tensor::random::Generator;

use prediction::Tally;

/// The machines and what is between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cluster {
    /// Seconds from sending to receiving, without the bytes.
    pub latency: f64,
    /// Bytes per second of a rank's link in each direction.
    pub bandwidth: f64,
    /// Cores that all ranks share, each of which computes on one: on a single machine. Without, every rank has its own.
    pub cores: Option<usize>,
}

/// What a rank does in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Seconds of a rank for the gradient of its batch.
    pub compute: f64,
    /// The standard deviation of that over the mean.
    pub jitter: f64,
    /// Bytes of the gradient, and of the parameters.
    pub bytes: f64,
    /// Seconds to add up a gradient, or to make a step with it.
    pub update: f64,
    /// Examples of a rank's batch.
    pub examples: f64,
}

/// How ranks train together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mode {
    /// Gradients are averaged by a ring: 2 (R − 1) rounds of a part 1/R.
    Ring,
    /// By recursive halving and doubling: 2 log₂ R rounds.
    Tree,
    /// A parameter server.
    Server {
        /// Ranks that are servers.
        servers: usize,
        /// How many steps a worker may be ahead of the slowest; without, nobody waits.
        bound: Option<u64>,
    },
    /// Parameters are averaged by a ring, every so many steps.
    Local {
        /// How many.
        every: u64,
    },
}

/// Simulates `steps` steps of each worker among `ranks` ranks.
///
/// ```
/// use wengert_distributed::simulate::{Cluster, Mode, Workload, simulate};
/// // A small model on a slow network: meeting every 16 steps beats averaging every gradient.
/// let cluster = Cluster { latency: 1e-3, bandwidth: 1e8, cores: None };
/// let work = Workload { compute: 5e-3, jitter: 0.1, bytes: 4e6, update: 1e-4, examples: 32.0 };
/// let rate = |mode| simulate(&cluster, &work, mode, 8, 160, 0).map(|found| found.examples_per_second);
/// assert!(rate(Mode::Local { every: 16 })? > 4.0 * rate(Mode::Ring)?);
/// assert!(simulate(&cluster, &work, Mode::Ring, 0, 160, 0).is_err()); // no ranks
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
///
/// # Errors
/// If a number makes no sense: negative times, no bandwidth, no ranks or steps, no rank left beside the servers.
pub fn simulate(
    cluster: &Cluster,
    work: &Workload,
    mode: Mode,
    ranks: usize,
    steps: u64,
    seed: u64,
) -> Result<Prediction, HyperParameterError> {
    let check = Check::new("simulate")
        .non_negative("latency", cluster.latency)?
        .positive("bandwidth", cluster.bandwidth)?
        .at_least_one("cores", cluster.cores.map_or(1.0, |cores| cores as f64))?
        .positive("compute", work.compute)?
        .non_negative("jitter", work.jitter)?
        .non_negative("bytes", work.bytes)?
        .non_negative("update", work.update)?
        .positive("examples", work.examples)?
        .at_least_one("ranks", ranks as f64)?
        .at_least_one("steps", steps as f64)?;
    if let Mode::Server { servers, .. } = mode {
        let fits = servers >= 1 && (servers < ranks || ranks == 1);
        check.condition(fits, "servers", servers as f64, "at least 1 and below the number of ranks")?;
    }
    if let Mode::Local { every } = mode {
        check.at_least_one("every", every as f64)?;
    }
    let workers = match mode {
        Mode::Server { servers, .. } if ranks > 1 => ranks - servers,
        _ => ranks,
    };
    let simulation = Simulation { cluster, work, workers, generator: Generator::seeded(seed) };
    let tally = match mode {
        _ if ranks == 1 => simulation.alone(steps),
        Mode::Server { servers, bound } => server::run(&simulation, servers, bound, steps),
        Mode::Ring => collective::run(&simulation, collective::Pattern::Ring, 1, steps),
        Mode::Tree => collective::run(&simulation, collective::Pattern::Tree, 1, steps),
        Mode::Local { every } => collective::run(&simulation, collective::Pattern::Ring, every, steps),
    };
    Ok(tally.prediction(workers, steps, work))
}

/// What all modes share.
struct Simulation<'a> {
    cluster: &'a Cluster,
    work: &'a Workload,
    workers: usize,
    generator: Generator,
}

impl Simulation<'_> {
    /// Seconds of a worker's gradient in a step: never below a tenth of the mean. Workers beyond the cores share them.
    fn compute(&self, worker: usize, step: u64) -> f64 {
        let crowd = self.cluster.cores.map_or(1.0, |cores| (self.workers as f64 / cores as f64).max(1.0));
        let normal = self.generator.fork(worker as u64).fork(step).normal();
        self.work.compute * crowd * (1.0 + self.work.jitter * normal).max(0.1)
    }

    /// Seconds of bytes on a link.
    fn transfer(&self, bytes: f64) -> f64 {
        bytes / self.cluster.bandwidth
    }

    fn alone(&self, steps: u64) -> Tally {
        let mut tally = Tally::default();
        for step in 0..steps {
            let compute = self.compute(0, step);
            tally.shares.compute += compute + self.work.update;
            tally.end += compute + self.work.update;
        }
        tally
    }
}
