//! Making parameters under a dotted path.

use std::sync::Arc;

use wengert_tensor::{Float, Shape, Tensor};

use super::{BufferId, CountId, ParamId, Params};
use crate::file::is_reserved;
use crate::init::Init;

/// Bytes that a name may have: what is saved must be loadable, and a file's header has a limit.
const LONGEST_NAME: usize = 1 << 16;

/// A place in the tree of names where a layer makes its parameters: see [`Params::at`].
///
/// ```
/// use wengert_nn::{Linear, Params, Scope};
///
/// struct Block { first: Linear, second: Linear }
///
/// impl Block {
///     fn new(mut p: Scope) -> Self {
///         Block { first: Linear::new(p.at("first"), 4, 4), second: Linear::new(p.at("second"), 4, 4) }
///     }
/// }
///
/// let mut params = Params::seeded(0);
/// Block::new(params.at("block"));
/// assert!(params.id("block.second.bias").is_some());
/// ```
pub struct Scope<'a, T: Float = f32> {
    params: &'a mut Params<T>,
    /// Empty at the root.
    path: String,
}

impl<'a, T: Float> Scope<'a, T> {
    pub(super) fn root(params: &'a mut Params<T>) -> Self {
        Scope { params, path: String::new() }
    }

    /// The place `name` below this one; layers of a list are made at `p.at(format!("layers.{i}"))`.
    ///
    /// # Panics
    /// If `name` is empty.
    #[track_caller]
    pub fn at(&mut self, name: impl AsRef<str>) -> Scope<'_, T> {
        let path = self.join("at", name.as_ref());
        Scope { params: self.params, path }
    }

    /// Like [`at`](Scope::at), using this one up.
    #[track_caller]
    pub(super) fn into_at(self, name: &str) -> Scope<'a, T> {
        let path = self.join("at", name);
        Scope { params: self.params, path }
    }

    /// The dotted path so far; empty at the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A new parameter tensor.
    ///
    /// # Panics
    /// If there is already one of that name, the name is empty, longer than 65,536 bytes with its path, or
    /// `__metadata__` (which has another meaning in files), the shape does not suit the initialiser, or it or all
    /// parameters together have too many elements.
    #[doc(alias = "Parameter")]
    #[doc(alias = "register_parameter")]
    #[track_caller]
    pub fn param(&mut self, name: &str, shape: impl Into<Shape>, init: Init) -> ParamId {
        let name = self.new_name("param", name);
        let shape = shape.into().checked("param");
        let values = self.initial(&name, &shape, init);
        self.push(name, &values)
    }

    /// Makes a parameter that starts with these values, as those of a file.
    ///
    /// # Panics
    /// If [`name_problem`](Scope::name_problem) has something to say about the name, or all parameters together have too many
    /// elements.
    ///
    /// ```
    /// use wengert_nn::Params;
    /// use wengert_tensor::Tensor;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let id = params.at("head").param_from("bias", &Tensor::from([1.0, 2.0]));
    /// assert_eq!((params.name(id), params.slice(id)), ("head.bias", &[1.0, 2.0][..]));
    /// ```
    #[track_caller]
    pub fn param_from(&mut self, name: &str, values: &Tensor<T>) -> ParamId {
        let name = self.new_name("param_from", name);
        self.push(name, &values.contiguous())
    }

    #[track_caller]
    fn push(&mut self, name: String, values: &Tensor<T>) -> ParamId {
        let id = self.params.push(name, values.shape().clone());
        let values = values.as_slice().expect("they are contiguous");
        self.write(id, |all| all.copy_from_slice(values));
        id
    }

    /// What a tensor of that whole name starts with.
    #[track_caller]
    fn initial(&self, name: &str, shape: &Shape, init: Init) -> Tensor<T> {
        // By name, so that a layer's start does not depend on which layers were made before it.
        let mut generator = self.params.generator.fork(hash(name));
        let mut values = Tensor::written_for("param", shape, |_| {});
        init.fill(shape, values.as_mut_slice(), &mut generator);
        values
    }

    /// The values that a parameter tensor of this name would start with here.
    #[track_caller]
    pub(crate) fn drawn(&self, name: &str, shape: impl Into<Shape>, init: Init) -> Tensor<T> {
        self.initial(&self.join("drawn", name), &shape.into(), init)
    }

    /// The same place again.
    pub(crate) fn again(&mut self) -> Scope<'_, T> {
        Scope { params: self.params, path: self.path.clone() }
    }

    /// The parameters that are being made.
    pub(crate) fn params(&mut self) -> &mut Params<T> {
        self.params
    }

    /// Gives a parameter of this place another name; there must be it, and no other of the new name.
    #[track_caller]
    pub(crate) fn rename(&mut self, operation: &str, from: &str, to: &str) -> ParamId {
        let (from, to) = (self.join(operation, from), self.new_name(operation, to));
        let Some(id) = self.params.id(&from) else {
            panic!("{operation}: the layer has made no parameter `{from}`");
        };
        Arc::make_mut(&mut self.params.layout).rename(id, to);
        id
    }

    /// A new parameter tensor if there is something to start it with. Not by `map`: a closure would lose the caller's line.
    #[track_caller]
    pub(crate) fn optional(&mut self, name: &str, shape: &[usize], init: Option<Init>) -> Option<ParamId> {
        let mut id = None;
        if let Some(init) = init {
            id = Some(self.param(name, shape, init));
        }
        id
    }

    /// Writes the values of a parameter that was made here.
    pub(crate) fn write(&mut self, id: ParamId, write: impl FnOnce(&mut [T])) {
        let range = self.params.layout.entry("param", id).range();
        write(&mut self.params.storage.as_mut_slice()[range]);
    }

    /// Makes a constant of a parameter that was made here.
    pub(crate) fn freeze(&mut self, id: ParamId) {
        Arc::make_mut(&mut self.params.layout).freeze(id);
    }

    /// A new buffer: a tensor that is saved with the parameters but has no gradient. Layers
    /// [set](crate::Ctx::set_buffer) it, and a step [takes it over](Params::update_buffers).
    ///
    /// # Panics
    /// If there is already a parameter or a buffer of that name, or the name is none that
    /// [`param`](Scope::param) takes.
    #[doc(alias = "register_buffer")]
    #[track_caller]
    pub fn buffer(&mut self, name: &str, value: Tensor<T>) -> BufferId {
        let name = self.new_name("buffer", name);
        self.params.buffers.tensors.push(value.contiguous());
        Arc::make_mut(&mut self.params.layout).push_buffer(name)
    }

    /// A new count: a whole number that is saved with the parameters, in files as an `I64` without axes. In all else it is
    /// as a [buffer](Self::buffer).
    ///
    /// # Panics
    /// As [`buffer`](Scope::buffer).
    #[track_caller]
    pub fn count(&mut self, name: &str, value: i64) -> CountId {
        let name = self.new_name("count", name);
        self.params.buffers.counts.push(value);
        Arc::make_mut(&mut self.params.layout).push_count(name)
    }

    /// Why no parameter or buffer of that name can be made here: it is empty, taken, too long or reserved. `None` if one can.
    ///
    /// ```
    /// use wengert_nn::{Init, Params};
    /// let mut params: Params = Params::seeded(0);
    /// params.at("head").param("bias", [1], Init::Zeros);
    /// assert_eq!(params.at("head").name_problem("weight"), None);
    /// assert!(params.at("head").name_problem("bias").unwrap().contains("already"));
    /// ```
    pub fn name_problem(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return Some(format!("the name below `{}` is empty", self.path));
        }
        let name = self.below(name);
        if self.params.layout.has_name(&name) {
            return Some(format!("there is already a parameter or buffer named `{name}`"));
        }
        if is_reserved(&name) {
            return Some(format!("`{name}` is the name under which files keep something else"));
        }
        (name.len() > LONGEST_NAME)
            .then(|| format!("a name of {} bytes, more than {LONGEST_NAME}", name.len()))
    }

    #[track_caller]
    fn new_name(&self, operation: &str, name: &str) -> String {
        if let Some(problem) = self.name_problem(name) {
            panic!("{operation}: {problem}");
        }
        self.below(name)
    }

    /// The whole name of what has that name here.
    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    #[track_caller]
    fn join(&self, operation: &str, name: &str) -> String {
        assert!(!name.is_empty(), "{operation}: the name below `{}` is empty", self.path);
        self.below(name)
    }
}

/// The 64-bit hash of a string by Fowler, Noll and Vo (FNV-1a): the same on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
