//! Moving elements between channels and pixels.

use wengert_tensor::{Float, Shape};

use crate::var::Var;

impl<T: Float> Var<T> {
    /// Channels as pixels: `[…, channels · factor², height, width]` as `[…, channels, height · factor, width · factor]`, each pixel
    /// made a square of the `factor²` channels that follow each other (Shi et al., "Real-time single image and video
    /// super-resolution using an efficient sub-pixel convolutional neural network", 2016).
    ///
    /// # Panics
    /// If there are fewer than three axes, or the channels are no multiple of factor².
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0, 3.0, 4.0]).reshape([4, 1, 1]);
    /// let y = x.pixel_shuffle(2);
    /// assert_eq!((y.shape().to_vec(), y.value().to_vec()), (vec![1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    /// assert_eq!(y.pixel_unshuffle(2).value(), x.value());
    /// ```
    #[track_caller]
    pub fn pixel_shuffle(&self, factor: usize) -> Var<T> {
        let (shape, square) = (self.shape(), factor.checked_mul(factor));
        let fits = match (shape.len().checked_sub(3), square) {
            (Some(lead), Some(square)) => square > 0 && shape[lead].is_multiple_of(square),
            _ => false,
        };
        assert!(
            fits,
            "pixel_shuffle: {shape} is not […, channels, height, width] with channels a multiple of {factor}²"
        );
        let lead = shape.len() - 3;
        let (channels, height, width) = (shape[lead] / (factor * factor), shape[lead + 1], shape[lead + 2]);
        let product = |a, b| wengert_tensor::size::product("pixel_shuffle", &[a, b]);
        let larger = [channels, product(height, factor), product(width, factor)];
        let larger = with_last(shape, lead, &larger).checked("pixel_shuffle");
        let split = with_last(shape, lead, &[channels, factor, factor, height, width]);
        self.reshape(split).permute(&order(lead, [0, 3, 1, 4, 2])[..]).reshape(larger)
    }

    /// The inverse of [`pixel_shuffle`](Var::pixel_shuffle): `[…, channels, height · factor, width · factor]` as
    /// `[…, channels · factor², height, width]`.
    ///
    /// # Panics
    /// If there are fewer than three axes, or height or width is no multiple of the factor.
    #[track_caller]
    pub fn pixel_unshuffle(&self, factor: usize) -> Var<T> {
        let shape = self.shape();
        let fits = |size: usize| factor > 0 && size.is_multiple_of(factor);
        assert!(
            shape.len() >= 3 && fits(shape[shape.len() - 2]) && fits(shape[shape.len() - 1]),
            "pixel_unshuffle: {shape} is not […, channels, height, width] with height and width multiples of {factor}"
        );
        let lead = shape.len() - 3;
        let (channels, height, width) = (shape[lead], shape[lead + 1] / factor, shape[lead + 2] / factor);
        let more = wengert_tensor::size::product("pixel_unshuffle", &[channels, factor, factor]);
        let smaller = with_last(shape, lead, &[more, height, width]).checked("pixel_unshuffle");
        let split = with_last(shape, lead, &[channels, height, factor, width, factor]);
        self.reshape(split).permute(&order(lead, [0, 2, 4, 1, 3])[..]).reshape(smaller)
    }

    /// The channels of `[batch, channels, …]`, `groups` groups of equal size, in the order first of each group, second of each
    /// group, and so on (Zhang et al., "ShuffleNet", 2018).
    ///
    /// # Panics
    /// If there are fewer than two axes, or the channels are no multiple of the groups.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 2.0, 3.0, 4.0]).reshape([1, 4]);
    /// assert_eq!(x.channel_shuffle(2).value().to_vec(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn channel_shuffle(&self, groups: usize) -> Var<T> {
        let shape = self.shape();
        assert!(
            shape.len() >= 2 && groups > 0 && shape[1].is_multiple_of(groups),
            "channel_shuffle: {shape} is not [batch, channels, …] with channels a multiple of {groups} groups"
        );
        let split: Shape =
            [shape[0], groups, shape[1] / groups].into_iter().chain(shape[2..].iter().copied()).collect();
        self.reshape(split).transpose(1, 2).reshape(shape)
    }
}

/// The shape up to an axis, and then other lengths.
fn with_last(shape: &Shape, lead: usize, last: &[usize]) -> Shape {
    shape[..lead].iter().chain(last).copied().collect()
}

/// An order of the axes from `lead` on.
fn order(lead: usize, last: [usize; 5]) -> Vec<usize> {
    (0..lead).chain(last.map(|axis| lead + axis)).collect()
}
