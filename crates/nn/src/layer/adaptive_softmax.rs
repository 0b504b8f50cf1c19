//! A softmax over many classes, of which most are rare.

use wengert_tape::{Index, Var};
use wengert_tensor::{Float, Tensor};

use super::{Linear, LinearBuilder};
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::Scope;

/// The logarithms of the probabilities of classes that are numbered by how frequent they are (Grave et al., "Efficient softmax
/// approximation for GPUs", 2017): the first ones have a logit each, the others are in clusters, which have one together and,
/// within, logits of features that are `div_value` times fewer for each further cluster. The loss computes only the clusters
/// that its labels are in.
///
/// As a layer from features `[count, features]` it gives all of them, `[count, classes]`. Parameters as in PyTorch:
/// `head.weight`, `tail.0.0.weight`, `tail.0.1.weight`, ….
///
/// ```
/// use wengert_nn::{AdaptiveLogSoftmax, Layer, Params};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let mut params: Params<f64> = Params::seeded(0);
/// // Ten frequent words, and two clusters of 90 and 900.
/// let words = AdaptiveLogSoftmax::new(params.at("words"), 16, 1000, &[10, 100]);
/// let (x, labels) = (Var::ones([2, 16]), Tensor::from([3u32, 500]));
/// let (all, loss) = params.infer(|cx| (words.forward(cx, &x), words.loss(cx, &x, &labels)));
/// assert!((all.exp().sum_axes(1, false).value() - 1.0).abs().max().item() < 1e-12);
/// let expected = -(all.value().at([0, 3]) + all.value().at([1, 500])) / 2.0;
/// assert!((loss.item() - expected).abs() < 1e-12);
/// ```
#[doc(alias = "AdaptiveLogSoftmaxWithLoss")]
#[derive(Clone, Debug)]
pub struct AdaptiveLogSoftmax {
    head: Linear,
    tails: Vec<[Linear; 2]>,
    /// Where the clusters begin, and the number of classes.
    cutoffs: Vec<usize>,
}

impl AdaptiveLogSoftmax {
    /// With features that are four times fewer for each cluster, and without a bias.
    ///
    /// # Panics
    /// As [`build`](AdaptiveLogSoftmaxBuilder::build).
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, features: usize, classes: usize, cutoffs: &[usize]) -> Self {
        AdaptiveLogSoftmax::builder(features, classes, cutoffs).build(p)
    }

    /// With options. The clusters begin at the `cutoffs`.
    pub fn builder(features: usize, classes: usize, cutoffs: &[usize]) -> AdaptiveLogSoftmaxBuilder {
        let cutoffs = cutoffs.iter().copied().chain([classes]).collect();
        AdaptiveLogSoftmaxBuilder { features, cutoffs, div_value: 4.0, head_bias: false }
    }

    /// What the head gives: the frequent classes and the clusters.
    #[track_caller]
    fn heads<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        assert!(
            x.rank() == 2,
            "adaptive_log_softmax: features of shape {}, not [count, features]",
            x.shape()
        );
        self.head.forward(cx, x).log_softmax(-1)
    }

    /// Within a cluster.
    #[track_caller]
    fn tail<T: Float>(&self, cx: &Ctx<T>, cluster: usize, x: &Var<T>) -> Var<T> {
        let [inner, outer] = &self.tails[cluster];
        outer.forward(cx, &inner.forward(cx, x)).log_softmax(-1)
    }

    /// The logarithm of the probability of each label, `[count]`.
    ///
    /// # Panics
    /// If there are not as many labels as examples, a label is not a class, or the layer belongs to another `Params`.
    ///
    /// ```
    /// use wengert_nn::{AdaptiveLogSoftmax, Params};
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let words = AdaptiveLogSoftmax::new(params.at("words"), 8, 20, &[5]);
    /// let labels = Tensor::from([3u32, 19]);
    /// let logs = params.infer(|cx| words.of_labels(cx, &Var::ones([2, 8]), &labels));
    /// assert!(logs.shape() == &[2] && logs.value().iter().all(|x| x < 0.0));
    /// ```
    #[track_caller]
    pub fn of_labels<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, labels: impl Into<Index<T>>) -> Var<T> {
        let labels = labels.into();
        let heads = self.heads(cx, x);
        let (count, classes) = (x.shape()[0], self.cutoffs[self.cutoffs.len() - 1]);
        assert!(
            labels.shape()[..] == [count],
            "adaptive_log_softmax: labels of shape {} for {count} examples",
            labels.shape()
        );
        let known = labels.value().to_vec();
        if let Some(label) = known.iter().find(|&&label| label as usize >= classes) {
            panic!("adaptive_log_softmax: the label {label} is not one of {classes} classes");
        }
        if labels.is_recorded() {
            // In a replay they may be in other clusters.
            return self.all(cx, x, &heads).gather(1, labels.reshape([count, 1])).squeeze(1);
        }
        let frequent = self.cutoffs[0];
        let cluster_of = |label: u32| self.cutoffs.partition_point(|&start| start <= label as usize);
        let in_head = |&label: &u32| match cluster_of(label) {
            0 => label,
            cluster => (frequent + cluster - 1) as u32,
        };
        let in_head: Vec<u32> = known.iter().map(in_head).collect();
        let mut sum = heads.gather(1, Tensor::vector(&in_head).reshape([count, 1])).squeeze(1);
        for cluster in 0..self.tails.len() {
            let rows: Vec<u32> =
                (0..count as u32).filter(|&row| cluster_of(known[row as usize]) == cluster + 1).collect();
            if rows.is_empty() {
                continue;
            }
            let start = self.cutoffs[cluster] as u32;
            let within: Vec<u32> = rows.iter().map(|&row| known[row as usize] - start).collect();
            let (rows, within) = (Tensor::vector(&rows), Tensor::vector(&within).reshape([-1, 1]));
            let inside = self.tail(cx, cluster, &x.index_select(0, &rows)).gather(1, within).squeeze(1);
            sum = sum.index_add(0, rows, &inside);
        }
        sum
    }

    /// The mean of −ln of the labels' probabilities.
    ///
    /// # Panics
    /// As [`of_labels`](AdaptiveLogSoftmax::of_labels).
    #[track_caller]
    pub fn loss<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, labels: impl Into<Index<T>>) -> Var<T> {
        -self.of_labels(cx, x, labels).mean()
    }

    /// The most probable class of each example.
    ///
    /// # Panics
    /// If the features are no matrix of as many columns, or the layer belongs to another `Params`.
    ///
    /// ```
    /// use wengert_nn::{AdaptiveLogSoftmax, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let words = AdaptiveLogSoftmax::new(params.at("words"), 8, 20, &[5]);
    /// let best = params.infer(|cx| words.predict(cx, &Var::ones([2, 8])));
    /// assert!(best.value().iter().all(|word| word < 20));
    /// ```
    #[track_caller]
    pub fn predict<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>) -> Index<T> {
        let heads = self.heads(cx, x);
        self.all(cx, x, &heads).argmax(1)
    }

    #[track_caller]
    fn all<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, heads: &Var<T>) -> Var<T> {
        let frequent = self.cutoffs[0];
        let mut parts = vec![heads.slice_axis(1, ..frequent)];
        for cluster in 0..self.tails.len() {
            let together = heads.slice_axis(1, frequent + cluster..frequent + cluster + 1);
            parts.push(self.tail(cx, cluster, x) + together);
        }
        Var::cat(&parts, 1)
    }
}

/// The options of an [`AdaptiveLogSoftmax`].
#[derive(Clone, Debug)]
pub struct AdaptiveLogSoftmaxBuilder {
    features: usize,
    cutoffs: Vec<usize>,
    div_value: f64,
    head_bias: bool,
}

impl AdaptiveLogSoftmaxBuilder {
    /// How many times fewer features each further cluster has. Default 4.
    ///
    /// ```
    /// use wengert_nn::{AdaptiveLogSoftmax, Params};
    /// let mut params: Params = Params::seeded(0);
    /// let words = AdaptiveLogSoftmax::builder(8, 20, &[5]).div_value(2.0).build(params.at("words"));
    /// assert_eq!(params.shape(params.id("words.tail.0.0.weight").unwrap()), &[4, 8]);
    /// ```
    #[must_use]
    pub fn div_value(mut self, factor: f64) -> Self {
        self.div_value = factor;
        self
    }

    /// A bias for the frequent classes and the clusters.
    ///
    /// ```
    /// use wengert_nn::{AdaptiveLogSoftmax, Params};
    /// let mut params: Params = Params::seeded(0);
    /// let words = AdaptiveLogSoftmax::builder(8, 20, &[5]).head_bias().build(params.at("words"));
    /// assert_eq!(params.shape(params.id("words.head.bias").unwrap()), &[6]);
    /// ```
    #[must_use]
    pub fn head_bias(mut self) -> Self {
        self.head_bias = true;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If there are no cutoffs, they do not rise from above 0 to below the number of classes, the factor is below 1 or leaves a
    /// cluster without features, or the place already has such parameters.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> AdaptiveLogSoftmax {
        let AdaptiveLogSoftmaxBuilder { features, cutoffs, div_value, head_bias } = self;
        let rising = cutoffs.len() > 1 && cutoffs[0] > 0 && cutoffs.is_sorted_by(|a, b| a < b);
        assert!(
            rising,
            "adaptive_log_softmax: the cutoffs {:?} do not rise from above 0 to below {} classes",
            &cutoffs[..cutoffs.len() - 1],
            cutoffs[cutoffs.len() - 1]
        );
        let clusters = cutoffs.len() - 1;
        let of_cluster = |i: usize| (features as f64 / div_value.powi(i as i32 + 1)) as usize;
        assert!(
            div_value >= 1.0 && of_cluster(clusters - 1) > 0,
            "adaptive_log_softmax: {features} features, {div_value} times fewer for each of {clusters} clusters"
        );
        let plain = |bias: bool, inputs: usize, outputs: usize| -> LinearBuilder {
            let builder = Linear::builder(inputs, outputs);
            if bias { builder } else { builder.no_bias() }
        };
        let head = plain(head_bias, features, cutoffs[0] + clusters).build(p.at("head"));
        let mut tails = Vec::with_capacity(clusters);
        for i in 0..clusters {
            let (width, classes) = (of_cluster(i), cutoffs[i + 1] - cutoffs[i]);
            let inner = plain(false, features, width).build(p.at(format!("tail.{i}.0")));
            let outer = plain(false, width, classes).build(p.at(format!("tail.{i}.1")));
            tails.push([inner, outer]);
        }
        AdaptiveLogSoftmax { head, tails, cutoffs }
    }
}

impl<T: Float> Layer<T> for AdaptiveLogSoftmax {
    /// # Panics
    /// If the features are no matrix of as many columns, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let heads = self.heads(cx, x);
        cx.enter("AdaptiveLogSoftmax").leave(&[Some(self.head.weight())], self.all(cx, x, &heads))
    }
}
