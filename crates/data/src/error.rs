//! What can be wrong with data.

use std::path::PathBuf;

use wengert_tensor::{Shape, text};

use crate::idx::IdxError;

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
    /// There are not as many labels as examples.
    #[error("{examples} examples, but {labels} labels")]
    CountMismatch {
        /// The number of examples.
        examples: usize,
        /// The number of labels.
        labels: usize,
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
    /// A mean that is not finite, or a standard deviation that is not positive and finite.
    #[error("cannot normalise by mean {mean} and standard deviation {std}")]
    InvalidNormalisation {
        /// The mean given.
        mean: f32,
        /// The standard deviation given.
        std: f32,
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
