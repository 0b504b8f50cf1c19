//! Parameters and all that evaluations depend on, as a state.

use std::sync::Arc;

use wengert_state::{Scalar, State, StateError};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape, Tensor};

use super::buffers::Buffers;
use super::{Params, Updates};

/// The kinds of the state and of its parts, which are named after them.
const KIND: &str = "params";
const PARAMETERS: &str = "parameters";
const SHAPES: &str = "shapes";
const FROZEN: &str = "frozen";
const BUFFERS: &str = "buffers";
const COLLECTED: &str = "collected";
const GENERATOR: &str = "generator";

impl<T: Float> Params<T> {
    /// Everything that evaluations depend on, for [`load_state`](Params::load_state) to go on from with the same bits: the
    /// parameters and which of them are frozen, buffers and counts, what has been [collected](Params::collect_updates) for
    /// the step to come, the generator, and the number of evaluations, which with it decides the masks of dropout. A
    /// [file of tensors](Params::save) has the parameters, buffers and counts alone.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let build = |seed| {
    ///     let mut params: Params = Params::seeded(seed);
    ///     Linear::new(params.at("out"), 3, 2);
    ///     params
    /// };
    /// let (params, mut resumed) = (build(0), build(1));
    /// resumed.load_state(&params.state())?;
    /// assert_eq!(resumed.values(), params.values());
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    pub fn state(&self) -> State {
        let mut shapes = State::new(SHAPES, 0);
        let mut parameters = State::new(PARAMETERS, self.len());
        let mut frozen = State::new(FROZEN, 0);
        for entry in self.layout.entries() {
            parameters = parameters.with_vector(&entry.name, &self.values()[entry.range()]);
            shapes = with_shape(shapes, &entry.name, &entry.shape);
            if entry.frozen {
                frozen = frozen.with_scalar(&entry.name, Scalar::Flag(true));
            }
        }
        let mut buffers = State::new(BUFFERS, 0);
        for (name, buffer) in self.buffers() {
            buffers = buffers.with_vector(&name, &buffer.to_vec());
            shapes = with_shape(shapes, &name, buffer.shape());
        }
        for (name, count) in self.counts() {
            buffers = buffers.with_scalar(&name, Scalar::Integer(count));
        }
        State::new(KIND, self.len())
            .with_words("evaluations", &self.evaluations())
            .with_child(GENERATOR, State::from(&self.generator))
            .with_child(PARAMETERS, parameters)
            .with_child(SHAPES, shapes)
            .with_child(FROZEN, frozen)
            .with_child(BUFFERS, buffers)
            .with_child(COLLECTED, self.collected())
    }

    /// Means by the buffers' names, with the numbers that they are the means of, and counts.
    fn collected(&self) -> State {
        let mut state = State::new(COLLECTED, 0);
        for (index, name) in self.layout.buffer_names().iter().enumerate() {
            if let Some((mean, number)) = self.waiting.mean(index) {
                state = state.with_vector(name, &mean.to_vec()).with_count(name, number);
            }
        }
        for (index, name) in self.layout.count_names().iter().enumerate() {
            if let Some(count) = self.waiting.count(index) {
                state = state.with_scalar(name, Scalar::Integer(count));
            }
        }
        state
    }

    /// Goes on from a saved [state](Params::state) of a model that was built in the same way.
    ///
    /// # Errors
    /// If the state is not that of a model with these names and shapes in this precision; nothing is then changed.
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let children = [GENERATOR, PARAMETERS, SHAPES, FROZEN, BUFFERS, COLLECTED];
        state.expect(KIND, &[], &["evaluations"], &children)?;
        let [step, inferences] = state.words("evaluations")?;
        let generator = Generator::try_from(state.child(GENERATOR)?)?;
        let frozen = self.read_frozen(state.child(FROZEN)?)?;
        self.check_shapes(state.child(SHAPES)?)?;
        let values = self.read_parameters(state.child(PARAMETERS)?)?;
        let buffers = self.read_buffers(state.child(BUFFERS)?)?;
        let waiting = self.read_collected(state.child(COLLECTED)?)?;
        self.set_values(&values);
        if self.layout.entries().iter().map(|entry| entry.frozen).ne(frozen.iter().copied()) {
            Arc::make_mut(&mut self.layout).freeze_each(&frozen);
        }
        self.set_buffers(buffers.tensors, buffers.counts);
        self.waiting = waiting;
        self.generator = generator;
        self.set_step(step);
        *self.inferences.get_mut() = inferences;
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        self.layout.entries().iter().map(|entry| entry.name.as_str()).collect()
    }

    fn read_frozen(&self, state: &State) -> Result<Vec<bool>, StateError> {
        let names = self.names();
        state.expect(FROZEN, &names, &[], &[])?;
        let flag = |name: &&str| match state.scalars.get(*name) {
            Some(_) => state.flag(name),
            None => Ok(false),
        };
        names.iter().map(flag).collect()
    }

    fn check_shapes(&self, state: &State) -> Result<(), StateError> {
        let buffers = self.buffers();
        let buffers = buffers.iter().map(|(name, buffer)| (name.as_str(), buffer.shape()));
        let parameters = self.layout.entries().iter().map(|entry| (entry.name.as_str(), &entry.shape));
        let shapes: Vec<(&str, &Shape)> = parameters.chain(buffers).collect();
        let names: Vec<&str> = shapes.iter().map(|(name, _)| *name).collect();
        state.expect(SHAPES, &names, &[], &[])?;
        for (name, shape) in shapes {
            if *state.scalar(name)? != Scalar::Text(shape.to_string()) {
                return Err(state.refuse(name, "the shape that it has here"));
            }
        }
        Ok(())
    }

    fn read_parameters(&self, state: &State) -> Result<Vec<T>, StateError> {
        state.expect(PARAMETERS, &[], &self.names(), &[])?;
        let mut values = Vec::with_capacity(self.len());
        for entry in self.layout.entries() {
            values.extend(state.vector::<T>(&entry.name, entry.shape.count())?);
        }
        Ok(values)
    }

    fn read_buffers(&self, state: &State) -> Result<Buffers<T>, StateError> {
        let (buffers, counts) = (self.layout.buffer_names(), self.layout.count_names());
        state.expect(BUFFERS, &texts(counts), &texts(buffers), &[])?;
        let tensors = buffers.iter().zip(&self.buffers.tensors).map(|(name, here)| read(state, name, here));
        let tensors = tensors.collect::<Result<_, _>>()?;
        let counts = counts.iter().map(|name| state.integer(name)).collect::<Result<_, _>>()?;
        Ok(Buffers { tensors, counts })
    }

    fn read_collected(&self, state: &State) -> Result<Updates<T>, StateError> {
        let (buffers, counts) = (self.layout.buffer_names(), self.layout.count_names());
        state.expect(COLLECTED, &[texts(buffers), texts(counts)].concat(), &texts(buffers), &[])?;
        let mut updates = Updates::default();
        for (index, name) in buffers.iter().enumerate() {
            if state.vectors.contains_key(name) || state.scalars.contains_key(name) {
                let mean = read(state, name, &self.buffers.tensors[index])?;
                updates.set_mean(index, mean, state.count(name)?);
            }
        }
        for (index, name) in counts.iter().enumerate() {
            if state.scalars.contains_key(name) {
                updates.set_count(index, state.integer(name)?);
            }
        }
        Ok(updates)
    }
}

fn with_shape(state: State, name: &str, shape: &Shape) -> State {
    state.with_scalar(name, Scalar::Text(shape.to_string()))
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// A buffer of the shape that it has here.
fn read<T: Float>(state: &State, name: &str, here: &Tensor<T>) -> Result<Tensor<T>, StateError> {
    Ok(Tensor::vector(&state.vector::<T>(name, here.len())?).reshape(here.shape()))
}
