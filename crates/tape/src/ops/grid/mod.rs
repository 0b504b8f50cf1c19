//! Images sampled at the places of a grid (M. Jaderberg et al., "Spatial transformer networks", 2015).

mod places;
mod taps;

use wengert_tensor::size::{self, check_positions};
use wengert_tensor::{Float, Shape, Tensor};

use self::places::{Inside, Neighbours, Numbers, ends};
use self::taps::tap_sums;
use crate::class::decision;
use crate::data::{Index, Mask};
use crate::var::Var;

/// What is seen outside of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GridPadding {
    /// Zeros.
    #[default]
    Zeros,
    /// The nearest element of the border.
    Border,
    /// The image, mirrored at its border again and again.
    Reflection,
}

impl GridPadding {
    fn name(self) -> &'static str {
        match self {
            GridPadding::Zeros => "zeros",
            GridPadding::Border => "border",
            GridPadding::Reflection => "reflection",
        }
    }
}

/// Which elements the value at a place is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GridMode {
    /// The nearest one, of two the even one. The derivative with respect to the grid is 0.
    Nearest,
    /// The two neighbours along each axis: bilinear and trilinear.
    #[default]
    Linear,
    /// Four neighbours along each axis, with the weights of [`Interpolation::Cubic`](crate::Interpolation): bicubic.
    Cubic,
}

/// How [`grid_sample`](Var::grid_sample) sees an image. PyTorch's defaults.
///
/// ```
/// use wengert_tape::{GridMode, GridPadding, GridSampleOptions, Var};
/// let image = Var::from([1.0f64, 2.0, 4.0]).reshape([1, 1, 1, 3]);
/// // The places x = 1, the outer edge of the last element, and y = 0, the middle of the only row.
/// let grid = Var::from([1.0, 0.0]).reshape([1, 1, 1, 2]);
/// let at = |options| image.grid_sample(&grid, options).item();
/// assert_eq!(at(GridSampleOptions::default()), 2.0);
/// let border = GridSampleOptions { padding: GridPadding::Border, ..Default::default() };
/// assert_eq!(at(border), 4.0);
/// assert_eq!(at(GridSampleOptions { mode: GridMode::Nearest, ..border }), 4.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GridSampleOptions {
    /// Which elements a value is made of. Default: linear.
    pub mode: GridMode,
    /// What is seen outside. Default: zeros.
    #[doc(alias = "padding_mode")]
    pub padding: GridPadding,
    /// Whether −1 and 1 are the centres of the first and the last element instead of their outer edges. Default: no.
    pub align_corners: bool,
}

impl<T: Float> Var<T> {
    /// Images `[batch, channels, size…]` of two or three axes, at the places `[batch, size′…, axes]` of a grid: for each the
    /// coordinates along the axes, the last axis first (x, y, z), from −1 at one end of the image to 1 at the other. The result
    /// is `[batch, channels, size′…]`. Linear in the images, and differentiable to any order with respect to the grid as far as
    /// the mode is smooth; at the limits of a border the derivative is that inside.
    ///
    /// # Panics
    /// If there are not two or three axes of an image, the grid does not fit, an image without elements is looked at, or the
    /// result has too many.
    ///
    /// ```
    /// use wengert_tape::{GridSampleOptions, Var};
    /// // Moved by one element to the left.
    /// let image = Var::from([[1.0f64, 2.0], [3.0, 4.0]]).reshape([1, 1, 2, 2]);
    /// let affine = Var::from([[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]);
    /// let moved = image.grid_sample(&affine.affine_grid([2, 2], false), GridSampleOptions::default());
    /// assert_eq!(moved.value().to_vec(), [2.0, 0.0, 4.0, 0.0]);
    /// ```
    #[doc(alias = "F.grid_sample")]
    #[track_caller]
    pub fn grid_sample(&self, grid: &Var<T>, options: GridSampleOptions) -> Var<T> {
        let (shape, places) = (self.shape(), grid.shape());
        assert!(
            shape.len() == 4 || shape.len() == 5,
            "grid_sample: {shape} is not of images [batch, channels, size…] of two or three axes"
        );
        let axes = shape.len() - 2;
        assert!(
            places.len() == shape.len() && places[0] == shape[0] && places[places.len() - 1] == axes,
            "grid_sample: the grid {places} is not [{}, size…, {axes}], as images {shape} demand",
            shape[0]
        );
        let sizes = &shape[2..];
        let outputs = size::product("grid_sample", &places[1..=axes]);
        let inputs = size::product("grid_sample", sizes);
        check_positions("grid_sample", inputs);
        assert!(
            inputs > 0 || outputs == 0 || shape[0] == 0,
            "grid_sample: images {shape} have no elements at the places {places}"
        );
        let result: Shape = shape[..2].iter().chain(&places[1..=axes]).copied().collect();
        let result = result.checked("grid_sample");
        let flat = grid.reshape([shape[0], outputs, axes]);
        // The axes in the images' order.
        let at = |axis: usize| {
            unnormalised(&flat.select(-1, -1 - axis as isize), sizes[axis], options.align_corners)
        };
        let coordinates: Vec<Var<T>> = (0..axes).map(at).collect();
        let (low, weights, neighbours) = weighed(&coordinates, sizes, options);
        let numbers: Index<T> = decision(Numbers(neighbours.clone()), &[&low], &[]);
        let inside: Mask<T> = decision(Inside(neighbours), &[&low], &[]);
        let weights = Var::select_where(inside, &weights, &Var::scalar(T::ZERO));
        let planes = self.reshape([shape[0], shape[1], inputs]);
        tap_sums(&planes, &weights, numbers.given()).reshape(result)
    }

    /// The places that affine maps `[batch, axes, axes + 1]`, of two or three axes, take the centres of the elements of an
    /// image of this size to, as a grid for [`grid_sample`](Var::grid_sample).
    ///
    /// # Panics
    /// If the maps are not of that shape, or the grid has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let identity = Var::from([[[1.0f64, 0.0, 0.0], [0.0, 1.0, 0.0]]]);
    /// let grid = identity.affine_grid([1, 2], true);
    /// assert_eq!(grid.value().to_vec(), [-1.0, 0.0, 1.0, 0.0]);
    /// ```
    #[doc(alias = "F.affine_grid")]
    #[track_caller]
    pub fn affine_grid<const D: usize>(&self, size: [usize; D], align_corners: bool) -> Var<T> {
        let shape = self.shape();
        assert!(
            (D == 2 || D == 3) && shape.len() == 3 && shape[1..] == [D, D + 1],
            "affine_grid: {shape} is not of maps [batch, {D}, {}] of images {size:?} of two or three axes",
            D + 1
        );
        let result: Shape = std::iter::once(shape[0]).chain(size).chain([D]).collect();
        let result = result.checked("affine_grid");
        let count = size::product("affine_grid", &size);
        let coordinate = |axis: usize, i: usize| {
            let length = size[axis];
            match align_corners {
                true if length > 1 => 2.0 * i as f64 / (length - 1) as f64 - 1.0,
                true => 0.0,
                false => (2 * i + 1) as f64 / length as f64 - 1.0,
            }
        };
        let centres = Tensor::from_fn([count, D + 1], |i| {
            if i[1] == D {
                return T::ONE;
            }
            // The last axis first.
            let axis = D - 1 - i[1];
            let within: usize = size[axis + 1..].iter().product();
            T::from_f64(coordinate(axis, i[0] / within % size[axis]))
        });
        Var::constant(centres).matmul(&self.transpose(1, 2)).reshape(result)
    }
}

/// From −1 … 1 to the numbers of elements.
fn unnormalised<T: Float>(x: &Var<T>, size: usize, align_corners: bool) -> Var<T> {
    let size = size as f64;
    if align_corners { (x + 1.0) * (0.5 * (size - 1.0)) } else { ((x + 1.0) * size - 1.0) * 0.5 }
}

/// Into the image, by the padding.
fn padded<T: Float>(x: &Var<T>, size: usize, options: GridSampleOptions) -> Var<T> {
    let last = (size as f64 - 1.0).max(0.0);
    match options.padding {
        GridPadding::Zeros => x.clone(),
        GridPadding::Border => x.clamp(0.0, last),
        GridPadding::Reflection => {
            let (low, span) = ends(size, options.align_corners);
            if span <= 0.0 {
                return x * 0.0;
            }
            let from = (x - low).abs();
            let flips = (&from / span).floor();
            let rest = from - &flips * span;
            let is_odd = (&flips * 0.5 - (&flips * 0.5).floor()).gt(0.25);
            (Var::select_where(is_odd, &(span - &rest), &rest) + low).clamp(0.0, last)
        }
    }
}

/// Of the coordinates along each axis, `[batch, outputs]`: the integers below them, `[batch, axes, outputs]`, the weights of
/// the neighbours, `[batch, taps, outputs]`, and which neighbours these are.
fn weighed<T: Float>(
    coordinates: &[Var<T>],
    sizes: &[usize],
    options: GridSampleOptions,
) -> (Var<T>, Var<T>, Neighbours) {
    let GridSampleOptions { mode, padding, align_corners } = options;
    let (taps, first) = match mode {
        GridMode::Nearest => (1, 0),
        GridMode::Linear => (2, 0),
        GridMode::Cubic => (4, -1),
    };
    let mut low = Vec::with_capacity(sizes.len());
    let mut weights: Vec<Var<T>> = Vec::new();
    for (x, &size) in coordinates.iter().zip(sizes) {
        // Cubics look at the elements that stand outside, others at the place that an outer one stands for.
        let x = if mode == GridMode::Cubic { x.clone() } else { padded(x, size, options) };
        let below = if mode == GridMode::Nearest { x.round() } else { x.floor() };
        let t = &x - &below;
        let here = match mode {
            GridMode::Nearest => vec![&t * 0.0 + 1.0],
            GridMode::Linear => vec![1.0 - &t, t],
            GridMode::Cubic => cubic(&t).into(),
        };
        weights = if weights.is_empty() {
            here
        } else {
            weights.iter().flat_map(|w| here.iter().map(move |h| w * h)).collect()
        };
        low.push(below);
    }
    // Places outside have been brought in, except for cubics.
    let padding = if mode == GridMode::Cubic { padding } else { GridPadding::Zeros };
    let neighbours = Neighbours { sizes: sizes.into(), taps, first, padding, align_corners };
    (Var::stack(&low, 1), Var::stack(&weights, 1), neighbours)
}

/// The weights of the four neighbours of a place at t between the inner ones, by R. G. Keys' kernel with a = −3/4 (1981).
fn cubic<T: Float>(t: &Var<T>) -> [Var<T>; 4] {
    const A: f64 = -0.75;
    let inner = |x: &Var<T>| (x * (A + 2.0) - (A + 3.0)) * x.square() + 1.0;
    let outer = |x: &Var<T>| ((x * A - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [outer(&(t + 1.0)), inner(t), inner(&(1.0 - t)), outer(&(2.0 - t))]
}
