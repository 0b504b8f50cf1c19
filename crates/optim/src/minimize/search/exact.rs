use super::{Found, Line, LineSearch, SearchFailure, Start, undefined};

/// The exact minimiser along the line of a quadratic, α = −φ'(0)/φ''(0): one Hessian product and one value. For
/// other functions it is a Newton step, not a safeguarded search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExactQuadratic;

impl LineSearch for ExactQuadratic {
    fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure> {
        start.check(self)?;
        let curvature = line.curvature().filter(|c| *c > 0.0).ok_or(SearchFailure::Curvature)?;
        let step = (-start.slope / curvature).min(start.max_step);
        let value = line.value(step);
        if value.is_finite() {
            return Ok(Found { step, value, satisfied: true });
        }
        undefined(line, value)?;
        Err(SearchFailure::NonFinite)
    }
}
