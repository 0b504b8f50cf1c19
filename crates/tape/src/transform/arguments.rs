//! What a differentiated function may take.

use wengert_tensor::Float;

use crate::var::Var;

/// The arguments of a function: one variable, a tuple or an array of them, or a `Vec`.
pub trait Arguments<T: Float>: Sized {
    /// The variables, in order.
    fn to_vars(&self) -> Vec<Var<T>>;
    /// The same structure with other variables, of which there are as many.
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self;
}

impl<T: Float> Arguments<T> for Var<T> {
    fn to_vars(&self) -> Vec<Var<T>> {
        vec![self.clone()]
    }
    fn with_vars(&self, mut vars: Vec<Var<T>>) -> Self {
        vars.remove(0)
    }
}

impl<T: Float> Arguments<T> for Vec<Var<T>> {
    fn to_vars(&self) -> Vec<Var<T>> {
        self.clone()
    }
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self {
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

impl<T: Float> Arguments<T> for (Var<T>, Var<T>) {
    fn to_vars(&self) -> Vec<Var<T>> {
        vec![self.0.clone(), self.1.clone()]
    }
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self {
        let [a, b] = array(vars);
        (a, b)
    }
}

impl<T: Float> Arguments<T> for (Var<T>, Var<T>, Var<T>) {
    fn to_vars(&self) -> Vec<Var<T>> {
        vec![self.0.clone(), self.1.clone(), self.2.clone()]
    }
    fn with_vars(&self, vars: Vec<Var<T>>) -> Self {
        let [a, b, c] = array(vars);
        (a, b, c)
    }
}

fn array<T: Float, const N: usize>(vars: Vec<Var<T>>) -> [Var<T>; N] {
    vars.try_into().expect("as many variables as before")
}
