//! Training that is not synchronous, with ranks as threads.

mod averages;
mod common;
mod flood;
mod hogwild;
mod methods;
mod server;
mod serving;
