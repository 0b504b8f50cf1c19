//! Normalisation of channels whose elements lie apart, as in a batch of images: sums over each channel first, then one
//! pass over all elements with a few numbers for each channel.
//!
//! Everything that is computed of x and up to three others y has the form slope·(x − x̄) + shift + Σ factor·(y − ȳ), which
//! is what [`Coefficients`] holds.

mod coefficients;
mod far;
mod frame;

use std::array::from_fn;
use std::ops::Range;

use super::far::is_lost;
use super::geometry::NormGeometry;
use crate::array::element::Float;
use crate::machine::simd::{Isa, Kernel, dispatch};
use coefficients::{Coefficients, OfChannels, coefficients, combine};
use far::Units;
pub(super) use frame::Frame;
use frame::LANES;

/// How the channels of a block are normalised: z = ((x − mean) − rest)·r.
struct Scales<T> {
    frame: Frame,
    centred: bool,
    mean: [T; LANES],
    rest: [T; LANES],
    r: [T; LANES],
    variance: [f64; LANES],
    lost: [bool; LANES],
    /// The first of them for each lane.
    lanes: [[T; LANES]; 3],
}

// What is summed over elements is few kernels, each compiled once for each instruction set: how the rules put the sums together
// is arithmetic of a few numbers.

struct FindScales<'a, T> {
    geometry: &'a NormGeometry,
    /// Those of the channels of x, if not 1.
    units: &'a [T],
    frame: Frame,
    channels: &'a Range<usize>,
    x: &'a [T],
}

impl<T: Float> Kernel for FindScales<'_, T> {
    type Output = Scales<T>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Scales<T> {
        let FindScales { geometry, units, frame, channels, x } = self;
        let (count, centred) = (frame.count(), geometry.centred());
        let mut mean = [T::ZERO; LANES];
        if centred {
            let [sums] = frame.sums(channels, [x], |_, [x]| [x]);
            mean = sums.map(|sum| T::from_f64(sum / count));
        }
        let by_lane =
            |of_channel: &[T; LANES]| from_fn(|lane| of_channel[frame.channel(lane).min(LANES - 1)]);
        let first: [T; LANES] = by_lane(&mean);
        // What the rounded mean leaves is taken off too, so that a large mean costs no precision.
        let [rests, squares] = frame.sums(channels, [x], |lane, [x]| {
            let x = x - first[lane];
            [x, x * x]
        });
        let rests = if centred { rests.map(|rest| rest / count) } else { [0.0; LANES] };
        let variance: [f64; LANES] = from_fn(|i| squares[i] / count - rests[i] * rests[i]);
        let epsilon = geometry.epsilon::<f64>();
        let r: [T; LANES] = from_fn(|i| {
            let root = match units.get(channels.start + i) {
                None => (variance[i] + epsilon).sqrt(),
                Some(unit) => variance[i].max(0.0).sqrt().hypot(epsilon.sqrt() / unit.to_f64()),
            };
            T::from_f64(1.0 / root)
        });
        let lost = r.map(is_lost);
        let rest = rests.map(T::from_f64);
        let lanes = [first, by_lane(&rest), by_lane(&r)];
        Scales { frame, centred, mean, rest, r, variance, lost, lanes }
    }
}

/// Sums of y and of y·z.
struct SumsWithZ<'a, T> {
    scales: &'a Scales<T>,
    channels: &'a Range<usize>,
    x: &'a [T],
    y: &'a [T],
}

impl<T: Float> Kernel for SumsWithZ<'_, T> {
    type Output = [[f64; LANES]; 2];
    #[inline(always)]
    fn run<I: Isa>(self) -> [[f64; LANES]; 2] {
        let frame = self.scales.frame;
        frame.sums(self.channels, [self.x, self.y], |lane, [x, y]| [y, y * self.scales.z(lane, x)])
    }
}

/// Sums of y·(x − mean).
struct SumsAround<'a, T> {
    frame: Frame,
    mean: [T; LANES],
    channels: &'a Range<usize>,
    x: &'a [T],
    y: &'a [T],
}

impl<T: Float> Kernel for SumsAround<'_, T> {
    type Output = [f64; LANES];
    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; LANES] {
        let [sums] =
            self.frame.sums(self.channels, [self.x, self.y], |lane, [x, y]| [y * (x - self.mean[lane])]);
        sums
    }
}

impl<T: Float> Scales<T> {
    fn of(geometry: &NormGeometry, units: &[T], frame: Frame, channels: &Range<usize>, x: &[T]) -> Self {
        dispatch(FindScales { geometry, units, frame, channels, x })
    }

    #[inline(always)]
    fn z(&self, lane: usize, x: T) -> T {
        let [mean, rest, r] = &self.lanes;
        ((x - mean[lane]) - rest[lane]) * r[lane]
    }

    /// The means of y, where means are taken off, and of y·z.
    fn means_with_z(&self, channels: &Range<usize>, x: &[T], y: &[T]) -> [[f64; LANES]; 2] {
        let sums = dispatch(SumsWithZ { scales: self, channels, x, y });
        let [means, with_z] = sums.map(|sums| sums.map(|sum| sum / self.frame.count()));
        [means, with_z]
    }

    fn taken(&self, mean: f64) -> T {
        T::from_f64(if self.centred { mean } else { 0.0 })
    }

    /// What z of that channel is multiplied by, as a factor of x.
    fn slope(&self, channel: usize, of_z: T) -> T {
        of_z * self.r[channel]
    }
}

/// The mean and the variance of each channel.
struct Moments<'a, T> {
    geometry: &'a NormGeometry,
    units: &'a [T],
    x: &'a [T],
}

impl<T: Float> OfChannels<T, 0> for Moments<'_, T> {
    fn block(&self, frame: Frame, channels: Range<usize>, out: &mut [Coefficients<T, 0>]) {
        let scales = Scales::of(self.geometry, self.units, frame, &channels, self.x);
        for (c, out) in out.iter_mut().enumerate() {
            out.lost = scales.lost[c];
            let unit = self.units.get(channels.start + c).map_or(1.0, |unit| unit.to_f64());
            let mean = (scales.mean[c] + scales.rest[c]) * T::from_f64(unit);
            out.sums = [mean, T::from_f64(scales.variance[c] * unit * unit)];
        }
    }
}

/// The mean and the variance of each channel.
pub(super) fn moments<T: Float>(geometry: &NormGeometry, frame: Frame, x: &[T]) -> [Vec<T>; 2] {
    let table = coefficients(frame, &Moments { geometry, units: &[], x });
    let table = match Units::of(frame, &table, x) {
        Some(Units { units, x }) => coefficients(frame, &Moments { geometry, units: &units, x: &x }),
        None => table,
    };
    from_fn(|i| table.iter().map(|c| c.sums[i]).collect())
}

/// z·gain + bias.
struct Value<'a, T> {
    geometry: &'a NormGeometry,
    units: &'a [T],
    x: &'a [T],
    gain: &'a [T],
    bias: &'a [T],
}

impl<T: Float> OfChannels<T, 0> for Value<'_, T> {
    fn block(&self, frame: Frame, channels: Range<usize>, out: &mut [Coefficients<T, 0>]) {
        let scales = Scales::of(self.geometry, self.units, frame, &channels, self.x);
        for (c, out) in out.iter_mut().enumerate() {
            out.lost = scales.lost[c];
            let (gain, bias) = (self.gain[channels.start + c], self.bias[channels.start + c]);
            out.x = [scales.slope(c, gain), scales.mean[c], scales.rest[c], bias];
        }
    }
}

pub(super) fn value<T: Float>(
    geometry: &NormGeometry,
    frame: Frame,
    [x, gain, bias]: [&[T]; 3],
    out: &mut [T],
) {
    let table = coefficients(frame, &Value { geometry, units: &[], x, gain, bias });
    if let Some(Units { units, x }) = Units::of(frame, &table, x) {
        let table = coefficients(frame, &Value { geometry, units: &units, x: &x, gain, bias });
        return combine(frame, &table, &x, [], out);
    }
    combine(frame, &table, x, [], out);
}

/// (x − mean)·scale + shift.
pub(super) fn affine<T: Float>(frame: Frame, x: &[T], [mean, scale, shift]: [&[T]; 3], out: &mut [T]) {
    let table: Vec<Coefficients<T, 0>> = (0..frame.channels)
        .map(|c| Coefficients {
            x: [scale[c], mean[c], T::ZERO, shift[c]],
            y: [],
            sums: [T::ZERO; 2],
            lost: false,
        })
        .collect();
    combine(frame, &table, x, [], out);
}

/// The tangent of [`Value`], gain·J·t + t_gain·z + t_bias; and with a `t_gain` and `t_bias` of 0 the gradient. The sums
/// are of t·z and of t.
struct Tangent<'a, T> {
    geometry: &'a NormGeometry,
    units: &'a [T],
    x: &'a [T],
    gain: &'a [T],
    t: &'a [T],
    of_gain_and_bias: Option<[&'a [T]; 2]>,
}

impl<T: Float> OfChannels<T, 1> for Tangent<'_, T> {
    fn block(&self, frame: Frame, channels: Range<usize>, out: &mut [Coefficients<T, 1>]) {
        let scales = Scales::of(self.geometry, self.units, frame, &channels, self.x);
        let [means, with_z] = scales.means_with_z(&channels, self.x, self.t);
        for (c, out) in out.iter_mut().enumerate() {
            out.lost = scales.lost[c];
            let channel = channels.start + c;
            let factor = self.gain[channel] * scales.r[c];
            let [t_gain, t_bias] = self.of_gain_and_bias.map_or([T::ZERO; 2], |t| t.map(|t| t[channel]));
            let slope = scales.slope(c, t_gain - factor * T::from_f64(with_z[c]));
            out.x = [slope, scales.mean[c], scales.rest[c], t_bias];
            out.y = [[factor, scales.taken(means[c])]];
            out.sums = [with_z[c], means[c]].map(|mean| T::from_f64(mean * frame.count()));
        }
    }
}

pub(super) fn tangent<T: Float>(
    geometry: &NormGeometry,
    frame: Frame,
    [x, gain]: [&[T]; 2],
    [t, t_gain, t_bias]: [&[T]; 3],
    out: &mut [T],
) {
    let f = Tangent { geometry, units: &[], x, gain, t, of_gain_and_bias: Some([t_gain, t_bias]) };
    let table = coefficients(frame, &f);
    if let Some(far) = Units::of(frame, &table, x) {
        let t = far.over(frame, t);
        let f = Tangent { units: &far.units, x: &far.x, t: &t, ..f };
        return combine(frame, &coefficients(frame, &f), &far.x, [&t], out);
    }
    combine(frame, &table, x, [t], out);
}

/// The gradient of x, if there is room for it; returns those of gain and bias.
pub(super) fn gradients<T: Float>(
    geometry: &NormGeometry,
    frame: Frame,
    [x, gain, v]: [&[T]; 3],
    out: Option<&mut [T]>,
) -> [Vec<T>; 2] {
    let f = Tangent { geometry, units: &[], x, gain, t: v, of_gain_and_bias: None };
    let mut table = coefficients(frame, &f);
    let far = Units::of(frame, &table, x);
    if let Some(far) = &far {
        table = coefficients(frame, &Tangent { units: &far.units, x: &far.x, ..f });
    }
    if let Some(out) = out {
        combine(frame, &table, far.as_ref().map_or(x, |far| &far.x), [v], out);
        if let Some(far) = &far {
            far.settle(frame, out);
        }
    }
    from_fn(|i| table.iter().map(|c| c.sums[i]).collect())
}

/// The tangent of the gradient J·(gain·v) along t, t_gain and t_v; the first sum is the tangent of that of the gain, Σ z·v.
struct GradientTangent<'a, T> {
    geometry: &'a NormGeometry,
    units: &'a [T],
    x: &'a [T],
    gain: [&'a [T]; 2],
    /// t, v and t_v.
    arrays: [&'a [T]; 3],
}

impl<T: Float> OfChannels<T, 3> for GradientTangent<'_, T> {
    fn block(&self, frame: Frame, channels: Range<usize>, out: &mut [Coefficients<T, 3>]) {
        let scales = Scales::of(self.geometry, self.units, frame, &channels, self.x);
        let [t, v, t_v] = self.arrays;
        let [t_means, t_with_z] = scales.means_with_z(&channels, self.x, t);
        let [v_means, v_with_z] = scales.means_with_z(&channels, self.x, v);
        let [w_means, w_with_z] = scales.means_with_z(&channels, self.x, t_v);
        let of_t: [T; LANES] = from_fn(|lane| scales.taken(t_means[frame.channel(lane).min(LANES - 1)]));
        let v_with_t = dispatch(SumsAround { frame, mean: of_t, channels: &channels, x: t, y: v });
        for (c, out) in out.iter_mut().enumerate() {
            out.lost = scales.lost[c];
            let [gain, t_gain] = self.gain.map(|gain| gain[channels.start + c].to_f64());
            let r = scales.r[c].to_f64();
            let (tz, vz, wz) = (t_with_z[c], v_with_z[c], w_with_z[c]);
            let vt = v_with_t[c] / frame.count();
            let slope = -r * (t_gain * vz + gain * wz) + 3.0 * r * r * gain * tz * vz - r * r * gain * vt;
            out.x = [scales.slope(c, T::from_f64(slope)), scales.mean[c], scales.rest[c], T::ZERO];
            let factors = [-r * r * gain * vz, r * t_gain - r * r * gain * tz, r * gain];
            let means = [t_means[c], v_means[c], w_means[c]].map(|mean| scales.taken(mean));
            out.y = from_fn(|i| [T::from_f64(factors[i]), means[i]]);
            // Of z·t_v + (J·t)·v.
            out.sums = [T::from_f64(frame.count() * (wz + r * (vt - tz * vz))), T::ZERO];
        }
    }
}

pub(super) fn gradient_tangent<T: Float>(
    geometry: &NormGeometry,
    frame: Frame,
    [x, gain, v]: [&[T]; 3],
    [t, t_gain, t_v]: [&[T]; 3],
    out: &mut [T],
) {
    let f = GradientTangent { geometry, units: &[], x, gain: [gain, t_gain], arrays: [t, v, t_v] };
    let table = coefficients(frame, &f);
    if let Some(far) = Units::of(frame, &table, x) {
        let t = far.over(frame, t);
        let f = GradientTangent { units: &far.units, x: &far.x, arrays: [&t, v, t_v], ..f };
        combine(frame, &coefficients(frame, &f), &far.x, [&t, v, t_v], out);
        return far.settle(frame, out);
    }
    combine(frame, &table, x, [t, v, t_v], out);
}

/// The tangent of Σ z·v along t and t_v.
pub(super) fn gain_gradient_tangent<T: Float>(
    geometry: &NormGeometry,
    frame: Frame,
    [x, v]: [&[T]; 2],
    [t, t_v]: [&[T]; 2],
) -> Vec<T> {
    let gain = vec![T::ONE; frame.channels];
    let f = GradientTangent { geometry, units: &[], x, gain: [&gain, &gain], arrays: [t, v, t_v] };
    let mut table = coefficients(frame, &f);
    if let Some(far) = Units::of(frame, &table, x) {
        let t = far.over(frame, t);
        let f = GradientTangent { units: &far.units, x: &far.x, arrays: [&t, v, t_v], ..f };
        table = coefficients(frame, &f);
    }
    table.iter().map(|c| c.sums[0]).collect()
}
