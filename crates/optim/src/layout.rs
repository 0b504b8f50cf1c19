//! Names and shapes of the parts of a flat parameter vector.

use std::ops::Range;

/// One parameter tensor within the flat vector.
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

/// Whether `name` fits `pattern`, in which `*` stands for any characters (also none), `?` for one.
///
/// `*.bias` fits every name that ends in `.bias`; `norm*` every name that starts with `norm`, or has a part after
/// a dot that does (`encoder.norm1.weight`): a pattern that does not begin with `*` may begin at any part.
///
/// ```
/// use wengert_optim::name_matches;
/// assert!(name_matches("*.bias", "out.bias") && !name_matches("*.bias", "bias.scale"));
/// assert!(name_matches("norm*", "encoder.norm1.weight") && !name_matches("norm*", "abnormal"));
/// ```
pub fn name_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    (0..=name.len()).filter(|&i| i == 0 || name[i - 1] == '.').any(|i| glob(&pattern, &name[i..]))
}

/// Matches greedily and, on a mismatch, lets the last `*` take one more character: linear memory, no recursion.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else { return false };
                p = star_p + 1;
                t = star_t + 1;
                star = Some((star_p, t));
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*", "a.b", true),
            ("bias", "bias", true),
            ("bias", "hidden.bias", true),
            ("*.bias", "hidden.bias", true),
            ("*.bias", "hidden.bias2", false),
            ("*a*b*c", "xaaybbzc", true),
            ("*a*b*c", "xaaybbzcd", false),
            ("layer?.w", "layer1.w", true),
            ("layer?.w", "layer10.w", false),
            ("é*é", "été", true),
        ] {
            assert_eq!(name_matches(pattern, name), fits, "{pattern} on {name}");
        }
    }

    #[test]
    fn empty_segments_have_no_elements() {
        let layout = Layout::new([("a", vec![0, 3]), ("b", vec![]), ("c", vec![2])]);
        assert_eq!((layout.len(), layout.name_at(0), layout.name_at(2)), (3, "b[0]".into(), "c[1]".into()));
        assert_eq!(layout.sub(1..3).segments()[1].range, 1..3);
        assert!(Layout::default().is_empty());
    }
}
