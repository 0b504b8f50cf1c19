//! The functions that the golden file has numbers of, by the names that it has for them.

use super::{order, scatter};
use wengert_tape::{Indexing, Var};
use wengert_tensor::{Float, Tensor};

pub(super) type Function<T> = fn(&[Var<T>]) -> Var<T>;

pub(super) fn all<T: Float>() -> Vec<(&'static str, Function<T>)> {
    [products(), distances(), arrangements(), scatter::functions(), order::functions(), order::counts()]
        .concat()
}

fn products<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("tensordot", |v| v[0].tensordot(&v[1], &[1, 2], &[1, 0])),
        ("tensordot of no axes", |v| v[0].tensordot(&v[1], &[], &[])),
        ("kron", |v| v[0].kron(&v[1])),
        ("outer", |v| v[0].outer(&v[1])),
        ("inner", |v| v[0].inner(&v[1])),
        ("dot", |v| v[0].dot(&v[1])),
        ("trace", |v| v[0].trace()),
        ("cross", |v| v[0].cross(&v[1], 0)),
        ("einsum broadcasts", |v| Var::einsum("ij,ij->i", &[&v[0], &v[1]])),
        ("einsum sums the ellipsis", |v| Var::einsum("...i->i", &[&v[0]])),
    ]
}

fn distances<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("cdist 0.0", |v| v[0].cdist(&v[1], 0.0)),
        ("cdist 0.5", |v| v[0].cdist(&v[1], 0.5)),
        ("cdist 1.0", |v| v[0].cdist(&v[1], 1.0)),
        ("cdist 1.5", |v| v[0].cdist(&v[1], 1.5)),
        ("cdist 2.0", |v| v[0].cdist(&v[1], 2.0)),
        ("cdist 3.0", |v| v[0].cdist(&v[1], 3.0)),
        ("cdist inf", |v| v[0].cdist(&v[1], f64::INFINITY)),
        ("cdist coinciding", |v| v[0].cdist(&v[0].detach(), 2.0)),
        ("pairwise_distance", |v| v[0].pairwise_distance(&v[1], 2.0, 1e-6, false)),
        ("pairwise_distance at 0", |v| v[0].pairwise_distance(&v[0].detach(), 2.0, 1e-6, false)),
        ("pairwise_distance 1", |v| v[0].pairwise_distance(&v[1], 1.0, 0.1, true)),
        ("cosine_similarity", |v| v[0].cosine_similarity(&v[1], 1, 1e-8)),
        ("cosine_similarity broadcast", |v| v[0].cosine_similarity(&v[1], -1, 1e-8)),
        ("cosine_similarity at 0", |v| v[0].cosine_similarity(&v[1], 1, 0.01)),
        ("normalize", |v| v[0].normalize(2.0, 0, 1e-12)),
        ("normalize 1", |v| v[0].normalize(1.0, -1, 1e-12)),
        ("normalize at 0", |v| v[0].normalize(2.0, 1, 0.5)),
        ("normalize short", |v| v[0].normalize(2.0, 1, 5.0)),
    ]
}

fn arrangements<T: Float>() -> Vec<(&'static str, Function<T>)> {
    vec![
        ("movedim", |v| v[0].movedim(&[2, 0], &[0, 1])),
        ("windows", |v| v[0].windows(0, 3, 2)),
        ("repeat_interleave", |v| v[0].repeat_interleave(2, 1)),
        ("repeat_interleave_counts", |v| v[0].repeat_interleave_counts(Tensor::vector(&[2, 0, 3]), 1)),
        ("meshgrid ij", |v| joined(&Var::meshgrid(v, Indexing::Ij))),
        ("meshgrid xy", |v| joined(&Var::meshgrid(v, Indexing::Xy))),
        ("cartesian_prod", |v| Var::cartesian_prod(v)),
        ("diag_embed", |v| v[0].diag_embed(1, 0, 2)),
        ("diag_embed below", |v| v[0].diag_embed(-1, -1, 0)),
        ("unbind", |v| joined(&backwards(v[0].unbind(1)))),
        ("split_sizes", |v| joined(&backwards(v[0].split_sizes(&[1, 2], 1)))),
        ("hstack", |v| Var::hstack(v)),
        ("hstack vectors", |v| Var::hstack(v)),
        ("vstack", |v| Var::vstack(v)),
        ("dstack", |v| Var::dstack(v)),
    ]
}

/// Several results one behind the other, as the golden file has them.
pub(super) fn joined<T: Float>(parts: &[Var<T>]) -> Var<T> {
    let flat: Vec<Var<T>> = parts.iter().map(|x| x.reshape([x.len()])).collect();
    Var::cat(&flat, 0)
}

fn backwards<T: Float>(parts: Vec<Var<T>>) -> Vec<Var<T>> {
    parts.into_iter().rev().collect()
}
