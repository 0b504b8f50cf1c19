//! What can be learned of a matrix from its products: diagonal, trace, spectrum.
//!
//! | what | function | products |
//! |---|---|---|
//! | diagonal, estimated | [`hutchinson_diagonal`] | 1 a probe |
//! | trace, estimated | [`hutchinson_trace`], [`hutch_plus_plus`] | 1 a probe |
//! | extreme eigenpairs | [`extreme_eigenpairs`] | 1 a step |
//! | spectral density | [`spectral_density`] | 1 a step of each probe |
//!
//! Everything random is drawn from a seed, and all results have the same bits for any number of threads.

mod density;
mod diagonal;
mod eigenpairs;
mod hutch_plus_plus;
mod probes;
mod trace;

pub use density::{DensitySettings, SpectralDensity, spectral_density};
pub use diagonal::{DiagonalEstimate, hutchinson_diagonal};
pub use eigenpairs::{EigenSettings, Eigenpair, Eigenpairs, extreme_eigenpairs};
pub use hutch_plus_plus::hutch_plus_plus;
pub use trace::{TraceEstimate, hutchinson_trace};
