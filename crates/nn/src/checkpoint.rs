//! Layers that are computed again instead of being recorded.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use wengert_tape::{Var, checkpoint};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

impl<T: Float> Ctx<T> {
    /// `work(cx, inputs)`, of which the recording keeps only the inputs and the parameters: a derivative that needs the inside
    /// computes it again (see [`wengert_tape::checkpoint`]). It has the same dropout then, what it makes of buffers counts
    /// once, and observers see it once. `work` keeps what it needs (layers, tensors), and no variables that are tracked.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use wengert_nn::{Layer, Linear, Params, Relu, Sequential};
    /// use wengert_tape::Var;
    /// let mut params: Params = Params::seeded(0);
    /// let block = Sequential::builder(params.root()).with(|p| Linear::new(p, 4, 64)).then(Relu).build();
    /// let (block, x) = (Rc::new(block), Var::ones([3, 4]));
    /// let (_, direct) = params.value_and_grad(|cx| block.forward(cx, &x).sum())?;
    /// let again = Rc::clone(&block);
    /// let (_, grads) = params.value_and_grad(|cx| {
    ///     cx.checkpoint(move |cx, x| again.forward(cx, &x[0]), &[&x]).sum()
    /// })?;
    /// assert_eq!(grads[..], direct[..]);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Panics
    /// If `work` captures a tracked variable, whose derivative would be lost.
    #[track_caller]
    pub fn checkpoint(
        &self,
        work: impl Fn(&Ctx<T>, &[Var<T>]) -> Var<T> + 'static,
        inputs: &[&Var<T>],
    ) -> Var<T> {
        let tracked: Vec<usize> =
            (0..self.layout().entries().len()).filter(|&i| self.current(i).is_tracked()).collect();
        if tracked.is_empty() && !inputs.iter().any(|input| input.is_tracked()) {
            return work(self, &inputs.iter().copied().cloned().collect::<Vec<_>>());
        }
        let parameters: Vec<Var<T>> = tracked.iter().map(|&i| self.current(i)).collect();
        let all: Vec<&Var<T>> = inputs.iter().copied().chain(&parameters).collect();
        let (start, count) = (self.copied(), inputs.len());
        // What the first run has to say, which is the only one that is watched.
        let (first, watching) = (Rc::new(Cell::new(None)), RefCell::new(Some(self.observers())));
        let told = Rc::clone(&first);
        let inside = move |all: &[Var<T>]| {
            let (inputs, parameters) = all.split_at(count);
            let cx = start.with_leaves(tracked.iter().copied().zip(parameters));
            let observers = watching.borrow_mut().take();
            let is_first = observers.is_some();
            observers.into_iter().flatten().for_each(|observer| cx.observe(observer));
            let output = work(&cx, inputs);
            if is_first {
                told.set(Some(cx));
            }
            output
        };
        let output = checkpoint(inside, &all);
        self.continue_from(first.take().expect("the function was called"));
        output
    }
}

/// A layer that is [computed again](Ctx::checkpoint) where a derivative needs what is inside of it: training takes the memory of
/// its input instead of that of all its layers, and a forward pass more.
///
/// ```
/// use wengert_nn::{Checkpoint, Layer, Linear, Params, Relu, Scope, Sequential};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let block = |p: Scope<'_>| Sequential::builder(p).with(|p| Linear::new(p, 8, 8)).then(Relu).build();
/// let model = Sequential::builder(params.root())
///     .with(|p| Checkpoint::new(block(p)))
///     .with(|p| Checkpoint::new(block(p)))
///     .build();
/// let (_, grads) = params.value_and_grad(|cx| model.forward(cx, &Var::ones([3, 8])).sum())?;
/// assert_eq!(grads.len(), 2 * 72);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint<L>(Arc<L>);

impl<L> Checkpoint<L> {
    /// The layer, to be computed again.
    pub fn new(layer: L) -> Self {
        Checkpoint(Arc::new(layer))
    }
}

impl<T: Float, L: Layer<T> + 'static> Layer<T> for Checkpoint<L> {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let layer = Arc::clone(&self.0);
        cx.checkpoint(move |cx, x| layer.forward(cx, &x[0]), &[x])
    }
}
