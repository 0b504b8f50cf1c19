//! Linear maps known by their products: [`Operator`] and [`Jacobian`], and operators made from others.
//!
//! | what | type | products |
//! |---|---|---|
//! | a matrix in memory | [`DenseOperator`] | |
//! | A + αI, or on some variables only | [`Damped`] | 1 a product |
//! | cA | [`ScaledOperator`] | 1 a product |
//! | Σ cᵢAᵢ | [`SumOperator`] | 1 of each a product |
//! | the block of a group of variables | [`Restricted`] | 1 a product |
//! | Kronecker products, layer by layer | [`Kronecker`], [`KroneckerInverse`] | |

mod damped;
mod dense;
mod jacobian;
mod kronecker;
mod restricted;
mod scaled;
mod sum;

pub use damped::Damped;
pub use dense::DenseOperator;
pub use jacobian::Jacobian;
pub use kronecker::{Kronecker, KroneckerBlock, KroneckerInverse};
pub use restricted::Restricted;
pub use scaled::ScaledOperator;
pub use sum::SumOperator;

use std::rc::Rc;

use super::vector::Float;

/// A linear map of a vector space into itself, known by its products: a Hessian, a Gauss–Newton matrix, an
/// inverse. Bound to the point where it was made.
///
/// ```
/// use wengert_optim::Operator;
///
/// struct Diagonal(Vec<f64>);
/// impl Operator<f64> for Diagonal {
///     fn dimension(&self) -> usize { self.0.len() }
///     fn apply(&self, v: &[f64], out: &mut [f64]) {
///         for ((out, d), v) in out.iter_mut().zip(&self.0).zip(v) { *out = d * v; }
///     }
/// }
/// assert_eq!(Diagonal(vec![2.0, 3.0]).dense(), [2.0, 0.0, 0.0, 3.0]);
/// ```
pub trait Operator<T: Float> {
    /// The length of the vectors.
    fn dimension(&self) -> usize;

    /// `out = A v`. `out` may hold anything before.
    fn apply(&self, v: &[T], out: &mut [T]);

    /// Products with several vectors, one after the other in `vectors` and `out`. By default one [`apply`](Self::apply) each.
    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        let n = self.dimension().max(1);
        for (v, out) in vectors.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            self.apply(v, out);
        }
    }

    /// The whole matrix, column by column (for a symmetric one also row by row). By default one product a column.
    fn dense(&self) -> Vec<T> {
        let n = self.dimension();
        let mut identity = vec![T::ZERO; n * n];
        for i in 0..n {
            identity[i * n + i] = T::ONE;
        }
        let mut out = vec![T::ZERO; n * n];
        self.apply_many(&identity, &mut out);
        out
    }

    /// The diagonal. By default one product an element; an operator that knows better overrides it.
    fn diagonal(&self) -> Vec<T> {
        let n = self.dimension();
        let (mut unit, mut column) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        (0..n)
            .map(|i| {
                unit[i] = T::ONE;
                self.apply(&unit, &mut column);
                unit[i] = T::ZERO;
                column[i]
            })
            .collect()
    }

    /// The sum of the diagonal.
    fn trace(&self) -> f64 {
        self.diagonal().iter().map(|d| d.to_f64()).sum()
    }
}

// A pointer to an operator is one too: each method calls the pointee's.
macro_rules! operator_behind {
    ($pointer:ty) => {
        impl<T: Float, A: Operator<T> + ?Sized> Operator<T> for $pointer {
            fn dimension(&self) -> usize {
                (**self).dimension()
            }
            fn apply(&self, v: &[T], out: &mut [T]) {
                (**self).apply(v, out);
            }
            fn apply_many(&self, vectors: &[T], out: &mut [T]) {
                (**self).apply_many(vectors, out);
            }
            fn dense(&self) -> Vec<T> {
                (**self).dense()
            }
            fn diagonal(&self) -> Vec<T> {
                (**self).diagonal()
            }
            fn trace(&self) -> f64 {
                (**self).trace()
            }
        }
    };
}

operator_behind!(&A);
operator_behind!(Box<A>);
operator_behind!(Rc<A>);
