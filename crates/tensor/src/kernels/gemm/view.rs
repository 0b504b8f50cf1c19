//! Matrices as slices with strides, checked once.

use crate::array::element::Float;

/// A matrix, or a batch of them, in a slice: element (b, i, j) is
/// `data[offset + b·batch_stride + i·row_stride + j·column_stride]`.
///
/// Strides are in elements and may be negative, or 0 to repeat a row, a column or a matrix.
///
/// ```
/// use wengert_tensor::gemm::MatrixRef;
///
/// let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let a = MatrixRef::new(&data, 0, [2, 3], [3, 1]);
/// assert_eq!(a.transposed().shape(), [3, 2]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MatrixRef<'a, T> {
    data: &'a [T],
    layout: Layout,
}

/// A matrix, or a batch of them, to write to, laid out as in [`MatrixRef`]. Every element must have its own
/// place in the slice.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    data: &'a mut [T],
    layout: Layout,
}

/// Where the elements are; extents and strides in the order batch, row, column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) offset: usize,
    pub(super) extents: [usize; 3],
    pub(super) strides: [isize; 3],
}

impl<'a, T: Float> MatrixRef<'a, T> {
    /// A matrix of `[rows, columns]` with strides `[row, column]`, its first element at `data[offset]`.
    ///
    /// # Panics
    /// If an element lies outside of `data`.
    #[track_caller]
    pub fn new(data: &'a [T], offset: usize, shape: [usize; 2], strides: [isize; 2]) -> Self {
        Self::batch(data, offset, [1, shape[0], shape[1]], [0, strides[0], strides[1]])
    }

    /// A matrix of `[rows, columns]` that begins with the first element of `data`, row by row.
    ///
    /// # Panics
    /// If an element lies outside of `data`.
    #[track_caller]
    pub fn row_major(data: &'a [T], shape: [usize; 2]) -> Self {
        Self::new(data, 0, shape, [shape[1] as isize, 1])
    }

    /// A batch of matrices of extents `[batch, rows, columns]` with strides in that order.
    ///
    /// # Panics
    /// If an element lies outside of `data`.
    #[track_caller]
    pub fn batch(data: &'a [T], offset: usize, extents: [usize; 3], strides: [isize; 3]) -> Self {
        Self { data, layout: Layout { offset, extents, strides }.checked(data.len()) }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        [self.layout.extents[1], self.layout.extents[2]]
    }

    /// The same matrices with rows for columns.
    pub fn transposed(mut self) -> Self {
        self.layout.extents.swap(1, 2);
        self.layout.strides.swap(1, 2);
        self
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The pointer to the first element (dangling if there is none).
    pub(super) fn start(&self) -> *const T {
        self.data.as_ptr().wrapping_add(self.layout.offset)
    }
}

impl<'a, T: Float> MatrixMut<'a, T> {
    /// A matrix of `[rows, columns]` with strides `[row, column]`, its first element at `data[offset]`.
    ///
    /// # Panics
    /// If an element lies outside of `data`, or if two elements may share a place (the larger stride must step
    /// over all that the smaller one reaches).
    #[track_caller]
    pub fn new(data: &'a mut [T], offset: usize, shape: [usize; 2], strides: [isize; 2]) -> Self {
        Self::batch(data, offset, [1, shape[0], shape[1]], [0, strides[0], strides[1]])
    }

    /// A matrix of `[rows, columns]` that begins with the first element of `data`, row by row.
    ///
    /// # Panics
    /// If an element lies outside of `data`.
    #[track_caller]
    pub fn row_major(data: &'a mut [T], shape: [usize; 2]) -> Self {
        Self::new(data, 0, shape, [shape[1] as isize, 1])
    }

    /// A batch of matrices of extents `[batch, rows, columns]` with strides in that order.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn batch(data: &'a mut [T], offset: usize, extents: [usize; 3], strides: [isize; 3]) -> Self {
        let layout = Layout { offset, extents, strides }.checked(data.len());
        layout.check_distinct();
        Self { data, layout }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        [self.layout.extents[1], self.layout.extents[2]]
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The pointer to the first element (dangling if there is none).
    pub(super) fn start(&mut self) -> *mut T {
        self.data.as_mut_ptr().wrapping_add(self.layout.offset)
    }
}

impl Layout {
    fn is_empty(&self) -> bool {
        self.extents.contains(&0)
    }

    /// Panics unless every element is among the first `len`. Strides that lead to no element become 0 where they could
    /// be anything, so that no multiple of a stride overflows.
    #[track_caller]
    fn checked(mut self, len: usize) -> Self {
        if self.is_empty() {
            return Layout { strides: [0; 3], ..self };
        }
        if !self.fits(len).unwrap_or(false) {
            self.out_of_bounds(len);
        }
        for (stride, &extent) in self.strides.iter_mut().zip(&self.extents) {
            if extent == 1 && stride.unsigned_abs() > len {
                *stride = 0;
            }
        }
        self
    }

    /// Whether every element is among the first `len`; `None` on overflow. There must be an element.
    fn fits(&self, len: usize) -> Option<bool> {
        let (mut lowest, mut highest) =
            (isize::try_from(self.offset).ok()?, isize::try_from(self.offset).ok()?);
        for (&extent, &stride) in self.extents.iter().zip(&self.strides) {
            let reach = isize::try_from(extent - 1).ok()?.checked_mul(stride)?;
            if reach < 0 {
                lowest = lowest.checked_add(reach)?;
            } else {
                highest = highest.checked_add(reach)?;
            }
        }
        Some(lowest >= 0 && (highest as usize) < len)
    }

    #[cold]
    #[track_caller]
    fn out_of_bounds(&self, len: usize) -> ! {
        let Self { offset, extents, strides } = self;
        panic!(
            "gemm: extents {extents:?}, strides {strides:?} and offset {offset} reach outside of {len} elements"
        )
    }

    /// Panics if two elements may share a place.
    #[track_caller]
    fn check_distinct(&self) {
        if self.is_empty() {
            return;
        }
        let mut axes = [0, 1, 2].map(|i| (self.strides[i].unsigned_abs(), self.extents[i]));
        axes.sort_unstable();
        let mut reach = 0;
        for (stride, extent) in axes {
            if extent > 1 {
                assert!(
                    stride > reach,
                    "gemm: output elements overlap: extents {:?}, strides {:?}",
                    self.extents,
                    self.strides
                );
                reach += stride * (extent - 1);
            }
        }
    }
}
