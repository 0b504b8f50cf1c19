//! Data sets, batches, files and downloads, in one program.

mod augment;
mod batches;
mod csv;
mod dataset;
mod download;
mod idx;
mod images;
mod load;
mod mirrors;
mod mnist;
mod prefetch;
mod sources;
mod synthetic;
mod text;
