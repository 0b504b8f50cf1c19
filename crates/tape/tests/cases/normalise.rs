//! Normalisation.

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
        case("rms_norm", |v| v[0].rms_norm(&v[1], 1e-2), [any([2, 4]), positive([4])])
            .also([any([5]), other([5])])
            .also([other([2, 2, 3]), any([2, 3])])
            .order(3),
        case("group_norm", |v| v[0].group_norm(2, &v[1], &v[2], 0.1), [any([2, 4, 3]), any([4]), other([4])])
            .also([other([3, 4]), positive([4]), other([4])])
            .also([any([1, 2, 2, 2]), other([2]), any([2])])
            .also([any([0, 2, 2]), other([2]), any([2])])
            .order(3),
        case(
            "instance_norm",
            |v| v[0].instance_norm(&v[1], &v[2], 0.1),
            [any([2, 3, 4]), any([3]), other([3])],
        )
        .also([other([1, 1, 2, 3]), positive([1]), other([1])])
        .also([any([1, 0, 3]), other([0]), any([0])])
        .order(3),
        case("batch_norm", |v| v[0].batch_norm(&v[1], &v[2], 0.1), [any([4, 3]), any([3]), other([3])])
            .also([other([2, 2, 3]), positive([2]), other([2])])
            .also([other([1, 1, 3, 2]), positive([1]), other([1])])
            .also([any([2, 2, 17]), other([2]), any([2])])
            .also([any([0, 2, 3]), other([2]), any([2])])
            .also([any([3, 0, 2]), other([0]), any([0])])
            .order(3),
        case(
            "batch_norm whose gain depends on x",
            |v| v[0].batch_norm(&(&v[1] * v[0].select(0, 1)), &v[0].select(0, 0), 0.1),
            [any([3, 2]), positive([2])],
        ),
        case(
            "channel_affine",
            |v| v[0].channel_affine(&v[1], &v[2], &v[3]),
            [any([2, 3, 2]), other([3]), positive([3]), any([3])],
        )
        .also([other([4, 2]), any([2]), positive([2]), other([2])])
        .also([other([0, 2, 1, 3]), any([2]), positive([2]), other([2])])
        .also([other([1, 2, 17]), any([2]), positive([2]), other([2])]),
        case(
            "batch_norm_by",
            |v| v[0].batch_norm_by(&v[1], &v[2], &v[3], &v[4], 0.1),
            [any([2, 3, 2]), other([3]), positive([3]), any([3]), other([3])],
        )
        .also([other([4, 2]), any([2]), positive([2]), other([2]), any([2])])
        .also([other([0, 2, 1, 3]), any([2]), positive([2]), other([2]), any([2])]),
    ]
}
