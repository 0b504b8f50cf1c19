//! A table of a model's layers.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use crate::ctx::Mode;
use crate::layer::Layer;
use crate::observe::{LayerUse, Observer, ParamUse};
use crate::params::{Layout, ParamId, Params};

/// The layers of a model in the order of its forward pass: see [`Params::summary`].
///
/// ```
/// use wengert_nn::{Linear, Params, Summary, SummaryRow};
/// let mut params: Params<f64> = Params::seeded(0);
/// let model = Linear::new(params.at("out"), 2, 3);
/// let Summary { rows, parameters, .. } = params.summary(&model, [1, 2]);
/// let SummaryRow { path, kind, .. } = &rows[0];
/// assert_eq!((path.as_str(), kind.as_str(), parameters), ("out", "Linear", 9));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// One row for each layer.
    pub rows: Vec<SummaryRow>,
    /// The number of parameters that the model uses; tied ones count once.
    pub parameters: usize,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The path of the layer's parameters; empty if it has none.
    pub path: String,
    /// What kind of layer it is, e.g. `"Linear"`; empty for parameters that are used outside of the library's layers.
    pub kind: String,
    /// The shape of the layer's output, or of the parameter.
    pub shape: Shape,
    /// The number of parameters, without those that an earlier row has.
    pub parameters: usize,
}

impl<T: Float> Params<T> {
    /// Runs a model in evaluation mode on an input of zeros, and lists the layers that this passes through. A layer of
    /// the user's own shows as the layers in it, its own parameters, or what it passes to
    /// [`Ctx::trace`](crate::Ctx::trace).
    ///
    /// ```
    /// use wengert_nn::{Linear, Params, Relu, Sequential};
    /// let mut params: Params = Params::seeded(0);
    /// let model = Sequential::builder(params.at("net"))
    ///     .with(|p| Linear::new(p, 784, 128))
    ///     .then(Relu)
    ///     .with(|p| Linear::new(p, 128, 10))
    ///     .build();
    /// let table = params.summary(&model, [64, 784]).to_string();
    /// assert_eq!(table, "\
    /// layer          output shape  parameters
    /// net.0  Linear     [64, 128]     100,480
    ///        Relu       [64, 128]
    /// net.2  Linear      [64, 10]       1,290
    /// total                           101,770
    /// ");
    /// ```
    #[track_caller]
    pub fn summary(&self, model: &impl Layer<T>, input: impl Into<Shape>) -> Summary {
        let cx = self.context(Mode::Eval, &self.vars());
        let log = Rc::new(Log::default());
        cx.observe(log.clone());
        model.forward(&cx, &Var::zeros(input));
        log.summary(self.layout())
    }
}

/// What a forward pass tells while a summary is made.
#[derive(Default)]
struct Log {
    layers: RefCell<Vec<(SummaryRow, Vec<ParamId>)>>,
    used: RefCell<Vec<ParamId>>,
}

impl<T: Float> Observer<T> for Log {
    fn param(&self, param: &ParamUse<'_, T>) {
        self.used.borrow_mut().push(param.id);
    }

    fn layer(&self, layer: &LayerUse<'_, T>) {
        let (path, kind, shape) =
            (layer.path.to_owned(), layer.kind.to_owned(), layer.output.shape().clone());
        self.layers
            .borrow_mut()
            .push((SummaryRow { path, kind, shape, parameters: 0 }, layer.params.to_vec()));
    }
}

impl Log {
    fn summary(&self, layout: &Layout) -> Summary {
        let mut seen = HashSet::new();
        let mut count = |id: ParamId| {
            if seen.insert(id) { layout.entry("summary", id).shape.count() } else { 0 }
        };
        let mut rows = Vec::new();
        for (row, params) in self.layers.take() {
            rows.push(SummaryRow { parameters: params.into_iter().map(&mut count).sum(), ..row });
        }
        for id in self.used.take() {
            let parameters = count(id);
            if parameters > 0 {
                let entry = layout.entry("summary", id);
                let (path, shape) = (entry.name.clone(), entry.shape.clone());
                rows.push(SummaryRow { path, kind: String::new(), shape, parameters });
            }
        }
        let parameters = rows.iter().map(|row| row.parameters).sum();
        Summary { rows, parameters }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = |row: &SummaryRow| {
            let parameters = if row.parameters == 0 { String::new() } else { grouped(row.parameters) };
            [row.path.clone(), row.kind.clone(), row.shape.to_string(), parameters]
        };
        let heads = ["layer", "", "output shape", "parameters"].map(str::to_owned);
        let total = ["total".to_owned(), String::new(), String::new(), grouped(self.parameters)];
        let table: Vec<[String; 4]> =
            [heads].into_iter().chain(self.rows.iter().map(cells)).chain([total]).collect();
        let width = |i: usize| table.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
        let [path, kind, shape, parameters] = [width(0), width(1), width(2), width(3)];
        for row in &table {
            let line =
                format!("{:path$}  {:kind$}  {:>shape$}  {:>parameters$}", row[0], row[1], row[2], row[3]);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A number with commas between the thousands.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
