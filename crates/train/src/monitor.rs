//! What looks at the values that are measured, and decides by them.

use wengert_nn::Params;
use wengert_optim::EarlyStopping;
use wengert_optim::first::Goal;
use wengert_optim::schedule::ReduceOnPlateau;
use wengert_state::{State, StateError};
use wengert_tensor::Float;

use crate::learner::{NONE, none};

/// Early stopping by a value, with the model at its best.
#[derive(Debug)]
pub(crate) struct Stopping {
    /// The value's name.
    pub(crate) name: String,
    rule: EarlyStopping<f32>,
    /// Parameters and buffers.
    best: Option<State>,
}

impl Stopping {
    pub(crate) fn new(name: String, rule: EarlyStopping<f32>) -> Self {
        Stopping { name, rule, best: None }
    }

    /// Whether the value is to become small or large.
    pub(crate) fn set_goal(&mut self, goal: Goal) {
        self.rule = self.rule.clone().with_goal(goal);
    }

    /// Takes in a value and the model that it was measured on; returns whether to stop.
    pub(crate) fn observe<T: Float>(&mut self, value: f64, params: &Params<T>) -> bool {
        let before = self.rule.best_at();
        let stop = self.rule.observe(value, &[]);
        if self.rule.best_at() != before {
            self.best = Some(params.state());
        }
        stop
    }

    /// Why it stops.
    pub(crate) fn reason(&self) -> String {
        let best = self.rule.best().map_or("none".to_owned(), |best| best.to_string());
        format!("`{}` has not become better than {best}", self.name)
    }

    /// Gives the model its values and buffers at the best.
    ///
    /// # Errors
    /// If it has other parameters now.
    pub(crate) fn restore<T: Float>(&self, params: &mut Params<T>) -> Result<(), StateError> {
        let Some(best) = &self.best else { return Ok(()) };
        let step = params.step();
        params.load_state(best)?;
        params.set_step(step);
        Ok(())
    }

    pub(crate) fn state(&self) -> State {
        let best = self.best.clone().unwrap_or_else(|| none());
        State::new("stopping", 0).with_child("rule", self.rule.state()).with_child("best", best)
    }

    pub(crate) fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect("stopping", &[], &[], &["rule", "best"])?;
        self.rule.load_state(state.child("rule")?)?;
        let best = state.child("best")?;
        self.best = (best.kind != NONE).then(|| best.clone());
        Ok(())
    }
}

/// A learning rate that falls when a value does not become better.
#[derive(Debug)]
pub(crate) struct Plateau {
    /// The value's name.
    pub(crate) name: String,
    pub(crate) schedule: ReduceOnPlateau,
}

impl Plateau {
    pub(crate) fn state(&self) -> State {
        State::of(&self.schedule).expect("a schedule is made of numbers")
    }

    pub(crate) fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        self.schedule = state.read()?;
        Ok(())
    }
}
