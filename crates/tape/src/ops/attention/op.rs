//! The operation itself and the loops that it and its derivatives run. All have four axes.

use wengert_tensor::attention::{
    self, AttentionGeometry, AttentionGradients, AttentionOperands, AttentionTangents, View,
};
use wengert_tensor::{Element, Float, Shape, Tensor};

use super::derivatives::{Tangent, add_gradients, there};
use crate::data::{Data, Given};
use crate::describe::Attributes;
use crate::op::{
    Cotangents, Description, Op, Point, Replays, Saves, Several, Together, Values, apply_given, apply_known,
    rules_compiled_here,
};
use crate::ops::dropout::generator;
use crate::profile::Timing;
use crate::var::Var;

/// What distinguishes one attention from another, beside its operands: queries, keys, values and, if there is one, a
/// bias; a mask and a key of random numbers, if there are.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) scale: f64,
    /// Query i attends to no key beyond i + this.
    pub(super) last_key: Option<isize>,
    pub(super) dropout: Option<f64>,
    pub(super) biased: bool,
    pub(super) masked: bool,
}

impl Settings {
    pub(super) fn describe(self, attributes: &mut Attributes) {
        attributes.set("scale", self.scale);
        if let Some(last) = self.last_key {
            attributes.set("last_key", last);
        }
        if let Some(p) = self.dropout {
            attributes.set("dropout", p);
        }
        attributes.set("biased", self.biased);
        attributes.set("masked", self.masked);
    }

    /// Queries, keys, values and bias.
    pub(super) fn floats(self) -> usize {
        3 + usize::from(self.biased)
    }

    /// Runs `work` on the geometry and the operands of `[query, key, value]` and of what else there is.
    fn with_operands<T: Float, R>(
        self,
        [query, key, value]: [&Tensor<T>; 3],
        bias: Option<&Tensor<T>>,
        given: &[&Data<T>],
        work: impl FnOnce(&AttentionGeometry, &AttentionOperands<'_, T>) -> R,
    ) -> R {
        let geometry = self.geometry(query.shape(), key.shape(), value.dim(3));
        let scores = scores(query.shape(), key.shape());
        let bias = bias.map(|bias| bias.broadcast_to(&scores));
        let mask = self.masked.then(|| given[0].mask().broadcast_to(&scores));
        let key_of_dropout = given.get(usize::from(self.masked));
        let operands = AttentionOperands {
            query: view(query),
            key: view(key),
            value: view(value),
            bias: bias.as_ref().map(view),
            takes_part: mask.as_ref().map(view),
            dropout: self.dropout.zip(key_of_dropout).map(|(p, key)| (p, generator(key.index()))),
        };
        work(&geometry, &operands)
    }

    fn geometry(self, query: &Shape, key: &Shape, value_width: usize) -> AttentionGeometry {
        AttentionGeometry {
            batch: query[0],
            heads: query[1],
            key_heads: key[1],
            queries: query[2],
            keys: key[2],
            width: query[3],
            value_width,
            scale: self.scale,
            last_key: self.last_key,
        }
    }

    /// The value, and the statistics of the softmax.
    fn forward<T: Float>(
        self,
        inputs: [&Tensor<T>; 3],
        bias: Option<&Tensor<T>>,
        given: &[&Data<T>],
    ) -> [Tensor<T>; 2] {
        self.with_operands(inputs, bias, given, |geometry, operands| {
            let AttentionGeometry { batch, heads, queries, value_width, .. } = *geometry;
            let mut statistics = Tensor::zeros([batch, queries, heads, 2]);
            let value = Tensor::written_for("attention", [batch, queries, heads, value_width], |out| {
                attention::value(geometry, operands, out, statistics.as_mut_slice());
            });
            [value.transpose(1, 2), statistics]
        })
    }

    /// The gradients of queries, keys, values and bias, of those that are needed; of these operands and what stands behind
    /// them: the statistics of the softmax, the value, its cotangent.
    pub(super) fn gradients<T: Float>(
        self,
        inputs: &[&Tensor<T>],
        given: &[&Data<T>],
        needed: impl Fn(usize) -> bool,
    ) -> [Option<Tensor<T>>; 4] {
        let (value, cotangent) = (inputs[self.floats() + 1], inputs[self.floats() + 2]);
        self.results(inputs, given, needed, |geometry, operands, statistics, out| {
            attention::gradients(geometry, operands, &view(value), statistics, &view(cotangent), out);
        })
    }

    /// Their tangents; behind the inputs stand the tangents that there are, of the operands and of the cotangent.
    pub(super) fn gradients_along<T: Float>(
        self,
        inputs: &[&Tensor<T>],
        given: &[&Data<T>],
        along: [bool; 4],
        needed: impl Fn(usize) -> bool,
    ) -> [Option<Tensor<T>>; 4] {
        let (value, cotangent) = (inputs[self.floats() + 1], inputs[self.floats() + 2]);
        let mut rest = inputs[self.floats() + 3..].iter().copied();
        let along = Tangents::new(along, &mut rest, &scores(inputs[0].shape(), inputs[1].shape()));
        let of_cotangent = rest.next();
        self.results(inputs, given, needed, |geometry, operands, statistics, out| {
            attention::gradients_along(
                geometry,
                operands,
                &view(value),
                statistics,
                &view(cotangent),
                &along.views(),
                of_cotangent.map(view),
                out,
            );
        })
    }

    /// What `work` writes for queries, keys, values and bias, for those that are needed, given the statistics of the softmax.
    fn results<T: Float>(
        self,
        inputs: &[&Tensor<T>],
        given: &[&Data<T>],
        needed: impl Fn(usize) -> bool,
        work: impl FnOnce(&AttentionGeometry, &AttentionOperands<'_, T>, &[T], AttentionGradients<'_, T>),
    ) -> [Option<Tensor<T>>; 4] {
        let (operands, rest) = inputs.split_at(self.floats());
        let [query, key, value] = [operands[0], operands[1], operands[2]];
        let lying = |x: &Tensor<T>, needed: bool| {
            needed.then(|| Tensor::zeros([x.dim(0), x.dim(2), x.dim(1), x.dim(3)]))
        };
        let mut of_query = lying(query, needed(0));
        let of_both = needed(1) || needed(2);
        let (mut of_key, mut of_value) = (lying(key, of_both), lying(value, of_both));
        let bias = operands.get(3).copied();
        let mut of_bias = bias.filter(|_| needed(3)).map(|bias| Tensor::zeros(bias.shape()));
        let statistics = rest[0].contiguous();
        self.with_operands([query, key, value], bias, given, |geometry, operands| {
            let out = AttentionGradients {
                query: of_query.as_mut().map(Tensor::as_mut_slice),
                key_and_value: of_key
                    .as_mut()
                    .zip(of_value.as_mut())
                    .map(|(k, v)| [k, v].map(Tensor::as_mut_slice)),
                bias: of_bias.as_mut().map(|b| (std::array::from_fn(|i| b.dim(i)), b.as_mut_slice())),
            };
            work(geometry, operands, super::super::slice(&statistics), out);
        });
        let as_heads = |x: Option<Tensor<T>>| x.map(|x| x.transpose(1, 2));
        [as_heads(of_query), as_heads(of_key), as_heads(of_value), of_bias]
    }

    /// The tangent of the value; of the operands and what stands behind them: the statistics of the softmax, the value, the
    /// tangents that there are.
    pub(super) fn tangent<T: Float>(
        self,
        inputs: &[&Tensor<T>],
        given: &[&Data<T>],
        along: [bool; 4],
    ) -> Tensor<T> {
        let mut rest = inputs[self.floats() + 2..].iter().copied();
        let along = Tangents::new(along, &mut rest, &scores(inputs[0].shape(), inputs[1].shape()));
        self.like_value(inputs, given, |geometry, operands, value, statistics, out| {
            attention::tangent(geometry, operands, &along.views(), value, statistics, out);
        })
    }

    /// Its tangent: where the operands move along the second of these, and the tangents, the first, along the third.
    pub(super) fn second_tangent<T: Float>(
        self,
        inputs: &[&Tensor<T>],
        given: &[&Data<T>],
        along: [[bool; 4]; 3],
    ) -> Tensor<T> {
        let mut rest = inputs[self.floats() + 2..].iter().copied();
        let scores = scores(inputs[0].shape(), inputs[1].shape());
        let along = along.map(|along| Tangents::new(along, &mut rest, &scores));
        self.like_value(inputs, given, |geometry, operands, value, statistics, out| {
            let [first, second, third] = along.each_ref().map(Tangents::views);
            attention::second_tangent(geometry, operands, [&first, &second, &third], value, statistics, out);
        })
    }

    /// What `work` writes, as the value lies, given that and the statistics of the softmax.
    fn like_value<T: Float>(
        self,
        inputs: &[&Tensor<T>],
        given: &[&Data<T>],
        work: impl FnOnce(&AttentionGeometry, &AttentionOperands<'_, T>, &View<'_, T>, &[T], &mut [T]),
    ) -> Tensor<T> {
        let (x, rest) = inputs.split_at(self.floats());
        let (statistics, value) = (rest[0].contiguous(), rest[1]);
        let out = self.with_operands([x[0], x[1], x[2]], x.get(3).copied(), given, |geometry, operands| {
            let AttentionGeometry { batch, heads, queries, value_width, .. } = *geometry;
            Tensor::written_for("attention", [batch, queries, heads, value_width], |out| {
                work(geometry, operands, &view(value), super::super::slice(&statistics), out);
            })
        });
        out.transpose(1, 2)
    }
}

/// The tangents of the operands that there are, that of the bias with the scores' shape.
struct Tangents<T: Float>([Option<Tensor<T>>; 4]);

impl<T: Float> Tangents<T> {
    /// Takes them out of what follows.
    fn new<'a>(along: [bool; 4], rest: &mut impl Iterator<Item = &'a Tensor<T>>, scores: &Shape) -> Self {
        let [query, key, value, bias] = along.map(|there| if there { rest.next().cloned() } else { None });
        Tangents([query, key, value, bias.map(|t| t.broadcast_to(scores))])
    }

    fn views(&self) -> AttentionTangents<'_, T> {
        let [query, key, value, bias] = self.0.each_ref().map(|t| t.as_ref().map(view));
        AttentionTangents { query, key, value, bias }
    }
}

/// The shape of the scores.
pub(super) fn scores(query: &Shape, key: &Shape) -> Shape {
    [query[0], query[1], query[2], key[2]].into()
}

fn view<T: Element>(x: &Tensor<T>) -> View<'_, T> {
    let (memory, offset) = x.memory();
    View::new(memory, offset, std::array::from_fn(|i| x.strides()[i]))
}

/// The value. Its inputs are the operands, and behind them the statistics of the softmax, which count as
/// constants: the rules know how they depend on the operands.
pub(super) struct Attention(pub(super) Settings);

/// The statistics of the softmax, of queries, keys and bias; of shape `[batch, queries, heads, 2]`.
struct Statistics(Settings);

/// What dropout multiplies the weights by.
pub(super) struct Factors {
    pub(super) p: f64,
    pub(super) scores: Shape,
}

/// Runs `work`, which is profiled under the name, on the values of some inputs and of what else there is.
pub(super) fn with_values<T: Float, R>(
    name: &str,
    inputs: &[&Var<T>],
    given: &[&Given<T>],
    work: impl FnOnce(&[&Tensor<T>], &[&Data<T>]) -> R,
) -> R {
    let values: Vec<&Tensor<T>> = inputs.iter().map(|x| x.value()).collect();
    let given: Vec<&Data<T>> = given.iter().map(|given| given.value()).collect();
    let timing = Timing::start();
    let result = work(&values, &given);
    if timing.is_on() {
        let shapes: Vec<&Shape> = values.iter().map(|x| x.shape()).collect();
        timing.named::<T>(name, &shapes, shapes[0]);
    }
    result
}

/// The statistics of the softmax that belong to operands, as a constant.
pub(super) fn statistics<T: Float>(settings: Settings, operands: &[&Var<T>], given: &[&Given<T>]) -> Var<T> {
    let inputs: Vec<Var<T>> = operands.iter().map(|x| x.stop_gradient()).collect();
    apply_given(Statistics(settings), &inputs.iter().collect::<Vec<_>>(), given)
}

/// The attention of queries, keys, values and, if there is one, a bias.
pub(super) fn attention<T: Float>(settings: Settings, operands: &[&Var<T>], given: &[&Given<T>]) -> Var<T> {
    let data: Vec<&Data<T>> = given.iter().map(|given| given.value()).collect();
    let values: Vec<&Tensor<T>> = operands.iter().map(|x| x.value()).collect();
    let timing = Timing::start();
    let [value, statistics] =
        settings.forward([values[0], values[1], values[2]], values.get(3).copied(), &data);
    timing.named::<T>("attention", &[0, 1, 2].map(|i| values[i].shape()), value.shape());
    let constants: Vec<Var<T>> = operands.iter().map(|x| x.stop_gradient()).collect();
    let without_value: Vec<&Var<T>> =
        (0..settings.floats()).filter(|&i| i != 2).map(|i| &constants[i]).collect();
    let statistics = apply_known(Statistics(settings), &without_value, given, statistics);
    let inputs: Vec<&Var<T>> = operands.iter().copied().chain([&statistics]).collect();
    apply_known(Attention(settings), &inputs, given, value)
}

impl<T: Float> Op<T> for Attention {
    fn name(&self) -> &str {
        "attention"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.evaluate(inputs, &[]).into_float()
    }
    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let [value, _] = self.0.forward([x[0], x[1], x[2]], self.0.biased.then(|| x[3]), given);
        Data::Float(value)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let inputs: Vec<&Var<T>> = at.inputs().iter().chain([at.output(), cotangent]).collect();
        add_gradients(self.0, &inputs, at, into);
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let tangents = &tangents[..self.0.floats()];
        if tangents.iter().all(Option::is_none) {
            return None;
        }
        let inputs: Vec<&Var<T>> =
            at.inputs().iter().chain([at.output()]).chain(tangents.iter().flatten()).collect();
        let given: Vec<&Given<T>> = at.given.iter().collect();
        Some(apply_given(Tangent { settings: self.0, along: there(tangents) }, &inputs, &given))
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { together: Together::AndLastInput(self), ..Replays::default() }
    }

    rules_compiled_here!(Attention);
}

/// The value and the statistics, of the operands.
impl<T: Float> Several<T> for Attention {
    fn shared_description(&self) -> Description {
        let mut attributes = Attributes::default();
        self.0.describe(&mut attributes);
        Description { name: "attention".into(), attributes }
    }
    #[track_caller]
    fn values(&self, x: &[&Tensor<T>], given: &[&Data<T>], _: [bool; 4]) -> Values<T> {
        self.0.forward([x[0], x[1], x[2]], x.get(3).copied(), given).into_iter().map(Some).collect()
    }
}

impl<T: Float> Op<T> for Statistics {
    fn name(&self) -> &str {
        "attention_statistics"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.evaluate(inputs, &[]).into_float()
    }
    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let none = Tensor::zeros([x[1].dim(0), x[1].dim(1), x[1].dim(2), 0]);
        let [_, statistics] = self.0.forward([x[0], x[1], &none], self.0.biased.then(|| x[2]), given);
        Data::Float(statistics)
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn jvp(&self, _: &Point<T>, _: &[Option<Var<T>>]) -> Option<Var<T>> {
        None
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Statistics);
}

impl<T: Float> Op<T> for Factors {
    fn name(&self) -> &str {
        "attention_dropout_factors"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("p", self.p);
        attributes.set("scores", &self.scores);
    }
    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("attention: evaluated with its key")
    }
    fn evaluate(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let [batch, heads, queries, keys] = std::array::from_fn(|i| self.scores[i]);
        let generator = generator(given[0].index());
        Data::Float(Tensor::written_for("attention", &self.scores, |out| {
            attention::dropout_factors([batch, heads, queries, keys], self.p, &generator, out);
        }))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Factors);
}
