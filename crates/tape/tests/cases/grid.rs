//! Sampling at places of a grid, off the places at which a neighbour becomes another.

use super::{Case, any, at, case, other};
use wengert_tape::{GridMode, GridPadding, GridSampleOptions, Var};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("affine_grid", |v| v[0].affine_grid([2, 3], false), [any([2, 2, 3])]),
        case("affine_grid aligned", |v| v[0].affine_grid([2, 1, 2], true), [any([1, 3, 4])]),
        planar("grid_sample", |v| sample(v, GridMode::Linear, GridPadding::Zeros, false)).order(3),
        planar("grid_sample border", |v| sample(v, GridMode::Linear, GridPadding::Border, false)),
        planar("grid_sample mirrored", |v| sample(v, GridMode::Linear, GridPadding::Reflection, false)),
        planar("grid_sample mirrored aligned", |v| {
            sample(v, GridMode::Linear, GridPadding::Reflection, true)
        }),
        planar("grid_sample aligned", |v| sample(v, GridMode::Linear, GridPadding::Zeros, true)),
        planar("grid_sample nearest", |v| sample(v, GridMode::Nearest, GridPadding::Border, false)),
        planar("grid_sample cubic", |v| sample(v, GridMode::Cubic, GridPadding::Zeros, false)),
        planar("grid_sample cubic mirrored", |v| sample(v, GridMode::Cubic, GridPadding::Reflection, true)),
    ];
    let solid = |v: &[Var<f64>]| {
        let grid = v[1].reshape([1, 1, 2, 1, 3]);
        v[0].grid_sample(&grid, GridSampleOptions::default())
    };
    cases.push(case(
        "grid_sample solid",
        solid,
        [other([1, 2, 2, 2, 3]), at([0.13, -0.42, 0.31, -0.77, 0.21, 1.2])],
    ));
    cases.push(case(
        "grid_sample nowhere",
        |v| v[0].grid_sample(&v[1].reshape([1, 0, 2, 2]), GridSampleOptions::default()),
        [any([1, 2, 2, 3]), any([0])],
    ));
    cases
}

fn sample(v: &[Var<f64>], mode: GridMode, padding: GridPadding, align_corners: bool) -> Var<f64> {
    v[0].grid_sample(&v[1].reshape([1, 2, 2, 2]), GridSampleOptions { mode, padding, align_corners })
}

fn planar(name: &'static str, f: fn(&[Var<f64>]) -> Var<f64>) -> Case {
    // x and y in turn.
    case(name, f, [any([1, 2, 3, 4]), at([0.13, 0.21, -0.42, -0.55, 0.87, 1.4, -1.31, -0.85])])
}
