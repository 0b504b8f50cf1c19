//! What can be wrong with data.

use std::path::PathBuf;

use wengert_tensor::{Shape, text};

use crate::idx::IdxError;
use crate::text::TokenizerError;

/// Why a data set could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file is not what it should be.
    #[error("{}: {source}", text::path(path))]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdxError,
    },
    /// A file is not the table that it should be.
    #[cfg(feature = "csv")]
    #[error("{}: {source}", text::path(path))]
    Csv {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<crate::csv::CsvError>,
    },
    /// A file is not the image that it should be: of another format than PNG and JPEG, damaged, or too large.
    #[cfg(feature = "image")]
    #[error("{}: {}", text::path(path), text::line(source.to_string().trim(), 300))]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file cannot be read.
    #[error("{}: {source}", text::path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file is not the tokeniser that it should be, or cannot be written.
    #[error("{}: {source}", text::path(path))]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<TokenizerError>,
    },
    /// A tokeniser cannot be made.
    #[error(transparent)]
    Tokens(#[from] TokenizerError),
    /// A token that a tokeniser does not have.
    #[error("token {token} at position {position} is not below {vocabulary}, the number of tokens")]
    UnknownToken {
        /// Where it is.
        position: usize,
        /// The token.
        token: u32,
        /// The number of tokens.
        vocabulary: usize,
    },
    /// A series with fewer steps than one window needs.
    #[error(
        "a series of {steps} steps has no window: that takes {needed}, and input and target at least one each"
    )]
    SeriesTooShort {
        /// The number of its steps.
        steps: usize,
        /// The steps of a window with its target.
        needed: usize,
    },
    /// Windows that never move on.
    #[error("a stride of 0")]
    ZeroStride,
    /// A file is in order, but not what the data set needs.
    #[error("{}: {source}", text::path(path))]
    Contents {
        /// The file.
        path: PathBuf,
        /// What is wrong with what it holds.
        source: Box<DataError>,
    },
    /// A folder lacks a file of the data set, under any of the spellings that are looked for.
    #[error("{}: no file {name}, compressed or not", text::path(folder))]
    NotFound {
        /// The folder.
        folder: PathBuf,
        /// The file's usual name.
        name: &'static str,
    },
    /// The data set is nowhere on this machine, and could not be downloaded.
    #[error("{name} cannot be had: {reason}")]
    Unavailable {
        /// The data set.
        name: &'static str,
        /// Where it was looked for, and why it was not downloaded.
        reason: String,
    },
    /// The parts of the examples (inputs, targets) are not equally many.
    #[error("the parts of the examples are not equally many: part 0 has {expected}, part {part} has {found}")]
    CountMismatch {
        /// How many the first part has.
        expected: usize,
        /// The part that has another number, counted from 0.
        part: usize,
        /// How many that has.
        found: usize,
    },
    /// A column of a table is not as it should be, or not there.
    #[error("the column {} {reason}", text::quoted(name))]
    Column {
        /// Its name, shortened.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no example at all.
    #[error("the data set is empty")]
    Empty,
    /// There are more examples than a `u32` can count.
    #[error("{examples} examples are more than {} can be indexed", u32::MAX)]
    TooMany {
        /// The number of examples.
        examples: usize,
    },
    /// A label names no class.
    #[error("label {label} of example {example} is out of range for {classes} classes")]
    LabelOutOfRange {
        /// The example's position.
        example: usize,
        /// Its label.
        label: u32,
        /// The number of classes.
        classes: usize,
    },
    /// Images are not of the size that the data set has.
    #[error("an example has shape {found}, not {expected}")]
    WrongExampleShape {
        /// The shape that one example should have.
        expected: Shape,
        /// The shape that it has.
        found: Shape,
    },
    /// A split that would leave one of its two sides without an example, or whose fraction is not a number
    /// between 0 and 1.
    #[error("a fraction of {fraction} of {examples} examples leaves one side of the split empty")]
    InvalidSplit {
        /// The fraction asked for.
        fraction: f64,
        /// The number of examples.
        examples: usize,
    },
    /// A sequence's elements have another shape than those of the first one, or it has no axis.
    #[error("example {example} has shape {found}, not [length, …] with elements of shape {expected}")]
    UnequalShapes {
        /// The example's position.
        example: usize,
        /// The shape of the first one's elements.
        expected: Shape,
        /// The shape of the whole example.
        found: Shape,
    },
    /// A sequence has more elements than a `u32` can count.
    #[error("a sequence of {length} elements is longer than {}", u32::MAX)]
    TooLong {
        /// The number of its elements.
        length: usize,
    },
    /// A mean that is not finite, or a standard deviation that is not positive and finite, in the features' type.
    #[error("cannot normalise by mean {mean} and standard deviation {std}")]
    InvalidNormalisation {
        /// The mean given.
        mean: f64,
        /// The standard deviation given.
        std: f64,
    },
    /// A feature has no mean or standard deviation, as it is infinite or NaN in some example, or too large.
    #[error("feature {feature} has no finite mean and standard deviation")]
    NotFinite {
        /// The feature's position in an example, in row-major order.
        feature: usize,
    },
    /// Moments of another number of features.
    #[error("moments of {moments} features, but there are {features}")]
    MomentsMismatch {
        /// The number of features.
        features: usize,
        /// The number of means or standard deviations.
        moments: usize,
    },
    /// A share of the examples that does not exist, or has none.
    #[error("no share {worker} of {workers} of {examples} examples")]
    InvalidShard {
        /// The share asked for, counted from 0.
        worker: usize,
        /// The number of shares.
        workers: usize,
        /// The number of examples.
        examples: usize,
    },
    /// A position that was noted in batches of other settings or another data set.
    #[error("the position is of other batches: {what} {found}, not {expected}")]
    PositionMismatch {
        /// What differs.
        what: &'static str,
        /// What it is here.
        expected: String,
        /// What it was where the position was noted.
        found: String,
    },
    /// A position past the end of its epoch.
    #[error("no position before batch {batch}: an epoch has {batches}")]
    PositionOutOfRange {
        /// The batch that would be next, counted from 0.
        batch: u64,
        /// The number of batches.
        batches: u64,
    },
    /// A position past the last example.
    #[error("no example {index}: there are {examples}")]
    IndexOutOfRange {
        /// The position asked for.
        index: usize,
        /// The number of examples.
        examples: usize,
    },
}
