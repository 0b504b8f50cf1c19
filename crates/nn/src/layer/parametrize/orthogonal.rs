//! Weights with orthonormal rows or columns.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::{Parametrized, WeightMap, place};
use crate::ctx::Ctx;
use crate::init::Init;
use crate::params::{BufferId, Scope};

/// How an orthogonal matrix is made of a lower triangle.
///
/// ```
/// use wengert_nn::{Linear, Orthogonal, OrthogonalMap, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// let linear = |p: wengert_nn::Scope<'_, f64>| Linear::builder(3, 3).no_bias().build(p);
/// let layer = Orthogonal::builder().map(OrthogonalMap::Cayley).build(params.root(), linear);
/// let weight = params.infer(|cx| layer.weight(cx));
/// let product = weight.t().matmul(&weight);
/// assert!(product.value().all_close(&wengert_tensor::Tensor::eye(3), 1e-10, 1e-10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrthogonalMap {
    /// The exponential of the skew-symmetric matrix of which it is the triangle.
    MatrixExp,
    /// Cayley's transform of that matrix A, (I − A/2)⁻¹ (I + A/2), which is cheaper.
    Cayley,
    /// The product of the reflections at its columns: the cheapest for weights that are far from square.
    Householder,
}

/// A weight whose columns are orthonormal, or whose rows are if there are fewer of them (M. Lezcano-Casado and
/// D. Martínez-Rubio, "Cheap orthogonal constraints in neural networks", 2019), for a layer of any kind: it keeps lengths, and
/// what goes through many such layers neither vanishes nor explodes. Of more than two axes the last two are matrices.
///
/// The weight is B·Q of what is trained, with a constant orthogonal matrix B, so that training starts at the layer's own weight
/// made orthogonal. Parameter and buffer as in PyTorch: `parametrizations.weight.original` and
/// `parametrizations.weight.0.base`.
///
/// ```
/// use wengert_nn::{Layer, Linear, Orthogonal, Params};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let layer = Orthogonal::of(params.at("out"), |p| Linear::builder(3, 3).no_bias().build(p));
/// let weight = params.infer(|cx| layer.weight(cx));
/// let product = weight.t().matmul(&weight);
/// assert!(product.value().all_close(&wengert_tensor::Tensor::eye(3), 1e-12, 1e-12));
/// ```
#[doc(alias = "orthogonal")]
#[derive(Clone, Debug)]
pub struct Orthogonal {
    map: OrthogonalMap,
    base: BufferId,
}

impl Orthogonal {
    /// The layer that is made at a place, with its `weight` orthogonal.
    ///
    /// # Panics
    /// If the layer makes no `weight`, or that has fewer than two axes.
    #[track_caller]
    pub fn of<T: Float, L>(
        p: Scope<'_, T>,
        layer: impl FnOnce(Scope<'_, T>) -> L,
    ) -> Parametrized<L, Orthogonal> {
        Orthogonal::builder().build(p, layer)
    }

    /// With options.
    pub fn builder() -> OrthogonalBuilder {
        OrthogonalBuilder { name: "weight".into(), map: None }
    }
}

/// The options of an [`Orthogonal`].
#[derive(Clone, Debug)]
pub struct OrthogonalBuilder {
    name: String,
    map: Option<OrthogonalMap>,
}

impl OrthogonalBuilder {
    /// Which of the layer's parameters is orthogonal. Default `weight`.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// How the weight is made. Default: the exponential for square matrices, reflections for others, as in PyTorch.
    #[doc(alias = "orthogonal_map")]
    #[must_use]
    pub fn map(mut self, map: OrthogonalMap) -> Self {
        self.map = Some(map);
        self
    }

    /// The layer that is made at a place, with its weight orthogonal.
    ///
    /// # Panics
    /// If the layer makes no parameter of the name, or that has fewer than two axes.
    #[track_caller]
    pub fn build<T: Float, L>(
        self,
        mut p: Scope<'_, T>,
        layer: impl FnOnce(Scope<'_, T>) -> L,
    ) -> Parametrized<L, Orthogonal> {
        let OrthogonalBuilder { name, map } = self;
        let layer = layer(p.again());
        let raw = p.rename("orthogonal", &name, &place(&name, "original"));
        let weight = Var::constant(p.params().tensor(raw));
        let shape = weight.shape().clone();
        assert!(shape.len() >= 2, "orthogonal: `{name}` of shape {shape} has fewer than two axes");
        let [rows, columns] = [shape[shape.len() - 2], shape[shape.len() - 1]];
        let map = map.unwrap_or(match rows == columns {
            true => OrthogonalMap::MatrixExp,
            false => OrthogonalMap::Householder,
        });
        let tall = if rows < columns { weight.t() } else { weight };
        // Completed to a square matrix by random columns.
        let lacking = rows.abs_diff(columns);
        let more: Shape = tall.shape()[..shape.len() - 1].iter().copied().chain([lacking]).collect();
        let base_name = place(&name, "0.base");
        let more = p.drawn(&base_name, more, Init::Normal { mean: 0.0, std: 1.0 });
        let square = Var::cat(&[tall, Var::constant(more)], -1);
        // Of numbers that are none, none: the layer says so where it is used.
        let base =
            square.qr().map_or_else(|_| square.clone(), |(q, r)| q * r.diagonal(0).sign().unsqueeze(-2));
        let base = p.buffer(&base_name, base.into_value());
        // What the reflections, and the others as well, make the identity of.
        let start = Tensor::from_fn(&shape, |i| match i[shape.len() - 2] == i[shape.len() - 1] {
            true => T::from_f64(-1.0),
            false => T::ZERO,
        });
        p.params().slice_mut(raw).copy_from_slice(&start.to_vec());
        Parametrized { layer, raw, map: Orthogonal { map, base } }
    }
}

impl<T: Float> WeightMap<T> for Orthogonal {
    #[track_caller]
    fn weight(&self, cx: &Ctx<T>, raw: &Var<T>) -> Var<T> {
        let rank = raw.rank();
        let wide = raw.shape()[rank - 2] < raw.shape()[rank - 1];
        let x = if wide { raw.t() } else { raw.clone() };
        let q = Var::constant(cx.buffer(self.base)).matmul(&orthonormal(&x, self.map));
        if wide { q.t() } else { q }
    }
}

/// Orthonormal columns, of a matrix with at least as many rows.
#[track_caller]
fn orthonormal<T: Float>(x: &Var<T>, map: OrthogonalMap) -> Var<T> {
    let rank = x.rank();
    let [n, k] = [x.shape()[rank - 2], x.shape()[rank - 1]];
    if map == OrthogonalMap::Householder {
        let vectors = x.tril(-1);
        let tau = 2.0 / (vectors.square().sum_axes(-2, false) + 1.0);
        // Signs, which are not trained.
        let signs = x.stop_gradient().diagonal(0).trunc().unsqueeze(-2);
        return vectors.householder_product(&tau) * signs;
    }
    let mut widths = vec![(0, 0); rank];
    widths[rank - 1].1 = n - k;
    let lower = x.tril(0).pad(&widths, 0.0);
    let skew = &lower - lower.t();
    let q = if map == OrthogonalMap::MatrixExp {
        skew.matrix_exp()
    } else {
        let identity = Var::constant(Tensor::eye(n)).broadcast_to(skew.shape());
        let half = skew * 0.5;
        (&identity - &half).solve(&(&identity + &half))
    };
    match q {
        Ok(q) => q.slice_axis(-1, ..k),
        Err(error) => panic!("orthogonal: {error}"),
    }
}
