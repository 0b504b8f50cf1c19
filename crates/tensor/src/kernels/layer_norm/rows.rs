//! What is computed of each row.

use crate::array::element::Float;
use crate::loops::RowMap;
use crate::loops::rows::row_of;
use crate::loops::sums::means;
use crate::machine::simd::{Isa, Kernel};

/// How one row is normalised.
#[derive(Clone, Copy)]
struct Scale<T> {
    mean: T,
    /// 1/√(variance + ε).
    r: T,
}

impl<T: Float> Scale<T> {
    #[inline(always)]
    fn of(x: &[T], epsilon: T) -> Self {
        let [mean] = means([x], |[x]| [x]);
        let [variance] = means([x], |[x]| [(x - mean) * (x - mean)]);
        Scale { mean, r: T::ONE / (variance + epsilon).sqrt() }
    }

    #[inline(always)]
    fn z(self, x: T) -> T {
        (x - self.mean) * self.r
    }

    /// The map u ↦ J·u, from the means that it needs.
    #[inline(always)]
    fn jacobian(self, mean: T, mean_with_z: T) -> impl Fn(T, T) -> T {
        move |u, z| self.r * (u - mean - z * mean_with_z)
    }

    /// The map that gives the tangent of z along the row `along`.
    #[inline(always)]
    fn tangent(self, x: &[T], along: &[T]) -> impl Fn(T, T) -> T {
        let [mean] = means([along], |[t]| [t]);
        let [with_z] = means([along, x], |[t, x]| [(t - mean) * self.z(x)]);
        self.jacobian(mean, with_z)
    }
}

/// z·gain + bias.
pub(super) struct Value<'a, T> {
    pub(super) gain: &'a [T],
    pub(super) bias: &'a [T],
    pub(super) epsilon: T,
}

impl<T: Float> RowMap<T, T> for Value<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let scale = Scale::of(x, self.epsilon);
        for (((o, &x), &gain), &bias) in out.iter_mut().zip(x).zip(self.gain).zip(self.bias) {
            *o = scale.z(x) * gain + bias;
        }
    }
}

/// The tangent of [`Value`] along x, gain and bias.
pub(super) struct ValueTangent<'a, T> {
    pub(super) gain: &'a [T],
    pub(super) along: [&'a [T]; 3],
    pub(super) epsilon: T,
}

impl<T: Float> RowMap<T, T> for ValueTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let [t, t_gain, t_bias] = self.along;
        let t = row_of(t, index, x.len());
        let scale = Scale::of(x, self.epsilon);
        let tangent = scale.tangent(x, t);
        let rows = out.iter_mut().zip(x).zip(t).zip(self.gain).zip(t_gain).zip(t_bias);
        for (((((o, &x), &t), &gain), &t_gain), &t_bias) in rows {
            let z = scale.z(x);
            *o = gain * tangent(t, z) + t_gain * z + t_bias;
        }
    }
}

/// J·(gain·v).
pub(super) struct Gradient<'a, T> {
    pub(super) gain: &'a [T],
    pub(super) v: &'a [T],
    pub(super) epsilon: T,
}

impl<T: Float> RowMap<T, T> for Gradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let scale = Scale::of(x, self.epsilon);
        write_gradient(scale, x, self.gain, row_of(self.v, index, x.len()), out);
    }
}

#[inline(always)]
fn write_gradient<T: Float>(scale: Scale<T>, x: &[T], gain: &[T], v: &[T], out: &mut [T]) {
    let [mean, with_z] = means([x, gain, v], |[x, gain, v]| [gain * v, gain * v * scale.z(x)]);
    let jacobian = scale.jacobian(mean, with_z);
    for (((o, &x), &gain), &v) in out.iter_mut().zip(x).zip(gain).zip(v) {
        *o = jacobian(gain * v, scale.z(x));
    }
}

/// The tangent of [`Gradient`] along x, gain and v.
pub(super) struct GradientTangent<'a, T> {
    pub(super) gain: &'a [T],
    pub(super) v: &'a [T],
    pub(super) along: [&'a [T]; 3],
    pub(super) epsilon: T,
}

impl<T: Float> RowMap<T, T> for GradientTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let [t, t_gain, t_v] = self.along;
        let [v, t, t_v] = [self.v, t, t_v].map(|rows| row_of(rows, index, x.len()));
        let scale = Scale::of(x, self.epsilon);
        let [t_mean] = means([t], |[t]| [t]);
        // With u = gain·v and its tangent w.
        let product = |gain: T, v: T, t_gain: T, t_v: T| (gain * v, t_gain * v + gain * t_v);
        let [tz, u, uz, ut, w, wz] =
            means([x, t, self.gain, v, t_gain, t_v], |[x, t, gain, v, t_gain, t_v]| {
                let (z, t, (u, w)) = (scale.z(x), t - t_mean, product(gain, v, t_gain, t_v));
                [t * z, u, u * z, u * t, w, w * z]
            });
        let (of_t, of_u, of_w) = (scale.jacobian(t_mean, tz), scale.jacobian(u, uz), scale.jacobian(w, wz));
        let u_with_tangent = scale.r * (ut - uz * tz);
        let rows = out.iter_mut().zip(x).zip(t).zip(self.gain).zip(v).zip(t_gain).zip(t_v);
        for ((((((o, &x), &t), &gain), &v), &t_gain), &t_v) in rows {
            let (z, (u, w)) = (scale.z(x), product(gain, v, t_gain, t_v));
            *o = of_w(w, z) - scale.r * (tz * of_u(u, z) + uz * of_t(t, z) + u_with_tangent * z);
        }
    }
}

/// A formula of a whole row that is added to the sums of the columns.
pub(super) trait RowSum<T>: Sync {
    fn add<I: Isa>(&self, index: usize, x: &[T], sum: &mut [T]);
}

/// z·v.
pub(super) struct GainGradient<'a, T> {
    pub(super) v: &'a [T],
    pub(super) epsilon: T,
}

impl<T: Float> RowSum<T> for GainGradient<'_, T> {
    #[inline(always)]
    fn add<I: Isa>(&self, index: usize, x: &[T], sum: &mut [T]) {
        let scale = Scale::of(x, self.epsilon);
        for ((sum, &x), &v) in sum.iter_mut().zip(x).zip(row_of(self.v, index, x.len())) {
            *sum += scale.z(x) * v;
        }
    }
}

/// The tangent of [`GainGradient`] along x and v.
pub(super) struct GainGradientTangent<'a, T> {
    pub(super) v: &'a [T],
    pub(super) along: [&'a [T]; 2],
    pub(super) epsilon: T,
}

impl<T: Float> RowSum<T> for GainGradientTangent<'_, T> {
    #[inline(always)]
    fn add<I: Isa>(&self, index: usize, x: &[T], sum: &mut [T]) {
        let [t, t_v] = self.along;
        let [v, t, t_v] = [self.v, t, t_v].map(|rows| row_of(rows, index, x.len()));
        let scale = Scale::of(x, self.epsilon);
        let tangent = scale.tangent(x, t);
        for ((((sum, &x), &v), &t), &t_v) in sum.iter_mut().zip(x).zip(v).zip(t).zip(t_v) {
            let z = scale.z(x);
            *sum += z * t_v + tangent(t, z) * v;
        }
    }
}

/// A block of rows of all three gradients: what is written of x's, and the sums for gain and bias.
pub(super) struct Gradients<'a, T> {
    pub(super) x: &'a [T],
    pub(super) gain: &'a [T],
    pub(super) v: &'a [T],
    pub(super) epsilon: T,
    pub(super) of_x: &'a mut [T],
    pub(super) of_gain: &'a mut [T],
    pub(super) of_bias: &'a mut [T],
}

impl<T: Float> Kernel for Gradients<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let length = self.gain.len();
        let rows = self.x.chunks_exact(length).zip(self.v.chunks_exact(length));
        for ((x, v), out) in rows.zip(self.of_x.chunks_exact_mut(length)) {
            let scale = Scale::of(x, self.epsilon);
            write_gradient(scale, x, self.gain, v, out);
            let sums = self.of_gain.iter_mut().zip(self.of_bias.iter_mut());
            for (((of_gain, of_bias), &x), &v) in sums.zip(x).zip(v) {
                *of_gain += scale.z(x) * v;
                *of_bias += v;
            }
        }
    }
}

pub(super) struct SumRows<'a, T, F> {
    pub(super) first: usize,
    pub(super) x: &'a [T],
    pub(super) sum: &'a mut [T],
    pub(super) f: &'a F,
}

impl<T: Float, F: RowSum<T>> Kernel for SumRows<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (i, x) in self.x.chunks_exact(self.sum.len()).enumerate() {
            self.f.add::<I>(self.first + i, x, self.sum);
        }
    }
}
