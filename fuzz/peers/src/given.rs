//! Positions and truth values of the steps as arguments of a function, so that in a replay they may be others.

use std::any::Any;
use std::cell::RefCell;

use wengert::tape::{Index, Mask};
use wengert::tensor::{Float, Tensor};

/// Those of a function, in the order in which it asks for them.
pub type Given<T> = (Vec<Index<T>>, Vec<Mask<T>>);

#[derive(Default)]
struct State {
    /// What is to be taken in place of what the case says: a [`Given`].
    instead: Option<Box<dyn Any>>,
    /// How many were asked for since the function began.
    taken: [usize; 2],
    /// What the case says.
    said: (Vec<Tensor<u32>>, Vec<Tensor<bool>>),
}

thread_local!(static STATE: RefCell<State> = RefCell::default());

/// The function begins.
pub fn begin() {
    STATE.with_borrow_mut(|state| {
        state.taken = [0; 2];
        state.said = Default::default();
    });
}

pub fn index<T: Float>(said: Tensor<u32>) -> Index<T> {
    STATE.with_borrow_mut(|state| {
        let number = state.taken[0];
        state.taken[0] += 1;
        state.said.0.push(said.clone());
        let instead = state.instead.as_ref().and_then(|given| given.downcast_ref::<Given<T>>());
        instead.map_or_else(|| said.into(), |given| given.0[number].clone())
    })
}

pub fn mask<T: Float>(said: Tensor<bool>) -> Mask<T> {
    STATE.with_borrow_mut(|state| {
        let number = state.taken[1];
        state.taken[1] += 1;
        state.said.1.push(said.clone());
        let instead = state.instead.as_ref().and_then(|given| given.downcast_ref::<Given<T>>());
        instead.map_or_else(|| said.into(), |given| given.1[number].clone())
    })
}

/// What the function last asked for.
pub fn last<T: Float>() -> Given<T> {
    STATE.with_borrow(|state| {
        let (indices, masks) = &state.said;
        (indices.iter().map(Index::from).collect(), masks.iter().map(Mask::from).collect())
    })
}

/// What comes of `f` where others are taken; also if it panics, they are not after it.
pub fn with<T: Float, R>(given: &Given<T>, f: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            STATE.with_borrow_mut(|state| state.instead = None);
        }
    }
    STATE.with_borrow_mut(|state| state.instead = Some(Box::new(given.clone())));
    let _reset = Reset;
    f()
}
