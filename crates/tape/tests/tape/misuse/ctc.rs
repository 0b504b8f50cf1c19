//! Misuse of connectionist temporal classification.

use wengert_tape::{Index, Var};
use wengert_tensor::Tensor;

use crate::panics::caught;

#[test]
fn sequences_and_labels_that_do_not_fit() {
    let (x, labels) = (Var::<f64>::zeros([3, 2, 4]), Tensor::from([[1u32], [2]]));
    let (steps, counts) = (Tensor::from([3u32, 2]), Tensor::from([1u32, 1]));
    let flat = Var::<f64>::zeros([3, 4]);
    assert_panics!(flat.ctc_loss(&labels, &steps, &counts, 0), "ctc_loss: shape [3, 4] is not [steps,");
    let three = Tensor::from([[1u32], [2], [3]]);
    assert_panics!(x.ctc_loss(&three, &steps, &counts, 0), "labels of shape [3, 1] for 2 sequences");
    let one = Tensor::from([1u32]);
    assert_panics!(x.ctc_loss(&labels, &one, &counts, 0), "step counts of shape [1] for 2 sequences");
    assert_panics!(x.ctc_loss(&labels, &steps, &one, 0), "label counts of shape [1] for 2 sequences");
    let many = Tensor::from([3u32, 4]);
    assert_panics!(x.ctc_loss(&labels, &many, &counts, 0), "4 steps in sequence 1 of at most 3");
    assert_panics!(x.ctc_loss(&labels, &steps, &many, 0), "3 labels in sequence 0 of at most 1");
    let wrong = Tensor::from([[1u32], [4]]);
    assert_panics!(x.ctc_loss(&wrong, &steps, &counts, 0), "the label 4 of sequence 1 is not one of 4");
    assert_panics!(x.ctc_loss(&labels, &steps, &counts, 4), "the blank 4 is not one of 4 classes");
}

#[test]
fn masks_and_ranges_of_labels() {
    let labels: Index<f64> = Tensor::from([1u32, 2, 3]).into();
    let mask = labels.slice(..2).equal_to(1);
    assert_panics!(labels.masked_fill(&mask, 0), "masked_fill: indices of shape [3], mask of [2]");
    let none: Index<f64> = Tensor::scalar(1u32).into();
    assert_panics!(none.slice(..2), "slice");
}
