//! Distances between all pairs of rows, without a difference in memory, closed under differentiation: with the two
//! sums that their derivatives are made of. Of Euclidean distances these are bilinear but for a and b standing in a difference; of
//! city distances they are made of the signs of the differences, which have no derivative.

use wengert_tensor::{
    Distance, Float, Shape, Tensor, own_pair_distances, pair_distances, pair_dots, pair_sums,
};

use super::condensed::{condensed, symmetric};
use crate::class::piecewise;
use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::ops::norm::NotZero;
use crate::ops::select::gated;
use crate::var::Var;

/// ‖aᵢ − bⱼ‖ of a and b.
struct Distances(Distance);

/// ‖aᵢ − aⱼ‖ of the pairs i < j of the rows of a matrix.
struct OwnDistances(Distance);

/// Σⱼ wᵢⱼ·(aᵢ − bⱼ) of w, a and b; or of the signs.
struct PairSums(Distance);

/// uᵢ·(aᵢ − bⱼ) of u, a and b; or of the signs.
struct PairDots(Distance);

/// The distance that is the p-norm of a difference, if it is one of these.
pub(super) fn of_order(p: f64) -> Option<Distance> {
    if p == 1.0 {
        Some(Distance::City)
    } else if p == 2.0 {
        Some(Distance::Euclidean)
    } else {
        None
    }
}

#[track_caller]
pub(super) fn distances<T: Float>(metric: Distance, a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(Distances(metric), &[a, b])
}

/// Of all pairs of rows of a matrix.
#[track_caller]
pub(super) fn own_distances<T: Float>(metric: Distance, a: &Var<T>) -> Var<T> {
    apply(OwnDistances(metric), &[a])
}

fn pair_sum<T: Float>(metric: Distance, w: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(PairSums(metric), &[w, a, b])
}

fn pair_dot<T: Float>(metric: Distance, u: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(PairDots(metric), &[u, a, b])
}

fn describe(metric: Distance, attributes: &mut Attributes) {
    attributes.set("p", if metric == Distance::City { 1.0 } else { 2.0 });
}

/// `v`, a cotangent or a tangent of distances, by what the slopes of the sums are too large.
fn over<T: Float>(metric: Distance, v: &Var<T>, distance: &Var<T>) -> Var<T> {
    if metric == Distance::City { v.clone() } else { over_distance(v, distance) }
}

/// The sum of each row, which stays.
fn row_sums<T: Float>(x: &Var<T>) -> Var<T> {
    x.sum_axes(-1, true)
}

/// `v`, a cotangent or a tangent of distances, divided by them, or 0 where they are 0: behind the quotient and before it, so that
/// neither what comes from there nor what goes there meets the other factor.
fn over_distance<T: Float>(v: &Var<T>, distance: &Var<T>) -> Var<T> {
    let smooth = piecewise(NotZero, &[distance]);
    let divisor = distance.masked_fill(distance.equal(0.0), 1.0);
    gated(&(gated(v, &smooth) / divisor), &smooth)
}

impl<T: Float> Op<T> for Distances {
    fn name(&self) -> &str {
        "cdist"
    }
    fn describe(&self, attributes: &mut Attributes) {
        describe(self.0, attributes);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        pair_distances(self.0, x[0], x[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (a, b) = (at.input(0), at.input(1));
        let weights = || over(self.0, cotangent, at.output());
        into.add(0, || pair_sum(self.0, &weights(), a, b));
        into.add(1, || pair_sum(self.0, &weights().t(), b, a));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (a, b, distance) = (at.input(0), at.input(1), at.output());
        let whole = |t: &Var<T>| t.broadcast_to(batched(t, distance));
        let of_a = tangents[0].as_ref().map(|t| pair_dot(self.0, &whole(t), a, b));
        let of_b = tangents[1].as_ref().map(|t| pair_dot(self.0, &whole(t), b, a).t());
        cotangent::sum(of_a, of_b).map(|t| over(self.0, &t, distance))
    }
    rules_compiled_here!(Distances);
}

impl<T: Float> Op<T> for OwnDistances {
    fn name(&self) -> &str {
        "pdist"
    }
    fn describe(&self, attributes: &mut Attributes) {
        describe(self.0, attributes);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        own_pair_distances(self.0, x[0])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let a = at.input(0);
        into.add(0, || {
            let weights = over(self.0, cotangent, at.output());
            pair_sum(self.0, &symmetric(&weights, a.shape()[0]), a, a)
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let a = at.input(0);
        let dots = pair_dot(self.0, tangents[0].as_ref()?, a, a);
        Some(over(self.0, &condensed(&dots), at.output()))
    }
    rules_compiled_here!(OwnDistances);
}

/// The shape of rows with the batch of other matrices.
fn batched<T: Float>(rows: &Var<T>, like: &Var<T>) -> Shape {
    let lead = &like.shape()[..like.rank() - 2];
    lead.iter().chain(&rows.shape()[rows.rank() - 2..]).copied().collect()
}

impl<T: Float> Op<T> for PairSums {
    fn name(&self) -> &str {
        "pair_sums"
    }
    fn describe(&self, attributes: &mut Attributes) {
        describe(self.0, attributes);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        pair_sums(self.0, x[0], x[1], x[2])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (w, a, b) = (at.input(0), at.input(1), at.input(2));
        into.add(0, || pair_dot(self.0, cotangent, a, b));
        if self.0 == Distance::City {
            return;
        }
        into.add(1, || cotangent * row_sums(w));
        into.add(2, || -w.t().matmul(cotangent));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (w, a, b) = (at.input(0), at.input(1), at.input(2));
        let of_w = tangents[0].as_ref().map(|t| pair_sum(self.0, t, a, b));
        if self.0 == Distance::City {
            return of_w;
        }
        let of_a = tangents[1].as_ref().map(|t| t * row_sums(w));
        let of_b = tangents[2].as_ref().map(|t| -w.matmul(t));
        cotangent::sum(cotangent::sum(of_w, of_a), of_b)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(PairSums);
}

impl<T: Float> Op<T> for PairDots {
    fn name(&self) -> &str {
        "pair_dots"
    }
    fn describe(&self, attributes: &mut Attributes) {
        describe(self.0, attributes);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        pair_dots(self.0, x[0], x[1], x[2])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (u, a, b) = (at.input(0), at.input(1), at.input(2));
        into.add(0, || pair_sum(self.0, cotangent, a, b));
        if self.0 == Distance::City {
            return;
        }
        into.add(1, || u * row_sums(cotangent));
        into.add(2, || -cotangent.t().matmul(u));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (u, a, b) = (at.input(0), at.input(1), at.input(2));
        let of_u = tangents[0].as_ref().map(|t| pair_dot(self.0, t, a, b));
        if self.0 == Distance::City {
            return of_u;
        }
        let of_a = tangents[1].as_ref().map(|t| row_sums(&(u * t)).broadcast_to(at.output().shape()));
        let of_b = tangents[2].as_ref().map(|t| -u.matmul(&t.t()));
        cotangent::sum(cotangent::sum(of_u, of_a), of_b)
    }

    fn saves(&self) -> Saves {
        Saves::inputs_of(0b111)
    }
    rules_compiled_here!(PairDots);
}
