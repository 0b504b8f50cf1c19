//! One error for programs that use everything.

/// Whatever can fail in the crates of this framework, for `?` in `main`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data set that cannot be had or read.
    #[error(transparent)]
    Data(#[from] wengert_data::DataError),
    /// A loss that does not depend on all parameters.
    #[error(transparent)]
    Grad(#[from] wengert_nn::GradError),
    /// A hyper-parameter out of its range.
    #[error(transparent)]
    HyperParameter(#[from] wengert_optim::HyperParameterError),
    /// A name that no optimiser has, or a hyper-parameter out of its range.
    #[error(transparent)]
    ByName(#[from] wengert_optim::ByNameError),
    /// State of an optimiser that does not fit.
    #[error(transparent)]
    State(#[from] wengert_optim::StateError),
    /// A minimisation that could not begin.
    #[error(transparent)]
    Minimize(#[from] wengert_optim::MinimizeError),
    /// Elements that do not fill a shape.
    #[error(transparent)]
    Shape(#[from] wengert_tensor::ShapeError),
    /// A number of threads that cannot be set.
    #[error(transparent)]
    Threads(#[from] wengert_tensor::parallel::SetThreadsError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
