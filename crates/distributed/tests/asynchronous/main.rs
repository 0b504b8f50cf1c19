//! Training that is not synchronous, with ranks as threads.

mod averages;
mod common;
mod hogwild;
mod methods;
mod server;
mod serving;
