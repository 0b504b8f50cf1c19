//! What a differentiated function may take.

use std::borrow::Borrow;

use wengert_tensor::Float;

use crate::var::Var;

/// The arguments of a function: one variable, an array or a `Vec` of them, or a tuple of up to eight of any of these,
/// tuples included.
///
/// ```
/// use wengert_tape::{Var, grad};
/// type Model = (Vec<Var<f64>>, (Var<f64>, [Var<f64>; 2]));
/// let f = |(layers, (x, [a, b])): &Model| layers.iter().sum::<Var<f64>>() * x + a * b;
/// let [two, three] = [2.0, 3.0].map(Var::scalar);
/// let (of_layers, (of_x, [of_a, _])) = grad(f, &(vec![two.clone(), two], (three.clone(), [three.clone(), three])));
/// assert_eq!([&of_layers[1], &of_x, &of_a].map(Var::item), [3.0, 4.0, 3.0]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no argument of a function of variables with elements `{T}`",
    label = "not a `Var<{T}>`, an array, `Vec` or tuple of them",
    note = "a number or tensor becomes a variable by `Var::from`, a list of parameters is a `Vec<Var<{T}>>`"
)]
pub trait Arguments<T: Float>: Sized {
    /// The variables, in order.
    fn to_vars(&self) -> Vec<Var<T>>;
    /// The same structure with other variables, of which there are as many.
    ///
    /// # Panics
    /// If there are not as many.
    #[track_caller]
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self;
}

impl<T: Float> Arguments<T> for Var<T> {
    fn to_vars(&self) -> Vec<Var<T>> {
        vec![self.clone()]
    }
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self {
        let [var] = array(vars);
        var
    }
}

impl<T: Float> Arguments<T> for Vec<Var<T>> {
    fn to_vars(&self) -> Vec<Var<T>> {
        self.clone()
    }
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self {
        check_count(vars.len(), self.len());
        vars
    }
}

impl<T: Float, const N: usize> Arguments<T> for [Var<T>; N] {
    fn to_vars(&self) -> Vec<Var<T>> {
        self.to_vec()
    }
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self {
        array(vars)
    }
}

/// Where a function is differentiated: its [`Arguments`], or a slice of variables, whose gradient is a `Vec` of them.
///
/// ```
/// use wengert_tape::{Var, grad, hvp};
/// fn loss(weights: &[Var<f64>]) -> Var<f64> {
///     weights.iter().map(|w| w.square().sum()).sum()
/// }
/// let weights = vec![Var::from([1.0, 2.0]), Var::from([3.0])];
/// let gradient: Vec<Var<f64>> = grad(loss, &weights[..]);
/// assert_eq!(gradient[1].item(), 6.0);
/// // Of the last weight alone.
/// assert_eq!(hvp(loss, &weights[1..], &gradient[1..])[0].item(), 12.0);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no argument of a function of variables with elements `{T}`",
    label = "not a `Var<{T}>`, an array, slice, `Vec` or tuple of them",
    note = "a number or tensor becomes a variable by `Var::from`, a list of parameters is a `Vec<Var<{T}>>`"
)]
pub trait Primals<T: Float> {
    /// What derivatives are: `Self`, or of a slice the `Vec`.
    type Owned: Arguments<T> + Borrow<Self>;
    /// The variables, in order.
    fn variables(&self) -> Vec<Var<T>>;
    /// The same structure with other variables, of which there are as many.
    ///
    /// # Panics
    /// If there are not as many.
    #[track_caller]
    fn rebuilt(&self, vars: Vec<Var<T>>) -> Self::Owned;
}

impl<T: Float, A: Arguments<T>> Primals<T> for A {
    type Owned = A;
    fn variables(&self) -> Vec<Var<T>> {
        self.to_vars()
    }
    fn rebuilt(&self, vars: Vec<Var<T>>) -> A {
        self.with_vars(vars)
    }
}

impl<T: Float> Primals<T> for [Var<T>] {
    type Owned = Vec<Var<T>>;
    fn variables(&self) -> Vec<Var<T>> {
        self.to_vec()
    }
    fn rebuilt(&self, vars: Vec<Var<T>>) -> Vec<Var<T>> {
        check_count(vars.len(), self.len());
        vars
    }
}

/// A tuple, by the names of its members' types and their positions.
macro_rules! tuple {
    ($($Member:ident $position:tt),+) => {
        impl<T: Float, $($Member: Arguments<T>),+> Arguments<T> for ($($Member,)+) {
            fn to_vars(&self) -> Vec<Var<T>> {
                let mut vars = Vec::new();
                $( vars.extend(self.$position.to_vars()); )+
                vars
            }
            fn with_vars(&self, mut vars: Vec<Var<T>>) -> Self {
                let counts = [$( self.$position.to_vars().len() ),+];
                check_count(vars.len(), counts.iter().sum());
                let mut members = counts.map(|count| {
                    let rest = vars.split_off(count);
                    std::mem::replace(&mut vars, rest)
                });
                ($( self.$position.with_vars(std::mem::take(&mut members[$position])), )+)
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

#[track_caller]
fn array<T: Float, const N: usize>(vars: Vec<Var<T>>) -> [Var<T>; N] {
    check_count(vars.len(), N);
    vars.try_into().expect("as many as were counted")
}

#[track_caller]
fn check_count(given: usize, wanted: usize) {
    assert!(given == wanted, "with_vars: {given} variables for arguments with {wanted}");
}
