//! Reading images at places between their elements.

use wengert_tape::Kind;
use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::export::length::Length;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "tap_sums" => tap_sums,
        "neighbours" => numbers,
        "neighbours_inside" => inside,
        _ => return None,
    })
}

/// Sums of pixels `[batch, channels, inputs]` at the places `[batch, taps, outputs]`, each times its weight.
fn tap_sums<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let ([batch, channels], places) = ([at.shape(0)[0], at.shape(0)[1]], at.shape(2));
    let (taps, outputs) = (at.dim(2, 1)?, at.dim(2, 2)?);
    let all: Length = (taps * outputs).into();
    let flat = g.reshape(at.x(2), &[places[0], 1usize.into(), all]);
    let flat = g.expand(&flat, &[batch, channels, all]);
    let read = g.with("GatherElements", &[at.x(0), &flat], vec![AttributeProto::int("axis", 2)]);
    let read = g.reshape(&read, &[batch, channels, taps.into(), outputs.into()]);
    let weights = g.unsqueeze(at.x(1), &[1]);
    let products = g.op("Mul", &[&read, &weights]);
    Ok(g.reduce("ReduceSum", &products, &[2], false))
}

/// The neighbours of places whose lowest whole numbers are the operand, `[batch, axes, outputs]`.
struct Neighbours {
    sizes: Vec<usize>,
    taps: usize,
    padding: String,
    align_corners: bool,
}

impl Neighbours {
    fn of<T: Float>(at: &At<'_, T>) -> Result<Self, String> {
        let sizes = at.text("sizes").ok_or("the size of its images depends on that of the batch")?;
        let sizes = sizes.trim_matches(['[', ']']).split(',').filter_map(|n| n.trim().parse().ok());
        Ok(Neighbours {
            sizes: sizes.collect(),
            taps: at.int("taps")? as usize,
            padding: at.text("padding").unwrap_or_default().to_owned(),
            align_corners: at.flag("align_corners"),
        })
    }

    /// The whole numbers along an axis, `[batch, taps, outputs]`; 0 for a place that is no number.
    fn along<T: Float>(&self, g: &mut Graph, at: &At<'_, T>, axis: usize) -> String {
        let low = g.slice(at.x(0), 1, axis.into(), (axis + 1).into());
        // Of four the first is before the lowest.
        let first = if self.taps == 4 { -1.0 } else { 0.0 };
        let offsets: Vec<f64> = (0..self.taps).map(|tap| first + tap as f64).collect();
        let offsets = g.numbers(&[self.taps, 1], &offsets);
        let (undefined, zero) = (g.op("IsNaN", &[&low]), g.number(0.0));
        let each = g.op("Add", &[&low, &offsets]);
        g.op("Where", &[&undefined, &zero, &each])
    }

    fn last(&self, axis: usize) -> f64 {
        self.sizes[axis].saturating_sub(1) as f64
    }

    /// Mirrored at both ends until it is between them.
    fn reflected(&self, g: &mut Graph, x: &str, axis: usize) -> String {
        let size = self.sizes[axis] as f64;
        let (low, span) = if self.align_corners { (0.0, size - 1.0) } else { (-0.5, size) };
        if span <= 0.0 {
            let zero = g.number(0.0);
            return g.op("Mul", &[x, &zero]);
        }
        let [low, span, half] = [low, span, 0.5].map(|number| g.number(number));
        let from = g.op("Sub", &[x, &low]);
        let from = g.op("Abs", &[&from]);
        let flips = g.op("Div", &[&from, &span]);
        let flips = g.op("Floor", &[&flips]);
        let whole = g.op("Mul", &[&flips, &span]);
        let rest = g.op("Sub", &[&from, &whole]);
        let halves = g.op("Mul", &[&flips, &half]);
        let floor = g.op("Floor", &[&halves]);
        let even = g.op("Equal", &[&halves, &floor]);
        let back = g.op("Sub", &[&span, &rest]);
        let within = g.op("Where", &[&even, &rest, &back]);
        g.op("Add", &[&within, &low])
    }

    /// What the axes have, `[batch, taps, outputs]` each, for each combination of them, the last axis fastest.
    fn combined<T: Float>(
        &self,
        g: &mut Graph,
        at: &At<'_, T>,
        each: Vec<String>,
        join: impl Fn(&mut Graph, &str, &str, usize) -> String,
    ) -> String {
        let (batch, outputs) = (at.shape(0)[0], at.shape(0)[2]);
        let (mut all, mut count) = (each[0].clone(), self.taps);
        for (axis, one) in each.iter().enumerate().skip(1) {
            let (outer, inner) = (g.unsqueeze(&all, &[2]), g.unsqueeze(one, &[1]));
            let joined = join(g, &outer, &inner, axis);
            count *= self.taps;
            all = g.reshape(&joined, &[batch, count.into(), outputs]);
        }
        all
    }

    /// Which of them are in the image.
    fn inside<T: Float>(&self, g: &mut Graph, at: &At<'_, T>) -> String {
        let each = (0..self.sizes.len()).map(|axis| {
            let here = self.along(g, at, axis);
            let (zero, last) = (g.number(0.0), g.number(self.last(axis)));
            let above = g.op("GreaterOrEqual", &[&here, &zero]);
            let below = g.op("LessOrEqual", &[&here, &last]);
            g.op("And", &[&above, &below])
        });
        let each = each.collect();
        self.combined(g, at, each, |g, a, b, _| g.op("And", &[a, b]))
    }
}

/// The positions in the image, 0 for those outside.
fn numbers<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let neighbours = Neighbours::of(at)?;
    let mut each = Vec::new();
    for axis in 0..neighbours.sizes.len() {
        let mut here = neighbours.along(g, at, axis);
        if neighbours.padding == "reflection" {
            here = neighbours.reflected(g, &here, axis);
            // Of what is infinite.
            let (undefined, zero) = (g.op("IsNaN", &[&here]), g.number(0.0));
            here = g.op("Where", &[&undefined, &zero, &here]);
        }
        let (zero, last) = (g.number(0.0), g.number(neighbours.last(axis)));
        let here = g.op("Clip", &[&here, &zero, &last]);
        each.push(g.cast(&here, Kind::Index));
    }
    let sizes = neighbours.sizes.clone();
    let all = neighbours.combined(g, at, each, |g, outer, inner, axis| {
        let size = g.int(sizes[axis] as i64);
        let row = g.op("Mul", &[outer, &size]);
        g.op("Add", &[&row, inner])
    });
    if neighbours.padding != "zeros" {
        return Ok(all);
    }
    let (inside, zero) = (neighbours.inside(g, at), g.int(0));
    Ok(g.op("Where", &[&inside, &all, &zero]))
}

fn inside<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let neighbours = Neighbours::of(at)?;
    if neighbours.padding != "zeros" {
        let truth = g.flags(&[], &[true]);
        return Ok(g.expand(&truth, at.out()));
    }
    Ok(neighbours.inside(g, at))
}
