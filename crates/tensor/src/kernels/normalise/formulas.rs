//! What is computed of each row.

use super::far::Unit;
use super::geometry::{Buffer, NormGeometry, Piece};
use crate::array::element::Float;
use crate::loops::rows::{RowMap, RowPass, row_and_next, row_of};
use crate::loops::sums::{mean, sum};
use crate::machine::prefetch::prefetch;
use crate::machine::simd::Isa;

/// How one row is normalised.
#[derive(Clone, Copy)]
pub(super) struct Scale<T> {
    mean: T,
    /// 1/√(variance + ε).
    r: T,
    /// Minus what the rounded mean leaves, times `r`, so that a large mean costs no precision.
    rest: T,
    centred: bool,
}

impl<T: Float> Scale<T> {
    #[inline(always)]
    fn of(geometry: &NormGeometry, x: &[T]) -> Self {
        Self::before(geometry, x, |_| ())
    }

    /// As [`of`](Self::of), with something done before each of the three passes over the row.
    #[inline(always)]
    fn before(geometry: &NormGeometry, x: &[T], pass: impl Fn(usize)) -> Self {
        Self::by_root(geometry, x, |variance| T::ONE / (variance + geometry.epsilon()).sqrt(), pass)
    }

    /// With what is made of the variance.
    #[inline(always)]
    pub(super) fn by_root(
        geometry: &NormGeometry,
        x: &[T],
        root: impl Fn(T) -> T,
        pass: impl Fn(usize),
    ) -> Self {
        let centred = geometry.centred();
        if !centred {
            (0..3).for_each(pass);
            let square = mean([x], |[x]| x * x);
            return Scale { mean: T::ZERO, r: root(square), rest: T::ZERO, centred };
        }
        pass(0);
        let mean_of_x = mean([x], |[x]| x);
        pass(1);
        let rest = mean([x], |[x]| x - mean_of_x);
        pass(2);
        let square = mean([x], |[x]| (x - mean_of_x) * (x - mean_of_x));
        let r = root(square - rest * rest);
        Scale { mean: mean_of_x, r, rest: -(rest * r), centred }
    }

    #[inline(always)]
    pub(super) fn r(self) -> T {
        self.r
    }

    #[inline(always)]
    fn z<I: Isa>(self, x: T) -> T {
        I::mul_add(x - self.mean, self.r, self.rest)
    }

    /// The map u ↦ J·u, from the means that it needs.
    #[inline(always)]
    fn jacobian<I: Isa>(self, mean: T, mean_with_z: T) -> impl Fn(T, T) -> T {
        let mean = self.taken(mean);
        move |u, z| self.r * I::mul_add(-z, mean_with_z, u - mean)
    }

    /// The map that gives the tangent of z along the row `along`.
    #[inline(always)]
    fn tangent<I: Isa>(self, x: &[T], along: &[T]) -> impl Fn(T, T) -> T {
        let mean_of_t = mean([along], |[t]| t);
        let with_z = mean([along, x], |[t, x]| (t - self.taken(mean_of_t)) * self.z::<I>(x));
        self.jacobian::<I>(mean_of_t, with_z)
    }

    /// The mean, where it is taken off.
    #[inline(always)]
    fn taken(self, mean: T) -> T {
        if self.centred { mean } else { T::ZERO }
    }
}

/// z·gain + bias.
pub(super) struct Value<'a, T> {
    pub(super) geometry: &'a NormGeometry,
    pub(super) gain: &'a [T],
    pub(super) bias: &'a [T],
}

impl<T: Float> RowMap<T, T> for Value<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        self.row_before::<I>(index, x, &[], out);
    }

    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        for (i, out) in out.chunks_exact_mut(length).enumerate() {
            let [row, next] = row_and_next(x, i, length);
            self.row_before::<I>(first + i, row, next, out);
        }
    }
}

impl<T: Float> Value<'_, T> {
    /// A row, while memory brings the next one.
    #[inline(always)]
    fn row_before<I: Isa>(&self, index: usize, x: &[T], next: &[T], out: &mut [T]) {
        let scale = Scale::before(self.geometry, x, |pass| {
            prefetch(out, pass, 3);
            prefetch(next, pass, 4);
        });
        prefetch(next, 3, 4);
        let unit = Unit::of(self.geometry, scale, x);
        let (scale, x) = unit.row(scale, x);
        let mut buffers = [None; 2];
        for piece in self.geometry.pieces(index) {
            let [gain, bias] = gains(piece, [self.gain, self.bias], &mut buffers);
            let range = piece.range();
            let pieces = out[range.clone()].iter_mut().zip(&x[range]).zip(gain).zip(bias);
            for (((o, &x), &gain), &bias) in pieces {
                *o = I::mul_add(scale.z::<I>(x), gain, bias);
            }
        }
    }
}

/// For each element of a piece its own of several gains.
#[inline(always)]
fn gains<'a, T: Float, const Q: usize>(
    piece: Piece,
    all: [&'a [T]; Q],
    buffers: &'a mut [Buffer<T>; Q],
) -> [&'a [T]; Q] {
    let mut buffers = buffers.iter_mut();
    all.map(|all| piece.gains(all, buffers.next().expect("as many")))
}

/// The tangent of [`Value`] along x, gain and bias.
pub(super) struct ValueTangent<'a, T> {
    pub(super) geometry: &'a NormGeometry,
    pub(super) gain: &'a [T],
    pub(super) along: [&'a [T]; 3],
}

impl<T: Float> RowMap<T, T> for ValueTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let [t, t_gain, t_bias] = self.along;
        let t = row_of(t, index, x.len());
        let scale = Scale::of(self.geometry, x);
        let unit = Unit::of(self.geometry, scale, x);
        let ((scale, x), t) = (unit.row(scale, x), unit.tangent(t));
        let tangent = scale.tangent::<I>(x, &t);
        let mut buffers = [None; 3];
        for piece in self.geometry.pieces(index) {
            let [gain, t_gain, t_bias] = gains(piece, [self.gain, t_gain, t_bias], &mut buffers);
            let range = piece.range();
            let (out, x, t) = (&mut out[range.clone()], &x[range.clone()], &t[range]);
            let pieces = out.iter_mut().zip(x).zip(t).zip(gain).zip(t_gain).zip(t_bias);
            for (((((o, &x), &t), &gain), &t_gain), &t_bias) in pieces {
                let z = scale.z::<I>(x);
                *o = gain * tangent(t, z) + t_gain * z + t_bias;
            }
        }
    }
}

/// J·(gain·v).
pub(super) struct Gradient<'a, T> {
    pub(super) geometry: &'a NormGeometry,
    pub(super) gain: &'a [T],
    pub(super) v: &'a [T],
}

impl<T: Float> Gradient<'_, T> {
    #[inline(always)]
    fn write<I: Isa>(
        &self,
        scale: Scale<T>,
        index: usize,
        [x, v]: [&[T]; 2],
        out: &mut [T],
        pass: impl Fn(usize),
    ) {
        let unit = Unit::of(self.geometry, scale, x);
        let (scale, x) = unit.row(scale, x);
        let mut buffer = None;
        let mut totals = [T::ZERO; 2];
        for piece in self.geometry.pieces(index) {
            let (range, gain) = (piece.range(), piece.gains(self.gain, &mut buffer));
            let rows = [&x[range.clone()], gain, &v[range]];
            pass(0);
            totals[0] += sum(rows, |[_, gain, v]| gain * v);
            pass(1);
            totals[1] += sum(rows, |[x, gain, v]| gain * v * scale.z::<I>(x));
        }
        let [mean, with_z] = totals.map(|total| total / T::from_usize(x.len()));
        let jacobian = scale.jacobian::<I>(mean, with_z);
        pass(2);
        for piece in self.geometry.pieces(index) {
            let (range, gain) = (piece.range(), piece.gains(self.gain, &mut buffer));
            let (out, x, v) = (&mut out[range.clone()], &x[range.clone()], &v[range]);
            for (((o, &x), &gain), &v) in out.iter_mut().zip(x).zip(gain).zip(v) {
                *o = jacobian(gain * v, scale.z::<I>(x));
            }
        }
        unit.settle(out);
    }
}

impl<T: Float> RowMap<T, T> for Gradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        self.write::<I>(Scale::of(self.geometry, x), index, [x, row_of(self.v, index, x.len())], out, |_| ());
    }
}

/// The tangent of [`Gradient`] along x, gain and v.
pub(super) struct GradientTangent<'a, T> {
    pub(super) geometry: &'a NormGeometry,
    pub(super) gain: &'a [T],
    pub(super) v: &'a [T],
    pub(super) along: [&'a [T]; 3],
}

impl<T: Float> RowMap<T, T> for GradientTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let [t, t_gain, t_v] = self.along;
        let [v, t, t_v] = [self.v, t, t_v].map(|rows| row_of(rows, index, x.len()));
        let scale = Scale::of(self.geometry, x);
        let unit = Unit::of(self.geometry, scale, x);
        let ((scale, x), t) = (unit.row(scale, x), unit.tangent(t));
        let t = &*t;
        let t_mean = scale.taken(mean([t], |[t]| t));
        // With u = gain·v and its tangent w.
        let product = |gain: T, v: T, t_gain: T, t_v: T| (gain * v, t_gain * v + gain * t_v);
        let mut buffers = [None; 2];
        let mut totals = [T::ZERO; 6];
        for piece in self.geometry.pieces(index) {
            let [gain, t_gain] = gains(piece, [self.gain, t_gain], &mut buffers);
            let [x, t, v, t_v] = [x, t, v, t_v].map(|row| &row[piece.range()]);
            let u = [x, gain, v];
            let w = [x, gain, v, t_gain, t_v];
            totals[0] += sum([x, t], |[x, t]| (t - t_mean) * scale.z::<I>(x));
            totals[1] += sum(u, |[_, gain, v]| gain * v);
            totals[2] += sum(u, |[x, gain, v]| gain * v * scale.z::<I>(x));
            totals[3] += sum([t, gain, v], |[t, gain, v]| gain * v * (t - t_mean));
            totals[4] += sum(w, |[_, gain, v, t_gain, t_v]| product(gain, v, t_gain, t_v).1);
            totals[5] +=
                sum(w, |[x, gain, v, t_gain, t_v]| product(gain, v, t_gain, t_v).1 * scale.z::<I>(x));
        }
        let [tz, u, uz, ut, w, wz] = totals.map(|total| total / T::from_usize(x.len()));
        let (of_t, of_u, of_w) =
            (scale.jacobian::<I>(t_mean, tz), scale.jacobian::<I>(u, uz), scale.jacobian::<I>(w, wz));
        let u_with_tangent = scale.r * (ut - uz * tz);
        for piece in self.geometry.pieces(index) {
            let [gain, t_gain] = gains(piece, [self.gain, t_gain], &mut buffers);
            let [x, t, v, t_v] = [x, t, v, t_v].map(|row| &row[piece.range()]);
            let rows = out[piece.range()].iter_mut().zip(x).zip(t).zip(gain).zip(v).zip(t_gain).zip(t_v);
            for ((((((o, &x), &t), &gain), &v), &t_gain), &t_v) in rows {
                let (z, (u, w)) = (scale.z::<I>(x), product(gain, v, t_gain, t_v));
                *o = of_w(w, z) - scale.r * (tz * of_u(u, z) + uz * of_t(t, z) + u_with_tangent * z);
            }
        }
        unit.settle(out);
    }
}

/// Σ z·v for each gain.
pub(super) struct GainGradient<'a, T> {
    pub(super) geometry: &'a NormGeometry,
    pub(super) x: &'a [T],
    pub(super) v: &'a [T],
}

impl<T: Float> RowPass<T> for GainGradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, _: &mut [T], of_gain: &mut [T]) {
        let [x, v] = [self.x, self.v].map(|rows| row_of(rows, index, self.geometry.length()));
        let scale = Scale::of(self.geometry, x);
        let unit = Unit::of(self.geometry, scale, x);
        let (scale, x) = unit.row(scale, x);
        let mut buffer = None;
        for piece in self.geometry.pieces(index) {
            let [x, v] = [x, v].map(|row| &row[piece.range()]);
            for ((sum, &x), &v) in piece.sums(of_gain, &mut buffer).iter_mut().zip(x).zip(v) {
                *sum += scale.z::<I>(x) * v;
            }
            piece.settle(of_gain, &buffer);
        }
    }
}

/// The tangent of [`GainGradient`] along x and v.
pub(super) struct GainGradientTangent<'a, T> {
    pub(super) geometry: &'a NormGeometry,
    pub(super) x: &'a [T],
    pub(super) v: &'a [T],
    pub(super) along: [&'a [T]; 2],
}

impl<T: Float> RowPass<T> for GainGradientTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, _: &mut [T], of_gain: &mut [T]) {
        let [t, t_v] = self.along;
        let [x, v, t, t_v] = [self.x, self.v, t, t_v].map(|rows| row_of(rows, index, self.geometry.length()));
        let scale = Scale::of(self.geometry, x);
        let unit = Unit::of(self.geometry, scale, x);
        let ((scale, x), t) = (unit.row(scale, x), unit.tangent(t));
        let t = &*t;
        let tangent = scale.tangent::<I>(x, t);
        let mut buffer = None;
        for piece in self.geometry.pieces(index) {
            let [x, v, t, t_v] = [x, v, t, t_v].map(|row| &row[piece.range()]);
            let sums = piece.sums(of_gain, &mut buffer).iter_mut();
            for ((((sum, &x), &v), &t), &t_v) in sums.zip(x).zip(v).zip(t).zip(t_v) {
                let z = scale.z::<I>(x);
                *sum += z * t_v + tangent(t, z) * v;
            }
            piece.settle(of_gain, &buffer);
        }
    }
}

/// All three gradients: x's are written, those of gain and bias are summed, one behind the other.
pub(super) struct Gradients<'a, T> {
    pub(super) x: &'a [T],
    pub(super) of_x: Gradient<'a, T>,
}

impl<T: Float> RowPass<T> for Gradients<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, out: &mut [T], totals: &mut [T]) {
        let geometry = self.of_x.geometry;
        let [[x, next_x], [v, next_v]] =
            [self.x, self.of_x.v].map(|rows| row_and_next(rows, index, geometry.length()));
        let scale = Scale::before(geometry, x, |pass| {
            prefetch(out, pass, 3);
            prefetch(next_x, pass, 3);
        });
        self.of_x.write::<I>(scale, index, [x, v], out, |pass| prefetch(next_v, pass, 3));
        let unit = Unit::of(geometry, scale, x);
        let (scale, x) = unit.row(scale, x);
        let (of_gain, of_bias) = totals.split_at_mut(geometry.gains());
        let mut buffers = [None; 2];
        for piece in geometry.pieces(index) {
            let [x, v] = [x, v].map(|row| &row[piece.range()]);
            let [first, second] = &mut buffers;
            let sums = piece.sums(of_gain, first).iter_mut().zip(piece.sums(of_bias, second));
            for (((of_gain, of_bias), &x), &v) in sums.zip(x).zip(v) {
                *of_gain += scale.z::<I>(x) * v;
                *of_bias += v;
            }
            piece.settle(of_gain, first);
            piece.settle(of_bias, second);
        }
    }
}
