//! Workers that train one model together.

use std::error::Error;
use std::rc::Rc;

use wengert_data::{Division, Fingerprint};
use wengert_nn::{Params, Shards};
use wengert_state::State;
use wengert_tensor::Float;

use crate::error::TrainError;

/// Why workers could not come to terms: another one is gone, or is not of the same program.
pub type WorkersError = Box<dyn Error + Send + Sync>;

/// Workers that run the same program on the same model: what a run asks of them that has nothing to do with numbers. Each call is
/// made by all workers, in the same order.
///
/// ```
/// use wengert_data::{Division, Fingerprint};
/// use wengert_train::{Workers, WorkersError};
///
/// /// A program that runs alone.
/// struct Alone;
///
/// impl Workers for Alone {
///     fn rank(&self) -> usize { 0 }
///     fn workers(&self) -> usize { 1 }
///     fn division(&self) -> Division { Division::new(1, 0..1) }
///     fn exchange(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, WorkersError> { Ok(vec![mine.to_vec()]) }
///     fn message_of_first(&self, message: Vec<u8>) -> Result<Vec<u8>, WorkersError> { Ok(message) }
/// }
///
/// /// Whether all workers say the same.
/// fn agree(workers: &dyn Workers, mine: &str) -> Result<bool, WorkersError> {
///     Ok(workers.exchange(mine.as_bytes())?.windows(2).all(|pair| pair[0] == pair[1]))
/// }
/// assert!(agree(&Alone, "784 inputs")?);
/// # Ok::<(), WorkersError>(())
/// ```
pub trait Workers {
    /// The number of this worker, from 0. The first prints, and writes checkpoints.
    fn rank(&self) -> usize;

    /// How many there are.
    fn workers(&self) -> usize;

    /// How batches are divided among them.
    fn division(&self) -> Division;

    /// Gives all workers the messages of all, in the order of their numbers.
    ///
    /// # Errors
    /// If another worker is gone.
    fn exchange(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, WorkersError>;

    /// Gives all workers the message of the first; what the others bring is not read.
    ///
    /// # Errors
    /// If another worker is gone.
    fn message_of_first(&self, message: Vec<u8>) -> Result<Vec<u8>, WorkersError>;

    /// Gives the first worker the messages of all, in the order of their numbers; the others get none.
    ///
    /// # Errors
    /// If another worker is gone.
    fn messages_to_first(&self, mine: Vec<u8>) -> Result<Vec<Vec<u8>>, WorkersError> {
        let all = self.exchange(&mine)?;
        Ok(if self.rank() == 0 { all } else { Vec::new() })
    }

    /// The bytes of the buckets in which the sum of a gradient is begun, with what lies last in the flat vector, while the backward
    /// sweep computes the rest. By default the sum is begun behind the sweep.
    fn bucket(&self) -> Option<usize> {
        None
    }

    /// Whether each keeps the optimiser's state for a part of the parameters alone, and steps that. By default each has all of it.
    fn shares_state(&self) -> bool {
        false
    }
}

/// Workers that can add up what each found on its part of a batch: what [`Trainer::parallel`](crate::Trainer::parallel) trains with.
/// The crate `wengert-distributed` has some, over MPI and over threads; this crate knows of none.
///
/// ```
/// use wengert_data::{Division, synthetic};
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Adam;
/// use wengert_train::{Parallel, Trainer, Workers, WorkersError, accuracy};
///
/// /// One worker, which computes each batch in two shards to need less memory.
/// struct Halves;
///
/// impl Workers for Halves {
///     fn rank(&self) -> usize { 0 }
///     fn workers(&self) -> usize { 1 }
///     fn division(&self) -> Division { Division::new(2, 0..2) }
///     fn exchange(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, WorkersError> { Ok(vec![mine.to_vec()]) }
///     fn message_of_first(&self, message: Vec<u8>) -> Result<Vec<u8>, WorkersError> { Ok(message) }
/// }
///
/// impl Parallel<f32> for Halves {
///     fn sum(&self, shards: Vec<Vec<f32>>) -> Result<Vec<f32>, WorkersError> {
///         Ok(shards[0].iter().zip(&shards[1]).map(|(a, b)| a + b).collect())
///     }
///     fn numbers_of_first(&self, _: &mut [f32]) -> Result<(), WorkersError> { Ok(()) }
/// }
///
/// let data = synthetic::digits(200, 0);
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// Trainer::new(&mut params, Adam::new(3e-3))
///     .batch_size(50)
///     .parallel(Halves)
///     .fit(&data, 10, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
/// assert!(accuracy(&model, &params, &data) > 0.9);
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
pub trait Parallel<T: Float>: Workers {
    /// The sum over all shards of a batch, of which this worker brings its own [ones](Division::own) in their order, all of one
    /// length. All workers get the same bits.
    ///
    /// # Errors
    /// If another worker is gone.
    fn sum(&self, shards: Vec<Vec<T>>) -> Result<Vec<T>, WorkersError>;

    /// Begins a sum of a part of all vectors, and returns at once; others may be begun before it is at its end. All workers begin the
    /// same ones in the same order. By default it is at its end when it returns.
    ///
    /// # Errors
    /// If another worker is gone.
    fn start_sum(&self, shards: Vec<Vec<T>>) -> Result<Box<dyn PendingSum<T>>, WorkersError> {
        Ok(Box::new(Summed(self.sum(shards)?)))
    }

    /// The same sum, of which this worker gets its own segment only, in its place; the rest of what is returned means nothing. Worker
    /// `w` has the `lengths[w]` elements behind those of the workers before it. By default all of it is added up for all.
    ///
    /// # Errors
    /// If another worker is gone.
    fn sum_segments(&self, shards: Vec<Vec<T>>, _lengths: &[usize]) -> Result<Vec<T>, WorkersError> {
        self.sum(shards)
    }

    /// Gives all workers all segments, of which each brings its own, laid out as for [`sum_segments`](Parallel::sum_segments).
    ///
    /// # Errors
    /// If another worker is gone.
    fn gather(&self, values: &mut [T], lengths: &[usize]) -> Result<(), WorkersError> {
        let start: usize = lengths[..self.rank()].iter().sum();
        let own = &values[start..start + lengths[self.rank()]];
        let mine: Vec<u8> = own.iter().flat_map(|value| value.to_le_bytes().as_ref().to_vec()).collect();
        let all = self.exchange(&mine)?.concat();
        for (value, bytes) in values.iter_mut().zip(all.chunks_exact(size_of::<T>())) {
            *value = T::from_le_bytes(T::Bytes::try_from(bytes).map_err(|_| "a number of another length")?);
        }
        Ok(())
    }

    /// Gives all workers the numbers of the first.
    ///
    /// # Errors
    /// If another worker is gone.
    fn numbers_of_first(&self, values: &mut [T]) -> Result<(), WorkersError>;

    /// What a forward pass on this worker's shard, with that share of the batch's examples, is to know of the others, so that
    /// statistics of a batch are those of the whole; by default nothing. All workers give some or none, and those that give some have
    /// one shard each, since the shards of a batch are then evaluated at the same time.
    fn shards(&self, _share: f64) -> Option<Rc<dyn Shards<T>>> {
        None
    }
}

/// A sum over shards that goes on while its worker does something else.
///
/// ```
/// use wengert_train::{PendingSum, WorkersError};
///
/// /// What can be done meanwhile, until it is at its end.
/// fn meanwhile(mut sum: Box<dyn PendingSum<f32>>, mut work: impl FnMut()) -> Result<Vec<f32>, WorkersError> {
///     while !sum.progress()? {
///         work();
///     }
///     sum.finish()
/// }
/// ```
pub trait PendingSum<T: Float> {
    /// Lets it go on, where it needs its worker to call for that; whether it is at its end.
    ///
    /// # Errors
    /// If another worker is gone.
    fn progress(&mut self) -> Result<bool, WorkersError>;

    /// Waits for the sum.
    ///
    /// # Errors
    /// If another worker is gone.
    fn finish(self: Box<Self>) -> Result<Vec<T>, WorkersError>;
}

/// A sum that was at its end when it began.
struct Summed<T>(Vec<T>);

impl<T: Float> PendingSum<T> for Summed<T> {
    fn progress(&mut self) -> Result<bool, WorkersError> {
        Ok(true)
    }

    fn finish(self: Box<Self>) -> Result<Vec<T>, WorkersError> {
        Ok(self.0)
    }
}

/// States as messages.
pub(crate) fn bytes(state: &State) -> Vec<u8> {
    serde_json::to_vec(state).expect("a state is names and numbers")
}

/// The state that a message is.
pub(crate) fn state(bytes: &[u8]) -> Result<State, TrainError> {
    serde_json::from_slice(bytes).map_err(|error| TrainError::Workers(Box::new(error)))
}

/// Lets workers compare facts, which are names and values; called by all. A run compares its settings, model and data by it.
///
/// ```
/// use wengert_train::{TrainError, Workers, expect_alike};
/// // Before a loop of one's own, with what only the program knows.
/// fn begin(workers: &dyn Workers, temperature: f64) -> Result<(), TrainError> {
///     expect_alike(workers, &[("temperature".to_owned(), temperature.to_string())])
/// }
/// ```
///
/// # Errors
/// [`TrainError::Unlike`], on all alike, with the first worker and the first fact of it that differ; or if another worker is gone.
pub fn expect_alike(workers: &dyn Workers, facts: &[(String, String)]) -> Result<(), TrainError> {
    let mine = serde_json::to_vec(facts).expect("facts are texts");
    let all = workers.exchange(&mine).map_err(TrainError::Workers)?;
    // All compare all with the first, so that all fail alike.
    let read = |bytes: &[u8]| -> Result<Vec<(String, String)>, TrainError> {
        serde_json::from_slice(bytes).map_err(|error| TrainError::Workers(Box::new(error)))
    };
    let Some(rank) = all.iter().position(|other| *other != all[0]) else { return Ok(()) };
    let (first, other) = (read(&all[0])?, read(&all[rank])?);
    let value = |of: &[(String, String)], name: &str| {
        let found = of.iter().find(|(known, _)| known == name);
        found.map_or_else(|| "nothing".to_owned(), |(_, value)| value.clone())
    };
    let mut names = first.iter().chain(&other).map(|(name, _)| name.as_str());
    let name = names.find(|name| value(&first, name) != value(&other, name));
    // All values are the same where they only stand in another order.
    let list =
        |of: &[(String, String)]| of.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    Err(match name {
        Some(name) => TrainError::Unlike {
            what: name.to_owned(),
            first: value(&first, name),
            other: value(&other, name),
            rank,
        },
        None => {
            let what = "order of what it declares".to_owned();
            TrainError::Unlike { what, first: list(&first), other: list(&other), rank }
        }
    })
}

/// What all workers must have in common at the start.
pub(crate) fn facts<T: Float>(params: &Params<T>, workers: &dyn Workers) -> Vec<(String, String)> {
    let mut facts = vec![
        ("version of the library".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("number of shards".to_owned(), workers.division().shards().to_string()),
        ("seed of the parameters, or step".to_owned(), format!("{:?}", params.key().value().to_vec())),
    ];
    facts.extend(model_facts(params));
    facts
}

/// The element type of a model, and the names and shapes of all that it has.
#[doc(hidden)]
pub fn model_facts<T: Float>(params: &Params<T>) -> Vec<(String, String)> {
    let mut facts = vec![("element type".to_owned(), std::any::type_name::<T>().to_owned())];
    facts.extend(
        params.iter().map(|(name, shape, _)| (format!("shape of the parameter `{name}`"), shape.to_string())),
    );
    let buffers = params.buffers();
    facts.extend(
        buffers.iter().map(|(name, it)| (format!("shape of the buffer `{name}`"), it.shape().to_string())),
    );
    facts
        .extend(params.counts().into_iter().map(|(name, _)| (format!("count `{name}`"), "there".to_owned())));
    facts
}

/// A number that other values hardly have.
#[doc(hidden)]
pub fn fingerprint<T: Float>(start: u64, values: &[T]) -> u64 {
    values.iter().fold(Fingerprint::from_value(start), |hash, x| hash.word(x.to_f64().to_bits())).value()
}

/// A fingerprint, if there is one, in the form of a fact.
#[doc(hidden)]
pub fn shown_fingerprint(hash: Option<u64>) -> String {
    hash.map_or_else(|| "not known".to_owned(), |hash| format!("fingerprint {hash:016x}"))
}

/// A number that models with other parameters or buffers hardly have, in the form of a fact.
pub(crate) fn fact_of<T: Float>(params: &Params<T>) -> (String, String) {
    let hash = fingerprint(fingerprint(params.step(), params.values()), &params.buffer_values());
    ("parameters".to_owned(), shown_fingerprint(Some(hash)))
}

/// Gives the model of all workers the parameters, buffers and counts of the first.
pub(crate) fn take_over_first<T: Float>(
    params: &mut Params<T>,
    group: &dyn Parallel<T>,
) -> Result<(), TrainError> {
    let own: Vec<i64> = params.counts().into_iter().map(|(_, count)| count).collect();
    let counts =
        group.message_of_first(serde_json::to_vec(&own).expect("numbers")).map_err(TrainError::Workers)?;
    let counts: Vec<i64> =
        serde_json::from_slice(&counts).map_err(|error| TrainError::Workers(Box::new(error)))?;
    let mut values = params.values().to_vec();
    values.extend(params.buffer_values());
    group.numbers_of_first(&mut values).map_err(TrainError::Workers)?;
    let (parameters, buffers) = values.split_at(params.len());
    params.set_values(parameters);
    if !counts.is_empty() || !buffers.is_empty() {
        params.set_buffer_values(buffers, &counts);
    }
    Ok(())
}
