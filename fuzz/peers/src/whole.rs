//! Tensors of every type of elements, without derivatives: what moves, orders and counts elements, on views of views, and what is
//! written in place.

use serde_json::{Value, json};
use wengert::tensor::{Element, Tensor};

use crate::ops::slice;
use crate::wire::{self, Attrs};

/// The shape and the numbers.
fn seen<T: Element>(x: &Tensor<T>) -> Value {
    json!([x.shape().to_vec(), wire::text(x)])
}

/// What a step gives: what the next one takes, and what else comes of it.
fn apply<T: Element>(name: &str, a: &Attrs, x: &Tensor<T>) -> (Tensor<T>, Vec<Value>) {
    let axis = || a.int("axis");
    let mask = || wire::truth(a.get("mask"));
    let index = || wire::positions(a.get("index"));
    let same = |others: Vec<Value>| (x.clone(), others);
    let next = match name {
        "reshape" => x.reshape(&a.ints("shape")[..]),
        "flatten" => x.flatten(a.int("start"), a.int("end")),
        "permute" => x.permute(a.axes("order")),
        "transpose" => x.transpose(a.int("a"), a.int("b")),
        "unsqueeze" => x.unsqueeze(axis()),
        "squeeze" => x.squeeze(axis()),
        "flip" => x.flip(a.axes("axes")),
        "slice_axis" => x.slice_axis(axis(), slice(a)),
        "select" => x.select(axis(), a.int("at")),
        "broadcast_to" => x.broadcast_to(a.sizes("shape")),
        "diagonal" => x.diagonal(a.int("offset")),
        "diag" => x.diag(a.int("offset")),
        "tril" => x.tril(a.int("offset")),
        "triu" => x.triu(a.int("offset")),
        "contiguous" => x.contiguous(),
        "cat" => Tensor::cat(&[x.clone(), x.flip(..), x.clone()], axis()),
        "stack" => Tensor::stack(&[x.flip(..), x.clone()], axis()),
        "pad" => x.pad(&a.pairs("widths"), T::narrow(a.number("value"))),
        "tile" => x.tile(&a.sizes("counts")),
        "repeat_interleave" => x.repeat_interleave(a.size("count"), axis()),
        "roll" => x.roll(a.int("shift"), axis()),
        "index_select" => x.index_select(axis(), &index()),
        "gather" => x.gather(axis(), &index()),
        "sort" => x.sort(axis(), a.flag("descending")),
        "argsort" => return same(vec![seen(&x.argsort(axis(), a.flag("descending")))]),
        "topk" => {
            let (values, places) = x.topk(a.size("k"), axis());
            return (values, vec![seen(&places)]);
        }
        "unique" => x.unique(),
        "masked_fill" => x.masked_fill(&mask(), T::narrow(a.number("value"))),
        "masked_select" => x.masked_select(&mask()),
        "select_where" => Tensor::select_where(&mask(), x, &x.flip(..)),
        "nonzero" => return same(vec![seen(&x.nonzero())]),
        "truth" => {
            let truth = x.cast::<bool>();
            let (axes, keep) = (a.axes("axes"), a.flag("keep"));
            return same(vec![
                seen(&truth.any_axes(axes.clone(), keep)),
                seen(&truth.all_axes(axes.clone(), keep)),
                seen(&x.count_nonzero(axes, keep)),
            ]);
        }
        "cast" => {
            return same(vec![
                seen(&x.cast::<u8>()),
                seen(&x.cast::<u32>()),
                seen(&x.cast::<f32>()),
                seen(&x.cast::<bool>()),
            ]);
        }
        // Who has the tensor too does not see what is written, and what is written may be a part of itself.
        "slice_assign" => {
            let mut written = x.clone();
            written.slice_assign(axis(), slice(a), &x.flip(..).slice_axis(axis(), slice(a)));
            return (written, vec![seen(x)]);
        }
        "select_assign" => {
            let mut written = x.clone();
            let source = written.select(axis(), a.int("from"));
            written.select_assign(axis(), a.int("at"), &source);
            return (written, vec![seen(x), seen(&source)]);
        }
        "parts" => {
            return same(
                x.split(a.size("size"), axis())
                    .iter()
                    .chain(&x.chunk(a.size("count"), axis()))
                    .map(seen)
                    .collect(),
            );
        }
        other => panic!("there is no operation {other}"),
    };
    (next, Vec::new())
}

fn run<T: Element>(case: &Value) -> Value {
    let mut x: Tensor<T> = wire::tensor(&case["start"]);
    let mut results = vec![seen(&x)];
    for step in case["steps"].as_array().expect("a list of steps") {
        let (next, others) = apply(step[0].as_str().expect("a name"), &Attrs(&step[1]), &x);
        results.push(seen(&next));
        results.extend(others);
        x = next;
    }
    json!({ "results": results })
}

/// What all steps give.
pub fn answer(case: &Value) -> Value {
    match case["element"].as_str() {
        Some("u8") => run::<u8>(case),
        Some("u32") => run::<u32>(case),
        Some("bool") => run::<bool>(case),
        Some("f32") => run::<f32>(case),
        Some("f64") => run::<f64>(case),
        other => panic!("there are no elements {other:?}"),
    }
}
