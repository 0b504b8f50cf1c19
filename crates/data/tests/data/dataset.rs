//! Datasets and parts of them.

use std::collections::BTreeSet;

use wengert_data::{DataError, Dataset, Features, synthetic};
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;

type Numbered = Dataset<(Tensor<f32>, Tensor<u32>)>;

/// Example `i` has features `[i, i + 0.5]` and label `i`.
fn numbered(count: usize) -> Numbered {
    let x = Tensor::from_fn([count, 2], |i| i[0] as f32 + 0.5 * i[1] as f32);
    let labels: Vec<u32> = (0..count as u32).collect();
    Dataset::new((x, Tensor::from(labels))).unwrap()
}

/// The labels of all examples, after a look at whether they are those of the features.
fn labels(data: &Numbered) -> Vec<u32> {
    let (inputs, labels) = data.all();
    let first: Vec<u32> = inputs.value().to_vec().chunks(2).map(|x| x[0] as u32).collect();
    assert_eq!(first, labels.to_vec(), "examples and labels go together");
    first
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let data = synthetic::digits(500, 1).normalise(0.13, 0.31).unwrap();
    let all = |threads| {
        with_threads(threads, || {
            let (images, labels) = data.all();
            (images.into_value(), labels)
        })
    };
    for threads in [2, 3, 8] {
        assert_eq!(all(threads), all(1));
    }
}

#[test]
fn splits_share_no_example_and_lose_none() {
    let data = numbered(10);
    let (first, second) = data.split(0.75, 1).unwrap();
    assert_eq!((first.len(), second.len()), (8, 2));
    let both = [labels(&first), labels(&second)].concat();
    assert_eq!(both.iter().collect::<BTreeSet<_>>().len(), 10);
    let again = labels(&data.split(0.75, 1).unwrap().0);
    assert_eq!(again, labels(&first));
    assert_ne!(again, labels(&data.split(0.75, 2).unwrap().0));
    // A split of a split.
    let (part, rest) = first.split(0.5, 0).unwrap();
    assert_eq!((part.len(), rest.len()), (4, 4));
    for fraction in [0.0, 1.0, -0.5, 2.0, f64::NAN, 0.01] {
        assert!(matches!(data.split(fraction, 0), Err(DataError::InvalidSplit { examples: 10, .. })));
        assert!(matches!(data.split_stratified(fraction, 0), Err(DataError::InvalidSplit { .. })));
    }
}

#[test]
fn stratified_splits_have_the_same_fraction_of_every_class() {
    let counts = [7usize, 1, 24, 68, 13];
    let classes: Vec<u32> = counts.iter().zip(0..).flat_map(|(&count, label)| vec![label; count]).collect();
    let order = Tensor::<f32>::from_fn([classes.len(), 1], |i| i[0] as f32);
    let data = Dataset::new((order, Tensor::from(classes.clone()))).unwrap();
    for step in 1..100 {
        let fraction = f64::from(step) / 100.0;
        let (first, second) = data.split_stratified(fraction, 3).unwrap();
        assert_eq!(first.len(), (fraction * classes.len() as f64).round() as usize);
        let both = [first.all().0.value().to_vec(), second.all().0.value().to_vec()].concat();
        assert_eq!(both.iter().map(|x| *x as usize).collect::<BTreeSet<_>>().len(), classes.len());
        let found = first.label_counts();
        for (label, &count) in counts.iter().enumerate() {
            let taken = *found.get(&(label as u32)).unwrap_or(&0) as f64;
            assert!((taken - fraction * count as f64).abs() < 1.0, "{fraction} {label} {taken}");
        }
    }
    let (a, b) = (data.split_stratified(0.5, 0).unwrap().0, data.split_stratified(0.5, 1).unwrap().0);
    assert_ne!(a.all().0.value(), b.all().0.value());
    // Of a part of the examples, and with labels that are no one class each.
    assert!(a.split_stratified(0.5, 0).unwrap().1.label_counts().values().sum::<usize>() == 28);
    let several = Dataset::new((Tensor::<f32>::zeros([4, 1]), Tensor::<u32>::zeros([4, 2]))).unwrap();
    assert!(
        matches!(several.split_stratified(0.5, 0), Err(DataError::WrongExampleShape { found, .. }) if found == [2])
    );
}

#[test]
fn shares_are_disjoint_and_cover_everything() {
    for (examples, workers) in [(10, 1), (10, 3), (11, 4), (7, 7), (100, 9)] {
        let data = numbered(examples).subset(&(0..examples).rev().collect::<Vec<_>>()).unwrap();
        let shares: Vec<Vec<u32>> =
            (0..workers).map(|worker| labels(&data.shard(worker, workers).unwrap())).collect();
        let mut all = shares.concat();
        all.sort();
        assert_eq!(all, (0..examples as u32).collect::<Vec<_>>());
        let lengths: BTreeSet<usize> = shares.iter().map(Vec::len).collect();
        assert!(lengths.last().unwrap() - lengths.first().unwrap() <= 1);
    }
    for (worker, workers) in [(0, 0), (3, 3), (5, 2), (4, 100)] {
        let error = numbered(4).shard(worker, workers).unwrap_err();
        assert_eq!(error.to_string(), format!("no share {worker} of {workers} of 4 examples"));
    }
}

#[test]
fn subsets() {
    let data = numbered(10);
    let subset = data.subset(&[7, 2, 2]).unwrap();
    assert_eq!(labels(&subset), [7, 2, 2]);
    assert_eq!(labels(&subset.take(2).unwrap()), [7, 2]);
    assert_eq!(subset.source().1.len(), 10);
    assert_eq!(data.take(100).unwrap().len(), 10);
    assert_eq!(data.select(&[9, 0]).unwrap().1.to_vec(), [9, 0]);
    assert_eq!(subset.select(&[0]).unwrap().1.to_vec(), [7]);
    assert_eq!(data.select(&[]).unwrap().0.shape(), &[0, 2]);
    assert!(matches!(data.subset(&[10]), Err(DataError::IndexOutOfRange { index: 10, examples: 10 })));
    assert!(matches!(subset.subset(&[3]), Err(DataError::IndexOutOfRange { index: 3, examples: 3 })));
    assert!(matches!(data.select(&[10]), Err(DataError::IndexOutOfRange { .. })));
    assert!(matches!(data.subset(&[]), Err(DataError::Empty)));
    assert!(matches!(data.take(0), Err(DataError::Empty)));
}

#[test]
fn labels_are_checked_and_counted_in_the_part_that_there_is() {
    let error = numbered(5).with_classes(3).unwrap_err();
    assert!(matches!(error, DataError::LabelOutOfRange { example: 3, label: 3, classes: 3 }));
    let part = numbered(5).subset(&[2, 0, 2]).unwrap().with_classes(3).unwrap();
    assert!(part.label_counts().into_iter().eq([(0, 1), (2, 2)]));
    // Several labels for each example.
    let tags = Tensor::from([[0u32, 1], [1, 1], [4, 0]]);
    let tagged = Dataset::new((Tensor::<f32>::zeros([3, 1]), tags)).unwrap();
    assert!(tagged.label_counts().into_iter().eq([(0, 2), (1, 3), (4, 1)]));
    let error = tagged.with_classes(4).unwrap_err();
    assert!(matches!(error, DataError::LabelOutOfRange { example: 2, label: 4, classes: 4 }));
}

#[test]
fn bad_parts() {
    let x = Tensor::<f32>::zeros([3, 2]);
    let error = Dataset::new((x.clone(), x.clone(), Tensor::<u32>::zeros(2))).unwrap_err();
    assert!(matches!(error, DataError::CountMismatch { expected: 3, part: 2, found: 2 }));
    assert_eq!(
        error.to_string(),
        "the parts of the examples are not equally many: part 0 has 3, part 2 has 2"
    );
    // Inside a part.
    let nested = Dataset::new(((x.clone(), Tensor::<u32>::zeros(2)), x)).unwrap_err();
    assert!(matches!(nested, DataError::CountMismatch { expected: 3, part: 1, found: 2 }));
    for none in [[0, 2], [0, 0]] {
        let none = Tensor::<f32>::zeros(none);
        assert!(matches!(Dataset::new((none.clone(), Tensor::<u32>::zeros(0))), Err(DataError::Empty)));
        assert!(matches!(Dataset::new(Features::new(&none)), Err(DataError::Empty)));
    }
    assert!(matches!(Dataset::new(Tensor::<f32>::scalar(1.0)), Err(DataError::Empty)));
    let bytes = |bytes: Vec<u8>, shape: [usize; 1]| Features::<f32>::from_bytes(bytes, shape);
    assert!(matches!(Dataset::new(bytes(vec![], [4]).unwrap()), Err(DataError::Empty)));
    for (count, width) in [(7, 4), (0, 0), (4, 0), (4, usize::MAX)] {
        let error = bytes(vec![0; count], [width]).unwrap_err();
        assert!(matches!(error, DataError::WrongExampleShape { .. }), "{error}");
    }
    let two = bytes(vec![0; 8], [4]).unwrap();
    let error = Dataset::new((two, Tensor::<u32>::zeros(1))).unwrap_err();
    assert!(matches!(error, DataError::CountMismatch { expected: 2, part: 1, found: 1 }));
}
