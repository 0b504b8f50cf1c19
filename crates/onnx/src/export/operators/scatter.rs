//! Writing at indices.

use wengert_tensor::Float;

use super::reduce::product;
use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "index_add" => |g, at| {
            let zeros = zeros(g, at);
            slices(g, at, &zeros, 0, "add")
        },
        "scatter_add" => |g, at| {
            let zeros = zeros(g, at);
            Ok(elements(g, at.axis()?, [&zeros, at.x(1), at.x(0)], "add"))
        },
        "index_copy" => |g, at| slices(g, at, at.x(0), 1, "none"),
        "scatter" => |g, at| Ok(elements(g, at.axis()?, [at.x(0), at.x(2), at.x(1)], "none")),
        "scatter_max" => |g, at| extreme(g, at, "max"),
        "scatter_min" => |g, at| extreme(g, at, "min"),
        "touched" => touched,
        "max_unpool" => max_unpool,
        _ => return None,
    })
}

/// Zeros of the result's shape.
fn zeros<T: Float>(g: &mut Graph, at: &At<'_, T>) -> String {
    let zero = g.number(0.0);
    g.expand(&zero, at.out())
}

fn elements(g: &mut Graph, axis: usize, [x, index, source]: [&str; 3], reduction: &str) -> String {
    let mut attributes = vec![AttributeProto::int("axis", axis as i64)];
    if reduction != "none" {
        attributes.push(AttributeProto::string("reduction", reduction));
    }
    g.with("ScatterElements", &[x, index, source], attributes)
}

/// Whole slices of an axis: the index, which is the last operand, repeated for each of their elements.
fn slices<T: Float>(
    g: &mut Graph,
    at: &At<'_, T>,
    x: &str,
    source: usize,
    reduction: &str,
) -> Result<String, String> {
    let axis = at.axis()?;
    // The index may have any number of axes, which the source has in the place of the one.
    let last = at.count() - 1;
    let (before, behind) = (&at.shape(source)[..axis], &at.shape(source)[axis + at.rank(last)..]);
    let places =
        product(at.shape(last)).ok_or("its index has no number of places that grows with the batch")?;
    let whole = [before, &[places], behind].concat();
    let mut along = vec![1usize.into(); whole.len()];
    along[axis] = places;
    let index = g.reshape(at.x(last), &along);
    let each = g.expand(&index, &whole);
    let source = g.reshape(at.x(source), &whole);
    Ok(elements(g, axis, [x, &each, &source], reduction))
}

fn extreme<T: Float>(g: &mut Graph, at: &At<'_, T>, reduction: &str) -> Result<String, String> {
    if g.opset < 18 {
        return Err(format!(
            "ScatterElements with the reduction `{reduction}` is in operator set 18, not in {}",
            g.opset
        ));
    }
    if at.flag("slices") {
        return slices(g, at, at.x(0), 1, reduction);
    }
    Ok(elements(g, at.axis()?, [at.x(0), at.x(2), at.x(1)], reduction))
}

/// Whether something comes to each place.
fn touched<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axis = at.axis()?;
    let (zero, one) = (g.int(0), g.int(1));
    let none = g.expand(&zero, at.out());
    let (index, ones) = if at.rank(0) == at.out().len() {
        (at.x(0).to_owned(), g.expand(&one, at.shape(0)))
    } else {
        // Whole slices.
        let mut shape = vec![1usize.into(); at.out().len()];
        shape[axis] = at.shape(0)[0];
        let along = g.reshape(at.x(0), &shape);
        let mut each = at.out().to_vec();
        each[axis] = at.shape(0)[0];
        (g.expand(&along, &each), g.expand(&one, &each))
    };
    let counts = elements(g, axis, [&none, &index, &ones], "none");
    Ok(g.op("Greater", &[&counts, &zero]))
}

/// Each element at the pixel of its plane that its position means.
fn max_unpool<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let out = at.out();
    let [pixels, pooled] =
        [out, at.shape(0)].map(|shape| shape[2..].iter().try_fold(1, |n, l| Some(n * l.known()?)));
    let (Some(pixels), Some(pooled)) = (pixels, pooled) else {
        return Err("its planes depend on the size of the batch".into());
    };
    let (planes, small) = ([out[0], out[1], pixels.into()], [out[0], out[1], pooled.into()]);
    let zero = g.number(0.0);
    let zeros = g.expand(&zero, &planes);
    let (source, index) = (g.reshape(at.x(0), &small), g.reshape(at.x(1), &small));
    let spread = elements(g, 2, [&zeros, &index, &source], "none");
    Ok(g.reshape(&spread, out))
}
