//! Distances between all pairs of rows, without a difference in memory, closed under differentiation: with the two
//! sums that their derivatives are made of. Of Euclidean distances these are of directions, differences divided by the distance, which
//! stay in range where the difference or the reciprocal of the distance would not stay there with other factors; of city distances they
//! are of the signs of the differences, which have no derivative.

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

/// Σⱼ wᵢⱼ·(aᵢ − bⱼ)/dᵢⱼ of w, a, b and their distances d, which count nothing where they are 0; or of the signs of the differences
/// of w, a and b.
struct PairSums(Distance);

/// uᵢ·(aᵢ − bⱼ)/dᵢⱼ of u, a, b and their distances; or of the signs.
struct PairDots(Distance);

/// The distance that is the p-norm of a difference of so many coordinates, if it is one of these. That of one coordinate is its
/// magnitude for any p above 0, and has no second derivative.
pub(super) fn of_order(p: f64, coordinates: usize) -> Option<Distance> {
    if p == 1.0 || (p > 0.0 && coordinates == 1) {
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

/// With the distances, if the derivatives are made of these, too.
fn pair_sum<T: Float>(w: &Var<T>, a: &Var<T>, b: &Var<T>, distances: Option<&Var<T>>) -> Var<T> {
    match distances {
        None => apply(PairSums(Distance::City), &[w, a, b]),
        Some(d) => apply(PairSums(Distance::Euclidean), &[w, a, b, d]),
    }
}

fn pair_dot<T: Float>(u: &Var<T>, a: &Var<T>, b: &Var<T>, distances: Option<&Var<T>>) -> Var<T> {
    match distances {
        None => apply(PairDots(Distance::City), &[u, a, b]),
        Some(d) => apply(PairDots(Distance::Euclidean), &[u, a, b, d]),
    }
}

/// What `distances` makes, if the derivatives of this distance are made of them.
fn if_euclidean<R>(metric: Distance, distances: impl FnOnce() -> R) -> Option<R> {
    (metric == Distance::Euclidean).then(distances)
}

fn describe(metric: Distance, attributes: &mut Attributes) {
    attributes.set("p", if metric == Distance::City { 1.0 } else { 2.0 });
}

/// The sum of each row, which stays.
fn row_sums<T: Float>(x: &Var<T>) -> Var<T> {
    x.sum_axes(-1, true)
}

/// `v` divided by distances, or 0 where they are 0: behind the quotient and before it, so that neither what comes from there nor
/// what goes there meets the other factor.
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
        let distances = if_euclidean(self.0, || at.output());
        into.add(0, || pair_sum(cotangent, a, b, distances));
        into.add(1, || pair_sum(&cotangent.t(), b, a, distances.map(Var::t).as_ref()));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (a, b) = (at.input(0), at.input(1));
        let distances = if_euclidean(self.0, || at.output());
        let whole = |t: &Var<T>| t.broadcast_to(batched(t, at.output()));
        let of_a = tangents[0].as_ref().map(|t| pair_dot(&whole(t), a, b, distances));
        let of_b =
            tangents[1].as_ref().map(|t| pair_dot(&whole(t), b, a, distances.map(Var::t).as_ref()).t());
        cotangent::sum(of_a, of_b)
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
            let whole = |x: &Var<T>| symmetric(x, a.shape()[0]);
            pair_sum(&whole(cotangent), a, a, if_euclidean(self.0, || whole(at.output())).as_ref())
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let a = at.input(0);
        let distances = if_euclidean(self.0, || symmetric(at.output(), a.shape()[0]));
        Some(condensed(&pair_dot(tangents[0].as_ref()?, a, a, distances.as_ref())))
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
        pair_sums(x[0], x[1], x[2], x.get(3).copied())
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let ([w, a, b], distances) = operands(at);
        into.add(0, || pair_dot(cotangent, a, b, distances));
        let Some(d) = distances else { return };
        into.add(1, || cotangent * row_sums(&over_distance(w, d)));
        into.add(2, || -over_distance(w, d).t().matmul(cotangent));
        into.add(3, || -over_distance(w, d) * pair_dot(cotangent, a, b, distances));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let ([w, a, b], distances) = operands(at);
        let of_w = tangents[0].as_ref().map(|t| pair_sum(t, a, b, distances));
        let Some(d) = distances else { return of_w };
        let of_a = tangents[1].as_ref().map(|t| t * row_sums(&over_distance(w, d)));
        let of_b = tangents[2].as_ref().map(|t| -over_distance(w, d).matmul(t));
        let of_d = tangents[3].as_ref().map(|t| -pair_sum(&(over_distance(w, d) * t), a, b, distances));
        cotangent::sum(cotangent::sum(of_w, of_d), cotangent::sum(of_a, of_b))
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
        pair_dots(x[0], x[1], x[2], x.get(3).copied())
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let ([u, a, b], distances) = operands(at);
        into.add(0, || pair_sum(cotangent, a, b, distances));
        let Some(d) = distances else { return };
        into.add(1, || u * row_sums(&over_distance(cotangent, d)));
        into.add(2, || -over_distance(cotangent, d).t().matmul(u));
        into.add(3, || -over_distance(cotangent, d) * at.output());
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let ([u, a, b], distances) = operands(at);
        let of_u = tangents[0].as_ref().map(|t| pair_dot(t, a, b, distances));
        let Some(d) = distances else { return of_u };
        let of_a = tangents[1].as_ref().map(|t| row_sums(&(u * t)).broadcast_to(at.output().shape()));
        let of_b = tangents[2].as_ref().map(|t| -u.matmul(&t.t()));
        let of_d = tangents[3].as_ref().map(|t| -at.output() * t);
        let divided = cotangent::sum(cotangent::sum(of_a, of_b), of_d);
        cotangent::sum(of_u, divided.map(|t| over_distance(&t, d)))
    }
    rules_compiled_here!(PairDots);
}

/// What is summed, the rows, and their distances where there are any.
fn operands<T: Float>(at: &Point<T>) -> ([&Var<T>; 3], Option<&Var<T>>) {
    ([at.input(0), at.input(1), at.input(2)], at.inputs().get(3))
}
