//! Any of the libraries' errors.

/// What can go wrong with anything from outside the program: one type for `main` and `?`. Its `Debug` form is its message,
/// since that is what a `main` that fails prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data set cannot be had or is not what it should be.
    #[error(transparent)]
    Data(#[from] wengert_data::DataError),
    /// Bytes are not an IDX array.
    #[error(transparent)]
    Idx(#[from] wengert_data::idx::IdxError),
    /// Bytes are not a table, or the table makes no data set.
    #[error(transparent)]
    Csv(#[from] wengert_data::csv::CsvError),
    /// A run of training cannot start or go on.
    #[error(transparent)]
    Train(#[from] wengert_train::TrainError),
    /// A log of a run cannot be written.
    #[error(transparent)]
    Log(#[from] wengert_train::LogError),
    /// A report of a run cannot be made or written.
    #[error(transparent)]
    Report(#[from] wengert_train::ReportError),
    /// A checkpoint cannot be written or read.
    #[error(transparent)]
    Checkpoint(#[from] wengert_train::checkpoint::CheckpointError),
    /// A tokeniser cannot be made.
    #[error(transparent)]
    Tokenizer(#[from] wengert_data::text::TokenizerError),
    /// A file cannot be downloaded.
    #[cfg(feature = "download")]
    #[error(transparent)]
    Download(#[from] wengert_data::download::DownloadError),
    /// A parameter file cannot be read or written, or does not fit the model.
    #[error(transparent)]
    File(#[from] wengert_nn::FileError),
    /// A loss has no gradient.
    #[error(transparent)]
    Grad(#[from] wengert_nn::GradError),
    /// A hyper-parameter has no meaning.
    #[error(transparent)]
    HyperParameter(#[from] wengert_optim::HyperParameterError),
    /// Parameters cannot be grouped, or a group not be switched.
    #[error(transparent)]
    Groups(#[from] wengert_optim::GroupsError),
    /// A pattern fits no parameter's name.
    #[error(transparent)]
    Pattern(#[from] wengert_optim::PatternError),
    /// There is no optimiser of that name, or its learning rate has no meaning.
    #[error(transparent)]
    ByName(#[from] wengert_optim::ByNameError),
    /// A minimisation could not start.
    #[error(transparent)]
    Minimize(#[from] wengert_optim::MinimizeError),
    /// A saved state does not fit.
    #[error(transparent)]
    State(#[from] wengert_state::StateError),
    /// A gradient is not finite.
    #[error(transparent)]
    Step(#[from] wengert_optim::StepError),
    /// A matrix cannot be factored or solved with.
    #[error(transparent)]
    Linalg(#[from] wengert_tensor::linalg::LinalgError),
    /// The number of threads cannot be set.
    #[error(transparent)]
    Threads(#[from] wengert_tensor::parallel::SetThreadsError),
    /// Elements do not fit a shape.
    #[error(transparent)]
    Shape(#[from] wengert_tensor::ShapeError),
    /// Anything of the operating system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A result with [`Error`], unless another error type is given.
pub type Result<T, E = Error> = std::result::Result<T, E>;
