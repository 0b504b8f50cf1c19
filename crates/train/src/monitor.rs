//! What looks at the values that are measured, and decides by them.

use wengert_nn::Params;
use wengert_optim::EarlyStopping;
use wengert_optim::first::Goal;
use wengert_optim::schedule::{ReduceOnPlateau, Threshold};
use wengert_state::{Scalar, State, StateError};
use wengert_tensor::Float;

use crate::learner::{is_some, none};

/// The names of settings: the value that is looked at, and the learning rate that is begun at.
const VALUE: &str = "value";
pub(crate) const RATE: &str = "learning_rate";

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

    /// What it looks at, and how it decides.
    pub(crate) fn settings(&self) -> State {
        self.rule.settings().with_scalar(VALUE, Scalar::Text(self.name.clone()))
    }

    pub(crate) fn state(&self) -> State {
        let best = self.best.clone().unwrap_or_else(none);
        State::new("stopping", 0).with_child("rule", self.rule.state()).with_child("best", best)
    }

    pub(crate) fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect("stopping", &[], &[], &["rule", "best"])?;
        self.rule.load_state(state.child("rule")?)?;
        let best = state.child("best")?;
        self.best = is_some(best).then(|| best.clone());
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
    /// What it looks at, and how it decides, with the rate that it begins at.
    pub(crate) fn settings(&self) -> State {
        let ReduceOnPlateau { goal, factor, patience, threshold, cooldown, smallest, .. } = self.schedule;
        let (relative, threshold) = match threshold {
            Threshold::Relative(share) => (true, share),
            Threshold::Absolute(margin) => (false, margin),
        };
        State::new("reduce_on_plateau", 0)
            .with_scalar(VALUE, Scalar::Text(self.name.clone()))
            .with_scalar("goal", Scalar::Text(goal.to_string()))
            .with_real(RATE, self.schedule.rate())
            .with_real("factor", factor)
            .with_count("patience", patience)
            .with_real("threshold", threshold)
            .with_scalar("threshold_is_relative", Scalar::Flag(relative))
            .with_count("cooldown", cooldown)
            .with_real("smallest", smallest)
    }

    pub(crate) fn state(&self) -> State {
        State::of(&self.schedule).expect("a schedule is made of numbers")
    }

    pub(crate) fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let here = self.schedule;
        let there: ReduceOnPlateau = state.read()?;
        // What it has seen is the file's, how it decides the program's.
        self.schedule = there;
        (self.schedule.goal, self.schedule.factor) = (here.goal, here.factor);
        (self.schedule.patience, self.schedule.threshold) = (here.patience, here.threshold);
        (self.schedule.cooldown, self.schedule.smallest) = (here.cooldown, here.smallest);
        Ok(())
    }
}
