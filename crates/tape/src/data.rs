//! Values of every kind, and the handles of those that are no floating-point numbers.

use std::fmt;
use std::marker::PhantomData;

use wengert_tensor::{Element, Float, Shape, Tensor};

use crate::tape::Place;

/// What an element of a recorded value is.
///
/// ```
/// use wengert_tape::{Data, Kind, Tape};
/// let tape = Tape::complete();
/// let x = tape.var([3.0f64, 1.0]);
/// x.masked_fill(x.gt(2.0), 0.0);
/// let kinds: Vec<Kind> = tape.steps().iter().map(|step| step.kind()).collect();
/// assert!(kinds.contains(&Kind::Float) && kinds.contains(&Kind::Mask));
/// assert_eq!(Data::Float(x.into_value()).kind(), Kind::Float);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A floating-point number.
    Float,
    /// A `u32`: a label, a position, a word of a random generator's state.
    Index,
    /// A `bool`.
    Mask,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Float => "float",
            Kind::Index => "index",
            Kind::Mask => "mask",
        })
    }
}

/// A value of any kind: what the operations of a recording take and give.
#[derive(Clone, Debug, PartialEq)]
pub enum Data<T: Float = f32> {
    /// Floating-point numbers.
    Float(Tensor<T>),
    /// Labels, positions or words of a generator's state.
    Index(Tensor<u32>),
    /// Truth values.
    Mask(Tensor<bool>),
}

impl<T: Float> Data<T> {
    /// What the elements are.
    pub fn kind(&self) -> Kind {
        match self {
            Data::Float(_) => Kind::Float,
            Data::Index(_) => Kind::Index,
            Data::Mask(_) => Kind::Mask,
        }
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &Shape {
        match self {
            Data::Float(tensor) => tensor.shape(),
            Data::Index(tensor) => tensor.shape(),
            Data::Mask(tensor) => tensor.shape(),
        }
    }

    /// The floating-point numbers.
    ///
    /// # Panics
    /// If the value is of another kind.
    #[track_caller]
    pub fn float(&self) -> &Tensor<T> {
        match self {
            Data::Float(tensor) => tensor,
            other => wrong_kind(Kind::Float, other.kind()),
        }
    }

    /// The indices.
    ///
    /// # Panics
    /// If the value is of another kind.
    #[track_caller]
    pub fn index(&self) -> &Tensor<u32> {
        match self {
            Data::Index(tensor) => tensor,
            other => wrong_kind(Kind::Index, other.kind()),
        }
    }

    /// The truth values.
    ///
    /// # Panics
    /// If the value is of another kind.
    ///
    /// ```
    /// use wengert_tape::Data;
    /// use wengert_tensor::Tensor;
    /// let data: Data<f64> = Data::Mask(Tensor::from([true, false]));
    /// assert_eq!(data.mask().to_vec(), [true, false]);
    /// ```
    #[track_caller]
    pub fn mask(&self) -> &Tensor<bool> {
        match self {
            Data::Mask(tensor) => tensor,
            other => wrong_kind(Kind::Mask, other.kind()),
        }
    }

    #[track_caller]
    pub(crate) fn into_float(self) -> Tensor<T> {
        match self {
            Data::Float(tensor) => tensor,
            other => wrong_kind(Kind::Float, other.kind()),
        }
    }
}

#[cold]
#[track_caller]
fn wrong_kind(wanted: Kind, found: Kind) -> ! {
    panic!("a value of kind {wanted} is needed, and this one is of kind {found}")
}

/// The elements that a [`Discrete`] may have: `u32` and `bool`.
///
/// ```
/// use wengert_tape::{Discrete, DiscreteElement, Var};
/// fn first<E: DiscreteElement>(values: &Discrete<E, f64>) -> E { values.value().to_vec()[0] }
/// let x = Var::from([3.0f64, 1.0]);
/// assert_eq!((first(&x.argsort(0, false)), first(&x.gt(2.0))), (1, true));
/// ```
pub trait DiscreteElement: Element + sealed::Sealed {
    /// The tensor as a value of its kind.
    #[doc(hidden)]
    fn to_data<T: Float>(tensor: Tensor<Self>) -> Data<T>;
    /// The tensor in a value of its kind.
    #[doc(hidden)]
    #[track_caller]
    fn of_data<T: Float>(data: &Data<T>) -> &Tensor<Self>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u32 {}
    impl Sealed for bool {}
}

impl DiscreteElement for u32 {
    fn to_data<T: Float>(tensor: Tensor<u32>) -> Data<T> {
        Data::Index(tensor)
    }
    #[track_caller]
    fn of_data<T: Float>(data: &Data<T>) -> &Tensor<u32> {
        data.index()
    }
}

impl DiscreteElement for bool {
    fn to_data<T: Float>(tensor: Tensor<bool>) -> Data<T> {
        Data::Mask(tensor)
    }
    #[track_caller]
    fn of_data<T: Float>(data: &Data<T>) -> &Tensor<bool> {
        data.mask()
    }
}

/// A tensor of indices or truth values that may be recorded: what comes out of [`argsort`](crate::Var::argsort) or a
/// comparison, and goes into [`gather`](crate::Var::gather) or [`select_where`](crate::Var::select_where). Nothing can be
/// differentiated with respect to it, so only a [complete](crate::Tape::complete) recording holds on to where it comes
/// from.
///
/// Methods that take one also take a tensor, by value or by reference, which is a constant.
///
/// ```
/// use wengert_tape::{Index, Var};
/// let x = Var::from([3.0f64, 1.0, 2.0]);
/// let order: Index<f64> = x.argsort(0, false);
/// assert_eq!(order.value().to_vec(), [1, 2, 0]);
/// assert_eq!(x.gather(0, &order).value().to_vec(), [1.0, 2.0, 3.0]);
/// assert_eq!(x.masked_fill(x.gt(1.5), 0.0).value().to_vec(), [0.0, 1.0, 0.0]);
/// ```
#[derive(Clone)]
pub struct Discrete<E: DiscreteElement, T: Float = f32> {
    given: Given<T>,
    element: PhantomData<E>,
}

/// Labels, positions, or the state of a random generator.
pub type Index<T = f32> = Discrete<u32, T>;

/// Truth values.
pub type Mask<T = f32> = Discrete<bool, T>;

/// A [`Discrete`] of either kind: an operation's operand that is no floating-point number.
///
/// ```
/// use wengert_tape::{Cotangents, Data, Given, Index, Op, Point, Var, apply_given};
/// use wengert_tensor::Tensor;
/// /// x times how often 1 stands among the labels.
/// struct TimesOnes;
/// fn ones(data: &Data<f64>) -> f64 { data.index().iter().filter(|&label| label == 1).count() as f64 }
/// impl Op<f64> for TimesOnes {
///     fn name(&self) -> &str { "times_ones" }
///     fn forward(&self, _: &[&Tensor<f64>]) -> Tensor<f64> { unreachable!("there are always labels") }
///     fn evaluate(&self, x: &[&Tensor<f64>], given: &[&Data<f64>]) -> Data<f64> {
///         Data::Float(x[0] * ones(given[0]))
///     }
///     fn vjp(&self, at: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) {
///         let count = ones(at.given(0).value());
///         into.add(0, || v * count);
///     }
/// }
/// let labels: Given<f64> = Index::from(Tensor::from([1u32, 0, 1])).given().clone();
/// assert_eq!(labels.to_index().value().to_vec(), [1, 0, 1]);
/// let f = |x: &Var<f64>| apply_given(TimesOnes, &[x], &[&labels]);
/// assert_eq!(wengert_tape::grad(f, &Var::scalar(5.0)).item(), 2.0);
/// ```
#[derive(Clone)]
pub struct Given<T: Float = f32> {
    pub(crate) value: Data<T>,
    pub(crate) place: Option<Place<T>>,
}

impl<T: Float> Given<T> {
    /// The value.
    pub fn value(&self) -> &Data<T> {
        &self.value
    }

    /// As indices.
    ///
    /// # Panics
    /// If they are truth values.
    #[track_caller]
    pub fn to_index(&self) -> Index<T> {
        self.value.index();
        Discrete { given: self.clone(), element: PhantomData }
    }

    /// As truth values.
    ///
    /// # Panics
    /// If they are indices.
    ///
    /// ```
    /// use wengert_tape::{Given, Var};
    /// let x = Var::from([3.0f64, 1.0]);
    /// let given: Given<f64> = x.gt(2.0).given().clone();
    /// assert_eq!(x.masked_fill(given.to_mask(), 0.0).value().to_vec(), [0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn to_mask(&self) -> Mask<T> {
        self.value.mask();
        Discrete { given: self.clone(), element: PhantomData }
    }
}

impl<E: DiscreteElement, T: Float> Discrete<E, T> {
    /// An untracked one.
    pub fn constant(value: Tensor<E>) -> Self {
        Discrete { given: Given { value: E::to_data(value), place: None }, element: PhantomData }
    }

    #[track_caller]
    pub(crate) fn of(given: Given<T>) -> Self {
        E::of_data(&given.value);
        Discrete { given, element: PhantomData }
    }

    /// The value.
    pub fn value(&self) -> &Tensor<E> {
        E::of_data(&self.given.value)
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &Shape {
        self.given.value.shape()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape().count()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a recording holds where they come from, so that they may be others in a replay.
    pub fn is_recorded(&self) -> bool {
        self.given.place.is_some()
    }

    /// As an operand of [`apply_given`](crate::apply_given).
    pub fn given(&self) -> &Given<T> {
        &self.given
    }
}

impl<E: DiscreteElement, T: Float> From<Tensor<E>> for Discrete<E, T> {
    fn from(value: Tensor<E>) -> Self {
        Discrete::constant(value)
    }
}

impl<E: DiscreteElement, T: Float> From<&Tensor<E>> for Discrete<E, T> {
    fn from(value: &Tensor<E>) -> Self {
        Discrete::constant(value.clone())
    }
}

impl<E: DiscreteElement, T: Float> From<&Discrete<E, T>> for Discrete<E, T> {
    fn from(value: &Discrete<E, T>) -> Self {
        value.clone()
    }
}

impl<E: DiscreteElement, T: Float> fmt::Debug for Discrete<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.value(), f)
    }
}

impl<E: DiscreteElement, T: Float> fmt::Display for Discrete<E, T>
where
    Tensor<E>: fmt::Display,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.value(), f)
    }
}
