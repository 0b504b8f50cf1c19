//! Groups of parameters, each with its own optimiser.

use std::ops::Range;

use wengert_tensor::Float;

use crate::error::HyperParameterError;
use crate::layout::{Layout, name_matches};
use crate::optimizer::{Optimizer, check_lengths, check_rate};
use crate::state::{State, StateError};

/// Makes the optimiser of a run of tensors.
type Build<'a, T> = Box<dyn Fn(&Layout) -> Result<Box<dyn Optimizer<T>>, HyperParameterError> + 'a>;

/// An optimiser whose settings, or whose whole method, depend on the names of the parameters.
///
/// Each tensor belongs to the first group whose pattern its name fits (see [`name_matches`]); neighbouring tensors of one
/// group share an optimiser. [`set_learning_rate`](Optimizer::set_learning_rate) sets that of the rest, and scales
/// those of the groups in proportion, so that a schedule moves all of them.
///
/// ```
/// use wengert_optim::{AdamW, AdamWConfig, Groups, Layout, Optimizer};
/// let layout = Layout::new([("embed.weight", vec![4]), ("out.weight", vec![4]), ("out.bias", vec![2])]);
/// let mut optimizer: Groups = Groups::of(&layout)
///     .frozen("embed.*")
///     .group("*.bias", |_| AdamW::with_config(2e-3, AdamWConfig { weight_decay: 0.0, ..Default::default() }))
///     .rest(|_| Ok(AdamW::new(1e-3)))?;
/// let mut theta = [1.0f32; 10];
/// optimizer.step(&mut theta, &[1.0; 10]);
/// assert_eq!(theta[..4], [1.0; 4]);
/// assert!((theta[9] - 0.998).abs() < 1e-6);
/// optimizer.set_enabled("*.bias", false);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub struct Groups<T: Float = f32> {
    len: usize,
    learning_rate: f64,
    runs: Vec<Run<T>>,
}

/// Neighbouring tensors of one group.
struct Run<T: Float> {
    range: Range<usize>,
    names: Vec<String>,
    /// `None` if frozen for good.
    optimizer: Option<Box<dyn Optimizer<T>>>,
    /// The learning rate over that of the rest.
    ratio: f64,
    enabled: bool,
}

/// Groups under construction: see [`Groups`].
pub struct GroupsBuilder<'a, T: Float = f32> {
    layout: Layout,
    groups: Vec<(String, Option<Build<'a, T>>)>,
}

impl<T: Float> Groups<T> {
    const NAME: &'static str = "groups";

    /// Begins to group the parameters of a layout.
    pub fn of<'a>(layout: &Layout) -> GroupsBuilder<'a, T> {
        GroupsBuilder { layout: layout.clone(), groups: Vec::new() }
    }

    /// Switches the updates of the tensors whose name fits the pattern on or off; returns how many tensors fit. While
    /// they are off their state and step count stand still.
    ///
    /// # Panics
    /// If the pattern fits some, but not all, tensors that share an optimiser: give them a group of their own.
    #[track_caller]
    pub fn set_enabled(&mut self, pattern: &str, enabled: bool) -> usize {
        let mut changed = 0;
        for run in &mut self.runs {
            let fits = run.names.iter().filter(|n| name_matches(pattern, n)).count();
            assert!(
                fits == 0 || fits == run.names.len(),
                "Groups::set_enabled: {pattern:?} fits {fits} of the {} tensors {:?}, which share an optimiser",
                run.names.len(),
                run.names
            );
            if fits > 0 {
                run.enabled = enabled;
            }
            changed += fits;
        }
        changed
    }
}

impl<'a, T: Float> GroupsBuilder<'a, T> {
    /// Parameters whose name fits `pattern` are updated by what `build` makes for their layout.
    pub fn group<O: Optimizer<T> + 'static>(
        mut self,
        pattern: &str,
        build: impl Fn(&Layout) -> Result<O, HyperParameterError> + 'a,
    ) -> Self {
        self.groups
            .push((pattern.to_owned(), Some(Box::new(move |layout| Ok(Box::new(build(layout)?) as _)))));
        self
    }

    /// Parameters whose name fits `pattern` are never updated.
    pub fn frozen(mut self, pattern: &str) -> Self {
        self.groups.push((pattern.to_owned(), None));
        self
    }

    /// All other parameters are updated by what `build` makes.
    ///
    /// # Errors
    /// If a hyper-parameter is out of its range.
    pub fn rest<O: Optimizer<T> + 'static>(
        self,
        build: impl Fn(&Layout) -> Result<O, HyperParameterError> + 'a,
    ) -> Result<Groups<T>, HyperParameterError> {
        let GroupsBuilder { layout, groups } = self.group("*", build);
        let segments = layout.segments();
        let group_of = |name: &str| groups.iter().position(|(pattern, _)| name_matches(pattern, name));
        let base = match &groups[groups.len() - 1].1 {
            Some(build) => build(&Layout::default())?.learning_rate(),
            None => 0.0,
        };
        let mut runs = Vec::new();
        let mut start = 0;
        while start < segments.len() {
            let group = group_of(&segments[start].name);
            let same = segments[start..].iter().take_while(|s| group_of(&s.name) == group).count();
            let end = start + same;
            let build = group.and_then(|g| groups[g].1.as_ref());
            let optimizer = build.map(|build| build(&layout.sub(start..end))).transpose()?;
            let rate = optimizer.as_ref().map_or(0.0, |o| o.learning_rate());
            runs.push(Run {
                range: segments[start].range.start..segments[end - 1].range.end,
                names: segments[start..end].iter().map(|s| s.name.clone()).collect(),
                optimizer,
                ratio: if base > 0.0 { rate / base } else { 1.0 },
                enabled: true,
            });
            start = end;
        }
        Ok(Groups { len: layout.len(), learning_rate: base, runs })
    }
}

impl<T: Float> Optimizer<T> for Groups<T> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    #[track_caller]
    fn step(&mut self, params: &mut [T], grads: &[T]) {
        check_lengths(Self::NAME, params.len(), grads.len());
        assert!(
            params.len() == self.len,
            "groups: {} parameters, but its layout has {}",
            params.len(),
            self.len
        );
        for run in self.runs.iter_mut().filter(|run| run.enabled) {
            if let Some(optimizer) = &mut run.optimizer {
                optimizer.step(&mut params[run.range.clone()], &grads[run.range.clone()]);
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
            if let Some(optimizer) = &mut run.optimizer {
                optimizer.set_learning_rate(rate * run.ratio);
            }
        }
    }

    fn state(&self) -> State {
        let mut state = State::new(Self::NAME, self.len).with_real("learning_rate", self.learning_rate);
        for (i, run) in self.runs.iter().enumerate() {
            state = state.with_count(&format!("enabled.{i}"), u64::from(run.enabled));
            state.children.extend(run.optimizer.as_ref().map(|o| o.state()));
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let enabled: Vec<String> = (0..self.runs.len()).map(|i| format!("enabled.{i}")).collect();
        let mut scalars: Vec<&str> = enabled.iter().map(String::as_str).collect();
        scalars.push("learning_rate");
        let children = self.runs.iter().filter(|run| run.optimizer.is_some()).count();
        state.expect(Self::NAME, &scalars, &[], children)?;
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
            optimizers.zip(&state.children).try_for_each(|(o, s)| o.load_state(s))
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
