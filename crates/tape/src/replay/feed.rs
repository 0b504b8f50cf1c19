//! What programs are run on.

use wengert_tensor::{Float, Tensor};

use crate::data::{Data, Kind};
use crate::data::{Discrete, DiscreteElement};
use crate::tape::Tape;
use crate::var::Var;

/// A value that a [`Program`](crate::Program) is run on, by reference: its elements are not copied.
///
/// ```
/// use wengert_tape::{Feed, Kind};
/// use wengert_tensor::Tensor;
/// let (x, labels) = (Tensor::from([1.0f64, 2.0]), Tensor::from([1u32, 0]));
/// let feeds: [Feed<f64>; 2] = [Feed::from(&x), Feed::from(&labels)];
/// assert_eq!(feeds.map(|feed| feed.kind()), [Kind::Float, Kind::Index]);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Feed<'a, T: Float = f32> {
    /// Floating-point numbers.
    Float(&'a Tensor<T>),
    /// Labels, positions or words of a generator's state.
    Index(&'a Tensor<u32>),
    /// Truth values.
    Mask(&'a Tensor<bool>),
}

impl<'a, T: Float> Feed<'a, T> {
    /// What the elements are.
    pub fn kind(&self) -> Kind {
        match self {
            Feed::Float(_) => Kind::Float,
            Feed::Index(_) => Kind::Index,
            Feed::Mask(_) => Kind::Mask,
        }
    }

    /// Lengths of the axes.
    ///
    /// ```
    /// use wengert_tape::Feed;
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::<f64>::zeros([2, 3]);
    /// assert_eq!(Feed::from(&x).shape(), &[2, 3]);
    /// ```
    pub fn shape(&self) -> &'a wengert_tensor::Shape {
        match self {
            Feed::Float(tensor) => tensor.shape(),
            Feed::Index(tensor) => tensor.shape(),
            Feed::Mask(tensor) => tensor.shape(),
        }
    }

    /// The same elements as a value.
    pub(super) fn data(&self) -> Data<T> {
        match *self {
            Feed::Float(tensor) => Data::Float(tensor.clone()),
            Feed::Index(tensor) => Data::Index(tensor.clone()),
            Feed::Mask(tensor) => Data::Mask(tensor.clone()),
        }
    }
}

impl<'a> From<&'a Tensor<f32>> for Feed<'a, f32> {
    fn from(tensor: &'a Tensor<f32>) -> Self {
        Feed::Float(tensor)
    }
}

impl<'a> From<&'a Tensor<f64>> for Feed<'a, f64> {
    fn from(tensor: &'a Tensor<f64>) -> Self {
        Feed::Float(tensor)
    }
}

impl<'a, T: Float> From<&'a Tensor<u32>> for Feed<'a, T> {
    fn from(tensor: &'a Tensor<u32>) -> Self {
        Feed::Index(tensor)
    }
}

impl<'a, T: Float> From<&'a Tensor<bool>> for Feed<'a, T> {
    fn from(tensor: &'a Tensor<bool>) -> Self {
        Feed::Mask(tensor)
    }
}

impl<'a, T: Float> From<&'a Data<T>> for Feed<'a, T> {
    fn from(data: &'a Data<T>) -> Self {
        match data {
            Data::Float(tensor) => Feed::Float(tensor),
            Data::Index(tensor) => Feed::Index(tensor),
            Data::Mask(tensor) => Feed::Mask(tensor),
        }
    }
}

/// What a [compiled](crate::compile) function takes: a variable, indices or a mask, an array or a `Vec` of such, or a tuple of up
/// to eight of any of these, tuples included.
///
/// ```
/// use wengert_tape::{Compiled, Index, Inputs, Tape, Var, compile};
/// fn recorded(inputs: &impl Inputs<f64>) -> usize {
///     let tape = Tape::complete();
///     inputs.entered(&tape);
///     tape.len()
/// }
/// let (x, labels) = (Var::from([[1.0, 2.0]]), Index::from(wengert_tensor::Tensor::from([1u32])));
/// assert_eq!(recorded(&(vec![x.clone(), x.clone()], [labels], x)), 4);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a compiled function of elements `{T}` takes",
    label = "not a `Var<{T}>`, an `Index<{T}>`, a `Mask<{T}>`, or an array, `Vec` or tuple of them"
)]
pub trait Inputs<T: Float>: Sized {
    /// The same structure, each of its values entered on a tape in their order.
    fn entered(&self, tape: &Tape<T>) -> Self;
    /// Hands out the values in that order.
    ///
    /// ```
    /// use wengert_tape::{Inputs, Var};
    /// let mut shapes = Vec::new();
    /// (Var::<f64>::zeros([2]), Var::zeros([3])).feed(&mut |feed| shapes.push(feed.shape().clone()));
    /// assert_eq!(shapes, [[2], [3]]);
    /// ```
    fn feed<'a>(&'a self, to: &mut dyn FnMut(Feed<'a, T>));
    /// Whether something is recorded of what is computed from them.
    ///
    /// ```
    /// use wengert_tape::{Inputs, Tape, Var};
    /// let (x, y) = (Tape::new().var([1.0f64]), Var::from([1.0]));
    /// assert!((x, y.clone()).is_recorded() && !y.is_recorded());
    /// ```
    fn is_recorded(&self) -> bool;
}

impl<T: Float> Inputs<T> for Var<T> {
    fn entered(&self, tape: &Tape<T>) -> Self {
        tape.enter(self)
    }
    fn feed<'a>(&'a self, to: &mut dyn FnMut(Feed<'a, T>)) {
        to(Feed::Float(self.value()));
    }
    fn is_recorded(&self) -> bool {
        self.place.is_some()
    }
}

impl<E: DiscreteElement, T: Float> Inputs<T> for Discrete<E, T> {
    fn entered(&self, tape: &Tape<T>) -> Self {
        tape.discrete(self.value().clone())
    }
    fn feed<'a>(&'a self, to: &mut dyn FnMut(Feed<'a, T>)) {
        to(Feed::from(self.given().value()));
    }
    fn is_recorded(&self) -> bool {
        self.given().place.is_some()
    }
}

impl<T: Float, I: Inputs<T>> Inputs<T> for Vec<I> {
    fn entered(&self, tape: &Tape<T>) -> Self {
        self.iter().map(|input| input.entered(tape)).collect()
    }
    fn feed<'a>(&'a self, to: &mut dyn FnMut(Feed<'a, T>)) {
        self.iter().for_each(|input| input.feed(to));
    }
    fn is_recorded(&self) -> bool {
        self.iter().any(Inputs::is_recorded)
    }
}

impl<T: Float, I: Inputs<T>, const N: usize> Inputs<T> for [I; N] {
    fn entered(&self, tape: &Tape<T>) -> Self {
        self.each_ref().map(|input| input.entered(tape))
    }
    fn feed<'a>(&'a self, to: &mut dyn FnMut(Feed<'a, T>)) {
        self.iter().for_each(|input| input.feed(to));
    }
    fn is_recorded(&self) -> bool {
        self.iter().any(Inputs::is_recorded)
    }
}

/// A tuple, by the names of its members' types and their positions.
macro_rules! tuple {
    ($($Member:ident $position:tt),+) => {
        impl<T: Float, $($Member: Inputs<T>),+> Inputs<T> for ($($Member,)+) {
            fn entered(&self, tape: &Tape<T>) -> Self {
                ($( self.$position.entered(tape), )+)
            }
            fn feed<'a>(&'a self, to: &mut dyn FnMut(Feed<'a, T>)) {
                $( self.$position.feed(to); )+
            }
            fn is_recorded(&self) -> bool {
                $( self.$position.is_recorded() )||+
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
