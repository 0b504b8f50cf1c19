//! Distances, similarities and lengths of vectors.

mod condensed;
mod pairs;

use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::size::{self, check_positions};
use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::var::Var;

impl<T: Float> Var<T> {
    /// The p-norm of the difference of each row of `self` (`[…, P, M]`) and each of `other` (`[…, R, M]`): `[…, P, R]`;
    /// leading axes broadcast. Computed from the differences themselves, so that points that are near each other keep their
    /// digits, and with derivatives of 0 where points coincide (see [`norm_axes`](Var::norm_axes)), of any order.
    /// Orders other than 1 and 2 take memory for all differences, `[…, P, R, M]`.
    ///
    /// # Panics
    /// If an operand has fewer than two axes, the last axes differ in length, the others do not broadcast, or `p` is
    /// negative or NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[0.0f64, 0.0], [3.0, 4.0]]);
    /// assert_eq!(x.cdist(&x, 2.0).value().to_vec(), [0.0, 5.0, 5.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn cdist(&self, other: &Var<T>, p: f64) -> Var<T> {
        let (a, b) = (self.shape(), other.shape());
        assert!(
            a.len() >= 2 && b.len() >= 2 && a.last() == b.last(),
            "cdist: shapes {a} and {b} are not of points with the same number of coordinates"
        );
        assert!(p >= 0.0, "cdist: the order of the norm, {p}, must not be negative");
        let lead = |s: &Shape| Shape::from(&s[..s.len() - 2]);
        let batch = broadcast_or_panic("cdist", &lead(a), &lead(b));
        let pairs = [a[a.len() - 2], b[b.len() - 2]];
        batch.iter().copied().chain(pairs).collect::<Shape>().checked("cdist");
        if let Some(metric) = pairs::of_order(p, a[a.len() - 1]) {
            return pairs::distances(metric, self, other);
        }
        (self.unsqueeze(-2) - other.unsqueeze(-3)).norm_axes(p, -1, false)
    }

    /// The p-norms of the differences of all pairs of rows of a matrix, in the order (0, 1), (0, 2), …, (1, 2), ….
    ///
    /// # Panics
    /// If there are not two axes, more than 2³² rows, or `p` is negative or NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[0.0f64, 0.0], [3.0, 4.0], [0.0, 1.0]]);
    /// assert_eq!(x.pdist(1.0).value().to_vec(), [7.0, 1.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn pdist(&self, p: f64) -> Var<T> {
        assert!(self.rank() == 2, "pdist: shape {} is not that of a matrix", self.shape());
        assert!(p >= 0.0, "pdist: the order of the norm, {p}, must not be negative");
        let rows = self.shape()[0];
        check_positions("pdist", rows);
        let pairs = size::product("pdist", &[rows, rows.saturating_sub(1)]) / 2;
        Shape::from([pairs, self.shape()[1]]).checked("pdist");
        if let Some(metric) = pairs::of_order(p, self.shape()[1]) {
            return pairs::own_distances(metric, self);
        }
        let all = || (0..rows as u32).flat_map(|i| (i + 1..rows as u32).map(move |j| [i, j]));
        let [first, second] = [0, 1].map(|k| Tensor::vector(&all().map(|pair| pair[k]).collect::<Vec<_>>()));
        (self.index_select(0, first) - self.index_select(0, second)).norm_axes(p, -1, false)
    }

    /// The p-norm of the difference of all elements, after broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast, or `p` is NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([[3.0f64], [4.0]]).dist(&Var::scalar(0.0), 2.0).item(), 5.0);
    /// ```
    #[track_caller]
    pub fn dist(&self, other: &Var<T>, p: f64) -> Var<T> {
        broadcast_or_panic("dist", self.shape(), other.shape());
        (self - other).norm(p)
    }

    /// Slices of an axis whose p-norms are above `limit` made that long, as PyTorch does it: times `limit`/(norm + 10⁻⁷).
    ///
    /// # Panics
    /// If there is no such axis, `p` is not positive, or `limit` negative or NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let rows = Var::from([[3.0f64, 4.0], [0.3, 0.4]]).renorm(2.0, 0, 1.0);
    /// assert!(rows.value().all_close(&[[0.6, 0.8], [0.3, 0.4]].into(), 1e-6, 1e-6));
    /// ```
    #[track_caller]
    pub fn renorm(&self, p: f64, axis: impl Into<Axis>, limit: f64) -> Var<T> {
        let axis = self.shape().axis("renorm", axis);
        assert!(p > 0.0 && limit >= 0.0, "renorm: the norm of order {p} limited to {limit}");
        let others: Vec<usize> = (0..self.rank()).filter(|&other| other != axis).collect();
        let norms = |x: &Var<T>| if others.is_empty() { x.abs() } else { x.norm_axes(p, &others[..], true) };
        // Where nothing is too long the factor is 1, whatever the other branch would be: no derivative of a norm near 0, which
        // may be infinite, meets the 0 that it would be multiplied by.
        let long = norms(&self.stop_gradient()).gt(limit);
        let too_long = Var::select_where(&long, self, &Var::scalar(T::ONE));
        let factor = limit / (norms(&too_long) + 1e-7);
        Var::select_where(long, &factor, &Var::scalar(T::ONE)) * self
    }

    /// The p-norms of the differences along the last axis, after broadcasting, with `epsilon` (1e-6 in PyTorch) added to each
    /// difference, which keeps them off 0. The last axis stays with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If the shapes do not broadcast, or there is no axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (x, y) = (Var::from([[0.0f64, 0.0], [1.0, 1.0]]), Var::from([[3.0, 4.0], [1.0, 1.0]]));
    /// assert_eq!(x.pairwise_distance(&y, 2.0, 0.0, false).value().to_vec(), [5.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn pairwise_distance(&self, other: &Var<T>, p: f64, epsilon: f64, keepdim: bool) -> Var<T> {
        let shape = broadcast_or_panic("pairwise_distance", self.shape(), other.shape());
        shape.axis("pairwise_distance", -1);
        (self - other + epsilon).norm_axes(p, -1, keepdim)
    }

    /// The cosine of the angle between vectors along `axis`, after broadcasting: x·y / (max(‖x‖, ε)·max(‖y‖, ε)), ε = `epsilon`
    /// (1e-8 in PyTorch). 0 for a vector of zeros, with finite derivatives of any order.
    ///
    /// # Panics
    /// If the shapes do not broadcast, or there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (x, y) = (Var::from([3.0f64, 4.0]), Var::from([4.0, 3.0]));
    /// assert!((x.cosine_similarity(&y, -1, 1e-8).item() - 0.96).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn cosine_similarity(&self, other: &Var<T>, axis: impl Into<Axis>, epsilon: f64) -> Var<T> {
        let shape = broadcast_or_panic("cosine_similarity", self.shape(), other.shape());
        let axis = shape.axis("cosine_similarity", axis);
        // Only the axis of the vectors is broadcast before they are divided by their lengths.
        let unit = |x: &Var<T>| {
            let own: Shape =
                std::iter::repeat_n(1, shape.len() - x.rank()).chain(x.shape().iter().copied()).collect();
            x.reshape(&own).broadcast_to(own.with(axis, shape[axis])).normalize(2.0, axis, epsilon)
        };
        (unit(self) * unit(other)).sum_axes(axis, false)
    }

    /// Vectors along `axis` divided by their p-norms, x / max(‖x‖, ε), ε = `epsilon` (1e-12 in PyTorch). A vector of zeros
    /// stays one, with finite derivatives of any order.
    ///
    /// # Panics
    /// If there is no such axis, or `p` is NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let rows = Var::from([[3.0f64, 4.0], [0.0, 0.0]]);
    /// assert_eq!(rows.normalize(2.0, -1, 1e-12).value().to_vec(), [0.6, 0.8, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn normalize(&self, p: f64, axis: impl Into<Axis>, epsilon: f64) -> Var<T> {
        let axis = self.shape().axis("normalize", axis);
        self / self.norm_axes(p, axis, true).clamp(epsilon, f64::INFINITY)
    }
}
