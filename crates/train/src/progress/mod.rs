//! What a person sees of a run.

#[cfg(feature = "progress")]
mod bar;
mod lines;

#[cfg(feature = "progress")]
pub use bar::Progress;
pub use lines::PlainLines;

#[cfg(test)]
mod tests;
