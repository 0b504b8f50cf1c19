//! `check_grads` itself: no right derivative refused and no wrong one missed, at any scale.

use wengert_tape::{Cotangents, Op, Point, Var, apply, check_grads};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

/// What is wrong with a derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Half,
    Sign,
    /// A factor of 1 + 10⁻⁴.
    Factor,
    /// The slope of an argument is missing.
    Missing,
    /// The slopes of two arguments are exchanged.
    Swapped,
    /// The slope of another point.
    Elsewhere,
    /// Only the cotangent is wrong.
    Transposed,
}

const FAULTS: [Fault; 7] = [
    Fault::Half,
    Fault::Sign,
    Fault::Factor,
    Fault::Missing,
    Fault::Swapped,
    Fault::Elsewhere,
    Fault::Transposed,
];

/// A partial derivative as a function of variables.
type Slope = fn(&Var<f64>, &Var<f64>) -> Var<f64>;

/// f(a, b) elementwise, with its two partial derivatives as functions of variables.
#[derive(Clone, Copy)]
struct Formula {
    name: &'static str,
    f: fn(f64, f64) -> f64,
    slopes: [Slope; 2],
    /// The units in which a and b are taken: numbers near these have a value and slopes.
    unit: fn(f64) -> [f64; 2],
}

/// Of a scale from 1e-150 to 1e150.
const FORMULAS: [Formula; 10] = [
    Formula {
        name: "a·b",
        f: |a, b| a * b,
        slopes: [|_, b| b.clone(), |a, _| a.clone()],
        unit: |s| [s, s.recip() * 3.0],
    },
    Formula {
        name: "a/b",
        f: |a, b| a / b,
        slopes: [|_, b| b.recip(), |a, b| -(a / b / b)],
        unit: |s| [s, s * 0.3],
    },
    Formula {
        name: "a²/b",
        f: |a, b| a / b * a,
        slopes: [|a, b| a / b * 2.0, |a, b| -(a / b) * (a / b)],
        unit: |s| [s, s * 7.0],
    },
    Formula {
        name: "√a·b",
        f: |a, b| a.sqrt() * b,
        slopes: [|a, b| b / a.sqrt() * 0.5, |a, _| a.sqrt()],
        unit: |s| [s, s.sqrt()],
    },
    Formula {
        name: "b·ln a", f: |a, b| a.ln() * b, slopes: [|a, b| b / a, |a, _| a.ln()], unit: |s| [s, s]
    },
    Formula {
        name: "b·sin(a/b)",
        f: |a, b| (a / b).sin() * b,
        slopes: [|a, b| (a / b).cos(), |a, b| (a / b).sin() - (a / b).cos() * (a / b)],
        unit: |s| [s, s * 2.0],
    },
    Formula {
        name: "√(a² + b²)",
        f: f64::hypot,
        slopes: [
            |a, b| (b / a).square().ln_1p().exp().rsqrt(),
            |a, b| (a / b).square().ln_1p().exp().rsqrt(),
        ],
        unit: |s| [s, s],
    },
    Formula {
        name: "a^1.7 + 5a/b",
        f: |a, b| a.powf(1.7) + 5.0 * a / b * a.powf(0.7),
        slopes: [|a, b| a.powf(0.7) * 1.7 + a.powf(0.7) / b * 8.5, |a, b| -(a.powf(1.7) / b / b * 5.0)],
        unit: |s| [s, 1.0],
    },
    Formula {
        name: "e^(a/b)·b",
        f: |a, b| (a / b).exp() * b,
        slopes: [|a, b| (a / b).exp(), |a, b| (a / b).exp() * (1.0 - a / b)],
        unit: |s| [s, s],
    },
    Formula {
        name: "a·10⁻⁸ + b·10⁻⁹",
        f: |a, b| a * 1e-8 + b * 1e-9,
        slopes: [
            |a, _| Var::constant(Tensor::full(a.shape(), 1e-8)),
            |a, _| Var::constant(Tensor::full(a.shape(), 1e-9)),
        ],
        unit: |s| [s, s],
    },
];

struct Faulty {
    formula: Formula,
    fault: Fault,
    /// Which argument is concerned.
    which: usize,
}

impl Faulty {
    fn slope(&self, i: usize, [a, b]: [&Var<f64>; 2], transposed: bool) -> Var<f64> {
        let right = self.formula.slopes[i](a, b);
        match self.fault {
            Fault::Swapped => self.formula.slopes[1 - i](a, b),
            _ if i != self.which => right,
            Fault::Half => right * 0.5,
            Fault::Sign => -right,
            Fault::Factor => right * (1.0 + 1e-4),
            Fault::Missing => right * 0.0,
            Fault::Elsewhere => self.formula.slopes[i](&(a * 1.01), &(b * 0.98)),
            Fault::Transposed if transposed => right * (1.0 + 1e-6),
            _ => right,
        }
    }
}

impl Op<f64> for Faulty {
    fn name(&self) -> &str {
        self.formula.name
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> {
        let f = self.formula.f;
        x[0].zip_map("faulty", x[1], f)
    }
    fn vjp(&self, at: &Point<f64>, cotangent: &Var<f64>, into: &mut Cotangents<f64>) {
        let x = [at.input(0), at.input(1)];
        for i in 0..2 {
            into.add(i, || cotangent * self.slope(i, x, true));
        }
    }
    fn jvp(&self, at: &Point<f64>, tangents: &[Option<Var<f64>>]) -> Option<Var<f64>> {
        let x = [at.input(0), at.input(1)];
        let part = |i: usize| tangents[i].as_ref().map(|t| t * self.slope(i, x, false));
        match (part(0), part(1)) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        }
    }
}

/// Whether the fault changes anything for this formula.
fn matters(formula: &Formula, fault: Fault, which: usize) -> bool {
    let linear = formula.name.contains("10⁻⁸") || (formula.name == "a·b");
    match fault {
        // The slope does not depend on the point, or only on what is moved by the same part.
        Fault::Elsewhere => !(linear || formula.name == "b·ln a" && which == 1),
        _ => true,
    }
}

/// A function of one random formula at a random point and scale, of one element or some, summed or not.
fn verdict(generator: &mut Generator, formula: Formula, fault: Fault) -> (String, bool) {
    let which = generator.below(2) as usize;
    let scale = 10f64.powf(300.0 * generator.uniform() - 150.0);
    let length = [1, 3][generator.below(2) as usize];
    let summed = generator.bernoulli(0.5);
    // Limits of what each formula's value has room for.
    let scale = if formula.name.contains("1.7") { scale.powf(0.5) } else { scale };
    let [a, b] = (formula.unit)(scale);
    let mut numbers = |unit: f64| -> Var<f64> {
        let x: Vec<f64> = (0..length).map(|_| unit * (0.5 + 1.5 * generator.uniform())).collect();
        Var::constant(Tensor::vector(&x))
    };
    let point = [numbers(a), numbers(b)];
    let f = |v: &[Var<f64>]| {
        let y = apply(Faulty { formula, fault, which }, &[&v[0], &v[1]]);
        if summed { y.sum() } else { y }
    };
    let result = check_grads(f, &point, 1);
    let what = format!("{} ({fault:?} of {which}) at {point:?}: {result:?}", formula.name);
    (what, result.is_ok())
}

#[test]
fn a_thousand_right_and_a_thousand_wrong_derivatives() {
    let mut generator = Generator::seeded(1);
    let mut misjudged = Vec::new();
    for round in 0..1000 {
        let formula = FORMULAS[round % FORMULAS.len()];
        let (what, accepted) = verdict(&mut generator, formula, Fault::None);
        if !accepted {
            misjudged.push(format!("refused: {what}"));
        }
    }
    let mut wrong = 0;
    for round in 0.. {
        let (formula, fault) = (FORMULAS[round % FORMULAS.len()], FAULTS[round % FAULTS.len()]);
        if !(0..2).all(|which| matters(&formula, fault, which)) {
            continue;
        }
        let (what, accepted) = verdict(&mut generator, formula, fault);
        if accepted {
            misjudged.push(format!("missed: {what}"));
        }
        wrong += 1;
        if wrong == 1000 {
            break;
        }
    }
    assert!(misjudged.is_empty(), "{} of 2000:\n{}", misjudged.len(), misjudged.join("\n"));
}

/// Right derivatives of the library's own functions at any scale, to second order.
#[test]
fn right_derivatives_at_every_scale() {
    type Function = fn(&[Var<f64>]) -> Var<f64>;
    let functions: [(&str, Function); 10] = [
        ("square", |v| v[0].square()),
        ("ln", |v| v[0].ln()),
        ("sqrt", |v| v[0].sqrt()),
        ("norm 2", |v| v[0].norm(2.0)),
        ("norm 1.5", |v| v[0].norm(1.5)),
        ("norm -2", |v| v[0].norm(-2.0)),
        ("powf 0.3", |v| v[0].powf(0.3)),
        ("abs", |v| v[0].abs()),
        ("std", |v| v[0].std_axes(0, 1, false)),
        ("recip", |v| v[0].recip()),
    ];
    for (name, f) in functions {
        for exponent in -10..=10 {
            // Second derivatives of 1/x at 1e-100 have no room above.
            let scale = 10f64.powi(exponent * 9);
            let x = Var::from([1.5 * scale, 0.7 * scale, 2.25 * scale]);
            check_grads(f, &[x], 2).unwrap_or_else(|e| panic!("{name} at scale {scale:e}: {e}"));
        }
    }
}

/// A function whose values are large beside what changes.
#[test]
fn slopes_that_are_small_beside_the_value() {
    for x in [1e-150, 1e-40, 1e-9, 1e-3, 0.5] {
        let x = [Var::from([x])];
        check_grads(|v| v[0].exp(), &x, 2).unwrap();
        check_grads(|v| v[0].sin() + 1.0, &x, 2).unwrap();
        let half = |v: &[Var<f64>]| {
            let y = v[0].exp();
            &y * 0.5 + (y * 0.5).stop_gradient()
        };
        check_grads(half, &x, 1).unwrap_err();
    }
}
