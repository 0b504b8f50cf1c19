//! Confusion matrices as pictures.

use std::path::Path;

use wengert_plot::{Matrix, PlotError};

use crate::metric::ConfusionMatrix;

impl ConfusionMatrix {
    /// Draws the counts to a file whose name ends in `.svg` or `.png`: a row for each class, shaded by its part of the row.
    ///
    /// # Errors
    /// If the name ends otherwise, or the file cannot be written; an older one is then still there.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        self.figure("Confusion matrix").write(path)
    }

    /// The drawing that [`plot`](ConfusionMatrix::plot) writes, with a title.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{ConfusionMatrix, Metric};
    /// let mut matrix = ConfusionMatrix::new().classes(["cat", "dog"]);
    /// matrix.update(&Tensor::from([[2.0f32, 1.0], [0.0, 1.0]]), &Tensor::from([0, 0]));
    /// let svg = matrix.figure("Pets").to_svg()?;
    /// assert!(svg.contains("Pets") && svg.contains("1 of 2 are right, 50.00 %"));
    /// # Ok::<(), wengert_plot::PlotError>(())
    /// ```
    pub fn figure(&self, title: impl Into<String>) -> Matrix {
        let classes = 0..self.len();
        let right: u64 = classes.clone().map(|class| self.count(class, class)).sum();
        let undecided: u64 = self.undecided().iter().sum();
        let counts =
            classes.clone().map(|l| classes.clone().map(|p| self.count(l, p) as f64).collect()).collect();
        let total = self.total();
        let share = if total > 0 { 100.0 * right as f64 / total as f64 } else { 0.0 };
        let mut note = format!("{right} of {total} are right, {share:.2} %");
        if undecided > 0 {
            note += &format!("; {undecided} were taken for nothing");
        }
        Matrix::new(title, counts)
            .labels(classes.map(|class| self.class(class)))
            .axes("true", "predicted")
            .note(note)
    }
}
