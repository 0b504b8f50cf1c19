//! The residuals of the last point.

use std::cell::RefCell;
use std::rc::Rc;

use crate::minimize::vector::Float;

/// The residuals at the last point where they were evaluated, with that point: the value, the gradient, and the model of a
/// method at one point are all made of them.
pub(super) struct LastResiduals<T>(RefCell<Option<At<T>>>);

/// A point, and the residuals there.
type At<T> = (Vec<T>, Rc<[T]>);

impl<T> Default for LastResiduals<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T: Float> LastResiduals<T> {
    /// The last, if they are those at `x`.
    pub(super) fn known(&self, x: &[T]) -> Option<Rc<[T]>> {
        let last = self.0.borrow();
        last.as_ref().filter(|(point, _)| point == x).map(|(_, r)| Rc::clone(r))
    }

    /// Those at `x`, which `evaluate` writes where they are not known.
    pub(super) fn at(&self, x: &[T], count: usize, evaluate: impl FnOnce(&mut [T])) -> Rc<[T]> {
        self.known(x).unwrap_or_else(|| {
            let mut r = vec![T::ZERO; count];
            evaluate(&mut r);
            let r: Rc<[T]> = r.into();
            self.0.replace(Some((x.to_vec(), Rc::clone(&r))));
            r
        })
    }
}
