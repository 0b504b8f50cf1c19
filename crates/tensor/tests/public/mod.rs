//! Of what is public alone.

mod files;
mod laws;
mod random;
