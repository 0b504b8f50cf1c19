//! Examples that a model takes for something else.

use std::cmp::Ordering;

use wengert_tensor::{Float, Tensor};

use crate::picture::Picture;

/// Collects the images that a classifier is most sure of and wrong about, over batches of any size.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::WrongExamples;
///
/// let mut wrong = WrongExamples::new(24).size(2, 2).classes(["cat", "dog"]);
/// let images = Tensor::<f32>::linspace(0.0, 1.0, 12).reshape([3, 4]);
/// let outputs = Tensor::from_vec(vec![2.0f32, 0.0, 0.0, 3.0, 5.0, 1.0], [3, 2])?;
/// wrong.update(&images, &outputs, &Tensor::from_vec(vec![0, 0, 1], [3])?);
/// assert_eq!((wrong.count(), wrong.total()), (2, 3));
/// assert_eq!(wrong.examples()[0].index, 2); // 98 % sure that it is a cat
/// assert_eq!(wrong.caption(&wrong.examples()[0]), "dog, taken for cat\n98.2 %");
/// # Ok::<(), wengert_tensor::ShapeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct WrongExamples {
    limit: usize,
    size: Option<(usize, usize)>,
    classes: Vec<String>,
    examples: Vec<WrongExample>,
    wrong: u64,
    total: u64,
}

/// An image that was taken for something else.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::{WrongExample, WrongExamples};
/// let mut wrong = WrongExamples::new(1).size(1, 2);
/// let images = Tensor::from([[0.0f32, 1.0], [1.0, 0.0]]);
/// wrong.update(&images, &Tensor::from([[3.0f32, 3.0], [0.0, 9.0]]), &Tensor::from([0, 0]));
/// let WrongExample { index, label, predicted, picture, .. } = &wrong.examples()[0];
/// assert_eq!((*index, *label, *predicted, picture.bytes()), (1, 0, 1, &[255, 0][..]));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WrongExample {
    /// Its place among all that were looked at, from 0.
    pub index: u64,
    /// What it is.
    pub label: u32,
    /// What it was taken for.
    pub predicted: u32,
    /// The probability that it was given for that.
    pub probability: f64,
    /// It.
    pub picture: Picture,
}

impl WrongExamples {
    /// Keeps at most so many.
    pub fn new(limit: usize) -> Self {
        WrongExamples { limit, size: None, classes: Vec::new(), examples: Vec::new(), wrong: 0, total: 0 }
    }

    /// For images that are rows of so many pixels.
    pub fn size(mut self, height: usize, width: usize) -> Self {
        self.size = Some((height, width));
        self
    }

    /// With these names of the classes.
    pub fn classes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.classes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Looks through a batch: images `[n, height, width]` or `[n, channels, height, width]` with one channel or three, or
    /// `[n, pixels]` of a [`size`](WrongExamples::size); outputs `[n, classes]` before the softmax; labels `[n]`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn update<T: Float>(&mut self, images: &Tensor<T>, outputs: &Tensor<T>, labels: &Tensor<u32>) {
        let (shape, classes) = (images.shape().to_vec(), outputs.shape().to_vec());
        let labels_shape = labels.shape().to_vec();
        let fits = classes.len() == 2
            && classes[1] > 0
            && labels_shape == [classes[0]]
            && shape.first() == Some(&classes[0]);
        assert!(
            fits,
            "WrongExamples::update: images of shape {shape:?}, outputs of shape {classes:?}, labels of shape {labels_shape:?}"
        );
        let own = match (self.size, &shape[1..]) {
            (Some((h, w)), &[pixels]) if pixels == h * w => vec![h, w],
            (Some((h, w)), &[pixels]) if pixels == 3 * h * w => vec![3, h, w],
            (_, &[h, w]) => vec![h, w],
            (_, &[c @ (1 | 3), h, w]) => vec![c, h, w],
            _ => panic!(
                "WrongExamples::update: images of shape {shape:?} are no pictures{}",
                if self.size.is_none() { "; rows of pixels need a size" } else { " of the size" }
            ),
        };
        let pixels: usize = own.iter().product();
        let (all, outputs) = (images.to_vec(), outputs.to_vec());
        for (i, (row, &label)) in outputs.chunks_exact(classes[1]).zip(&labels.to_vec()).enumerate() {
            let (predicted, probability) = most_likely(row);
            self.total += 1;
            if predicted == label {
                continue;
            }
            self.wrong += 1;
            let surer = |e: &WrongExample| probability.total_cmp(&e.probability) == Ordering::Greater;
            let place = self.examples.iter().position(surer).unwrap_or(self.examples.len());
            if place < self.limit {
                let own_pixels = all[i * pixels..(i + 1) * pixels].to_vec();
                let image =
                    Tensor::from_vec(own_pixels, own.clone()).expect("as many pixels as the shape has");
                let picture = Picture::new(&image);
                let index = self.total - 1;
                self.examples.insert(place, WrongExample { index, label, predicted, probability, picture });
                self.examples.truncate(self.limit);
            }
        }
    }

    /// Those that are kept, the surest first.
    pub fn examples(&self) -> &[WrongExample] {
        &self.examples
    }

    /// How many were wrong.
    pub fn count(&self) -> u64 {
        self.wrong
    }

    /// How many were looked at.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What an example is and was taken for, with the probability, in two lines.
    pub fn caption(&self, example: &WrongExample) -> String {
        let class = |i: u32| self.classes.get(i as usize).cloned().unwrap_or_else(|| i.to_string());
        let (label, predicted) = (class(example.label), class(example.predicted));
        format!("{label}, taken for {predicted}\n{:.1} %", 100.0 * example.probability)
    }

    /// How many these are of how many.
    pub(super) fn note(&self) -> String {
        match self.examples.len() as u64 {
            shown if shown == self.wrong => format!("{} of {} are wrong.", self.wrong, self.total),
            shown => format!("{} of {} are wrong; these are the {shown} surest.", self.wrong, self.total),
        }
    }

    /// Draws them side by side to a file whose name ends in `.svg` or `.png`.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::WrongExamples;
    /// let mut wrong = WrongExamples::new(24).size(1, 2).classes(["dark left", "dark right"]);
    /// wrong.update(&Tensor::from([[0.0f32, 1.0]]), &Tensor::from([[1.0f32, 3.0]]), &Tensor::from([0]));
    /// let folder = tempfile::tempdir()?;
    /// wrong.plot(folder.path().join("wrong.svg"))?;
    /// let svg = std::fs::read_to_string(folder.path().join("wrong.svg"))?;
    /// assert!(svg.contains("dark left, taken for dark right"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the name ends otherwise, or the file cannot be written; an older one is then still there.
    #[cfg(feature = "plot")]
    pub fn plot(&self, path: impl AsRef<std::path::Path>) -> Result<(), wengert_plot::PlotError> {
        let tile = |e: &WrongExample| {
            wengert_plot::Tile::new(e.picture.width(), e.picture.height(), e.picture.bytes())
                .caption(&self.caption(e))
        };
        wengert_plot::Sheet::new("Wrong examples", self.examples.iter().map(tile).collect())
            .note(self.note())
            .write(path)
    }
}

/// The first of the largest outputs and its probability by the softmax; NaN is no output.
fn most_likely<T: Float>(row: &[T]) -> (u32, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (i, value) in row.iter().enumerate() {
        if value.to_f64() > best.1 {
            best = (i, value.to_f64());
        }
    }
    let sum: f64 = row.iter().map(|v| v.to_f64()).filter(|v| !v.is_nan()).map(|v| (v - best.1).exp()).sum();
    let probability = 1.0 / sum;
    (best.0 as u32, if probability.is_finite() { probability } else { 0.0 })
}
