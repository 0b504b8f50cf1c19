//! Vectorisable transcendental functions.

use crate::simd::Isa;

/// Transcendental functions written without branches, so that a loop over them vectorises.
pub trait Transcendental: Copy {
    /// eˣ.
    fn exp<I: Isa>(self) -> Self;
}
impl Transcendental for f32 {
    #[inline(always)]
    fn exp<I: Isa>(self) -> Self { f32::exp(self) }
}
impl Transcendental for f64 {
    #[inline(always)]
    fn exp<I: Isa>(self) -> Self { f64::exp(self) }
}
