//! The one place where sizes that a caller gave are checked, before anything is computed from them.
//!
//! Every tensor, views included, has a shape that [`Shape::checked`] let through: the product of its lengths, those of
//! 0 counted as 1, is at most [`MAX_ELEMENTS`]. So no product of some of a tensor's lengths overflows, nor a stride, a
//! position or a size in bytes, and loops and kernels compute with them as they are. What a caller gives besides
//! (widths, counts, offsets) goes through [`sum`] and [`product`] first.

use crate::array::shape::Shape;

/// The most elements of a tensor: the bytes of any of the element types, the widest of which has 8, fit into `isize`.
pub const MAX_ELEMENTS: usize = isize::MAX as usize / 8;

impl Shape {
    /// Whether a tensor, be it a view, can have this shape: the product of the lengths, those of 0 counted as 1, is at
    /// most [`MAX_ELEMENTS`].
    ///
    /// ```
    /// use wengert_tensor::Shape;
    /// assert!(Shape::from([1 << 30, 1 << 29]).fits() && !Shape::from([1 << 30, 1 << 30]).fits());
    /// assert!(!Shape::from([usize::MAX, 0]).fits());
    /// ```
    pub fn fits(&self) -> bool {
        self.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1))).is_some_and(|n| n <= MAX_ELEMENTS)
    }

    /// The shape, if a tensor can have it: see [`fits`](Shape::fits).
    ///
    /// # Panics
    /// Otherwise; `operation` names the caller's operation.
    ///
    /// ```
    /// use wengert_tensor::Shape;
    /// assert_eq!(Shape::from([2, 3]).checked("zeros"), [2, 3]);
    /// ```
    #[track_caller]
    #[inline]
    pub fn checked(self, operation: &str) -> Shape {
        self.check(operation);
        self
    }

    /// [`checked`](Shape::checked) of a shape that stays where it is.
    #[track_caller]
    #[inline]
    pub(crate) fn check(&self, operation: &str) {
        if !self.fits() {
            too_many(operation, &format!("shape {self} has"));
        }
    }
}

/// The sum of sizes that a caller gave.
///
/// # Panics
/// If it exceeds [`MAX_ELEMENTS`]; `operation` names the caller's operation.
///
/// ```
/// assert_eq!(wengert_tensor::size::sum("cat", &[2, 3]), 5);
/// ```
#[track_caller]
pub fn sum(operation: &str, sizes: &[usize]) -> usize {
    combined(operation, sizes, " + ", sizes.iter().try_fold(0usize, |sum, &n| sum.checked_add(n)))
}

/// The product of sizes that a caller gave.
///
/// # Panics
/// If it exceeds [`MAX_ELEMENTS`]; `operation` names the caller's operation.
///
/// ```
/// assert_eq!(wengert_tensor::size::product("reshape", &[2, 3]), 6);
/// ```
#[track_caller]
pub fn product(operation: &str, sizes: &[usize]) -> usize {
    combined(operation, sizes, " · ", sizes.iter().try_fold(1usize, |product, &n| product.checked_mul(n)))
}

#[track_caller]
fn combined(operation: &str, sizes: &[usize], sign: &str, result: Option<usize>) -> usize {
    let Some(result) = result.filter(|&n| n <= MAX_ELEMENTS) else {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        too_many(operation, &format!("{} are", sizes.join(sign)))
    };
    result
}

/// Panics because `what`, such as "shape \[…\] has", has too many elements; `operation` names the caller's operation.
///
/// ```
/// let message = std::panic::catch_unwind(|| wengert_tensor::size::too_many("zeros", "shape [9] has")).unwrap_err();
/// assert!(message.downcast_ref::<String>().unwrap().starts_with("zeros: "));
/// ```
#[cold]
#[track_caller]
pub fn too_many(operation: &str, what: &str) -> ! {
    panic!("{operation}: {what} too many elements, a tensor has at most {MAX_ELEMENTS}")
}

/// An empty list with room for `count` items, for results whose number a caller decides.
///
/// # Panics
/// If there is not so much memory; `operation` names the caller's operation.
///
/// ```
/// let mut results: Vec<u32> = wengert_tensor::size::list("draw", 3);
/// results.extend([1, 2, 3]);
/// ```
#[track_caller]
pub fn list<T>(operation: &str, count: usize) -> Vec<T> {
    let mut list = Vec::new();
    if list.try_reserve_exact(count).is_err() {
        panic!("{operation}: {count} parts take more memory than the system has");
    }
    list
}

/// Checks that the positions along an axis can be told in `u32`, as index tensors do.
///
/// # Panics
/// If they cannot; `operation` names the caller's operation.
///
/// ```
/// // As many as u32 can tell.
/// wengert_tensor::size::check_positions("argmax", 1000);
/// ```
#[track_caller]
pub fn check_positions(operation: &str, length: usize) {
    if length as u64 > 1 << 32 {
        panic!("{operation}: positions of {length} elements do not fit into u32");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert!(Shape::from([MAX_ELEMENTS]).fits() && Shape::scalar().fits());
        assert!(!Shape::from([MAX_ELEMENTS + 1]).fits());
        // Products that wrap to something small.
        assert!(!Shape::from([1 << 32, 1 << 32]).fits() && !Shape::from([1 << 63, 2, 3]).fits());
        assert_eq!((sum("f", &[2, 3]), product("f", &[2, 3]), product("f", &[0, usize::MAX])), (5, 6, 0));
    }

    #[test]
    #[should_panic(expected = "tile: 4294967296 · 4294967296 are too many elements, a tensor has at most")]
    fn a_product_that_wraps() {
        product("tile", &[1 << 32, 1 << 32]);
    }

    #[test]
    #[should_panic(expected = "pad: 18446744073709551615 + 2 + 0 are too many elements")]
    fn a_sum_that_wraps() {
        sum("pad", &[usize::MAX, 2, 0]);
    }

    #[test]
    #[should_panic(expected = "split: 18446744073709551615 parts take more memory than the system has")]
    fn a_list_without_memory() {
        list::<u64>("split", usize::MAX);
    }
}
