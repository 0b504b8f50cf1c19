//! Objectives and curvature matrices of networks and functions, in one program.

mod factors;
mod flat_loss;
mod function;
mod matrices;
mod misuse;
mod residuals;
