//! Max-unpooling.

use wengert_tape::{Index, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Extents, Layer};

/// The inverse of [`MaxPool`](crate::MaxPool), as far as there is one: the maxima back in their places, zeros elsewhere, for
/// what [`MaxPool::with_indices`](crate::MaxPool::with_indices) gives: [`MaxUnpool1d`], [`MaxUnpool2d`] and [`MaxUnpool3d`].
/// See [`Var::max_unpool`].
///
/// ```
/// use wengert_nn::{Layer, MaxPool2d, MaxUnpool2d, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let x = Var::from([1.0, 2.0, 4.0, 3.0]).reshape([1, 1, 2, 2]);
/// let y = params.infer(|cx| MaxUnpool2d::new(2).forward(cx, &MaxPool2d::new(2).with_indices(cx, &x)));
/// assert_eq!(y.value().to_vec(), [0.0, 0.0, 4.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxUnpool<const D: usize> {
    kernel: [usize; D],
    stride: [usize; D],
    padding: [usize; D],
    size: Option<[usize; D]>,
}

/// Of sequences.
#[doc(alias = "nn.MaxUnpool1d")]
pub type MaxUnpool1d = MaxUnpool<1>;
/// Of images.
#[doc(alias = "nn.MaxUnpool2d")]
pub type MaxUnpool2d = MaxUnpool<2>;
/// Of volumes.
#[doc(alias = "nn.MaxUnpool3d")]
pub type MaxUnpool3d = MaxUnpool<3>;

impl<const D: usize> MaxUnpool<D> {
    /// The inverse of pooling adjacent windows of this extent.
    pub fn new(kernel: impl Into<Extents<D>>) -> Self {
        let kernel = kernel.into().0;
        MaxUnpool { kernel, stride: kernel, padding: [0; D], size: None }
    }

    /// Pixels from one window to the next; by default the window's extent.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.stride = stride.into().0;
        self
    }

    /// Pixels that the pooling added round the image, on both sides. Default 0.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Extents<D>>) -> Self {
        self.padding = padding.into().0;
        self
    }

    /// The size of the images, of which several are pooled to one; by default
    /// `(size − 1)·stride − 2·padding + kernel`.
    ///
    /// ```
    /// use wengert_nn::{Layer, MaxPool1d, MaxUnpool1d, Params};
    /// use wengert_tape::Var;
    /// let params: Params<f64> = Params::seeded(0);
    /// // Five pixels are pooled to two, as are four.
    /// let x = Var::from([[[1.0, 2.0, 4.0, 3.0, 9.0]]]);
    /// let unpool = MaxUnpool1d::new(2).size(5);
    /// let y = params.infer(|cx| unpool.forward(cx, &MaxPool1d::new(2).with_indices(cx, &x)));
    /// assert_eq!(y.value().to_vec(), [0.0, 2.0, 4.0, 0.0, 0.0]);
    /// ```
    #[doc(alias = "output_size")]
    #[must_use]
    pub fn size(mut self, size: impl Into<Extents<D>>) -> Self {
        self.size = Some(size.into().0);
        self
    }

    /// The size of the images for what pooling gave. Panics if there is none.
    #[track_caller]
    fn images<T: Float>(&self, pooled: &Var<T>) -> [usize; D] {
        let mut images = self.size.unwrap_or([0; D]);
        if self.size.is_some() {
            return images;
        }
        assert!(pooled.rank() == D + 2, "max_unpool: {} does not have {} axes", pooled.shape(), D + 2);
        for (axis, image) in images.iter_mut().enumerate() {
            let reach =
                pooled.shape()[axis + 2].checked_sub(1).and_then(|n| n.checked_mul(self.stride[axis]));
            let padded = reach.and_then(|reach| reach.checked_add(self.kernel[axis]));
            let padding = self.padding[axis].checked_mul(2);
            let size = padded.and_then(|padded| padded.checked_sub(padding?));
            let Some(size) = size else {
                let Self { kernel, stride, padding, .. } = self;
                panic!(
                    "max_unpool: {} with kernel {kernel:?}, stride {stride:?} and padding {padding:?} leaves no pixel, or too many",
                    pooled.shape()
                );
            };
            *image = size;
        }
        images
    }
}

impl<T: Float, const D: usize> Layer<T, (Var<T>, Index<T>)> for MaxUnpool<D> {
    /// # Panics
    /// If the values do not have `D + 2` axes, the indices have another shape, or one is outside of the images.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, (values, indices): &(Var<T>, Index<T>)) -> Var<T> {
        let layer = cx.enter(named::<D>(["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]));
        let y = values.max_unpool(indices, self.images(values));
        layer.leave(&[], y)
    }
}
