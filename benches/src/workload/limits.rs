//! What the machine can do at best: the yardsticks that the floors of the other workloads are divided by.

use std::hint::black_box;

use wengert::prelude::Generator;
use wengert::tensor::parallel::{CHUNK, for_each_chunk, threads};
use wengert::tensor::simd::{Isa, Kernel, dispatch};

use super::{Floor, Workload};

/// Elements of each vector of the triad: far more than caches hold.
const TRIAD: usize = 16 << 20;
/// Multiply-adds that do not wait for each other, in registers, and how often each is made in a step.
const CHAINS: usize = 12;
const TURNS: usize = 30_000;

/// a ← b + s·c on each element of a, for the bandwidth of memory.
struct Triad<'a>(&'a mut [f32], &'a [f32], &'a [f32]);

impl Kernel for Triad<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for ((out, &b), &c) in self.0.iter_mut().zip(self.1).zip(self.2) {
            *out = I::mul_add(0.5, c, b);
        }
    }
}

/// a ← b + s·c, split over the threads: a pass over memory like an optimiser's.
///
/// ```
/// let mut a = [0.0; 3];
/// wengert_benches::workload::triad_of(&mut a, &[1.0, 2.0, 3.0], &[2.0; 3]);
/// assert_eq!(a, [2.0, 3.0, 4.0]);
/// ```
pub fn triad_of(out: &mut [f32], b: &[f32], c: &[f32]) {
    for_each_chunk(out, CHUNK, true, |start, out| {
        let range = start..start + out.len();
        dispatch(Triad(out, &b[range.clone()], &c[range]));
    });
}

/// The bandwidth: the triad reads two vectors and writes a third.
pub(super) fn triad() -> Workload {
    let [mut a, b, c] = [0.0, 1.0, 2.0].map(|x| vec![x; TRIAD]);
    let step = move || {
        triad_of(&mut a, &b, &c);
        black_box(&a);
    };
    Workload::new(step).floor(Floor::default().passes(3, TRIAD))
}

/// Independent chains x ← a·x + b, a register of numbers in each; gives how many operations that were.
struct Chains<'a>(&'a mut [f32; 16 * CHAINS], [f32; 2]);

impl Kernel for Chains<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        match I::REGISTER_BYTES {
            64 => self.turns::<I, { 16 * CHAINS }>(),
            32 => self.turns::<I, { 8 * CHAINS }>(),
            _ => self.turns::<I, { 4 * CHAINS }>(),
        }
    }
}

impl Chains<'_> {
    #[inline(always)]
    fn turns<I: Isa, const NUMBERS: usize>(self) -> f64 {
        let [a, b] = self.1;
        // An array of its own, so that all of it stays in registers.
        let mut x = [0.0; NUMBERS];
        x.copy_from_slice(&self.0[..NUMBERS]);
        for _ in 0..TURNS {
            for x in &mut x {
                *x = I::mul_add(*x, a, b);
            }
        }
        self.0[..NUMBERS].copy_from_slice(&x);
        (2 * NUMBERS * TURNS) as f64
    }
}

/// The rate of multiply-adds in registers, on all threads.
pub(super) fn fma() -> Workload {
    let mut chains = vec![[0.0; 16 * CHAINS]; threads()];
    chains.iter_mut().for_each(|chains| Generator::seeded(0).fill_normal(chains, 0.0, 1.0));
    // They come to rest at 1, so they stay normal numbers.
    let factors = [0.5, 0.5];
    let operations = dispatch(Chains(&mut chains[0], factors)) * chains.len() as f64;
    let step = move || {
        for_each_chunk(&mut chains, 1, true, |_, chains| {
            dispatch(Chains(&mut chains[0], black_box(factors)));
        });
        black_box(&chains);
    };
    Workload::new(step).floor(Floor::default().arithmetic(operations))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_compute_what_they_count() {
        let mut chains = [3.0; 16 * CHAINS];
        let numbers = dispatch(Chains(&mut chains, [0.5, 1.0])) / (2 * TURNS) as f64;
        assert!([4, 8, 16].contains(&(numbers as usize / CHAINS)));
        // x ← x/2 + 1 comes to rest at 2.
        assert!(chains.iter().enumerate().all(|(i, &x)| x == if (i as f64) < numbers { 2.0 } else { 3.0 }));
    }
}
