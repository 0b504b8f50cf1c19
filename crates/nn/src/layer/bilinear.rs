//! The bilinear layer.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// Σᵢⱼ aᵢ·Wₒᵢⱼ·bⱼ + biasₒ of a pair of inputs a `[…, in1]` and b `[…, in2]`.
///
/// Parameters as in PyTorch: `weight` of shape `[out, in1, in2]` and `bias` of shape `[out]`, both uniform in ±1/√in1 at the
/// start unless the builder says otherwise.
///
/// ```
/// use wengert_nn::{Bilinear, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let layer = Bilinear::new(params.at("pairs"), 3, 4, 2);
/// let pair = (Var::ones([5, 3]), Var::ones([5, 4]));
/// assert_eq!(params.infer(|cx| layer.forward(cx, &pair)).shape(), &[5, 2]);
/// ```
#[doc(alias = "nn.Bilinear")]
#[derive(Clone, Debug)]
pub struct Bilinear {
    weight: ParamId,
    bias: Option<ParamId>,
    features: [usize; 3],
}

impl Bilinear {
    /// A layer with bias and PyTorch's initial values.
    ///
    /// # Panics
    /// If the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, in1: usize, in2: usize, out: usize) -> Self {
        Bilinear::builder(in1, in2, out).build(p)
    }

    /// A layer with options.
    pub fn builder(in1: usize, in2: usize, out: usize) -> BilinearBuilder {
        // Limits of ±1/√in1: PyTorch counts the first input alone.
        let init = Init::pytorch_bias(in1);
        BilinearBuilder { features: [in1, in2, out], weight: init.clone(), bias: Some(init) }
    }

    /// The weight, of shape `[out, in1, in2]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// The bias, of shape `[out]`.
    pub fn bias(&self) -> Option<ParamId> {
        self.bias
    }
}

/// The options of a [`Bilinear`] layer.
#[derive(Clone, Debug)]
pub struct BilinearBuilder {
    features: [usize; 3],
    weight: Init,
    bias: Option<Init>,
}

impl BilinearBuilder {
    /// How the weight starts.
    #[must_use]
    pub fn weight(mut self, init: Init) -> Self {
        self.weight = init;
        self
    }

    /// How the bias starts.
    ///
    /// ```
    /// use wengert_nn::{Bilinear, Init, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// Bilinear::builder(2, 3, 4).bias(Init::Ones).build(params.at("pair"));
    /// assert_eq!(params.get("pair.bias").unwrap(), [1.0; 4]);
    /// ```
    #[must_use]
    pub fn bias(mut self, init: Init) -> Self {
        self.bias = Some(init);
        self
    }

    /// No bias.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.bias = None;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> Bilinear {
        let [in1, in2, out] = self.features;
        let weight = p.param("weight", [out, in1, in2], self.weight);
        let bias = p.optional("bias", &[out], self.bias);
        Bilinear { weight, bias, features: self.features }
    }
}

impl<T: Float> Layer<T, (Var<T>, Var<T>)> for Bilinear {
    /// # Panics
    /// If the last axes are not `in1` and `in2` long, the others differ, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, (a, b): &(Var<T>, Var<T>)) -> Var<T> {
        let (weight, bias) = cx.weight_and_bias("bilinear", self.weight, self.bias);
        let [in1, in2, out] = self.features;
        let (of_a, of_b) = (a.shape().split_last(), b.shape().split_last());
        let fits = match (of_a, of_b) {
            (Some((&i, a)), Some((&j, b))) => (i, j, a) == (in1, in2, b),
            _ => false,
        };
        assert!(
            fits,
            "bilinear: inputs of shapes {} and {} for {in1} and {in2} features",
            a.shape(),
            b.shape()
        );
        let layer = cx.enter("Bilinear");
        let examples = a.shape()[..a.rank() - 1].iter().product::<usize>();
        let weight = weight.permute([1, 0, 2]).reshape([in1, out * in2]);
        let of_a = a.reshape([examples, in1]).matmul(&weight).reshape([examples, out, in2]);
        let y = of_a.matmul(&b.reshape([examples, in2, 1]));
        let shape: Shape = a.shape()[..a.rank() - 1].iter().copied().chain([out]).collect();
        let y = y.reshape(shape);
        let y = match bias {
            Some(bias) => y + bias,
            None => y,
        };
        layer.leave(&[Some(self.weight), self.bias], y)
    }
}
