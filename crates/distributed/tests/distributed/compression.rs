//! Gradients in fewer bytes: their errors, and that nothing is lost for good.

use wengert_distributed::compress::{Compression, Compressor, decompress};
use wengert_tensor::Float;
use wengert_tensor::random::Generator;

fn sent<T: Float>(compressor: &mut Compressor<T>, gradient: &[T]) -> (Vec<T>, usize) {
    let bytes = compressor.compress(0, gradient);
    let mut out = vec![T::NAN; gradient.len()];
    decompress(&bytes, &mut out).unwrap();
    (out, bytes.len())
}

#[test]
fn errors_are_within_what_is_said() {
    let mut random = Generator::seeded(0);
    // Magnitudes from 1e-12 to 1e8, both signs.
    let values: Vec<f64> =
        (0..20_000).map(|_| random.normal() * 10f64.powf(20.0 * random.uniform() - 12.0)).collect();
    let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
    let (brain, _) = sent(&mut Compressor::new(Compression::Bf16, values.len()).unwrap(), &values);
    let (half, _) = sent(&mut Compressor::new(Compression::F16, values.len()).unwrap(), &values);
    for ((&x, brain), half) in values.iter().zip(brain).zip(half) {
        assert!((brain - x).abs() <= x.abs() * 2f32.powi(-8), "{x}: {brain}");
        let bound = if x.abs() > 65504.0 {
            assert_eq!(half, 65504f32.copysign(x));
            continue;
        } else if x.abs() >= 2f32.powi(-14) {
            x.abs() * 2f32.powi(-11)
        } else {
            2f32.powi(-25)
        };
        assert!((half - x).abs() <= bound, "{x}: {half}");
    }
}

/// The sum of what was sent and what is kept is the sum of the gradients.
#[test]
fn nothing_is_lost() {
    for compression in [Compression::Bf16, Compression::F16, Compression::TopK { fraction: 0.1 }] {
        let mut compressor = Compressor::<f64>::new(compression, 50).unwrap();
        let mut random = Generator::seeded(1);
        let (mut given, mut arrived) = (vec![0.0; 50], vec![0.0; 50]);
        for _ in 0..100 {
            let gradient: Vec<f64> = (0..50).map(|_| random.normal()).collect();
            given.iter_mut().zip(&gradient).for_each(|(sum, x)| *sum += x);
            arrived.iter_mut().zip(sent(&mut compressor, &gradient).0).for_each(|(sum, x)| *sum += x);
        }
        for ((given, arrived), kept) in given.iter().zip(&arrived).zip(compressor.residual()) {
            assert!((given - arrived - kept).abs() < 1e-9, "{compression:?}: {given} {arrived} {kept}");
        }
    }
}

#[test]
fn the_largest_elements_are_sent_with_their_bits() {
    let gradient: Vec<f32> = (0..1000).map(|i| if i % 100 == 7 { -(i as f32) } else { 1e-3 }).collect();
    let mut compressor = Compressor::new(Compression::TopK { fraction: 0.01 }, 1000).unwrap();
    let (out, bytes) = sent(&mut compressor, &gradient);
    for (index, (&out, &gradient)) in out.iter().zip(&gradient).enumerate() {
        assert_eq!(out, if index % 100 == 7 { gradient } else { 0.0 });
    }
    assert!(bytes < 1000 * 4 / 20, "{bytes}");
    // One at least, and all where all are wanted.
    assert_eq!(
        sent(&mut Compressor::new(Compression::TopK { fraction: 1e-9 }, 3).unwrap(), &[1.0f32, 2.0, 0.0]).0,
        [0.0, 2.0, 0.0]
    );
    assert_eq!(
        sent(&mut Compressor::new(Compression::TopK { fraction: 1.0 }, 2).unwrap(), &[1.0f64, 2.0]).0,
        [1.0, 2.0]
    );
    assert!(
        sent(&mut Compressor::new(Compression::TopK { fraction: 0.5 }, 0).unwrap(), &[] as &[f32])
            .0
            .is_empty()
    );
}

#[test]
fn what_is_not_finite_is_not_hidden_and_not_kept() {
    for compression in [Compression::Bf16, Compression::F16, Compression::TopK { fraction: 0.3 }] {
        let mut compressor = Compressor::new(compression, 3).unwrap();
        let (out, _) = sent(&mut compressor, &[f32::NAN, 1.0, 0.5]);
        assert!(out[0].is_nan(), "{compression:?}");
        let (out, _) = sent(&mut compressor, &[f32::INFINITY, 1.0, 0.5]);
        assert_eq!(out[0], f32::INFINITY, "{compression:?}");
        assert!(sent(&mut compressor, &[0.0, 1.0, 0.5]).0.iter().all(|x| x.is_finite()));
        assert!(compressor.residual().iter().all(|x| x.is_finite()));
    }
}

#[test]
fn bytes_of_something_else_are_errors() {
    for compression in
        [Compression::None, Compression::Bf16, Compression::F16, Compression::TopK { fraction: 0.5 }]
    {
        let mut compressor = Compressor::<f32>::new(compression, 4).unwrap();
        let bytes = compressor.compress(0, &[1.0, 2.0, 3.0, 4.0]);
        for end in 0..bytes.len() {
            assert!(decompress(&bytes[..end], &mut [0f32; 4]).is_err(), "{compression:?}");
        }
        assert!(decompress(&[&bytes[..], &[0]].concat(), &mut [0f32; 4]).is_err());
        assert!(decompress(&bytes, &mut [0f32; 5]).is_err());
    }
    for fraction in [0.0, -1.0, 1.5, f64::NAN] {
        assert!(Compressor::<f32>::new(Compression::TopK { fraction }, 4).is_err());
    }
}
