//! A table of a model's layers.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use wengert_tape::{Profiler, Sweep, Tape, Var, flops_so_far};
use wengert_tensor::{Float, Shape, memory};

use crate::ctx::Mode;
use crate::layer::Layer;
use crate::observe::{LayerUse, Observer, ParamUse};
use crate::params::{Layout, ParamId, Params};

/// The layers of a model in the order of its forward pass, with what they take: see [`Params::summary`].
///
/// ```
/// use wengert_nn::{Linear, Params, Summary, SummaryRow};
/// let mut params: Params<f64> = Params::seeded(0);
/// let model = Linear::new(params.at("out"), 2, 3);
/// let Summary { rows, parameters, flops, .. } = params.summary(&model, [1, 2]);
/// let SummaryRow { path, kind, .. } = &rows[0];
/// assert_eq!((path.as_str(), kind.as_str(), parameters), ("out", "Linear", 9));
/// // Two for each weight, one for each bias.
/// assert_eq!(flops, 2 * 2 * 3 + 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// One row for each layer.
    pub rows: Vec<SummaryRow>,
    /// The number of parameters that the model uses; tied ones count once.
    pub parameters: usize,
    /// Floating-point operations of the forward pass, outside of layers too, counted as
    /// [`Event::flops`](wengert_tape::Event::flops) says.
    pub flops: u64,
    /// Those of the backward pass, for the gradient of all parameters that are not frozen: counted while it ran, and no
    /// multiple of the others. The two together are a training step without the optimiser.
    pub backward_flops: u64,
    /// The bytes that the forward pass leaves for the backward pass, without parameters and the input.
    pub kept_bytes: usize,
    /// The most bytes of tensors that there were at once in both passes, beside the parameters and the input: what is kept,
    /// gradients, and what is worked with. An optimiser's state comes on top.
    pub peak_bytes: usize,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SummaryRow {
    /// The path of the layer's parameters; empty if it has none.
    pub path: String,
    /// What kind of layer it is, e.g. `"Linear"`; empty for parameters that are used outside of the library's layers.
    pub kind: String,
    /// The shape of the layer's output, or of the parameter.
    pub shape: Shape,
    /// The number of parameters, without those that an earlier row has.
    pub parameters: usize,
    /// Floating-point operations of its forward pass, without those of layers inside of it.
    pub flops: u64,
    /// The bytes that it leaves for the backward pass and that no earlier layer does.
    pub kept_bytes: usize,
}

impl<T: Float> Params<T> {
    /// Runs a model in evaluation mode on an input of zeros, and the backward pass of its output; lists the layers that this
    /// passes through, with their work and the memory that derivatives need, and says what both passes take together. A
    /// layer of the user's own shows as the layers in it, its own parameters, or, if it calls [`Ctx::enter`](crate::Ctx::enter),
    /// as itself.
    ///
    /// The peak is measured by this thread's [`memory::reset_peak`].
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
    /// assert!(table.starts_with("\
    /// layer          output shape  parameters       FLOPs  kept bytes
    /// net.0  Linear     [64, 128]     100,480  12,853,248           0
    ///        Relu       [64, 128]                   8,192      32,768
    /// net.2  Linear      [64, 10]       1,290     164,480           0
    /// total                           101,770  13,025,920      32,768
    /// "), "{table}");
    /// ```
    #[track_caller]
    pub fn summary(&self, model: &impl Layer<T>, input: impl Into<Shape>) -> Summary {
        let (tape, x) = (Tape::new(), Var::zeros(input));
        let plain = self.vars();
        let trained: Vec<bool> = self.layout().entries().iter().map(|entry| !entry.frozen).collect();
        let leaves: Vec<Var<T>> =
            plain.iter().zip(&trained).map(|(v, &t)| if t { tape.enter(v) } else { v.clone() }).collect();
        let log = Rc::new(Log::new(tape));
        let cx = self.context(Mode::Eval, &leaves);
        cx.observe(log.clone());
        memory::reset_peak();
        let before = memory::stats().live_bytes;
        let profiler = Profiler::new();
        let attached = profiler.attach();
        let y = model.forward(&cx, &x);
        let known: Vec<&Var<T>> = plain.iter().chain([&x]).collect();
        let kept = log.tape.kept_bytes(&known);
        if y.is_tracked() {
            let wrt: Vec<&Var<T>> = leaves.iter().filter(|leaf| leaf.is_tracked()).collect();
            log.tape.pull_back(&y, Var::ones(y.shape()), &wrt, Sweep::Consume);
        }
        drop(attached);
        let profile = profiler.finish();
        let peak_bytes = usize::try_from(memory::stats().peak_bytes - before).unwrap_or(0);
        log.tape.close();
        let of = |is: fn(u8) -> bool| profile.events.iter().filter(|e| is(e.order)).map(|e| e.flops).sum();
        let (flops, backward_flops) = (of(|order| order == 0), of(|order| order > 0));
        let (rows, parameters) = log.rows(self.layout(), &kept);
        Summary { rows, parameters, flops, backward_flops, kept_bytes: kept.iter().sum(), peak_bytes }
    }
}

/// What a forward pass tells while a summary is made.
struct Log<T: Float> {
    tape: Tape<T>,
    layers: RefCell<Vec<(SummaryRow, Vec<ParamId>)>>,
    used: RefCell<Vec<ParamId>>,
    /// The layers that have begun.
    open: RefCell<Vec<Open>>,
    /// Of each node that a layer recorded, that layer.
    owners: RefCell<Vec<Option<usize>>>,
}

/// A layer that has begun.
struct Open {
    kind: String,
    /// What the forward pass had taken when it began.
    flops: u64,
    /// Of layers inside of it.
    inside: u64,
    /// The node that comes first.
    node: usize,
}

impl<T: Float> Observer<T> for Log<T> {
    fn param(&self, param: &ParamUse<'_, T>) {
        self.used.borrow_mut().push(param.id);
    }

    fn enter(&self, kind: &str) {
        let (kind, flops, node) = (kind.to_owned(), flops_so_far(), self.tape.len());
        self.open.borrow_mut().push(Open { kind, flops, inside: 0, node });
    }

    fn layer(&self, layer: &LayerUse<'_, T>) {
        let (path, kind, shape) =
            (layer.path.to_owned(), layer.kind.to_owned(), layer.output.shape().clone());
        let mut open = self.open.borrow_mut();
        let mut flops = 0;
        let mut layers = self.layers.borrow_mut();
        if let Some(begun) = open.pop_if(|begun| begun.kind == kind) {
            let all = flops_so_far() - begun.flops;
            flops = all - begun.inside;
            if let Some(outer) = open.last_mut() {
                outer.inside += all;
            }
            let mut owners = self.owners.borrow_mut();
            let nodes = self.tape.len().max(owners.len());
            owners.resize(nodes, None);
            // Nodes of layers inside of it have their owner already.
            owners[begun.node..].iter_mut().for_each(|owner| *owner = owner.or(Some(layers.len())));
        }
        let row = SummaryRow { path, kind, shape, parameters: 0, flops, kept_bytes: 0 };
        layers.push((row, layer.params.to_vec()));
    }
}

impl<T: Float> Log<T> {
    fn new(tape: Tape<T>) -> Self {
        let (layers, used, open, owners) = Default::default();
        Log { tape, layers, used, open, owners }
    }

    /// The rows, and the number of parameters in them, for what each node keeps.
    fn rows(&self, layout: &Layout, kept: &[usize]) -> (Vec<SummaryRow>, usize) {
        let mut seen = HashSet::new();
        let mut count = |id: ParamId| {
            if seen.insert(id) { layout.entry("summary", id).shape.count() } else { 0 }
        };
        let mut rows = Vec::new();
        for (row, params) in self.layers.take() {
            rows.push(SummaryRow { parameters: params.into_iter().map(&mut count).sum(), ..row });
        }
        for (owner, bytes) in self.owners.take().into_iter().zip(kept) {
            if let Some(owner) = owner {
                rows[owner].kept_bytes += bytes;
            }
        }
        for id in self.used.take() {
            let parameters = count(id);
            if parameters > 0 {
                let entry = layout.entry("summary", id);
                let (path, shape) = (entry.name.clone(), entry.shape.clone());
                rows.push(SummaryRow {
                    path,
                    kind: String::new(),
                    shape,
                    parameters,
                    flops: 0,
                    kept_bytes: 0,
                });
            }
        }
        let parameters = rows.iter().map(|row| row.parameters).sum();
        (rows, parameters)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |n: u64| if n == 0 { String::new() } else { grouped(n) };
        let cells = |row: &SummaryRow| {
            let is_layer = !row.kind.is_empty();
            let bytes = if is_layer { grouped(row.kept_bytes as u64) } else { String::new() };
            let (parameters, flops) = (number(row.parameters as u64), number(row.flops));
            [row.path.clone(), row.kind.clone(), row.shape.to_string(), parameters, flops, bytes]
        };
        let line = |name: &str, [parameters, flops, bytes]: [String; 3]| {
            [name.to_owned(), String::new(), String::new(), parameters, flops, bytes]
        };
        let mut table =
            vec![["layer", "", "output shape", "parameters", "FLOPs", "kept bytes"].map(str::to_owned)];
        table.extend(self.rows.iter().map(cells));
        let inside: u64 = self.rows.iter().map(|row| row.flops).sum();
        let kept: usize = self.rows.iter().map(|row| row.kept_bytes).sum();
        let (flops, bytes) = (self.flops.saturating_sub(inside), self.kept_bytes.saturating_sub(kept));
        if flops > 0 || bytes > 0 {
            table.push(line("elsewhere", [String::new(), number(flops), grouped(bytes as u64)]));
        }
        let [parameters, flops, bytes] =
            [self.parameters as u64, self.flops, self.kept_bytes as u64].map(grouped);
        table.push(line("total", [parameters, flops, bytes]));
        let width = |i: usize| table.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        for row in &table {
            let cells = row.iter().zip(widths).enumerate().map(|(i, (cell, width))| match i {
                0 | 1 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let (backward, peak) = (grouped(self.backward_flops), grouped(self.peak_bytes as u64));
        writeln!(f, "backward pass: {backward} FLOPs; at most {peak} bytes at once in both passes")
    }
}

/// A number with commas between the thousands.
fn grouped(n: u64) -> String {
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
