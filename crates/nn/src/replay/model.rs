//! Inference.

use std::marker::PhantomData;
use std::sync::Arc;

use wengert_tape::{Arguments, Inputs, Mismatch, Ran, Reason, Var};
use wengert_tensor::Float;

use super::{Entered, MOST_PROGRAMS, Recording};
use crate::ctx::{Ctx, Mode};
use crate::params::{Buffers, Layout, Params};

/// What a model makes of its input in evaluation mode, recorded once and replayed from then on: the bits of [`Params::infer`].
///
/// ```
/// use wengert_nn::{CompiledModel, Ctx, Layer, Linear, Params};
/// use wengert_tape::{Ran, Var};
/// let mut params: Params = Params::seeded(0);
/// let layer = Linear::new(params.root(), 4, 2);
/// let mut model = CompiledModel::new(|cx: &Ctx, x: &Var| layer.forward(cx, x).tanh());
/// for x in [Var::ones([1, 4]), Var::zeros([1, 4])] {
///     let y = model.infer(&params, &x);
///     assert_eq!(y.value(), params.infer(|cx| layer.forward(cx, &x).tanh()).value());
/// }
/// assert_eq!(model.ran(), &Ran::Replayed);
/// ```
///
/// What is said of [`CompiledLoss`](crate::CompiledLoss) about what the closure reads holds here too. The parameters are those of
/// each call; running statistics that were read are watched, and the model is recorded anew when they have changed.
pub struct CompiledModel<F, I, R, T: Float = f32> {
    model: F,
    recordings: Vec<ModelRecording<R, T>>,
    ran: Ran,
    never: Option<&'static str>,
    takes: PhantomData<fn(&I)>,
}

struct ModelRecording<R, T: Float> {
    recording: Recording<T>,
    structure: R,
    layout: Arc<Layout>,
    /// Those that it read.
    buffers: Option<Buffers<T>>,
}

impl<T: Float, I: Inputs<T>, R: Arguments<T>, F: Fn(&Ctx<T>, &I) -> R> CompiledModel<F, I, R, T> {
    /// Nothing is recorded before the first call.
    pub fn new(model: F) -> Self {
        CompiledModel { model, recordings: Vec::new(), ran: Ran::NotYet, never: None, takes: PhantomData }
    }

    /// The closure's result, as by [`Params::infer`].
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn infer(&mut self, params: &Params<T>, inputs: &I) -> R {
        let reason = match self.never {
            Some(never) => Some(Reason::NotRecorded(never)),
            None => inputs.is_recorded().then_some(Reason::IsRecorded),
        };
        if let Some(reason) = reason {
            self.ran = Ran::Directly(reason);
            return params.infer(|cx| (self.model)(cx, inputs));
        }
        self.recordings.retain(|one| {
            Arc::ptr_eq(&one.layout, params.layout_handle())
                && one.buffers.as_ref().is_none_or(|read| params.still_has(read))
        });
        let number = params.begin_inference();
        let mut mismatch = None;
        for one in &mut self.recordings {
            match one.recording.run(&params.flat(), || params.key_of_inference(number), inputs) {
                Ok(results) => {
                    self.ran = Ran::Replayed;
                    let results = results.iter().map(|result| Var::constant(result.clone())).collect();
                    return one.structure.with_vars(results);
                }
                Err(found) => mismatch = Some(found),
            }
        }
        match mismatch {
            Some(mismatch) if self.recordings.len() == MOST_PROGRAMS => {
                self.ran = Ran::Directly(Reason::TooManyShapes(mismatch));
                params.infer_numbered(number, Mode::Eval, |cx| (self.model)(cx, inputs))
            }
            mismatch => self.record(params, inputs, number, mismatch),
        }
    }

    #[track_caller]
    fn record(&mut self, params: &Params<T>, inputs: &I, number: u64, mismatch: Option<Mismatch>) -> R {
        let layout = Arc::clone(params.layout_handle());
        let entered = Entered::new(&params.flat(), &params.key_of_inference(number), inputs);
        let leaves = layout.entries().iter().map(|entry| entry.view_of(&entered.flat)).collect();
        let cx = params.context_of(Mode::Eval, leaves, &entered.key);
        let result = (self.model)(&cx, &entered.inputs);
        let vars = result.to_vars();
        let left = result.with_vars(vars.iter().map(|var| entered.tape.leave(var)).collect());
        self.never = cx.not_recorded();
        self.ran = match self.never {
            Some(never) => Ran::Directly(Reason::NotRecorded(never)),
            None => {
                let structure = result.with_vars(vec![Var::scalar(T::ZERO); vars.len()]);
                let buffers = cx.has_read_buffers().then(|| params.stored_buffers().clone());
                let recording = entered.recording(&vars);
                self.recordings.push(ModelRecording { recording, structure, layout, buffers });
                Ran::Recorded(mismatch)
            }
        };
        left
    }

    /// How the last call came to its result.
    pub fn ran(&self) -> &Ran {
        &self.ran
    }

    /// Forgets what was recorded, as after a change of something that the closure captures.
    ///
    /// ```
    /// use wengert_nn::{CompiledModel, Ctx, Layer, Linear, Params};
    /// use wengert_tape::{Ran, Var};
    /// let mut params: Params = Params::seeded(0);
    /// let layer = Linear::new(params.root(), 1, 1);
    /// let mut model = CompiledModel::new(|cx: &Ctx, x: &Var| layer.forward(cx, x));
    /// model.infer(&params, &Var::ones([1, 1]));
    /// model.forget();
    /// model.infer(&params, &Var::ones([1, 1]));
    /// assert_eq!(model.ran(), &Ran::Recorded(None));
    /// ```
    pub fn forget(&mut self) {
        self.recordings.clear();
    }
}
