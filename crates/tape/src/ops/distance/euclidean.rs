//! Euclidean distances between all pairs of rows, without a difference in memory, closed under differentiation: with the two
//! sums that their derivatives are made of, which are bilinear but for a and b standing in a difference.

use wengert_tensor::{Float, Shape, Tensor, pair_distances, pair_dots, pair_sums};

use crate::class::piecewise;
use crate::cotangent;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::ops::norm::NotZero;
use crate::ops::select::gated;
use crate::var::Var;

/// ‖aᵢ − bⱼ‖ of a and b.
#[derive(Clone)]
struct Distances;

/// Σⱼ wᵢⱼ·(aᵢ − bⱼ) of w, a and b.
#[derive(Clone)]
struct PairSums;

/// uᵢ·(aᵢ − bⱼ) of u, a and b.
#[derive(Clone)]
struct PairDots;

#[track_caller]
pub(super) fn distances<T: Float>(a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(Distances, &[a, b])
}

fn pair_sum<T: Float>(w: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(PairSums, &[w, a, b])
}

fn pair_dot<T: Float>(u: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(PairDots, &[u, a, b])
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

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        pair_distances(x[0], x[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (a, b) = (at.input(0), at.input(1));
        let weights = || over_distance(cotangent, at.output());
        into.add(0, || pair_sum(&weights(), a, b));
        into.add(1, || pair_sum(&weights().t(), b, a));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (a, b, distance) = (at.input(0), at.input(1), at.output());
        let whole = |t: &Var<T>| t.broadcast_to(batched(t, distance));
        let of_a = tangents[0].as_ref().map(|t| pair_dot(&whole(t), a, b));
        let of_b = tangents[1].as_ref().map(|t| pair_dot(&whole(t), b, a).t());
        cotangent::sum(of_a, of_b).map(|t| over_distance(&t, distance))
    }
    rules_compiled_here!(Distances);
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

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        pair_sums(x[0], x[1], x[2])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (w, a, b) = (at.input(0), at.input(1), at.input(2));
        into.add(0, || pair_dot(cotangent, a, b));
        into.add(1, || cotangent * row_sums(w));
        into.add(2, || -w.t().matmul(cotangent));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (w, a, b) = (at.input(0), at.input(1), at.input(2));
        let of_w = tangents[0].as_ref().map(|t| pair_sum(t, a, b));
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

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        pair_dots(x[0], x[1], x[2])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (u, a, b) = (at.input(0), at.input(1), at.input(2));
        into.add(0, || pair_sum(cotangent, a, b));
        into.add(1, || u * row_sums(cotangent));
        into.add(2, || -cotangent.t().matmul(u));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (u, a, b) = (at.input(0), at.input(1), at.input(2));
        let of_u = tangents[0].as_ref().map(|t| pair_dot(t, a, b));
        let of_a = tangents[1].as_ref().map(|t| row_sums(&(u * t)).broadcast_to(at.output().shape()));
        let of_b = tangents[2].as_ref().map(|t| -u.matmul(&t.t()));
        cotangent::sum(cotangent::sum(of_u, of_a), of_b)
    }

    fn saves(&self) -> Saves {
        Saves::inputs_of(0b111)
    }
    rules_compiled_here!(PairDots);
}
