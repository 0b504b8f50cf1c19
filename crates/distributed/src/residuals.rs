//! Least squares over data that several ranks hold.

use std::marker::PhantomData;
use std::ops::Range;
use std::rc::Rc;

use wengert_optim::{Jacobian, Objective, Residuals};
use wengert_tensor::size;

use crate::agreement::agree;
use crate::communicator::{Buffer, Communicator, Failure, Shared};
use crate::objective::done;
use crate::parallel::{ParallelError, sum_over};
use crate::tree;

/// The residuals of all examples, of which every rank has a part: for Levenberg–Marquardt and Gauss–Newton on ½‖r‖², as
/// `LeastSquares::from_residuals`. Ranks run the method side by side, each with all of the parameters; each evaluates its own residuals
/// and rows of the Jacobian, and all are given all of them, in the order of the *shards*, whose number belongs to the problem and not to
/// the launch. So the bits are the same on any number of ranks.
///
/// A rank holds the m × n Jacobian of all m residuals where the method asks for it as a matrix, and factors it itself: what is divided
/// is the evaluation. Where that is too large, a [`ShardedObjective`](crate::ShardedObjective) with a Gauss–Newton method needs
/// products alone.
///
/// ```
/// use wengert_curvature::Objectives;
/// use wengert_distributed::{ShardedResiduals, threads};
/// use wengert_nn::{Init, Params};
/// use wengert_optim::{LeastSquares, LevenbergMarquardt, Method};
/// use wengert_tape::Var;
///
/// // a·exp(−b·t) through points of 5·exp(−t/2), of which each of four shards has two.
/// let fit = |ranks: usize| threads::run(ranks, |communicator| {
///     let mut params: Params<f64> = Params::seeded(0);
///     let [a, b] = ["a", "b"].map(|name| params.root().param(name, [1], Init::Ones));
///     let residuals = ShardedResiduals::new(communicator, 4, |shard| {
///         let t = Var::from([shard as f64, shard as f64 + 0.5]);
///         let y = (&t * -0.5).exp() * 5.0;
///         params.least_squares(move |cx| cx.param(a) * (cx.param(b) * -&t).exp() - &y)
///     })?;
///     Ok(LevenbergMarquardt::default().minimize(&LeastSquares::from_residuals(residuals), params.values())?.point)
/// });
/// let found = fit(2)?;
/// assert!((found[0][0] - 5.0).abs() < 1e-6 && (found[0][1] - 0.5).abs() < 1e-6);
/// assert_eq!(found[1], fit(1)?[0]);
/// # Ok::<(), threads::RankFailed>(())
/// ```
///
/// All ranks must ask for the same things in the same order. Evaluated, it panics if another rank is gone.
pub struct ShardedResiduals<O, T = f64> {
    communicator: Rc<dyn Communicator>,
    shards: usize,
    own: Vec<O>,
    /// The residuals of each shard of this rank, and of each rank.
    counts: Vec<usize>,
    lengths: Vec<usize>,
    of: PhantomData<fn(T)>,
}

impl<T: Shared, O: Objective<T>> ShardedResiduals<O, T> {
    /// The residuals of `shards` shards, of which `make` gives those of this rank: objectives that are sums of squares.
    ///
    /// # Errors
    /// [`ParallelError`] if there are fewer shards than ranks or an objective has no residuals; or if ranks differ in the number of
    /// shards or of parameters, or another rank is gone.
    ///
    /// # Panics
    /// If there is no memory for the shards of a rank.
    #[track_caller]
    pub fn new(
        communicator: Rc<dyn Communicator>,
        shards: usize,
        make: impl FnMut(usize) -> O,
    ) -> Result<Self, Failure> {
        let (rank, ranks) = (communicator.rank(), communicator.size());
        agree(&*communicator, "ShardedResiduals", &[("number of shards", shards.to_string())])?;
        if shards < ranks {
            return Err(ParallelError::Shards { shards, ranks }.into());
        }
        let places = tree::owned(shards, rank, ranks);
        let mut own: Vec<O> = size::list("ShardedResiduals", places.len());
        own.extend(places.map(make));
        let facts = [
            ("element type", std::any::type_name::<T>().to_owned()),
            ("number of parameters", own[0].dimension().to_string()),
        ];
        agree(&*communicator, "ShardedResiduals", &facts)?;
        let counts: Option<Vec<usize>> =
            own.iter().map(|part| part.residuals().map(|residuals| residuals.count())).collect();
        // One that has none says so to all.
        let mut said = vec![u64::MAX; ranks];
        if let Some(counts) = &counts {
            said[rank] = counts.iter().sum::<usize>() as u64;
        }
        communicator.all_gather(Buffer::U64(&mut said), &vec![1; ranks])?;
        if let Some(rank) = said.iter().position(|&count| count == u64::MAX) {
            return Err(ParallelError::NoResiduals { rank }.into());
        }
        let lengths = said.into_iter().map(|count| count as usize).collect();
        Ok(ShardedResiduals {
            communicator,
            shards,
            own,
            counts: counts.unwrap_or_default(),
            lengths,
            of: PhantomData,
        })
    }

    fn parts(&self) -> impl Iterator<Item = (&dyn Residuals<T>, Range<usize>)> {
        let mut end = self.start();
        self.own.iter().zip(&self.counts).map(move |(part, count)| {
            let start = end;
            end += count;
            (part.residuals().expect("it had some"), start..end)
        })
    }

    /// The residuals of the ranks before this one.
    fn start(&self) -> usize {
        self.lengths[..self.communicator.rank()].iter().sum()
    }

    /// Lets `each` write what this rank has, `width` numbers for each residual, and gives all ranks all of it.
    #[track_caller]
    fn gather(&self, width: usize, out: &mut [T], mut each: impl FnMut(usize, &dyn Residuals<T>, &mut [T])) {
        for (number, (part, range)) in self.parts().enumerate() {
            each(number, part, &mut out[range.start * width..range.end * width]);
        }
        let lengths: Vec<usize> = self.lengths.iter().map(|length| length * width).collect();
        done("ShardedResiduals", self.communicator.all_gather(T::buffer(out), &lengths));
    }
}

impl<T: Shared, O: Objective<T>> Residuals<T> for ShardedResiduals<O, T> {
    fn dimension(&self) -> usize {
        self.own[0].dimension()
    }

    fn count(&self) -> usize {
        self.lengths.iter().sum()
    }

    #[track_caller]
    fn evaluate(&self, x: &[T], out: &mut [T]) {
        self.gather(1, out, |_, part, out| part.evaluate(x, out));
    }

    fn jacobian(&self, x: &[T]) -> Box<dyn Jacobian<T> + '_> {
        Box::new(Products { all: self, own: self.parts().map(|(part, _)| part.jacobian(x)).collect() })
    }

    #[track_caller]
    fn dense_jacobian(&self, x: &[T]) -> Vec<T> {
        let n = self.dimension();
        let mut matrix = vec![T::ZERO; self.count() * n];
        self.gather(n, &mut matrix, |_, part, rows| rows.copy_from_slice(&part.dense_jacobian(x)));
        matrix
    }
}

/// The Jacobian of all residuals, of which each rank has its shards' rows.
struct Products<'a, O, T: Shared> {
    all: &'a ShardedResiduals<O, T>,
    own: Vec<Box<dyn Jacobian<T> + 'a>>,
}

impl<T: Shared, O: Objective<T>> Jacobian<T> for Products<'_, O, T> {
    #[track_caller]
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.all.gather(1, out, |number, _, out| self.own[number].apply(v, out));
    }

    #[track_caller]
    fn apply_transpose(&self, u: &[T], out: &mut [T]) {
        let mut products = Vec::with_capacity(self.own.len());
        for (jacobian, (_, range)) in self.own.iter().zip(self.all.parts()) {
            let mut product = vec![T::ZERO; out.len()];
            jacobian.apply_transpose(&u[range], &mut product);
            products.push(product);
        }
        let sum = sum_over(&*self.all.communicator, Some(self.all.shards), products);
        out.copy_from_slice(&done("ShardedResiduals", sum));
    }
}
