//! What is measured, one workload or family per file; the definitions are shared with the programs that measure
//! other frameworks.

mod adam;
mod conv1d;
mod convolutional;
mod curvature;
pub mod data;
mod floor;
mod gemm;
mod gru;
mod language;
mod layer_norm;
mod layers;
mod limits;
mod linalg;
mod logistic;
mod lstm;
mod mlp;
mod problem;
mod residual;
mod softmax_ce;
mod training;
mod transformer;

pub use floor::Floor;
pub use limits::triad_of;

use wengert::tensor::gemm::with_bf16_products;

type Prepare = fn() -> Workload;

/// The workloads with a name of their own, and how to prepare them.
const NAMED: &[(&str, Prepare)] = &[
    ("fma", limits::fma),
    ("triad", limits::triad),
    ("mlp_small", mlp::small),
    ("mlp_large", mlp::large),
    ("mlp_small_run", mlp::small_in_a_run),
    ("mlp_small_replay", mlp::small_replay),
    ("lenet", convolutional::lenet),
    ("lenet_replay", convolutional::lenet_replay),
    ("cnn", convolutional::cnn),
    ("gru", gru::gru),
    ("gru_replay", gru::gru_replay),
    ("lstm", lstm::lstm),
    ("transformer", transformer::transformer),
    ("transformer_replay", transformer::transformer_replay),
    ("bert_layer", language::bert_layer),
    ("gpt_small", language::gpt_small),
    ("resnet_block", residual::resnet_block),
    ("conv1d", conv1d::conv1d),
    ("infer_image", mlp::infer_image),
    ("infer_image_replay", mlp::infer_image_replay),
    ("hvp_mlp_replay", curvature::hvp_mlp_replay),
    ("infer_token", language::infer_token),
    ("softmax_ce", softmax_ce::softmax_ce),
    ("layer_norm", layer_norm::layer_norm),
    ("gru_layer", layers::gru),
    ("lstm_layer", layers::lstm),
    ("encoder_layer", layers::encoder),
    ("batch_norm", layers::batch_norm),
    ("embedding", layers::embedding),
    ("adam_10m", adam::adam_10m),
    ("lbfgs_logreg", logistic::lbfgs),
    ("newtoncg_logreg", logistic::newton_cg),
    ("trustregion_logreg", logistic::trust_region),
];

/// Something to measure, with its data in memory.
pub struct Workload {
    /// What is timed.
    pub step: Box<dyn FnMut()>,
    /// What to time in turn with it, for the ratio: the gradient, where the step is a product with a matrix, or the step
    /// without what is measured.
    pub gradient: Option<Box<dyn FnMut()>>,
    /// Bytes of tensors that are held from one step to the next and belong to the step's memory.
    pub held_bytes: usize,
    /// Steps after which the workload is no longer what it was.
    pub most_steps: usize,
    /// What a step cannot do without.
    pub floor: Floor,
    /// What to know about the measurement, asked for after the last step.
    pub note: Box<dyn Fn() -> String>,
}

impl Workload {
    fn new(step: impl FnMut() + 'static) -> Self {
        Workload {
            step: Box::new(step),
            gradient: None,
            held_bytes: 0,
            most_steps: usize::MAX,
            floor: Floor::default(),
            note: Box::new(String::new),
        }
    }

    fn note(self, note: &'static str) -> Self {
        self.report(move || note.to_owned())
    }

    fn floor(self, floor: Floor) -> Self {
        Workload { floor, ..self }
    }

    fn report(self, note: impl Fn() -> String + 'static) -> Self {
        Workload { note: Box::new(note), ..self }
    }

    fn in_gradients(self, gradient: impl FnMut() + 'static) -> Self {
        Workload { gradient: Some(Box::new(gradient)), ..self }
    }
}

/// Why there is no such workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWorkload(String);

impl std::fmt::Display for UnknownWorkload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "there is no workload `{}`; there are gemm_N, gemm_MxNxK, svd_N, eigh_N, qr_N, lu_N, cholesky_N, {} (hvp and ggn also with _reuse, all also with _bf16)",
            self.0,
            names().join(", ")
        )
    }
}

impl std::error::Error for UnknownWorkload {}

/// The names of the workloads, without the families of products and factorisations.
pub fn names() -> Vec<String> {
    NAMED.iter().map(|&(name, _)| name.to_owned()).chain(curvature::names()).collect()
}

/// Prepares the workload of that name.
///
/// # Errors
/// If there is none.
///
/// ```
/// use wengert_benches::workload::by_name;
/// (by_name("gemm_8x4x2").unwrap().step)();
/// (by_name("gemm_32_bf16").unwrap().step)();
/// assert!(by_name("gem").err().unwrap().to_string().contains("mlp_small, mlp_large"));
/// ```
pub fn by_name(name: &str) -> Result<Workload, UnknownWorkload> {
    if let Some(of) = name.strip_suffix("_bf16") {
        return Ok(with_rounded_products(by_name(of)?, by_name(of)?.step));
    }
    let families = [gemm::by_name, linalg::by_name, curvature::by_name];
    if let Some(found) = families.iter().find_map(|family| family(name)) {
        return Ok(found);
    }
    match NAMED.iter().find(|(other, _)| *other == name) {
        Some((_, prepare)) => Ok(prepare()),
        None => Err(UnknownWorkload(name.to_owned())),
    }
}

/// A workload whose products are of operands rounded to bfloat16, in turn with its step as it is.
fn with_rounded_products(workload: Workload, full: Box<dyn FnMut()>) -> Workload {
    let mut step = workload.step;
    let rounded = Box::new(move || with_bf16_products(&mut step));
    Workload { step: rounded, gradient: Some(full), ..workload }
}
