//! Objectives over data that several ranks hold.

use std::cell::Cell;
use std::rc::Rc;

use wengert_optim::{CurvatureAt, Curvatures, Kronecker, Objective, Operator, Want};
use wengert_tensor::size;

use crate::agreement::{agree, fingerprint};
use crate::communicator::{Buffer, Communicated, Communicator, Shared};
use crate::parallel::{ParallelError, sum_over};
use crate::tree;

/// The mean over all examples of a loss of which every rank has a part of the examples, for methods on the whole loss: L-BFGS,
/// Newton-CG, trust regions, Gauss–Newton, K-FAC. Ranks run the method side by side, each with all of the parameters; values,
/// gradients, products with the Hessian or the Gauss–Newton matrix and Kronecker factors are summed over them.
///
/// The examples are in *shards*, whose number belongs to the objective and not to the launch; sums are [trees](crate::tree) over them.
/// So a method takes the same steps, to the bit, on any number of ranks up to that of the shards.
///
/// ```
/// use wengert_curvature::Objectives;
/// use wengert_data::synthetic;
/// use wengert_distributed::{ShardedObjective, threads};
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::{Lbfgs, Method, Stopping};
///
/// let minimise = |ranks: usize| threads::run(ranks, |communicator| {
///     let data = synthetic::digits(120, 0);
///     let mut params: Params = Params::seeded(0);
///     let model = Linear::new(params.root(), 784, 10);
///     // Four shards of 30 examples, of which a rank makes its own.
///     let loss = ShardedObjective::mean(communicator, 4, |shard| {
///         let (images, labels) = data.batches(30).nth(shard).expect("there are four");
///         let examples = labels.len();
///         let model = &model;
///         (params.objective(move |cx| model.forward(cx, &images).cross_entropy(&labels)), examples)
///     })?;
///     let method = Lbfgs::default().with_stopping(Stopping { max_iterations: 5, ..Stopping::gradient(1e-3) });
///     Ok(method.minimize(&loss, params.values())?.point)
/// });
/// assert_eq!(minimise(2)?[1], minimise(1)?[0]);
/// # Ok::<(), wengert_distributed::threads::RankFailed>(())
/// ```
///
/// All ranks must ask for the same things in the same order, as a method does that decides by what it is told here. One that is to
/// end by a limit of time would not: ranks have clocks of their own. It has no residuals: Levenberg–Marquardt takes
/// [`ShardedResiduals`](crate::ShardedResiduals).
///
/// Evaluated, it panics if another rank is gone; the first time, also if ranks evaluate it at other points or have other models.
pub struct ShardedObjective<O> {
    communicator: Rc<dyn Communicator>,
    shards: usize,
    /// For each shard of this rank its objective and its share of the examples; none for one without examples.
    own: Vec<Option<(O, f64)>>,
    /// Whether it was evaluated, and so found to be the same function of the same parameters on all ranks.
    agreed: Cell<bool>,
}

impl<O> ShardedObjective<O> {
    /// The mean over the examples of `shards` shards. `make` gives for each shard of this rank the mean over its examples as an
    /// objective, and how many they are.
    ///
    /// # Errors
    /// [`ParallelError`] if there are fewer shards than ranks or a rank has no examples; or if ranks differ in the number of shards, or
    /// another rank is gone.
    ///
    /// # Panics
    /// If there is no memory for the shards of a rank.
    #[track_caller]
    pub fn mean(
        communicator: Rc<dyn Communicator>,
        shards: usize,
        make: impl FnMut(usize) -> (O, usize),
    ) -> Result<Self, crate::communicator::Failure> {
        let (rank, ranks) = (communicator.rank(), communicator.size());
        agree(&*communicator, "ShardedObjective", &[("number of shards", shards.to_string())])?;
        if shards < ranks {
            return Err(ParallelError::Shards { shards, ranks }.into());
        }
        let own = tree::owned(shards, rank, ranks);
        let mut made: Vec<(O, usize)> = size::list("ShardedObjective", own.len());
        made.extend(own.map(make));
        let mut examples = vec![0u64; ranks];
        examples[rank] = made.iter().map(|(_, examples)| *examples as u64).sum();
        communicator.all_gather(Buffer::U64(&mut examples), &vec![1; ranks])?;
        if let Some(rank) = examples.iter().position(|&examples| examples == 0) {
            return Err(ParallelError::NoExamples { rank, shards, ranks }.into());
        }
        let total = examples.iter().sum::<u64>() as f64;
        let weigh = |(part, examples): (O, usize)| (examples > 0).then(|| (part, examples as f64 / total));
        let own = made.into_iter().map(weigh).collect();
        Ok(ShardedObjective { communicator, shards, own, agreed: Cell::new(false) })
    }

    /// The objectives of this rank's shards, with their shares of all examples.
    pub fn parts(&self) -> impl Iterator<Item = (&O, f64)> {
        self.own.iter().flatten().map(|(part, share)| (part, *share))
    }

    fn one(&self) -> &O {
        self.parts().next().expect("every rank has examples").0
    }

    /// The sum over all shards of vectors of `length`, which `each` writes for a part and its share.
    #[track_caller]
    fn sum<T: Shared>(&self, length: usize, mut each: impl FnMut(&O, f64, &mut [T])) -> Vec<T> {
        let vectors = self.own.iter().map(|part| {
            let mut vector = vec![T::ZERO; length];
            if let Some((part, share)) = part {
                each(part, *share, &mut vector);
            }
            vector
        });
        done("ShardedObjective", sum_over(&*self.communicator, Some(self.shards), vectors.collect()))
    }

    /// Σ shareᵢ · valueᵢ.
    #[track_caller]
    fn total(&self, values: &[f64]) -> f64 {
        let mut values = values.iter();
        self.sum(1, |_, share, out: &mut [f64]| out[0] = share * values.next().expect("one for each part"))[0]
    }

    /// The same for something of each part in its place; `None` if one has none, as then all have.
    fn each<'a, P>(&'a self, mut of: impl FnMut(&'a O) -> Option<P>) -> Option<ShardedObjective<P>> {
        let mut own = Vec::with_capacity(self.own.len());
        for part in &self.own {
            own.push(match part {
                Some((part, share)) => Some((of(part)?, *share)),
                None => None,
            });
        }
        let (communicator, agreed) = (self.communicator.clone(), self.agreed.clone());
        Some(ShardedObjective { communicator, shards: self.shards, own, agreed })
    }

    /// That all ranks evaluate the same function at the same point, the first time.
    #[track_caller]
    fn check<T: Shared>(&self, x: &[T])
    where
        O: Objective<T>,
    {
        if !self.agreed.replace(true) {
            let facts = [
                ("element type", std::any::type_name::<T>().to_owned()),
                ("number of parameters", self.one().dimension().to_string()),
                ("parameters at the start", fingerprint(x)),
            ];
            done("ShardedObjective", agree(&*self.communicator, "the first evaluation", &facts));
        }
    }

    /// The weighted sum of the parts' Kronecker factors.
    fn factors<T: Shared>(&self, x: &[T], seed: u64) -> Option<Kronecker<T>>
    where
        O: Objective<T>,
    {
        let first = tree::owned(self.shards, self.communicator.rank(), self.communicator.size()).start;
        let draws = |own: usize| seed.wrapping_mul(self.shards as u64).wrapping_add((first + own) as u64);
        let mut all = Vec::with_capacity(self.own.len());
        for (own, part) in self.own.iter().enumerate() {
            if let Some((part, _)) = part {
                all.push(part.kronecker(x, draws(own))?);
            }
        }
        let factors = all[0].factors();
        let mut parts = all.iter();
        let sum = self.sum(factors.len(), |_, share, out| {
            out.copy_from_slice(&parts.next().expect("one for each part").factors());
            scale(share, out);
        });
        Some(all[0].with_factors(&sum))
    }
}

/// What objectives cannot return is a panic, which ends all ranks.
#[track_caller]
pub(crate) fn done<R>(operation: &str, communicated: Communicated<R>) -> R {
    communicated.unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Times a share, in place.
fn scale<T: Shared>(share: f64, out: &mut [T]) {
    let share = T::from_f64(share);
    out.iter_mut().for_each(|x| *x = share * *x);
}

impl<T: Shared, O: Objective<T>> Objective<T> for ShardedObjective<O> {
    fn dimension(&self) -> usize {
        self.one().dimension()
    }

    #[track_caller]
    fn value(&self, x: &[T]) -> f64 {
        self.check(x);
        let values: Vec<f64> = self.parts().map(|(part, _)| part.value(x)).collect();
        self.total(&values)
    }

    #[track_caller]
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        self.check(x);
        let mut values = Vec::new();
        let sum = self.sum(gradient.len(), |part, share, out| {
            values.push(part.value_and_gradient(x, out));
            scale(share, out);
        });
        gradient.copy_from_slice(&sum);
        self.total(&values)
    }

    #[track_caller]
    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        self.check(x);
        let sum = self.sum(gradient.len(), |part, share, out| {
            part.gradient(x, out);
            scale(share, out);
        });
        gradient.copy_from_slice(&sum);
    }

    #[track_caller]
    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        self.check(x);
        match want {
            Want::Hessian | Want::GaussNewton => {
                let operators = self.each(|part| part.curvature(want, x).map(CurvatureAt::into_operator));
                operators.map(|operators| CurvatureAt::operator(Products(operators)))
            }
            Want::Kronecker { seed } => self.factors(x, seed).map(CurvatureAt::Kronecker),
            // Those of the parts make none of the sum.
            _ => None,
        }
    }

    #[track_caller]
    fn second_order(&self, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
        self.check(x);
        let mut found = Vec::new();
        let operators = self.each(|part| {
            let mut gradient = vec![T::ZERO; gradient.len()];
            let (value, operator) = part.second_order(x, &mut gradient)?;
            found.push((value, gradient));
            Some(operator)
        })?;
        let (values, gradients): (Vec<f64>, Vec<Vec<T>>) = found.into_iter().unzip();
        let mut gradients = gradients.into_iter();
        let sum = self.sum(gradient.len(), |_, share, out| {
            out.copy_from_slice(&gradients.next().expect("one for each part"));
            scale(share, out);
        });
        gradient.copy_from_slice(&sum);
        Some((self.total(&values), Box::new(Products(operators))))
    }

    /// Every shard's batch of that number, together.
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        self.each(|part| part.batch(index)).map(|batch| Box::new(batch) as _)
    }

    fn exhausted(&self) -> bool {
        self.parts().any(|(part, _)| part.exhausted())
    }
}

/// Σ shareᵢ · Aᵢ, summed over the ranks.
struct Products<A>(ShardedObjective<A>);

impl<T: Shared, A: Operator<T>> Operator<T> for Products<A> {
    fn dimension(&self) -> usize {
        self.0.one().dimension()
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        self.apply_many(v, out);
    }

    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        let sum = self.0.sum(out.len(), |operator, share, out| {
            operator.apply_many(vectors, out);
            scale(share, out);
        });
        out.copy_from_slice(&sum);
    }
}
