//! The library's own operations, one file per family. Each is a method on [`Var`](crate::Var) with the name that
//! it has on tensors.

mod arithmetic;
mod broadcast;
mod reshape;
mod unary;
