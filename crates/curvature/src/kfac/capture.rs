//! What layers tell of their affine maps, and which parameters a Kronecker block may cover.

use std::cell::RefCell;

use wengert_nn::{Affine, AffineUse, Layout, Observer, ParamId};
use wengert_tape::Var;
use wengert_tensor::conv::Conv2dGeometry;
use wengert_tensor::{Float, Tensor};

/// One application of an affine map.
pub(super) struct Use<T: Float> {
    pub(super) map: Affine,
    pub(super) input: Tensor<T>,
    pub(super) output: Var<T>,
    /// For a convolution.
    pub(super) geometry: Option<Conv2dGeometry>,
}

/// The applications in one forward pass.
pub(super) struct Capture<T: Float>(RefCell<Vec<Use<T>>>);

impl<T: Float> Default for Capture<T> {
    fn default() -> Self {
        Capture(RefCell::default())
    }
}

impl<T: Float> Observer<T> for Capture<T> {
    fn affine(&self, affine: &AffineUse<'_, T>) {
        // Nothing that is trained leads to an output that is not tracked.
        if affine.output.is_tracked() {
            let (input, output) = (affine.input.value().clone(), affine.output.clone());
            self.0.borrow_mut().push(Use { map: affine.map, input, output, geometry: affine.geometry });
        }
    }
}

impl<T: Float> Capture<T> {
    pub(super) fn take(&self) -> Vec<Use<T>> {
        self.0.take()
    }
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
