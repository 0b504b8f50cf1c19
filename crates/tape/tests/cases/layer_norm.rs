//! Layer normalisation.

use super::{Case, any, at, case, other, positive};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("layer_norm", |v| v[0].layer_norm(&v[1], &v[2], 1e-2), [any([2, 4]), positive([4]), other([4])])
            .also([any([5]), other([5]), any([5])])
            .also([other([2, 2, 3]), any([3]), positive([3])])
            .order(3),
        case(
            "layer_norm over two axes",
            |v| v[0].layer_norm(&v[1], &v[2], 0.1),
            [any([2, 2, 3]), other([2, 3]), any([2, 3])],
        ),
        case(
            "layer_norm of a constant row",
            |v| v[0].layer_norm(&v[1], &v[2], 0.5),
            [at([[1.0, 1.0, 1.0], [-2.0, 0.5, 1.0]]), positive([3]), other([3])],
        ),
        case(
            "layer_norm whose gain depends on x",
            |v| {
                let y = v[0].layer_norm(&v[1], &v[2], 0.1);
                y.layer_norm(&(&v[1] * &v[0].select(0, 1)), &v[0].select(0, 0), 0.1)
            },
            [any([2, 3]), positive([3]), other([3])],
        ),
    ]
}
