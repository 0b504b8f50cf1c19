//! Sums, means and maxima of the vectors of bags of tokens.

use wengert_tape::{Index, Var};
use wengert_tensor::{Float, Tensor};

use super::{Embedding, EmbeddingBuilder};
use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::Layer;
use crate::params::{ParamId, Params, Scope};

/// What an [`EmbeddingBag`] makes of the vectors of a bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BagMode {
    /// Their sum, weighted if there are weights.
    Sum,
    /// Their mean.
    #[default]
    Mean,
    /// The largest element at each position. Equal ones share the derivative.
    Max,
}

/// The sum, the mean or the maximum of the learned vectors of each bag of tokens. Padding does not count; a bag without
/// tokens gives zeros.
///
/// As a layer it takes bags of one size, `[bags, size]`, also as an `Index`, which stays an input of a recording and of an exported
/// model; [`bags`](EmbeddingBag::bags) takes those of any size. The parameter is that of an [`Embedding`].
///
/// ```
/// use wengert_nn::{BagMode, EmbeddingBag, Layer, Params};
/// use wengert_tensor::Tensor;
/// let mut params: Params = Params::seeded(0);
/// let words = EmbeddingBag::builder(100, 8).mode(BagMode::Sum).build(params.at("words"));
/// let y = params.infer(|cx| words.forward(cx, &Tensor::from([[3u32, 14], [3, 99]])));
/// assert_eq!(y.shape(), &[2, 8]);
/// // Three bags of one, none and two tokens.
/// let (tokens, starts) = (Tensor::from([7u32, 8, 9]), Tensor::from([0u32, 1, 1]));
/// let y = params.infer(|cx| words.bags(cx, &tokens, &starts, None));
/// assert_eq!(y.shape(), &[3, 8]);
/// assert_eq!(y.select(0, 1).value().to_vec(), [0.0; 8]);
/// ```
#[doc(alias = "nn.EmbeddingBag")]
#[derive(Clone, Debug)]
pub struct EmbeddingBag {
    table: Embedding,
    mode: BagMode,
    last_is_end: bool,
}

impl EmbeddingBag {
    /// Means, without padding.
    ///
    /// # Panics
    /// If the place already has a `weight`, or it has too many elements.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, tokens: usize, width: usize) -> Self {
        EmbeddingBag::builder(tokens, width).build(p)
    }

    /// With options.
    pub fn builder(tokens: usize, width: usize) -> EmbeddingBagBuilder {
        EmbeddingBagBuilder {
            table: Embedding::builder(tokens, width),
            mode: BagMode::default(),
            last_is_end: false,
        }
    }

    /// The table, of shape `[tokens, width]`.
    pub fn weight(&self) -> ParamId {
        self.table.weight
    }

    /// Scales rows down to the largest norm: see [`Embedding::project`].
    ///
    /// # Panics
    /// If the layer belongs to another `Params`.
    #[track_caller]
    pub fn project<T: Float>(&self, params: &mut Params<T>) {
        self.table.project(params);
    }

    /// One vector for each bag, `[bags, width]`: bag k has the `tokens` `[count]` from `starts[k]` up to the start of the next
    /// bag. With `weights` `[count]` the vectors of a sum are multiplied by them.
    ///
    /// # Panics
    /// If tokens, starts and weights are not vectors of fitting lengths, the starts do not begin with 0 and rise to at most
    /// the number of tokens, there are weights and no sum is taken, a token is not below the number of tokens, or the layer
    /// belongs to another `Params`.
    #[doc(alias = "offsets")]
    #[doc(alias = "per_sample_weights")]
    #[track_caller]
    pub fn bags<T: Float>(
        &self,
        cx: &Ctx<T>,
        tokens: &Tensor<u32>,
        starts: &Tensor<u32>,
        weights: Option<&Var<T>>,
    ) -> Var<T> {
        assert!(
            tokens.rank() == 1 && starts.rank() == 1,
            "embedding_bag: tokens of shape {} and starts of shape {}, not two vectors",
            tokens.shape(),
            starts.shape()
        );
        if let Some(weights) = weights {
            assert!(
                weights.shape()[..] == [tokens.len()],
                "embedding_bag: weights of shape {} for {} tokens",
                weights.shape(),
                tokens.len()
            );
        }
        let (mut starts, mut tokens) = (starts.to_vec(), tokens.to_vec());
        let mut weights = weights.cloned();
        if self.last_is_end {
            let Some(end) = starts.pop() else { panic!("embedding_bag: there is no end of the last bag") };
            let (end, count) = (end as usize, tokens.len());
            assert!(end <= count, "embedding_bag: the last bag ends at {end} of {count} tokens");
            tokens.truncate(end);
            weights = weights.map(|weights| weights.slice(..end as isize));
        }
        let bags = Bags::new(tokens.len(), &starts);
        let layer = cx.enter("EmbeddingBag");
        let y = self.reduced(cx, &tokens, bags, weights.as_ref());
        layer.leave(&[Some(self.table.weight)], y)
    }

    #[track_caller]
    fn reduced<T: Float>(&self, cx: &Ctx<T>, tokens: &[u32], bags: Bags, weights: Option<&Var<T>>) -> Var<T> {
        if weights.is_some() {
            assert!(self.mode == BagMode::Sum, "embedding_bag: weights for {:?}, not for a sum", self.mode);
        }
        let width = cx.layout().entry("embedding_bag", self.table.weight).shape[1];
        // Padding is in no bag. The table sees it all the same, which checks it.
        let all = self.table.rows(cx, Tensor::vector(tokens));
        let kept: Vec<u32> = (0..tokens.len() as u32)
            .filter(|&at| Some(tokens[at as usize] as usize) != self.table.padding)
            .collect();
        let bag_of: Vec<u32> = kept.iter().map(|&at| bags.of[at as usize]).collect();
        let mut sizes = vec![0usize; bags.count];
        bag_of.iter().for_each(|&bag| sizes[bag as usize] += 1);
        if self.mode == BagMode::Max {
            return largest(&all, &kept, &bag_of, &sizes, width);
        }
        let all = match weights {
            Some(weights) => all * weights.unsqueeze(1),
            None => all,
        };
        let kept = all.index_select(0, Tensor::vector(&kept));
        let sums = Var::zeros([bags.count, width]).index_add(0, Tensor::vector(&bag_of), &kept);
        if self.mode == BagMode::Sum {
            return sums;
        }
        let shares: Vec<T> = sizes.iter().map(|&n| T::ONE / T::from_usize(n.max(1))).collect();
        sums * Var::constant(Tensor::vector(&shares)).unsqueeze(1)
    }
}

/// The largest element at each position of each bag.
fn largest<T: Float>(all: &Var<T>, kept: &[u32], bag_of: &[u32], sizes: &[usize], width: usize) -> Var<T> {
    let (bags, longest) = (sizes.len(), sizes.iter().copied().max().unwrap_or(0));
    if longest == 0 {
        return Var::zeros([bags, width]);
    }
    // Bags side by side, the first vector of all in the place of what is missing.
    let mut positions = vec![kept[0]; bags * longest];
    let mut missing = vec![true; bags * longest];
    let mut filled = vec![0; bags];
    for (&at, &bag) in kept.iter().zip(bag_of) {
        let slot = bag as usize * longest + filled[bag as usize];
        filled[bag as usize] += 1;
        (positions[slot], missing[slot]) = (at, false);
    }
    let missing = Tensor::vector(&missing).reshape([bags, longest, 1]);
    let rows = all.index_select(0, Tensor::vector(&positions).reshape([bags, longest]));
    let largest = rows.masked_fill(missing, f64::NEG_INFINITY).max_axes(1, false);
    let empty: Vec<bool> = sizes.iter().map(|&n| n == 0).collect();
    largest.masked_fill(Tensor::vector(&empty).reshape([bags, 1]), 0.0)
}

/// Which bag each token is in.
struct Bags {
    of: Vec<u32>,
    count: usize,
}

impl Bags {
    #[track_caller]
    fn new(tokens: usize, starts: &[u32]) -> Self {
        let first = starts.first().copied().unwrap_or(0);
        assert!(first == 0, "embedding_bag: the first bag starts at {first}, not at 0");
        assert!(!starts.is_empty() || tokens == 0, "embedding_bag: {tokens} tokens, but no bag");
        let mut of = Vec::with_capacity(tokens);
        for (bag, &start) in starts.iter().enumerate() {
            let end = starts.get(bag + 1).map_or(tokens, |&next| next as usize);
            assert!(
                (start as usize) <= end && end <= tokens,
                "embedding_bag: bag {bag} goes from {start} to {end} of {tokens} tokens"
            );
            of.resize(end, bag as u32);
        }
        Bags { of, count: starts.len() }
    }
}

/// The options of an [`EmbeddingBag`].
#[derive(Clone, Debug)]
pub struct EmbeddingBagBuilder {
    table: EmbeddingBuilder,
    mode: BagMode,
    last_is_end: bool,
}

impl EmbeddingBagBuilder {
    /// What is made of the vectors of a bag. Default [`BagMode::Mean`].
    #[must_use]
    pub fn mode(mut self, mode: BagMode) -> Self {
        self.mode = mode;
        self
    }

    /// The last of the starts is where the last bag ends, as in compressed sparse rows: there is a bag fewer, and tokens behind
    /// it are in none.
    ///
    /// ```
    /// use wengert_nn::{EmbeddingBag, Params};
    /// use wengert_tensor::Tensor;
    /// let mut params: Params = Params::seeded(0);
    /// let words = EmbeddingBag::builder(100, 8).include_last_offset().build(params.at("words"));
    /// // Bags of one and of two tokens.
    /// let (tokens, starts) = (Tensor::from([7u32, 8, 9]), Tensor::from([0u32, 1, 3]));
    /// assert_eq!(params.infer(|cx| words.bags(cx, &tokens, &starts, None)).shape(), &[2, 8]);
    /// ```
    #[must_use]
    pub fn include_last_offset(mut self) -> Self {
        self.last_is_end = true;
        self
    }

    /// How the table starts.
    #[must_use]
    pub fn weight(mut self, init: Init) -> Self {
        self.table = self.table.weight(init);
        self
    }

    /// The token that does not count: see [`EmbeddingBuilder::padding`].
    #[must_use]
    pub fn padding(mut self, token: isize) -> Self {
        self.table = self.table.padding(token);
        self
    }

    /// The largest norm of a row: see [`EmbeddingBuilder::max_norm`].
    #[must_use]
    pub fn max_norm(mut self, norm: f64) -> Self {
        self.table = self.table.max_norm(norm);
        self
    }

    /// Makes the table.
    ///
    /// # Panics
    /// Where [`EmbeddingBuilder::build`] does.
    #[track_caller]
    pub fn build<T: Float>(self, p: Scope<'_, T>) -> EmbeddingBag {
        EmbeddingBag { table: self.table.build(p), mode: self.mode, last_is_end: self.last_is_end }
    }

    /// Makes a table of given vectors, frozen: see [`Embedding::from_pretrained`].
    ///
    /// # Panics
    /// Where [`EmbeddingBuilder::build_from`] does.
    #[track_caller]
    pub fn build_from<T: Float>(self, p: Scope<'_, T>, vectors: &Tensor<T>) -> EmbeddingBag {
        EmbeddingBag {
            table: self.table.build_from(p, vectors),
            mode: self.mode,
            last_is_end: self.last_is_end,
        }
    }
}

impl<T: Float> Layer<T, Tensor<u32>> for EmbeddingBag {
    /// # Panics
    /// If the tokens are no matrix, one is not below the number of tokens, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, tokens: &Tensor<u32>) -> Var<T> {
        let shape = tokens.shape();
        assert!(shape.len() == 2, "embedding_bag: tokens of shape {shape}, not [bags, size]");
        let starts: Vec<u32> = (0..shape[0]).map(|bag| (bag * shape[1]) as u32).collect();
        let of_one_size = EmbeddingBag { last_is_end: false, ..self.clone() };
        of_one_size.bags(cx, &tokens.reshape([tokens.len()]), &Tensor::vector(&starts), None)
    }
}

impl<T: Float> Layer<T, Index<T>> for EmbeddingBag {
    /// # Panics
    /// If the tokens are no matrix, one is not below the number of tokens, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, tokens: &Index<T>) -> Var<T> {
        let shape = tokens.shape();
        assert!(shape.len() == 2, "embedding_bag: tokens of shape {shape}, not [bags, size]");
        let layer = cx.enter("EmbeddingBag");
        let all = self.table.rows(cx, tokens);
        let y = match self.table.padding {
            None => match self.mode {
                // Of nothing, zeros.
                _ if shape[1] == 0 => all.sum_axes(1, false),
                BagMode::Sum => all.sum_axes(1, false),
                BagMode::Mean => all.mean_axes(1, false),
                BagMode::Max => all.max_axes(1, false),
            },
            Some(padding) => self.without(&all, tokens, padding as u32),
        };
        layer.leave(&[Some(self.table.weight)], y)
    }
}

impl EmbeddingBag {
    /// Of vectors `[bags, size, width]`, without those of the padding.
    fn without<T: Float>(&self, all: &Var<T>, tokens: &Index<T>, padding: u32) -> Var<T> {
        let missing = tokens.equal_to(padding);
        let there = Var::ones(tokens.shape()).masked_fill(&missing, 0.0).unsqueeze(-1);
        let (hidden, count) = (there.equal(0.0), there.sum_axes(1, false));
        if self.mode == BagMode::Max && tokens.shape()[1] > 0 {
            let largest = all.masked_fill(&hidden, f64::NEG_INFINITY).max_axes(1, false);
            return largest.masked_fill(count.equal(0.0), 0.0);
        }
        let sums = all.masked_fill(&hidden, 0.0).sum_axes(1, false);
        if self.mode == BagMode::Mean { sums / count.clamp(1.0, f64::INFINITY) } else { sums }
    }
}
