//! Positions that follow from the order of numbers: quantiles, places in sorted rows, running extremes.

use wengert_tape::Kind;
use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "quantile_neighbour" => |g, at| Quantiles::of(at)?.neighbour(g, at),
        "quantile_part" => |g, at| Quantiles::of(at)?.part(g, at),
        "searchsorted" => searchsorted,
        "running_argmax" => |g, at| running_extreme(g, at, "Greater"),
        "running_argmin" => |g, at| running_extreme(g, at, "Less"),
        _ => return None,
    })
}

/// Between which elements of sorted rows some quantiles are.
struct Quantiles {
    q: Vec<f64>,
    axis: usize,
    /// The length of a row.
    n: usize,
    method: String,
    above: bool,
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
            above: at.flag("above"),
        })
    }

    /// The shape in which the quantiles stand along their axis.
    fn along<T: Float>(&self, at: &At<'_, T>) -> Vec<usize> {
        let mut shape = vec![1; at.rank(0)];
        shape[self.axis] = self.q.len();
        shape
    }

    /// Whether a row ends with NaN, which comes last.
    fn undefined<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> String {
        let last = g.slice(at.x(0), self.axis, (self.n - 1).into(), self.n.into());
        g.op("IsNaN", &[&last])
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

    fn side(&self, place: f64) -> i64 {
        (if self.above { place.ceil() } else { place.floor() }) as i64
    }

    fn weight(&self, place: f64) -> f64 {
        let fraction = place - place.floor();
        let above = if self.method == "Midpoint" && fraction != 0.0 { 0.5 } else { fraction };
        if self.above { above } else { 1.0 - above }
    }

    /// How many elements of each row are numbers, from 1 on, counted from 0.
    fn counted<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> String {
        let undefined = g.op("IsNaN", &[at.x(0)]);
        let there = g.op("Not", &[&undefined]);
        let there = g.cast(&there, Kind::Index);
        let (count, one, zero) = (g.reduce("ReduceSum", &there, &[self.axis], true), g.int(1), g.int(0));
        let last = g.op("Sub", &[&count, &one]);
        // Of a row without any the last element is taken.
        let (none, end) = (g.op("Less", &[&last, &zero]), g.int(self.n as i64 - 1));
        g.op("Where", &[&none, &end, &last])
    }

    /// What a table has for each number of elements that a row may have.
    fn looked_up<T: Float>(&self, g: &mut Graph, at: &At<'_, T>, table: &str) -> String {
        let count = self.counted(g, at);
        // `[n, quantiles]` at the counts, of which there is one along the axis, which the quantiles take the place of.
        let found = g.with("Gather", &[table, &count], vec![AttributeProto::int("axis", 0)]);
        let rank = at.rank(0);
        let mut order: Vec<usize> = (0..rank).collect();
        order[self.axis] = rank;
        order.push(self.axis);
        let found = g.transpose(&found, &order);
        g.squeeze(&found, &[rank as i64])
    }

    fn neighbour<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
        if at.flag("ignore_nan") {
            let table: Vec<i64> =
                (1..=self.n).flat_map(|n| self.places(n).into_iter().map(|p| self.side(p))).collect();
            let table = g.int_tensor(&[self.n, self.q.len()], &table);
            let found = self.looked_up(g, at, &table);
            // A row without numbers has the last, whatever the quantile.
            let empty = self.empty(g, at);
            let last = g.int(self.n as i64 - 1);
            return Ok(g.op("Where", &[&empty, &last, &found]));
        }
        let places: Vec<i64> = self.places(self.n).into_iter().map(|place| self.side(place)).collect();
        let (places, last) = (g.int_tensor(&self.along(at), &places), g.int(self.n as i64 - 1));
        let undefined = self.undefined(g, at);
        Ok(g.op("Where", &[&undefined, &last, &places]))
    }

    fn part<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
        let whole = g.number(self.weight(0.0));
        if at.flag("ignore_nan") {
            let table: Vec<f64> =
                (1..=self.n).flat_map(|n| self.places(n).into_iter().map(|p| self.weight(p))).collect();
            let table = g.numbers(&[self.n, self.q.len()], &table);
            let found = self.looked_up(g, at, &table);
            let empty = self.empty(g, at);
            return Ok(g.op("Where", &[&empty, &whole, &found]));
        }
        let weights: Vec<f64> = self.places(self.n).into_iter().map(|place| self.weight(place)).collect();
        let weights = g.numbers(&self.along(at), &weights);
        let undefined = self.undefined(g, at);
        Ok(g.op("Where", &[&undefined, &whole, &weights]))
    }

    /// Whether a row begins with NaN, and has no number.
    fn empty<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> String {
        let first = g.slice(at.x(0), self.axis, 0usize.into(), 1usize.into());
        g.op("IsNaN", &[&first])
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
