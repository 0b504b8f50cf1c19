//! The Hessian of the last point.

use std::cell::RefCell;
use std::rc::Rc;

use crate::minimize::operator::Operator;
use crate::minimize::vector::Float;

type Shared<'a, T> = Rc<dyn Operator<T> + 'a>;

/// The Hessian at the last point where there was one, with that point.
pub(super) struct LastHessian<'a, T>(RefCell<Option<(Vec<T>, Shared<'a, T>)>>);

impl<T> Default for LastHessian<'_, T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<'a, T: Float> LastHessian<'a, T> {
    /// The value that `second_order` gives with the Hessian at `x`, which is kept.
    pub(super) fn make(
        &self,
        x: &[T],
        second_order: impl FnOnce() -> Option<(f64, Box<dyn Operator<T> + 'a>)>,
    ) -> Option<f64> {
        // Freed before the next is recorded, unless the method still works with it.
        self.0.take();
        let (value, hessian) = second_order()?;
        self.0.replace(Some((x.to_vec(), hessian.into())));
        Some(value)
    }

    /// The Hessian at `x`: the last, if that was here, or what `make` gives.
    pub(super) fn at(
        &self,
        x: &[T],
        make: impl FnOnce() -> Option<Box<dyn Operator<T> + 'a>>,
    ) -> Option<Shared<'a, T>> {
        if let Some((_, hessian)) = self.0.borrow().as_ref().filter(|(point, _)| point == x) {
            return Some(Rc::clone(hessian));
        }
        self.0.take();
        let hessian: Shared<'a, T> = make()?.into();
        self.0.replace(Some((x.to_vec(), Rc::clone(&hessian))));
        Some(hessian)
    }
}
