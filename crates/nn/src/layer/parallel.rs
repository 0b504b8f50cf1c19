//! Layers side by side.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::Scope;

/// What joins the outputs of the branches.
type Join<T> = Box<dyn Fn(&[Var<T>]) -> Var<T>>;

/// Several layers that take the same input, and whose outputs are joined: added, put one behind the other along an axis, or
/// by a function of one's own.
///
/// ```
/// use wengert_nn::{Conv2d, Layer, Parallel, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let inception = Parallel::builder(params.at("mixed"))
///     .with(|p| Conv2d::new(p, 3, 4, 1))
///     .with(|p| Conv2d::builder(3, 8, 3).padding(1).build(p))
///     .cat(1);
/// let y = params.infer(|cx| inception.forward(cx, &Var::ones([2, 3, 5, 5])));
/// assert_eq!(y.shape(), &[2, 12, 5, 5]);
/// assert!(params.id("mixed.1.weight").is_some());
/// ```
pub struct Parallel<T: Float = f32> {
    branches: Vec<Box<dyn Layer<T>>>,
    join: Join<T>,
}

impl<T: Float> Parallel<T> {
    /// These layers, whose parameters have already been made, joined by a function of their outputs.
    pub fn new(branches: Vec<Box<dyn Layer<T>>>, join: impl Fn(&[Var<T>]) -> Var<T> + 'static) -> Self {
        Parallel { branches, join: Box::new(join) }
    }

    /// Makes layers whose parameters are named by the layers' positions, as those of [`Sequential`](crate::Sequential).
    pub fn builder(p: Scope<'_, T>) -> ParallelBuilder<'_, T> {
        ParallelBuilder { scope: p, branches: Vec::new() }
    }

    /// The number of branches.
    pub fn len(&self) -> usize {
        self.branches.len()
    }

    /// Whether there are no branches.
    pub fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }
}

/// A [`Parallel`] being built.
pub struct ParallelBuilder<'a, T: Float = f32> {
    scope: Scope<'a, T>,
    branches: Vec<Box<dyn Layer<T>>>,
}

impl<T: Float> ParallelBuilder<'_, T> {
    /// Adds a layer that makes its parameters in the place it is given.
    ///
    /// # Panics
    /// If there are already parameters of those names.
    #[must_use]
    #[track_caller]
    pub fn with<L: Layer<T> + 'static>(mut self, layer: impl FnOnce(Scope<'_, T>) -> L) -> Self {
        let layer = layer(self.scope.at(self.branches.len().to_string()));
        self.then(layer)
    }

    /// Adds a layer without parameters of its own.
    #[must_use]
    pub fn then(mut self, layer: impl Layer<T> + 'static) -> Self {
        self.branches.push(Box::new(layer));
        self
    }

    /// The sum of the branches, which have shapes that broadcast.
    #[must_use]
    pub fn sum(self) -> Parallel<T> {
        self.join(|outputs| outputs.iter().cloned().sum())
    }

    /// The branches one behind the other along an axis.
    #[must_use]
    pub fn cat(self, axis: isize) -> Parallel<T> {
        self.join(move |outputs| Var::cat(&outputs.iter().collect::<Vec<_>>(), axis))
    }

    /// A function of the branches' outputs.
    #[must_use]
    pub fn join(self, join: impl Fn(&[Var<T>]) -> Var<T> + 'static) -> Parallel<T> {
        Parallel::new(self.branches, join)
    }
}

impl<T: Float> Layer<T> for Parallel<T> {
    /// # Panics
    /// If there are no branches, or their outputs cannot be joined.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        assert!(!self.branches.is_empty(), "parallel: there are no branches");
        let mut outputs = Vec::with_capacity(self.branches.len());
        for branch in &self.branches {
            outputs.push(branch.forward(cx, x));
        }
        (self.join)(&outputs)
    }
}
