use super::*;
use crate::machine::parallel::with_threads;

fn row(map: &AxisMap, x: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; map.outputs()];
    apply_axis_map(map, 1, x, &mut out);
    out
}

#[test]
fn borders() {
    let x = [1.0, 2.0, 3.0];
    let of = |border, before, after| row(&AxisMap::border(3, before, after, border), &x);
    assert_eq!(of(Border::Reflect, 2, 1), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    assert_eq!(of(Border::Replicate, 4, 1), [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
    assert_eq!(of(Border::Circular, 3, 2), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0]);
    assert!(!Border::Reflect.fits(3, 3) && !Border::Circular.fits(3, 4) && !Border::Replicate.fits(0, 1));
    assert_eq!(AxisMap::border(0, 0, 0, Border::Reflect).outputs(), 0);
}

#[test]
#[should_panic(expected = "border: 3 and 0 positions cannot be made of 3 by Reflect")]
fn too_wide_a_border() {
    AxisMap::border(3, 3, 0, Border::Reflect);
}

#[test]
fn windows() {
    let map = AxisMap::patches([3, 2, 2, 2, 1, 1]);
    assert_eq!(row(&map, &[1.0, 2.0, 3.0]), [0.0, 2.0, 1.0, 3.0]);
    let mean = AxisMap::adaptive_mean(5, 3);
    assert_eq!(row(&mean, &[1.0, 3.0, 5.0, 7.0, 9.0]), [2.0, 5.0, 8.0]);
    assert_eq!(AxisMap::patches([1, 1, 2, usize::MAX, 0, usize::MAX]).row(1), []);
}

#[test]
fn every_map_times_an_inner_axis_and_back() {
    let maps = [
        AxisMap::border(5, 2, 3, Border::Reflect),
        AxisMap::patches([5, 3, 3, 2, 1, 1]),
        AxisMap::adaptive_mean(5, 7),
        AxisMap::resampled(5, 8, None, Interpolation::Cubic { align_corners: false }),
        AxisMap::resampled(5, 3, Some(0.7), Interpolation::Linear { align_corners: false }),
    ];
    for map in maps {
        let (outer, inner) = (3, 4);
        let x: Vec<f64> = (0..outer * 5 * inner).map(|i| (i as f64).sin()).collect();
        let mut y = vec![f64::NAN; outer * map.outputs() * inner];
        apply_axis_map(&map, inner, &x, &mut y);
        for (block, column) in (0..outer).flat_map(|b| (0..inner).map(move |c| (b, c))) {
            let take = |from: &[f64], length: usize| -> Vec<f64> {
                (0..length).map(|i| from[(block * length + i) * inner + column]).collect()
            };
            assert_eq!(row(&map, &take(&x, 5)), take(&y, map.outputs()));
        }
        // ⟨y, z⟩ = ⟨x, transpose z⟩.
        let z: Vec<f64> = (0..y.len()).map(|i| (i as f64).cos()).collect();
        let mut back = vec![f64::NAN; x.len()];
        apply_axis_map(&map.transposed(), inner, &z, &mut back);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&y, &z) - dot(&x, &back)).abs() < 1e-12);
        assert_eq!(map.transposed().transposed(), map);
    }
}

#[test]
fn maxima_of_windows() {
    let x = [1.0, 4.0, 5.0, 4.0, 5.0, f64::NAN, f64::NAN, 0.0];
    let mut positions = [9; 4];
    axis_maxima(&[0..2, 1..4], 4, 2, &x, &mut positions);
    assert_eq!(positions, [1, 0, 3, 2]);
}

#[test]
#[should_panic(expected = "axis_maxima: the window 1..4 of an axis of 3 elements")]
fn a_window_that_leaves_the_axis() {
    axis_maxima(&[0..2, 1..4], 3, 1, &[0.0; 3], &mut [0; 2]);
}

#[test]
#[should_panic(expected = "apply_axis_map: 4 and 5 elements do not fit a map from 3 to 5 positions of 1")]
fn slices_of_other_lengths() {
    apply_axis_map(&AxisMap::border(3, 1, 1, Border::Reflect), 1, &[0.0; 4], &mut [0.0; 5]);
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let map = AxisMap::resampled(300, 411, None, Interpolation::Cubic { align_corners: false });
    for inner in [1, 3] {
        let x: Vec<f32> = (0..300 * 600).map(|i| (i as f32).sin()).collect();
        let all = || {
            let mut y = vec![f32::NAN; x.len() / 300 * 411];
            apply_axis_map(&map, inner, &x, &mut y);
            let mut positions = vec![9; x.len() / 300 * 2];
            axis_maxima(&[0..200, 100..300], 300, inner, &x, &mut positions);
            (y, positions)
        };
        assert!(with_threads(1, all) == with_threads(3, all));
    }
}

/// A factor that leaves the length as it is counts for cubics: rows are those of any other length that goes by it.
#[test]
fn cubics_by_a_factor_that_leaves_the_length() {
    let x = [0.5, -1.0, 2.0, 4.0, -3.0, 0.25, 1.0, 7.0, -2.0];
    let by_factor = |outputs, mode| row(&AxisMap::resampled(9, outputs, Some(1.1), mode), &x)[..8].to_vec();
    let cubic = Interpolation::Cubic { align_corners: false };
    assert_eq!(by_factor(9, cubic), by_factor(8, cubic));
    // As in PyTorch, not for lines.
    assert_eq!(by_factor(9, Interpolation::Linear { align_corners: false }), x[..8]);
}
