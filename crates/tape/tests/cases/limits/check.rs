//! A function's value, slope and curvature at the ends of the range and at 0, in both precisions and every nesting of modes.

use wengert_tape::{Var, grad, hvp, jvp};
use wengert_tensor::Float;

/// Value, slope and curvature at a point, or NaN for what has no limit there.
pub(crate) type Expected = fn(f64) -> [f64; 3];

/// A function with what is to be expected far below, at 0 and far above.
pub(crate) struct Limits {
    pub(crate) name: &'static str,
    pub(crate) single: fn(&Var<f32>) -> Var<f32>,
    pub(crate) double: fn(&Var<f64>) -> Var<f64>,
    pub(crate) low: Expected,
    pub(crate) zero: Expected,
    pub(crate) high: Expected,
}

/// A line of a table: a name, a function, and what is to be expected.
macro_rules! limits {
    ($name:literal, |$x:ident| $f:expr, $low:expr, $zero:expr, $high:expr) => {
        Limits { name: $name, single: |$x| $f, double: |$x| $f, low: $low, zero: $zero, high: $high }
    };
}
pub(crate) use limits;

/// Complains of each function that has something else.
pub(crate) fn check_limits(table: &[Limits]) {
    let mut failures = Vec::new();
    for line in table {
        check(line, line.single, &mut failures);
        check(line, line.double, &mut failures);
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn check<T: Float>(line: &Limits, f: fn(&Var<T>) -> Var<T>, failures: &mut Vec<String>) {
    let far = [T::MAX, T::MAX.sqrt(), T::INFINITY];
    let near = [T::ZERO, T::MIN_POSITIVE, -T::MIN_POSITIVE, -T::ZERO];
    let points = far.iter().map(|&x| (-x, line.low));
    let points = points.chain(near.map(|x| (x, line.zero))).chain(far.map(|x| (x, line.high)));
    for (x, expected) in points {
        let expected = expected(x.to_f64()).map(T::from_f64);
        let at = Var::from([x]);
        let one = Var::from([T::ONE]);
        let total = |x: &Var<T>| f(x).sum();
        let slope = |x: &Var<T>| grad(total, x);
        let along = |x: &Var<T>| jvp(f, x, &one).1;
        let found = [
            ("value", 0, f(&at)),
            ("slope", 1, slope(&at)),
            ("forward slope", 1, along(&at)),
            ("curvature", 2, hvp(total, &at, &one)),
            ("curvature, backwards twice", 2, grad(|x: &Var<T>| slope(x).sum(), &at)),
            ("curvature, backwards and forwards", 2, grad(|x: &Var<T>| along(x).sum(), &at)),
            ("curvature, forwards twice", 2, jvp(along, &at, &one).1),
        ];
        for (what, order, found) in found {
            let (found, expected) = (found.item(), expected[order]);
            // Numbers below the smallest normal one have few digits.
            let tolerance = T::from_f64(16.0) * T::EPSILON * expected.abs() + T::MIN_POSITIVE;
            let right = expected.is_nan() || found == expected || (found - expected).abs() <= tolerance;
            if !right {
                let [x, found, expected] = [x, found, expected].map(Float::to_f64);
                failures.push(format!("{} at {x:e}: {what} {found:e}, not {expected:e}", line.name));
            }
        }
    }
}
