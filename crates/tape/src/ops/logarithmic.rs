//! Logarithms of sums of two exponentials, and products with logarithms.

use std::f64::consts::{LN_2, LOG2_E};

use wengert_tensor::loops::{Map2, MapN};
use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor, compiled_here};

use crate::class::{Pairwise, pairwise};
use crate::describe::Attributes;
use crate::op::{Description, Point, fused_by_element, rules_compiled_here};
use crate::ops::corner::{Corner, is_same_infinity};
use crate::var::Var;

/// ln(eᵃ + eᵇ), or log₂(2ᵃ + 2ᵇ).
#[derive(Clone, Copy, PartialEq)]
enum LogAddExp {
    Natural,
    Binary,
}

/// The formula of one of the two. Which, the compiler knows: a loop that asked for each element would compute both.
struct SumOfPowers<const BINARY: bool>;

impl<T: Float, const BINARY: bool> Map2<T, T, T> for SumOfPowers<BINARY> {
    #[inline(always)]
    fn call<I: Isa>(&self, a: T, b: T) -> T {
        let larger = if a > b { a } else { b };
        let distance = -(a - b).abs();
        let (twice, more) = if BINARY {
            (T::ONE, distance.exp2::<I>().ln_1p::<I>() * T::from_f64(LOG2_E))
        } else {
            (T::from_f64(LN_2), distance.exp::<I>().ln_1p::<I>())
        };
        // Equal infinities have no distance, equal numbers a logarithm that is exact.
        let value = larger + if a == b { twice } else { more };
        if a.is_nan() { a } else { value }
    }
}

/// v·σ(a − b), or of ln 2 times the difference.
struct Share<const BINARY: bool>;

impl<T: Float, const BINARY: bool> MapN<T, T, 3> for Share<BINARY> {
    #[inline(always)]
    fn call<I: Isa>(&self, [v, a, b]: [T; 3]) -> T {
        let distance = if is_same_infinity(a, b) { T::ZERO } else { a - b };
        v * (if BINARY { distance * T::from_f64(LN_2) } else { distance }).sigmoid::<I>()
    }
}

impl LogAddExp {
    /// v·σ(a − b).
    fn along<T: Float>(self, v: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
        compiled_here! {
            fn share<T: Float>(kind: LogAddExp, inputs: [&Tensor<T>; 3]) -> Tensor<T> {
                match kind {
                    LogAddExp::Natural => Tensor::zip_many("logaddexp_share", inputs, Share::<false>),
                    LogAddExp::Binary => Tensor::zip_many("logaddexp2_share", inputs, Share::<true>),
                }
            }
        }
        let description = || Description {
            name: format!("{}_share", Pairwise::<T>::name(&self)),
            attributes: Attributes::default(),
        };
        fused_by_element(
            description,
            [v, a, b],
            move |inputs| share(self, inputs),
            || {
                let same = Corner::SameInfinity.of(a, b);
                let zero = Var::scalar(T::ZERO);
                let distance = Var::select_where(&same, &zero, a) - Var::select_where(&same, &zero, b);
                v * (if self == LogAddExp::Binary { distance * LN_2 } else { distance }).sigmoid()
            },
        )
    }
}

impl<T: Float> Pairwise<T> for LogAddExp {
    fn name(&self) -> &str {
        match self {
            LogAddExp::Natural => "logaddexp",
            LogAddExp::Binary => "logaddexp2",
        }
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn logaddexp<T: Float>(kind: LogAddExp, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                match kind {
                    LogAddExp::Natural => a.zip_map("logaddexp", b, SumOfPowers::<false>),
                    LogAddExp::Binary => a.zip_map("logaddexp2", b, SumOfPowers::<true>),
                }
            }
        }
        broadcast_or_panic(Pairwise::<T>::name(self), a.shape(), b.shape());
        logaddexp(*self, a, b)
    }
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        self.along(v, at.input(0), at.input(1))
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        self.along(v, at.input(1), at.input(0))
    }
    rules_compiled_here!(LogAddExp in PairwiseOp);
}

/// a ln b, or a ln(1 + b); 0 where a is.
#[derive(Clone, Copy, PartialEq)]
enum TimesLog {
    Plain,
    OnePlus,
}

/// The formula of one of the two, as [`SumOfPowers`].
struct ProductWithLog<const ONE_PLUS: bool>;

impl<T: Float, const ONE_PLUS: bool> Map2<T, T, T> for ProductWithLog<ONE_PLUS> {
    #[inline(always)]
    fn call<I: Isa>(&self, a: T, b: T) -> T {
        let product = a * if ONE_PLUS { b.ln_1p::<I>() } else { b.ln::<I>() };
        let zero = if b.is_nan() { b } else { T::ZERO };
        if a == T::ZERO { zero } else { product }
    }
}

impl TimesLog {
    /// Where the logarithm is infinite or NaN and a is 0, the argument of the logarithm, and 1 there.
    fn corner<T: Float>(self, at: &Point<T>) -> (crate::data::Mask<T>, Var<T>) {
        let (a, b) = (at.input(0), at.input(1));
        let argument = if self == TimesLog::Plain { b.clone() } else { b + 1.0 };
        let corner = Corner::ZeroAndNonPositive.of(a, &argument);
        let safe = Var::select_where(&corner, &Var::scalar(T::ONE), &argument);
        (corner, safe)
    }
}

impl<T: Float> Pairwise<T> for TimesLog {
    fn name(&self) -> &str {
        match self {
            TimesLog::Plain => "xlogy",
            TimesLog::OnePlus => "xlog1py",
        }
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn times_log<T: Float>(kind: TimesLog, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                match kind {
                    TimesLog::Plain => a.zip_map("xlogy", b, ProductWithLog::<false>),
                    TimesLog::OnePlus => a.zip_map("xlog1py", b, ProductWithLog::<true>),
                }
            }
        }
        broadcast_or_panic(Pairwise::<T>::name(self), a.shape(), b.shape());
        times_log(*self, a, b)
    }
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (corner, argument) = self.corner(at);
        let log = if *self == TimesLog::Plain {
            argument.ln()
        } else {
            // Exact for small b.
            Var::select_where(&corner, &Var::scalar(T::ZERO), at.input(1)).ln_1p()
        };
        v * log
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (corner, argument) = self.corner(at);
        // Flat there in both, so that second derivatives are symmetric.
        v * (at.input(0) / argument).masked_fill(corner, 0.0)
    }
    rules_compiled_here!(TimesLog in PairwiseOp);
}

impl<T: Float> Var<T> {
    /// ln(eᵃ + eᵇ), without overflow. Of more than two it is [`logsumexp`](Var::logsumexp).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logaddexp(&self, other: &Var<T>) -> Var<T> {
        pairwise(LogAddExp::Natural, self, other)
    }

    /// log₂(2ᵃ + 2ᵇ), without overflow.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn logaddexp2(&self, other: &Var<T>) -> Var<T> {
        pairwise(LogAddExp::Binary, self, other)
    }

    /// a ln b, and 0 where a is 0, whatever b is unless NaN; so are both derivatives where b is 0 or negative besides.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let p = Var::from([0.0f64, 1.0]);
    /// assert_eq!(p.xlogy(&p).value().to_vec(), [0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn xlogy(&self, other: &Var<T>) -> Var<T> {
        pairwise(TimesLog::Plain, self, other)
    }

    /// a ln(1 + b), exact for small b, and 0 where a is 0, as [`xlogy`](Var::xlogy).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn xlog1py(&self, other: &Var<T>) -> Var<T> {
        pairwise(TimesLog::OnePlus, self, other)
    }
}
