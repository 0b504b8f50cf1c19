//! Linear maps of one axis: borders, resampling, adaptive means, patches, spectra. Their matrices are what the step itself
//! makes of the unit vectors, so the numbers are its own.

use wengert_tape::Data;
use wengert_tensor::{Float, Tensor};

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "interpolate" | "interpolate_transposed" | "adaptive_avg_pool" | "unfold" | "fold" | "embed" => {
            along_axis
        }
        "pad_with" | "pad_with_transposed" => pad_with,
        _ => return None,
    })
}

/// The matrix `[to, from]` of the step's map of an axis with `from` elements.
fn matrix<T: Float>(at: &At<'_, T>, axis: usize, from: usize) -> (usize, Vec<f64>) {
    let units = Tensor::from_fn([from, from], |i: &[usize]| T::from_f64(f64::from(u8::from(i[0] == i[1]))));
    // The axis, behind `axis` others of one element, and behind it the number of the unit vector.
    let shape: Vec<usize> = std::iter::repeat_n(1, axis).chain([from, from]).collect();
    let images = at.operation.step.run(&[&Data::Float(units.reshape(&shape[..]))]);
    let images = images.float();
    let to = images.shape()[axis];
    (to, images.to_vec().into_iter().map(|x| x.to_f64()).collect())
}

fn along_axis<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axis = at.axis()?;
    let from = at.dim(0, axis)?;
    let (to, matrix) = matrix(at, axis, from);
    // Elements that are only moved are gathered.
    let place = |row: &[f64]| {
        let place = row.iter().position(|&x| x == 1.0)?;
        row.iter().enumerate().all(|(i, &x)| x == f64::from(u8::from(i == place))).then_some(place as i64)
    };
    let places = matrix.chunks(from.max(1)).map(place).collect::<Option<Vec<i64>>>();
    if let Some(places) = places {
        let places = g.ints(&places);
        return Ok(g.with("Gather", &[at.x(0), &places], vec![AttributeProto::int("axis", axis as i64)]));
    }
    let transposed: Vec<f64> = (0..from * to).map(|i| matrix[i % to * from + i / to]).collect();
    let matrix = g.numbers(&[from, to], &transposed);
    let rank = at.rank(0);
    let order: Vec<usize> = (0..axis).chain(axis + 1..rank).chain([axis]).collect();
    let last = g.transpose(at.x(0), &order);
    let product = g.op("MatMul", &[&last, &matrix]);
    let back: Vec<usize> = (0..axis).chain([rank - 1]).chain(axis..rank - 1).collect();
    Ok(g.transpose(&product, &back))
}

/// A border along one axis.
fn pad_with<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let mode = match at.text("mode") {
        Some("reflect") if at.operation.name == "pad_with" => "reflect",
        Some("replicate") if at.operation.name == "pad_with" => "edge",
        _ => return along_axis(g, at),
    };
    let (axis, widths) = (at.axis()?, at.ints("widths")?);
    let mut pads = vec![0; 2 * at.rank(0)];
    pads[axis] = widths[0];
    pads[axis + at.rank(0)] = widths[1];
    let pads = g.ints(&pads);
    Ok(g.with("Pad", &[at.x(0), &pads], vec![AttributeProto::string("mode", mode)]))
}
