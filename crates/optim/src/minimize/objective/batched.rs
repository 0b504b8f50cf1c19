//! Objectives over mini-batches.

use wengert_tensor::random::Generator;

use super::{CurvatureAt, Curvatures, Objective, Want};
use crate::minimize::operator::{Kronecker, Operator, SumOperator};
use crate::minimize::vector::{self, Float};

/// The weighted sum Σ wᵢ fᵢ of objectives, each over a part of the data: a full-batch objective for data that are evaluated in
/// parts, whose single parts are the [mini-batches](Objective::batch) of stochastic methods.
///
/// Value, gradient, Hessian and Gauss–Newton matrix are the sums of the parts', added in their order. A curvature operator
/// keeps what every part recorded, the memory of which grows with the whole data; [`recomputing`](Self::recomputing) records
/// the parts again, one after the other, for each product instead, which costs about a gradient more per product.
///
/// ```
/// use wengert_optim::{Batched, Objective, Problem};
///
/// let part = |target: f64| Problem::new(1, move |x: &[f64]| (x[0] - target).powi(2));
/// // The mean over three examples, of which two are in the first part.
/// let mean = Batched::mean(vec![part(1.0), part(4.0)], &[2, 1]);
/// assert_eq!(mean.value(&[0.0]), (2.0 * 1.0 + 16.0) / 3.0);
/// assert_eq!(mean.batch(1).unwrap().value(&[0.0]), 16.0);
/// assert_eq!(mean.batch(2).unwrap().value(&[0.0]), 1.0);
/// ```
pub struct Batched<O> {
    parts: Vec<O>,
    weights: Vec<f64>,
    /// Whether the weights sum to 1 in each group too.
    mean: bool,
    group: usize,
    shuffle: Option<u64>,
    recompute: bool,
}

impl<O> Batched<O> {
    /// The mean over all examples, where each part is the mean over its own and `examples` says how many those are.
    /// Parts without examples are left out.
    ///
    /// # Panics
    /// If there is no part, not one number of examples for each, or no example at all.
    #[track_caller]
    pub fn mean(parts: Vec<O>, examples: &[usize]) -> Self {
        assert!(
            parts.len() == examples.len(),
            "Batched: {} parts with {} numbers of examples",
            parts.len(),
            examples.len()
        );
        let total: usize = examples.iter().sum();
        assert!(total > 0, "Batched: no examples in {} parts", parts.len());
        // The mean over no examples is not a number.
        let weigh = |(part, &count): (O, &usize)| (count > 0).then(|| (part, count as f64 / total as f64));
        let (parts, weights) = parts.into_iter().zip(examples).filter_map(weigh).unzip();
        Self::weighted(parts, weights, true)
    }

    /// The sum of the parts. A mini-batch is one part, or the sum of a group.
    ///
    /// # Panics
    /// If there is no part.
    #[track_caller]
    pub fn sum(parts: Vec<O>) -> Self {
        let weights = vec![1.0; parts.len()];
        Self::weighted(parts, weights, false)
    }

    #[track_caller]
    fn weighted(parts: Vec<O>, weights: Vec<f64>, mean: bool) -> Self {
        assert!(!parts.is_empty(), "Batched: at least one part is needed");
        Self { parts, weights, mean, group: 1, shuffle: None, recompute: false }
    }

    /// Puts `count` parts into each mini-batch.
    ///
    /// # Panics
    /// If `count` is 0.
    ///
    /// ```
    /// use wengert_optim::{Batched, Problem};
    /// let parts: Vec<Problem<'_, f64>> = (0..4).map(|_| Problem::new(1, |x: &[f64]| x[0])).collect();
    /// assert_eq!(Batched::sum(parts).grouped(2).batches(), 2);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn grouped(mut self, count: usize) -> Self {
        assert!(count > 0, "Batched: a group of no parts");
        self.group = count;
        self
    }

    /// Takes the parts in another random order in each pass; by default always in theirs.
    ///
    /// ```
    /// use wengert_optim::{Batched, Objective, Problem};
    /// let parts: Vec<Problem<'_, f64>> = (0..4).map(|i| Problem::new(1, move |_: &[f64]| f64::from(i))).collect();
    /// let sum = Batched::sum(parts).shuffled(0);
    /// // Each part comes once in a pass, in whatever order.
    /// let mut seen: Vec<f64> = (0..4).map(|i| sum.batch(i).unwrap().value(&[0.0])).collect();
    /// seen.sort_by(f64::total_cmp);
    /// assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
    /// ```
    #[must_use]
    pub fn shuffled(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }

    /// Records the parts again for each product, so that only one part's recording is in memory at a time.
    ///
    /// ```
    /// use wengert_optim::{Batched, Curvatures, Problem};
    /// let part = || Problem::new(1, |x: &[f64]| x[0] * x[0])
    ///     .with_gradient(|x, g| g[0] = 2.0 * x[0])
    ///     .with_hvp(|_, v, out| out[0] = 2.0 * v[0]);
    /// let sum = Batched::sum(vec![part(), part()]).recomputing();
    /// let mut product = [0.0];
    /// sum.hessian(&[1.0]).unwrap().apply(&[1.0], &mut product);
    /// assert_eq!(product, [4.0]);
    /// ```
    #[must_use]
    pub fn recomputing(mut self) -> Self {
        self.recompute = true;
        self
    }

    /// The parts.
    pub fn parts(&self) -> &[O] {
        &self.parts
    }

    /// The number of mini-batches in a pass.
    pub fn batches(&self) -> usize {
        self.parts.len().div_ceil(self.group)
    }

    /// The weighted sum of an operator of each part, made by `make` from its number and the part: now, or, if
    /// [`recomputing`](Self::recomputing), for each product.
    ///
    /// ```
    /// use wengert_optim::{Batched, DenseOperator, Problem};
    /// let parts: Vec<Problem<'_, f64>> = (0..2).map(|_| Problem::new(1, |x: &[f64]| x[0])).collect();
    /// let sum = Batched::sum(parts);
    /// let operator = sum.sum_of(|i, _| Box::new(DenseOperator::with_diagonal(&[1.0 + i as f64])));
    /// let mut product = [0.0];
    /// operator.apply(&[1.0], &mut product);
    /// assert_eq!(product, [3.0]);
    /// ```
    pub fn sum_of<'a, T: Float>(
        &'a self,
        make: impl Fn(usize, &'a O) -> Box<dyn Operator<T> + 'a> + 'a,
    ) -> Box<dyn Operator<T> + 'a> {
        self.sum_if_any(move |i, part| Some(make(i, part))).expect("there is one for every part")
    }

    /// `None` if a part has no such operator.
    fn sum_if_any<'a, T: Float>(
        &'a self,
        make: impl Fn(usize, &'a O) -> Option<Box<dyn Operator<T> + 'a>> + 'a,
    ) -> Option<Box<dyn Operator<T> + 'a>> {
        let first = make(0, &self.parts[0])?;
        let dimension = first.dimension();
        if self.recompute {
            return Some(Box::new(Recomputed { of: self, dimension, make }));
        }
        let mut sum = SumOperator::new(dimension);
        sum.add(self.weights[0], first);
        for (i, (part, &weight)) in self.parts.iter().zip(&self.weights).enumerate().skip(1) {
            sum.add(weight, make(i, part)?);
        }
        Some(Box::new(sum))
    }

    /// The numbers of the parts in a mini-batch.
    fn members(&self, index: u64) -> Vec<usize> {
        let (batches, count) = (self.batches() as u64, self.parts.len());
        let start = (index % batches) as usize * self.group;
        let range = start..count.min(start + self.group);
        match self.shuffle {
            None => range.collect(),
            Some(seed) => {
                let order = Generator::seeded(seed).fork(index / batches).permutation(count);
                order[range].iter().map(|&i| i as usize).collect()
            }
        }
    }
}

impl<O> Batched<O> {
    /// Σ wᵢ ∇fᵢ, written to `gradient` by `each` for a part, and Σ wᵢ times what that returns.
    fn add_up<T: Float>(&self, gradient: &mut [T], mut each: impl FnMut(&O, &mut [T]) -> f64) -> f64 {
        gradient.fill(T::ZERO);
        let (mut value, mut term) = (0.0, vec![T::ZERO; gradient.len()]);
        for (part, &weight) in self.parts.iter().zip(&self.weights) {
            value += weight * each(part, &mut term);
            vector::axpy(weight, &term, gradient);
        }
        value
    }

    /// The weighted mean of the parts' Kronecker factors, times the sum of the weights.
    fn mean_factors<T: Float>(&self, x: &[T], seed: u64) -> Option<Kronecker<T>>
    where
        O: Objective<T>,
    {
        let mut sum: Option<(Kronecker<T>, f64)> = None;
        for (i, (part, &weight)) in self.parts.iter().zip(&self.weights).enumerate() {
            let newer =
                part.kronecker(x, seed.wrapping_mul(self.parts.len() as u64).wrapping_add(i as u64))?;
            sum = Some(match sum {
                Some((mut mean, total)) => {
                    mean.average(total / (total + weight).max(f64::MIN_POSITIVE), &newer);
                    (mean, total + weight)
                }
                None => (newer, weight),
            });
        }
        sum.map(|(mean, total)| mean.scaled(total))
    }
}

impl<T: Float, O: Objective<T>> Objective<T> for Batched<O> {
    fn dimension(&self) -> usize {
        self.parts[0].dimension()
    }

    fn value(&self, x: &[T]) -> f64 {
        self.parts.iter().zip(&self.weights).map(|(part, weight)| weight * part.value(x)).sum()
    }

    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        self.add_up(gradient, |part, term| part.value_and_gradient(x, term))
    }

    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        self.add_up(gradient, |part, term| {
            part.gradient(x, term);
            0.0
        });
    }

    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        match want {
            Want::Hessian | Want::GaussNewton => {
                let x = x.to_vec();
                let sum =
                    self.sum_if_any(move |_, part| part.curvature(want, &x).map(CurvatureAt::into_operator));
                sum.map(CurvatureAt::Operator)
            }
            Want::Kronecker { seed } => self.mean_factors(x, seed).map(CurvatureAt::Kronecker),
            // Those of the parts make none of the sum.
            Want::Preconditioner => None,
        }
    }

    fn second_order(&self, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
        if self.recompute {
            return None;
        }
        let (mut value, mut term) = (0.0, vec![T::ZERO; gradient.len()]);
        let mut total = term.clone();
        let mut sum = SumOperator::new(gradient.len());
        for (part, &weight) in self.parts.iter().zip(&self.weights) {
            let (of_part, hessian) = part.second_order(x, &mut term)?;
            value += weight * of_part;
            vector::axpy(weight, &term, &mut total);
            sum.add(weight, hessian);
        }
        gradient.copy_from_slice(&total);
        Some((value, Box::new(sum)))
    }

    fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        let members = self.members(index);
        let total: f64 = if self.mean { members.iter().map(|&i| self.weights[i]).sum() } else { 1.0 };
        let weights = members.iter().map(|&i| self.weights[i] / total).collect();
        // Without their type: groups of groups of … would be ever new types.
        let parts: Vec<&dyn Objective<T>> = members.iter().map(|&i| &self.parts[i] as _).collect();
        Some(Box::new(Batched { recompute: self.recompute, ..Batched::weighted(parts, weights, self.mean) }))
    }

    fn exhausted(&self) -> bool {
        self.parts.iter().any(Objective::exhausted)
    }
}

/// A sum of operators that are made for each product and freed after it.
struct Recomputed<'a, O, F> {
    of: &'a Batched<O>,
    dimension: usize,
    make: F,
}

impl<'a, O, F> Recomputed<'a, O, F> {
    fn each<T: Float>(&self, out: &mut [T], product: impl Fn(&dyn Operator<T>, &mut [T]))
    where
        F: Fn(usize, &'a O) -> Option<Box<dyn Operator<T> + 'a>>,
    {
        out.fill(T::ZERO);
        let mut term = vec![T::ZERO; out.len()];
        for (i, (part, &weight)) in self.of.parts.iter().zip(&self.of.weights).enumerate() {
            let operator = (self.make)(i, part).expect("every part has the curvature that the first has");
            product(&*operator, &mut term);
            vector::axpy(weight, &term, out);
        }
    }
}

impl<'a, T: Float, O, F> Operator<T> for Recomputed<'a, O, F>
where
    F: Fn(usize, &'a O) -> Option<Box<dyn Operator<T> + 'a>>,
{
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.each(out, |operator, term| operator.apply(v, term));
    }
    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        self.each(out, |operator, term| operator.apply_many(vectors, term));
    }
    fn diagonal(&self) -> Vec<T> {
        let mut diagonal = vec![T::ZERO; self.dimension];
        self.each(&mut diagonal, |operator, term| term.copy_from_slice(&operator.diagonal()));
        diagonal
    }
}
