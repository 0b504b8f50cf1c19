//! Run-time choice of instruction set.
//!
//! Loops are written once, as plain Rust, in a [`Kernel`]. [`dispatch`] compiles the loop for AVX-512, for AVX2
//! and for the target's baseline, and runs the best version that this CPU has; the compiler vectorises each.
//! Everything a kernel calls must be `#[inline(always)]`, or it is compiled for the baseline only.
//!
//! ```
//! use wengert_tensor::simd::{dispatch, Isa, Kernel};
//!
//! struct Axpy<'a> { a: f32, x: &'a [f32], y: &'a mut [f32] }
//!
//! impl Kernel for Axpy<'_> {
//!     type Output = ();
//!     #[inline(always)]
//!     fn run<I: Isa>(self) {
//!         for (y, &x) in self.y.iter_mut().zip(self.x) {
//!             *y = I::mul_add(self.a, x, *y);
//!         }
//!     }
//! }
//!
//! let mut y = vec![1.0; 100];
//! dispatch(Axpy { a: 2.0, x: &[3.0; 100], y: &mut y });
//! assert_eq!(y[99], 7.0);
//! ```

use std::sync::OnceLock;

use crate::array::element::Float;

/// An instruction set that a [`Kernel`] is compiled for.
///
/// ```
/// use wengert_tensor::simd::{Baseline, Isa};
/// assert_eq!(Baseline::mul_add(2.0, 3.0, 4.0), 10.0);
/// ```
pub trait Isa: Copy + Send + Sync + 'static {
    /// Whether a fused multiply-add is one instruction.
    const FMA: bool;
    /// Bytes in a vector register; a reduction keeps a few registers' worth of independent partial results.
    const REGISTER_BYTES: usize;
    /// Whether all numbers of the loop are known to be [near](crate::math::Transcendental::is_near) 0, where some functions are shorter.
    const NEAR: bool = false;

    /// `a · b + c`, fused where that is fast.
    #[inline(always)]
    fn mul_add<T: Float>(a: T, b: T, c: T) -> T {
        if Self::FMA { a.mul_add(b, c) } else { a * b + c }
    }
}

/// The compilation target's own instructions, always available.
#[derive(Clone, Copy, Debug)]
pub struct Baseline;

/// AVX2 and FMA (x86-64-v3).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

/// AVX-512 F, BW, DQ, VL and CD (x86-64-v4).
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct Avx512;

/// An instruction set in a loop whose numbers are all [near](crate::math::Transcendental::is_near) 0.
///
/// ```
/// use wengert_tensor::math::Transcendental;
/// use wengert_tensor::simd::{Baseline, Near};
/// assert!(2.5f64.is_near() && !1e9f64.is_near());
/// let near = Transcendental::sin::<Near<Baseline>>(2.5f64);
/// assert_eq!(near, Transcendental::sin::<Baseline>(2.5f64));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Near<I>(std::marker::PhantomData<I>);

impl<I: Isa> Isa for Near<I> {
    const FMA: bool = I::FMA;
    const REGISTER_BYTES: usize = I::REGISTER_BYTES;
    const NEAR: bool = true;
}

impl Isa for Baseline {
    // Every aarch64 CPU fuses; on other targets it is known at compile time.
    const FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));
    const REGISTER_BYTES: usize = 16;
}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx2 {
    const FMA: bool = true;
    const REGISTER_BYTES: usize = 32;
}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx512 {
    const FMA: bool = true;
    const REGISTER_BYTES: usize = 64;
}

/// A computation to be compiled once for every instruction set.
///
/// ```
/// use wengert_tensor::simd::{Isa, Kernel, dispatch};
/// /// Σ x².
/// struct Squares<'a>(&'a [f32]);
/// impl Kernel for Squares<'_> {
///     type Output = f32;
///     #[inline(always)]
///     fn run<I: Isa>(self) -> f32 { self.0.iter().fold(0.0, |sum, &x| I::mul_add(x, x, sum)) }
/// }
/// assert_eq!(dispatch(Squares(&[3.0, 4.0])), 25.0);
/// ```
pub trait Kernel {
    /// What the computation returns.
    type Output;
    /// The computation; implement it `#[inline(always)]`.
    fn run<I: Isa>(self) -> Self::Output;
}

/// The instruction sets, best last.
///
/// ```
/// use wengert_tensor::simd::{Level, level};
/// // What this machine has, at least what every machine has.
/// assert!(level() >= Level::Baseline);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// [`Baseline`].
    Baseline,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512.
    Avx512,
}

/// The best instruction set that this CPU has, found once. The environment variable `WENGERT_ISA`
/// (`baseline`, `avx2` or `avx512`) lowers it, for tests and for comparing.
///
/// ```
/// println!("vector instructions: {:?}", wengert_tensor::simd::level());
/// ```
#[inline]
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let wanted = match std::env::var("WENGERT_ISA").as_deref() {
            Ok("baseline") => Level::Baseline,
            Ok("avx2") => Level::Avx2,
            _ => Level::Avx512,
        };
        detect().min(wanted)
    })
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    use std::arch::is_x86_feature_detected as has;
    // The interpreter knows few of the vector instructions.
    if cfg!(miri)
        || !(has!("avx2") && has!("fma") && has!("bmi1") && has!("bmi2") && has!("f16c") && has!("lzcnt"))
    {
        Level::Baseline
    } else if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") && has!("avx512cd")
    {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Baseline
}

/// Runs `kernel` compiled for the best instruction set of this CPU.
///
/// ```
/// use wengert_tensor::simd::{Isa, Kernel, dispatch};
/// /// How many bytes a register has.
/// struct Width;
/// impl Kernel for Width {
///     type Output = usize;
///     #[inline(always)]
///     fn run<I: Isa>(self) -> usize { I::REGISTER_BYTES }
/// }
/// assert!(dispatch(Width) >= 16);
/// ```
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: `level` found these features on the CPU that runs this.
    unsafe { dispatch_at(level(), kernel) }
}

/// [`dispatch`] with the instructions of this level.
///
/// # Safety
/// The CPU must have them.
#[inline]
pub(crate) unsafe fn dispatch_at<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level {
        // SAFETY: the caller's promise.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { run_avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { run_avx2(kernel) },
        _ => run_baseline(kernel),
    }
}

/// [`dispatch`] for what seldom runs: compiled for AVX2 and for the baseline alone, in two thirds of the time. Where
/// `kernel` does not ask for [`Isa::REGISTER_BYTES`], the bits are those of `dispatch`.
///
/// ```
/// use wengert_tensor::simd::{Isa, Kernel, dispatch, dispatch_seldom};
/// /// a · b + c.
/// struct MulAdd(f32, f32, f32);
/// impl Kernel for MulAdd {
///     type Output = f32;
///     #[inline(always)]
///     fn run<I: Isa>(self) -> f32 { I::mul_add(self.0, self.1, self.2) }
/// }
/// assert_eq!(dispatch_seldom(MulAdd(0.1, 0.3, 0.7)), dispatch(MulAdd(0.1, 0.3, 0.7)));
/// ```
#[inline]
pub fn dispatch_seldom<K: Kernel>(kernel: K) -> K::Output {
    match level() {
        // SAFETY: `level` found these features, or those of AVX-512 beside them, on the CPU that runs this.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx2 => unsafe { run_avx2(kernel) },
        _ => run_baseline(kernel),
    }
}

// Not inlined, as those for other instruction sets cannot be: it would be compiled wherever the kernel is called.
#[inline(never)]
fn run_baseline<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Baseline>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,f16c,lzcnt")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,f16c,lzcnt")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}
