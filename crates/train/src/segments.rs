//! The parameters' layout for optimisers.

use wengert_nn::Params;
use wengert_optim::Layout;
use wengert_tensor::Float;

/// The names and shapes of parameters in the form that optimisers take.
pub trait Segments {
    /// Names, ranges and shapes of the parameters in the flat vector, for optimisers that treat parameters apart
    /// (groups, Muon, LAMB …) and for [`by_name`](wengert_optim::by_name).
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// use wengert_optim::first::by_name;
    /// use wengert_train::Segments;
    ///
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.at("out"), 3, 2);
    /// let muon = by_name::<f32>("muon", None, &params.segments()).unwrap();
    /// assert_eq!(muon.name(), "muon");
    /// ```
    fn segments(&self) -> Layout;
}

impl<T: Float> Segments for Params<T> {
    fn segments(&self) -> Layout {
        Layout::new(self.iter().map(|(name, shape, _)| (name, shape.to_vec())))
    }
}
