//! The variable that user code computes with.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::{Float, Shape, Tensor};

use crate::data::{Data, Kind};
use crate::op::{Op, ValueOf};
use crate::profile::Timing;
use crate::tape::Place;

/// A tensor that may be tracked: a value and, if something is to be differentiated with respect to what it was
/// computed from, its place on a tape.
///
/// Cloning is cheap. Arithmetic on untracked variables records nothing and costs what it costs on tensors, so the
/// same code serves inference, training and the gradient rules themselves. All of [`Tensor`]'s differentiable
/// operations are methods here, under the same names; operators take variables, tensors and numbers (see
/// [`Operand`](crate::Operand)).
///
/// It prints as its tensor does with `{}`, and with `{:?}` also says its element type and whether it is tracked.
///
/// ```
/// use wengert_tape::{Var, grad};
/// let x = Var::from([1.0f64, 2.0, 3.0]);
/// let g = grad(|x: &Var<f64>| (x * x).sum(), &x);
/// assert_eq!(g.value().to_vec(), [2.0, 4.0, 6.0]);
/// ```
///
/// A variable stays on the thread that made it, since its tape does. What goes to another thread is a [`Tensor`]:
///
/// ```
/// use wengert_tape::Var;
/// let tensor = Var::from([1.0f64, 2.0]).into_value();
/// let sum = std::thread::spawn(move || Var::from(tensor).sum().item()).join().unwrap();
/// assert_eq!(sum, 3.0);
/// ```
///
/// ```compile_fail,E0277
/// use wengert_tape::Var;
/// let x = Var::from([1.0f64, 2.0]);
/// std::thread::spawn(move || x.sum().item());
/// ```
#[derive(Clone)]
pub struct Var<T: Float = f32> {
    /// For the compiler's message where one is sent to another thread: first, so that it comes first.
    thread: PhantomData<*const VarStaysOnItsThread>,
    pub(crate) value: Value<T>,
    pub(crate) place: Option<Place<T>>,
}

/// A [`Var`] cannot go to another thread: send its tensor (`into_value`) and make a variable of that there.
struct VarStaysOnItsThread;

/// A variable's value, which need not be at hand.
#[derive(Clone)]
pub(crate) enum Value<T: Float> {
    /// The tensor itself.
    Ready(Tensor<T>),
    /// An operation that will run when somebody reads the result.
    Deferred(Rc<Deferred<T>>),
    /// Only the shape was kept: the operation declared that its rules do not read this value.
    Dropped(Shape),
}

/// An operation whose result nobody has asked for yet.
pub(crate) struct Deferred<T: Float> {
    pub(crate) shape: Shape,
    pub(crate) op: Rc<dyn Op<T>>,
    /// Given up when the result is there.
    pub(crate) inputs: RefCell<SmallVec<[Value<T>; 2]>>,
    pub(crate) given: Vec<Data<T>>,
    pub(crate) result: OnceCell<Tensor<T>>,
}

impl<T: Float> Value<T> {
    pub(crate) fn shape(&self) -> &Shape {
        match self {
            Value::Ready(tensor) => tensor.shape(),
            Value::Deferred(deferred) => &deferred.shape,
            Value::Dropped(shape) => shape,
        }
    }

    pub(crate) fn dropped(&self) -> Self {
        Value::Dropped(self.shape().clone())
    }

    /// The tensor, computed now if it was deferred.
    #[inline]
    #[track_caller]
    pub(crate) fn tensor(&self) -> &Tensor<T> {
        match self {
            Value::Ready(tensor) => tensor,
            Value::Deferred(deferred) => deferred.force(),
            Value::Dropped(shape) => panic!(
                "a gradient rule reads a value of shape {shape} that its operation did not save: declare it in `Op::saves`"
            ),
        }
    }

    /// The tensor, moved out where possible.
    #[track_caller]
    pub(crate) fn into_tensor(self) -> Tensor<T> {
        match self {
            Value::Ready(tensor) => tensor,
            other => other.tensor().clone(),
        }
    }
}

impl<T: Float> Deferred<T> {
    /// Runs this operation, and before it, without recursion, the deferred ones that it reads.
    fn force(&self) -> &Tensor<T> {
        let mut before: Vec<Rc<Deferred<T>>> = Vec::new();
        loop {
            if let Some(done) = self.result.get() {
                return done;
            }
            let next = before.last().map_or(self, |deferred| deferred);
            match next.waits_for() {
                Some(first) => before.push(first),
                None => {
                    next.run();
                    before.pop();
                }
            }
        }
    }

    /// An input that has to be computed before.
    fn waits_for(&self) -> Option<Rc<Deferred<T>>> {
        self.inputs.borrow().iter().find_map(|input| match input {
            Value::Deferred(d) if d.result.get().is_none() => Some(Rc::clone(d)),
            _ => None,
        })
    }

    fn run(&self) {
        self.result.get_or_init(|| {
            let inputs = self.inputs.borrow();
            let inputs: SmallVec<[&Tensor<T>; 2]> = inputs.iter().map(Value::tensor).collect();
            let given: SmallVec<[&Data<T>; 1]> = self.given.iter().collect();
            let timing = Timing::start();
            let value = self.op.evaluate(&inputs, &given).into_float();
            if timing.is_on() {
                timing.operation(&ValueOf(&*self.op), &inputs, &given, value.shape(), Kind::Float);
            }
            value
        });
        drop(self.inputs.take());
    }
}

impl<T: Float> Drop for Deferred<T> {
    /// Takes long chains of deferred operations apart without recursion.
    fn drop(&mut self) {
        let mut waiting: Vec<Value<T>> = self.inputs.get_mut().drain(..).collect();
        while let Some(value) = waiting.pop() {
            if let Value::Deferred(rc) = value
                && let Ok(mut deferred) = Rc::try_unwrap(rc)
            {
                waiting.extend(deferred.inputs.get_mut().drain(..));
            }
        }
    }
}

impl<T: Float> Var<T> {
    #[inline]
    pub(crate) fn new(value: Value<T>, place: Option<Place<T>>) -> Self {
        Var { thread: PhantomData, value, place }
    }

    /// An untracked variable.
    #[doc(alias = "tensor")]
    #[track_caller]
    pub fn constant(value: impl Into<Tensor<T>>) -> Self {
        Var::new(Value::Ready(value.into()), None)
    }

    /// The value.
    #[doc(alias = "data")]
    #[doc(alias = "numpy")]
    #[inline]
    #[track_caller]
    pub fn value(&self) -> &Tensor<T> {
        self.value.tensor()
    }

    /// The value, without a copy of the elements.
    #[track_caller]
    pub fn into_value(self) -> Tensor<T> {
        self.value.into_tensor()
    }

    /// Lengths of the axes.
    #[doc(alias = "size")]
    #[inline]
    pub fn shape(&self) -> &Shape {
        self.value.shape()
    }

    /// The number of axes.
    #[doc(alias = "dim")]
    #[doc(alias = "ndim")]
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// The number of elements.
    #[doc(alias = "numel")]
    pub fn len(&self) -> usize {
        self.shape().count()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The only element of a variable with one element, as a plain number.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> T {
        self.value().item()
    }

    /// Whether something may be differentiated with respect to what this was computed from. A
    /// [complete](crate::Tape::complete) recording alone does not track.
    #[doc(alias = "requires_grad")]
    #[inline]
    pub fn is_tracked(&self) -> bool {
        self.place.as_ref().is_some_and(Place::is_differentiable)
    }

    /// The same value, as a constant: nothing computed from the result depends on this variable.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let x = Var::from([3.0f64]);
    /// let g = grad(|x: &Var<f64>| (x * x.stop_gradient()).sum(), &x);
    /// assert_eq!(g.item(), 3.0);
    /// ```
    pub fn stop_gradient(&self) -> Var<T> {
        Var::new(self.value.clone(), self.place.as_ref().and_then(Place::without_derivatives))
    }

    /// [`stop_gradient`](Var::stop_gradient) under the name that it has in PyTorch.
    pub fn detach(&self) -> Var<T> {
        self.stop_gradient()
    }

    /// All elements 0.
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Var::constant(Tensor::zeros(shape))
    }

    /// All elements 1.
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Var::constant(Tensor::ones(shape))
    }

    /// A variable without axes.
    pub fn scalar(value: T) -> Self {
        Var::constant(Tensor::scalar(value))
    }
}

impl<T: Float, V: Into<Tensor<T>>> From<V> for Var<T> {
    #[track_caller]
    fn from(value: V) -> Self {
        Var::constant(value)
    }
}

impl<T: Float> fmt::Debug for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tracked = if self.is_tracked() { "tracked " } else { "" };
        match &self.value {
            Value::Ready(tensor) => write!(f, "{tracked}{tensor:?}"),
            other => write!(f, "{tracked}{} (not computed)", other.shape()),
        }
    }
}

impl<T: Float> fmt::Display for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Dropped(_) => fmt::Debug::fmt(self, f),
            value => fmt::Display::fmt(value.tensor(), f),
        }
    }
}
