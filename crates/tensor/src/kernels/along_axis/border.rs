//! Borders that are made of the axis itself.

use super::AxisMap;

/// What stands before the first and after the last position of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// The axis mirrored at its end, which is not repeated: `c b | a b c | b a`. Narrower than the axis.
    Reflect,
    /// The end again and again: `a a | a b c | c c`.
    Replicate,
    /// The axis again: `b c | a b c | a b`. Not wider than the axis.
    Circular,
}

impl Border {
    /// Whether borders of that width can be made of an axis of that many positions.
    pub fn fits(self, positions: usize, width: usize) -> bool {
        width == 0
            || match self {
                Border::Reflect => width < positions,
                Border::Replicate => positions > 0,
                Border::Circular => width <= positions,
            }
    }
}

impl AxisMap {
    /// The axis with a border of `before` and `after` positions.
    ///
    /// # Panics
    /// If the border [does not fit](Border::fits), or the sum overflows.
    #[track_caller]
    pub fn border(positions: usize, before: usize, after: usize, border: Border) -> Self {
        assert!(
            border.fits(positions, before.max(after)),
            "border: {before} and {after} positions cannot be made of {positions} by {border:?}"
        );
        let outputs = crate::array::size::sum("border", &[before, positions, after]);
        AxisMap::from_rows(positions, outputs, |output| {
            let at = output as isize - before as isize;
            let last = positions as isize - 1;
            let from = match border {
                Border::Replicate => at.clamp(0, last),
                Border::Circular => at.rem_euclid(positions as isize),
                Border::Reflect if at < 0 => -at,
                Border::Reflect if at > last => 2 * last - at,
                Border::Reflect => at,
            };
            [(from as usize, 1.0)]
        })
    }
}
