//! Handwritten-looking digits, drawn by strokes: data for a machine that has none.
//!
//! Each digit is a few strokes through points that differ from image to image, then slanted, turned, stretched,
//! moved, and inked by a pen of random thickness on slightly noisy paper. A classifier has to learn something:
//! the digits are neither all alike nor all legible.

mod glyphs;
mod ink;

use wengert_tensor::Tensor;
use wengert_tensor::parallel::for_each_chunk;
use wengert_tensor::random::Generator;

use crate::dataset::Dataset;
use crate::features::Features;
use crate::image_set::SIDE;

/// Seed of the training set that stands in for MNIST's.
pub(crate) const TRAIN_SEED: u64 = 0x74_7261_696e;
/// Seed of the test set that stands in for MNIST's.
pub(crate) const TEST_SEED: u64 = 0x7465_7374;
/// Mean of the pixels, rounded, for normalisation.
pub(crate) const MEAN: f32 = 0.1055;
/// Standard deviation of the pixels, rounded, for normalisation.
pub(crate) const STD: f32 = 0.2543;

/// `count` digits of 28×28 grey pixels and their labels 0 to 9, about equally many of each.
///
/// The same on every platform and for any number of threads: image `i` depends on `seed` and `i` alone.
///
/// # Panics
/// If `count` is 0, or more than a `u32` can count.
///
/// ```
/// let data = wengert_data::synthetic::digits(20, 0);
/// let (images, labels) = data.all();
/// assert_eq!(images.shape(), &[20, 784]);
/// assert!(labels.to_vec().iter().all(|&label| label < 10));
/// ```
#[track_caller]
pub fn digits(count: usize, seed: u64) -> Dataset {
    assert!(count > 0, "digits: an empty data set was asked for");
    let mut pixels = vec![0; count * SIDE * SIDE];
    let random = Generator::seeded(seed);
    for_each_chunk(&mut pixels, 16 * SIDE * SIDE, true, |start, chunk| {
        for (i, image) in chunk.chunks_exact_mut(SIDE * SIDE).enumerate() {
            draw(&mut random.fork((start / (SIDE * SIDE) + i) as u64), image);
        }
    });
    let labels: Vec<u32> = (0..count).map(|image| choose(&mut random.fork(image as u64))).collect();
    Features::from_bytes(pixels, [SIDE * SIDE])
        .and_then(|images| Dataset::new((images, Tensor::from(labels))))
        .expect("as many labels as images")
}

/// The digit of an image, the first thing that its generator draws.
fn choose(random: &mut Generator) -> u32 {
    random.below(10) as u32
}

/// Draws the digit that `random` chooses.
fn draw(random: &mut Generator, image: &mut [u8]) {
    let digit = choose(random);
    let path = glyphs::write(digit, random);
    ink::paint(&path, random, image);
}
