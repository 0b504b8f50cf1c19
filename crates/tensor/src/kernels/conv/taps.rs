//! Which pixels the taps of a kernel meet, along one axis.

use smallvec::{SmallVec, smallvec};

use super::Conv2dGeometry;
use super::frame::{Side, Tap};

/// The taps of a kernel along one axis.
pub(super) type Taps = SmallVec<[Tap; 8]>;

/// One axis of a convolution, checked by [`Conv2dGeometry::new`]: padded image and dilated kernel fit into `isize`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Pixels of the image.
    pub(super) size: usize,
    /// Positions of the kernel.
    pub(super) positions: usize,
    taps: usize,
    /// No more than the padded image has pixels: from there on there is one position, whatever the stride.
    stride: usize,
    padding: usize,
    dilation: usize,
}

impl Axis {
    /// The axes of height and width.
    pub(super) fn both(g: &Conv2dGeometry) -> [Self; 2] {
        let o = g.options();
        [0, 1].map(|i| {
            let (size, padding) = (g.input_shape()[2 + i], o.padding[i]);
            Self {
                size,
                positions: g.output_shape()[2 + i],
                taps: g.weight_shape()[2 + i],
                stride: o.stride[i].min(size + 2 * padding),
                padding,
                dilation: o.dilation[i],
            }
        })
    }

    /// From one pixel of a phase to the next, as far as there is a next one.
    pub(super) fn step(&self) -> usize {
        self.stride.min(self.size)
    }

    /// The pixel that tap t meets at the first position.
    fn place(&self, t: usize) -> isize {
        (t * self.dilation) as isize - self.padding as isize
    }

    /// The first pixel of the phase that tap t meets, which need not be in the image.
    fn start(&self, t: usize) -> usize {
        self.place(t).rem_euclid(self.stride as isize) as usize
    }

    /// Where the taps meet the input, split into phases: tap t of position q meets pixel
    /// `q · stride + t · dilation − padding`.
    pub(super) fn over_input(&self) -> (Side, Taps) {
        let mut starts: SmallVec<[usize; 8]> = (0..self.taps).map(|t| self.start(t)).collect();
        starts.sort_unstable();
        starts.dedup();
        let tap = |t: usize| Tap {
            phase: starts.partition_point(|&start| start < self.start(t)),
            shift: self.place(t).div_euclid(self.stride as isize),
        };
        let taps = (0..self.taps).map(tap).collect();
        (Side { size: self.size, stride: self.stride, starts, positions: self.positions }, taps)
    }

    /// The output's gradient, over which the taps move by one position from pixel to pixel of a phase.
    pub(super) fn output_side(&self) -> Side {
        Side { size: self.positions, stride: 1, starts: smallvec![0], positions: self.pixels_from(0) }
    }

    /// The phases of the input that taps met, with those taps as shifts over the output's gradient: tap t met pixel i at
    /// position `(i + padding − t · dilation) / stride`.
    pub(super) fn over_output(&self) -> SmallVec<[AxisPhase; 2]> {
        let mut phases: SmallVec<[AxisPhase; 2]> = SmallVec::new();
        for t in 0..self.taps {
            let start = self.start(t);
            if start >= self.size {
                continue;
            }
            let shift = (start as isize - self.place(t)) / self.stride as isize;
            let at = phases.partition_point(|phase| phase.start < start);
            if phases.get(at).is_none_or(|phase| phase.start != start) {
                phases
                    .insert(at, AxisPhase { start, pixels: self.pixels_from(start), taps: SmallVec::new() });
            }
            phases[at].taps.push((t, Tap { phase: 0, shift }));
        }
        phases
    }

    /// How many pixels there are in `start, start + stride, …`.
    fn pixels_from(&self, start: usize) -> usize {
        self.size.saturating_sub(start).div_ceil(self.stride)
    }
}

/// Every `stride`-th pixel of the input along one axis, which met the same taps.
#[derive(Clone, Debug)]
pub(super) struct AxisPhase {
    pub(super) start: usize,
    /// How many pixels there are.
    pub(super) pixels: usize,
    /// The taps, with their places in the kernel.
    pub(super) taps: SmallVec<[(usize, Tap); 8]>,
}
