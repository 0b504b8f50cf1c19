//! An optimiser made of a rule.

use std::ops::Range;
use std::sync::Arc;

use wengert_state::{State, StateError};
use wengert_tensor::Float;

use super::layout::Layout;
use super::optimizer::{Optimizer, check_lengths, check_rate};
use super::rule::{Memory, NeedsNoLayout, Rule};
use super::share::is_elementwise;
use crate::error::{Check, HyperParameterError};

/// The optimiser that follows the rule `R`; used under the names of the methods, such as
/// [`Adam`](crate::Adam) = `FirstOrder<AdamConfig>`.
///
/// Its state is allocated by the first step; later steps allocate nothing. Hyper-parameters written in the program
/// go through [`new`](FirstOrder::new), which panics on nonsense; [`with_config`](FirstOrder::with_config) and
/// [`with_layout`](FirstOrder::with_layout) return a typed error, for values that come from outside.
///
/// ```
/// use wengert_optim::Optimizer;
/// use wengert_optim::first::{AdamConfig, FirstOrder};
/// // `Adam` by its long name.
/// let mut adam: FirstOrder<AdamConfig, f64> = FirstOrder::with_config(0.1, AdamConfig { beta1: 0.8, ..Default::default() })?;
/// let mut theta = [1.0];
/// adam.step(&mut theta, &[3.0]);
/// assert!((theta[0] - 0.9).abs() < 1e-6);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FirstOrder<R, T: Float = f32> {
    rule: R,
    memory: Memory<T>,
    len: Option<usize>,
    /// The parameters that it keeps state for, if not all.
    range: Option<Range<usize>>,
}

impl<R: NeedsNoLayout, T: Float> FirstOrder<R, T> {
    /// The method with its default hyper-parameters.
    ///
    /// # Panics
    /// If `learning_rate` is negative or not finite.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        HyperParameterError::or_panic(Self::with_config(learning_rate, R::default()))
    }

    /// The method with these hyper-parameters.
    ///
    /// # Errors
    /// If one is out of its range.
    pub fn with_config(learning_rate: f64, config: R) -> Result<Self, HyperParameterError> {
        Self::unsized_(learning_rate, config)
    }
}

impl<R: Rule, T: Float> FirstOrder<R, T> {
    /// The method with these hyper-parameters for parameters of this layout. Methods that look at whole tensors
    /// can only be made so.
    ///
    /// # Errors
    /// If a hyper-parameter is out of its range.
    pub fn with_layout(learning_rate: f64, config: R, layout: &Layout) -> Result<Self, HyperParameterError> {
        let mut optimizer = Self::unsized_(learning_rate, config)?;
        optimizer.memory.layout = Arc::new(layout.clone());
        optimizer.len = Some(layout.len());
        Ok(optimizer)
    }

    fn unsized_(learning_rate: f64, rule: R) -> Result<Self, HyperParameterError> {
        let check = Check::new(R::NAME).non_negative("learning_rate", learning_rate)?;
        rule.check(check)?;
        let memory = Memory {
            learning_rate,
            step: 0,
            layout: Arc::default(),
            reals: Vec::new(),
            vectors: Vec::new(),
            scratch: Vec::new(),
            wide: Vec::new(),
        };
        Ok(FirstOrder { rule, memory, len: None, range: None })
    }

    /// The hyper-parameters, but for the learning rate.
    pub fn config(&self) -> &R {
        &self.rule
    }

    /// The number of steps made.
    pub fn steps(&self) -> u64 {
        self.memory.step
    }

    /// Those of `len` parameters that it steps.
    #[track_caller]
    fn range(&self, len: usize) -> Range<usize> {
        let range = self.range.clone().unwrap_or(0..len);
        assert!(range.end <= len, "{}: {len} parameters, but it is restricted to {range:?}", R::NAME);
        range
    }

    #[track_caller]
    fn prepare(&mut self, params: usize, grads: usize) {
        check_lengths(R::NAME, params, grads);
        match self.len {
            Some(len) => {
                assert!(params == len, "{}: {params} parameters, but its state is for {len}", R::NAME);
            }
            None => {
                self.memory.layout = Arc::new(Layout::flat(self.range(params).len()));
                self.len = Some(params);
            }
        }
        if self.memory.step == 0 && self.memory.vectors.is_empty() && self.memory.reals.is_empty() {
            let slots = self.rule.slots(&self.memory.layout);
            self.memory.vectors =
                slots.vectors.iter().map(|&(_, len, value)| vec![T::from_f64(value); len]).collect();
            self.memory.reals = slots.reals.iter().map(|&(_, value)| value).collect();
        }
    }
}

impl<R: Rule, T: Float> Optimizer<T> for FirstOrder<R, T> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    #[track_caller]
    fn step(&mut self, params: &mut [T], grads: &[T]) {
        self.prepare(params.len(), grads.len());
        self.memory.step += 1;
        let range = self.range(params.len());
        self.rule.update_here(&mut self.memory, &mut params[range.clone()], &grads[range]);
    }

    #[track_caller]
    fn write_evaluation(&self, params: &[T], out: &mut [T]) {
        assert!(
            params.len() == out.len(),
            "{}: {} parameters written to {} elements",
            R::NAME,
            params.len(),
            out.len()
        );
        let range = self.range(params.len());
        if self.memory.step == 0 || range.len() < params.len() {
            out.copy_from_slice(params);
        }
        if self.memory.step > 0 {
            self.rule.write_evaluation(&self.memory, &params[range.clone()], &mut out[range]);
        }
    }

    fn is_elementwise(&self) -> bool {
        is_elementwise(R::NAME)
    }

    #[track_caller]
    fn restrict(&mut self, range: Range<usize>) {
        assert!(
            self.is_elementwise(),
            "restrict: {} cannot be restricted to {range:?}, as it is not elementwise",
            R::NAME
        );
        if let Some(earlier) = &self.range {
            panic!("restrict: {} is restricted to {earlier:?}, and cannot be to {range:?}", R::NAME);
        }
        if let Some(len) = self.len {
            assert!(
                range.start <= range.end && range.end <= len,
                "restrict: {} has {len} parameters, and cannot be restricted to {range:?}",
                R::NAME
            );
            self.memory.layout = Arc::new(Layout::flat(range.len()));
        }
        for vector in &mut self.memory.vectors {
            // In memory of its own length.
            *vector = vector[range.clone()].to_vec();
        }
        self.memory.scratch = Vec::new();
        self.memory.wide = Vec::new();
        self.range = Some(range);
    }

    fn learning_rate(&self) -> f64 {
        self.memory.learning_rate
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        check_rate(R::NAME, rate);
        self.memory.learning_rate = rate;
    }

    fn settings(&self) -> State {
        State { kind: R::NAME.to_owned(), ..self.rule.settings() }
    }

    fn state(&self) -> State {
        let memory = &self.memory;
        let state = State::new(R::NAME, self.len.unwrap_or(0))
            .with_count("step", memory.step)
            .with_real("learning_rate", memory.learning_rate);
        if memory.step == 0 {
            return state;
        }
        let slots = self.rule.slots(&memory.layout);
        let state =
            slots.reals.iter().zip(&memory.reals).fold(state, |s, ((name, _), &x)| s.with_real(name, x));
        slots.vectors.iter().zip(&memory.vectors).fold(state, |s, ((name, ..), v)| s.with_vector(name, v))
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        // The length is believed only as far as vectors of that length are in the state, or the layout says so.
        let layout = match self.len {
            Some(len) if state.len != len && (state.len != 0 || state.count("step")? != 0) => {
                return Err(match state.expect(R::NAME, &[], &[], &[]) {
                    Err(kind @ StateError::Kind { .. }) => kind,
                    _ => StateError::Len { expected: len, found: state.len },
                });
            }
            Some(_) => self.memory.layout.clone(),
            None => Arc::new(Layout::flat(self.range.as_ref().map_or(state.len, Range::len))),
        };
        let slots = self.rule.slots(&layout);
        let mut scalars = vec!["step", "learning_rate"];
        let mut names = Vec::new();
        let step = if state.kind == R::NAME { state.count("step")? } else { 0 };
        if step > 0 {
            scalars.extend(slots.reals.iter().map(|&(name, _)| name));
            names.extend(slots.vectors.iter().map(|&(name, ..)| name));
        }
        state.expect(R::NAME, &scalars, &names, &[])?;
        let learning_rate = state.learning_rate()?;
        let (mut reals, mut vectors) = (Vec::new(), Vec::new());
        if step > 0 {
            reals = slots.reals.iter().map(|&(name, _)| state.finite(name)).collect::<Result<_, _>>()?;
            vectors = slots
                .vectors
                .iter()
                .map(|&(name, len, _)| state.vector(name, len))
                .collect::<Result<_, _>>()?;
            self.len = Some(state.len);
        }
        self.memory.step = step;
        self.memory.learning_rate = learning_rate;
        self.memory.reals = reals;
        self.memory.vectors = vectors;
        self.memory.layout = layout;
        Ok(())
    }
}
