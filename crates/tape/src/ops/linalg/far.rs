//! Numbers that may be out of range.

use wengert_tensor::Float;
use wengert_tensor::linalg::{exponent, times_power};

/// A number times a power of two that may be out of range.
#[derive(Clone, Copy)]
pub(super) struct Far {
    pub(super) mantissa: f64,
    pub(super) exponent: i64,
}

impl Far {
    pub(super) const ONE: Far = Far { mantissa: 1.0, exponent: 0 };

    pub(super) fn of(x: f64) -> Far {
        Far::ONE.times(x)
    }

    pub(super) fn times(self, x: f64) -> Far {
        let product = self.mantissa * x;
        match exponent(product) {
            Some(e) => Far { mantissa: times_power(product, -e), exponent: self.exponent + e },
            None => Far { mantissa: product, exponent: 0 },
        }
    }

    /// Whether it is neither 0, nor infinite, nor NaN.
    pub(super) fn has_exponent(self) -> bool {
        exponent(self.mantissa).is_some()
    }

    pub(super) fn times_far(self, other: Far) -> Far {
        let product = self.times(other.mantissa);
        Far { exponent: product.exponent + other.exponent, ..product }
    }

    /// The number times 2ᵘ, if that is in range.
    pub(super) fn in_range<T: Float>(self, unit: i64) -> T {
        T::from_f64(times_power(self.mantissa, self.exponent.saturating_add(unit)))
    }
}
