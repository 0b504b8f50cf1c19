//! Files made by hand: what is told of those that are wrong, that nothing worse happens, and what depends on chance.

mod files;
mod memory;
mod mutated;
mod random;
mod read;
mod run;
