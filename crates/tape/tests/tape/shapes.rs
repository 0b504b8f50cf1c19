//! Shapes that do not fit: the panic names the operation, the shapes and the caller's line, for tensors and for
//! variables, tracked or not.

use crate::panics::caught;
use wengert_tape::{Tape, Var};
use wengert_tensor::{Shape, Tensor};

/// A call that must panic, given what makes an operand of a shape, and what the panic must say.
type Misuse<V> = (fn(&dyn Fn(&[usize]) -> V), &'static [&'static str]);

/// The same calls for either type.
macro_rules! misuses {
    ($V:ty, $where:expr) => {{
        fn positions(shape: &[usize], index: u32) -> Tensor<u32> {
            Tensor::full(shape, index)
        }
        let table: Vec<Misuse<$V>> = vec![
            (|x| drop(x(&[2, 3]) + x(&[4])), &["add", "[2, 3]", "[4]", "broadcast"]),
            (|x| drop(&x(&[2, 3]) - &x(&[2])), &["sub", "[2, 3]", "[2]"]),
            (|x| drop(x(&[2]) * &x(&[3])), &["mul", "[2]", "[3]"]),
            (|x| drop(&x(&[5, 2, 1]) / x(&[3, 4])), &["div", "[5, 2, 1]", "[3, 4]"]),
            (
                |x| drop(x(&[64, 784]).matmul(&x(&[128, 10]))),
                &["matmul", "[64, 784]", "[128, 10]", "784", "128"],
            ),
            (|x| drop(x(&[3]).matmul(&x(&[2, 4]))), &["matmul", "[3]", "[2, 4]"]),
            (|x| drop(x(&[2, 3, 4]).matmul(&x(&[5, 4, 2]))), &["matmul", "[2, 3, 4]", "[5, 4, 2]"]),
            (|x| drop(x(&[]).matmul(&x(&[2]))), &["matmul", "[]", "[2]"]),
            (|x| drop(x(&[2]).dot(&x(&[3]))), &["dot", "[2]", "[3]"]),
            (|x| drop(x(&[2, 2]).outer(&x(&[3]))), &["outer", "[2, 2]", "[3]"]),
            (|x| drop(x(&[2, 3]).reshape([4, 2])), &["reshape", "[2, 3]", "[4, 2]"]),
            (|x| drop(x(&[2, 3]).reshape([-1, 4])), &["reshape", "[2, 3]", "-1"]),
            (|x| drop(x(&[2, 3]).permute([0, 0])), &["permute", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).transpose(0, 2)), &["transpose", "2", "[2, 3]"]),
            (|x| drop(x(&[3]).t()), &["t", "[3]"]),
            (|x| drop(x(&[2, 3]).broadcast_to([3, 3])), &["broadcast_to", "[2, 3]", "[3, 3]"]),
            (|x| drop(x(&[2, 3]).sum_to(&Shape::from([4]))), &["sum_to", "[2, 3]", "[4]"]),
            (|x| drop(x(&[2, 3]).sum_axes(2, false)), &["sum", "2", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).sum_axes([1, -1], false)), &["sum", "twice", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).mean_axes(-3, false)), &["mean", "-3", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).var_axes(5, 1, false)), &["var", "5", "[2, 3]"]),
            (|x| drop(x(&[0]).max()), &["max", "[0]"]),
            (|x| drop(x(&[2, 0]).min_axes(1, false)), &["min", "[2, 0]"]),
            (|x| drop(x(&[2, 3]).norm_axes(2.0, 2, false)), &["norm", "2", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).softmax(2)), &["softmax", "2", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).log_softmax(-3)), &["log_softmax", "-3", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).logsumexp(4, true)), &["logsumexp", "4", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).cumsum(2)), &["cumsum", "2", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).select(1, 3)), &["select", "3", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).slice_axis(2, ..1)), &["slice", "2", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).squeeze(0)), &["squeeze", "0", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).unsqueeze(4)), &["unsqueeze", "4"]),
            (|x| drop(x(&[2, 3]).flip(2)), &["flip", "2", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).split(0, 0)), &["split", "0"]),
            (|x| drop(x(&[2, 3]).chunk(2, 2)), &["chunk", "2", "[2, 3]"]),
            (|x| drop(<$V>::cat(&[&x(&[2, 3]), &x(&[2, 4])], 0)), &["cat", "[2, 3]", "[2, 4]"]),
            (|x| drop(<$V>::stack(&[&x(&[2]), &x(&[3])], 0)), &["stack", "[2]", "[3]"]),
            (|x| drop(x(&[2, 3]).index_select(0, &positions(&[1], 2))), &["index_select", "2", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).gather(1, &positions(&[2, 1], 3))), &["gather", "3", "[2, 3]"]),
            (|x| drop(x(&[2, 3]).gather(1, &positions(&[2], 0))), &["gather", "[2]", "[2, 3]"]),
            (|x| drop(x(&[3]).index_add(0, &positions(&[2], 0), &x(&[4]))), &["index_add", "[4]"]),
            (|x| drop(x(&[3]).scatter_add(0, &positions(&[2], 0), &x(&[1]))), &["scatter_add", "[2]", "[1]"]),
            (|x| drop(x(&[2]).masked_select(&Tensor::full([3], true))), &["masked_select", "[3]", "[2]"]),
            (
                |x| drop(<$V>::select_where(&Tensor::full([2], true), &x(&[3]), &x(&[3]))),
                &["select_where", "[2]", "[3]"],
            ),
            (|x| drop(x(&[2]).maximum(&x(&[3]))), &["maximum", "[2]", "[3]"]),
            (|x| drop(x(&[2]).minimum(&x(&[3]))), &["minimum", "[2]", "[3]"]),
            (|x| drop(x(&[2]).pad(&[(0, 1), (1, 0)], 0.0)), &["pad", "[2]"]),
            (|x| drop(x(&[2, 2]).tile(&[2])), &["tile", "[2, 2]"]),
            (|x| drop(x(&[2]).roll(1, 1)), &["roll", "1", "[2]"]),
            (|x| drop(x(&[2]).tril(0)), &["tril", "[2]"]),
            (|x| drop(x(&[2]).diagonal(0)), &["diagonal", "[2]"]),
            (|x| assert!(x(&[2, 3]).item() > 0.0), &["item", "[2, 3]"]),
        ];
        ($where(table), line!())
    }};
}

/// Runs the table and reports every panic that does not say what it must, or points elsewhere.
fn failures<V>(table: Vec<Misuse<V>>, make: &dyn Fn(&[usize]) -> V) -> (Vec<String>, Vec<u32>) {
    let mut wrong = Vec::new();
    let mut lines = Vec::new();
    for (misuse, parts) in table {
        let panic = caught(|| misuse(make));
        let named = panic.message.starts_with(parts[0]);
        if !named || parts.iter().any(|part| !panic.message.contains(part)) {
            wrong.push(format!("{:?} lacks some of {parts:?}", panic.message));
        }
        if panic.file != file!() {
            wrong.push(format!("{:?} points to {}:{}", panic.message, panic.file, panic.line));
        }
        lines.push(panic.line);
    }
    (wrong, lines)
}

#[test]
fn tensors() {
    let make = |shape: &[usize]| Tensor::<f64>::ones(shape);
    let ((wrong, lines), line) = misuses!(Tensor<f64>, |table| failures(table, &make));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Every call stands on the line that the table is expanded on.
    assert!(lines.iter().all(|&l| l == line), "{lines:?} are not {line}");
}

#[test]
fn untracked_variables() {
    let make = |shape: &[usize]| Var::<f64>::ones(shape);
    let ((wrong, lines), line) = misuses!(Var<f64>, |table| failures(table, &make));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lines.iter().all(|&l| l == line), "{lines:?} are not {line}");
}

#[test]
fn tracked_variables() {
    let tape = Tape::new();
    let make = |shape: &[usize]| tape.var(Tensor::<f64>::ones(shape));
    let ((wrong, lines), line) = misuses!(Var<f64>, |table| failures(table, &make));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lines.iter().all(|&l| l == line), "{lines:?} are not {line}");
}

/// Recording with deferred results finds a misuse at once as well, not when somebody reads the result.
#[test]
fn deferred_variables() {
    let tape = Tape::new();
    let make = |shape: &[usize]| tape.var(Tensor::<f64>::ones(shape));
    let ((wrong, lines), _) = tape.deferring(|| misuses!(Var<f64>, |table| failures(table, &make)));
    let unsaid: Vec<String> = wrong.into_iter().filter(|w| !w.contains("points to")).collect();
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
    assert!(lines.len() >= 50);
}
