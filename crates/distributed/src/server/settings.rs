//! How a parameter server is run.

use wengert_optim::{Check, HyperParameterError};

use crate::compress::Compression;

/// Who waits for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consistency {
    /// An update is made of the gradients of all workers, weighted by their examples and summed in the order of the workers; all
    /// wait for it. The bits are the same in each run.
    Synchronous,
    /// Every gradient is an update of its own, and nobody waits.
    #[default]
    Asynchronous,
    /// As asynchronous, but no worker is more than `staleness` steps ahead of the slowest, for which it waits (stale-synchronous
    /// parallel: Ho 2013).
    Bounded {
        /// The bound, in steps.
        staleness: u64,
    },
}

/// Settings of a [`ParameterServer`](super::ParameterServer), the same on all ranks.
///
/// ```
/// use wengert_distributed::server::{Consistency, ServerSettings};
/// let settings = ServerSettings { consistency: Consistency::Bounded { staleness: 2 }, ..Default::default() };
/// assert!(settings.check().is_ok());
/// assert!(ServerSettings { servers: 0, ..settings }.check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    /// How many ranks are servers: the last ones. Each has an equal part of the parameters. Without effect where there is one
    /// rank, which is worker and server. Default 1.
    pub servers: usize,
    /// Who waits for whom. Default: nobody.
    pub consistency: Consistency,
    /// A gradient that is τ updates old makes a step at the learning rate times (1 + τ)⁻ᵖ; p is this number (Zhang 2016 has 1).
    /// Default 0: the full rate.
    pub staleness_power: f64,
    /// How gradients are sent. What is lost is kept by the worker and sent later. Default: as they are.
    pub compression: Compression,
    /// Places of the flat vector, up to its length, between which parts can be [pushed](super::Worker::push_range) by themselves; each part then has
    /// an optimiser and a count of steps of its own. Default: none.
    pub cuts: Vec<usize>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        ServerSettings {
            servers: 1,
            consistency: Consistency::default(),
            staleness_power: 0.0,
            compression: Compression::None,
            cuts: Vec::new(),
        }
    }
}

impl ServerSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// For the first that makes no sense.
    pub fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("parameter_server")
            .at_least_one("servers", self.servers as f64)?
            .non_negative("staleness_power", self.staleness_power)?;
        self.compression.check()
    }
}
