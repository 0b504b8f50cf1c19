//! How a model without recurrence knows where in a sequence it is.

mod alibi;
mod learned;
mod rotary;
mod sinusoidal;

pub use alibi::alibi;
pub use learned::LearnedPositions;
pub use rotary::RotaryPositions;
pub use sinusoidal::SinusoidalPositions;
