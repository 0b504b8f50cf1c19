//! All parameters of a model in one flat vector.

mod buffers;
mod evaluate;
mod grads;
mod growing;
mod layout;
mod scope;
mod shared;
mod snapshot;
mod state;
mod values;

pub use evaluate::GradError;
#[doc(hidden)]
pub use evaluate::{pieces, pull_back};
pub use grads::Grads;
pub use layout::{BufferId, CountId, Entry, Layout, ParamId};
pub use scope::Scope;
pub use snapshot::Snapshot;
pub use values::ValuesMut;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape, Tensor, size};

pub(crate) use buffers::{Buffers, Updates};
pub(crate) use evaluate::{leaves, tracked_leaves};

use buffers::TakenOver;

/// The parameters of a model: one contiguous vector, cut into named tensors.
///
/// Layers hold [`ParamId`]s; tying weights is sharing an id. Gradients come back as one vector of the same layout,
/// so an optimiser is a loop over two slices. A clone has the same layout, and the same ids are valid for it.
///
/// The initial values of a parameter depend on the seed and on its name alone, not on what else there is.
///
/// ```
/// use wengert_nn::{Layer, Linear, Params};
/// use wengert_tape::Var;
///
/// let mut params = Params::seeded(0);
/// let model = Linear::new(params.at("line"), 1, 1);
/// let x = Var::from([[0.0f32], [1.0], [2.0]]);
/// let y = &x * 2.0 + 3.0;
/// for _ in 0..300 {
///     let (_, grads) = params.value_and_grad(|cx| (model.forward(cx, &x) - &y).square().mean())?;
///     for (p, g) in params.values_mut().iter_mut().zip(grads.iter()) {
///         *p -= 0.2 * g;
///     }
/// }
/// assert!((params.get("line.weight").unwrap()[0] - 2.0).abs() < 1e-3);
/// assert!((params.get("line.bias").unwrap()[0] - 3.0).abs() < 1e-3);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
#[doc(alias = "state_dict")]
#[doc(alias = "load_state_dict")]
pub struct Params<T: Float = f32> {
    layout: Arc<Layout>,
    /// At least as many elements as there are parameters: it grows by doubling while a model is built.
    storage: Tensor<T>,
    /// Room for the frozen values while [`ValuesMut`] writes.
    kept: Vec<T>,
    /// Running statistics and the like, which have no gradient.
    buffers: Buffers<T>,
    /// What evaluations have made of them since the last step.
    waiting: Updates<T>,
    taken_over: TakenOver,
    generator: Generator,
    /// Calls of [`Params::value_and_grad`] so far.
    step: AtomicU64,
    /// Calls of [`Params::infer`] since the last of those.
    inferences: AtomicU64,
    allow_unreached: bool,
}

impl<T: Float> Params<T> {
    /// No parameters yet; `seed` decides the initial values of those to come, and the masks of dropout.
    pub fn seeded(seed: u64) -> Self {
        Params {
            layout: Arc::new(Layout::new()),
            storage: Tensor::zeros([0]),
            kept: Vec::new(),
            buffers: Buffers::default(),
            waiting: Updates::default(),
            taken_over: TakenOver::new(),
            generator: Generator::seeded(seed),
            step: AtomicU64::new(0),
            inferences: AtomicU64::new(0),
            allow_unreached: false,
        }
    }

    /// The place where the parameters named `name.…` are made.
    ///
    /// # Panics
    /// If `name` is empty.
    #[track_caller]
    pub fn at(&mut self, name: impl AsRef<str>) -> Scope<'_, T> {
        self.root().into_at(name.as_ref())
    }

    /// The place where the parameters without a prefix to their names are made.
    pub fn root(&mut self) -> Scope<'_, T> {
        Scope::root(self)
    }

    /// The number of parameters, that is of numbers in the flat vector.
    pub fn len(&self) -> usize {
        self.layout.len()
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All parameters.
    pub fn values(&self) -> &[T] {
        &self.storage.as_slice().expect("the flat vector is contiguous")[..self.len()]
    }

    /// The flat vector as a tensor, without a copy.
    pub(crate) fn flat(&self) -> Tensor<T> {
        self.storage.slice(..self.len())
    }

    /// Names, shapes, positions and what is frozen: another one as soon as any of it changes while somebody holds this.
    pub(crate) fn layout_handle(&self) -> &Arc<Layout> {
        &self.layout
    }

    pub(crate) fn allows_unreached(&self) -> bool {
        self.allow_unreached
    }

    /// All parameters, for an optimiser to write: the values of [frozen](Params::freeze) ones come back when the guard is
    /// dropped, whatever was written. [`set_values`](Params::set_values) and [`slice_mut`](Params::slice_mut) write what
    /// they are told.
    ///
    /// They are copied first if a tensor made from them, such as the output of [`infer`](Params::infer) of a model that
    /// returns a parameter, is still alive.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.at("out"), 3, 2);
    /// params.freeze("out.weight");
    /// let before = params.get("out.weight").unwrap().to_vec();
    /// params.values_mut().fill(7.0);
    /// assert_eq!(params.get("out.weight").unwrap(), before);
    /// assert_eq!(params.get("out.bias").unwrap(), [7.0, 7.0]);
    /// ```
    pub fn values_mut(&mut self) -> ValuesMut<'_, T> {
        self.fit_storage();
        self.taken_over.stepped();
        let len = self.len();
        ValuesMut::new(&self.layout, &mut self.storage.as_mut_slice()[..len], &mut self.kept)
    }

    /// All parameters, frozen ones too, for writing.
    fn all_mut(&mut self) -> &mut [T] {
        self.fit_storage();
        let len = self.len();
        &mut self.storage.as_mut_slice()[..len]
    }

    /// Once the model has been built, gives back what the growth took in advance.
    fn fit_storage(&mut self) {
        if self.storage.len() > self.len() {
            self.storage = Tensor::vector(self.values());
        }
    }

    /// Replaces all parameters, frozen ones too.
    ///
    /// # Panics
    /// If there are not as many values as parameters.
    #[track_caller]
    pub fn set_values(&mut self, values: &[T]) {
        assert!(
            values.len() == self.len(),
            "set_values: {} values for {} parameters",
            values.len(),
            self.len()
        );
        self.all_mut().copy_from_slice(values);
    }

    /// Replaces all parameters by numbers that nothing else has, which are not copied.
    pub(crate) fn take_values(&mut self, values: Tensor<T>) {
        assert_eq!(values.len(), self.len(), "as many values as parameters");
        self.storage = values;
    }

    /// The values of the parameter tensor of that name, in row-major order.
    pub fn get(&self, name: &str) -> Option<&[T]> {
        self.id(name).map(|id| self.slice(id))
    }

    /// The id of the parameter tensor of that name.
    pub fn id(&self, name: &str) -> Option<ParamId> {
        self.layout.id(name)
    }

    /// The values of one parameter tensor, in row-major order.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    #[track_caller]
    pub fn slice(&self, id: ParamId) -> &[T] {
        &self.values()[self.layout.entry("slice", id).range()]
    }

    /// The values of one parameter tensor, for writing, also of a frozen one.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let layer = Linear::new(params.root(), 2, 1);
    /// params.slice_mut(layer.weight()).copy_from_slice(&[1.0, 2.0]);
    /// assert_eq!(params.get("weight").unwrap(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn slice_mut(&mut self, id: ParamId) -> &mut [T] {
        let range = self.layout.entry("slice_mut", id).range();
        &mut self.all_mut()[range]
    }

    /// One parameter tensor, sharing the memory of the flat vector.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    #[track_caller]
    pub fn tensor(&self, id: ParamId) -> Tensor<T> {
        self.layout.entry("tensor", id).view(&self.storage)
    }

    /// The name of a parameter tensor.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    #[track_caller]
    pub fn name(&self, id: ParamId) -> &str {
        &self.layout.entry("name", id).name
    }

    /// The shape of a parameter tensor.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    #[track_caller]
    pub fn shape(&self, id: ParamId) -> &Shape {
        &self.layout.entry("shape", id).shape
    }

    /// Name, shape and values of every parameter tensor, in the order of the flat vector.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.at("out"), 3, 2);
    /// let shapes: Vec<String> = params.iter().map(|(name, shape, _)| format!("{name} {shape}")).collect();
    /// assert_eq!(shapes, ["out.weight [2, 3]", "out.bias [2]"]);
    /// ```
    #[doc(alias = "named_parameters")]
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Shape, &[T])> {
        let values = self.values();
        self.layout.entries().iter().map(move |e| (e.name.as_str(), &e.shape, &values[e.range()]))
    }

    /// Where in the flat vector the parameters are whose name fits `pattern` (see [`name_matches`](crate::name_matches));
    /// neighbours are joined. None may fit. For an optimiser that treats groups differently.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.at("hidden"), 3, 2);
    /// Linear::new(params.at("out"), 2, 1);
    /// assert_eq!(params.ranges("*.bias"), [6..8, 10..11]);
    /// assert_eq!(params.ranges("hidden.*"), [0..8]);
    /// ```
    pub fn ranges(&self, pattern: &str) -> Vec<Range<usize>> {
        self.layout.ranges(pattern)
    }

    /// Makes constants of the parameters whose name fits `pattern` (see [`name_matches`](crate::name_matches)), and returns
    /// how many tensors that are. Their gradient is zero, it is no error if the loss does not reach them, and no
    /// optimiser moves them, by decay or by momentum either, as long as it writes through
    /// [`values_mut`](Params::values_mut).
    ///
    /// The optimiser goes on with a zero gradient: its momentum of frozen parameters fades. A state that stands still,
    /// as PyTorch's where there is no gradient, is that of a group that is switched off (`Groups::set_enabled` of
    /// `wengert_optim`).
    ///
    /// # Panics
    /// If the pattern fits no name.
    #[track_caller]
    pub fn freeze(&mut self, pattern: &str) -> usize {
        self.set_frozen("freeze", pattern, true)
    }

    /// Undoes [`freeze`](Params::freeze).
    ///
    /// # Panics
    /// If the pattern fits no name.
    #[track_caller]
    pub fn unfreeze(&mut self, pattern: &str) -> usize {
        self.set_frozen("unfreeze", pattern, false)
    }

    #[track_caller]
    fn set_frozen(&mut self, operation: &str, pattern: &str, frozen: bool) -> usize {
        self.layout.expect_match(operation, pattern);
        Arc::make_mut(&mut self.layout).set_frozen(pattern, frozen)
    }

    /// Whether a parameter that the loss does not reach gets a zero gradient instead of being an error.
    pub fn allow_unreached(&mut self, allow: bool) {
        self.allow_unreached = allow;
    }

    /// The number of calls of [`value_and_grad`](Params::value_and_grad) so far: with the seed, it decides the masks
    /// of dropout.
    pub fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    /// Sets the number of calls so far, to resume a training run. The random numbers of [`infer`](Params::infer) start
    /// again with it.
    ///
    /// ```
    /// use wengert_nn::Params;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let drawn = |params: &Params<f64>| params.infer(|cx| cx.generator().uniform());
    /// params.set_step(7);
    /// let then = drawn(&params);
    /// // A run that goes on from there draws the same.
    /// let mut resumed: Params<f64> = Params::seeded(0);
    /// resumed.set_step(7);
    /// assert_eq!(drawn(&resumed), then);
    /// ```
    pub fn set_step(&mut self, step: u64) {
        *self.step.get_mut() = step;
        *self.inferences.get_mut() = 0;
    }

    /// Steps, and inferences since the last: with the seed they decide which random numbers come next.
    #[doc(hidden)]
    pub fn evaluations(&self) -> [u64; 2] {
        [self.step(), self.inferences.load(Ordering::Relaxed)]
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Appends a parameter; the caller has checked the name and the shape.
    #[track_caller]
    fn push(&mut self, name: String, shape: Shape) -> ParamId {
        let start = self.len();
        let len = size::sum("param", &[start, shape.count()]);
        if self.storage.len() < len {
            self.storage = Tensor::written_for("param", [len.max(2 * start)], |grown| {
                let (old, new) = grown.split_at_mut(start);
                old.copy_from_slice(self.values());
                new.fill(T::ZERO);
            });
        }
        // After what may panic, so that there is never a parameter without a value.
        Arc::make_mut(&mut self.layout).push(name, shape)
    }
}

impl<T: Float> Clone for Params<T> {
    fn clone(&self) -> Self {
        Params {
            layout: Arc::clone(&self.layout),
            storage: self.storage.clone(),
            kept: Vec::new(),
            buffers: self.buffers.clone(),
            waiting: self.waiting.clone(),
            taken_over: self.taken_over.clone(),
            generator: self.generator.clone(),
            step: AtomicU64::new(self.step()),
            inferences: AtomicU64::new(self.inferences.load(Ordering::Relaxed)),
            allow_unreached: self.allow_unreached,
        }
    }
}

impl<T: Float> std::fmt::Debug for Params<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, shape, _)| (name, shape))).finish()
    }
}
