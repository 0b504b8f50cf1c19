//! Generators of random numbers.

use wengert_tensor::random::Generator;

use crate::{State, StateError};

const KIND: &str = "generator";

impl From<&Generator> for State {
    /// Everything that decides which numbers come next.
    fn from(generator: &Generator) -> Self {
        State::new(KIND, 0).with_words("state", &generator.state())
    }
}

impl TryFrom<&State> for Generator {
    type Error = StateError;

    fn try_from(state: &State) -> Result<Self, StateError> {
        state.expect(KIND, &[], &["state"], &[])?;
        Ok(Generator::from_state(state.words("state")?))
    }
}
