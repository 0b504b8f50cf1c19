//! Groups of parameters, each with its own optimiser.

mod build;
mod error;

pub use build::GroupsBuilder;
pub use error::GroupsError;

use std::ops::Range;

use wengert_state::{State, StateError};
use wengert_tensor::Float;
use wengert_tensor::names::{PatternError, name_matches};

use super::layout::Layout;
use super::optimizer::{Begun, Evaluate, Optimizer, check_lengths, check_rate, within};

/// An optimiser whose settings, or whose whole method, depend on the names of the parameters.
///
/// Each tensor belongs to the first group whose pattern its name fits (see [`name_matches`]); neighbouring tensors of one
/// group share an optimiser.
///
/// Groups keep their own learning rates. [`learning_rate`](Optimizer::learning_rate) is that of the rest, and
/// [`set_learning_rate`](Optimizer::set_learning_rate) multiplies those of all groups by what it multiplies the rest's
/// *first* rate by: a schedule moves all of them in proportion, and a rate of 0 on the way, as in a warm-up, loses nothing.
/// Where the first rate of the rest is 0 there is no proportion: groups that began at 0 too follow the rest, all others
/// keep the rate that they have.
///
/// Tensors that are frozen or switched off do not move, and what is around the groups leaves them out: a
/// [`Stepper`](crate::Stepper) of its norms and checks, [`Sam`](crate::Sam) of its perturbation,
/// [`Lookahead`](crate::Lookahead) of its synchronisation.
///
/// ```
/// use wengert_optim::{AdamW, Groups, Layout, Optimizer};
/// use wengert_optim::first::AdamWConfig;
/// let layout = Layout::new([("embed.weight", vec![4]), ("out.weight", vec![4]), ("out.bias", vec![2])]);
/// let mut optimizer: Groups = Groups::of(&layout)
///     .frozen("embed.*")
///     .group("*.bias", |_| AdamW::with_config(2e-3, AdamWConfig { weight_decay: 0.0, ..Default::default() }))
///     .rest(|_| Ok(AdamW::new(1e-3)))?;
/// let mut theta = [1.0f32; 10];
/// optimizer.step(&mut theta, &[1.0; 10]);
/// assert_eq!(theta[..4], [1.0; 4]);
/// assert!((theta[9] - 0.998).abs() < 1e-6);
/// optimizer.set_enabled("*.bias", false)?;
///
/// let misspelt = Groups::<f32>::of(&layout).frozen("embd.*").rest(|_| Ok(AdamW::new(1e-3)));
/// let says = "no parameter's name fits `embd.*`: the nearest are `embed.weight`, `out.weight`, `out.bias`";
/// assert_eq!(misspelt.err().unwrap().to_string(), says);
/// # Ok::<(), wengert_optim::GroupsError>(())
/// ```
pub struct Groups<T: Float = f32> {
    len: usize,
    /// That of the rest, and what it was at first.
    learning_rate: f64,
    base: f64,
    runs: Vec<Run<T>>,
}

/// Neighbouring tensors of one group.
struct Run<T: Float> {
    range: Range<usize>,
    names: Vec<String>,
    /// `None` if frozen for good.
    optimizer: Option<Box<dyn Optimizer<T>>>,
    /// The first learning rate.
    base: f64,
    enabled: bool,
}

impl<T: Float> Run<T> {
    /// The optimiser, if it is at work.
    fn active(&self) -> Option<&dyn Optimizer<T>> {
        self.optimizer.as_deref().filter(|_| self.enabled)
    }
}

impl<T: Float> Groups<T> {
    const NAME: &'static str = "groups";

    /// Begins to group the parameters of a layout.
    pub fn of<'a>(layout: &Layout) -> GroupsBuilder<'a, T> {
        GroupsBuilder::of(layout)
    }

    /// Switches the updates of the tensors whose name fits the pattern on or off; returns how many tensors fit. While
    /// they are off they do not move, and their state and step count stand still, as where PyTorch has no gradient. Those
    /// that are frozen for good stay so.
    ///
    /// # Errors
    /// If the pattern fits no tensor, or some but not all of those that share an optimiser. Nothing is then switched.
    pub fn set_enabled(&mut self, pattern: &str, enabled: bool) -> Result<usize, GroupsError> {
        PatternError::unless_fits(
            pattern,
            self.runs.iter().flat_map(|r| r.names.iter().map(String::as_str)),
        )?;
        let fits = |name: &&String| name_matches(pattern, name);
        for Run { names, .. } in &self.runs {
            if let (Some(fitting), Some(other)) = (names.iter().find(fits), names.iter().find(|n| !fits(n))) {
                let (pattern, fits, other) = (pattern.to_owned(), fitting.clone(), other.clone());
                return Err(GroupsError::Shared { pattern, fits, other });
            }
        }
        let switched = self.runs.iter_mut().filter(|run| run.names.iter().any(|n| fits(&n)));
        Ok(switched
            .map(|run| {
                run.enabled = enabled;
                run.names.len()
            })
            .sum())
    }

    /// Steps those that take part in all of the last gradients from this one, so that all make their steps at the last.
    fn step_those(&mut self, params: &mut [T], grads: &[T], gradients_left: u32) {
        for run in self.runs.iter_mut().filter(|run| run.enabled) {
            if let Some(optimizer) = &mut run.optimizer
                && optimizer.gradients_per_step() >= gradients_left
            {
                optimizer.step(&mut params[run.range.clone()], &grads[run.range.clone()]);
            }
        }
    }

    #[track_caller]
    fn check(&self, params: usize, grads: usize) {
        check_lengths(Self::NAME, params, grads);
        assert!(params == self.len, "groups: {params} parameters, but its layout has {}", self.len);
    }
}

impl<T: Float> Optimizer<T> for Groups<T> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    #[track_caller]
    fn step(&mut self, params: &mut [T], grads: &[T]) {
        self.check(params.len(), grads.len());
        self.step_those(params, grads, 1);
    }

    #[track_caller]
    fn step_with(&mut self, params: &mut [T], grads: &mut [T], evaluate: &mut Evaluate<'_, T>) -> T {
        self.check(params.len(), grads.len());
        let gradients = self.gradients_per_step();
        let begun = &mut Begun { optimizer: self, params, complete: false };
        let loss = evaluate(begun.params, grads);
        begun.optimizer.step_those(begun.params, grads, gradients);
        for left in (1..gradients).rev() {
            let further = evaluate(begun.params, grads);
            if !further.is_finite() {
                return further;
            }
            begun.optimizer.step_those(begun.params, grads, left);
        }
        begun.complete = true;
        loss
    }

    /// The most that one of the groups takes; the others step with the last.
    fn gradients_per_step(&self) -> u32 {
        self.runs.iter().filter_map(Run::active).map(|o| o.gradients_per_step()).max().unwrap_or(1)
    }

    fn frozen(&self) -> Vec<Range<usize>> {
        let of_run = |run: &Run<T>| match run.active() {
            Some(optimizer) => {
                let start = run.range.start;
                optimizer.frozen().into_iter().map(|r| start + r.start..start + r.end).collect()
            }
            None => vec![run.range.clone()],
        };
        self.runs.iter().flat_map(of_run).collect()
    }

    /// Whether those of all groups are.
    fn is_elementwise(&self) -> bool {
        self.runs.iter().filter_map(|run| run.optimizer.as_ref()).all(|optimizer| optimizer.is_elementwise())
    }

    #[track_caller]
    fn restrict(&mut self, range: Range<usize>) {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "restrict: groups of {} parameters cannot be restricted to {range:?}",
            self.len
        );
        for run in &mut self.runs {
            if let Some(optimizer) = &mut run.optimizer {
                optimizer.restrict(within(&range, &run.range));
            }
        }
    }

    fn abandon(&mut self, params: &mut [T]) {
        for run in &mut self.runs {
            if let Some(optimizer) = &mut run.optimizer {
                optimizer.abandon(&mut params[run.range.clone()]);
            }
        }
    }

    fn write_evaluation(&self, params: &[T], out: &mut [T]) {
        out.copy_from_slice(params);
        for run in &self.runs {
            if let Some(optimizer) = &run.optimizer {
                optimizer.write_evaluation(&params[run.range.clone()], &mut out[run.range.clone()]);
            }
        }
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        check_rate(Self::NAME, rate);
        self.learning_rate = rate;
        for run in &mut self.runs {
            let own = if run.base == self.base {
                rate
            } else if self.base > 0.0 {
                run.base * (rate / self.base)
            } else {
                continue;
            };
            if let Some(optimizer) = &mut run.optimizer {
                optimizer.set_learning_rate(own);
            }
        }
    }

    /// Those of each run of parameters, by the name of its first, with its learning rate as it was made.
    fn settings(&self) -> State {
        let moved = self.runs.iter().filter_map(|run| Some((run, run.optimizer.as_ref()?)));
        moved.fold(State::new(Self::NAME, 0), |state, (run, optimizer)| {
            let settings = optimizer.settings().with_real("learning_rate", run.base);
            state.with_child(run.names.first().map_or("", String::as_str), settings)
        })
    }

    fn state(&self) -> State {
        let mut state = State::new(Self::NAME, self.len).with_real("learning_rate", self.learning_rate);
        for (i, run) in self.runs.iter().enumerate() {
            state = state.with_count(&format!("enabled.{i}"), u64::from(run.enabled));
            if let Some(optimizer) = &run.optimizer {
                state = state.with_child(&i.to_string(), optimizer.state());
            }
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let enabled: Vec<String> = (0..self.runs.len()).map(|i| format!("enabled.{i}")).collect();
        let mut scalars: Vec<&str> = enabled.iter().map(String::as_str).collect();
        scalars.push("learning_rate");
        let moved = self.runs.iter().enumerate().filter(|(_, run)| run.optimizer.is_some());
        let children: Vec<String> = moved.map(|(i, _)| i.to_string()).collect();
        state.expect(Self::NAME, &scalars, &[], &children.iter().map(String::as_str).collect::<Vec<_>>())?;
        if state.len != self.len {
            return Err(StateError::Len { expected: self.len, found: state.len });
        }
        let rate = state.learning_rate()?;
        let enabled =
            enabled.iter().map(|name| Ok(state.count(name)? != 0)).collect::<Result<Vec<_>, _>>()?;
        // A child may refuse after others have accepted: go back to what was.
        let before = self.state();
        let load = |runs: &mut Vec<Run<T>>, state: &State| {
            let optimizers = runs.iter_mut().filter_map(|run| run.optimizer.as_mut());
            optimizers.zip(&children).try_for_each(|(o, name)| o.load_state(state.child(name)?))
        };
        if let Err(error) = load(&mut self.runs, state) {
            let _ = load(&mut self.runs, &before);
            return Err(error);
        }
        self.learning_rate = rate;
        self.runs.iter_mut().zip(enabled).for_each(|(run, on)| run.enabled = on);
        Ok(())
    }
}
