//! Complex numbers as pairs along the last axis, the real part first, as PyTorch's `view_as_real` lays them out.

use wengert_tensor::Float;
use wengert_tensor::shape::broadcast_or_panic;

use crate::var::Var;

/// Panics unless the last axis is of pairs.
#[track_caller]
pub(super) fn check_pairs<T: Float>(operation: &str, x: &Var<T>) {
    let pairs = x.rank() > 0 && x.shape()[x.rank() - 1] == 2;
    assert!(
        pairs,
        "{operation}: complex numbers are pairs along the last axis, and the shape is {}",
        x.shape()
    );
}

impl<T: Float> Var<T> {
    /// Complex numbers of their real and imaginary parts: pairs along a new last axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let z = Var::complex(&Var::from([3.0f64, 0.0]), &Var::from([4.0, 1.0]));
    /// assert_eq!(z.value().to_vec(), [3.0, 4.0, 0.0, 1.0]);
    /// assert_eq!(z.complex_mul(&z).value().to_vec(), [-7.0, 24.0, -1.0, 0.0]);
    /// assert_eq!(z.complex_abs().value().to_vec(), [5.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "view_as_complex")]
    #[doc(alias = "view_as_real")]
    #[track_caller]
    pub fn complex(real: &Var<T>, imaginary: &Var<T>) -> Var<T> {
        let shape = broadcast_or_panic("complex", real.shape(), imaginary.shape());
        Var::stack(&[&real.broadcast_to(&shape), &imaginary.broadcast_to(&shape)], shape.len())
    }

    /// Complex numbers of their absolute values and angles.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let z = Var::polar(&Var::from([2.0f64]), &Var::from([0.0]));
    /// assert_eq!(z.value().to_vec(), [2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn polar(abs: &Var<T>, angle: &Var<T>) -> Var<T> {
        broadcast_or_panic("polar", abs.shape(), angle.shape());
        Var::complex(&(abs * angle.cos()), &(abs * angle.sin()))
    }

    /// The real parts of pairs.
    ///
    /// # Panics
    /// If the last axis is not of pairs. So do the methods below.
    #[track_caller]
    pub fn real(&self) -> Var<T> {
        check_pairs("real", self);
        self.select(-1, 0)
    }

    /// The imaginary parts of pairs.
    ///
    /// # Panics
    /// If the last axis is not of pairs.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let z = Var::complex(&Var::from([1.0f64]), &Var::from([2.0]));
    /// assert_eq!(z.imag().value().to_vec(), [2.0]);
    /// ```
    #[track_caller]
    pub fn imag(&self) -> Var<T> {
        check_pairs("imag", self);
        self.select(-1, 1)
    }

    /// The conjugate complex numbers.
    ///
    /// # Panics
    /// If the last axis is not of pairs.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let z = Var::complex(&Var::from([1.0f64]), &Var::from([2.0]));
    /// assert_eq!(z.conj().value().to_vec(), [1.0, -2.0]);
    /// ```
    #[track_caller]
    pub fn conj(&self) -> Var<T> {
        check_pairs("conj", self);
        Var::complex(&self.real(), &-self.imag())
    }

    /// The products of complex numbers, with broadcasting of the axes before the pairs.
    ///
    /// # Panics
    /// If the last axes are not of pairs, or the shapes do not broadcast.
    #[track_caller]
    pub fn complex_mul(&self, other: &Var<T>) -> Var<T> {
        check_pairs("complex_mul", self);
        check_pairs("complex_mul", other);
        broadcast_or_panic("complex_mul", self.shape(), other.shape());
        let ([a, b], [c, d]) = ([self.real(), self.imag()], [other.real(), other.imag()]);
        Var::complex(&(&a * &c - &b * &d), &(a * d + b * c))
    }

    /// The absolute values √(a² + b²) of pairs; the derivative at 0 is 0.
    ///
    /// # Panics
    /// If the last axis is not of pairs.
    #[track_caller]
    pub fn complex_abs(&self) -> Var<T> {
        check_pairs("complex_abs", self);
        self.real().hypot(&self.imag())
    }

    /// The angles of pairs, in [−π, π]; the derivative at 0 is 0.
    ///
    /// # Panics
    /// If the last axis is not of pairs.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let z = Var::complex(&Var::from([0.0f64]), &Var::from([2.0]));
    /// assert_eq!(z.complex_angle().item(), std::f64::consts::FRAC_PI_2);
    /// ```
    #[doc(alias = "angle")]
    #[track_caller]
    pub fn complex_angle(&self) -> Var<T> {
        check_pairs("complex_angle", self);
        self.imag().atan2(&self.real())
    }
}
