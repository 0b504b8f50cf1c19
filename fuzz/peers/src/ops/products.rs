//! Products of vectors, matrices and tensors, distances, complex numbers.

use wengert::tape::Var;
use wengert::tensor::Float;

use super::{Results, one};
use crate::wire::Attrs;

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    match name {
        "einsum" => return one(Var::einsum(a.text("equation"), v)),
        "multi_dot" => return one(Var::multi_dot(v)),
        "trace" => return one(v[0].trace()),
        "pdist" => return one(v[0].pdist(a.number("p"))),
        "conj" => return one(v[0].conj()),
        "complex_abs" => return one(v[0].complex_abs()),
        "complex_angle" => return one(v[0].complex_angle()),
        _ => {}
    }
    let [x, y] = v else { return None };
    one(match name {
        "matmul" => x.matmul(y),
        "dot" => x.dot(y),
        "outer" => x.outer(y),
        "inner" => x.inner(y),
        "kron" => x.kron(y),
        "vecdot" => x.vecdot(y, a.int("axis")),
        "cross" => x.cross(y, a.int("axis")),
        "tensordot" => x.tensordot(y, &a.ints("axes"), &a.ints("other_axes")),
        "cdist" => x.cdist(y, a.number("p")),
        "dist" => x.dist(y, a.number("p")),
        "pairwise_distance" => x.pairwise_distance(y, a.number("p"), a.number("eps"), a.flag("keep")),
        "cosine_similarity" => x.cosine_similarity(y, a.int("axis"), a.number("eps")),
        "complex_mul" => x.complex_mul(y),
        "polar" => Var::polar(x, y),
        _ => return None,
    })
}
