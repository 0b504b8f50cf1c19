//! Programs of recordings.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_tape::{Feed, Index, Kind, Mismatch, Recorded, Tape, Var, grad};
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;

fn message(work: impl FnOnce()) -> String {
    let error = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    error.downcast_ref::<String>().cloned().unwrap_or_else(|| (*error.downcast_ref::<&str>().unwrap()).into())
}

#[test]
fn what_is_not_needed_is_left_out() {
    let tape = Tape::complete();
    let (x, unused) = (tape.var([1.0f64, 2.0]), tape.var([3.0]));
    let y = x.exp();
    let _dead = (&y * &unused).sin();
    let program = tape.compile(&[&x, &unused], &[&y]);
    assert_eq!((program.operations(), program.needs(0), program.needs(1)), (1, true, false));
}

#[test]
fn outputs_may_be_anything() {
    let tape = Tape::complete();
    let x = tape.var([1.0f64, 2.0]);
    let (y, constant) = (x.exp(), Var::from([5.0f64]));
    let view = y.slice(1..);
    let mut program = tape.compile(&[&x], &[&y, &x, &constant, &y, &view]);
    let x = Tensor::from([0.0, 1.0]);
    for _ in 0..2 {
        let results = program.run(&[Feed::from(&x)]).unwrap();
        let found: Vec<Vec<f64>> = results.iter().map(Tensor::to_vec).collect();
        let e = Tensor::scalar(1.0).exp().item();
        assert_eq!(found, [vec![1.0, e], vec![0.0, 1.0], vec![5.0], vec![1.0, e], vec![e]]);
    }
}

#[test]
fn results_that_are_kept_stay() {
    let tape = Tape::complete();
    let x = tape.var([1.0f64, 2.0]);
    let mut program = tape.compile(&[&x], &[&(&x + 1.0)]);
    let first = program.run(&[Feed::from(&Tensor::from([1.0, 2.0]))]).unwrap()[0].clone();
    let second = program.run(&[Feed::from(&Tensor::from([3.0, 4.0]))]).unwrap()[0].clone();
    assert_eq!((first.to_vec(), second.to_vec()), (vec![2.0, 3.0], vec![4.0, 5.0]));
}

#[test]
fn what_is_fed_is_not_written() {
    // A sum over its first input, which is the caller's here.
    let tape = Tape::complete();
    let (x, y) = (tape.var([1.0f64, 2.0]), tape.var([3.0, 4.0]));
    let mut program = tape.compile(&[&x, &y], &[&(&x + &y)]);
    let (x, y) = (Tensor::from([1.0, 2.0]), Tensor::from([5.0, 5.0]));
    program.run(&[Feed::from(&x), Feed::from(&y)]).unwrap();
    assert_eq!((x.to_vec(), y.to_vec()), (vec![1.0, 2.0], vec![5.0, 5.0]));
    // And after the run it is his alone again.
    let (mut x, address) = (x.clone(), x.buffer_in_memory());
    drop(program);
    assert!(!x.is_unique() || x.buffer_in_memory() == address);
}

#[test]
fn inputs_of_a_run_are_let_go() {
    let tape = Tape::complete();
    let x = tape.var([1.0f64, 2.0]);
    let mut program = tape.compile(&[&x], &[&x.exp()]);
    let mut fed = Tensor::from([1.0, 2.0]);
    program.run(&[Feed::from(&fed)]).unwrap();
    assert!(fed.is_unique());
}

#[test]
fn other_inputs_are_refused() {
    let tape = Tape::complete();
    let (x, order) = (tape.var([1.0f64, 2.0]), tape.discrete(Tensor::from([0u32, 1])));
    let mut program = tape.compile(&[&x, &order], &[&x.gather(0, &order)]);
    let (x, long, order) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0; 3]), Tensor::from([1u32, 0]));
    let mask = Tensor::from([true, false]);
    let refused = |found: Result<&[Tensor<f64>], Mismatch>| found.unwrap_err();
    assert_eq!(refused(program.run(&[Feed::from(&x)])), Mismatch::Count { recorded: 2, given: 1 });
    let shape = Mismatch::Shape { input: 0, recorded: [2].into(), given: [3].into() };
    assert_eq!(refused(program.run(&[Feed::from(&long), Feed::from(&order)])), shape);
    let kind = Mismatch::Kind { input: 1, recorded: Kind::Index, given: Kind::Mask };
    assert_eq!(refused(program.run(&[Feed::from(&x), Feed::from(&mask)])), kind);
    assert_eq!(program.run(&[Feed::from(&x), Feed::from(&order)]).unwrap()[0].to_vec(), [2.0, 1.0]);
}

#[test]
fn a_run_that_panics_can_be_followed_by_another() {
    let tape = Tape::complete();
    let (x, order) = (tape.var([1.0f64, 2.0]), tape.discrete(Tensor::from([0u32, 1])));
    let mut program = tape.compile(&[&x, &order], &[&x.exp().gather(0, &order).square()]);
    let (x, wrong, right) = (Tensor::from([0.0, 1.0]), Tensor::from([0u32, 7]), Tensor::from([1u32, 0]));
    let said = message(|| drop(program.run(&[Feed::from(&x), Feed::from(&wrong)]).map(<[_]>::len)));
    assert!(said.contains("gather"), "{said}");
    assert_eq!(program.run(&[Feed::from(&x), Feed::from(&right)]).unwrap()[0].at([1]), 1.0);
}

/// Chains of elementwise operations of sizes around those of blocks, broadcast operands and views among them, by one and by
/// several threads: the bits of direct computation.
#[test]
fn blocks_have_the_same_bits() {
    type Function = fn(&[Var<f32>; 4]) -> Var<f32>;
    let functions: [(&str, Function); 6] = [
        ("one chain", |[a, b, ..]| ((a * b).tanh() + a).exp() * 0.3),
        ("a row and a column", |[a, _, row, column]| ((a + row) * column).sigmoid() - row / 2.0),
        ("a value that others need", |[a, b, ..]| {
            let c = (a - b).gelu();
            c.square() + c.sum() * (&c * a).relu()
        }),
        ("two chains that meet", |[a, b, ..]| (a.exp() + 1.0).ln() / (b.square() + 0.5).sqrt()),
        ("transposed", |[a, b, ..]| {
            if a.shape()[0] == a.shape()[1] { (a.t() * b + b.t()).tanh() * a } else { (a * b + b).tanh() * a }
        }),
        ("shapes in between", |[a, _, row, column]| {
            let c = (row * 2.0).exp() + column;
            ((&c * a) + c.slice_axis(0, ..1)).tanh()
        }),
    ];
    let normal = |shape: [usize; 2], seed: u64| -> Tensor<f32> {
        Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed))
    };
    for [rows, columns] in [[130, 130], [1, 40_000], [40_000, 1], [7, 3001], [300, 257]] {
        let inputs = [
            normal([rows, columns], 1),
            normal([rows, columns], 2),
            normal([1, columns], 3),
            normal([rows, 1], 4),
        ];
        for (name, f) in functions {
            let outputs = |v: &[Var<f32>; 4]| {
                let v = v.to_vec();
                let array = |v: &Vec<Var<f32>>| f(&std::array::from_fn(|i| v[i].clone()));
                let mut all = grad(|v: &Vec<Var<f32>>| array(v).square().sum(), &v);
                all.push(array(&v));
                all
            };
            let tape = Tape::complete();
            let entered = inputs.each_ref().map(|input| tape.var(input.clone() * 0.7));
            let recorded = outputs(&entered);
            let places: Vec<&dyn Recorded<f32>> = entered.iter().map(|v| v as _).collect();
            let mut program = tape.compile(&places, &recorded.iter().collect::<Vec<_>>());
            let direct = outputs(&inputs.each_ref().map(|input| Var::constant(input.clone())));
            let feeds = inputs.each_ref().map(Feed::from);
            for threads in [1, 3] {
                let results = with_threads(threads, || program.run(&feeds).unwrap().to_vec());
                for (i, (result, direct)) in results.iter().zip(&direct).enumerate() {
                    let bits =
                        |t: &Tensor<f32>| t.to_vec().into_iter().map(f32::to_bits).collect::<Vec<u32>>();
                    assert_eq!(result.shape(), direct.shape());
                    assert!(bits(result) == bits(direct.value()), "{name} of {rows} × {columns}: output {i}");
                }
            }
        }
    }
}

#[test]
fn random_numbers_are_drawn_anew() {
    let tape = Tape::complete();
    let key: Index<f64> = tape.discrete(Index::<f64>::key(&Generator::seeded(1)).value().clone());
    let x = tape.var(Tensor::full([100], 1.0));
    let mut program = tape.compile(&[&x, &key], &[&x.dropout(0.5, key.fork(3))]);
    let x = Tensor::full([100], 1.0);
    for seed in [1, 2, 3] {
        let key: Index<f64> = Index::key(&Generator::seeded(seed));
        let replayed = program.run(&[Feed::from(&x), Feed::from(key.value())]).unwrap()[0].clone();
        let direct = Var::constant(x.clone()).dropout(0.5, key.fork(3));
        assert_eq!(&replayed, direct.value());
    }
}
