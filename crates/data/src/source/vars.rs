//! From tensors to what models and losses take.

use wengert_tape::Var;
use wengert_tensor::Tensor;

/// A batch of tensors, which can go from thread to thread, made into what a model takes, which cannot: tensors of
/// floating-point numbers become variables; labels, token ids, bytes and masks stay tensors, as losses and operations
/// take them. Tuples, lists, options and results become those of their parts.
///
/// For a batch that is a type of one's own, it is one line if that holds what the model takes already.
///
/// ```
/// use wengert_data::IntoVars;
/// use wengert_tensor::Tensor;
///
/// struct Texts(Vec<String>);
/// impl IntoVars for Texts {
///     type Vars = Self;
///     fn into_vars(self) -> Self {
///         self
///     }
/// }
/// let (weights, labels) = (Tensor::from([0.5f64, 2.0]), Tensor::from([1u32, 0])).into_vars();
/// assert_eq!((weights * 2.0).value().to_vec(), [1.0, 4.0]);
/// assert_eq!(labels.to_vec(), [1, 0]);
/// ```
pub trait IntoVars {
    /// What a model and its loss take.
    type Vars;

    /// The same numbers as constants.
    fn into_vars(self) -> Self::Vars;
}

macro_rules! floats {
    ($($element:ty),*) => { $(
        impl IntoVars for Tensor<$element> {
            type Vars = Var<$element>;
            fn into_vars(self) -> Var<$element> {
                Var::constant(self)
            }
        }
    )* };
}
floats!(f32, f64);

macro_rules! as_they_are {
    ($($batch:ty),*) => { $(
        impl IntoVars for $batch {
            type Vars = Self;
            fn into_vars(self) -> Self {
                self
            }
        }
    )* };
}
as_they_are!(Tensor<u32>, Tensor<u8>, Tensor<bool>, ());

impl<B: IntoVars> IntoVars for Vec<B> {
    type Vars = Vec<B::Vars>;
    fn into_vars(self) -> Self::Vars {
        self.into_iter().map(B::into_vars).collect()
    }
}

impl<B: IntoVars> IntoVars for Option<B> {
    type Vars = Option<B::Vars>;
    fn into_vars(self) -> Self::Vars {
        self.map(B::into_vars)
    }
}

impl<B: IntoVars, E> IntoVars for Result<B, E> {
    type Vars = Result<B::Vars, E>;
    fn into_vars(self) -> Self::Vars {
        self.map(B::into_vars)
    }
}
