//! Random numbers. The key of the generator is an operand, as that of dropout, so that a recording can be replayed with
//! another one.

mod choice;
mod gamma;
mod numbers;
