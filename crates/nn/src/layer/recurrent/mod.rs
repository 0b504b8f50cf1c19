//! Recurrent layers and their cells. What distinguishes them is a [`Unit`]; the rest is written once.

mod builder;
mod cell;
mod gru;
mod layer;
mod lstm;
mod rnn;
mod sequence;
mod unit;
mod weights;

pub use builder::RecurrentBuilder;
pub use cell::{CellBuilder, RecurrentCell};
pub use gru::{Gru, GruCell, GruUnit};
pub use layer::Recurrent;
pub use lstm::{Lstm, LstmCell, LstmState, LstmUnit};
pub use rnn::{Rnn, RnnCell, RnnUnit};
pub use unit::Unit;
