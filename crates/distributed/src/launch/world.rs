//! The ranks of this program.

use std::rc::Rc;

use super::{LaunchError, Launcher};
use crate::communicator::{Communicator, Failure, Single};

/// The ranks of this program: over MPI if a launcher has started several, otherwise this one alone. MPI is needed under a launcher
/// only, and stays until the last communicator is dropped.
///
/// A program that ends with an error while the other ranks work must [`abort`](Communicator::abort), or they wait for it;
/// [`run`] sees to that.
///
/// # Errors
///
/// [`LaunchError`], so that a program that cannot talk to the others does not train alone beside them.
///
/// ```
/// let ranks = wengert_distributed::launch::world()?;
/// println!("rank {} of {}, over {}", ranks.rank(), ranks.size(), ranks.transport());
/// # Ok::<(), wengert_distributed::launch::LaunchError>(())
/// ```
pub fn world() -> Result<Rc<dyn Communicator>, LaunchError> {
    match Launcher::of_this_process() {
        None => Ok(Rc::new(Single::new())),
        Some(launcher) => started(launcher),
    }
}

#[cfg(feature = "mpi")]
fn started(launcher: Launcher) -> Result<Rc<dyn Communicator>, LaunchError> {
    use crate::communicator::mpi;

    let ranks = mpi::world()?;
    if ranks.size() != launcher.size {
        return Err(LaunchError::OtherMpi { launcher, library: mpi::library(), found: ranks.size() });
    }
    Ok(ranks)
}

#[cfg(not(feature = "mpi"))]
fn started(launcher: Launcher) -> Result<Rc<dyn Communicator>, LaunchError> {
    Err(LaunchError::WithoutMpi { launcher })
}

/// Runs a program on the [`world`]'s ranks. Under a launcher, an error or a panic of one rank ends all within moments, with its
/// message; then this does not return.
///
/// # Errors
///
/// Those of [`world`], and, where this rank is alone, the program's.
///
/// ```
/// use wengert_distributed::launch;
///
/// fn main() -> Result<(), wengert_distributed::Failure> {
///     launch::run(|ranks| {
///         println!("rank {} of {}", ranks.rank(), ranks.size());
///         Ok(())
///     })
/// }
/// ```
pub fn run<R>(program: impl FnOnce(Rc<dyn Communicator>) -> Result<R, Failure>) -> Result<R, Failure> {
    let ranks = world()?;
    let result = program(ranks.clone());
    match result {
        Err(error) if ranks.size() > 1 => ranks.abort(&error.to_string()),
        result => result,
    }
}
