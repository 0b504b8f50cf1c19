//! Names and shapes of the parts of a flat parameter vector.

use std::ops::Range;

use wengert_tensor::names::{PatternError, name_matches};

/// One parameter tensor within the flat vector.
///
/// ```
/// use wengert_optim::Layout;
/// use wengert_optim::first::Segment;
/// let layout = Layout::new([("w", vec![2, 3]), ("b", vec![3])]);
/// let Segment { name, range, shape } = &layout.segments()[1];
/// assert_eq!((name.as_str(), range.clone(), &shape[..]), ("b", 6..9, &[3][..]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its name, e.g. `"encoder.0.weight"`.
    pub name: String,
    /// Its place in the flat vector.
    pub range: Range<usize>,
    /// Its shape, row-major; the product is the length of `range`.
    pub shape: Vec<usize>,
}

/// The segments of a flat vector, in order and without gaps.
///
/// ```
/// use wengert_optim::Layout;
/// let layout = Layout::new([("w", vec![10, 784]), ("b", vec![10])]);
/// assert_eq!(layout.len(), 7850);
/// assert_eq!(layout.segments()[1].range, 7840..7850);
/// assert_eq!(layout.name_at(7843), "b[3]");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    segments: Vec<Segment>,
}

impl Layout {
    /// The layout of tensors of these names and shapes, one after another.
    ///
    /// # Panics
    /// If the number of elements overflows `usize`.
    #[track_caller]
    pub fn new<N: Into<String>>(tensors: impl IntoIterator<Item = (N, Vec<usize>)>) -> Self {
        let mut start = 0usize;
        let segments = tensors
            .into_iter()
            .map(|(name, shape)| {
                let name = name.into();
                let end = shape
                    .iter()
                    .try_fold(1usize, |n, &d| n.checked_mul(d))
                    .and_then(|n| n.checked_add(start))
                    .unwrap_or_else(|| {
                        panic!("Layout::new: {name} of shape {shape:?} has too many elements")
                    });
                let range = start..end;
                start = end;
                Segment { name, range, shape }
            })
            .collect();
        Layout { segments }
    }

    /// One unnamed vector of `len` elements.
    pub fn flat(len: usize) -> Self {
        Layout::new([("", vec![len])])
    }

    /// The segments in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.segments.iter().map(|s| s.name.as_str())
    }

    /// Which segments have a name that fits the pattern.
    ///
    /// # Errors
    /// If none has.
    pub(crate) fn matching(&self, pattern: &str) -> Result<Vec<bool>, PatternError> {
        PatternError::unless_fits(pattern, self.names())?;
        Ok(self.names().map(|name| name_matches(pattern, name)).collect())
    }

    /// The length of the flat vector.
    pub fn len(&self) -> usize {
        self.segments.last().map_or(0, |s| s.range.end)
    }

    /// Whether the flat vector has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The segments number `range` as a layout of their own, which starts at 0.
    ///
    /// # Panics
    /// If there are not so many segments.
    #[track_caller]
    pub fn sub(&self, range: Range<usize>) -> Layout {
        Layout::new(self.segments[range].iter().map(|s| (s.name.clone(), s.shape.clone())))
    }

    /// The name of element `index` for messages: `weight[3]`, or `[3]` in an unnamed vector.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Layout::len).
    #[track_caller]
    pub fn name_at(&self, index: usize) -> String {
        let found = self.segments.partition_point(|s| s.range.end <= index);
        let Some(segment) = self.segments.get(found) else {
            panic!("Layout::name_at: element {index} of a vector of {}", self.len());
        };
        format!("{}[{}]", segment.name, index - segment.range.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_segments_have_no_elements() {
        let layout = Layout::new([("a", vec![0, 3]), ("b", vec![]), ("c", vec![2])]);
        assert_eq!((layout.len(), layout.name_at(0), layout.name_at(2)), (3, "b[0]".into(), "c[1]".into()));
        assert_eq!(layout.sub(1..3).segments()[1].range, 1..3);
        assert!(Layout::default().is_empty());
    }
}
