//! Numbers of evaluations, and their limits.

use std::cell::Cell;
use std::ops::{AddAssign, Sub};
use std::rc::Rc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::minimize::outcome::Reason;

/// How often an objective was evaluated.
///
/// ```
/// use wengert_optim::{Counts, Method, NewtonCg, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0])
///     .with_gradient(|x, g| g[0] = 2.0 * x[0])
///     .with_hvp(|_, v, out| out[0] = 2.0 * v[0]);
/// let Counts { values, gradients, products } = NewtonCg::default().minimize(&f, &[3.0])?.counts;
/// assert!(values >= gradients && products > 0);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Values f(x), including those that came with a gradient.
    pub values: u64,
    /// Gradients ∇f(x).
    pub gradients: u64,
    /// Products of a vector with a Hessian, a Gauss–Newton matrix, a Jacobian or its transpose.
    pub products: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        // Counts may come from a checkpoint, so from anywhere.
        self.values = self.values.saturating_add(other.values);
        self.gradients = self.gradients.saturating_add(other.gradients);
        self.products = self.products.saturating_add(other.products);
    }
}

impl Sub for Counts {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_sub(other.values),
            gradients: self.gradients.saturating_sub(other.gradients),
            products: self.products.saturating_sub(other.products),
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} f, {} g", self.values, self.gradients)?;
        if self.products > 0 { write!(f, ", {} Hv", self.products) } else { Ok(()) }
    }
}

/// Up to where evaluations are granted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) values: u64,
    pub(crate) products: u64,
    pub(crate) deadline: Option<Instant>,
}

impl Limits {
    pub(crate) const NONE: Self = Self { values: u64::MAX, products: u64::MAX, deadline: None };

    /// The budget that is used up, if one is.
    pub(super) fn spent(&self, counts: Counts) -> Option<Reason> {
        if counts.values >= self.values || counts.products >= self.products {
            Some(Reason::MaxEvaluations)
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some(Reason::TimeLimit)
        } else {
            None
        }
    }
}

/// Evaluations so far, shared by all clones, and up to where they are granted.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    counts: Rc<Cell<Counts>>,
    limits: Cell<Limits>,
    /// Whether products were asked for that are more than were left: what the method does with none of them counts for nothing.
    refused: Rc<Cell<bool>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { counts: Rc::default(), limits: Cell::new(Limits::NONE), refused: Rc::default() }
    }
}

impl Budget {
    pub(super) fn counts(&self) -> Counts {
        self.counts.get()
    }

    pub(super) fn add(&self, more: Counts) {
        let mut counts = self.counts.get();
        counts += more;
        self.counts.set(counts);
    }

    pub(super) fn restore(&self, counts: Counts) {
        self.counts.set(counts);
    }

    pub(super) fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
        self.refused.set(false);
    }

    /// The budget that is used up, or was too small for what was asked for, if one is.
    pub(super) fn spent(&self) -> Option<Reason> {
        let refused = self.refused.get().then_some(Reason::MaxEvaluations);
        refused.or_else(|| self.limits.get().spent(self.counts.get()))
    }

    /// Counts products, unless the budget does not reach so far: then there are none, and nothing is granted any more.
    pub(super) fn grant_products(&self, products: usize) -> bool {
        if self.spent().is_some() {
            return false;
        }
        let products = products as u64;
        let granted = products <= self.limits.get().products - self.counts.get().products;
        if granted {
            self.add(Counts { products, ..Counts::default() });
        } else {
            self.refused.set(true);
        }
        granted
    }
}
