//! Files made by hand: what is told of those that are wrong, that nothing worse happens, and what depends on chance.

mod external;
mod files;
mod inputs;
mod loops;
mod memory;
mod models;
mod mutated;
mod random;
mod read;
mod roles;
mod run;
mod running;
