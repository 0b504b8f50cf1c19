//! Scans inside of layers.

use std::rc::Rc;

use wengert_tape::{Arguments, RecomputedScan, Scan, Segment, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;

impl<T: Float> Ctx<T> {
    /// A [scan](wengert_tape::scan) whose steps use layers.
    ///
    /// ```
    /// use wengert_nn::{GruCell, Layer, Linear, Params};
    /// use wengert_tape::{Scan, Var};
    /// let mut params: Params = Params::seeded(0);
    /// let (cell, out) = (GruCell::new(params.at("cell"), 3, 8), Linear::new(params.at("out"), 8, 2));
    /// let xs = Var::ones([20, 4, 3]);
    /// let (_, grads) = params.value_and_grad(|cx| {
    ///     // Derivatives go back ten steps.
    ///     let (_, ys) = cx.scan(
    ///         Scan::new().truncated(10),
    ///         |cx, h: &Var, x: &Var| {
    ///             let h = cell.step(cx, x, h);
    ///             let y = out.forward(cx, &h);
    ///             (h, y)
    ///         },
    ///         cell.zero_state([4]),
    ///         &xs,
    ///     );
    ///     assert_eq!(ys.shape(), &[20, 4, 2]);
    ///     ys.square().sum()
    /// })?;
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Panics
    /// Where [`scan`](wengert_tape::scan) does.
    #[track_caller]
    pub fn scan<C: Arguments<T>, X: Arguments<T>, Y: Arguments<T>>(
        &self,
        scan: Scan,
        step: impl Fn(&Ctx<T>, &C, &X) -> (C, Y),
        carry: C,
        xs: &X,
    ) -> (C, Y) {
        scan.apply(|carry: &C, x: &X| step(self, carry, x), carry, xs)
    }

    /// A scan in segments that are [computed again](Ctx::checkpoint) where a derivative needs what is inside of them: see
    /// [`RecomputedScan`]. `step` keeps the layers, and no variables that are tracked.
    ///
    /// ```
    /// use wengert_nn::{GruCell, Params};
    /// use wengert_tape::{Scan, Var};
    /// let mut params: Params = Params::seeded(0);
    /// let cell = GruCell::new(params.at("cell"), 3, 8);
    /// let (xs, start) = (Var::ones([100, 4, 3]), cell.zero_state([4]));
    /// let (_, grads) = params.value_and_grad(|cx| {
    ///     let cell = cell.clone();
    ///     let step = move |cx: &_, h: &Var, x: &Var| {
    ///         let h = cell.step(cx, x, h);
    ///         (h.clone(), h)
    ///     };
    ///     cx.scan_recomputed(Scan::new().recomputed(), step, start, &xs).1.sum()
    /// })?;
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Panics
    /// Where [`scan`](wengert_tape::scan) does, and if `step` captures a tracked variable, whose derivative would be lost.
    #[track_caller]
    pub fn scan_recomputed<C, X, Y>(
        &self,
        scan: RecomputedScan,
        step: impl Fn(&Ctx<T>, &C, &X) -> (C, Y) + 'static,
        carry: C,
        xs: &X,
    ) -> (C, Y)
    where
        C: Arguments<T> + 'static,
        X: Arguments<T> + 'static,
        Y: Arguments<T> + 'static,
    {
        let step = Rc::new(step);
        scan.by_segments(carry, xs, |segment: Segment<C, X, Y>, inputs| {
            let (step, inputs) = (Rc::clone(&step), inputs.iter().collect::<Vec<&Var<T>>>());
            self.checkpoint(move |cx, v| segment.run(&|carry, x| step(cx, carry, x), v), &inputs)
        })
    }
}
