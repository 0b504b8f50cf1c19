//! Rotations of queries and keys by their positions.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use super::sinusoidal::{checked_base, frequency};

/// Turns pairs of features of queries and keys by angles that grow with the position, so that their product depends on the
/// distance alone (Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021): pair i of position t
/// by t / base^(2i/width).
///
/// A pair is one feature of the first half and one of the second, as in Llama and GPT-NeoX, or two neighbours
/// ([`interleaved`](RotaryPositions::interleaved)), as in RoFormer and GPT-J. Features beyond `width` stay as they are.
///
/// ```
/// use wengert_nn::RotaryPositions;
/// use wengert_tape::Var;
/// let rotary = RotaryPositions::new(2);
/// let x = Var::<f64>::from([[1.0, 0.0], [1.0, 0.0]]);
/// let y = rotary.rotate(&x, 0);
/// assert_eq!(y.value().select(0, 0).to_vec(), [1.0, 0.0]);
/// assert!((y.value().at([1, 1]) - 1f64.sin()).abs() < 1e-15);
/// assert_eq!(rotary.rotate(&x.slice(1..), 1).value().to_vec(), y.slice(1..).value().to_vec());
/// ```
#[doc(alias = "RoPE")]
#[doc(alias = "rotary_emb")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotaryPositions {
    width: usize,
    base: f64,
    interleaved: bool,
}

impl RotaryPositions {
    /// For the first `width` features of a head, with base 10,000 and pairs of one feature of each half.
    ///
    /// # Panics
    /// If `width` is odd.
    #[track_caller]
    pub fn new(width: usize) -> Self {
        assert!(width.is_multiple_of(2), "RotaryPositions: the width {width} is odd");
        RotaryPositions { width, base: 10_000.0, interleaved: false }
    }

    /// With another base than 10,000.
    ///
    /// # Panics
    /// If it is not positive and finite.
    #[must_use]
    #[track_caller]
    pub fn base(self, base: f64) -> Self {
        RotaryPositions { base: checked_base("RotaryPositions", base), ..self }
    }

    /// Pairs of neighbours.
    #[must_use]
    pub fn interleaved(self) -> Self {
        RotaryPositions { interleaved: true, ..self }
    }

    /// The features of `[…, length, features]`, turned by their positions, of which the first is `first`.
    ///
    /// # Panics
    /// If `x` has less than two axes, or fewer features than `width`.
    #[track_caller]
    pub fn rotate<T: Float>(&self, x: &Var<T>, first: usize) -> Var<T> {
        let [.., length, features] = x.shape()[..] else {
            panic!("rotate: shape {} has no axes of positions and of features", x.shape());
        };
        let width = self.width;
        assert!(features >= width, "rotate: {features} features, of which {width} are to be turned");
        let half = width / 2;
        let table = |f: fn(f64) -> f64| {
            let angle = |i: &[usize]| (first + i[0]) as f64 * frequency(self.base, i[1], width);
            Var::constant(Tensor::from_fn([length, half], |i| T::from_f64(f(angle(i)))))
        };
        let (cos, sin) = (table(f64::cos), table(f64::sin));
        let turned = x.slice_axis(-1, ..width);
        let pairs = if self.interleaved {
            let shape = x.shape()[..x.rank() - 1].iter().copied().chain([half, 2]);
            let pairs = turned.reshape(wengert_tensor::Shape::from_iter(shape));
            [0, 1].map(|i| pairs.select(-1, i))
        } else {
            [turned.slice_axis(-1, ..half), turned.slice_axis(-1, half..)]
        };
        let [a, b] = &pairs;
        let rotated = [a * &cos - b * &sin, b * &cos + a * &sin];
        let rotated = if self.interleaved {
            Var::stack(&rotated, -1).reshape(turned.shape())
        } else {
            Var::cat(&rotated, -1)
        };
        if features == width { rotated } else { Var::cat(&[rotated, x.slice_axis(-1, width..)], -1) }
    }
}
