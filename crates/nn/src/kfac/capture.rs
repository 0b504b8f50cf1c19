//! What layers tell of their affine maps, and which parameters a Kronecker block may cover.

use std::cell::RefCell;

use wengert_tape::Var;
use wengert_tensor::conv::{Conv2dGeometry, Conv2dOptions};
use wengert_tensor::{Float, Shape, Tensor};

use crate::params::{Layout, ParamId};

/// An affine map with learned weights: what a layer tells [`Ctx::affine`](crate::Ctx::affine) of.
#[derive(Clone, Copy, Debug)]
pub struct Affine {
    /// The weight: `[out, in]`, or for a convolution `[out, in / groups, height, width]`.
    pub weight: ParamId,
    /// The bias, `[out]`.
    pub bias: Option<ParamId>,
    /// For a convolution, how the kernel moves; else the map is along the last axis.
    pub convolution: Option<Conv2dOptions>,
}

/// One application of an affine map.
pub(crate) struct Use<T: Float> {
    pub(super) map: Affine,
    pub(super) input: Tensor<T>,
    pub(super) output: Var<T>,
    /// For a convolution.
    pub(super) geometry: Option<Conv2dGeometry>,
}

/// The applications in one forward pass.
pub(crate) struct Capture<T: Float>(RefCell<Vec<Use<T>>>);

impl<T: Float> Default for Capture<T> {
    fn default() -> Self {
        Capture(RefCell::default())
    }
}

impl<T: Float> Capture<T> {
    #[track_caller]
    pub(crate) fn add(&self, layout: &Layout, map: Affine, input: &Var<T>, output: &Var<T>) {
        let weight = &layout.entry("affine", map.weight).shape;
        // Not in the closure, which would lose the caller's line.
        if let Some(bias) = map.bias {
            layout.entry("affine", bias);
        }
        let bias = map.bias.map(|bias| &layout.entry("affine", bias).shape);
        let geometry = match map.convolution {
            Some(options) => convolution(weight, options, input.shape(), output.shape()).map(Some),
            None => linear(weight, input.shape(), output.shape()).then_some(None),
        };
        let fits = bias.is_none_or(|bias| bias[..] == weight[..weight.len().min(1)]);
        let Some(geometry) = geometry.filter(|_| fits) else {
            panic!(
                "affine: a weight of shape {weight} with a bias of shape {} does not map an input of shape {} to an output of shape {}",
                bias.map_or("none".into(), ToString::to_string),
                input.shape(),
                output.shape()
            )
        };
        // Nothing that is trained leads to an output that is not tracked.
        if output.is_tracked() {
            let (input, output) = (input.value().clone(), output.clone());
            self.0.borrow_mut().push(Use { map, input, output, geometry });
        }
    }

    pub(super) fn into_uses(self) -> Vec<Use<T>> {
        self.0.into_inner()
    }
}

fn linear(weight: &Shape, input: &Shape, output: &Shape) -> bool {
    let (Some((features, lead)), Some((outputs, out_lead))) = (input.split_last(), output.split_last())
    else {
        return false;
    };
    lead == out_lead && weight[..] == [*outputs, *features]
}

fn convolution(
    weight: &Shape,
    options: Conv2dOptions,
    input: &Shape,
    output: &Shape,
) -> Option<Conv2dGeometry> {
    let four = |shape: &Shape| <[usize; 4]>::try_from(&shape[..]).ok();
    let geometry = Conv2dGeometry::new(four(input)?, four(weight)?, options).ok()?;
    (four(output)? == geometry.output_shape()).then_some(geometry)
}

/// All uses of one weight.
pub(super) struct Map<T: Float> {
    /// The positions of weight and bias among the parameters.
    pub(super) weight: usize,
    pub(super) bias: Option<usize>,
    /// Of a convolution; else 1.
    pub(super) groups: usize,
    pub(super) uses: Vec<Use<T>>,
}

impl<T: Float> Map<T> {
    pub(super) fn parameters(&self) -> impl Iterator<Item = usize> {
        [Some(self.weight), self.bias].into_iter().flatten()
    }
}

/// The uses of each weight that is not frozen, in the order of their first uses. A bias belongs to its weight's block if it
/// is not frozen, goes with that weight in all uses of either.
#[track_caller]
pub(super) fn by_weight<T: Float>(layout: &Layout, uses: Vec<Use<T>>) -> Vec<Map<T>> {
    let frozen = |index: usize| layout.entries()[index].frozen;
    let mut pairs: Vec<(usize, Option<usize>)> =
        uses.iter().map(|u| (u.map.weight.index(), u.map.bias.map(ParamId::index))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let shared = |bias: usize| pairs.iter().filter(|p| p.1 == Some(bias)).count() > 1;
    let alone = |weight: usize| pairs.iter().filter(|p| p.0 == weight).count() == 1;

    let mut maps: Vec<Map<T>> = Vec::new();
    for used in uses {
        let weight = used.map.weight.index();
        if frozen(weight) {
            continue;
        }
        let groups = used.geometry.map_or(1, |g| g.options().groups);
        match maps.iter_mut().find(|m| m.weight == weight) {
            Some(map) => {
                assert!(
                    map.groups == groups,
                    "kronecker: `{}` is used with {} and with {groups} groups",
                    layout.entries()[weight].name,
                    map.groups
                );
                map.uses.push(used);
            }
            None => {
                let bias = used.map.bias.map(ParamId::index);
                let bias = bias.filter(|&bias| !frozen(bias) && !shared(bias) && alone(weight));
                maps.push(Map { weight, bias, groups, uses: vec![used] });
            }
        }
    }
    maps
}
