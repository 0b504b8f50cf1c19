//! Places in the data where training can go on.

use wengert_state::{State, StateError};

/// A place in the passes over a data set, before one of the batches: what [`Batches::position`](super::Batches::position)
/// tells and [`Batches::resume`](super::Batches::resume) goes on from.
///
/// Besides the place it has the settings that decide what the batches are, so that a place in other data is refused.
/// It is seven numbers, and as a [state](State) part of a saved run:
///
/// ```
/// use wengert_data::{Position, synthetic};
/// let mut batches = synthetic::digits(100, 0).batches(10).shuffled(3).epoch(2);
/// batches.nth(4);
/// let position = batches.position();
/// assert_eq!((position.epoch, position.batch), (2, 5));
/// assert_eq!(Position::from_words(position.to_words()), position);
/// assert_eq!(Position::try_from(&wengert_state::State::from(&position))?, position);
/// # Ok::<(), wengert_state::StateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The seed of the shuffling, if there is one.
    pub seed: Option<u64>,
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The batch of the epoch that comes next, counted from 0.
    pub batch: u64,
    /// The size of the batches, of all workers together.
    pub batch_size: u64,
    /// The number of batches that are [bucketed](super::Batches::bucketed) together; 0 if they are not.
    pub bucket: u64,
    /// The number of examples of the data set.
    pub examples: u64,
}

impl Position {
    /// As numbers, to be stored.
    pub fn to_words(&self) -> [u64; 7] {
        let (shuffled, seed) = self.seed.map_or((0, 0), |seed| (1, seed));
        [shuffled, seed, self.epoch, self.batch, self.batch_size, self.bucket, self.examples]
    }

    /// From the numbers that [`to_words`](Position::to_words) gave. Any seven are a position; whether there is such a one,
    /// [`Batches::resume`](super::Batches::resume) says.
    pub fn from_words(words: [u64; 7]) -> Self {
        let [shuffled, seed, epoch, batch, batch_size, bucket, examples] = words;
        let seed = (shuffled != 0).then_some(seed);
        Position { seed, epoch, batch, batch_size, bucket, examples }
    }
}

const KIND: &str = "position";

impl From<&Position> for State {
    fn from(position: &Position) -> Self {
        State::new(KIND, 0).with_words("words", &position.to_words())
    }
}

impl TryFrom<&State> for Position {
    type Error = StateError;

    fn try_from(state: &State) -> Result<Self, StateError> {
        state.expect(KIND, &[], &["words"], &[])?;
        Ok(Position::from_words(state.words("words")?))
    }
}
