//! MNIST from a folder: the real one where this machine has it, and every kind of broken one.

use std::path::{Path, PathBuf};

use wengert_data::idx::{Idx, IdxError};
use wengert_data::{DataError, FashionMnist, ImageSet, Mnist, Origin};

/// The real files, in `$WENGERT_DATA` or beside the workspace.
fn real() -> Option<ImageSet> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folders = std::env::var_os("WENGERT_DATA").map(PathBuf::from).into_iter().chain([beside]);
    let folder = folders
        .flat_map(|folder| [folder.join("mnist"), folder])
        .find(|folder| folder.join("train-images-idx3-ubyte.gz").is_file());
    if folder.is_none() {
        println!("SKIPPED: no MNIST in $WENGERT_DATA or ../shared/data/mnist");
    }
    folder.map(|folder| Mnist::from_folder(folder).unwrap())
}

#[test]
fn the_real_one() {
    let Some(mnist) = real() else { return };
    assert_eq!((mnist.train.len(), mnist.test.len()), (60_000, 10_000));
    assert_eq!(mnist.train.example_shape(), &[784]);
    let counts = |data: &wengert_data::Dataset| data.label_counts().into_values().collect::<Vec<_>>();
    assert_eq!(counts(&mnist.train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(counts(&mnist.test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    // The first training image is the well-known 5.
    let (image, label) = mnist.train.select(&[0]).unwrap();
    assert_eq!(label.item(), 5);
    let row: Vec<f32> = image.value().to_vec()[5 * 28 + 12..5 * 28 + 24].iter().map(|x| x * 255.0).collect();
    assert_eq!(row, [3., 18., 18., 18., 126., 136., 175., 26., 166., 255., 247., 127.]);

    let (pixels, _) = mnist.normalised().as_images().train.all();
    assert_eq!(pixels.shape(), &[60_000, 1, 28, 28]);
    let values = pixels.value().as_slice().unwrap();
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / values.len() as f64;
    assert!(mean.abs() < 1e-3 && (variance - 1.0).abs() < 1e-3, "{mean} {variance}");
}

/// A folder with `train` and `test` images of 28×28 and labels `i % 10`.
fn folder(train: usize, test: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, count) in [("train", train), ("t10k", test)] {
        let pixels = (0..count * 784).map(|i| (i % 256) as u8).collect();
        let images = Idx::new(pixels, [count, 28, 28]).unwrap();
        images.write(folder.path().join(format!("{name}-images-idx3-ubyte.gz"))).unwrap();
        write_labels(folder.path(), name, &(0..count).map(|i| (i % 10) as u8).collect::<Vec<_>>());
    }
    folder
}

fn write_labels(folder: &Path, name: &str, labels: &[u8]) {
    let labels = Idx::new(labels.to_vec(), [labels.len()]).unwrap();
    labels.write(folder.join(format!("{name}-labels-idx1-ubyte.gz"))).unwrap();
}

#[test]
fn a_small_one_in_every_spelling() {
    let folder = folder(20, 10);
    let set = Mnist::from_folder(&folder).unwrap();
    assert_eq!((set.train.len(), set.test.len(), set.classes[3]), (20, 10, "3"));
    assert_eq!(set.origin, Origin::Folder(folder.path().into()));
    let (images, labels) = set.train.all();
    for (from, to) in [
        ("train-images-idx3-ubyte.gz", "train-images.idx3-ubyte.gz"),
        ("t10k-labels-idx1-ubyte.gz", "t10k-labels.idx1-ubyte.gz"),
    ] {
        std::fs::rename(folder.path().join(from), folder.path().join(to)).unwrap();
    }
    let packed = folder.path().join("train-labels-idx1-ubyte.gz");
    Idx::<u8>::read(&packed).unwrap().write(folder.path().join("train-labels-idx1-ubyte")).unwrap();
    std::fs::remove_file(packed).unwrap();
    let again = FashionMnist::from_folder(&folder).unwrap().train.all();
    assert_eq!((again.0.value(), again.1), (images.value(), labels));
}

#[test]
fn broken_ones() {
    let folder = folder(20, 10);
    let path = folder.path();
    let error = || Mnist::from_folder(path).unwrap_err();

    // What is wrong with what is in the file of that name.
    let contents = |name: &str| match error() {
        DataError::Contents { path: found, source } => {
            assert_eq!(found, path.join(name));
            *source
        }
        other => panic!("{other:?}"),
    };
    let (image_file, label_file) = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");

    write_labels(path, "train", &[0; 19]);
    assert!(matches!(contents(label_file), DataError::CountMismatch { expected: 20, part: 1, found: 19 }));
    let mut labels = vec![9; 20];
    labels[4] = 10;
    write_labels(path, "train", &labels);
    let wrong = contents(label_file);
    assert!(matches!(wrong, DataError::LabelOutOfRange { example: 4, label: 10, classes: 10 }));
    labels[4] = 0;
    write_labels(path, "train", &labels);
    assert!(Mnist::from_folder(path).is_ok());

    let images = path.join(image_file);
    Idx::new(vec![0u8; 20 * 49], [20, 7, 7]).unwrap().write(&images).unwrap();
    assert!(matches!(contents(image_file), DataError::WrongExampleShape { found, .. } if found == [7, 7]));
    Idx::new(vec![0u8; 20], [20]).unwrap().write(&images).unwrap();
    let wrong = error();
    assert!(wrong.to_string().contains("train-images"), "{wrong}");
    let DataError::Idx { source, .. } = wrong else { panic!("{wrong}") };
    assert!(matches!(source, IdxError::WrongDimensions { expected: 3, found: 1 }));
    Idx::new(vec![0u8; 0], [0, 28, 28]).unwrap().write(&images).unwrap();
    assert!(matches!(contents(image_file), DataError::Empty));
    std::fs::remove_file(&images).unwrap();
    assert!(matches!(error(), DataError::NotFound { name: "train-images-idx3-ubyte", .. }));
}
