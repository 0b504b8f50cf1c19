//! L-BFGS-B.

use crate::minimize::rounding;
use wengert_tensor::linalg::{Ldl, Qr};

use crate::minimize::bounds::Bounds;
use crate::minimize::error::MinimizeError;
use crate::minimize::linear::{CurvaturePairs, LARGE};
use crate::minimize::method::Method;
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente, Ray, SearchFailure, Start};
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float, dot};

/// L-BFGS-B (Byrd, Lu, Nocedal and Zhu, 1995): L-BFGS within bounds, by the generalised Cauchy point and minimisation
/// over the variables that are free there.
///
/// ```
/// use wengert_optim::constrained::{Bounds, LbfgsB};
/// use wengert_optim::{Method, Problem};
///
/// // The nearest point to (2, −1) in the unit square.
/// let distance = Problem::new(2, |x: &[f64]| (x[0] - 2.0).powi(2) + (x[1] + 1.0).powi(2))
///     .with_gradient(|x, g| { g[0] = 2.0 * (x[0] - 2.0); g[1] = 2.0 * (x[1] + 1.0); });
/// let outcome = LbfgsB::new(Bounds::uniform(2, 0.0, 1.0)?).minimize(&distance, &[0.5, 0.5])?;
/// assert!(outcome.converged() && outcome.point == [1.0, 0.0]);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LbfgsB<T> {
    /// The bounds. A start outside is projected.
    pub bounds: Bounds<T>,
    /// Pairs remembered; 10.
    pub history: usize,
    /// When to stop; the norm is that of the projected gradient.
    pub stopping: Stopping,
}

impl<T: Float> LbfgsB<T> {
    /// With default settings.
    pub fn new(bounds: Bounds<T>) -> Self {
        Self { bounds, history: 10, stopping: Stopping::default() }
    }
}

impl<T: Float> Method<T> for LbfgsB<T> {
    type State = CurvaturePairs<T>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("history", self.history as f64, "at least 1", |h| h >= 1.0)
    }

    fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
        MinimizeError::length("the bounds", self.bounds.lower().len(), start.len())?;
        self.bounds.project(start);
        Ok(())
    }

    fn check(&self, pairs: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        MinimizeError::length("the bounds", self.bounds.lower().len(), dimension)?;
        pairs.check(dimension)
    }

    fn begin(&self, _: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        Ok(CurvaturePairs::new(at.point.len(), self.history))
    }

    fn optimality(&self, at: &Iterate<T>, _: &Self::State) -> f64 {
        self.bounds.projected_norm(&at.point, &at.gradient)
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        pairs: &mut Self::State,
    ) -> Result<f64, Reason> {
        loop {
            problem.granted()?;
            let failure = match self.step(problem, at, pairs) {
                Ok(length) => return Ok(length),
                Err(failure) => failure,
            };
            if pairs.is_empty() || failure == SearchFailure::Unbounded {
                return Err(match failure {
                    SearchFailure::Unbounded => Reason::Unbounded,
                    SearchFailure::NonFinite => Reason::NonFinite,
                    _ => at.stuck(true, self.optimality(at, pairs)),
                });
            }
            pairs.clear();
        }
    }
}

impl<T: Float> LbfgsB<T> {
    fn step(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        pairs: &mut CurvaturePairs<T>,
    ) -> Result<f64, SearchFailure> {
        let x = vector::to_f64(&at.point);
        let mut direction = vec![T::ZERO; x.len()];
        if !self.free_step(at, pairs, &mut direction) {
            let target = Model::new(self, at, pairs).minimise(&x);
            vector::from_f64(&target.iter().zip(&x).map(|(t, x)| t - x).collect::<Vec<_>>(), &mut direction);
        }
        let direction64 = vector::to_f64(&direction);
        let max_step = self.max_step(&x, &direction64);
        let slope = dot(&at.gradient, &direction);
        let start = Start { max_step, ..Start::new(at.value, slope, 1.0) };
        let mut ray = Ray::new(problem, &at.point, &direction).within(&self.bounds);
        let found = MoreThuente::default().search(&mut ray, start)?;
        let (point, value, gradient) = ray.accept(found.step);
        let after = Iterate { point, value, gradient };
        if !after.is_finite() {
            return Err(SearchFailure::NonFinite);
        }
        let (mut step, mut change) = (vec![T::ZERO; x.len()], vec![T::ZERO; x.len()]);
        vector::subtract(&after.point, &at.point, &mut step);
        vector::subtract(&after.gradient, &at.gradient, &mut change);
        let length = vector::norm(&step);
        if length == 0.0 || at.is_idle(&after, found.satisfied) {
            return Err(SearchFailure::NoProgress);
        }
        pairs.push(&step, &change);
        *at = after;
        Ok(length)
    }

    /// The step −H g to the minimiser of the model without bounds, by the two-loop recursion; false if that is outside them.
    /// Inside it is the minimiser within bounds too, cheaper and more accurate than by the Cauchy point where curvatures
    /// differ widely.
    fn free_step(&self, at: &Iterate<T>, pairs: &CurvaturePairs<T>, step: &mut [T]) -> bool {
        if pairs.is_empty() {
            return false;
        }
        vector::scaled(-1.0, &at.gradient, step);
        pairs.apply_in_place(step);
        let (lower, upper) = (self.bounds.lower(), self.bounds.upper());
        let inside = |i: usize| {
            let target = at.point[i].to_f64() + step[i].to_f64();
            lower[i].to_f64() <= target && target <= upper[i].to_f64()
        };
        (0..step.len()).all(inside)
    }

    /// How far the first step may go, while the scale of f is unknown: 1, but in a box, which keeps a longer step as well,
    /// far enough to reach the bounds of most variables.
    fn first_length(&self, x: &[T]) -> f64 {
        if self.bounds.all() { 10.0 * vector::norm(x).max(1.0) } else { 1.0 }
    }

    /// The step along `direction` at which the first bound is met.
    fn max_step(&self, x: &[f64], direction: &[f64]) -> f64 {
        let (l, u) = self.bounds.to_f64();
        let mut most = f64::INFINITY;
        for i in 0..x.len() {
            if direction[i] < 0.0 {
                most = most.min((l[i] - x[i]) / direction[i]);
            } else if direction[i] > 0.0 {
                most = most.min((u[i] - x[i]) / direction[i]);
            }
        }
        // The model's minimiser is inside but for rounding.
        most.max(1.0)
    }
}

/// The quadratic model gᵀd + ½ dᵀBd with B = θI − W M Wᵀ, W = [Y θS] (equation 3.2 of the paper).
struct Model<'a, T: Float> {
    pairs: &'a CurvaturePairs<T>,
    gradient: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    theta: f64,
    /// M⁻¹; `None` without pairs.
    middle: Option<Ldl<f64>>,
}

impl<'a, T: Float> Model<'a, T> {
    fn new(method: &LbfgsB<T>, at: &Iterate<T>, pairs: &'a CurvaturePairs<T>) -> Self {
        let (lower, upper) = method.bounds.to_f64();
        let k = pairs.len();
        // Without pairs nothing but the ratio of the two matters, and squares of large gradients would overflow.
        let norm = vector::norm(&at.gradient);
        let unit = if k == 0 && norm > LARGE { norm } else { 1.0 };
        let theta = if k == 0 { norm / unit / method.first_length(&at.point) } else { 1.0 / pairs.scaling() };
        let mut matrix = vec![0.0; 4 * k * k];
        for i in 0..k {
            for j in 0..k {
                let (s_i, s_j, y_j) = (pairs.pair(i).0, pairs.pair(j).0, pairs.pair(j).1);
                matrix[(k + i) * 2 * k + k + j] = theta * dot(s_i, s_j);
                if i == j {
                    matrix[i * 2 * k + i] = -dot(s_i, y_j);
                } else if i > j {
                    // L, strictly below, and its transpose.
                    let l = dot(s_i, y_j);
                    matrix[(k + i) * 2 * k + j] = l;
                    matrix[j * 2 * k + k + i] = l;
                }
            }
        }
        let middle = if k == 0 { None } else { Ldl::new(&matrix, 2 * k).ok() };
        let gradient = at.gradient.iter().map(|g| g.to_f64() / unit).collect();
        Self { pairs, gradient, lower, upper, theta, middle }
    }

    fn size(&self) -> usize {
        2 * self.pairs.len()
    }

    /// Row `i` of W.
    fn row(&self, i: usize) -> Vec<f64> {
        let k = self.pairs.len();
        let y = (0..k).map(|j| self.pairs.pair(j).1[i].to_f64());
        y.chain((0..k).map(|j| self.theta * self.pairs.pair(j).0[i].to_f64())).collect()
    }

    /// M v; NaN where M⁻¹ is singular, which makes steps that are not taken.
    fn apply_middle(&self, v: &[f64]) -> Vec<f64> {
        let Some(inverse) = &self.middle else { return v.to_vec() };
        inverse.solve(v).unwrap_or_else(|_| vec![f64::NAN; v.len()])
    }

    /// Where the model says to go.
    fn minimise(&self, x: &[f64]) -> Vec<f64> {
        let (cauchy, c) = self.cauchy_point(x);
        if self.middle.is_none() {
            return cauchy;
        }
        self.subspace_minimum(x, cauchy, &c)
    }

    /// The first minimiser of the model along the projected gradient path (algorithm CP), and c = Wᵀ(x_c − x).
    fn cauchy_point(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (n, size, theta) = (x.len(), self.size(), self.theta);
        let mut breaks: Vec<(f64, usize)> = Vec::new();
        let (mut d, mut p) = (vec![0.0; n], vec![0.0; size]);
        for i in 0..n {
            let g = self.gradient[i];
            let t = if g < 0.0 {
                (x[i] - self.upper[i]) / g
            } else if g > 0.0 {
                (x[i] - self.lower[i]) / g
            } else {
                continue;
            };
            if t > 0.0 {
                d[i] = -g;
                if size > 0 {
                    vector::axpy(-g, &self.row(i), &mut p);
                }
                if t.is_finite() {
                    breaks.push((t, i));
                }
            }
        }
        breaks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut point = x.to_vec();
        let mut c = vec![0.0; size];
        let mut slope = -dot(&d, &d);
        let mut curvature = -theta * slope - dot(&p, &self.apply_middle(&p));
        let least_curvature = rounding::of_product::<f64>(-theta, slope);
        let mut best = if slope < 0.0 { -slope / curvature.max(least_curvature) } else { 0.0 };
        let mut reached = 0.0;
        for (t, b) in breaks {
            let advance = t - reached;
            if best < advance {
                break;
            }
            // Variable b meets its bound and stays.
            let g = self.gradient[b];
            point[b] = if d[b] > 0.0 { self.upper[b] } else { self.lower[b] };
            let z = point[b] - x[b];
            vector::axpy(advance, &p, &mut c);
            let row = self.row(b);
            let middle_row = self.apply_middle(&row);
            slope += advance * curvature + g * g + theta * g * z - g * dot(&middle_row, &c);
            curvature -= theta * g * g + 2.0 * g * dot(&middle_row, &p) + g * g * dot(&middle_row, &row);
            curvature = curvature.max(least_curvature);
            vector::axpy(g, &row, &mut p);
            d[b] = 0.0;
            best = -slope / curvature;
            reached = t;
        }
        let best = if best.is_finite() { best.max(0.0) } else { 0.0 };
        vector::axpy(best, &p, &mut c);
        for i in 0..n {
            if d[i] != 0.0 {
                point[i] = x[i] + (reached + best) * d[i];
            }
        }
        (point, c)
    }

    /// The minimiser over the variables that are free at the Cauchy point, cut off at the bounds (the direct primal
    /// method, section 5.1).
    fn subspace_minimum(&self, x: &[f64], cauchy: Vec<f64>, c: &[f64]) -> Vec<f64> {
        let (size, theta) = (self.size(), self.theta);
        let free: Vec<usize> =
            (0..x.len()).filter(|&i| cauchy[i] > self.lower[i] && cauchy[i] < self.upper[i]).collect();
        if free.is_empty() {
            return cauchy;
        }
        let rows: Vec<Vec<f64>> = free.iter().map(|&i| self.row(i)).collect();
        let mc = self.apply_middle(c);
        let reduced: Vec<f64> = free
            .iter()
            .zip(&rows)
            .map(|(&i, row)| self.gradient[i] + theta * (cauchy[i] - x[i]) - dot(row, &mc))
            .collect();
        let (mut v, mut gram) = (vec![0.0; size], vec![0.0; size * size]);
        for (row, r) in rows.iter().zip(&reduced) {
            vector::axpy(*r, row, &mut v);
            for (i, &w) in row.iter().enumerate() {
                vector::axpy(w / theta, row, &mut gram[i * size..(i + 1) * size]);
            }
        }
        // N = I − M WᵀZZᵀW/θ, column by column (the Gram matrix is symmetric).
        let mut system = vec![0.0; size * size];
        for j in 0..size {
            let column = self.apply_middle(&gram[j * size..(j + 1) * size]);
            for i in 0..size {
                system[i * size + j] = f64::from(u8::from(i == j)) - column[i];
            }
        }
        let solved = Qr::new(system, size, size).least_squares(&self.apply_middle(&v));
        let v = solved.solve(&solved.rhs);
        let step: Vec<f64> =
            rows.iter().zip(&reduced).map(|(row, r)| -(r + dot(row, &v) / theta) / theta).collect();
        if !vector::all_finite(&step) {
            return cauchy;
        }
        // The projection of the minimiser, if that goes downhill (Morales and Nocedal, 2011); else cut off.
        let mut projected = cauchy.clone();
        for (&i, &d) in free.iter().zip(&step) {
            projected[i] = (projected[i] + d).clamp(self.lower[i], self.upper[i]);
        }
        let slope: f64 = projected.iter().zip(x).zip(&self.gradient).map(|((p, x), g)| (p - x) * g).sum();
        if slope < 0.0 {
            return projected;
        }
        let mut fraction: f64 = 1.0;
        for (&i, &d) in free.iter().zip(&step) {
            if d > 0.0 {
                fraction = fraction.min((self.upper[i] - cauchy[i]) / d);
            } else if d < 0.0 {
                fraction = fraction.min((self.lower[i] - cauchy[i]) / d);
            }
        }
        let mut point = cauchy;
        for (&i, &d) in free.iter().zip(&step) {
            point[i] = (point[i] + fraction * d).clamp(self.lower[i], self.upper[i]);
        }
        point
    }
}
