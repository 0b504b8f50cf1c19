//! Numbers that several threads read and write.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use wengert_tensor::Float;

/// A float that threads can share without locks: `f32` or `f64`, kept as the bits of an atomic integer.
///
/// ```
/// use wengert_distributed::hogwild::{Atomic, SharedVector};
/// /// The sum of what threads have added up so far.
/// fn sum<T: Atomic>(shared: &SharedVector<T>) -> T {
///     shared.to_vec().into_iter().fold(T::ZERO, |sum, x| sum + x)
/// }
/// assert_eq!(sum(&SharedVector::new(&[1.0f32, 2.0])), 3.0);
/// assert_eq!(sum(&SharedVector::new(&[0.25f64, 0.5])), 0.75);
/// ```
pub trait Atomic: Float {
    /// The memory of one.
    #[doc(hidden)]
    type Cell: Send + Sync;
    #[doc(hidden)]
    fn cell(self) -> Self::Cell;
    #[doc(hidden)]
    fn load(cell: &Self::Cell) -> Self;
    #[doc(hidden)]
    fn store(cell: &Self::Cell, value: Self);
    /// Replaces `from` by `to`; what is no longer `from` has the difference added.
    #[doc(hidden)]
    fn advance(cell: &Self::Cell, from: Self, to: Self);
}

macro_rules! atomic {
    ($($float:ty, $cell:ty;)*) => {$(
        impl Atomic for $float {
            type Cell = $cell;

            fn cell(self) -> $cell {
                <$cell>::new(self.to_bits())
            }

            fn load(cell: &$cell) -> Self {
                Self::from_bits(cell.load(Ordering::Relaxed))
            }

            fn store(cell: &$cell, value: Self) {
                cell.store(value.to_bits(), Ordering::Relaxed);
            }

            fn advance(cell: &$cell, from: Self, to: Self) {
                let (mut expected, mut next) = (from.to_bits(), to.to_bits());
                while let Err(found) =
                    cell.compare_exchange_weak(expected, next, Ordering::Relaxed, Ordering::Relaxed)
                {
                    expected = found;
                    next = if found == from.to_bits() {
                        to.to_bits()
                    } else {
                        (Self::from_bits(found) + (to - from)).to_bits()
                    };
                }
            }
        }
    )*};
}

atomic! {
    f32, AtomicU32;
    f64, AtomicU64;
}

/// A vector that threads read and write at the same time, each element for itself: a reader may see some elements from before a
/// change and some from after it.
///
/// ```
/// use wengert_distributed::hogwild::SharedVector;
/// let shared = SharedVector::new(&[1.0f64, 2.0]);
/// // Three threads add 1 and 10, a thousand times each.
/// std::thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| (0..1000).for_each(|_| shared.advance(&[0.0, 0.0], &[1.0, 10.0])));
///     }
/// });
/// assert_eq!(shared.to_vec(), [3001.0, 30002.0]);
/// ```
pub struct SharedVector<T: Atomic = f32> {
    cells: Vec<T::Cell>,
}

impl<T: Atomic> SharedVector<T> {
    /// Of these numbers.
    pub fn new(values: &[T]) -> Self {
        SharedVector { cells: values.iter().map(|&value| value.cell()).collect() }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Copies the elements.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn read(&self, out: &mut [T]) {
        self.check("read", out.len());
        out.iter_mut().zip(&self.cells).for_each(|(out, cell)| *out = T::load(cell));
    }

    /// Copies the elements.
    pub fn to_vec(&self) -> Vec<T> {
        self.cells.iter().map(T::load).collect()
    }

    /// Replaces the elements.
    ///
    /// ```
    /// use wengert_distributed::hogwild::SharedVector;
    /// let shared = SharedVector::new(&[0.0f32; 2]);
    /// shared.write(&[1.0, 2.0]);
    /// let mut own = [0.0; 2];
    /// shared.read(&mut own);
    /// assert_eq!(own, [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn write(&self, values: &[T]) {
        self.check("write", values.len());
        values.iter().zip(&self.cells).for_each(|(&value, cell)| T::store(cell, value));
    }

    /// Takes elements that are `from` to `to`, and adds `to` − `from` to those that others have changed since: no change is lost.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn advance(&self, from: &[T], to: &[T]) {
        self.check("advance", from.len());
        self.check("advance", to.len());
        for ((cell, &from), &to) in self.cells.iter().zip(from).zip(to) {
            // Elements that a step left alone are not written, so that sparse steps of different threads do not meet.
            if from != to {
                T::advance(cell, from, to);
            }
        }
    }

    #[track_caller]
    fn check(&self, operation: &str, len: usize) {
        assert!(len == self.len(), "{operation}: {len} numbers for a shared vector of {}", self.len());
    }
}
