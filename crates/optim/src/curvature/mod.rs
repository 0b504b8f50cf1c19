//! Operators made from others, and what can be learned of a matrix from its products: diagonal, trace, spectrum.
//!
//! | what | function | products |
//! |---|---|---|
//! | A + αI, or on some variables only | [`Damped`] | 1 a product |
//! | cA | [`Scaled`] | 1 a product |
//! | Σ cᵢAᵢ | [`SumOperator`] | 1 of each a product |
//! | the block of a group of variables | [`Restricted`] | 1 a product |
//! | diagonal, estimated | [`hutchinson_diagonal`] | 1 a probe |
//! | trace, estimated | [`hutchinson_trace`], [`hutch_plus_plus`] | 1 a probe |
//! | extreme eigenpairs | [`extreme_eigenpairs`] | 1 a step |
//! | spectral density | [`spectral_density`] | 1 a step of each probe |
//!
//! Everything random is drawn from a seed, and all results have the same bits for any number of threads.

mod damped;
mod density;
mod diagonal;
mod eigenpairs;
mod hutch_plus_plus;
mod probes;
mod restricted;
mod scaled;
mod sum;
mod trace;

pub use damped::Damped;
pub use density::{DensitySettings, SpectralDensity, spectral_density};
pub use diagonal::{DiagonalEstimate, hutchinson_diagonal};
pub use eigenpairs::{EigenSettings, Eigenpair, Eigenpairs, extreme_eigenpairs};
pub use hutch_plus_plus::hutch_plus_plus;
pub use restricted::Restricted;
pub use scaled::Scaled;
pub use sum::SumOperator;
pub use trace::{TraceEstimate, hutchinson_trace};
