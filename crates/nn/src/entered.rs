//! Where a layer begins and ends.

use wengert_tape::{Span, Var, span};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::observe::LayerUse;
use crate::params::ParamId;

/// A layer that runs: made by [`Ctx::enter`].
///
/// ```
/// use wengert_nn::{Ctx, Entered, Params};
/// use wengert_tape::Var;
/// fn doubled(cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
///     let layer: Entered<'_, f64> = cx.enter("Doubled");
///     let y = x * 2.0;
///     layer.leave(&[], y)
/// }
/// let params: Params<f64> = Params::seeded(0);
/// assert_eq!(params.infer(|cx| doubled(cx, &Var::from([3.0]))).item(), 6.0);
/// ```
#[must_use = "a layer that was entered is left with its output"]
pub struct Entered<'a, T: Float = f32> {
    cx: &'a Ctx<T>,
    kind: &'a str,
    span: Span,
}

impl<T: Float> Entered<'_, T> {
    /// Tells [observers](crate::Observer::layer) that the layer, with those parameters, has this output, which is returned.
    ///
    /// # Panics
    /// While somebody observes or profiles: if an id belongs to another `Params`.
    #[track_caller]
    pub fn leave(self, params: &[Option<ParamId>], output: Var<T>) -> Var<T> {
        let Entered { cx, kind, span } = self;
        if let (true, Some(first)) = (span.is_recorded(), params.iter().flatten().next()) {
            span.rename(format!("{} {kind}", cx.place("leave", &[*first])).trim_start());
        }
        drop(span);
        cx.told("leave", kind, params, output)
    }
}

impl<T: Float> Ctx<T> {
    /// Tells [observers](crate::Observer::layer) that a layer of that kind and with those parameters has this output, which is
    /// returned. It comes when the layer has run: [`enter`](Ctx::enter) says when it begins, too, and so what it takes.
    ///
    /// # Panics
    /// While somebody observes: if an id belongs to another `Params`.
    ///
    /// ```
    /// use wengert_nn::{Ctx, Layer, ParamId, Params};
    /// use wengert_tape::Var;
    /// /// x·scale, which a summary shows as a layer of its own.
    /// struct Scale(ParamId);
    /// impl Layer<f64> for Scale {
    ///     fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
    ///         cx.trace("Scale", &[Some(self.0)], x * cx.param(self.0))
    ///     }
    /// }
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let layer = Scale(params.at("out").param("scale", [3], wengert_nn::Init::Ones));
    /// let summary = params.summary(&layer, [2, 3]);
    /// assert_eq!((summary.rows[0].kind.as_str(), summary.rows[0].path.as_str()), ("Scale", "out"));
    /// ```
    #[track_caller]
    pub fn trace(&self, kind: &str, params: &[Option<ParamId>], output: Var<T>) -> Var<T> {
        self.told("trace", kind, params, output)
    }

    /// Tells observers of a layer, for the function `operation`, which the panic names.
    #[track_caller]
    fn told(&self, operation: &str, kind: &str, params: &[Option<ParamId>], output: Var<T>) -> Var<T> {
        let observers = self.observers.borrow();
        if observers.is_empty() {
            return output;
        }
        let params: Vec<ParamId> = params.iter().copied().flatten().collect();
        for &id in &params {
            self.layout().entry(operation, id);
        }
        let path = self.place(operation, &params);
        for observer in &*observers {
            observer.layer(&LayerUse { kind, path, params: &params, output: &output });
        }
        output
    }

    /// Says that a layer of that kind begins; [`Entered::leave`] says that it has run.
    ///
    /// A layer of one's own that does so is a row of a [summary](crate::Params::summary), with what it takes, and a span in a
    /// [profile](wengert_tape::profile). While nobody watches it costs next to nothing.
    ///
    /// ```
    /// use wengert_nn::{Ctx, Init, Layer, ParamId, Params};
    /// use wengert_tape::Var;
    /// /// x·scale.
    /// struct Scale(ParamId);
    /// impl Layer<f64> for Scale {
    ///     fn forward(&self, cx: &Ctx<f64>, x: &Var<f64>) -> Var<f64> {
    ///         cx.enter("Scale").leave(&[Some(self.0)], x * cx.param(self.0))
    ///     }
    /// }
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let layer = Scale(params.at("out").param("scale", [3], Init::Ones));
    /// let summary = params.summary(&layer, [2, 3]);
    /// assert_eq!((summary.rows[0].kind.as_str(), summary.rows[0].flops), ("Scale", 6));
    /// ```
    pub fn enter<'a>(&'a self, kind: &'a str) -> Entered<'a, T> {
        for observer in &*self.observers.borrow() {
            observer.enter(kind);
        }
        Entered { cx: self, kind, span: span(kind) }
    }

    /// Where a layer with these parameters is; empty if it has none.
    #[track_caller]
    fn place(&self, operation: &str, params: &[ParamId]) -> &str {
        let Some(&first) = params.first() else { return "" };
        let name = self.layout().entry(operation, first).name.as_str();
        let path = name.rsplit_once('.').map_or("", |(path, _)| path);
        // The layer's place, not that of what its weight is computed from.
        path.find("parametrizations.").map_or(path, |at| path[..at].trim_end_matches('.'))
    }
}
