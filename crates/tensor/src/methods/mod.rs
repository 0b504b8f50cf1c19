//! The methods of tensors: each checks what it is given, finds the shape of its result, and calls a loop or a kernel.

mod arithmetic;
mod compare;
mod diagonal;
pub(crate) mod extremes;
pub(crate) mod index;
mod join;
pub(crate) mod logic;
pub(crate) mod matmul;
mod moments;
pub(crate) mod norm;
mod prod;
mod sample;
mod scatter;
mod select;
pub(crate) mod sum;
pub(crate) mod unary;
pub(crate) mod view;
