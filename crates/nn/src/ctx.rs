//! What a forward pass runs in.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use wengert_tape::{Index, Var};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use crate::observe::{Affine, AffineUse, Observer, ParamUse};
use crate::params::{BufferId, Buffers, CountId, Layout, ParamId, Updates};
use crate::replaced::Replaced;
use crate::shards::Shards;

/// Whether a model is being trained or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout drops, running statistics are updated.
    Train,
    /// Dropout does nothing, running statistics are used.
    Eval,
}

/// The parameters in force, train or evaluation mode, the random numbers for dropout and the running statistics: all
/// that a forward pass depends on apart from its input. Made by [`Params`](crate::Params); nothing in it is global.
pub struct Ctx<T: Float = f32> {
    layout: Arc<Layout>,
    leaves: Vec<Var<T>>,
    mode: Mode,
    generator: Generator,
    /// The generator's state, if that is an operand of a recording.
    key: Option<Index<T>>,
    /// Generators handed out so far.
    draws: Cell<u64>,
    /// Whether one of them was handed out beside the key.
    drew_beside_key: Cell<bool>,
    /// Whether buffers or counts were read.
    read_buffers: Cell<bool>,
    /// As they are stored; `None` if they are not what they should be.
    buffers: Option<Buffers<T>>,
    /// What has been set here.
    updates: RefCell<Updates<T>>,
    pub(crate) observers: RefCell<Vec<Rc<dyn Observer<T>>>>,
    replaced: Replaced<T>,
    /// Those of the batch, if the forward pass is on one of several.
    pub(crate) shards: RefCell<Option<Rc<dyn Shards<T>>>>,
}

impl<T: Float> Ctx<T> {
    pub(crate) fn new(
        layout: Arc<Layout>,
        leaves: Vec<Var<T>>,
        mode: Mode,
        generator: Generator,
        buffers: Buffers<T>,
    ) -> Self {
        let (draws, updates, observers) = (Cell::new(0), RefCell::default(), RefCell::default());
        let buffers = Some(buffers);
        let (replaced, shards) = (Replaced::default(), RefCell::default());
        let (drew_beside_key, read_buffers) = (Cell::new(false), Cell::new(false));
        Ctx {
            layout,
            leaves,
            mode,
            generator,
            key: None,
            draws,
            drew_beside_key,
            read_buffers,
            buffers,
            updates,
            observers,
            replaced,
            shards,
        }
    }

    /// The value of a parameter tensor, tracked if its gradient is wanted.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    #[track_caller]
    pub fn param(&self, id: ParamId) -> Var<T> {
        self.param_of("param", id)
    }

    /// The parameter for the function `operation`, which the panic names.
    #[track_caller]
    pub(crate) fn param_of(&self, operation: &str, id: ParamId) -> Var<T> {
        let name = &self.layout.entry(operation, id).name;
        if let Some(value) = self.replaced.get(id.index()) {
            return value;
        }
        let value = &self.leaves[id.index()];
        for observer in &*self.observers.borrow() {
            observer.param(&ParamUse { id, name, value });
        }
        value.clone()
    }

    /// The parameters of an affine layer.
    #[track_caller]
    pub(crate) fn weight_and_bias(
        &self,
        operation: &str,
        weight: ParamId,
        bias: Option<ParamId>,
    ) -> (Var<T>, Option<Var<T>>) {
        // Not in the closure, which would lose the caller's line.
        if let Some(bias) = bias {
            self.layout.entry(operation, bias);
        }
        (self.param_of(operation, weight), bias.map(|bias| self.param(bias)))
    }

    /// Lets an [`Observer`] watch the rest of the forward pass, beside those that already do.
    pub fn observe(&self, observer: Rc<dyn Observer<T>>) {
        self.observers.borrow_mut().push(observer);
    }

    /// Tells [observers](Observer::affine), a Kronecker-factored curvature above all, that `output` is this affine map of
    /// `input`. The library's layers do; one of your own that multiplies by a weight itself may, so that its weight has a
    /// Kronecker block instead of a diagonal one.
    ///
    /// ```
    /// use wengert_nn::{Affine, Ctx, ParamId};
    /// use wengert_tape::Var;
    /// fn forward(weight: ParamId, cx: &Ctx, x: &Var) -> Var {
    ///     let y = x.matmul(&cx.param(weight).t());
    ///     cx.affine(Affine { weight, bias: None, convolution: None }, x, &y);
    ///     y
    /// }
    /// ```
    ///
    /// # Panics
    /// While somebody observes: if the shapes do not fit, or an id belongs to another `Params`.
    #[track_caller]
    pub fn affine(&self, map: Affine, input: &Var<T>, output: &Var<T>) {
        let observers = self.observers.borrow();
        if observers.is_empty() || self.replaced.contains(map.weight.index()) {
            return;
        }
        let geometry = map.geometry(&self.layout, input.shape(), output.shape());
        for observer in &*observers {
            observer.affine(&AffineUse { map, geometry, input, output });
        }
    }

    /// Train or evaluation mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether the mode is [`Mode::Train`].
    #[doc(alias = "training")]
    pub fn is_training(&self) -> bool {
        self.mode == Mode::Train
    }

    /// A generator of random numbers, another one at each call. What they give depends on nothing but the seed of the
    /// parameters, the step, and how many calls came before in this context; in [`infer`](crate::Params::infer) also on
    /// how many inferences came before in this step.
    ///
    /// ```
    /// use wengert_nn::Params;
    /// let params: Params<f64> = Params::seeded(0);
    /// // Another one at each call, and the same ones in the same step of a copy.
    /// let draw = |params: &Params<f64>| params.infer(|cx| [cx.generator().uniform(), cx.generator().uniform()]);
    /// let [first, second] = draw(&params);
    /// assert!(first != second && draw(&Params::seeded(0)) == [first, second]);
    /// ```
    pub fn generator(&self) -> Generator {
        self.drew_beside_key.set(true);
        let draw = self.draws.get();
        self.draws.set(draw + 1);
        self.generator.fork(draw)
    }

    /// Like [`generator`](Ctx::generator), as an operand of operations that draw random numbers, such as
    /// [`Var::dropout`]. A layer that draws through it can be replayed with other random numbers.
    pub fn key(&self) -> Index<T> {
        let Some(key) = &self.key else { return Index::key(&self.generator()) };
        let draw = self.draws.get();
        self.draws.set(draw + 1);
        key.fork(draw)
    }

    /// The same context with random numbers from another key (see [`Params::key`](crate::Params::key)), which a complete
    /// recording may have as an input.
    ///
    /// ```
    /// use wengert_nn::{Dropout, Layer, Mode, Params};
    /// use wengert_tape::{Tape, Var};
    /// let params: Params = Params::seeded(0);
    /// let tape = Tape::complete();
    /// let key = tape.discrete(params.key().value().clone());
    /// let cx = params.context(Mode::Train, &params.vars()).with_key(&key);
    /// let y = Dropout::new(0.5).forward(&cx, &Var::ones([100]));
    /// assert!(tape.position(&y).is_some());
    /// let direct = Dropout::new(0.5).forward(&params.context(Mode::Train, &params.vars()), &Var::ones([100]));
    /// assert_eq!(y.value(), direct.value());
    /// ```
    ///
    /// # Panics
    /// If the key does not consist of six words.
    #[must_use]
    #[track_caller]
    pub fn with_key(self, key: &Index<T>) -> Self {
        Ctx { generator: key.generator(), key: Some(key.clone()), ..self }
    }

    /// The current value of a buffer: the latest one set in this context, or the stored one.
    ///
    /// # Panics
    /// If the id belongs to another `Params`, or in evaluation mode if steps have been taken without ever
    /// [taking over](crate::Params::update_buffers) the statistics.
    #[track_caller]
    pub fn buffer(&self, id: BufferId) -> Tensor<T> {
        let index = self.layout.buffer("buffer", id);
        match self.updates.borrow().tensor(index) {
            Some(set) => set.clone(),
            None => self.stored("buffer", &self.layout.buffer_names()[index]).tensors[index].clone(),
        }
    }

    /// Gives a buffer a new value. From [`Params::value_and_grad`](crate::Params::value_and_grad) it comes back with the
    /// gradient, for [`update_buffers`](crate::Params::update_buffers); elsewhere it is forgotten with the context.
    ///
    /// # Panics
    /// If the id belongs to another `Params`, or the shape is not the buffer's.
    #[track_caller]
    pub fn set_buffer(&self, id: BufferId, value: Tensor<T>) {
        let index = self.layout.buffer("set_buffer", id);
        let name = &self.layout.buffer_names()[index];
        let shape = self.stored("set_buffer", name).tensors[index].shape();
        assert!(
            value.shape() == shape,
            "set_buffer: `{name}` has shape {shape}, the new value {}",
            value.shape()
        );
        self.updates.borrow_mut().set_tensor(index, value.contiguous());
    }

    /// The current value of a count, as [`buffer`](Self::buffer) gives that of a buffer.
    ///
    /// # Panics
    /// As [`buffer`](Self::buffer).
    #[track_caller]
    pub fn count(&self, id: CountId) -> i64 {
        let index = self.layout.count("count", id);
        match self.updates.borrow().count(index) {
            Some(set) => set,
            None => self.stored("count", &self.layout.count_names()[index]).counts[index],
        }
    }

    /// Gives a count a new value, as [`set_buffer`](Self::set_buffer) gives one to a buffer.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    #[track_caller]
    pub fn set_count(&self, id: CountId, value: i64) {
        self.updates.borrow_mut().set_count(self.layout.count("set_count", id), value);
    }

    /// The context of a model whose statistics have been forgotten: reading them panics.
    pub(crate) fn without_buffers(self) -> Self {
        Ctx { buffers: None, ..self }
    }

    #[track_caller]
    fn stored(&self, operation: &str, name: &str) -> &Buffers<T> {
        self.read_buffers.set(true);
        match &self.buffers {
            Some(buffers) => buffers,
            None => panic!(
                "{operation}: `{name}` is as it was at the start, since no step took over what evaluations made of it: call `update_buffers` after each step, or `discard_updates` if it is to stay"
            ),
        }
    }

    /// A parameter by its [position](ParamId::index), unseen by observers.
    pub fn leaf(&self, index: usize) -> &Var<T> {
        &self.leaves[index]
    }

    /// What layers get for the parameter at a position.
    pub(crate) fn current(&self, index: usize) -> Var<T> {
        self.replaced.get(index).unwrap_or_else(|| self.leaves[index].clone())
    }

    pub(crate) fn replaced(&self) -> &Replaced<T> {
        &self.replaced
    }

    /// Names, shapes and positions of the parameters.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The parameters that are not frozen, in their order.
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// Linear::new(params.at("body"), 2, 2);
    /// Linear::new(params.at("head"), 2, 1);
    /// params.freeze("body.*");
    /// assert_eq!(params.infer(|cx| cx.trained().count()), 2);
    /// ```
    pub fn trained(&self) -> impl Iterator<Item = &Var<T>> {
        self.layout
            .entries()
            .iter()
            .zip(&self.leaves)
            .filter(|(entry, _)| !entry.frozen)
            .map(|(_, leaf)| leaf)
    }

    /// The same state without observers and without what is tracked, for a function that is computed again.
    pub(crate) fn copied(&self) -> Self {
        Ctx {
            layout: Arc::clone(&self.layout),
            leaves: self.leaves.iter().map(Var::stop_gradient).collect(),
            mode: self.mode,
            generator: self.generator.clone(),
            key: self.key.clone(),
            draws: self.draws.clone(),
            drew_beside_key: self.drew_beside_key.clone(),
            read_buffers: self.read_buffers.clone(),
            buffers: self.buffers.clone(),
            updates: self.updates.clone(),
            observers: RefCell::default(),
            replaced: self.replaced.constant(),
            shards: self.shards.clone(),
        }
    }

    /// A [copy](Self::copied) in which some parameters are other variables.
    pub(crate) fn with_leaves<'a>(&self, leaves: impl Iterator<Item = (usize, &'a Var<T>)>) -> Self {
        let mut copy = self.copied();
        for (index, leaf) in leaves {
            if copy.replaced.contains(index) {
                copy.replaced.set(index, Some(leaf.clone()));
            } else {
                copy.leaves[index] = leaf.clone();
            }
        }
        copy
    }

    pub(crate) fn observers(&self) -> Vec<Rc<dyn Observer<T>>> {
        self.observers.borrow().clone()
    }

    /// Goes on with the random numbers and the buffers of a [copy](Self::copied).
    pub(crate) fn continue_from(&self, copy: Self) {
        self.draws.set(copy.draws.get());
        self.drew_beside_key.set(copy.drew_beside_key.get());
        self.read_buffers.set(copy.read_buffers.get());
        self.updates.replace(copy.updates.into_inner());
    }

    /// What was done of which a recording holds the result and not how it came about.
    pub(crate) fn not_recorded(&self) -> Option<&'static str> {
        if !self.updates.borrow().is_empty() {
            Some("running statistics are updated")
        } else if self.drew_beside_key.get() {
            Some("random numbers are drawn by `Ctx::generator`, not by `Ctx::key`")
        } else {
            None
        }
    }

    /// Whether buffers or counts were read.
    pub(crate) fn has_read_buffers(&self) -> bool {
        self.read_buffers.get()
    }

    /// The buffers and counts that were set, with their last values.
    pub(crate) fn take_updates(self) -> Updates<T> {
        self.updates.into_inner()
    }
}
