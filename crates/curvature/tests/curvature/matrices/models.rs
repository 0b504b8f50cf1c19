//! Small networks as functions of a list of tensors, so that they can be differentiated without a `Params` too.

use wengert_curvature::{FlatLoss, Objectives};
use wengert_nn::{Ctx, Init, Losses, ParamId, Params};
use wengert_tape::{Pool2dOptions, Var, jacobian_reverse};
use wengert_tensor::Tensor;
use wengert_tensor::conv::Conv2dOptions;
use wengert_tensor::random::Generator;

type Forward = fn(&[Var<f64>], &Var<f64>) -> Var<f64>;

/// A network with 3 outputs an example, and data.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) params: Params<f64>,
    pub(crate) ids: Vec<ParamId>,
    pub(crate) forward: Forward,
    pub(crate) x: Var<f64>,
    pub(crate) labels: Tensor<u32>,
}

pub(crate) const EXAMPLES: usize = 5;

impl Case {
    fn new(name: &'static str, shapes: &[(&str, &[usize])], input: &[usize], forward: Forward) -> Self {
        let mut params = Params::seeded(7);
        let ids = shapes
            .iter()
            .map(|&(name, shape)| params.root().param(name, shape, Init::Normal { mean: 0.0, std: 0.5 }))
            .collect();
        let shape: Vec<usize> = [&[EXAMPLES], input].concat();
        let x = Var::constant(Tensor::normal(&shape[..], 0.0, 1.0, &mut Generator::seeded(1)));
        let labels = Tensor::from_fn([EXAMPLES], |i| (i[0] * 2 % 3) as u32);
        Case { name, params, ids, forward, x, labels }
    }

    /// The outputs in a context.
    pub(crate) fn outputs(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
        let parameters: Vec<Var<f64>> = self.ids.iter().map(|&id| cx.param(id)).collect();
        (self.forward)(&parameters, x)
    }

    /// The outputs as a function of the flat vector.
    pub(crate) fn flat_outputs(&self, flat: &Var<f64>, x: &Var<f64>) -> Var<f64> {
        let mut start = 0;
        let parameters: Vec<Var<f64>> = self
            .ids
            .iter()
            .map(|&id| {
                let shape = self.params.shape(id);
                let range = start..start + shape.count();
                start = range.end;
                flat.slice(range).reshape(shape)
            })
            .collect();
        (self.forward)(&parameters, x)
    }

    /// The flat vector.
    pub(crate) fn point(&self) -> Var<f64> {
        Var::constant(Tensor::vector(self.params.values()))
    }

    /// The Jacobian of the outputs, with as many rows as there are outputs, row by row.
    pub(crate) fn jacobian(&self) -> Vec<f64> {
        jacobian_reverse(|flat: &Var<f64>| self.flat_outputs(flat, &self.x), &self.point()).value().to_vec()
    }

    /// The objective with outputs and loss apart.
    pub(crate) fn objective<'a>(&'a self, loss: impl Fn(&Var<f64>) -> Var<f64> + 'a) -> FlatLoss<'a, f64> {
        self.params.model_objective(|cx| self.outputs(cx, &self.x), loss)
    }

    /// The mean cross-entropy.
    pub(crate) fn classes(&self) -> FlatLoss<'_, f64> {
        self.objective(|y| y.cross_entropy(&self.labels))
    }
}

/// Σ wᵢ rows[i]ᵀ rows[i], for rows of n elements.
pub(crate) fn gram(rows: &[Vec<f64>], weights: &[f64], n: usize) -> Vec<f64> {
    let mut sum = vec![0.0; n * n];
    for (row, weight) in rows.iter().zip(weights) {
        for i in 0..n {
            for j in 0..n {
                sum[i * n + j] += weight * row[i] * row[j];
            }
        }
    }
    sum
}

pub(crate) fn mlp() -> Case {
    let shapes: [(&str, &[usize]); 4] = [("w1", &[4, 4]), ("b1", &[4]), ("w2", &[4, 3]), ("b2", &[3])];
    Case::new("MLP", &shapes, &[4], |p, x| (x.matmul(&p[0]) + &p[1]).tanh().matmul(&p[2]) + &p[3])
}

fn cnn() -> Case {
    let shapes: [(&str, &[usize]); 4] =
        [("filters", &[2, 1, 3, 3]), ("shifts", &[2]), ("weight", &[8, 3]), ("bias", &[3])];
    Case::new("CNN", &shapes, &[1, 6, 6], |p, x| {
        let maps = x.conv2d(&p[0], Some(&p[1]), Conv2dOptions::default()).tanh();
        let pooled = maps.avg_pool2d(Pool2dOptions::new([2, 2]), false);
        pooled.flatten(1, -1).matmul(&p[2]) + &p[3]
    })
}

/// A gated recurrence: z and candidate gates, four steps, then a linear map.
fn gru() -> Case {
    let shapes: [(&str, &[usize]); 7] = [
        ("wz", &[2, 3]),
        ("uz", &[3, 3]),
        ("wr", &[2, 3]),
        ("ur", &[3, 3]),
        ("wh", &[2, 3]),
        ("uh", &[3, 3]),
        ("out", &[3, 3]),
    ];
    Case::new("GRU", &shapes, &[4, 2], |p, x| {
        let mut h = Var::zeros([x.shape()[0], 3]);
        for t in 0..4 {
            let x = x.select(1, t);
            let z = (x.matmul(&p[0]) + h.matmul(&p[1])).sigmoid();
            let r = (x.matmul(&p[2]) + h.matmul(&p[3])).sigmoid();
            let candidate = (x.matmul(&p[4]) + (r * &h).matmul(&p[5])).tanh();
            h = &z * &h + (1.0 - &z) * candidate;
        }
        h.matmul(&p[6])
    })
}

/// One head of softmax attention over four positions, the mean of which are the outputs.
fn attention() -> Case {
    let shapes: [(&str, &[usize]); 4] =
        [("query", &[3, 3]), ("key", &[3, 3]), ("value", &[3, 3]), ("out", &[3, 3])];
    Case::new("attention", &shapes, &[4, 3], |p, x| {
        let (q, k, v) = (x.matmul(&p[0]), x.matmul(&p[1]), x.matmul(&p[2]));
        let weights = (q.matmul(&k.transpose(1, 2)) * 3f64.sqrt().recip()).softmax(-1);
        weights.matmul(&v).mean_axes(1, false).tanh().matmul(&p[3])
    })
}

pub(crate) fn all() -> [Case; 4] {
    [mlp(), cnn(), gru(), attention()]
}
