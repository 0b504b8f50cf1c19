use std::ops::Range;

use super::channels::Frame;
use crate::array::element::Float;
use crate::array::shape::Shape;
use crate::loops::sums::sum;

/// The most elements of a [`Piece`] with one gain for all.
const PIECE: usize = 128;

/// Which elements of a tensor are normalised together, and which gain each has.
///
/// The elements that share their statistics are a row: consecutive elements of the tensor, whose rows follow one another;
/// but in batch normalisation those of a channel, wherever they lie.
/// - Layer normalisation: [`last_axes`](Self::last_axes), a gain for each element of a row.
/// - RMS normalisation: the same, [`uncentred`](Self::uncentred).
/// - Group normalisation: [`groups`](Self::groups), a gain for each channel; instance normalisation: as many groups as
///   channels.
/// - Batch normalisation: [`batch`](Self::batch).
///
/// ```
/// use wengert_tensor::normalise::{self, NormGeometry};
///
/// let geometry = NormGeometry::last_axes(&[1, 2].into(), &[2].into(), 0.0).unwrap();
/// let mut y = [0.0f64; 2];
/// normalise::value(&geometry, &[3.0, 1.0], &[1.0, 2.0], &[0.0, 10.0], &mut y);
/// assert_eq!(y, [1.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormGeometry {
    rows: usize,
    length: usize,
    /// Consecutive elements of a row with the same gain.
    span: usize,
    /// Gains in all: rows use them in turn, and then from the first again.
    gains: usize,
    centred: bool,
    epsilon: f64,
    /// Where a row is a channel of all examples.
    frame: Option<Frame>,
}

impl NormGeometry {
    /// Rows are what the last axes, of the shape `gain`, make up; `None` if it is not that of the last axes of `x`.
    pub fn last_axes(x: &Shape, gain: &Shape, epsilon: f64) -> Option<Self> {
        if !x.fits() || !x.ends_with(gain) {
            return None;
        }
        let rows = x[..x.len() - gain.len()].iter().product();
        let length = gain.count();
        Some(NormGeometry { rows, length, span: 1, gains: length, centred: true, epsilon, frame: None })
    }

    /// A row is one of `groups` equal parts of the channels of an example, for `x` of shape [examples, channels, …]; `None`
    /// if it has no channels or they cannot be parted so.
    pub fn groups(x: &Shape, groups: usize, epsilon: f64) -> Option<Self> {
        let (&examples, &channels) = (x.first()?, x.get(1)?);
        if !x.fits() || groups == 0 || groups > channels || !channels.is_multiple_of(groups) {
            return None;
        }
        let span: usize = x[2..].iter().product();
        let (rows, length) = (examples * groups, channels / groups * span);
        Some(NormGeometry { rows, length, span, gains: channels, centred: true, epsilon, frame: None })
    }

    /// A row is a channel of all examples, for `x` of shape [examples, channels, …]; `None` if there is no axis of channels.
    pub fn batch(x: &Shape, epsilon: f64) -> Option<Self> {
        let (&examples, &channels) = (x.first()?, x.get(1)?);
        if !x.fits() {
            return None;
        }
        let span = x[2..].iter().product();
        let frame = Some(Frame { examples, channels, span });
        let length = examples * span;
        Some(NormGeometry {
            rows: channels,
            length,
            span: length,
            gains: channels,
            centred: true,
            epsilon,
            frame,
        })
    }

    /// The same without the mean: elements are divided by the root of their mean square.
    pub fn uncentred(self) -> Self {
        NormGeometry { centred: false, ..self }
    }

    /// The number of elements of x.
    pub fn elements(&self) -> usize {
        self.rows * self.length
    }

    /// The number of elements of the gain.
    pub fn gains(&self) -> usize {
        self.gains
    }

    pub(super) fn frame(&self) -> Option<Frame> {
        self.frame
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn centred(&self) -> bool {
        self.centred
    }

    pub(super) fn epsilon<T: Float>(&self) -> T {
        T::from_f64(self.epsilon)
    }

    /// The pieces of a row: all of it where each element has a gain of its own.
    #[inline(always)]
    pub(super) fn pieces(&self, row: usize) -> Pieces {
        let shared = self.span != 1;
        Pieces {
            length: self.length,
            span: if shared { self.span } else { self.length },
            most: if shared { PIECE } else { self.length },
            shared,
            at: 0,
            // There are gains where there are rows that have elements.
            first_gain: row * (self.length / self.span.max(1)) % self.gains.max(1),
        }
    }
}

/// See [`NormGeometry::pieces`].
pub(super) struct Pieces {
    length: usize,
    span: usize,
    most: usize,
    shared: bool,
    at: usize,
    first_gain: usize,
}

impl Iterator for Pieces {
    type Item = Piece;
    #[inline(always)]
    fn next(&mut self) -> Option<Piece> {
        if self.at >= self.length {
            return None;
        }
        let start = self.at;
        let length = (self.span - start % self.span).min(self.most);
        self.at += length;
        Some(Piece { start, length, gain: self.first_gain + start / self.span, shared: self.shared })
    }
}

/// Consecutive elements of a row, each with a gain of its own, or all with the same.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    start: usize,
    length: usize,
    /// The first gain.
    gain: usize,
    shared: bool,
}

/// Room for a gain that is repeated, or for what is to be summed; `None`, and not even zeroed, until it is used.
pub(super) type Buffer<T> = Option<[T; PIECE]>;

impl Piece {
    #[inline(always)]
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.start + self.length
    }

    /// For each element its own of the gains, or whatever else there is one of for each gain.
    #[inline(always)]
    pub(super) fn gains<'a, T: Float>(self, all: &'a [T], buffer: &'a mut Buffer<T>) -> &'a [T] {
        if !self.shared {
            return &all[self.gain..][..self.length];
        }
        &buffer.insert([all[self.gain]; PIECE])[..self.length]
    }

    /// Where to add what each element has for its gain; [`settle`](Self::settle) must follow.
    #[inline(always)]
    pub(super) fn sums<'a, T: Float>(self, all: &'a mut [T], buffer: &'a mut Buffer<T>) -> &'a mut [T] {
        if !self.shared {
            return &mut all[self.gain..][..self.length];
        }
        &mut buffer.insert([T::ZERO; PIECE])[..self.length]
    }

    #[inline(always)]
    pub(super) fn settle<T: Float>(self, all: &mut [T], buffer: &Buffer<T>) {
        if let Some(buffer) = buffer {
            let sum = sum([&buffer[..self.length]], |[x]| x);
            all[self.gain] += sum;
        }
    }
}
