//! Cumulative sums and products along an axis.

use crate::array::element::Float;
use crate::array::shape::Axis;
use crate::array::tensor::Tensor;
use crate::kernels::{products, scan};
use crate::loops::along::mapped_rows;
use crate::methods::assert_same_shape;

impl<T: Float> Tensor<T> {
    /// The solution s of the linear recurrence sᵢ = cᵢ + aᵢ·sᵢ₋₁ along `axis`, where `self` is c, `factors` is a, and s
    /// before the first is 0; accumulated in `f64`. Where aᵢ is 0, what came before is not looked at, be it infinite, unless cᵢ
    /// adds nothing (−0).
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (c, a) = (Tensor::from([1.0f32, 1.0, 1.0]), Tensor::from([0.0, 2.0, 3.0]));
    /// assert_eq!(c.linear_recurrence(&a, 0).to_vec(), [1.0, 3.0, 10.0]);
    /// ```
    #[track_caller]
    pub fn linear_recurrence(&self, factors: &Tensor<T>, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("linear_recurrence", axis);
        assert_same_shape("linear_recurrence", self, factors);
        mapped_rows("linear_recurrence", axis, [self, factors], |[c, a], length, out| {
            scan::recurrence(c, a, length, out);
        })
    }

    /// The tangent ṡ of the [linear recurrence](Tensor::linear_recurrence) s of c = `self` and a = `factors` along `axis`, for the
    /// tangents ċ and ȧ: ṡᵢ = ċᵢ + ȧᵢ·sᵢ₋₁ + aᵢ·ṡᵢ₋₁; accumulated in `f64`, with s.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (c, a) = (Tensor::from([1.0f32, 1.0, 1.0]), Tensor::from([0.0, 2.0, 3.0]));
    /// let (zeros, ones) = (Tensor::zeros([3]), Tensor::ones([3]));
    /// // s = 1, 1 + a₁, 1 + a₂ (1 + a₁)
    /// assert_eq!(c.linear_recurrence_tangent(&a, [&zeros, &ones], 0).to_vec(), [0.0, 1.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn linear_recurrence_tangent(
        &self,
        factors: &Tensor<T>,
        tangents: [&Tensor<T>; 2],
        axis: impl Into<Axis>,
    ) -> Tensor<T> {
        let operation = "linear_recurrence_tangent";
        let axis = self.shape().axis(operation, axis);
        let [t_c, t_a] = tangents;
        for other in [factors, t_c, t_a] {
            assert_same_shape(operation, self, other);
        }
        mapped_rows(operation, axis, [self, factors, t_c, t_a], |[c, a, t_c, t_a], length, out| {
            scan::recurrence_tangent([c, a], [t_c, t_a], length, out);
        })
    }

    /// The derivative of that [tangent](Tensor::linear_recurrence_tangent) along further tangents, of c = `self`, a, ċ and ȧ;
    /// accumulated in `f64`, with all that it is made of.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (c, a) = (Tensor::from([1.0f32, 1.0, 1.0]), Tensor::from([0.0, 2.0, 3.0]));
    /// let (zeros, ones) = (Tensor::zeros([3]), Tensor::ones([3]));
    /// // s = 1, 1 + a₁, 1 + a₂ (1 + a₁)
    /// let along = [&zeros, &ones, &zeros, &zeros];
    /// let tangents = c.linear_recurrence_second_tangent([&a, &zeros, &ones], along, 0);
    /// assert_eq!(tangents.to_vec(), [0.0, 0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn linear_recurrence_second_tangent(
        &self,
        [factors, t_c, t_a]: [&Tensor<T>; 3],
        tangents: [&Tensor<T>; 4],
        axis: impl Into<Axis>,
    ) -> Tensor<T> {
        let operation = "linear_recurrence_second_tangent";
        let axis = self.shape().axis(operation, axis);
        let [u_c, u_a, u_t_c, u_t_a] = tangents;
        let all = [self, factors, t_c, t_a, u_c, u_a, u_t_c, u_t_a];
        for other in all {
            assert_same_shape(operation, self, other);
        }
        mapped_rows(operation, axis, all, |[c, a, t_c, t_a, u_c, u_a, u_t_c, u_t_a], length, out| {
            scan::recurrence_second_tangent([c, a, t_c, t_a], [u_c, u_a, u_t_c, u_t_a], length, out);
        })
    }

    /// The gradient with respect to a of ∑ vᵢ·sᵢ, where s is the [linear recurrence](Tensor::linear_recurrence) of c = `added`
    /// and a = `factors` along `axis`, and `self` is v; accumulated in `f64`, so that parts of its products may leave the range of
    /// `f32`.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (c, a) = (Tensor::from([2.0f32, 1.0, 1.0]), Tensor::from([0.0, 5.0, 3.0]));
    /// // s = 2, 1 + 2 a₁, 1 + a₂ (1 + 2 a₁)
    /// let v = Tensor::from([0.0, 0.0, 1.0]);
    /// assert_eq!(v.linear_recurrence_slopes(&c, &a, 0).to_vec(), [0.0, 6.0, 11.0]);
    /// ```
    #[track_caller]
    pub fn linear_recurrence_slopes(
        &self,
        added: &Tensor<T>,
        factors: &Tensor<T>,
        axis: impl Into<Axis>,
    ) -> Tensor<T> {
        let operation = "linear_recurrence_slopes";
        let axis = self.shape().axis(operation, axis);
        assert_same_shape(operation, self, added);
        assert_same_shape(operation, self, factors);
        mapped_rows(operation, axis, [self, added, factors], |[v, c, a], length, out| {
            scan::recurrence_slopes(v, c, a, length, out);
        })
    }

    /// The tangents of the [slopes](Tensor::linear_recurrence_slopes) of v = `self`, c = `added` and a = `factors`, for the tangents
    /// of the three: ṙᵢ·sᵢ₋₁ + rᵢ·ṡᵢ₋₁, where r is the recurrence of v backwards; accumulated in `f64`, with r and s.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (c, a) = (Tensor::from([2.0f32, 1.0, 1.0]), Tensor::from([0.0, 5.0, 3.0]));
    /// let v = Tensor::from([0.0, 0.0, 1.0]);
    /// // The slopes are 0, 2 a₂ and 1 + 2 a₁.
    /// let (zeros, ones) = (Tensor::zeros([3]), Tensor::ones([3]));
    /// let tangents = v.linear_recurrence_slopes_tangent([&c, &a], [&zeros, &zeros, &ones], 0);
    /// assert_eq!(tangents.to_vec(), [0.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn linear_recurrence_slopes_tangent(
        &self,
        [added, factors]: [&Tensor<T>; 2],
        tangents: [&Tensor<T>; 3],
        axis: impl Into<Axis>,
    ) -> Tensor<T> {
        let operation = "linear_recurrence_slopes_tangent";
        let axis = self.shape().axis(operation, axis);
        let [t_v, t_c, t_a] = tangents;
        for other in [added, factors, t_v, t_c, t_a] {
            assert_same_shape(operation, self, other);
        }
        let all = [self, added, factors, t_v, t_c, t_a];
        mapped_rows(operation, axis, all, |[v, c, a, t_v, t_c, t_a], length, out| {
            scan::recurrence_slopes_tangent([v, c, a], [t_v, t_c, t_a], length, out);
        })
    }

    /// The sum of each element and all before it along `axis`, accumulated in `f64`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 2.0, 3.0]).cumsum(0).to_vec(), [1.0, 3.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cumsum(&self, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("cumsum", axis);
        mapped_rows("cumsum", axis, [self], |[x], length, out| products::cumulative_sums(x, length, out))
    }

    /// The logarithm of the sum of the exponentials of each element and all before it along `axis`, without overflow; accumulated
    /// in `f64`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let sums = Tensor::from([1000.0f64, 1000.0]).logcumsumexp(0);
    /// assert_eq!(sums.to_vec(), [1000.0, 1000.0 + 2f64.ln()]);
    /// ```
    #[track_caller]
    pub fn logcumsumexp(&self, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("logcumsumexp", axis);
        mapped_rows("logcumsumexp", axis, [self], |[x], length, out| scan::log_sums(x, length, out))
    }

    /// The product of each element and all before it along `axis`, accumulated in `f64`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 2.0, 3.0]).cumprod(0).to_vec(), [1.0, 2.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cumprod(&self, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("cumprod", axis);
        mapped_rows("cumprod", axis, [self], |[x], length, out| {
            products::cumulative_products(x, length, out);
        })
    }

    /// The gradient of ∑ vᵢ·sᵢ with respect to `self`, s being its [cumulative products](Tensor::cumprod) along `axis`: of each element
    /// xᵢ, sᵢ₋₁·(vᵢ + xᵢ₊₁·(vᵢ₊₁ + xᵢ₊₂·(…))); accumulated in `f64`, and without a division, so that elements may be 0.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([2.0f32, 0.0, 3.0]);
    /// assert_eq!(x.cumprod_gradient(&Tensor::from([1.0, 1.0, 1.0]), 0).to_vec(), [1.0, 8.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn cumprod_gradient(&self, v: &Tensor<T>, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("cumprod_gradient", axis);
        assert_same_shape("cumprod_gradient", self, v);
        mapped_rows("cumprod_gradient", axis, [self, v], |[x, v], length, out| {
            products::cumulative_product_gradients(x, v, length, out);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn along_every_axis() {
        let x = Tensor::<f64>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(x.cumsum(0).to_vec(), [1.0, 2.0, 3.0, 5.0, 7.0, 9.0]);
        assert_eq!(x.cumsum(-1).to_vec(), [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
        assert_eq!(x.flip(1).cumprod(1).to_vec(), [3.0, 6.0, 6.0, 6.0, 30.0, 120.0]);
        assert_eq!(Tensor::<f32>::zeros([0, 3]).cumsum(0).shape(), &[0, 3]);
    }

    /// The recurrences that products are have the same bits, for any number of rows and any length.
    #[test]
    fn gradients_of_products_are_slopes_of_recurrences() {
        let pick = |length: usize, salt: usize| {
            let special = [0.0, -0.0, 1e30, 1e-30, f32::INFINITY, f32::NAN];
            move |i: &[usize]| match (i[0] * length + i[1]) * 31 + salt {
                n if n % 41 < special.len() && i[0].is_multiple_of(3) => special[n % 41],
                n => (n as f32 * 0.7).sin() * 2.0,
            }
        };
        let same = |a: &Tensor<f32>, b: &Tensor<f32>| {
            let bits = |x: &Tensor<f32>| -> Vec<Option<u32>> {
                x.to_vec().iter().map(|x| (!x.is_nan()).then_some(x.to_bits())).collect()
            };
            assert_eq!(bits(a), bits(b), "{}", a.shape());
        };
        for (rows, length) in [(1, 1), (3, 16), (8, 1), (8, 33), (19, 15), (16, 64), (9, 100)] {
            let x = Tensor::<f32>::from_fn([rows, length], |i| pick(length, 0)(&[i[0], i[1]]));
            let v = Tensor::<f32>::from_fn([rows, length], |i| pick(length, 7)(&[i[0], i[1]]));
            let nothing = Tensor::full([rows, length], -0.0f32);
            let first = Tensor::full([rows, 1], 1.0f32);
            let (added, factors) =
                (Tensor::cat(&[&first, &nothing], 1), Tensor::cat(&[&Tensor::zeros([rows, 1]), &x], 1));
            let behind_nothing = |v: &Tensor<f32>| Tensor::cat(&[&Tensor::full([rows, 1], -0.0f32), v], 1);
            let slopes = behind_nothing(&v).linear_recurrence_slopes(&added, &factors, 1);
            same(&x.cumprod_gradient(&v, 1), &slopes.slice_axis(1, 1..).contiguous());
            same(&x.t().cumprod_gradient(&v.t(), 0).t().contiguous(), &x.cumprod_gradient(&v, 1));
            let last = v.slice_axis(1, -1..);
            let v = Tensor::cat(&[&nothing, &last], 1);
            let slopes = v.linear_recurrence_slopes(&added, &factors, 1);
            same(&x.prod_gradient(&last, 1), &slopes.slice_axis(1, 1..).contiguous());
            same(&x.cumprod(1), &added.linear_recurrence(&factors, 1).slice_axis(1, 1..).contiguous());
        }
    }

    #[test]
    fn logarithms_of_sums_with_infinities() {
        const INF: f64 = f64::INFINITY;
        let sums = |x: [f64; 3]| Tensor::from(x).logcumsumexp(0).to_vec();
        assert_eq!(sums([-INF, -INF, 2.0]), [-INF, -INF, 2.0]);
        assert_eq!(sums([1.0, INF, 2.0]), [1.0, INF, INF]);
        assert_eq!(sums([-800.0, 800.0, -INF]), [-800.0, 800.0, 800.0]);
        assert!(sums([1.0, f64::NAN, INF])[1..].iter().all(|x| x.is_nan()));
        assert!(sums([-INF, f64::NAN, -INF])[1..].iter().all(|x| x.is_nan()));
        assert_eq!(Tensor::<f32>::zeros([0, 3]).logcumsumexp(0).shape(), &[0, 3]);
    }

    #[test]
    fn recurrences_along_every_axis() {
        let (c, a) = (Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]), Tensor::from([[9.0, 2.0], [3.0, -1.0]]));
        assert_eq!(c.linear_recurrence(&a, 1).to_vec(), [1.0, 4.0, 3.0, 1.0]);
        assert_eq!(c.linear_recurrence(&a, 0).to_vec(), [1.0, 2.0, 6.0, 2.0]);
        assert_eq!(c.t().linear_recurrence(&a.t(), 0), c.linear_recurrence(&a, 1).t());
    }

    /// Differences of the recurrence and of its slopes tell the tangents.
    #[test]
    fn tangents_of_recurrences() {
        for length in [1usize, 2, 3, 7, 64, 65] {
            let row = |k: usize| {
                Tensor::<f64>::from_fn([2, length], |i| (1.3 * (i[0] + 3 * i[1] + 11 * k) as f64).sin())
            };
            let [v, c, a, t_v, t_c, t_a] = std::array::from_fn(row);
            let h = 1e-5;
            let [at, before] = [h, -h].map(|h| {
                let [v, c, a] = [(&v, &t_v), (&c, &t_c), (&a, &t_a)].map(|(x, t)| x + &(t * h));
                [c.linear_recurrence(&a, 1), v.linear_recurrence_slopes(&c, &a, 1)]
            });
            let found = [
                c.linear_recurrence_tangent(&a, [&t_c, &t_a], 1),
                v.linear_recurrence_slopes_tangent([&c, &a], [&t_v, &t_c, &t_a], 1),
            ];
            let near = |at: &Tensor<f64>, before: &Tensor<f64>, found: &Tensor<f64>| {
                let expected = (at - before) / (2.0 * h);
                let off = (&expected - found).abs().max().item();
                assert!(off < 1e-7 * expected.abs().max().item().max(1.0), "{length}: {off}");
            };
            near(&at[0], &before[0], &found[0]);
            near(&at[1], &before[1], &found[1]);
            // The tangent of the tangent, in other directions of c and a and of their tangents.
            let [u_c, u_a, u_t_c, u_t_a] = std::array::from_fn(|k| row(k + 6));
            let [at, before] = [h, -h].map(|h| {
                let [c, a, t_c, t_a] =
                    [(&c, &u_c), (&a, &u_a), (&t_c, &u_t_c), (&t_a, &u_t_a)].map(|(x, t)| x + &(t * h));
                c.linear_recurrence_tangent(&a, [&t_c, &t_a], 1)
            });
            let along = [&u_c, &u_a, &u_t_c, &u_t_a];
            near(&at, &before, &c.linear_recurrence_second_tangent([&a, &t_c, &t_a], along, 1));
        }
    }

    /// Their parts leave the range of `f32`.
    #[test]
    fn tangents_whose_parts_leave_the_range() {
        let c = Tensor::from([1e30f32, 0.0, 0.0]);
        let a = Tensor::from([0.0, 1e30, 1e-30]);
        let (zeros, t) = (Tensor::zeros([3]), Tensor::from([0.0f32, 0.0, 1e-30]));
        assert_eq!(c.linear_recurrence_tangent(&a, [&zeros, &t], 0).at([2]), 1e30);
    }

    #[test]
    fn a_long_sum_in_single_precision() {
        let x = Tensor::<f32>::full([1_000_000], 0.1);
        assert_eq!(x.cumsum(0).at([999_999]), (1e6 * f64::from(0.1f32)) as f32);
    }
}
