//! Memory of states, used again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::{State, Values};

/// Vectors of fewer bytes come from memory that the process has in use anyway.
const SMALL: usize = 1 << 15;

thread_local! {
    static LENT: RefCell<Spare> = RefCell::default();
}

/// The memory of states that are no longer needed, for those that come next. A state that is made again and again takes most of its
/// time to get fresh pages from the system where its vectors are large; with this it takes that of a copy.
///
/// ```
/// use wengert_state::{Spare, State};
/// let weights = vec![0.5f32; 100_000];
/// let mut spare = Spare::default();
/// for step in 0..3 {
///     let state = spare.lend(|| State::new("run", 0).with_count("step", step).with_vector("weights", &weights));
///     assert_eq!(state.vector::<f32>("weights", 100_000)?, weights);
///     spare.keep(state);
/// }
/// # Ok::<(), wengert_state::StateError>(())
/// ```
#[derive(Debug, Default)]
pub struct Spare {
    singles: Vectors<f32>,
    doubles: Vectors<f64>,
}

impl Spare {
    /// Keeps the memory of a state's large vectors.
    ///
    /// ```
    /// use wengert_state::{Spare, State};
    /// let mut spare = Spare::default();
    /// spare.keep(State::new("run", 0).with_vector("weights", &vec![0.5f32; 100_000]));
    /// let other = spare.lend(|| State::new("run", 0).with_vector("weights", &vec![1.5f32; 90_000]));
    /// assert_eq!(other.vector::<f32>("weights", 90_000)?, [1.5; 90_000]);
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    pub fn keep(&mut self, state: State) {
        for (_, values) in state.vectors {
            match values {
                Values::F32(vector) => self.singles.put(vector),
                Values::F64(vector) => self.doubles.put(vector),
                Values::U64(_) => {}
            }
        }
        for (_, child) in state.children {
            self.keep(child);
        }
    }

    /// What `make` returns, for which this thread's copies of vectors are made in the memory that was kept, as far as it fits. What is
    /// not used is given back to the system.
    ///
    /// ```
    /// use wengert_state::{Spare, State};
    /// let state = Spare::default().lend(|| State::new("run", 0).with_vector("weights", &[0.5f32]));
    /// assert_eq!(state, State::new("run", 0).with_vector("weights", &[0.5f32]));
    /// ```
    pub fn lend<R>(&mut self, make: impl FnOnce() -> R) -> R {
        /// Ends the loan, by a panic too.
        struct Loan(Spare);
        impl Drop for Loan {
            fn drop(&mut self) {
                LENT.set(std::mem::take(&mut self.0));
            }
        }
        let _loan = Loan(LENT.replace(std::mem::take(self)));
        make()
    }
}

/// Vectors by their capacities.
#[derive(Debug)]
struct Vectors<U>(BTreeMap<usize, Vec<Vec<U>>>);

impl<U> Default for Vectors<U> {
    fn default() -> Self {
        Vectors(BTreeMap::new())
    }
}

impl<U> Vectors<U> {
    fn put(&mut self, mut vector: Vec<U>) {
        if vector.capacity() * size_of::<U>() >= SMALL {
            vector.clear();
            self.0.entry(vector.capacity()).or_default().push(vector);
        }
    }

    /// An empty one with room for so many, and hardly more.
    fn take(&mut self, length: usize) -> Vec<U> {
        let most = length.saturating_add(length / 2);
        if length * size_of::<U>() >= SMALL
            && let Some((&capacity, vectors)) = self.0.range_mut(length..=most).next()
        {
            let vector = vectors.pop();
            if vectors.is_empty() {
                self.0.remove(&capacity);
            }
            return vector.unwrap_or_default();
        }
        Vec::with_capacity(length)
    }
}

/// A vector of these numbers, in memory that is lent if there is some.
pub(crate) fn singles(numbers: impl ExactSizeIterator<Item = f32>) -> Vec<f32> {
    let mut vector = LENT.with_borrow_mut(|spare| spare.singles.take(numbers.len()));
    vector.extend(numbers);
    vector
}

/// As [`singles`], in double precision.
pub(crate) fn doubles(numbers: impl ExactSizeIterator<Item = f64>) -> Vec<f64> {
    let mut vector = LENT.with_borrow_mut(|spare| spare.doubles.take(numbers.len()));
    vector.extend(numbers);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(state: &State, name: &str) -> *const u8 {
        match &state.vectors[name] {
            Values::F32(vector) => vector.as_ptr().cast(),
            Values::F64(vector) => vector.as_ptr().cast(),
            Values::U64(vector) => vector.as_ptr().cast(),
        }
    }

    #[test]
    fn memory_is_used_again_within_a_loan_and_only_there() {
        let make = |x: f32| {
            let part = State::new("part", 0).with_vector("b", &vec![f64::from(x); 20_000]);
            State::new("run", 0).with_vector("a", &vec![x; 20_000]).with_child("part", part)
        };
        let mut spare = Spare::default();
        let first = make(1.0);
        let places = [place(&first, "a"), place(first.child("part").unwrap(), "b")];
        spare.keep(first);
        let second = spare.lend(|| make(2.0));
        assert_eq!([place(&second, "a"), place(second.child("part").unwrap(), "b")], places);
        assert_eq!(second, make(2.0));
        // What did not serve is gone.
        spare.keep(second);
        spare.lend(|| ());
        assert!(spare.singles.0.is_empty() && spare.doubles.0.is_empty());
    }

    #[test]
    fn only_what_fits_is_used_and_a_panic_ends_the_loan() {
        let mut spare = Spare::default();
        spare.keep(State::new("run", 0).with_vector("a", &vec![1f32; 100_000]));
        let other = spare.lend(|| State::new("run", 0).with_vector("a", &vec![1f32; 20_000]));
        assert!(matches!(&other.vectors["a"], Values::F32(vector) if vector.capacity() < 30_000));
        spare.keep(other);
        let ended =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| spare.lend(|| panic!("no state"))));
        assert!(ended.is_err());
        LENT.with_borrow(|lent| assert!(lent.singles.0.is_empty()));
    }
}
