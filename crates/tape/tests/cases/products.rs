//! Einstein's notation, products over chosen axes, traces.

use super::{Case, any, case, other, positive};
use wengert_tape::Var;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("vecdot", |v| v[0].vecdot(&v[1], 0), [any([3, 2]), other([3, 1])]),
        case("multi_dot", |v| Var::multi_dot(v), [any([2, 3]), other([3, 2]), any([2, 2]), other([2])])
            .also([any([3]), other([3, 2]), any([2, 1]), other([1])])
            .also([any([2]), other([2])])
            .also([any([2, 3])]),
        case(
            "einsum of many",
            |v| Var::einsum("ab,bc,cd,de,ae,b->dc", &[&v[0], &v[1], &v[0], &v[1], &v[2], &v[3]]),
            [any([2, 2]), other([2, 2]), any([2, 2]), other([2])],
        ),
        case("einsum", |v| Var::einsum("ij,jk->ik", &[&v[0], &v[1]]), [any([2, 3]), other([3, 2])])
            .also([any([0, 3]), other([3, 2])])
            .also([any([2, 0]), other([0, 2])])
            .also([any([2, 1]), other([3, 2])])
            .order(3),
        case("einsum implicit", |v| Var::einsum("ba", &[&v[0]]), [any([2, 3])]),
        case("einsum diagonal", |v| Var::einsum("iji->j", &[&v[0]]), [any([2, 3, 2])]),
        case("einsum trace", |v| Var::einsum(" i i ", &[&v[0]]), [any([3, 3])]).also([any([0, 0])]),
        case("einsum sum", |v| Var::einsum("ij->", &[&v[0]]), [any([2, 3])]),
        case("einsum outer", |v| Var::einsum("i,j", &[&v[0], &v[1]]), [any([2]), other([3])]),
        case(
            "einsum elementwise",
            |v| Var::einsum("ij,ji->ij", &[&v[0], &v[1]]),
            [any([2, 3]), other([3, 2])],
        ),
        case("einsum dots", |v| Var::einsum("bi,bi->b", &[&v[0], &v[1]]), [any([2, 3]), other([2, 3])]),
        case(
            "einsum ellipsis",
            |v| Var::einsum("...ij,j...k->k...i", &[&v[0], &v[1]]),
            [any([2, 1, 2, 3]), other([3, 2, 2])],
        ),
        case(
            "einsum heads",
            |v| Var::einsum("bqhd,bkhd->bhqk", &[&v[0], &v[1]]),
            [any([2, 2, 2, 3]), other([2, 3, 2, 3])],
        ),
        case(
            "einsum three",
            |v| Var::einsum("ni,oij,nj->no", &[&v[0], &v[1], &v[2]]),
            [any([2, 2]), other([3, 2, 2]), positive([2, 2])],
        ),
        case(
            "einsum four with a scalar",
            |v| Var::einsum("ij,,kj,ll->k", &[&v[0], &v[0].sum(), &v[1], &v[0]]),
            [any([2, 2]), other([3, 2])],
        ),
        case("tensordot", |v| v[0].tensordot(&v[1], &[1, -1], &[1, 0]), [any([2, 3, 2]), other([2, 3, 2])]),
        case("tensordot nothing", |v| v[0].tensordot(&v[1], &[], &[]), [any([2]), other([3])]),
        case(
            "tensordot everything",
            |v| v[0].tensordot(&v[1], &[0, 1], &[1, 0]),
            [any([2, 3]), other([3, 2])],
        ),
        case("inner", |v| v[0].inner(&v[1]), [any([2, 3]), other([2, 2, 3])])
            .also([any([3]), other([3])])
            .also([any([]), other([2])]),
        case("kron", |v| v[0].kron(&v[1]), [any([2, 2]), other([3, 1])])
            .also([any([2]), other([2, 3])])
            .also([any([]), other([2])]),
        case("trace", |v| v[0].trace(), [any([3, 3])]).also([any([2, 3])]).also([any([2, 2, 2])]),
        case("cross", |v| v[0].cross(&v[1].exp(), 0), [any([3]), other([3])])
            .also([any([3, 2]), other([3, 2])])
            .also([any([3, 1]), other([3, 2])]),
        case("cross last axis", |v| v[0].cross(&v[1], -1), [any([2, 3]), other([3])]),
    ]
}
