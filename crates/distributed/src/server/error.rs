//! What can go wrong with a parameter server.

use wengert_optim::HyperParameterError;
use wengert_state::StateError;

use crate::communicator::CommunicatorError;
use crate::wire::WireError;

/// Why training with a parameter server ended.
///
/// ```
/// use wengert_distributed::server::{ParameterServer, ServerError, ServerSettings};
/// use wengert_distributed::Single;
/// use wengert_optim::first::by_name;
/// use wengert_optim::Layout;
/// let build = |len| by_name::<f32>("lamb", None, &Layout::flat(len)).unwrap();
/// let error = ParameterServer::new(ServerSettings::default(), build).err().unwrap();
/// assert!(matches!(&error, ServerError::NotElementwise { optimizer } if optimizer == "lamb"));
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A rank is gone, or the transport failed.
    #[error(transparent)]
    Communicator(#[from] CommunicatorError),
    /// A message of another program or version.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A setting makes no sense.
    #[error(transparent)]
    HyperParameter(#[from] HyperParameterError),
    /// The saved state is not one of this model and optimiser.
    #[error(transparent)]
    State(#[from] StateError),
    /// The optimiser's rule looks at more than single elements, so that it cannot be divided among servers.
    #[error(
        "{optimizer} looks at whole tensors, and a server has a part of them: use an optimiser whose rule is \
         elementwise, such as sgd, adam or lion, or another mode of training"
    )]
    NotElementwise {
        /// Its name.
        optimizer: String,
    },
    /// There are not as many ranks as servers and one worker.
    #[error(
        "{servers} servers and at least one worker among {ranks} ranks: start more ranks, or take fewer servers"
    )]
    TooFewRanks {
        /// How many servers were asked for.
        servers: usize,
        /// The number of ranks.
        ranks: usize,
    },
    /// A gradient with NaN or infinity was not sent.
    #[error("element {index} of the gradient is {value}; it was not sent")]
    NonFinite {
        /// The first such element of the flat vector.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// What was pushed or pulled is not made of whole blocks.
    #[error("{start}..{end} of {len} parameters does not begin and end at a cut")]
    Range {
        /// Where it starts.
        start: usize,
        /// Where it ends.
        end: usize,
        /// The number of parameters.
        len: usize,
    },
    /// A cut behind the last parameter.
    #[error("a cut at {cut}, where there are {len} parameters")]
    Cut {
        /// Where it is.
        cut: usize,
        /// The number of parameters.
        len: usize,
    },
    /// A part of the gradient where all workers average whole ones.
    #[error("the synchronous server takes whole gradients, not {start}..{end} of {len}")]
    Part {
        /// Where it starts.
        start: usize,
        /// Where it ends.
        end: usize,
        /// The number of parameters.
        len: usize,
    },
    /// Pushes that a worker sent did not all arrive.
    #[error("worker {worker} sent {sent} pushes, of which {arrived} arrived")]
    Lost {
        /// The rank of the worker.
        worker: usize,
        /// What it counted.
        sent: u64,
        /// What the server counted.
        arrived: u64,
    },
    /// Another rank failed.
    #[error("rank {rank} failed: {reason}")]
    Failed {
        /// Which one.
        rank: usize,
        /// What it said.
        reason: String,
    },
}
