//! Gates of recurrent units of shapes that do not fit, and lengths without end.

use crate::panics::caught;
use wengert_tape::{HessianOperator, Index, Var};
use wengert_tensor::Tensor;

#[test]
fn shapes_of_gates() {
    let zeros = |shape: &[usize]| Var::<f64>::zeros(shape.to_vec());
    let (a, b, h) = (zeros(&[2, 6]), zeros(&[2, 6]), zeros(&[2, 2]));
    assert_panics!(a.gru_gates(&b, &zeros(&[2, 3])), "gru_gates: ", "[2, 6]", "[2, 3]", "3·hidden");
    assert_panics!(a.gru_gates(&zeros(&[1, 6]), &h), "gru_gates: ", "[1, 6]");
    assert_panics!(a.gru_gates(&b, &zeros(&[])), "gru_gates: ", "state of shape []");
    assert_panics!(a.lstm_gates(&b, &h), "lstm_gates: ", "[2, 6]", "[2, 2]", "4·hidden");
    // Put off, too.
    let c = zeros(&[2, 3]);
    assert_panics!(HessianOperator::new(|x| x.lstm_gates(x, &c).sum(), &h), "lstm_gates: ", "[2, 3]");
}

#[test]
fn shapes_of_sequences() {
    let zeros = |shape: &[usize]| Var::<f64>::zeros(shape.to_vec());
    let (a, weight, h) = (zeros(&[3, 2, 8]), zeros(&[8, 2]), zeros(&[2, 2]));
    let (name, other) = ("lstm_sequence: ", zeros(&[1, 2]));
    assert_panics!(zeros(&[2, 8]).lstm_sequence(&weight, [&h, &h], false), name, "[2, 8]", "[8, 2]");
    assert_panics!(a.lstm_sequence(&zeros(&[6, 2]), [&h, &h], false), name, "[3, 2, 8]", "[6, 2]");
    assert_panics!(a.lstm_sequence(&zeros(&[8, 3]), [&h, &h], true), name, "[8, 3]", "3 hidden units");
    assert_panics!(a.lstm_sequence(&weight, [&h, &other], false), name, "a state of shape [1, 2]", "[2, 2]");
    let (b, weight, name) = (zeros(&[3, 2, 6]), zeros(&[6, 2]), "gru_sequence: ");
    assert_panics!(b.gru_sequence(&weight, None, &other, false), name, "a state of shape [1, 2]", "[2, 2]");
    assert_panics!(b.gru_sequence(&weight, Some(&h), &h, false), name, "a bias of shape [2, 2]", "[6]");
    // Where steps are recorded one by one, too.
    let w = &weight;
    assert_panics!(HessianOperator::new(|x| b.gru_sequence(w, None, x, false).sum(), &other), name);
}

#[test]
fn positions_without_end() {
    let lengths: Index = Tensor::from([2u32, 0]).into();
    assert_panics!(lengths.positions_within(0..usize::MAX), "positions_within: ");
}

#[test]
fn rows_of_numbers_that_are_not_as_many() {
    let (numbers, lengths): (Index, Index) =
        (Tensor::from([7u32, 8, 9]).into(), Tensor::from([1u32, 1]).into());
    assert_panics!(numbers.in_rows(&lengths), "in_rows: 3 numbers, where the lengths come to 2");
    let table: Index = Tensor::from([[1u32], [2]]).into();
    assert_panics!(table.in_rows(&lengths), "in_rows: ", "[2, 1]", "[2]");
}

#[test]
fn tokens_out_of_range() {
    let (table, tokens) = (Var::<f64>::zeros([3, 2]), Tensor::from([0u32, 7]));
    assert_panics!(table.embedding(&tokens, None), "embedding: token 7 is not below 3");
    assert_panics!(table.embedding(&tokens, Some(0)), "embedding: token 7 is not below 3");
    assert_panics!(table.embedding(tokens.slice(..1), Some(3)), "embedding: padding 3 is not below 3");
    assert_panics!(Var::<f64>::zeros([3]).embedding(&tokens, None), "embedding: a table of shape [3]");
}
