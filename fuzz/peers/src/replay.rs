//! What is recorded once must give the same bits at other inputs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::tape::{Index, Mask, Var, compile};
use wengert::tensor::{Element, Float, Tensor};

use crate::given::{self, Given};

/// Inputs and a direction.
pub type Point<T> = (Vec<Var<T>>, Vec<Var<T>>);

/// The same elements the other way round, so that orders, maxima, comparisons and labels change.
fn reversed<E: Element>(x: &Tensor<E>) -> Tensor<E> {
    x.reshape([x.shape().count()]).flip(0).reshape(x.shape())
}

fn other<T: Float>((at, along): &Point<T>, (indices, masks): &Given<T>) -> (Point<T>, Given<T>) {
    let vars = |vars: &[Var<T>]| vars.iter().map(|x| Var::from(reversed(x.value()))).collect();
    let indices = indices.iter().map(|x| Index::from(reversed(x.value()))).collect();
    let masks = masks.iter().map(|x| Mask::from(reversed(x.value()))).collect();
    ((vars(at), vars(along)), (indices, masks))
}

/// Numbers that tell all bits from each other, but not those of one NaN from another's.
fn bits<T: Float>(vars: &[Var<T>]) -> Vec<Vec<u64>> {
    let bits = |x: f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    vars.iter().map(|v| v.value().cast::<f64>().to_vec().into_iter().map(bits).collect()).collect()
}

/// What differs where the function is recorded at the reversed inputs, and replayed there and at the inputs.
pub fn fault<T: Float>(all: impl Fn(&Point<T>) -> Vec<Var<T>>, at: &Point<T>) -> Option<String> {
    given::begin();
    let here = all(at);
    let point = (at.clone(), given::last());
    let other = other(&point.0, &point.1);
    let all = |(at, given): &(Point<T>, Given<T>)| given::with(given, || all(at));
    // There may be no result at the other inputs: no shape that fits, or no factor.
    let there = catch_unwind(AssertUnwindSafe(|| all(&other))).ok()?;
    let mut recorded = compile(&all);
    for (point, direct) in [(&other, &there), (&other, &there), (&point, &here)] {
        let found = recorded.call(point);
        if let Some(n) = (0..direct.len()).find(|&n| bits(&found)[n] != bits(direct)[n]) {
            let shown = |v: &[Var<T>]| format!("{:?}", v[n].value().to_vec());
            return Some(format!(
                "result {n}, {:?}: {} and not {}",
                recorded.ran(),
                shown(&found),
                shown(direct)
            ));
        }
    }
    None
}
