//! Where a tensor's elements lie in its storage.

use smallvec::{SmallVec, smallvec};

use crate::array::shape::{Shape, Slice};

/// Shape, strides and offset: element `[i, j, …]` lies at `offset + i·strides[0] + j·strides[1] + …`.
///
/// Invariants, which the kernels' `unsafe` relies on: every such position lies inside the storage, and the shape
/// [fits](Shape::fits), so that no stride times its length overflows. They are established by [`Layout::contiguous`]
/// for checked shapes, and kept by every method here.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    pub(crate) strides: SmallVec<[isize; 4]>,
    pub(crate) offset: usize,
}

impl Clone for Layout {
    #[inline]
    fn clone(&self) -> Self {
        Layout {
            shape: self.shape.clone(),
            strides: SmallVec::from_slice(&self.strides),
            offset: self.offset,
        }
    }
}

impl Layout {
    /// Row-major from the start of the storage.
    pub(crate) fn contiguous(shape: Shape) -> Self {
        let strides = contiguous_strides(&shape);
        Layout { shape, strides, offset: 0 }
    }

    /// Whether the elements are consecutive, in row-major order.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&d, &s) in self.shape.iter().zip(&self.strides).rev() {
            if d == 0 {
                return true;
            }
            if d != 1 && s != expected {
                return false;
            }
            expected *= d as isize;
        }
        true
    }

    /// Axes in the order of `order`, a permutation.
    pub(crate) fn permute(&self, order: &[usize]) -> Self {
        Layout {
            shape: order.iter().map(|&a| self.shape[a]).collect(),
            strides: order.iter().map(|&a| self.strides[a]).collect(),
            offset: self.offset,
        }
    }

    /// The positions of `slice` along `axis`.
    pub(crate) fn slice(&self, axis: usize, slice: Slice) -> Self {
        let (start, count, step) = slice.resolve(self.shape[axis]);
        let mut out = self.clone();
        out.shape = self.shape.with(axis, count);
        out.offset = self.moved(self.strides[axis] * start as isize);
        // The step may be any number if nobody takes it; else it is shorter than the axis.
        if count > 1 {
            out.strides[axis] = self.strides[axis] * step;
        }
        out
    }

    /// Position `index` of `axis`, which goes away.
    pub(crate) fn select(&self, axis: usize, index: usize) -> Self {
        let mut out = self.clone();
        out.shape = self.shape.without(axis);
        out.strides.remove(axis);
        out.offset = self.moved(self.strides[axis] * index as isize);
        out
    }

    /// A new axis of length 1 at `axis`.
    pub(crate) fn unsqueeze(&self, axis: usize) -> Self {
        let mut out = self.clone();
        out.shape = self.shape.inserted(axis, 1);
        out.strides.insert(axis, 0);
        out
    }

    /// Repeats axes of length 1 (and new leading ones) by stride 0; `None` if the shapes do not fit. A caller's shape was
    /// [checked](Shape::checked) before.
    pub(crate) fn broadcast_to(&self, shape: &Shape) -> Option<Self> {
        let lead = shape.len().checked_sub(self.shape.len())?;
        let mut strides: SmallVec<[isize; 4]> = smallvec![0; shape.len()];
        for (i, &d) in self.shape.iter().enumerate() {
            if d == shape[lead + i] {
                strides[lead + i] = self.strides[i];
            } else if d != 1 {
                return None;
            }
        }
        Some(Layout { shape: shape.clone(), strides, offset: self.offset })
    }

    /// The same elements in the same order under another shape of equal count, if strides can express it.
    pub(crate) fn reshape(&self, shape: &Shape) -> Option<Self> {
        if self.is_contiguous() || self.shape.contains(&0) {
            let mut out = Layout::contiguous(shape.clone());
            out.offset = self.offset;
            return Some(out);
        }
        // Groups of old axes that can be merged into one run are split anew.
        let old: SmallVec<[(usize, isize); 4]> =
            self.shape.iter().zip(&self.strides).filter(|(d, _)| **d != 1).map(|(&d, &s)| (d, s)).collect();
        let mut strides: SmallVec<[isize; 4]> = smallvec![0; shape.len()];
        let (mut i, mut j) = (0, 0);
        while i < old.len() {
            let (mut from, mut to) = (old[i].0, 1);
            let (first_i, first_j) = (i, j);
            while j < shape.len() && (to < from || to == 1) {
                to *= shape[j];
                j += 1;
                while to > from {
                    i += 1;
                    from *= old.get(i)?.0;
                }
            }
            if to != from {
                return None;
            }
            for k in first_i..i {
                if old[k].1 != old[k + 1].1 * old[k + 1].0 as isize {
                    return None;
                }
            }
            let mut stride = old[i].1;
            for k in (first_j..j).rev() {
                strides[k] = stride;
                stride *= shape[k] as isize;
            }
            i += 1;
        }
        Some(Layout { shape: shape.clone(), strides, offset: self.offset })
    }

    /// The storage position of an index, which must be inside the shape.
    pub(crate) fn position(&self, index: &[usize]) -> usize {
        self.moved(index.iter().zip(&self.strides).map(|(&i, &s)| i as isize * s).sum())
    }

    fn moved(&self, by: isize) -> usize {
        // An empty tensor may be moved anywhere, since nothing is read.
        self.offset.wrapping_add_signed(by)
    }
}

/// Row-major strides of a shape that [fits](Shape::fits); axes of an empty one get what they would with lengths of at
/// least 1.
pub(crate) fn contiguous_strides(shape: &[usize]) -> SmallVec<[isize; 4]> {
    let mut strides: SmallVec<[isize; 4]> = smallvec![0; shape.len()];
    let mut stride = 1;
    for (s, &d) in strides.iter_mut().zip(shape).rev() {
        *s = stride;
        stride *= d.max(1) as isize;
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshape_of_views() {
        let x = Layout::contiguous([4, 6].into());
        // A sliced last axis cannot be merged with the first, but can be split.
        let y = x.slice(1, (0..4).into());
        assert!(y.reshape(&16.into()).is_none());
        assert_eq!(y.reshape(&[4, 2, 2].into()).unwrap().strides[..], [6, 2, 1]);
        // A broadcast axis merges with nothing but itself.
        let z = Layout::contiguous([3, 1].into()).broadcast_to(&[3, 4].into()).unwrap();
        assert!(z.reshape(&12.into()).is_none());
        assert_eq!(z.reshape(&[3, 2, 2].into()).unwrap().strides[..], [1, 0, 0]);
        // Rows sliced: the last axes stay mergeable.
        let w = Layout::contiguous([4, 2, 3].into()).slice(0, Slice::from(..).step(2));
        assert_eq!(w.reshape(&[2, 6].into()).unwrap().strides[..], [12, 1]);
        // A transpose keeps its axes, and may take on axes of length 1.
        let t = x.permute(&[1, 0]);
        assert_eq!(t.reshape(&[6, 1, 4].into()).unwrap().strides[0], 1);
        assert!(t.reshape(&24.into()).is_none());
    }
}
