//! The gradient of the convolution with respect to its weight.

use super::forward::Framed;
use super::patches::Patches;
use super::{Conv2dGeometry, check_len};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::gemm::{Dots, Output, PARALLEL_WORK, Product, Source, Strided, Windows};
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::parallel;
use crate::machine::simd::{self, Level};

/// The most partial sums over images. They are what threads share when the weight itself is too small to split.
const PARTS: usize = 8;
/// Elements of a weight that is large enough to split, so that the images are summed one after the other.
const LARGE_WEIGHT: usize = 1 << 18;

/// The gradient of [`conv2d`](super::conv2d) with respect to its weight:
/// `Σ input[n, c, y·s − p + ky·d, x·s − p + kx·d] · output_gradient[n, o, y, x]` over images and positions.
///
/// All slices are contiguous, in the shapes of `geometry`; `weight_gradient` may hold anything before. Images are
/// summed in parts whose number depends on the shapes alone.
///
/// # Panics
/// If a slice has another length than its shape.
///
/// ```
/// use wengert_tensor::conv::{conv2d_weight_gradient, Conv2dGeometry, Conv2dOptions};
///
/// let g = Conv2dGeometry::new([1, 1, 1, 3], [1, 1, 1, 2], Conv2dOptions::default()).unwrap();
/// let mut gradient = [0.0; 2];
/// conv2d_weight_gradient(&g, &[1.0, 2.0, 3.0], &[1.0, 10.0], &mut gradient);
/// assert_eq!(gradient, [21.0, 32.0]);
/// ```
#[track_caller]
pub fn conv2d_weight_gradient<T: Float>(
    geometry: &Conv2dGeometry,
    input: &[T],
    output_gradient: &[T],
    weight_gradient: &mut [T],
) {
    check(geometry, input, output_gradient, weight_gradient);
    if weight_gradient.is_empty() || output_gradient.is_empty() {
        return weight_gradient.fill(T::ZERO);
    }
    let framed = Framed::of("conv2d_weight_gradient", geometry);
    weight_gradient_at(simd::level(), geometry, &framed, input, output_gradient, weight_gradient);
}

/// Panics unless the slices have the lengths of their shapes.
#[track_caller]
fn check<T: Float>(g: &Conv2dGeometry, input: &[T], output_gradient: &[T], weight_gradient: &[T]) {
    check_len("conv2d_weight_gradient: input", input.len(), g.input_shape());
    check_len("conv2d_weight_gradient: output gradient", output_gradient.len(), g.output_shape());
    check_len("conv2d_weight_gradient: weight gradient", weight_gradient.len(), g.weight_shape());
}

compiled_here! {
    pub(super) fn weight_gradient_at<T: Float>(
        level: Level,
        g: &Conv2dGeometry,
        framed: &Framed,
        input: &[T],
        output_gradient: &[T],
        weight_gradient: &mut [T],
    ) {
        check(g, input, output_gradient, weight_gradient);
        let ([in_plane, out_plane], [in_channels, out_channels]) = (g.planes(), g.group_channels());
        let (groups, images, size) = (g.options().groups, g.input_shape()[0], weight_gradient.len());
        let rows = in_channels * g.taps();
        let Framed { frame, distances } = framed;
        let parts = if size >= LARGE_WEIGHT { 1 } else { images.min(PARTS) };
        with_scratch(Slot::Operation, parts * size, |partial: *mut T| {
            // Each part is [group, tap, output channel]: with the channels along the vectors, patches are packed as
            // they lie, and only the smaller gradient is turned.
            let out = Output { start: partial, row: out_channels as isize, column: 1 };
            let work = size.saturating_mul(out_plane).saturating_mul(images);
            parallel::for_each(parts * groups, work >= PARALLEL_WORK, |i| {
                let (part, group) = (i / groups, i % groups);
                let c = out.shifted((part * size + group * rows * out_channels) as isize);
                for (nth, image) in (part * images / parts..(part + 1) * images / parts).enumerate() {
                    let plane = image * g.input_shape()[1] + group * in_channels;
                    let image_planes = &input[plane * in_plane..];
                    let plane = image * g.output_shape()[1] + group * out_channels;
                    let gradient = output_gradient[plane * out_plane..].as_ptr();
                    frame.with_image(image_planes, |image| {
                        let width = g.output_shape()[3];
                        let patches = &Patches { image, distances, width, row: frame.row() };
                        // SAFETY: as for the product below; each tap meets a pixel of the frame at every position.
                        if unsafe {
                            (out_channels == 1 && windows(level, patches, out_plane, gradient, nth > 0, c.start))
                                || dots(level, patches, [rows, out_channels, out_plane], gradient, nth > 0, c.start)
                        } {
                            return;
                        }
                        let product = Product {
                            m: rows,
                            n: out_channels,
                            k: out_plane,
                            alpha: T::ONE,
                            a: patches,
                            b: &Strided { start: gradient, row: 1, column: out_plane as isize },
                            beta: if nth == 0 { T::ZERO } else { T::ONE },
                            c,
                        };
                        // SAFETY: the lengths of the slices were checked against the geometry (`check`), whose sizes and
                        // those of the frame were checked when they were made; every part and group has its own piece of
                        // the buffer; the level comes from detection.
                        unsafe { if parts * groups == 1 { product.run(level) } else { product.run_here(level) } }
                    });
                }
            });
            // SAFETY: the products have written all `parts · size` elements, at most [`PARTS`] times those of a slice
            // that is small, or once those of any.
            let partial = unsafe { std::slice::from_raw_parts(partial.cast_const(), parts * size) };
            for (group, gradient) in weight_gradient.chunks_exact_mut(rows * out_channels).enumerate() {
                for (o, gradient) in gradient.chunks_exact_mut(rows).enumerate() {
                    for (tap, sum) in gradient.iter_mut().enumerate() {
                        let place = (group * rows + tap) * out_channels + o;
                        *sum = partial[place..].iter().step_by(size).copied().sum();
                    }
                }
            }
        });
    }
}

/// The gradient of the weights of one output channel from one image, whose patches are read where they lie, if the level has it
/// and rows are long enough; says whether it was done.
///
/// # Safety
/// The CPU must have `level`; `gradient` must be a plane of `positions`, and `sums` one number for each tap that nobody else
/// touches.
unsafe fn windows<T: Float>(
    level: Level,
    patches: &Patches<'_, T>,
    positions: usize,
    gradient: *const T,
    add: bool,
    sums: *mut T,
) -> bool {
    let Patches { image, distances, width, row } = *patches;
    // Without a gap between its rows the plane is one.
    let (height, width) = if row == width { (1, positions) } else { (positions / width, width) };
    // SAFETY: by the choice of the frame, whose size was checked when it was made, every tap meets a pixel of it at every position;
    // the rest is the caller's promise.
    unsafe { Windows { image, distances, row, plane: gradient, height, width, add, c: sums }.run(level) }
}

/// The gradient of few weights from one image as dot products of patches and planes, if that is the better way and
/// the level has it; says whether it was done. `shape` is taps, output channels, positions.
///
/// # Safety
/// The CPU must have `level`; `gradient` must be planes of positions, and `sums` a matrix of taps by channels, that
/// nobody else touches.
unsafe fn dots<T: Float>(
    level: Level,
    patches: &Patches<'_, T>,
    [m, n, k]: [usize; 3],
    gradient: *const T,
    add: bool,
    sums: *mut T,
) -> bool {
    if !Dots::<T>::suits(m, n, k) || level == Level::Baseline {
        return false;
    }
    // An odd number of cache lines from row to row, so that the rows fall into different sets of the L1 cache.
    let line = 64 / size_of::<T>();
    let a_row = k.next_multiple_of(2 * line) + line;
    with_scratch(Slot::Left, m * a_row, |a: *mut T| {
        // SAFETY: the buffer has room for the patches, which `suits` found to be few; the rest is the caller's promise.
        unsafe {
            patches.copy(0..m, 0..k, a, a_row);
            Dots { m, n, k, a, a_row, b: gradient, b_row: k, add, c: sums }.run(level)
        }
    })
}
