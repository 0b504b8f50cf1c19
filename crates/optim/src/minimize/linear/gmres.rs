use super::{Settings, Solve, Stop, check_input, residual};
use crate::minimize::operator::Operator;
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float, axpy, dot, scale};

/// GMRES (Saad and Schultz, 1986), restarted every `restart` iterations, for any square A x = b from the start in
/// `x`. `restart` + 1 vectors of memory; modified Gram–Schmidt.
///
/// # Panics
/// If the lengths differ, `restart` is 0, or a setting means nothing: a tolerance that is negative or not finite, no iterations.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, gmres};
/// // Not symmetric: a quarter turn.
/// let turn = DenseOperator::new(vec![0.0f64, -1.0, 1.0, 0.0]);
/// let mut x = [0.0; 2];
/// let solved = gmres(&turn, &[1.0, 2.0], &mut x, 10, &Settings::default());
/// assert!(solved.converged() && (x[0] - 2.0).abs() < 1e-12 && (x[1] + 1.0).abs() < 1e-12);
/// ```
#[track_caller]
pub fn gmres<T: Float>(
    a: &dyn Operator<T>,
    b: &[T],
    x: &mut [T],
    restart: usize,
    settings: &Settings,
) -> Solve {
    check_input("gmres", a, b, x, settings);
    assert!(restart > 0, "gmres: restart must be at least 1");
    let target = settings.tolerance * vector::norm(b);
    let limit = settings.limit(b.len());
    let mut space = Space::new(b.len(), restart.min(b.len()));
    let mut iterations = 0;
    loop {
        let start = space.begin(a, b, x);
        let done = |stop, residual| Solve { stop, iterations, residual };
        if !start.is_finite() {
            return done(Stop::NonFinite, start);
        }
        if start <= target {
            return done(Stop::Converged, start);
        }
        if iterations >= limit {
            return done(Stop::MaxIterations, start);
        }
        space.from_length(start);
        let mut growth = Growth::Further;
        while growth == Growth::Further && iterations < limit && space.residual() > target && !space.is_full()
        {
            iterations += 1;
            growth = space.grow(a);
        }
        if growth == Growth::NonFinite {
            return Solve { stop: Stop::NonFinite, iterations, residual: space.residual() };
        }
        space.add_best(x);
        if space.size == 0 {
            return Solve { stop: Stop::Breakdown, iterations, residual: start };
        }
        // An exhausted space that did not solve the system never will.
        let exhausted = growth == Growth::Singular || (!space.is_full() && space.residual() == 0.0);
        if exhausted {
            let residual = space.begin(a, b, x);
            let solved = residual <= target.max(rounding::of::<T>(1e3, start));
            let stop = if solved { Stop::Converged } else { Stop::Breakdown };
            return Solve { stop, iterations, residual };
        }
    }
}

/// What came of one more product.
#[derive(Clone, Copy, PartialEq)]
enum Growth {
    Further,
    /// The space is invariant: what it has is all that there is.
    Invariant,
    /// The product is in the space already but for rounding, and of no use.
    Singular,
    NonFinite,
}

/// The Krylov space since the last restart.
struct Space<T> {
    /// Its orthonormal basis, of one vector more than `size`.
    basis: Vec<Vec<T>>,
    /// Column k of the triangular factor of the Hessenberg matrix, with the rotations that made it.
    columns: Vec<Vec<f64>>,
    rotations: Vec<(f64, f64)>,
    /// The right-hand side under these rotations.
    rhs: Vec<f64>,
    size: usize,
    /// The largest ‖A v‖ of all restarts: what is small beside it is rounding.
    largest: f64,
}

impl<T: Float> Space<T> {
    fn new(n: usize, most: usize) -> Self {
        Space {
            basis: vec![vec![T::ZERO; n]; most + 1],
            columns: vec![vec![0.0; most + 1]; most],
            rotations: vec![(1.0, 0.0); most],
            rhs: vec![0.0; most + 1],
            size: 0,
            largest: 0.0,
        }
    }

    fn is_full(&self) -> bool {
        self.size == self.columns.len()
    }

    /// The length of the residual of the best x in the space.
    fn residual(&self) -> f64 {
        self.rhs[self.size].abs()
    }

    /// Takes the residual of x for its first direction; returns its length.
    fn begin(&mut self, a: &dyn Operator<T>, b: &[T], x: &[T]) -> f64 {
        residual(a, b, x, &mut self.basis[0]);
        vector::norm(&self.basis[0])
    }

    /// Starts anew in that direction, of this length.
    fn from_length(&mut self, start: f64) {
        scale(1.0 / start, &mut self.basis[0]);
        self.rhs.fill(0.0);
        self.rhs[0] = start;
        self.size = 0;
    }

    /// One more product, orthogonalised, and its column of the triangular factor.
    fn grow(&mut self, a: &dyn Operator<T>) -> Growth {
        let size = self.size;
        let (old, new) = self.basis.split_at_mut(size + 1);
        let (w, column) = (&mut new[0], &mut self.columns[size]);
        a.apply(&old[size], w);
        let length = vector::norm(w);
        if !length.is_finite() {
            return Growth::NonFinite;
        }
        self.largest = self.largest.max(length);
        for (h, v) in column.iter_mut().zip(old.iter()) {
            *h = dot(v, w);
            axpy(-*h, v, w);
        }
        let mut below = vector::norm(w);
        // What is left is rounding: the Krylov space is invariant.
        if below <= rounding::of::<T>(1.0, length) {
            below = 0.0;
        } else {
            scale(1.0 / below, w);
        }
        for (k, &(c, s)) in self.rotations[..size].iter().enumerate() {
            (column[k], column[k + 1]) =
                (c * column[k] + s * column[k + 1], c * column[k + 1] - s * column[k]);
        }
        let length = column[size].hypot(below);
        if length <= rounding::of::<T>(4.0 * (size + 1) as f64, self.largest) {
            return Growth::Singular;
        }
        let (c, s) = (column[size] / length, below / length);
        column[size] = length;
        self.rotations[size] = (c, s);
        (self.rhs[size], self.rhs[size + 1]) = (c * self.rhs[size], -s * self.rhs[size]);
        self.size += 1;
        if below == 0.0 { Growth::Invariant } else { Growth::Further }
    }

    /// Back substitution, then x += V y.
    fn add_best(&self, x: &mut [T]) {
        let mut y = self.rhs[..self.size].to_vec();
        for k in (0..self.size).rev() {
            y[k] /= self.columns[k][k];
            for i in 0..k {
                y[i] -= y[k] * self.columns[k][i];
            }
        }
        for (y, v) in y.iter().zip(&self.basis) {
            axpy(*y, v, x);
        }
    }
}
