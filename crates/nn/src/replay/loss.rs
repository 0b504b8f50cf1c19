//! Train steps.

use std::marker::PhantomData;
use std::sync::Arc;

use wengert_tape::{Inputs, Mismatch, Ran, Reason, Sweep, Tape, Var};
use wengert_tensor::Float;

use super::{Entered, MOST_PROGRAMS, Recording};
use crate::ctx::{Ctx, Mode};
use crate::loss::scalar;
use crate::params::{GradError, Grads, Layout, Params, Updates};

/// A loss of a batch whose value and gradient are recorded once and replayed from then on: the bits of
/// [`Params::value_and_grad`], dropout included, without the recording.
///
/// ```
/// use wengert_nn::{CompiledLoss, Ctx, Layer, Linear, Losses, Params};
/// use wengert_tape::{Index, Ran, Var};
/// use wengert_tensor::Tensor;
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 2, 3);
/// let mut loss = CompiledLoss::new(|cx: &Ctx, (x, labels): &(Var, Index)| {
///     model.forward(cx, x).cross_entropy(labels)
/// });
/// let batch = (Var::from([[1.0, 2.0], [0.5, -1.0]]), Index::from(Tensor::from([2u32, 0])));
/// let mut values = Vec::new();
/// for _ in 0..3 {
///     let (value, grads) = loss.value_and_grad(&params, &batch)?;
///     params.values_mut().iter_mut().zip(grads.iter()).for_each(|(w, g)| *w -= 0.1 * g);
///     values.push(value);
/// }
/// assert_eq!(loss.ran(), &Ran::Replayed);
/// assert!(values[2] < values[1] && values[1] < values[0]);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
///
/// The closure is called once for each set of shapes of its batches. So all that changes from step to step must be in the
/// batch: what it reads itself, such as the step's number or [`Var::item`], stays as it was. A batch of another shape, the last one of
/// an epoch say, is recorded too, for up to eight sets of shapes. The closure is called at every step, as `value_and_grad` does, if the
/// batch is being recorded itself, if running statistics are updated, as batch normalisation does, or if random numbers are drawn
/// by [`Ctx::generator`] instead of [`Ctx::key`]; [`ran`](Self::ran) says what happened.
pub struct CompiledLoss<F, B, T: Float = f32> {
    loss: F,
    recordings: Vec<LossRecording<T>>,
    ran: Ran,
    /// Why it is never replayed.
    never: Option<&'static str>,
    takes: PhantomData<fn(&B)>,
}

struct LossRecording<T: Float> {
    recording: Recording<T>,
    /// Of the parameters, with what was frozen.
    layout: Arc<Layout>,
    /// Whether the loss depends on each parameter that is trained.
    reached: Vec<bool>,
}

impl<T: Float, B: Inputs<T>, F: Fn(&Ctx<T>, &B) -> Var<T>> CompiledLoss<F, B, T> {
    /// Nothing is recorded before the first step.
    pub fn new(loss: F) -> Self {
        CompiledLoss { loss, recordings: Vec::new(), ran: Ran::NotYet, never: None, takes: PhantomData }
    }

    /// As [`Params::value_and_grad`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn value_and_grad(&mut self, params: &Params<T>, batch: &B) -> Result<(T, Grads<T>), GradError> {
        let reason = match self.never {
            Some(never) => Some(Reason::NotRecorded(never)),
            None => batch.is_recorded().then_some(Reason::IsRecorded),
        };
        if let Some(reason) = reason {
            self.ran = Ran::Directly(reason);
            return params.value_and_grad(|cx| (self.loss)(cx, batch));
        }
        let step = params.begin_step();
        self.recordings.retain(|one| Arc::ptr_eq(&one.layout, params.layout_handle()));
        let mut mismatch = None;
        for one in &mut self.recordings {
            let results = match one.recording.run(&params.flat(), || params.key_of_step(step), batch) {
                Ok(results) => results,
                Err(found) => {
                    mismatch = Some(found);
                    continue;
                }
            };
            self.ran = Ran::Replayed;
            if !params.allows_unreached() {
                one.layout.all_reached(one.reached.iter().copied())?;
            }
            let (value, flat) = (results[0].item(), results[1].clone());
            return Ok((value, Grads::new(&one.layout, flat, Updates::default())));
        }
        self.record(params, batch, step, mismatch)
    }

    /// Takes the step while it is recorded; keeps the recording if there is room.
    #[track_caller]
    fn record(
        &mut self,
        params: &Params<T>,
        batch: &B,
        step: u64,
        mismatch: Option<Mismatch>,
    ) -> Result<(T, Grads<T>), GradError> {
        let layout = Arc::clone(params.layout_handle());
        let entered = Entered::new(&params.flat(), &params.key_of_step(step), batch);
        let tape = Tape::nested();
        let leaves = layout.entries().iter().map(|entry| {
            let leaf = entry.view_of(&entered.flat);
            if entry.frozen { leaf } else { tape.enter(&leaf) }
        });
        let cx = params.context_of(Mode::Train, leaves.collect(), &entered.key);
        let output = (self.loss)(&cx, &entered.inputs);
        let value = scalar("value_and_grad", &output);
        let trained: Vec<&Var<T>> = cx.trained().collect();
        let found = tape.pull_back(&output, Var::ones(output.shape()), &trained, Sweep::Consume);
        let output = tape.leave(&output);
        tape.close();
        let reached: Vec<bool> = found.iter().map(Option::is_some).collect();
        if !params.allows_unreached() {
            layout.all_reached(reached.iter().copied())?;
        }
        let mut found = found.into_iter();
        let pieces = layout.entries().iter().map(|entry| {
            let count = entry.shape.count();
            let piece = if entry.frozen { None } else { found.next().flatten() };
            piece.map_or_else(|| Var::zeros([count]), |piece| piece.reshape([count]))
        });
        let pieces: Vec<Var<T>> = pieces.collect();
        let flat = match &pieces[..] {
            [] => Var::zeros([0]),
            [whole] => whole.clone(),
            pieces => Var::cat(pieces, 0),
        };
        let gradient = flat.value().clone();
        self.never = cx.not_recorded();
        let updates = cx.take_updates();
        if !updates.is_empty() {
            params.updates_proposed();
        }
        let grads = Grads::new(&layout, gradient, updates);
        self.ran = match (self.never, mismatch) {
            (Some(never), _) => Ran::Directly(Reason::NotRecorded(never)),
            (None, Some(mismatch)) if self.recordings.len() == MOST_PROGRAMS => {
                Ran::Directly(Reason::TooManyShapes(mismatch))
            }
            (None, mismatch) => {
                let recording = entered.recording(&[output, flat]);
                self.recordings.push(LossRecording { recording, layout, reached });
                Ran::Recorded(mismatch)
            }
        };
        Ok((value, grads))
    }

    /// How the last step was taken.
    pub fn ran(&self) -> &Ran {
        &self.ran
    }

    /// Forgets what was recorded, as after a change of something that the closure captures.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use wengert_nn::{CompiledLoss, Ctx, Init, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let w = params.root().param("w", [1], Init::Ones);
    /// let factor = Cell::new(1.0);
    /// let mut loss = CompiledLoss::new(|cx: &Ctx<f64>, x: &Var<f64>| (cx.param(w) * x).sum() * factor.get());
    /// let x = Var::from([3.0]);
    /// assert_eq!(loss.value_and_grad(&params, &x)?.0, 3.0);
    /// factor.set(2.0);
    /// loss.forget();
    /// assert_eq!(loss.value_and_grad(&params, &x)?.0, 6.0);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    pub fn forget(&mut self) {
        self.recordings.clear();
    }
}
