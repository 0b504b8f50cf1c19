//! Variances, norms, products and cumulative sums.

use super::{Case, any, at, case, positive};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("var", |v| v[0].var(), [any([5])]).also([any([2, 3])]),
        case("var_axes", |v| v[0].var_axes(1, 0, false), [any([2, 3])]).also([any([2, 1])]),
        case("var_axes keepdim", |v| v[0].var_axes([0, 2], 1, true), [any([2, 3, 2])]),
        case("var_axes of equal elements", |v| v[0].var_axes(.., 1, false), [at([2.0, 2.0, 2.0])]),
        case("std_axes", |v| v[0].std_axes(0, 1, false), [any([4, 2])]).also([positive([5])]),
        case("std_axes keepdim", |v| v[0].std_axes(.., 0, true), [any([2, 3])]),
        case("norm", |v| v[0].norm(2.0), [any([4])])
            .also([any([2, 3])])
            .also([any([])])
            .also([any([1])])
            .order(3),
        case("norm 1", |v| v[0].norm(1.0), [any([2, 3])]),
        case("norm 3", |v| v[0].norm(3.0), [any([2, 3])]),
        case("norm 1.5", |v| v[0].norm(1.5), [positive([4])]),
        case("norm infinity", |v| v[0].norm(f64::INFINITY), [any([2, 3])]),
        case("norm 0", |v| v[0].norm(0.0), [any([4])]),
        case("norm 0.5", |v| v[0].norm(0.5), [any([4])]).also([any([])]),
        case("norm 1.5 of both signs", |v| v[0].norm(1.5), [any([5])]).order(3),
        case("norm 6", |v| v[0].norm(6.0), [any([4])]).also([at([2.0, 0.0, -1.0])]).order(3),
        case("norm -1", |v| v[0].norm(-1.0), [any([4])]).order(3),
        case("norm -2.5", |v| v[0].norm(-2.5), [any([4])]),
        case("norm -infinity", |v| v[0].norm(f64::NEG_INFINITY), [any([2, 3])]),
        case("norm_axes 0.5", |v| v[0].norm_axes(0.5, [0, 2], true), [any([2, 3, 2])]),
        case("norm_axes -2", |v| v[0].norm_axes(-2.0, 1, false), [any([2, 3])]),
        case("norm_axes of nothing", |v| v[0].norm_axes(3.0, 1, false), [any([2, 0])]),
        case("norm_axes", |v| v[0].norm_axes(2.0, 1, false), [any([2, 3])]),
        case("norm_axes keepdim", |v| v[0].norm_axes(2.0, [0, 2], true), [any([2, 3, 2])]),
        case("norm_axes 4", |v| v[0].norm_axes(4.0, 0, false), [any([2, 3])]),
        case("cumsum", |v| v[0].cumsum(0), [any([4])]).also([any([3, 2])]).also([any([1])]).also([any([0])]),
        case("cumsum last axis", |v| v[0].cumsum(-1), [any([2, 2, 3])]),
        case("cumprod", |v| v[0].cumprod(0), [any([5])])
            .also([any([3, 2])])
            .also([any([1])])
            .also([any([0])]),
        case("cumprod last axis", |v| v[0].cumprod(-1), [any([2, 3])]),
        case("cumprod with zeros", |v| v[0].cumprod(0), [at([2.0, 0.0, 3.0, -1.5])])
            .also([at([0.0, 0.0, 3.0])])
            .order(3),
        case("prod", |v| v[0].prod(), [any([5])]).also([any([2, 3])]).also([any([])]).also([any([0])]),
        case("prod with zeros", |v| v[0].prod(), [at([2.0, 0.0, 3.0])])
            .also([at([0.0, 2.0, 0.0])])
            .also([at([0.0; 3])])
            .order(3),
        case("prod_axis", |v| v[0].prod_axis(1, false), [any([2, 3])])
            .also([any([2, 1])])
            .also([any([2, 0])]),
        case("prod_axis keepdim", |v| v[0].prod_axis(0, true), [any([5, 2])]),
    ]
}
