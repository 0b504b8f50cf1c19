//! Losses, layers and models against the numbers that PyTorch gives. Each module reads the golden file beside it, and the
//! script that wrote that file stands there too.

mod activations;
mod basics;
mod embedding;
mod lenet;
mod losses;
mod norms;
mod parametrize;
mod recurrent;
mod rest;
mod support;
mod sweep;
mod transformer;
mod windows;
