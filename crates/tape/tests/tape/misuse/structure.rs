//! Products over subscripts, arrangements, scattering, order statistics.

use super::caught;
use wengert_tape::{Indexing, Var};
use wengert_tensor::Tensor;

fn ones(shape: &[usize]) -> Var<f64> {
    Var::ones(shape)
}

#[test]
fn equations_that_are_none() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    let none: [Var<f64>; 0] = [];
    assert_panics!(Var::einsum("ij", &none), "einsum: ", "ij", "no operands");
    assert_panics!(Var::einsum("ij,j", &[&m]), "einsum: ", "2 operands", "there are 1");
    assert_panics!(Var::einsum("i", &[&m]), "einsum: ", "1 subscripts for operand 0", "[2, 3]");
    assert_panics!(Var::einsum("ijk", &[&m]), "einsum: ", "3 subscripts", "[2, 3]", "2 axes");
    assert_panics!(Var::einsum("...ijk", &[&m]), "einsum: ", "3 subscripts", "[2, 3]");
    assert_panics!(Var::einsum("i1", &[&m]), "einsum: ", "'1'", "i1", "no subscript");
    assert_panics!(Var::einsum("i.j", &[&m]), "einsum: ", "'.'");
    assert_panics!(Var::einsum("ij-k", &[&m]), "einsum: ", "'-'");
    assert_panics!(Var::einsum("ij->i->j", &[&m]), "einsum: ", "'-'");
    assert_panics!(Var::einsum("ié", &[&m]), "einsum: ", "'é'");
    assert_panics!(Var::einsum("...i...", &[&m]), "einsum: ", "2 times");
    assert_panics!(Var::einsum("ij->ik", &[&m]), "einsum: ", "'k'", "no operand");
    assert_panics!(Var::einsum("ij->ii", &[&m]), "einsum: ", "'i' twice");
    assert_panics!(Var::einsum("ii", &[&m]), "einsum: ", "'i'", "twice in operand 0", "2 and 3");
    assert_panics!(Var::einsum("ij,i", &[&m, &v]), "einsum: ", "'i'", "2 in operand 0", "3 in operand 1");
    assert_panics!(Var::einsum("...j,...", &[&m, &v]), "einsum: ", "`...`", "2 in operand 0", "3 in");
}

#[test]
fn products_of_shapes_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    assert_panics!(m.tensordot(&v, &[0], &[0]), "tensordot: ", "axis 0", "[2, 3]", "[3]");
    assert_panics!(m.tensordot(&v, &[0, 1], &[0]), "tensordot: 2 axes", "[2, 3]", "1 of shape [3]");
    assert_panics!(m.tensordot(&m, &[0, -2], &[0, 1]), "tensordot: axis -2", "[2, 3]", "twice");
    assert_panics!(m.tensordot(&v, &[2], &[0]), "tensordot: axis 2", "[2, 3]");
    assert_panics!(m.inner(&ones(&[2])), "inner: ", "[2, 3]", "[2]");
    let wide = ones(&[1]).broadcast_to([1 << 31]);
    assert_panics!(wide.kron(&wide), "kron: ", "[2147483648]", "too many");
    assert_panics!(v.trace(), "trace: ", "[3]");
    assert_panics!(m.cross(&m, 0), "cross: axis 0", "[2, 3]", "length 3");
    assert_panics!(v.cross(&ones(&[2]), 0), "cross: ", "[3]", "[2]");
    assert_panics!(m.cross(&ones(&[2, 1]), 1), "cross: axis 1", "[2, 1]");
    assert_panics!(m.cdist(&v, 2.0), "cdist: ", "[2, 3]", "[3]");
    assert_panics!(m.cdist(&ones(&[2, 2]), 2.0), "cdist: ", "[2, 3]", "[2, 2]");
    assert_panics!(m.cdist(&m, -1.0), "cdist: ", "-1");
    assert_panics!(m.cdist(&m, f64::NAN), "cdist: ", "NaN");
    assert_panics!(ones(&[2, 1, 3]).cdist(&ones(&[3, 1, 3]), 2.0), "cdist: ", "[2]", "[3]");
    assert_panics!(m.pairwise_distance(&ones(&[2]), 2.0, 0.0, false), "pairwise_distance: ", "[2, 3]", "[2]");
    assert_panics!(ones(&[]).pairwise_distance(&ones(&[]), 2.0, 0.0, false), "pairwise_distance: ", "[]");
    assert_panics!(m.cosine_similarity(&ones(&[2]), 0, 0.0), "cosine_similarity: ", "[2, 3]", "[2]");
    assert_panics!(m.cosine_similarity(&m, 2, 0.0), "cosine_similarity: axis 2", "[2, 3]");
    assert_panics!(m.normalize(2.0, 2, 0.0), "normalize: axis 2", "[2, 3]");
}

#[test]
fn arrangements_that_do_not_fit() {
    let (m, v) = (ones(&[2, 3]), ones(&[3]));
    let none: [Var<f64>; 0] = [];
    assert_panics!(m.movedim(&[0], &[0, 1]), "movedim: ", "[0]", "[0, 1]", "[2, 3]");
    assert_panics!(m.movedim(&[2], &[0]), "movedim: axis 2", "[2, 3]");
    assert_panics!(m.movedim(&[0, 0], &[0, 1]), "movedim: axis 0", "twice");
    assert_panics!(m.windows(1, 4, 1), "windows: size 4", "[2, 3]");
    assert_panics!(m.windows(1, 2, 0), "windows: ", "step 0");
    assert_panics!(m.repeat_interleave(2, 2), "repeat_interleave: axis 2", "[2, 3]");
    assert_panics!(m.repeat_interleave(usize::MAX, 1), "repeat_interleave: ", "18446744073709551615");
    let two = Tensor::vector(&[1u32, 2]);
    assert_panics!(m.repeat_interleave_counts(two, 1), "repeat_interleave_counts: ", "[2]", "3", "[2, 3]");
    assert_panics!(Var::meshgrid(&none, Indexing::Ij), "meshgrid: there are no vectors");
    assert_panics!(Var::meshgrid(&[&v, &m], Indexing::Xy), "meshgrid: ", "[2, 3]");
    assert_panics!(Var::cartesian_prod(&[&m]), "meshgrid: ", "[2, 3]");
    assert_panics!(ones(&[]).diag_embed(0, 0, 1), "diag_embed: ", "[]");
    assert_panics!(v.diag_embed(0, 0, 2), "diag_embed: axis 2");
    assert_panics!(v.diag_embed(0, 1, -1), "diag_embed: axis -1", "twice");
    assert_panics!(m.unbind(2), "unbind: axis 2", "[2, 3]");
    assert_panics!(m.split_sizes(&[1, 1], 1), "split_sizes: [1, 1]", "2", "[2, 3]", "3");
    assert_panics!(m.split_sizes(&[usize::MAX, 4], 1), "split_sizes: ", "18446744073709551615");
    assert_panics!(Var::hstack(&none), "hstack: there are no variables");
    assert_panics!(Var::vstack(&none), "vstack: there are no variables");
    assert_panics!(Var::dstack(&none), "dstack: there are no variables");
    assert_panics!(Var::hstack(&[&v, &m]), "cat: ", "[3]", "[2, 3]");
    assert_panics!(Var::vstack(&[&m, &ones(&[2])]), "cat: ", "[2, 3]", "[1, 2]");
}
