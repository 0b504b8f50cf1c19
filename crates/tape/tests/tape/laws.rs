//! Laws that hold for every program: random ones, of operations on a few shapes.

use proptest::collection::vec;
use proptest::prelude::*;
use wengert_tape::{Var, grad, hvp, jvp, value_and_grad, vjp};
use wengert_tensor::parallel::with_threads;
use wengert_tensor::{Slice, Tensor};

/// One instruction: which operation, and which of the results so far it is applied to.
type Instruction = (u8, usize, usize);

/// The arguments of a program: a vector, a matrix with as many columns, and a scalar.
type Arguments = Vec<Var<f64>>;

/// A smooth operation that accepts any operands and keeps their sizes in hand.
fn step((operation, _, _): Instruction, a: &Var<f64>, b: &Var<f64>) -> Var<f64> {
    match operation % 16 {
        0 => a + b,
        1 => (a - b) * 0.5,
        2 => a * b,
        3 => a / (b.square() + 1.0),
        4 => a.tanh(),
        5 => a.sin() * b.sum(),
        6 => a.sigmoid(),
        7 => a.softplus() - b.mean(),
        8 => a.gelu(),
        9 if a.rank() > 0 => a.softmax(-1),
        10 if a.rank() > 0 => a.logsumexp(-1, true),
        11 if a.rank() > 0 => a.cumsum(0) * 0.3,
        12 if a.rank() > 0 => a.flip(0) * b.sin(),
        // Every row with every row.
        13 if a.rank() == 2 => a.matmul(&a.t()).tanh().matmul(a),
        13 if a.rank() == 1 && b.rank() == 2 && b.shape()[1] == a.len() => b.matmul(a).tanh().mean() * a,
        14 if a.rank() == 2 => a.var_axes(0, 0, false),
        15 if a.rank() > 0 => Var::cat(&[&a.slice(1..), &a.slice(..1)], 0),
        _ => a.erf() + b.cos(),
    }
}

/// All results of a program, limited in size, as one vector.
fn run(program: &[Instruction], arguments: &[Var<f64>]) -> Var<f64> {
    let mut results = arguments.to_vec();
    for &instruction in program {
        let (_, a, b) = instruction;
        let next = step(instruction, &results[a % results.len()], &results[b % results.len()]);
        results.push(next.atan());
    }
    let flat: Vec<Var<f64>> = results.iter().map(|r| r.reshape([-1])).collect();
    Var::cat(&flat.iter().collect::<Vec<_>>(), 0)
}

/// A scalar that depends on all results, each with a weight of its own.
fn total(program: &[Instruction], arguments: &[Var<f64>]) -> Var<f64> {
    let y = run(program, arguments);
    let weights = numbers(&[y.len()], 0.3);
    (y * weights).sum()
}

/// Numbers in (−1, 1) that look arbitrary.
fn numbers(shape: &[usize], phase: f64) -> Var<f64> {
    let count = shape.iter().product::<usize>();
    let values: Vec<f64> = (0..count).map(|i| (12.9898 * i as f64 + 7.0 * phase).sin()).collect();
    Var::constant(Tensor::from_vec(values, shape).expect("as many as the shape has"))
}

fn arguments(rows: usize, columns: usize, phase: f64) -> Arguments {
    vec![numbers(&[columns], phase), numbers(&[rows, columns], phase + 0.1), numbers(&[], phase + 0.2)]
}

fn inner(a: &[Var<f64>], b: &[Var<f64>]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).sum().item()).sum()
}

fn length(a: &[Var<f64>]) -> f64 {
    inner(a, a).sqrt()
}

fn minus(a: &[Var<f64>], b: &[Var<f64>]) -> Arguments {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn programs(size: usize) -> impl Strategy<Value = Vec<Instruction>> {
    vec((any::<u8>(), 0..64usize, 0..64usize), 1..size)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩.
    #[test]
    fn pullbacks_are_transposes(program in programs(12), phase in 0.0..6.0f64) {
        let (x, v) = (arguments(2, 3, phase), arguments(2, 3, phase + 1.0));
        let f = |x: &Arguments| run(&program, x);
        let (y, tangent) = jvp(f, &x, &v);
        let u = numbers(&[y.len()], phase);
        let cotangent = vjp(f, &x).1.apply(&u);
        let (left, right) = ((&u * &tangent).sum().item(), inner(&cotangent, &v));
        let scale = length(&[u]) * length(&[tangent]) + length(&cotangent) * length(&v);
        prop_assert!((left - right).abs() <= 1e-13 * scale, "{left} {right}");
    }

    /// ⟨u, H·v⟩ = ⟨v, H·u⟩.
    #[test]
    fn hessians_are_symmetric(program in programs(12), phase in 0.0..6.0f64) {
        let (x, u, v) = (arguments(2, 3, phase), arguments(2, 3, phase + 1.0), arguments(2, 3, phase + 2.0));
        let f = |x: &Arguments| total(&program, x);
        let (hu, hv) = (hvp(f, &x, &u), hvp(f, &x, &v));
        let scale = length(&hu) * length(&v) + length(&hv) * length(&u);
        prop_assert!((inner(&u, &hv) - inner(&v, &hu)).abs() <= 1e-12 * (1.0 + scale));
    }

    /// H·v is how the gradient changes along v.
    #[test]
    fn products_are_differences_of_gradients(program in programs(10), phase in 0.0..6.0f64) {
        let (x, v) = (arguments(2, 3, phase), arguments(2, 3, phase + 1.0));
        let f = |x: &Arguments| total(&program, x);
        let h = 1e-3;
        let at = |t: f64| grad(f, &x.iter().zip(&v).map(|(x, v)| x + v * (t * h)).collect::<Arguments>());
        let (near, far) = (minus(&at(1.0), &at(-1.0)), minus(&at(2.0), &at(-2.0)));
        // The five-point formula.
        let expected: Arguments = near.iter().zip(&far).map(|(n, f)| (n * 8.0 - f) / (12.0 * h)).collect();
        let found = hvp(f, &x, &v);
        let error = length(&minus(&found, &expected));
        prop_assert!(error <= 1e-6 * (1.0 + length(&found)), "{error} of {}", length(&found));
    }

    /// Arguments that are views give what contiguous ones give.
    #[test]
    fn views_are_as_good_as_copies(program in programs(10), phase in 0.0..6.0f64) {
        let x = arguments(2, 3, phase);
        let views = vec![
            Var::constant(Tensor::stack(&[x[0].value(), x[0].value()], 1).slice_axis(1, 1..).squeeze(1)),
            Var::constant(x[1].value().t().contiguous().flip(0).flip(0).t()),
            Var::constant(x[2].value().broadcast_to([4]).slice(Slice::from(..).step(3)).select(0, -1)),
        ];
        let f = |x: &Arguments| total(&program, x);
        let ((y, g), (z, h)) = (value_and_grad(f, &x), value_and_grad(f, &views));
        prop_assert!((y.item() - z.item()).abs() <= 1e-13 * (1.0 + y.item().abs()));
        prop_assert!(length(&minus(&g, &h)) <= 1e-12 * (1.0 + length(&g)));
        let (a, b) = (hvp(f, &x, &x), hvp(f, &views, &x));
        prop_assert!(length(&minus(&a, &b)) <= 1e-11 * (1.0 + length(&a)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// The same bits for any number of threads, for tensors above the size at which loops are split.
    #[test]
    fn threads_do_not_change_a_bit(program in programs(8), phase in 0.0..6.0f64) {
        let bits = || {
            let (x, v) = (arguments(80, 1000, phase), arguments(80, 1000, phase + 1.0));
            let f = |x: &Arguments| total(&program, x);
            let (y, g) = value_and_grad(f, &x);
            let all = [vec![y], g, hvp(f, &x, &v)].concat();
            all.iter().flat_map(|t| t.value().to_vec()).map(f64::to_bits).collect::<Vec<u64>>()
        };
        let one = with_threads(1, bits);
        for threads in [2, 3, 8] {
            prop_assert!(with_threads(threads, bits) == one, "{threads} threads give other bits");
        }
    }
}
