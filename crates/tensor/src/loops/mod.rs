//! The loops that every operation goes through: each takes a formula and knows how to walk strided operands,
//! vectorise and split over threads, so that an operation is no more than its formula.

pub(crate) mod along;
pub(crate) mod blocks;
pub(crate) mod copy;
pub(crate) mod folds;
pub(crate) mod map;
pub(crate) mod nest;
pub(crate) mod operands;
pub(crate) mod reduce;
pub(crate) mod rows;
mod short_rows;
pub(crate) mod spare;
pub(crate) mod sums;
pub(crate) mod transpose;

pub use map::{Map1, Map2, MapN};
pub use reduce::Fold;
pub use rows::{RowFold, RowMap};
