//! What schedule-free SGD and AdamW share: the averaging of the iterates.

use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use crate::first::layout::Layout;
use crate::first::loops::combine;
use crate::first::{Memory, Slots};

/// The state of the averaging: the vector z, which is to be the first, and two numbers.
pub(super) fn averaging_slots(layout: &Layout) -> Slots {
    Slots::zeros(layout, &["z"]).real("weight_sum", 0.0).real("largest_rate", 0.0)
}

/// The coefficients of one step of the averaging.
#[derive(Clone, Copy)]
pub(super) struct Averaging<T> {
    rate: T,
    towards_z: T,
    of_step: T,
}

impl<T: Float> Averaging<T> {
    /// Weighs this step; in the first, z begins at the parameters.
    pub(super) fn begin(
        memory: &mut Memory<T>,
        params: &[T],
        momentum: f64,
        rate_power: f64,
        step_power: f64,
    ) -> Self {
        if memory.step == 1 {
            memory.vectors[0].copy_from_slice(params);
        }
        let rate = memory.learning_rate;
        let largest = memory.reals[1].max(rate);
        let weight = (memory.step as f64).powf(step_power) * largest.powf(rate_power);
        let sum = memory.reals[0] + weight;
        memory.reals[0] = sum;
        memory.reals[1] = largest;
        let share = if sum > 0.0 { weight / sum } else { 0.0 };
        Averaging {
            rate: T::from_f64(rate),
            towards_z: T::from_f64(share),
            of_step: T::from_f64(rate * (momentum * (1.0 - share) - 1.0)),
        }
    }

    /// The new y and z, from the direction d at y. x is not needed: y ← (1 − c) y + c z + η (β (1 − c) − 1) d.
    #[inline(always)]
    pub(super) fn apply<I: Isa>(self, y: T, z: T, d: T) -> (T, T) {
        let y = I::mul_add(self.towards_z, z - y, y);
        (I::mul_add(self.of_step, d, y), I::mul_add(-self.rate, d, z))
    }
}

/// x = (y − (1 − β) z) / β.
pub(super) fn write_average<T: Float>(memory: &Memory<T>, momentum: f64, params: &[T], out: &mut [T]) {
    let (of_y, of_z) = (momentum.recip(), (momentum - 1.0) / momentum);
    combine(T::from_f64(of_y), params, T::from_f64(of_z), &memory.vectors[0], out);
}
