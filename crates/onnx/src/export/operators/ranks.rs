//! Positions that follow from the order of numbers: quantiles, places in sorted rows, running extremes.

use wengert_tape::Kind;
use wengert_tensor::Float;

use super::order::first;
use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "quantile_neighbour" => |g, at| Ok(Quantiles::of(at)?.neighbours(g, at)),
        "quantile_part" => |g, at| Ok(Quantiles::of(at)?.parts(g, at)),
        "searchsorted" => searchsorted,
        "running_argmax" => |g, at| running_extreme(g, at, "Greater"),
        "running_argmin" => |g, at| running_extreme(g, at, "Less"),
        _ => return None,
    })
}

/// Between which elements of rows, in ascending order, some quantiles are.
struct Quantiles {
    q: Vec<f64>,
    axis: usize,
    /// The length of a row.
    n: usize,
    method: String,
    ignore_nan: bool,
}

impl Quantiles {
    fn of<T: Float>(at: &At<'_, T>) -> Result<Self, String> {
        let q = at.text("q").unwrap_or_default().trim_matches(['[', ']']).split(',');
        let axis = at.axis()?;
        Ok(Quantiles {
            q: q.filter_map(|q| q.trim().parse().ok()).collect(),
            axis,
            n: at.dim(0, axis)?,
            method: at.text("method").unwrap_or_default().to_owned(),
            ignore_nan: at.flag("ignore_nan"),
        })
    }

    /// The shape in which what is below and above the quantiles stands along their axis.
    fn along<T: Float>(&self, at: &At<'_, T>) -> Vec<usize> {
        let mut shape = vec![1; at.rank(0)];
        shape[self.axis] = 2 * self.q.len();
        shape
    }

    /// The places in a row of so many numbers.
    fn places(&self, numbers: usize) -> Vec<f64> {
        let place = |&q: &f64| {
            let place = q * (numbers - 1) as f64;
            match &self.method[..] {
                "Lower" => place.floor(),
                "Higher" => place.ceil(),
                "Nearest" => place.round_ties_even(),
                _ => place,
            }
        };
        self.q.iter().map(place).collect()
    }

    /// The ranks below all quantiles of a row of so many numbers, and those above.
    fn ranks(&self, numbers: usize) -> Vec<i64> {
        let places = self.places(numbers);
        let below = places.iter().map(|place| place.floor() as i64);
        below.chain(places.iter().map(|place| place.ceil() as i64)).collect()
    }

    /// How much the elements of those ranks count.
    fn weights(&self, numbers: usize) -> Vec<f64> {
        let above = |place: &f64| match place - place.floor() {
            fraction if self.method == "Midpoint" && fraction != 0.0 => 0.5,
            fraction => fraction,
        };
        let above: Vec<f64> = self.places(numbers).iter().map(above).collect();
        above.iter().map(|part| 1.0 - part).chain(above.iter().copied()).collect()
    }

    /// How many elements of each row are numbers.
    fn counted<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> String {
        let undefined = g.op("IsNaN", &[at.x(0)]);
        let there = g.op("Not", &[&undefined]);
        let there = g.cast(&there, Kind::Index);
        g.reduce("ReduceSum", &there, &[self.axis], true)
    }

    /// The entry of a table that has one for each number of numbers that a row may have, from 1 on, or `at_end` where the quantiles
    /// are the row's last element: where it has a NaN that is not passed over, or no number.
    fn looked_up<T: Float>(
        &self,
        g: &mut Graph,
        at: &At<'_, T>,
        at_end: &str,
        table: impl FnOnce(&mut Graph, &[usize], std::ops::RangeInclusive<usize>) -> String,
    ) -> String {
        let counted = self.counted(g, at);
        if !self.ignore_nan {
            let entry = table(g, &self.along(at), self.n..=self.n);
            let whole = g.int(self.n as i64);
            let undefined = g.op("Less", &[&counted, &whole]);
            return g.op("Where", &[&undefined, at_end, &entry]);
        }
        let table = table(g, &[self.n, 2 * self.q.len()], 1..=self.n);
        let one = g.int(1);
        let empty = g.op("Less", &[&counted, &one]);
        let (place, first) = (g.op("Sub", &[&counted, &one]), g.int(0));
        let place = g.op("Where", &[&empty, &first, &place]);
        // `[n, quantiles]` at the counts, of which there is one along the axis, which the quantiles take the place of.
        let found = g.with("Gather", &[&table, &place], vec![AttributeProto::int("axis", 0)]);
        let rank = at.rank(0);
        let mut order: Vec<usize> = (0..rank).collect();
        order[self.axis] = rank;
        order.push(self.axis);
        let found = g.transpose(&found, &order);
        let found = g.squeeze(&found, &[rank as i64]);
        g.op("Where", &[&empty, at_end, &found])
    }

    /// The positions of the elements below all quantiles, and behind them of those above.
    fn neighbours<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> String {
        let last = g.int(self.n as i64 - 1);
        let ranks = self.looked_up(g, at, &last, |g, shape, numbers| {
            g.int_tensor(shape, &numbers.flat_map(|n| self.ranks(n)).collect::<Vec<i64>>())
        });
        let order = first(g, at, self.n as i64, false);
        g.with("GatherElements", &[&order, &ranks], vec![AttributeProto::int("axis", self.axis as i64)])
    }

    /// How much each of those elements counts.
    fn parts<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> String {
        let count = self.q.len();
        let at_end: Vec<f64> = (0..2 * count).map(|i| if i < count { 1.0 } else { 0.0 }).collect();
        let at_end = g.numbers(&self.along(at), &at_end);
        self.looked_up(g, at, &at_end, |g, shape, numbers| {
            g.numbers(shape, &numbers.flat_map(|n| self.weights(n)).collect::<Vec<f64>>())
        })
    }
}

/// How many elements of sorted rows come before each value; NaN comes last.
fn searchsorted<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (rows, values) = (at.rank(0) as i64, at.rank(1) as i64);
    let value = g.unsqueeze(at.x(1), &[values]);
    let row = if rows == 1 { at.x(0).to_owned() } else { g.unsqueeze(at.x(0), &[rows - 1]) };
    let undefined = g.op("IsNaN", &[&value]);
    let before = if at.flag("right") {
        let before = g.op("LessOrEqual", &[&row, &value]);
        g.op("Or", &[&before, &undefined])
    } else {
        let (before, number) = (g.op("Less", &[&row, &value]), g.op("IsNaN", &[&row]));
        let number = g.op("Not", &[&number]);
        let last = g.op("And", &[&undefined, &number]);
        g.op("Or", &[&before, &last])
    };
    let ones = g.cast(&before, Kind::Index);
    Ok(g.reduce("ReduceSum", &ones, &[values as usize], false))
}

/// For each element the position of the extreme up to it, by comparing each with each: the last that none before it exceeds.
fn running_extreme<T: Float>(g: &mut Graph, at: &At<'_, T>, exceeds: &str) -> Result<String, String> {
    let axis = at.axis()?;
    let n = at.dim(0, axis)?;
    let shape: Vec<usize> = [n, n].into_iter().chain(vec![1; at.rank(0) - axis - 1]).collect();
    // Along `axis` is which element, along the next which other one.
    let earlier: Vec<bool> = (0..n * n).map(|i| i % n < i / n).collect();
    let earlier = g.flags(&shape, &earlier);
    let (each, other) = (g.unsqueeze(at.x(0), &[axis as i64 + 1]), g.unsqueeze(at.x(0), &[axis as i64]));
    let more = g.op(exceeds, &[&other, &each]);
    let (undefined, other_undefined) = (g.op("IsNaN", &[&each]), g.op("IsNaN", &[&other]));
    let number = g.op("Not", &[&undefined]);
    let after_nan = g.op("And", &[&number, &other_undefined]);
    let more = g.op("Or", &[&more, &after_nan]);
    let more = g.op("And", &[&more, &earlier]);
    let more = g.cast(&more, Kind::Index);
    let (count, zero) = (g.reduce("ReduceSum", &more, &[axis + 1], false), g.int(0));
    let record = g.op("Equal", &[&count, &zero]);
    // The last of the records up to each.
    let record = g.unsqueeze(&record, &[axis as i64]);
    let up_to: Vec<bool> = (0..n * n).map(|i| i % n <= i / n).collect();
    let up_to = g.flags(&shape, &up_to);
    let there = g.op("And", &[&record, &up_to]);
    let positions: Vec<i64> = (0..n as i64).collect();
    let positions = g.int_tensor(&shape[1..], &positions);
    let positions = g.op("Where", &[&there, &positions, &zero]);
    Ok(g.reduce("ReduceMax", &positions, &[axis + 1], false))
}
