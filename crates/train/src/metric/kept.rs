//! What metrics keep, and how it becomes a state.

use wengert_state::{State, StateError, Values};

use super::exact::ExactSum;

/// What a metric keeps of what it took in.
pub(super) trait Kept: Sized + Clone {
    /// Adds it to a state that has the metric's settings.
    fn write(&self, state: State) -> State;

    /// What [`write`](Kept::write) added, which was kept with the same settings as this.
    fn read(&self, state: &State) -> Result<Self, StateError>;

    /// Takes in what another kept.
    fn add(&mut self, other: Self) -> Result<(), StateError>;

    /// Forgets all.
    fn reset(&mut self);

    /// What the [state](Kept::write) of a metric with these settings has.
    fn checked_read(&self, settings: State, state: &State) -> Result<Self, StateError> {
        same_settings(&settings, &self.write(settings.clone()), state)?;
        self.read(state)
    }
}

/// In the `impl` of [`Metric`](super::Metric): what is the same for all that have a `name`, `settings()`, a `value()` and something
/// [`Kept`].
macro_rules! kept_in {
    ($field:ident) => {
        fn name(&self) -> &str {
            &self.name
        }

        fn value(&self) -> f64 {
            // The type's own, which needs no type of the outputs.
            Self::value(self)
        }

        fn reset(&mut self) {
            crate::metric::kept::Kept::reset(&mut self.$field);
        }

        fn state(&self) -> wengert_state::State {
            crate::metric::kept::Kept::write(&self.$field, self.settings())
        }

        fn load_state(&mut self, state: &wengert_state::State) -> Result<(), wengert_state::StateError> {
            self.$field = crate::metric::kept::Kept::checked_read(&self.$field, self.settings(), state)?;
            Ok(())
        }

        fn merge(&mut self, other: &wengert_state::State) -> Result<(), wengert_state::StateError> {
            let other = crate::metric::kept::Kept::checked_read(&self.$field, self.settings(), other)?;
            crate::metric::kept::Kept::add(&mut self.$field, other)
        }
    };
}
pub(super) use kept_in;

/// In the `impl` of a metric that has a `name` and `kept`: its name, and what needs no type of outputs.
macro_rules! named {
    () => {
        /// Its name: the value's is made of the set's and this.
        pub fn name(&self) -> &str {
            &self.name
        }

        /// Forgets all that was taken in.
        pub fn reset(&mut self) {
            crate::metric::kept::Kept::reset(&mut self.kept);
        }

        /// The same under another name, for one that stands beside others of its kind.
        ///
        /// ```
        /// use wengert_tensor::Tensor;
        /// use wengert_train::metric::{Averaging, Metrics, Precision};
        /// let mut metrics = Metrics::new()
        ///     .with(Precision::new(Averaging::Binary))
        ///     .with(Precision::new(Averaging::Binary).threshold(2.0).named("precision_of_the_sure"));
        /// metrics.update(&Tensor::from([3.0f32, 1.0]), &Tensor::from([1, 0]));
        /// assert_eq!(metrics.value("precision"), Some(0.5));
        /// assert_eq!(metrics.value("precision_of_the_sure"), Some(1.0));
        /// ```
        pub fn named(mut self, name: impl Into<String>) -> Self {
            self.name = name.into();
            self
        }
    };
}
pub(super) use named;

/// Checks that a state has the settings, and the same names as a state that is written here.
fn same_settings(settings: &State, written: &State, found: &State) -> Result<(), StateError> {
    let scalars: Vec<&str> = written.scalars.keys().map(String::as_str).collect();
    let vectors: Vec<&str> = written.vectors.keys().map(String::as_str).collect();
    found.expect(&written.kind, &scalars, &vectors, &[])?;
    for (name, setting) in &settings.scalars {
        if found.scalar(name)? != setting {
            return Err(found.refuse(name, "what it is set to here"));
        }
    }
    Ok(())
}

/// The error that a vector of a state is not what it must be.
pub(super) fn refused(state: &State, name: &str, message: &str) -> StateError {
    StateError::Other { kind: state.kind.clone(), name: name.to_owned(), message: message.to_owned() }
}

/// The whole numbers of this name.
pub(super) fn words<'a>(state: &'a State, name: &str) -> Result<&'a [u64], StateError> {
    match state.vectors.get(name) {
        Some(Values::U64(words)) => Ok(words),
        Some(_) => Err(refused(state, name, "no whole numbers")),
        None => Err(StateError::Missing { kind: state.kind.clone(), name: name.to_owned() }),
    }
}

/// Whole numbers below 2⁵³, as counts are, so that sums of them are right.
pub(super) fn counts(state: &State, name: &str) -> Result<Vec<u64>, StateError> {
    let words = words(state, name)?;
    if words.iter().any(|&word| word >= 1 << 53) {
        return Err(refused(state, name, "counts of 2⁵³ and more"));
    }
    Ok(words.to_vec())
}

/// The error that a state of so many of something does not fit.
pub(super) fn unlike(state: &str, what: &str, here: usize, there: usize) -> StateError {
    let message = format!("{there}, but here there are {here}");
    StateError::Other { kind: state.to_owned(), name: what.to_owned(), message }
}

/// How many of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    pub(super) right: u64,
    pub(super) all: u64,
}

impl Share {
    /// Takes in one more.
    pub(super) fn count(&mut self, right: bool) {
        self.right += u64::from(right);
        self.all += 1;
    }

    /// The fraction.
    pub(super) fn value(&self) -> f64 {
        self.right as f64 / self.all as f64
    }
}

impl Kept for Share {
    fn write(&self, state: State) -> State {
        state.with_count("right", self.right).with_count("all", self.all)
    }

    fn read(&self, state: &State) -> Result<Self, StateError> {
        let share = Share { right: state.count("right")?, all: state.count("all")? };
        if share.right > share.all {
            return Err(state.refuse("right", "at most all"));
        }
        Ok(share)
    }

    fn add(&mut self, other: Self) -> Result<(), StateError> {
        self.right += other.right;
        self.all += other.all;
        Ok(())
    }

    fn reset(&mut self) {
        *self = Share::default();
    }
}

/// A sum with how much it is the sum of.
#[derive(Clone, Debug)]
pub(super) struct Total {
    pub(super) sum: ExactSum,
    pub(super) weight: ExactSum,
}

impl Total {
    /// Nothing.
    pub(super) const NOTHING: Total = Total { sum: ExactSum::ZERO, weight: ExactSum::ZERO };

    /// Takes in a value that counts once.
    pub(super) fn count(&mut self, value: f64) {
        self.sum.add(value);
        self.weight.add(1.0);
    }

    /// The mean.
    pub(super) fn mean(&self) -> f64 {
        self.sum.value() / self.weight.value()
    }
}

impl Kept for Total {
    fn write(&self, mut state: State) -> State {
        let sums = [self.sum.clone(), self.weight.clone()];
        state.vectors.insert("sums".into(), ExactSum::written(&sums));
        state
    }

    fn read(&self, state: &State) -> Result<Self, StateError> {
        let found = ExactSum::read(state, "sums")?.len();
        match <[ExactSum; 2]>::try_from(ExactSum::read(state, "sums")?) {
            Ok([sum, weight]) => Ok(Total { sum, weight }),
            Err(_) => Err(unlike(&state.kind, "sums", 2, found)),
        }
    }

    fn add(&mut self, other: Self) -> Result<(), StateError> {
        self.sum.add_sum(other.sum);
        self.weight.add_sum(other.weight);
        Ok(())
    }

    fn reset(&mut self) {
        *self = Total::NOTHING;
    }
}
