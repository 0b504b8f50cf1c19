//! What the examples that draw share. They are a package of their own, so that whoever trains on MNIST does not build
//! a library for drawing.

pub mod files;
pub mod mlp;
pub mod options;
