//! Values of any type that serde knows, as states.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::node::{Found, Node, VALUE};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{State, StateError};

impl State {
    /// A value of a type that serde can write, for [`read`](State::read) to give back with the same bits: fields become names,
    /// lists of numbers vectors, structures within it children. For settings, and for what a program keeps of its own.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use wengert_state::State;
    /// #[derive(Serialize, Deserialize, PartialEq, Debug)]
    /// struct Best {
    ///     loss: f64,
    ///     epoch: Option<u64>,
    ///     recent: Vec<f32>,
    /// }
    /// let best = Best { loss: f64::INFINITY, epoch: None, recent: vec![0.5, 0.25] };
    /// let state = State::of(&best)?;
    /// assert_eq!(state.kind, "Best");
    /// assert_eq!(state.vector::<f32>("recent", 2)?, [0.5, 0.25]);
    /// assert_eq!(state.read::<Best>()?, best);
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    ///
    /// # Errors
    /// If the type has what no state can hold: a map whose keys are no texts, numbers of 128 bits.
    pub fn of<V: Serialize + ?Sized>(value: &V) -> Result<Self, StateError> {
        match value.serialize(Writer)? {
            Node::Tree(state) => Ok(state),
            node => {
                let mut state = State::new(VALUE, 0);
                node.put(VALUE, &mut state);
                Ok(state)
            }
        }
    }

    /// The value that [`State::of`] was given.
    ///
    /// # Errors
    /// If this is the state of a value of another type, or something is missing, too much, of another type or out of
    /// range.
    pub fn read<V: DeserializeOwned>(&self) -> Result<V, StateError> {
        let alone = (self.kind == VALUE).then(|| Found::of(self, VALUE)).flatten();
        V::deserialize(Reader(alone.unwrap_or(Found::Tree(self))))
    }
}
