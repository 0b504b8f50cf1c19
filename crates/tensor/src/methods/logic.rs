//! Logic on masks, and counting.

use std::ops::{BitAnd, BitOr, BitXor, Not};

use crate::array::element::Element;
use crate::array::shape::Axes;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::Fold;
use crate::machine::simd::Isa;

macro_rules! logic_operator {
    ($( $(#[$doc:meta])* $Trait:ident, $operator:ident, $method:ident, $op:tt; )*) => { $(
        impl Tensor<bool> {
            $(#[$doc])*
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $method(&self, other: &Tensor<bool>) -> Tensor<bool> {
                self.zip_map(stringify!($method), other, |a: bool, b: bool| a $op b)
            }
        }

        logic_operator!(@sides $Trait, $operator, $method: &Tensor<bool>, &Tensor<bool>);
        logic_operator!(@sides $Trait, $operator, $method: &Tensor<bool>, Tensor<bool>);
        logic_operator!(@sides $Trait, $operator, $method: Tensor<bool>, &Tensor<bool>);
        logic_operator!(@sides $Trait, $operator, $method: Tensor<bool>, Tensor<bool>);
    )* };
    (@sides $Trait:ident, $operator:ident, $method:ident: $Left:ty, $Right:ty) => {
        impl $Trait<$Right> for $Left {
            type Output = Tensor<bool>;
            #[track_caller]
            fn $operator(self, other: $Right) -> Tensor<bool> {
                Tensor::$method(&self, &other)
            }
        }
    };
}

logic_operator! {
    /// Where both are true, with broadcasting; also written `a & b`, by value or by reference.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0, 3.0]);
    /// assert_eq!(x.gt(1.0).logical_and(&x.lt(3.0)).to_vec(), [false, true, false]);
    /// assert_eq!((x.gt(1.0) & x.lt(3.0)).to_vec(), [false, true, false]);
    /// ```
    BitAnd, bitand, logical_and, &;
    /// Where at least one is true, with broadcasting; also written `a | b`.
    BitOr, bitor, logical_or, |;
    /// Where exactly one is true, with broadcasting; also written `a ^ b`.
    BitXor, bitxor, logical_xor, ^;
}

impl Not for &Tensor<bool> {
    type Output = Tensor<bool>;
    fn not(self) -> Tensor<bool> {
        self.logical_not()
    }
}

impl Not for Tensor<bool> {
    type Output = Tensor<bool>;
    fn not(self) -> Tensor<bool> {
        self.logical_not()
    }
}

struct Any;

impl Fold<bool> for Any {
    type Partial = bool;
    type Output = bool;
    fn identity(&self) -> bool {
        false
    }
    #[inline(always)]
    fn step<I: Isa>(&self, partial: bool, x: bool) -> bool {
        partial | x
    }
    #[inline(always)]
    fn merge(&self, a: bool, b: bool) -> bool {
        a | b
    }
    fn finish(&self, partial: bool, _: usize) -> bool {
        partial
    }
}

struct All;

impl Fold<bool> for All {
    type Partial = bool;
    type Output = bool;
    fn identity(&self) -> bool {
        true
    }
    #[inline(always)]
    fn step<I: Isa>(&self, partial: bool, x: bool) -> bool {
        partial & x
    }
    #[inline(always)]
    fn merge(&self, a: bool, b: bool) -> bool {
        a & b
    }
    fn finish(&self, partial: bool, _: usize) -> bool {
        partial
    }
}

impl Tensor<bool> {
    /// True where this is false; also written `!&a`.
    pub fn logical_not(&self) -> Tensor<bool> {
        self.map(|a: bool| !a)
    }

    /// Whether any element is true; `false` if there are none.
    pub fn any(&self) -> bool {
        self.any_axes(.., false).item()
    }

    /// Whether any element along `axes` is true; the axes stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let mask = Tensor::from([[true, false], [false, false]]);
    /// assert_eq!(mask.any_axes(1, false).to_vec(), [true, false]);
    /// assert!(mask.any() && !mask.all());
    /// ```
    #[track_caller]
    pub fn any_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<bool> {
        self.fold("any", axes, keepdim, Any)
    }

    /// Whether all elements are true; `true` if there are none.
    pub fn all(&self) -> bool {
        self.all_axes(.., false).item()
    }

    /// Whether all elements along `axes` are true; the axes stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn all_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<bool> {
        self.fold("all", axes, keepdim, All)
    }
}

struct CountNonzero;

impl<T: Element> Fold<T> for CountNonzero {
    type Partial = u32;
    type Output = u32;
    fn identity(&self) -> u32 {
        0
    }
    #[inline(always)]
    fn step<I: Isa>(&self, partial: u32, x: T) -> u32 {
        partial + u32::from(x != T::default())
    }
    #[inline(always)]
    fn merge(&self, a: u32, b: u32) -> u32 {
        a + b
    }
    fn finish(&self, partial: u32, _: usize) -> u32 {
        partial
    }
}

impl<T: Element> Tensor<T> {
    /// How many elements along `axes` are not 0 (or are true); NaN counts. The axes stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice, or 2³² elements or more are counted together.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[0.0f32, 1.0], [2.0, -3.0]]);
    /// assert_eq!(x.count_nonzero(.., false).item(), 3);
    /// assert_eq!(x.count_nonzero(0, false).to_vec(), [1, 2]);
    /// ```
    #[track_caller]
    pub fn count_nonzero(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<u32> {
        let mask = axes.into().mask("count_nonzero", self.shape());
        let counted: usize = self.shape().iter().zip(&mask).filter(|(_, m)| **m).map(|(d, _)| d).product();
        assert!(
            u32::try_from(counted).is_ok(),
            "count_nonzero: a count of {counted} elements of shape {} does not fit into u32",
            self.shape()
        );
        count_nonzero(self, &mask, keepdim)
    }
}

compiled_here! {
    pub(crate) fn count_nonzero<T: Element>(x: &Tensor<T>, mask: &[bool], keepdim: bool) -> Tensor<u32> {
        x.fold_masked(mask, keepdim, CountNonzero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_tables() {
        let a = Tensor::from([[false], [true]]);
        let b = Tensor::from([false, true]);
        assert_eq!((&a & &b).to_vec(), [false, false, false, true]);
        assert_eq!((&a | &b).to_vec(), [false, true, true, true]);
        assert_eq!((&a ^ &b).to_vec(), [false, true, true, false]);
        assert_eq!((!&b).to_vec(), [true, false]);
    }

    #[test]
    fn reductions_with_and_without_elements() {
        let mask = Tensor::from_fn([300, 300], |i| i[0] != 7 || i[1] != 9);
        assert!(mask.any() && !mask.all() && !(!&mask).all() && (!&mask).any());
        assert_eq!(mask.all_axes(0, false).count_nonzero(.., false).item(), 299);
        assert_eq!(mask.t().all_axes([0], true).shape(), &[1, 300]);
        let empty = Tensor::<bool>::zeros([0, 2]);
        assert!(!empty.any() && empty.all());
        assert_eq!(
            (empty.any_axes(0, false).to_vec(), empty.all_axes(0, false).to_vec()),
            (vec![false; 2], vec![true; 2])
        );
        assert_eq!(mask.count_nonzero(.., false).item(), 89_999);
        assert_eq!(Tensor::from([f32::NAN, -0.0]).count_nonzero(0, false).item(), 1);
    }
}
