//! Choosing elements by a mask.

use crate::array::element::Element;
use crate::array::shape::{Shape, broadcast_or_panic};
use crate::array::size::check_positions;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::map::joint_shape;
use crate::loops::operands::{self, Row};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// A row of [`select_where`](Tensor::select_where).
struct Choose<'a, T> {
    mask: Row<'a, bool>,
    a: Row<'a, T>,
    b: Row<'a, T>,
    out: &'a mut [T],
}

impl<T: Element> Kernel for Choose<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let n = self.out.len();
        if let (Row::Dense(mask), Row::Dense(a), Row::Dense(b)) = (self.mask, self.a, self.b) {
            let (mask, a, b) = (&mask[..n], &a[..n], &b[..n]);
            for (i, o) in self.out.iter_mut().enumerate() {
                *o = if mask[i] { a[i] } else { b[i] };
            }
        } else {
            for (i, o) in self.out.iter_mut().enumerate() {
                *o = if self.mask.get(i) { self.a.get(i) } else { self.b.get(i) };
            }
        }
    }
}

impl<T: Element> Tensor<T> {
    /// Elements of `if_true` where `mask` is true and of `if_false` elsewhere, all three broadcast together (NumPy's
    /// and PyTorch's `where`).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([-1.0f32, 2.0]);
    /// let leaky = Tensor::select_where(&x.gt(0.0), &x, &(&x * 0.1));
    /// assert_eq!(leaky.to_vec(), [-0.1, 2.0]);
    /// ```
    #[track_caller]
    pub fn select_where(mask: &Tensor<bool>, if_true: &Tensor<T>, if_false: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn select<T: Element>(
                mask: &Tensor<bool>,
                shape: Shape,
                if_true: &Tensor<T>,
                if_false: &Tensor<T>,
            ) -> Tensor<T> {
                operands::masked(shape, mask, if_true, if_false, &|mask, a, b, out| {
                    dispatch(Choose { mask, a, b, out });
                })
            }
        }
        let shape = broadcast_or_panic("select_where", mask.shape(), if_true.shape());
        let shape = broadcast_or_panic("select_where", &shape, if_false.shape());
        select(mask, shape, if_true, if_false)
    }

    /// `value` where `mask` is true and the elements of this tensor elsewhere, with broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let scores = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// let future = Tensor::from([[false, true], [false, false]]);
    /// let masked = scores.masked_fill(&future, f32::NEG_INFINITY);
    /// assert_eq!(masked.to_vec(), [1.0, f32::NEG_INFINITY, 3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: T) -> Tensor<T> {
        compiled_here! {
            fn fill<T: Element>(x: &Tensor<T>, shape: Option<Shape>, mask: &Tensor<bool>, value: T) -> Tensor<T> {
                x.zip_to("masked_fill", shape, mask, move |x: T, m: bool| if m { value } else { x })
            }
        }
        fill(self, joint_shape("masked_fill", self.shape(), mask.shape()), mask, value)
    }

    /// The elements where `mask` is true, in row-major order, as a tensor with one axis; with broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([3.0f64, -1.0, 5.0]);
    /// assert_eq!(x.masked_select(&x.gt(0.0)).to_vec(), [3.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Tensor<T> {
        let shape = broadcast_or_panic("masked_select", self.shape(), mask.shape());
        let (x, mask) = (self.broadcast_to(&shape).contiguous(), mask.broadcast_to(&shape).contiguous());
        let mask = mask.contiguous_slice();
        let count = mask.iter().filter(|&&m| m).count();
        let chosen = x.contiguous_slice().iter().zip(mask).filter(|(_, m)| **m);
        Tensor::filled_by("masked_select", count.into(), |out| {
            out.iter_mut().zip(chosen).for_each(|(o, (&x, _))| *o = x)
        })
    }

    /// The indices of the elements that are not 0 (or are true), in row-major order: one row of `rank` positions for
    /// each. NaN is not 0.
    ///
    /// # Panics
    /// If an axis is longer than 2³².
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[0.0f32, 1.0], [2.0, 0.0]]);
    /// assert_eq!(x.nonzero(), Tensor::<u32>::from([[0, 1], [1, 0]]));
    /// ```
    #[track_caller]
    pub fn nonzero(&self) -> Tensor<u32> {
        for &length in self.shape().iter() {
            check_positions("nonzero", length);
        }
        let x = self.contiguous_for("nonzero");
        let found = x.contiguous_slice().iter().enumerate().filter(|(_, v)| **v != T::default());
        let mut indices = Vec::new();
        let mut count = 0;
        for (mut position, _) in found {
            count += 1;
            let row = indices.len();
            for &d in self.shape().iter().rev() {
                indices.push((position % d) as u32);
                position /= d;
            }
            indices[row..].reverse();
        }
        Tensor::filled_by("nonzero", [count, self.rank()].into(), |out| out.copy_from_slice(&indices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_broadcast() {
        let mask = Tensor::from([[true], [false]]);
        let chosen = Tensor::select_where(&mask, &Tensor::from([1.0f64, 2.0]), &Tensor::scalar(0.0));
        assert_eq!(chosen, Tensor::from([[1.0, 2.0], [0.0, 0.0]]));
        // What is not chosen has no influence.
        let guarded =
            Tensor::select_where(&Tensor::scalar(false), &Tensor::scalar(f32::NAN), &Tensor::scalar(1.0));
        assert_eq!(guarded.item(), 1.0);
    }

    #[test]
    fn selecting_from_views() {
        let x = Tensor::<u32>::from([[1, 2, 3], [4, 5, 6]]);
        assert_eq!(x.t().masked_select(&Tensor::from([true, false])).to_vec(), [1, 2, 3]);
        assert_eq!(x.masked_select(&Tensor::scalar(false)).shape(), &[0]);
        assert_eq!(x.t().gt(4).nonzero(), Tensor::from([[1, 1], [2, 1]]));
        assert_eq!(Tensor::<f32>::zeros([0, 2]).nonzero().shape(), &[0, 2]);
        assert_eq!(Tensor::<f32>::scalar(3.0).nonzero().shape(), &[1, 0]);
    }
}
