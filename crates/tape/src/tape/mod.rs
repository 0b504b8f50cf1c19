//! The Wengert list: an arena of nodes in the order of recording.

mod derivatives;
mod node;
pub(crate) mod record;

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;
use wengert_tensor::{Float, Tensor};

use crate::data::{Data, Discrete, DiscreteElement, Given, Kind};
use crate::fault::Watched;
use crate::profile::Timed;
use crate::var::{Value, Var};
use node::{Extra, GivenInput};
pub(crate) use node::{Input, Node};

/// A list of the operations that were applied to its variables, in order.
///
/// The functions [`grad`](crate::grad), [`jvp`](crate::jvp) and so on make their own tapes; use a `Tape` where the
/// program that is differentiated is not one closure.
///
/// ```
/// use wengert_tape::Tape;
/// use wengert_tensor::Tensor;
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([1.0f64, 2.0]));
/// let y = (&x * &x).sum();
/// let g = tape.gradients(&y, &[&x]);
/// assert_eq!(g[0].value().to_vec(), [2.0, 4.0]);
/// ```
#[doc(alias = "GradientTape")]
pub struct Tape<T: Float = f32> {
    pub(crate) arena: Rc<Arena<T>>,
}

/// The nodes of a tape, shared by the tape and the variables on it.
pub(crate) struct Arena<T: Float> {
    /// Later tapes have larger numbers; where several record the same operation, the later is the inner one.
    pub(crate) id: u64,
    maker: Maker,
    closed: Cell<bool>,
    deferring: Cell<bool>,
    expects_tangents: Cell<bool>,
    /// If it was made while the thread was profiled.
    pub(crate) timed: Option<Box<Timed>>,
    /// If somebody searches for the first operation that makes a NaN.
    pub(crate) watched: Option<Box<Watched>>,
    pub(crate) nodes: RefCell<Vec<Node<T>>>,
}

/// Who made a tape, and what for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// The user: two of them must not meet in one operation.
    Explicit,
    /// A transform, whose lifetime is nested inside that of any tape it meets.
    Transform,
    /// The user, to have all that is computed, derivatives included, and to differentiate nothing.
    Complete,
}

/// A variable's position on a tape, and on the tapes outside of it.
pub(crate) struct Place<T: Float> {
    pub(crate) arena: Rc<Arena<T>>,
    pub(crate) node: u32,
    /// The place on the next older tape, if the variable is on several.
    pub(crate) outer: Option<Rc<Place<T>>>,
}

impl<T: Float> Clone for Place<T> {
    #[inline]
    fn clone(&self) -> Self {
        Place { arena: Rc::clone(&self.arena), node: self.node, outer: self.outer.clone() }
    }
}

impl<T: Float> Place<T> {
    /// Whether it is on a tape that is made for derivatives.
    #[inline]
    pub(crate) fn is_differentiable(&self) -> bool {
        !self.arena.is_complete() || self.outer.as_deref().is_some_and(Place::is_differentiable)
    }

    /// The part on tapes that are not made for derivatives.
    pub(crate) fn without_derivatives(&self) -> Option<Place<T>> {
        let outer = self.outer.as_deref().and_then(Place::without_derivatives);
        if !self.arena.is_complete() {
            return outer;
        }
        Some(Place { arena: Rc::clone(&self.arena), node: self.node, outer: outer.map(Rc::new) })
    }
}

impl<T: Float> Default for Tape<T> {
    fn default() -> Self {
        Tape::new()
    }
}

impl<T: Float> Tape<T> {
    /// An empty tape.
    pub fn new() -> Self {
        Tape::made_by(Maker::Explicit)
    }

    /// An empty tape for a transform: it may be used inside the recording of another.
    pub fn nested() -> Self {
        Tape::made_by(Maker::Transform)
    }

    /// An empty tape for replaying: of what is computed from its variables it records everything, derivatives that are
    /// taken meanwhile included, with the constants that take part. [`steps`](Tape::steps) gives the recording as a
    /// program over the variables that were entered. Nothing is differentiated with respect to these; transforms such as
    /// [`grad`](crate::grad) do that inside of the recording.
    ///
    /// What reads values in between ([`value`](Var::value), [`item`](Var::item)) and makes constants or decisions of them
    /// is not part of the program.
    ///
    /// ```
    /// use wengert_tape::{Tape, Var, grad};
    /// let tape = Tape::complete();
    /// let x = tape.var([1.0f64, 2.0]);
    /// let g = grad(|x: &Var<f64>| x.tanh().sum(), &x);
    /// assert!(tape.steps().iter().any(|step| step.name() == "tanh"));
    /// assert!(tape.position(&g).is_some());
    /// ```
    pub fn complete() -> Self {
        Tape::made_by(Maker::Complete)
    }

    fn made_by(maker: Maker) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let [closed, deferring, expects_tangents] = [(); 3].map(|()| Cell::new(false));
        let (timed, watched) = (Timed::if_profiled(), Watched::if_searching());
        let nodes = RefCell::default();
        Tape {
            arena: Rc::new(Arena { id, maker, closed, deferring, expects_tangents, timed, watched, nodes }),
        }
    }

    /// A new variable on this tape.
    ///
    /// # Panics
    /// If the tape has been used up.
    #[doc(alias = "requires_grad")]
    #[track_caller]
    pub fn var(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        self.arena.assert_open("var");
        self.enter(&Var::constant(value))
    }

    /// The variable as a new starting point on this tape; it stays where it is on older tapes.
    ///
    /// # Panics
    /// If the tape has been used up.
    ///
    /// ```
    /// use wengert_tape::{Tape, Var};
    /// let tape = Tape::new();
    /// let constant = Var::from([3.0f64]);
    /// let x = tape.enter(&constant);
    /// assert!(x.is_tracked() && !constant.is_tracked());
    /// assert_eq!(tape.gradients(&x.square().sum(), &[&x])[0].item(), 6.0);
    /// ```
    #[track_caller]
    pub fn enter(&self, var: &Var<T>) -> Var<T> {
        self.arena.assert_open("enter");
        let outer = var.place.clone().map(Rc::new);
        let output = var.value.dropped();
        let here = Location::caller();
        let is_complete = self.arena.is_complete();
        let extra = if is_complete { Extra::of_complete(Kind::Float, None, Vec::new(), here) } else { None };
        let node = Node { op: None, inputs: SmallVec::new(), output, outer: outer.clone(), extra };
        let node = self.arena.push("enter", node);
        let place = Place { arena: Rc::clone(&self.arena), node, outer };
        Var::new(var.value.clone(), Some(place))
    }

    /// Indices or truth values as a starting point on a [complete](Tape::complete) tape; elsewhere a constant.
    ///
    /// # Panics
    /// If the tape has been used up.
    ///
    /// ```
    /// use wengert_tape::{Kind, Tape};
    /// use wengert_tensor::Tensor;
    /// let tape = Tape::<f64>::complete();
    /// let index = tape.discrete(Tensor::vector(&[1u32, 0]));
    /// tape.var([5.0, 6.0]).gather(0, &index);
    /// // The positions are an input of the recording, to be replayed with others.
    /// assert_eq!((tape.steps()[0].name(), tape.steps()[0].kind()), ("input", Kind::Index));
    /// ```
    #[track_caller]
    pub fn discrete<E: DiscreteElement>(&self, value: impl Into<Tensor<E>>) -> Discrete<E, T> {
        self.arena.assert_open("discrete");
        let value: Data<T> = E::to_data(value.into());
        if !self.arena.is_complete() {
            return Discrete::of(Given { value, place: None });
        }
        let extra = Extra::of_complete(value.kind(), None, Vec::new(), Location::caller());
        let node = self.arena.push("discrete", Node::leaf(value.shape(), extra));
        let place = Place { arena: Rc::clone(&self.arena), node, outer: None };
        Discrete::of(Given { value, place: Some(place) })
    }

    /// The variable without its place on this tape.
    pub fn leave(&self, var: &Var<T>) -> Var<T> {
        Var::new(var.value.clone(), self.arena.strip(var.place.as_ref()))
    }

    /// The number of nodes recorded so far.
    pub fn len(&self) -> usize {
        self.arena.nodes.borrow().len()
    }

    /// For each node, the bytes of the buffers that it keeps for derivatives and that neither an earlier node keeps nor one of
    /// `apart_from` has, such as parameters.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::new();
    /// let x = tape.var([1.0f64, 2.0]);
    /// // The derivatives of the sine need x, those of the exponential its value.
    /// x.sin().exp();
    /// assert_eq!(tape.kept_bytes(&[]), [0, 16, 16]);
    /// assert_eq!(tape.kept_bytes(&[&x]), [0, 0, 16]);
    /// ```
    pub fn kept_bytes(&self, apart_from: &[&Var<T>]) -> Vec<usize> {
        let mut seen = std::collections::HashSet::new();
        let mut fresh = |(at, bytes): (usize, usize)| if seen.insert(at) { bytes } else { 0 };
        for var in apart_from {
            if let Value::Ready(tensor) = &var.value {
                fresh(tensor.buffer_in_memory());
            }
        }
        let nodes = self.arena.nodes.borrow();
        let mut kept = Vec::with_capacity(nodes.len());
        for node in nodes.iter() {
            let values = node.inputs.iter().map(|input| &input.value).chain([&node.output]);
            let floats = values.filter_map(|value| match value {
                Value::Ready(tensor) => Some(tensor.buffer_in_memory()),
                _ => None,
            });
            let given =
                node.extra.iter().flat_map(|extra| &extra.given).filter_map(|given| given.value.as_ref());
            let given = given.map(|data| match data {
                Data::Float(tensor) => tensor.buffer_in_memory(),
                Data::Index(tensor) => tensor.buffer_in_memory(),
                Data::Mask(tensor) => tensor.buffer_in_memory(),
            });
            kept.push(floats.chain(given).map(&mut fresh).sum());
        }
        kept
    }

    /// Whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs `work` with operations deferred whose result may turn out to be unneeded: see
    /// [`Op::output_shape`](crate::Op::output_shape).
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::new();
    /// let x = tape.var([2.0f64]);
    /// let y = tape.deferring(|| x.exp());
    /// // The value is computed when somebody reads it.
    /// assert_eq!(y.item(), 2f64.exp());
    /// ```
    pub fn deferring<R>(&self, work: impl FnOnce() -> R) -> R {
        /// Puts the flag back, also when `work` panics.
        struct Restore<'a>(&'a Cell<bool>, bool);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _restore = Restore(&self.arena.deferring, self.arena.deferring.replace(true));
        work()
    }

    /// Says that tangents of what is recorded from here on will be asked for ([`push_forward`](Tape::push_forward)), perhaps many
    /// times: what stands for many steps, as [`lstm_sequence`](Var::lstm_sequence) does, is then recorded step by step, since its
    /// tangent would have to compute them anew each time. The numbers are the same but for rounding.
    ///
    /// ```
    /// use wengert_tape::{Tape, Var};
    /// let tape = Tape::nested();
    /// tape.expect_tangents();
    /// let x = tape.var([2.0f64]);
    /// let y = x.square();
    /// let tangent = tape.push_forward(&[&y], &[&x], &[Var::ones([1])]).remove(0).unwrap();
    /// assert_eq!(tangent.item(), 4.0);
    /// ```
    pub fn expect_tangents(&self) {
        self.arena.expects_tangents.set(true);
    }

    /// Ends the recording: the nodes are freed, and an operation on a variable that is still on this tape panics.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::new();
    /// let x = tape.var([2.0f64]);
    /// let y = x.square();
    /// tape.close();
    /// // Values stay, nodes do not.
    /// assert_eq!(y.item(), 4.0);
    /// ```
    pub fn close(&self) {
        self.arena.closed.set(true);
        // Taken out first: freeing a node may run code that looks at the tape.
        drop(self.arena.nodes.take());
    }
}

impl<T: Float> Arena<T> {
    #[track_caller]
    #[inline]
    pub(crate) fn push(&self, operation: &str, node: Node<T>) -> u32 {
        assert!(
            !self.closed.get(),
            "{operation}: a variable escaped the recording it belongs to, which has ended: return a value or use `stop_gradient`"
        );
        let mut nodes = self.nodes.borrow_mut();
        let index = u32::try_from(nodes.len()).expect("a tape holds at most 2^32 operations");
        nodes.push(node);
        index
    }

    #[track_caller]
    fn assert_open(&self, operation: &str) {
        assert!(
            !self.closed.get(),
            "{operation}: the tape has been used up; sweep with `Sweep::Retain` before"
        );
    }

    #[track_caller]
    fn assert_differentiable(&self, operation: &str) {
        assert!(
            !self.is_complete(),
            "{operation}: a complete tape is for replaying, and differentiates nothing: use `grad` or a tape of its own inside of the recording"
        );
    }

    /// Whether it records everything, and is not made for derivatives.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.maker == Maker::Complete
    }

    pub(crate) fn is_deferring(&self) -> bool {
        self.deferring.get()
    }

    /// Whether what stands for many steps is recorded step by step.
    pub(crate) fn takes_single_steps(&self) -> bool {
        self.deferring.get() || self.expects_tangents.get()
    }

    /// Whether `self` may record an operation together with the older tape `other`.
    fn may_meet(&self, other: &Arena<T>) -> bool {
        self.maker != Maker::Explicit || other.maker != Maker::Explicit
    }

    /// The node of a place on this tape.
    pub(crate) fn node_of(&self, place: Option<&Place<T>>) -> Option<u32> {
        let mut place = place;
        while let Some(p) = place {
            if p.arena.id == self.id {
                return Some(p.node);
            }
            place = p.outer.as_deref();
        }
        None
    }

    /// A place without its part on this tape.
    pub(crate) fn strip(&self, place: Option<&Place<T>>) -> Option<Place<T>> {
        let p = place?;
        if p.arena.id == self.id {
            return p.outer.as_deref().cloned();
        }
        let outer = self.strip(p.outer.as_deref()).map(Rc::new);
        Some(Place { arena: Rc::clone(&p.arena), node: p.node, outer })
    }

    /// The part of a place on tapes older than this one.
    pub(crate) fn older(&self, place: Option<&Place<T>>) -> Option<Rc<Place<T>>> {
        let p = place?;
        match p.arena.id {
            id if id == self.id => p.outer.clone(),
            id if id < self.id => Some(Rc::new(p.clone())),
            _ => self.older(p.outer.as_deref()),
        }
    }
}
