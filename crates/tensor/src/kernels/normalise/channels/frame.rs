//! Where a channel's elements are, and sums over them.

use std::ops::Range;

use crate::array::element::Float;

/// Partial sums side by side: elements of one channel, or of as many channels as there is room for.
pub(super) const LANES: usize = 16;
/// Elements that a lane adds up in the precision of its type before double precision takes over.
const STEPS: usize = 64;

/// A tensor of shape [examples, channels, span].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Frame {
    pub(in super::super) examples: usize,
    pub(in super::super) channels: usize,
    pub(in super::super) span: usize,
}

impl Frame {
    pub(super) fn elements(self) -> usize {
        self.examples * self.channels * self.span
    }

    /// Elements of a channel.
    pub(super) fn count(self) -> f64 {
        (self.examples * self.span) as f64
    }

    /// Channels whose sums are made at once.
    pub(super) fn block(self) -> usize {
        (LANES / self.span.max(1)).max(1)
    }

    /// Which channel of a block a lane belongs to.
    #[inline(always)]
    pub(super) fn channel(self, lane: usize) -> usize {
        if self.block() == 1 { 0 } else { lane / self.span }
    }

    /// For each of some channels the sums of the terms of its elements; a term also gets the number of its lane.
    #[inline(always)]
    pub(super) fn sums<T: Float, const S: usize, const K: usize>(
        self,
        channels: &Range<usize>,
        arrays: [&[T]; S],
        term: impl Fn(usize, [T; S]) -> [T; K],
    ) -> [[f64; LANES]; K] {
        let width = channels.len() * self.span;
        let (mut totals, mut lanes) = ([[0f64; LANES]; K], [[T::ZERO; LANES]; K]);
        let mut steps = 0;
        for example in 0..self.examples {
            let start = (example * self.channels + channels.start) * self.span;
            let rows = arrays.map(|array| &array[start..start + width]);
            let count = width / LANES;
            let pieces = rows.map(|row| &row.as_chunks::<LANES>().0[..count]);
            for i in 0..count {
                for lane in 0..LANES {
                    let terms = term(lane, pieces.map(|pieces| pieces[i][lane]));
                    for (lanes, term) in lanes.iter_mut().zip(terms) {
                        lanes[lane] += term;
                    }
                }
                steps += 1;
                if steps % STEPS == 0 {
                    settle(&mut totals, &mut lanes);
                }
            }
            if count * LANES < width {
                // Apart, since an array that is indexed by a variable cannot stay in registers.
                let mut last = [[T::ZERO; LANES]; K];
                let rest = rows.map(|row| row.as_chunks::<LANES>().1);
                for lane in 0..rest[0].len() {
                    let terms = term(lane, rest.map(|row| row[lane]));
                    for (last, term) in last.iter_mut().zip(terms) {
                        last[lane] = term;
                    }
                }
                for (lanes, last) in lanes.iter_mut().zip(last) {
                    lanes.iter_mut().zip(last).for_each(|(sum, last)| *sum += last);
                }
                steps += 1;
                if steps % STEPS == 0 {
                    settle(&mut totals, &mut lanes);
                }
            }
        }
        settle(&mut totals, &mut lanes);
        totals.map(|totals| {
            let mut of_channel = [0f64; LANES];
            for (lane, total) in totals.into_iter().enumerate() {
                of_channel[self.channel(lane).min(LANES - 1)] += total;
            }
            of_channel
        })
    }
}

/// Adds the lanes to the totals.
#[inline(always)]
fn settle<T: Float, const K: usize>(totals: &mut [[f64; LANES]; K], lanes: &mut [[T; LANES]; K]) {
    for (totals, lanes) in totals.iter_mut().zip(lanes) {
        for (total, lane) in totals.iter_mut().zip(lanes) {
            *total += lane.to_f64();
            *lane = T::ZERO;
        }
    }
}
