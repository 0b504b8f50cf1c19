//! Every function that takes a size, a position, a count or an axis, with such of any size: near 0, near the limits of
//! `usize` and `isize`, and with products that wrap. Each gives the right result, or a panic that names the operation,
//! the sizes and the caller's line; with and without the compiler's checks for overflow, and under a sanitizer.

mod axes;
mod convolutions;
mod factorisations;
mod helpers;
mod indexing;
mod joins;
mod making;
mod panics;
mod products;
mod scan;
mod views;
mod windows;
