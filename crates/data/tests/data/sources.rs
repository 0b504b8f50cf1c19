//! Sources of every kind, and what batches of them hold.

use proptest::prelude::*;
use wengert_data::{DataError, Dataset, Features, IntoVars, Moments, Padded, Sequences, Source};
use wengert_tape::Var;
use wengert_tensor::Tensor;

fn bits(t: &Tensor<f32>) -> Vec<u32> {
    t.to_vec().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn tensors_of_every_kind_and_stride() {
    let x = Tensor::<f64>::from_fn([3, 4, 5], |i| (100 * i[0] + 10 * i[1] + i[2]) as f64);
    let steps = [x.clone(), x.permute([2, 0, 1]), x.transpose(0, 1), x.flip(0), x.slice_axis(0, 1..)];
    for x in steps {
        let data = Dataset::new(x.clone()).unwrap();
        let positions: Vec<usize> = (0..data.len()).chain(0..1).rev().collect();
        let index: Vec<u32> = positions.iter().map(|&i| i as u32).collect();
        let batch: Var<f64> = data.select(&positions).unwrap();
        assert_eq!(batch.value(), &x.index_select(0, &Tensor::from(index)));
        let features: Var<f64> = Dataset::new(Features::new(&x)).unwrap().select(&positions).unwrap();
        assert_eq!(features.value(), batch.value());
    }
    let parts = (
        (Tensor::<f32>::ones([2, 3]), Tensor::<f64>::ones(2)),
        Tensor::from([[7u32, 8], [9, 10]]),
        Tensor::from([true, false]),
        Tensor::<u8>::from([1, 2]),
    );
    let (inputs, tokens, mask, bytes) = Dataset::new(parts).unwrap().select(&[1]).unwrap();
    let (a, b): (Var, Var<f64>) = inputs;
    assert_eq!((a.shape(), b.shape()), (&[1, 3].into(), &[1].into()));
    assert_eq!((tokens, mask, bytes), (Tensor::from([[9, 10]]), Tensor::from([false]), Tensor::from([2])));
    // No features but a number of examples.
    assert_eq!(Dataset::new(Tensor::<f32>::zeros([3, 0])).unwrap().all().shape(), &[3, 0]);
}

#[test]
fn normalising_bytes() {
    let bytes: Vec<u8> = (0..=255).collect();
    let data = Dataset::new(Features::<f32>::from_bytes(bytes.clone(), [1]).unwrap()).unwrap();
    let expected: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 255.0).collect();
    assert_eq!(data.all().value().to_vec(), expected);
    let normalised = data.normalise(0.1307, 0.3081).unwrap();
    for (found, x) in normalised.all().value().to_vec().iter().zip(&bytes) {
        let expected = (f64::from(*x) / 255.0 - 0.1307) / 0.3081;
        assert!((f64::from(*found) - expected).abs() < 3e-7, "{found} {expected}");
    }
    for (mean, std) in [
        (0.0, 0.0),
        (0.0, -1.0),
        (f64::NAN, 1.0),
        (0.0, f64::NAN),
        (0.0, f64::INFINITY),
        // Neither is one in `f32`.
        (1e39, 1.0),
        (0.0, 1e-60),
    ] {
        let error = normalised.clone().normalise(mean, std).unwrap_err();
        assert!(matches!(error, DataError::InvalidNormalisation { .. }), "{mean} {std}");
    }
}

#[test]
fn floats_without_scaling_are_unchanged() {
    let x = Tensor::from([[1e-40f32, -0.0], [f32::MAX, 1.0 / 3.0], [f32::NAN, f32::NEG_INFINITY]]);
    for found in [
        Dataset::new(x.clone()).unwrap().all(),
        Dataset::new(Features::new(&x)).unwrap().all(),
        Dataset::new((Features::new(&x), Tensor::<f64>::zeros(3))).unwrap().all().0,
    ] {
        assert_eq!(bits(found.value()), bits(&x));
    }
}

#[test]
#[should_panic(expected = "with_example_shape: an example of shape [2] cannot become [3]")]
fn a_wrong_example_shape() {
    let _ = Dataset::new(Features::new(&Tensor::<f32>::zeros([3, 2]))).unwrap().with_example_shape([3]);
}

#[test]
fn standardising_by_the_training_set() {
    // Columns of very different size and spread, one constant at a value that is no binary fraction.
    let column = |i: usize, j: usize| match j {
        0 => (i % 7) as f64,
        1 => 1e6 + 1e-3 * (i % 4) as f64,
        2 => 0.1,
        _ => -1e-9 * (i * i) as f64,
    };
    let x = Tensor::<f64>::from_fn([1000, 4], |i| column(i[0], i[1]));
    let data = Dataset::new((Features::new(&x), Tensor::<f64>::zeros(1000))).unwrap();
    let (train, test) = data.split(0.7, 1).unwrap();
    let moments = train.moments().unwrap();
    assert_eq!((moments.mean[2], moments.std[2]), (0.1, 0.0));
    let values = train.all().0;
    for j in 0..4 {
        let column: Vec<f64> = (0..700).map(|i| values.value().at([i, j])).collect();
        let shift = column[0];
        let mean = column.iter().map(|x| x - shift).sum::<f64>() / 700.0 + shift;
        let std = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 700.0).sqrt();
        assert!((moments.mean[j] - mean).abs() <= 1e-14 * mean.abs(), "{j}");
        assert!((moments.std[j] - std).abs() <= 1e-7 * std, "{j}: {} {std}", moments.std[j]);
    }
    let standard = train.clone().standardise(&moments).unwrap();
    let again = standard.moments().unwrap();
    for j in 0..4 {
        let expected = if j == 2 { 0.0 } else { 1.0 };
        assert!(again.mean[j].abs() < 1e-6 && (again.std[j] - expected).abs() < 1e-6, "{j} {again:?}");
    }
    // The other set by the same numbers, not by its own.
    let (given, found) = (test.all().0, test.standardise(&moments).unwrap().all().0);
    let expected = (given.value().at([3, 0]) - moments.mean[0]) / moments.std[0];
    assert!((found.value().at([3, 0]) - expected).abs() < 1e-12);
    // Scaling is composed, in either order and for bytes.
    let both = standard.clone().normalise(0.5, 2.0).unwrap().all().0;
    let once = standard.all().0;
    assert!((both.value().at([5, 0]) - (once.value().at([5, 0]) - 0.5) / 2.0).abs() < 1e-12);
    let pixels = Features::<f32>::from_bytes(vec![0, 100, 200, 100], [2]).unwrap();
    let pixels = Dataset::new(pixels).unwrap();
    let standard = pixels.clone().standardise(&pixels.moments().unwrap()).unwrap();
    for (x, expected) in standard.all().value().to_vec().iter().zip([-1.0, 0.0, 1.0, 0.0]) {
        assert!((x - expected).abs() < 1e-6, "{x} {expected}");
    }
}

#[test]
fn moments_that_do_not_exist_or_do_not_fit() {
    for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
        let data = Dataset::new(Features::new(&Tensor::from([[1.0, 2.0], [3.0, bad], [0.0, -bad]]))).unwrap();
        assert!(matches!(data.moments(), Err(DataError::NotFinite { feature: 1 })), "{bad}");
        // Only of the examples that there are.
        assert_eq!(
            data.take(1).unwrap().moments().unwrap(),
            Moments { mean: vec![1.0, 2.0], std: vec![0.0; 2] }
        );
    }
    let data = Dataset::new(Features::new(&Tensor::<f32>::ones([3, 2]))).unwrap();
    for (mean, std) in [(vec![0.0], vec![1.0, 1.0]), (vec![0.0; 2], vec![1.0; 3])] {
        let error = data.clone().standardise(&Moments { mean, std }).unwrap_err();
        assert!(matches!(error, DataError::MomentsMismatch { features: 2, moments: 1 | 3 }));
    }
    for (mean, std) in [(f64::NAN, 1.0), (0.0, f64::NAN), (0.0, -1.0), (0.0, 1e-60)] {
        let error =
            data.clone().standardise(&Moments { mean: vec![0.0, mean], std: vec![1.0, std] }).unwrap_err();
        assert!(matches!(error, DataError::InvalidNormalisation { .. }), "{mean} {std}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Every element at its place and nothing but padding behind it.
    #[test]
    fn sequences_are_padded_to_the_longest_of_the_batch(
        lengths in proptest::collection::vec(0usize..40, 1..30), width in 0usize..4, most in 0usize..50, seed: u64,
    ) {
        let tensors: Vec<Tensor<f64>> = lengths.iter().enumerate()
            .map(|(n, &length)| Tensor::from_fn([length, width], |i| (n * 10_000 + i[0] * 10 + i[1]) as f64))
            .collect();
        let sequences = Sequences::from_tensors(&tensors).unwrap().padded_with(-7.0).truncated(most);
        let tokens = Sequences::new(lengths.iter().map(|&length| (1..=length as u32).collect::<Vec<u32>>()));
        let ids = Tensor::from((0..lengths.len() as u32).collect::<Vec<u32>>());
        let data = Dataset::new((sequences, tokens.truncated(most), ids)).unwrap();
        for (series, tokens, ids) in data.batches(4).shuffled(seed) {
            let series: Padded<Var<f64>> = series;
            let wanted: Vec<usize> = ids.iter().map(|id| lengths[id as usize].min(most)).collect();
            let longest = *wanted.iter().max().unwrap();
            prop_assert_eq!(series.values.shape(), &[ids.len(), longest, width]);
            prop_assert_eq!(tokens.values.shape(), &[ids.len(), longest]);
            prop_assert_eq!((&series.lengths, &series.mask), (&tokens.lengths, &tokens.mask));
            for (row, (id, &length)) in ids.iter().zip(&wanted).enumerate() {
                prop_assert_eq!(series.lengths.at([row]) as usize, length);
                for t in 0..longest {
                    prop_assert_eq!(series.mask.at([row, t]), t < length);
                    prop_assert_eq!(tokens.values.at([row, t]), if t < length { t as u32 + 1 } else { 0 });
                    for k in 0..width {
                        let expected = if t < length { (id as usize * 10_000 + t * 10 + k) as f64 } else { -7.0 };
                        prop_assert_eq!(series.values.value().at([row, t, k]), expected);
                    }
                }
            }
        }
    }
}

#[test]
fn sequences_that_do_not_fit_together() {
    let shapes: [&[usize]; 3] = [&[3, 2], &[5, 2], &[5, 3]];
    let tensors = shapes.map(|shape| Tensor::<f32>::zeros(shape));
    assert!(Sequences::from_tensors(&tensors[..2]).is_ok());
    let error = Sequences::from_tensors(&tensors).unwrap_err();
    assert_eq!(error.to_string(), "example 2 has shape [5, 3], not [length, …] with elements of shape [2]");
    for scalar in [0, 1] {
        let mut tensors = vec![Tensor::<u32>::zeros(2); 2];
        tensors[scalar] = Tensor::scalar(1);
        let error = Sequences::from_tensors(&tensors).unwrap_err();
        assert!(matches!(error, DataError::UnequalShapes { example, .. } if example == scalar), "{error}");
    }
    let none: [Tensor<f32>; 0] = [];
    assert!(matches!(Dataset::new(Sequences::from_tensors(&none).unwrap()), Err(DataError::Empty)));
    assert!(matches!(Dataset::new(Sequences::<u32>::new([[0u32; 0]; 0])), Err(DataError::Empty)));
    let (two, three) = (Sequences::new([[1u32], [2]]), Tensor::<u32>::zeros(3));
    let error = Dataset::new((two, three)).unwrap_err();
    assert!(matches!(error, DataError::CountMismatch { expected: 2, part: 1, found: 3 }));
}

/// A source that reads, and may fail.
struct Files {
    broken: u32,
}

/// A batch of one's own.
#[derive(Debug, PartialEq)]
struct Names(Vec<String>);

impl IntoVars for Names {
    type Vars = Self;
    fn into_vars(self) -> Self {
        self
    }
}

impl Source for Files {
    type Batch = Result<(Names, Tensor<f32>), String>;

    fn count(&self) -> usize {
        6
    }

    fn batch(&self, positions: &[u32]) -> Self::Batch {
        if positions.contains(&self.broken) {
            return Err(format!("file {} is broken", self.broken));
        }
        let names = positions.iter().map(|i| format!("file {i}")).collect();
        Ok((Names(names), Tensor::ones([positions.len(), 2])))
    }
}

#[test]
fn a_source_that_fails_fails_by_batch() {
    let data = Dataset::new(Files { broken: 3 }).unwrap();
    let batches: Vec<Result<(Names, Var), String>> = data.batches(2).prefetch(1).collect();
    assert_eq!(batches[0].as_ref().unwrap().0, Names(vec!["file 0".into(), "file 1".into()]));
    assert_eq!(batches[1].as_ref().unwrap_err(), "file 3 is broken");
    assert_eq!(batches[2].as_ref().unwrap().1.shape(), &[2, 2]);
}
