//! What is recorded once must give the same bits at other inputs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::tape::{Var, compile};
use wengert::tensor::Float;

/// Inputs and a direction.
pub type Point<T> = (Vec<Var<T>>, Vec<Var<T>>);

/// The same numbers the other way round, so that orders, maxima and comparisons change.
fn reversed<T: Float>(vars: &[Var<T>]) -> Vec<Var<T>> {
    let reversed = |x: &Var<T>| Var::from(x.value().reshape([x.len()]).flip(0).reshape(x.shape()));
    vars.iter().map(reversed).collect()
}

/// Numbers that tell all bits from each other, but not those of one NaN from another's.
fn bits<T: Float>(vars: &[Var<T>]) -> Vec<Vec<u64>> {
    let bits = |x: f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    vars.iter().map(|v| v.value().cast::<f64>().to_vec().into_iter().map(bits).collect()).collect()
}

/// What differs where the function is recorded at the reversed inputs, and replayed there and at the inputs.
pub fn fault<T: Float>(all: impl Fn(&Point<T>) -> Vec<Var<T>>, at: &Point<T>) -> Option<String> {
    let other = (reversed(&at.0), reversed(&at.1));
    // There may be no result at the other inputs: no shape that fits, or no factor.
    let there = catch_unwind(AssertUnwindSafe(|| all(&other))).ok()?;
    let here = all(at);
    let mut recorded = compile(&all);
    for (point, direct) in [(&other, &there), (&other, &there), (at, &here)] {
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
