//! Dual numbers, nestable. Tests are compiled without optimising across units, so all says that it is to be inlined.

use std::ops::{Add, Mul, Neg, Sub};

/// What a formula needs.
pub(crate) trait Scalar:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Mul<f64, Output = Self>
    + From<f64>
{
    fn recip(self) -> Self;
    fn sqrt(self) -> Self;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn atan2(y: Self, x: Self) -> Self;
    #[inline]
    fn square(self) -> Self {
        self * self
    }
}

impl Scalar for f64 {
    fn recip(self) -> Self {
        1.0 / self
    }
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    fn exp(self) -> Self {
        self.exp()
    }
    fn ln(self) -> Self {
        self.ln()
    }
    fn sin(self) -> Self {
        self.sin()
    }
    fn cos(self) -> Self {
        self.cos()
    }
    fn atan2(y: Self, x: Self) -> Self {
        y.atan2(x)
    }
}

/// a + b ε with ε² = 0.
#[derive(Clone, Copy)]
pub(crate) struct Dual<S> {
    pub(crate) value: S,
    pub(crate) derivative: S,
}

impl<S> Dual<S> {
    #[inline]
    pub(crate) fn new(value: S, derivative: S) -> Self {
        Self { value, derivative }
    }
}

impl<S: Scalar> Add for Dual<S> {
    type Output = Self;
    #[inline]
    fn add(self, o: Self) -> Self {
        Self::new(self.value + o.value, self.derivative + o.derivative)
    }
}
impl<S: Scalar> Sub for Dual<S> {
    type Output = Self;
    #[inline]
    fn sub(self, o: Self) -> Self {
        Self::new(self.value - o.value, self.derivative - o.derivative)
    }
}
impl<S: Scalar> Mul for Dual<S> {
    type Output = Self;
    #[inline]
    fn mul(self, o: Self) -> Self {
        Self::new(self.value * o.value, self.value * o.derivative + self.derivative * o.value)
    }
}
impl<S: Scalar> Neg for Dual<S> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self::new(-self.value, -self.derivative)
    }
}
impl<S: Scalar> Add<f64> for Dual<S> {
    type Output = Self;
    #[inline]
    fn add(self, c: f64) -> Self {
        Self::new(self.value + c, self.derivative)
    }
}
impl<S: Scalar> Mul<f64> for Dual<S> {
    type Output = Self;
    #[inline]
    fn mul(self, c: f64) -> Self {
        Self::new(self.value * c, self.derivative * c)
    }
}
impl<S: Scalar> From<f64> for Dual<S> {
    #[inline]
    fn from(c: f64) -> Self {
        Self::new(S::from(c), S::from(0.0))
    }
}

impl<S: Scalar> Scalar for Dual<S> {
    #[inline]
    fn recip(self) -> Self {
        let r = self.value.recip();
        Self::new(r, -(r * r * self.derivative))
    }
    #[inline]
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        Self::new(root, self.derivative * root.recip() * 0.5)
    }
    #[inline]
    fn exp(self) -> Self {
        let exp = self.value.exp();
        Self::new(exp, self.derivative * exp)
    }
    #[inline]
    fn ln(self) -> Self {
        Self::new(self.value.ln(), self.derivative * self.value.recip())
    }
    #[inline]
    fn sin(self) -> Self {
        Self::new(self.value.sin(), self.derivative * self.value.cos())
    }
    #[inline]
    fn cos(self) -> Self {
        Self::new(self.value.cos(), -(self.derivative * self.value.sin()))
    }
    #[inline]
    fn atan2(y: Self, x: Self) -> Self {
        let square = (x.value * x.value + y.value * y.value).recip();
        Self::new(S::atan2(y.value, x.value), (x.value * y.derivative - y.value * x.derivative) * square)
    }
}
