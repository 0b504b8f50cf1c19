//! Changes of f that drown in the rounding of its values.

/// What is known of the rounding of f around a point. Where a change of f drowns in it, the change is taken to be what the
/// gradients imply by the trapezoid rule, ½ sᵀ(g + g₊): a search then works by slopes alone, and sufficient decrease becomes
/// the approximate Wolfe condition φ'(α) ≤ (2c − 1) φ'(0) of Hager and Zhang (2005).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    /// Changes up to this may be rounding.
    level: f64,
    /// The shortest step so far, and how much value and gradients differed about the change there.
    shortest: (f64, f64),
}

impl Noise {
    /// Units of rounding up to which a value, which is a sum of many terms, is taken to be known.
    const UNITS: f64 = 64.0;

    /// Around a point of this value.
    pub(crate) fn new(precision: f64, value: f64) -> Self {
        Self { level: Self::UNITS * precision * value.abs(), shortest: (f64::INFINITY, 0.0) }
    }

    /// Up to which changes may be rounding.
    pub(crate) fn level(&self) -> f64 {
        self.level
    }

    /// The change over a step s of this length, from that of the values and gᵀs at its two ends.
    ///
    /// Where f is a small difference of large terms, its rounding is more than its value tells, but it shows itself. Where gᵀs
    /// is the same at both ends to a tenth, so should the change be; if it is not, and the less so the shorter the step (as
    /// it is not where gradients are wrong), that is rounding.
    pub(crate) fn change(&mut self, length: f64, change: f64, (before, after): (f64, f64)) -> f64 {
        let implied = 0.5 * (before + after);
        let difference = (change - implied).abs();
        let (shortest, least) = self.shortest;
        if length < 0.5 * shortest {
            let straight = (after - before).abs() <= 0.1 * before.abs();
            if straight
                && difference > 0.25 * implied.abs()
                && shortest.is_finite()
                && difference * shortest > 2.0 * least * length
            {
                self.level = self.level.max(4.0 * difference);
            }
            self.shortest = (length, difference);
        }
        if self.drowns(change, implied) { implied } else { change }
    }

    /// Whether the changes may be rounding. If the values are the same, they are.
    pub(crate) fn drowns(&self, change: f64, implied: f64) -> bool {
        change == 0.0 || change.abs() <= self.level && implied.abs() <= self.level
    }
}
