//! Batches of which several workers have a part each.

use std::rc::Rc;

use wengert_tape::{Attributes, LinearMap, Var};
use wengert_tensor::{Float, Shape, Tensor};

use crate::ctx::Ctx;

/// The shards of one batch, which as many workers evaluate at the same time: what a forward pass on one of them knows of the
/// others, if it is [given it](Ctx::set_shards). Layers reach it by [`Ctx::sum_over_shards`] and [`Ctx::mean_over_shards`]; the crate
/// `wengert-distributed` has it over MPI and over threads.
///
/// ```
/// use std::{cell::RefCell, rc::Rc, sync::mpsc};
/// use wengert_nn::{BatchNorm1d, Layer, Params, Shards};
/// use wengert_tape::Var;
///
/// /// One of two threads, each with half of the batch.
/// struct Half(mpsc::Sender<Vec<f64>>, mpsc::Receiver<Vec<f64>>);
///
/// impl Shards<f64> for Half {
///     fn share(&self) -> f64 { 0.5 }
///     fn sum(&self, values: &mut [f64]) {
///         self.0.send(values.to_vec()).unwrap();
///         let other = self.1.recv().expect("the other thread is there");
///         values.iter_mut().zip(other).for_each(|(x, y)| *x += y);
///     }
/// }
///
/// let normalise = |half: Option<Half>, x: Vec<[f64; 1]>| {
///     let mut params: Params<f64> = Params::seeded(0);
///     let norm = BatchNorm1d::new(params.root(), 1);
///     params.infer_in(wengert_nn::Mode::Train, |cx| {
///         half.into_iter().for_each(|half| cx.set_shards(Rc::new(half)));
///         norm.forward(cx, &Var::constant(wengert_tensor::Tensor::from_fn([x.len(), 1], |i| x[i[0]][0]))).value().to_vec()
///     })
/// };
/// let ((to_b, from_a), (to_a, from_b)) = (mpsc::channel(), mpsc::channel());
/// let other = std::thread::spawn(move || normalise(Some(Half(to_a, from_a)), vec![[3.0], [4.0]]));
/// let mut y = normalise(Some(Half(to_b, from_b)), vec![[1.0], [2.0]]);
/// y.extend(other.join().unwrap());
/// let whole = normalise(None, vec![[1.0], [2.0], [3.0], [4.0]]);
/// assert!(y.iter().zip(whole).all(|(a, b)| (a - b).abs() < 1e-12));
/// ```
pub trait Shards<T: Float = f32> {
    /// The share of the batch's examples that this worker's shard has, from 0 to 1; those of all shards add up to 1. One of 0 is
    /// evaluated for the sake of the others alone, on an example that does not count.
    fn share(&self) -> f64;

    /// Puts the sum over all shards in the place of this one's numbers. The workers of all shards call it in the same order, with as
    /// many numbers each. There is no result without the others, so it panics if one is gone.
    fn sum(&self, values: &mut [T]);
}

impl<T: Float> Ctx<T> {
    /// Makes the rest of the forward pass one on a shard of a batch, which knows of the others: statistics of a batch
    /// ([`BatchNorm`](crate::BatchNorm)) are then those of the whole. Without, each forward pass has a batch of its own.
    ///
    /// The derivatives of a loss on a shard are then its part in those of the whole loss, Σ shareₖ·lossₖ over the shards k: if gᵢ is
    /// the gradient that shard i finds, of any order and in both modes, Σ shareᵢ·gᵢ is exactly the gradient of the whole loss. Workers
    /// that communicate here have to do the same things in the same order, derivatives included.
    ///
    /// See [`Shards`] for an example.
    #[doc(alias = "SyncBatchNorm")]
    pub fn set_shards(&self, shards: Rc<dyn Shards<T>>) {
        self.shards.replace(Some(shards));
    }

    /// The shards of the batch, if the forward pass is on one of several: to be handed to the context of a further network.
    ///
    /// ```
    /// use wengert_nn::Params;
    /// let params: Params = Params::seeded(0);
    /// assert!(params.infer(|cx| cx.shards().is_none()));
    /// ```
    pub fn shards(&self) -> Option<Rc<dyn Shards<T>>> {
        self.shards.borrow().clone()
    }

    /// The sum of x over the [shards](Self::set_shards) of the batch, of the same shape in each; x itself where it is no shard of
    /// anything. It can be differentiated as often as one likes.
    ///
    /// ```
    /// use wengert_nn::{Ctx, Layer, Params};
    /// use wengert_tape::Var;
    /// /// x over the root of its mean square in the whole batch, on however many workers.
    /// struct Whiten;
    /// impl Layer<f64> for Whiten {
    ///     fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
    ///         let squares = cx.sum_over_shards(&x.square().sum());
    ///         let count = cx.sum_over_shards(&Var::scalar(x.len() as f64));
    ///         x / (squares / count).sqrt()
    ///     }
    /// }
    /// let params: Params<f64> = Params::seeded(0);
    /// let y = params.infer(|cx| Whiten.forward(cx, &Var::from([3.0, -3.0])));
    /// assert_eq!(y.value().to_vec(), [1.0, -1.0]);
    /// ```
    #[doc(alias = "all_reduce")]
    #[track_caller]
    pub fn sum_over_shards(&self, x: &Var<T>) -> Var<T> {
        self.over_shards(x, Kind::Sum)
    }

    /// The mean of x over the [shards](Self::set_shards) of the batch, each counted by its examples; x itself where it is no shard
    /// of anything. It can be differentiated as often as one likes.
    ///
    /// ```
    /// use wengert_nn::Params;
    /// use wengert_tape::Var;
    /// let params: Params<f64> = Params::seeded(0);
    /// // The mean of all examples' losses, on all workers, to be shown beside the part that is differentiated.
    /// let loss = Var::from([1.0, 3.0]).mean();
    /// assert_eq!(params.infer(|cx| cx.mean_over_shards(&loss).item()), 2.0);
    /// ```
    #[track_caller]
    pub fn mean_over_shards(&self, x: &Var<T>) -> Var<T> {
        self.over_shards(x, Kind::Mean)
    }

    #[track_caller]
    fn over_shards(&self, x: &Var<T>, kind: Kind) -> Var<T> {
        match self.shards() {
            Some(shards) => x.linear(OverShards { shards, kind }),
            None => x.clone(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Sum,
    Mean,
}

/// S: xₖ ↦ Σ xₖ, or M: xₖ ↦ Σ shareₖ·xₖ, over the shards k, with the result on all of them.
///
/// Shard k computes the derivatives of its own loss ℓₖ, which is shareₖ of the whole loss L = Σ shareₖ·ℓₖ, so for cotangents there
/// is c̄ₖ in the place of shareₖ·c̄ₖ. The derivative of L by xⱼ through S is Σ shareₖ·c̄ₖ, of which the shard needs the part
/// 1 / shareⱼ: M(c̄) / shareⱼ. Through M it is shareⱼ times that, so M is its own transpose.
#[derive(Clone)]
struct OverShards<T: Float> {
    shards: Rc<dyn Shards<T>>,
    kind: Kind,
}

impl<T: Float> LinearMap<T> for OverShards<T> {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Sum => "sum_over_shards",
            Kind::Mean => "mean_over_shards",
        }
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("share", self.shards.share());
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let share = self.shards.share();
        let mut values = match self.kind {
            // What no example that counts was in is left out, be it infinite.
            _ if share == 0.0 => vec![T::ZERO; x.len()],
            Kind::Sum => x.to_vec(),
            Kind::Mean => (x * share).to_vec(),
        };
        self.shards.sum(&mut values);
        Tensor::vector(&values).reshape(x.shape())
    }

    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        let mean = cotangent.linear(OverShards { kind: Kind::Mean, ..self.clone() });
        match self.kind {
            Kind::Mean => mean,
            // Of no consequence, but the others wait for this worker's part in the mean.
            Kind::Sum if self.shards.share() == 0.0 => mean,
            Kind::Sum => mean / self.shards.share(),
        }
    }
}
