//! The tensor type: shared storage seen through a layout.

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::shape::Shape;
use crate::array::storage::Storage;

/// An n-dimensional array on the CPU.
///
/// Cloning is cheap: clones and views (transposes, slices, broadcasts, reshapes of contiguous data) share the
/// elements. Writing goes through unique ownership: an in-place method first copies elements that others see.
///
/// `T` is `f32` (the default) or `f64` where there is arithmetic; `u32` for indices and labels, `u8` for raw
/// pixels and `bool` for masks.
///
/// ```
/// use wengert_tensor::Tensor;
/// let a = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
/// let b = &a.t() * 10.0 + 1.0;
/// assert_eq!(b.shape(), &[2, 2]);
/// assert_eq!(b.to_vec(), [11.0, 31.0, 21.0, 41.0]);
/// ```
#[derive(Clone)]
pub struct Tensor<T: Element = f32> {
    pub(crate) storage: Storage<T>,
    pub(crate) layout: Layout,
}

/// The number of elements given does not fit the shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The shape asked for.
    pub shape: Shape,
    /// The number of elements given.
    pub elements: usize,
}

impl std::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.shape.checked_count() {
            Some(n) => write!(f, "shape {} has {n} elements, but {} were given", self.shape, self.elements),
            None => write!(f, "the number of elements of shape {} overflows", self.shape),
        }
    }
}

impl std::error::Error for ShapeError {}

impl<T: Element> Tensor<T> {
    /// Lengths of the axes.
    #[inline(always)]
    pub fn shape(&self) -> &Shape {
        &self.layout.shape
    }

    /// Distances between neighbours along each axis, in elements.
    pub fn strides(&self) -> &[isize] {
        &self.layout.strides
    }

    /// The memory that the elements lie in, and where in it the first is: with the [strides](Tensor::strides), what a kernel
    /// for elements that do not follow each other needs.
    #[doc(hidden)]
    pub fn memory(&self) -> (&[T], usize) {
        (self.storage.as_slice(), self.layout.offset)
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.layout.shape.len()
    }

    /// The number of elements.
    #[inline(always)]
    pub fn len(&self) -> usize {
        // The shape was checked when the layout was made (see `size`), so the product does not overflow.
        self.layout.shape.iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of one axis; negative axes count from the end.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn dim(&self, axis: impl Into<crate::Axis>) -> usize {
        self.layout.shape[self.layout.shape.axis("dim", axis)]
    }

    /// Whether the elements are consecutive in memory, in row-major order.
    #[inline(always)]
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// The elements in row-major order, if they are contiguous.
    #[inline(always)]
    pub fn as_slice(&self) -> Option<&[T]> {
        self.is_contiguous().then(|| self.contiguous_slice())
    }

    /// The elements of a tensor known to be contiguous.
    #[inline(always)]
    pub(crate) fn contiguous_slice(&self) -> &[T] {
        debug_assert!(self.is_contiguous());
        let n = self.len();
        if n == 0 { &[] } else { &self.storage.as_slice()[self.layout.offset..self.layout.offset + n] }
    }

    /// The elements in row-major order, for writing. Elements that another tensor shares, or that are not
    /// contiguous, are copied first, so no other tensor sees the change.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let a = Tensor::<f32>::zeros([2]);
    /// let mut b = a.clone();
    /// b.as_mut_slice()[0] = 1.0;
    /// assert_eq!((a.to_vec(), b.to_vec()), (vec![0.0, 0.0], vec![1.0, 0.0]));
    /// ```
    #[track_caller]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let n = self.len();
        if n == 0 {
            return &mut [];
        }
        if !self.is_unique() {
            *self = self.copied_for("as_mut_slice");
        }
        let offset = self.layout.offset;
        &mut self.storage.unshared().expect("a fresh copy is not shared")[offset..offset + n]
    }

    /// Whether writing needs no copy: nobody shares the elements and they are contiguous.
    pub fn is_unique(&mut self) -> bool {
        self.is_contiguous() && self.storage.unshared().is_some()
    }

    /// The elements in row-major order.
    #[track_caller]
    pub fn to_vec(&self) -> Vec<T> {
        self.contiguous_for("to_vec").contiguous_slice().to_vec()
    }

    /// The only element of a tensor with one element.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> T {
        assert!(self.len() == 1, "item: shape {} has {} elements, not 1", self.shape(), self.len());
        self.storage.as_slice()[self.layout.offset]
    }

    /// The element that all positions share, as those of a number that was broadcast do; none if they are elements of their own.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::scalar(2.0f32).broadcast_to([3, 4]).shared_element(), Some(2.0));
    /// assert_eq!(Tensor::<f32>::ones([3]).shared_element(), None);
    /// ```
    pub fn shared_element(&self) -> Option<T> {
        let mut axes = self.layout.strides.iter().zip(self.shape().iter());
        let shared = !self.is_empty() && axes.all(|(&stride, &length)| stride == 0 || length == 1);
        shared.then(|| self.storage.as_slice()[self.layout.offset])
    }

    /// The element at an index.
    ///
    /// # Panics
    /// If the index has another number of axes than the tensor, or lies outside.
    #[track_caller]
    pub fn at<const N: usize>(&self, index: [usize; N]) -> T {
        let inside = N == self.rank() && index.iter().zip(self.shape().iter()).all(|(i, d)| i < d);
        assert!(inside, "at: index {index:?} is outside shape {}", self.shape());
        self.storage.as_slice()[self.layout.position(&index)]
    }

    /// A tensor of the same shape whose elements are consecutive in memory: itself, or a copy.
    #[track_caller]
    pub fn contiguous(&self) -> Tensor<T> {
        self.contiguous_for("contiguous")
    }

    /// [`contiguous`](Tensor::contiguous) for an operation of that name.
    #[track_caller]
    pub(crate) fn contiguous_for(&self, operation: &str) -> Tensor<T> {
        if self.is_contiguous() { self.clone() } else { self.copied_for(operation) }
    }

    /// The tensor with this layout on the same storage.
    pub(crate) fn view(&self, layout: Layout) -> Tensor<T> {
        Tensor { storage: self.storage.clone(), layout }
    }

    /// A contiguous tensor of `shape` whose elements `fill` writes, all of them.
    ///
    /// # Panics
    /// If a tensor cannot have the shape, or the system has no memory for it; `operation` names the caller's operation.
    #[track_caller]
    pub(crate) fn filled_by(operation: &str, shape: Shape, fill: impl FnOnce(&mut [T])) -> Tensor<T> {
        let mut storage = Tensor::storage_for(operation, &shape);
        fill(storage.unshared().expect("it is new"));
        Tensor::of_storage(storage, shape)
    }

    /// Before and behind `fill`: compiled once and not for each, and called without a pointer, which one element would feel.
    #[track_caller]
    #[inline(never)]
    fn storage_for(operation: &str, shape: &Shape) -> Storage<T> {
        shape.check(operation);
        match Storage::unspecified(shape.count()) {
            Some(storage) => storage,
            None => {
                let bytes = shape.count() * size_of::<T>();
                panic!("{operation}: shape {shape} takes {bytes} bytes, more memory than the system has")
            }
        }
    }

    #[inline(never)]
    fn of_storage(storage: Storage<T>, shape: Shape) -> Tensor<T> {
        Tensor { storage, layout: Layout::contiguous(shape) }
    }

    /// The address and the bytes of the elements' buffer, which other tensors may share.
    #[doc(hidden)]
    pub fn buffer_in_memory(&self) -> (usize, usize) {
        let buffer = self.storage.as_slice();
        (buffer.as_ptr() as usize, size_of_val(buffer))
    }

    /// Whether two tensors share their elements' buffer.
    pub fn shares_storage(&self, other: &Tensor<T>) -> bool {
        self.storage.is_shared_with(&other.storage)
    }
}

/// Equal shapes and equal elements (so a NaN makes tensors differ, as it does numbers).
impl<T: Element> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape()
            && self.contiguous().contiguous_slice() == other.contiguous().contiguous_slice()
    }
}
