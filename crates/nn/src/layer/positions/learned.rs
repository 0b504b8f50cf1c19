//! A learned vector for each position.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::sinusoidal::checked_length;
use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// Adds a learned vector for each position to `[…, length, width]`. The parameter is `weight`, `[positions, width]`, normal
/// with deviation 1 at the start, as that of an embedding.
///
/// ```
/// use wengert_nn::{Init, Layer, LearnedPositions, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let positions = LearnedPositions::with_init(params.at("positions"), 512, 8, Init::Normal { mean: 0.0, std: 0.02 });
/// let y = params.infer(|cx| positions.forward(cx, &Var::zeros([2, 10, 8])));
/// assert_eq!(y.value().select(0, 1).to_vec(), params.get("positions.weight").unwrap()[..80]);
/// ```
#[derive(Clone, Debug)]
pub struct LearnedPositions {
    weight: ParamId,
    positions: usize,
    width: usize,
}

impl LearnedPositions {
    /// Vectors for that many positions.
    ///
    /// # Panics
    /// If the place already has a `weight`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, positions: usize, width: usize) -> Self {
        Self::with_init(p, positions, width, Init::Normal { mean: 0.0, std: 1.0 })
    }

    /// With other initial values.
    ///
    /// # Panics
    /// If the place already has a `weight`.
    #[track_caller]
    pub fn with_init<T: Float>(mut p: Scope<'_, T>, positions: usize, width: usize, init: Init) -> Self {
        LearnedPositions { weight: p.param("weight", [positions, width], init), positions, width }
    }

    /// The vectors, `[positions, width]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// Like [`forward`](Layer::forward), for positions from `first` on.
    ///
    /// # Panics
    /// Where `forward` does.
    ///
    /// ```
    /// use wengert_nn::{LearnedPositions, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let positions = LearnedPositions::new(params.at("positions"), 10, 2);
    /// // The ninth word alone, of a sentence whose others are in a cache.
    /// let y = params.infer(|cx| positions.forward_from(cx, &Var::zeros([1, 1, 2]), 8));
    /// assert_eq!(y.value().to_vec(), params.get("positions.weight").unwrap()[16..18]);
    /// ```
    #[track_caller]
    pub fn forward_from<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, first: usize) -> Var<T> {
        let length = checked_length("LearnedPositions", x, self.width);
        let (positions, last) = (self.positions, first.saturating_add(length));
        assert!(
            last <= positions,
            "LearnedPositions: {positions} positions have vectors, and {last} are needed"
        );
        let weight = cx.param_of("LearnedPositions", self.weight);
        cx.enter("LearnedPositions").leave(&[Some(self.weight)], x + weight.slice_axis(0, first..last))
    }
}

impl<T: Float> Layer<T> for LearnedPositions {
    /// # Panics
    /// If `x` does not have axes of positions and of `width` features, there are more positions than vectors, or the layer
    /// belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.forward_from(cx, x, 0)
    }
}
