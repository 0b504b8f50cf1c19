//! What moves elements and leaves them as they are.

use wengert::tape::{Indexing, PadMode, Var};
use wengert::tensor::{Float, Slice};

use super::{Results, one};
use crate::wire::Attrs;

/// A slice with a step, from its ends as texts would have them: `null` is an open end.
pub fn slice(a: &Attrs) -> Slice {
    let slice = match (a.has("start"), a.has("end")) {
        (true, true) => Slice::from(a.int("start")..a.int("end")),
        (true, false) => Slice::from(a.int("start")..),
        (false, true) => Slice::from(..a.int("end")),
        (false, false) => Slice::from(..),
    };
    slice.step(a.int("step"))
}

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    match name {
        "cat" => return one(Var::cat(v, a.int("axis"))),
        "stack" => return one(Var::stack(v, a.int("axis"))),
        "hstack" => return one(Var::hstack(v)),
        "vstack" => return one(Var::vstack(v)),
        "dstack" => return one(Var::dstack(v)),
        "block_diag" => return one(Var::block_diag(v)),
        "meshgrid" => {
            let order = if a.flag("xy") { Indexing::Xy } else { Indexing::Ij };
            return Some(Var::meshgrid(v, order));
        }
        "cartesian_prod" => return one(Var::cartesian_prod(v)),
        _ => {}
    }
    let x = v.first()?;
    one(match name {
        "reshape" => x.reshape(&a.ints("shape")[..]),
        "flatten" => x.flatten(a.int("start"), a.int("end")),
        "permute" => x.permute(a.axes("order")),
        "transpose" => x.transpose(a.int("a"), a.int("b")),
        "movedim" => x.movedim(&a.ints("source"), &a.ints("destination")),
        "squeeze" => x.squeeze(a.int("axis")),
        "unsqueeze" => x.unsqueeze(a.int("axis")),
        "flip" => x.flip(a.axes("axes")),
        "slice_axis" => x.slice_axis(a.int("axis"), slice(a)),
        "select" => x.select(a.int("axis"), a.int("at")),
        "broadcast_to" => x.broadcast_to(a.sizes("shape")),
        "sum_to" => x.sum_to(&a.sizes("shape").into()),
        "tile" => x.tile(&a.sizes("counts")),
        "roll" => x.roll(a.int("shift"), a.int("axis")),
        "rot90" => x.rot90(a.int("k"), a.ints("axes").try_into().expect("two axes")),
        "repeat_interleave" => x.repeat_interleave(a.size("count"), a.int("axis")),
        "repeat_interleave_counts" => x.repeat_interleave_counts(a.index("counts"), a.int("axis")),
        "windows" => x.windows(a.int("axis"), a.size("size"), a.size("step")),
        "combinations" => x.combinations(a.size("r"), a.flag("replacement")),
        "vander" => x.vander(a.size("n"), a.flag("increasing")),
        "diag_embed" => x.diag_embed(a.int("offset"), a.int("first"), a.int("second")),
        "diag" => x.diag(a.int("offset")),
        "diagonal" => x.diagonal(a.int("offset")),
        "tril" => x.tril(a.int("offset")),
        "triu" => x.triu(a.int("offset")),
        "pad" => x.pad(&a.pairs("widths"), a.number("value")),
        "pad_with" => {
            let mode = match a.text("mode") {
                "reflect" => PadMode::Reflect,
                "replicate" => PadMode::Replicate,
                "circular" => PadMode::Circular,
                other => panic!("there is no border {other}"),
            };
            x.pad_with(&a.pairs("widths"), mode)
        }
        "pixel_shuffle" => x.pixel_shuffle(a.size("factor")),
        "pixel_unshuffle" => x.pixel_unshuffle(a.size("factor")),
        "channel_shuffle" => x.channel_shuffle(a.size("groups")),
        "split" => return Some(x.split(a.size("size"), a.int("axis"))),
        "split_sizes" => return Some(x.split_sizes(&a.sizes("sizes"), a.int("axis"))),
        "chunk" => return Some(x.chunk(a.size("count"), a.int("axis"))),
        "unbind" => return Some(x.unbind(a.int("axis"))),
        _ => return None,
    })
}
