//! Augmentation: what each change does, and that it follows from the seed alone.

#[path = "../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;

use panics::caught;
use wengert_data::{Augment, Elastic};
use wengert_tensor::random::Generator;
use wengert_tensor::{Tensor, parallel};

fn noise(shape: [usize; 4]) -> Tensor<f64> {
    Tensor::uniform(shape, 0.0, 1.0, &mut Generator::seeded(5))
}

/// Images of `down · y + across · x`, which interpolation between pixels gives exactly.
fn ramps(count: usize, size: usize, down: f64, across: f64) -> Tensor<f64> {
    Tensor::from_fn([count, 1, size, size], |i| down * i[2] as f64 + across * i[3] as f64)
}

#[test]
fn nothing_is_changed_by_default() {
    let images = noise([3, 2, 5, 4]);
    assert_eq!(Augment::default().apply(&images, 1), images);
    for empty in [[0, 2, 5, 4], [2, 0, 5, 4], [2, 1, 0, 4], [2, 1, 3, 0]] {
        let all =
            Augment { shift: 1.0, elastic: Some(Elastic { strength: 1.0, width: 1.0 }), cutout: 2, ..all() };
        assert_eq!(all.apply(&noise(empty), 1).shape(), &empty);
    }
}

fn all() -> Augment {
    let elastic = Some(Elastic { strength: 10.0, width: 3.0 });
    Augment { shift: 2.0, rotate: 15.0, scale: 0.1, flip: true, elastic, cutout: 5, fill: -0.5 }
}

#[test]
fn mirrored_images_are_mirrored_and_half_of_them_are() {
    let images = noise([200, 1, 6, 5]);
    let changed = Augment { flip: true, ..Augment::default() }.apply(&images, 3);
    let mirrored = images.flip(3);
    let is_mirrored = |i: isize| {
        let (found, whole) = (changed.select(0, i), images.select(0, i));
        if found == whole {
            return false;
        }
        assert!(found.all_close(&mirrored.select(0, i), 1e-12, 0.0), "image {i}");
        true
    };
    let count = (0..200).filter(|&i| is_mirrored(i)).count();
    assert!((70..130).contains(&count), "{count}");
}

#[test]
fn shifts_are_up_to_the_limit_along_both_axes() {
    // The first channel tells the row, the second the column.
    let images = Tensor::cat(&[ramps(60, 20, 1.0, 0.0), ramps(60, 20, 0.0, 1.0)], 1);
    let changed = Augment { shift: 3.0, ..Augment::default() }.apply(&images, 4);
    for channel in 0..2 {
        let mut by = Vec::new();
        for i in 0..60 {
            let moved = |y, x| images.at([i, channel, y, x]) - changed.at([i, channel, y, x]);
            // The same at all pixels that come from inside.
            for (y, x) in (4..16).flat_map(|y| (4..16).map(move |x| (y, x))) {
                assert!((moved(y, x) - moved(10, 10)).abs() < 1e-12);
            }
            by.push(moved(10, 10));
        }
        assert!(by.iter().all(|by| by.abs() <= 3.0));
        assert!(by.iter().any(|&by| by < -2.0) && by.iter().any(|&by| by > 2.0));
    }
}

#[test]
fn scaling_and_turning_change_the_slope() {
    let images = ramps(60, 21, 0.0, 1.0);
    let slopes = |augment: Augment| -> Vec<[f64; 2]> {
        let changed = augment.apply(&images, 6);
        let at = |i, y, x| changed.at([i, 0, y, x]);
        // The centre stays.
        (0..60).for_each(|i| assert!((at(i, 10, 10) - 10.0).abs() < 1e-12));
        (0..60).map(|i| [at(i, 11, 10) - at(i, 10, 10), at(i, 10, 11) - at(i, 10, 10)]).collect()
    };
    let scaled = slopes(Augment { scale: 0.2, ..Augment::default() });
    let factors: Vec<f64> = scaled.iter().map(|[_, across]| 1.0 / across).collect();
    assert!(factors.iter().all(|factor| (0.8..=1.2).contains(factor)));
    assert!(factors.iter().any(|factor| *factor < 0.9) && factors.iter().any(|factor| *factor > 1.1));
    let turned = slopes(Augment { rotate: 30.0, ..Augment::default() });
    let angles: Vec<f64> = turned.iter().map(|[down, across]| down.atan2(*across).to_degrees()).collect();
    assert!(angles.iter().all(|angle| angle.abs() <= 30.0 + 1e-9));
    assert!(angles.iter().any(|angle| *angle < -15.0) && angles.iter().any(|angle| *angle > 15.0));
    // A turn keeps lengths.
    assert!(turned.iter().all(|[down, across]| (down.hypot(*across) - 1.0).abs() < 1e-12));
}

#[test]
fn a_square_is_blanked() {
    let images = noise([100, 2, 9, 8]);
    let changed = Augment { cutout: 4, fill: -1.0, ..Augment::default() }.apply(&images, 8);
    let mut whole = 0;
    for i in 0..100 {
        let blank: Vec<[usize; 2]> = (0..9)
            .flat_map(|y| (0..8).map(move |x| [y, x]))
            .filter(|&[y, x]| changed.at([i, 0, y, x]) == -1.0)
            .collect();
        let side = |axis: usize| {
            let places = blank.iter().map(|place| place[axis]);
            places.clone().max().unwrap() - places.min().unwrap() + 1
        };
        assert!(side(0) <= 4 && side(1) <= 4 && blank.len() == side(0) * side(1));
        whole += usize::from(blank.len() == 16);
        for (y, x) in (0..9).flat_map(|y| (0..8).map(move |x| (y, x))) {
            let is_blank = blank.contains(&[y, x]);
            for channel in 0..2 {
                let expected = if is_blank { -1.0 } else { images.at([i, channel, y, x]) };
                assert_eq!(changed.at([i, channel, y, x]), expected);
            }
        }
    }
    assert!(whole > 20, "{whole}");
}

#[test]
fn distortions_are_smooth_and_centred() {
    let images = ramps(40, 28, 0.0, 1.0);
    let elastic = Some(Elastic { strength: 34.0, width: 4.0 });
    let changed = Augment { elastic, ..Augment::default() }.apply(&images, 9);
    let moved = |i: usize, y: usize, x: usize| changed.at([i, 0, y, x]) - x as f64;
    let inside: Vec<f64> = (0..40).flat_map(|i| (8..20).map(move |k| moved(i, k, 27 - k))).collect();
    let deviation = (inside.iter().map(|d| d * d).sum::<f64>() / inside.len() as f64).sqrt();
    // Uniform noise of variance 1/3 through a Gaussian: α · √(1/3) / (2σ√π).
    let expected = 34.0 * (1.0f64 / 3.0).sqrt() / (2.0 * 4.0 * std::f64::consts::PI.sqrt());
    assert!((deviation / expected - 1.0).abs() < 0.3, "{deviation} of {expected}");
    let steps = (0..40).map(|i| (moved(i, 14, 14) - moved(i, 14, 15)).abs()).fold(0.0, f64::max);
    assert!(steps < expected, "{steps}");
}

#[test]
fn seeds_decide_and_threads_do_not() {
    let images = noise([50, 3, 24, 24]);
    let of = |threads, seed| parallel::with_threads(threads, || all().apply(&images, seed));
    assert!(of(1, 1) == of(3, 1));
    assert!(of(1, 1) != of(1, 2));
    // An image's changes do not depend on the others of its batch.
    assert!(of(1, 1).slice(..10) == all().apply(&images.slice(..10), 1));
    let single: Tensor<f32> = all().apply(&images.cast(), 1);
    assert!(single.cast::<f64>().all_close(&of(1, 1), 1e-5, 1e-5));
}

#[test]
fn misuse() {
    let says = |expected: &str, augment: Augment, images: Tensor<f64>| {
        let caught = caught(|| augment.apply(&images, 0));
        assert_eq!(caught.message, expected);
        assert!(caught.file.ends_with("augment.rs") && caught.file.contains("tests"));
        assert!(caught.line > 0);
    };
    let (nothing, image) = (Augment::default(), Tensor::zeros([1, 1, 2, 2]));
    says("augment: images [4, 4] are not [batch, channels, height, width]", nothing, Tensor::zeros([4, 4]));
    says("augment: a shift of -1 pixels", Augment { shift: -1.0, ..nothing }, image.clone());
    says("augment: a rotation of NaN degrees", Augment { rotate: f64::NAN, ..nothing }, image.clone());
    says("augment: the scale 1 is not in [0, 1)", Augment { scale: 1.0, ..nothing }, image.clone());
    let elastic = Some(Elastic { strength: 1.0, width: 0.0 });
    says("augment: an elastic distortion of strength 1 and width 0", Augment { elastic, ..nothing }, image);
}
