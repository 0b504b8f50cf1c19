//! Penalties on parameters.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;

impl<T: Float> Ctx<T> {
    /// ½·c·‖θ‖², θ being all parameters, biases included: a penalty that makes the loss strongly convex near its
    /// minimum. [`l2_of`](Ctx::l2_of) leaves some out.
    ///
    /// ```
    /// use wengert_nn::{Init, Params};
    /// let mut params = Params::seeded(0);
    /// params.root().param("w", [2], Init::Constant(3.0));
    /// let (value, grads) = params.value_and_grad(|cx| cx.l2(0.5))?;
    /// assert_eq!((value, &grads[..]), (4.5f64, &[1.5, 1.5][..]));
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    pub fn l2(&self, c: f64) -> Var<T> {
        self.half_squares("*", c)
    }

    /// ½·c·‖θ‖², θ being the parameters whose name fits `pattern` (see [`name_matches`](crate::name_matches)):
    /// `"*.weight"` leaves biases out.
    ///
    /// # Panics
    /// If the pattern fits no name.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// Linear::new(params.at("out"), 2, 1);
    /// params.set_values(&[1.0, 2.0, 9.0]);
    /// // The bias is left out.
    /// assert_eq!(params.infer(|cx| cx.l2_of("*.weight", 2.0)).item(), 5.0);
    /// ```
    #[track_caller]
    pub fn l2_of(&self, pattern: &str, c: f64) -> Var<T> {
        self.layout().expect_match("l2_of", pattern);
        self.half_squares(pattern, c)
    }

    fn half_squares(&self, pattern: &str, c: f64) -> Var<T> {
        let squares = self.layout().matching(pattern).map(|index| self.leaf(index).square().sum());
        let total = squares.reduce(|a, b| a + b).unwrap_or_else(|| Var::constant(T::ZERO));
        total * (0.5 * c)
    }
}
