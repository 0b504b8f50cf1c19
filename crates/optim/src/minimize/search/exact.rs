use super::{Found, Line, LineSearch, SearchFailure, Start, undefined};

/// The exact minimiser along the line of a quadratic, α = −φ'(0)/φ''(0): one Hessian product and one value. For
/// other functions it is a Newton step, not a safeguarded search.
///
/// ```
/// use wengert_optim::Problem;
/// use wengert_optim::search::{ExactQuadratic, LineSearch, Ray, Start};
/// let f = Problem::new(1, |x: &[f64]| 2.0 * x[0] * x[0])
///     .with_gradient(|x, g| g[0] = 4.0 * x[0])
///     .with_hvp(|_, v, out| out[0] = 4.0 * v[0]);
/// let mut ray = Ray::new(&f, &[1.0], &[-1.0]);
/// let found = ExactQuadratic.search(&mut ray, Start::new(2.0, -4.0, 0.1))?;
/// assert_eq!((found.step, found.value), (1.0, 0.0));
/// # Ok::<(), wengert_optim::search::SearchFailure>(())
/// ```
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
