//! What a simulation says.

use super::Workload;

/// What most of the time goes to.
///
/// ```
/// use wengert_distributed::simulate::Bottleneck;
/// assert_eq!(Bottleneck::Bandwidth.to_string(), "bandwidth");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bottleneck {
    /// Gradients and steps: more ranks make it faster.
    Compute,
    /// The number of messages one after another.
    Latency,
    /// Bytes on a worker's own link.
    Bandwidth,
    /// The queue in front of the servers: their links or their updates.
    Server,
    /// Waiting for slower ranks.
    Waiting,
}

impl std::fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Bottleneck::Compute => "compute",
            Bottleneck::Latency => "latency",
            Bottleneck::Bandwidth => "bandwidth",
            Bottleneck::Server => "server",
            Bottleneck::Waiting => "waiting",
        })
    }
}

/// Seconds of a worker's mean step by what they go to.
///
/// ```
/// use wengert_distributed::simulate::{Cluster, Mode, Shares, Workload, simulate};
/// let cluster = Cluster { latency: 1e-3, bandwidth: 1e6, cores: None };
/// let work = Workload { compute: 0.5, jitter: 0.0, bytes: 2e6, update: 0.0, examples: 32.0 };
/// // A ring of two: two rounds, each of half the bytes.
/// let step = simulate(&cluster, &work, Mode::Ring, 2, 10, 0)?;
/// let Shares { compute, latency, bandwidth, .. } = step.shares;
/// assert!((compute - 0.5).abs() < 1e-9 && (latency - 2e-3).abs() < 1e-9 && (bandwidth - 2.0).abs() < 1e-9);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Gradients and steps.
    pub compute: f64,
    /// Messages, without their bytes.
    pub latency: f64,
    /// Bytes on the worker's own link.
    pub bandwidth: f64,
    /// Queues in front of servers.
    pub server: f64,
    /// Waiting for slower ranks.
    pub waiting: f64,
}

impl Shares {
    /// Each with its name.
    fn named(&self) -> [(Bottleneck, f64); 5] {
        [
            (Bottleneck::Compute, self.compute),
            (Bottleneck::Latency, self.latency),
            (Bottleneck::Bandwidth, self.bandwidth),
            (Bottleneck::Server, self.server),
            (Bottleneck::Waiting, self.waiting),
        ]
    }
}

/// What a [simulation](super::simulate) says.
///
/// ```
/// use wengert_distributed::simulate::{Bottleneck, Cluster, Mode, Prediction, Workload, simulate};
/// let cluster = Cluster { latency: 50e-6, bandwidth: 1e9, cores: None };
/// let work = Workload { compute: 0.01, jitter: 0.0, bytes: 4e6, update: 1e-4, examples: 64.0 };
/// let alone: Prediction = simulate(&cluster, &work, Mode::Ring, 1, 10, 0)?;
/// assert_eq!(alone.bottleneck, Bottleneck::Compute);
/// // 2 · 1023 messages one after another.
/// let many = simulate(&cluster, &work, Mode::Ring, 1024, 10, 0)?;
/// assert!(many.bottleneck == Bottleneck::Latency && many.step > 2.0 * 1023.0 * 50e-6);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Seconds of a worker's step.
    pub step: f64,
    /// Of all workers together.
    pub examples_per_second: f64,
    /// Examples per second and worker, over those of a rank alone.
    pub efficiency: f64,
    /// What a step's seconds go to.
    pub shares: Shares,
    /// The largest of them.
    pub bottleneck: Bottleneck,
    /// By how many updates of others a gradient is late, on the average. 0 where all are averaged.
    pub staleness: f64,
}

/// Sums over all workers and steps.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) shares: Shares,
    /// When the last worker was ready.
    pub(super) end: f64,
    /// Sum over all pushes.
    pub(super) staleness: f64,
}

impl Tally {
    pub(super) fn prediction(&self, workers: usize, steps: u64, work: &Workload) -> Prediction {
        let all = workers as f64 * steps as f64;
        let Shares { compute, latency, bandwidth, server, waiting } = self.shares;
        let shares = Shares {
            compute: compute / all,
            latency: latency / all,
            bandwidth: bandwidth / all,
            server: server / all,
            waiting: waiting / all,
        };
        let step = self.end / steps as f64;
        let largest = shares.named().into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
        Prediction {
            step,
            examples_per_second: work.examples * workers as f64 / step,
            efficiency: (work.compute + work.update) / step,
            shares,
            bottleneck: largest.map_or(Bottleneck::Compute, |(name, _)| name),
            staleness: self.staleness / all,
        }
    }
}
