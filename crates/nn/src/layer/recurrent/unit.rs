//! What distinguishes recurrent layers.

use wengert_tape::{Arguments, Var};
use wengert_tensor::Float;

use super::weights::InForce;

/// What a recurrent layer makes of an input and a state: [`RnnUnit`](crate::RnnUnit), [`LstmUnit`](crate::LstmUnit) or
/// [`GruUnit`](crate::GruUnit). Implemented by this crate alone.
///
/// ```
/// use wengert_nn::{GruUnit, LstmUnit, RnnUnit, Unit};
/// // What each hands on from step to step.
/// fn variables<U: Unit>(state: &U::State<f64>) -> usize { wengert_tape::Arguments::to_vars(state).len() }
/// let h = wengert_tape::Var::zeros([1, 2]);
/// assert_eq!((variables::<RnnUnit>(&h), variables::<GruUnit>(&h)), (1, 1));
/// let state = wengert_nn::LstmState { h: h.clone(), c: h };
/// assert_eq!(variables::<LstmUnit>(&state), 2);
/// ```
pub trait Unit: Clone + std::fmt::Debug + Default + sealed::Steps + 'static {
    /// What is handed on from step to step: a variable, or for the LSTM two with names.
    type State<T: Float>: Arguments<T> + Clone;
}

pub(super) mod sealed {
    use super::{Float, InForce, Unit, Var};

    /// What of a unit is nobody else's business.
    pub trait Steps {
        /// The name in messages.
        const NAME: &'static str;
        /// The name of the layer for observers.
        const LAYER: &'static str;
        /// How many rows the weights have for each hidden unit.
        const GATES: usize;
        /// The variables of a state, the output first.
        const PARTS: usize;
        /// Whether both biases are only ever added, so that they can be added to the products of all inputs at once.
        const BIASES_ADD: bool;

        /// The next state, of the product of the input and of the state's parts.
        #[track_caller]
        fn next<T: Float>(&self, of_input: &Var<T>, weights: &InForce<T>, state: &[Var<T>]) -> Vec<Var<T>>;

        /// The output at each step of a whole sequence, and what the cell holds at the end if there is one, of the products of all
        /// inputs; `None` if the steps have to be taken one by one.
        #[track_caller]
        fn sequence<T: Float>(
            &self,
            _of_inputs: &Var<T>,
            _weights: &InForce<T>,
            _state: &[Var<T>],
            _reverse: bool,
        ) -> Option<(Var<T>, Option<Var<T>>)> {
            None
        }

        /// A state of its parts.
        fn state<T: Float>(parts: Vec<Var<T>>) -> <Self as Unit>::State<T>
        where
            Self: Unit;
    }
}
