//! What is measured, one workload or family per file; the definitions are shared with the programs that measure
//! other frameworks.

mod adam;
mod convolutional;
mod data;
mod gemm;
mod gru;
mod layer_norm;
mod mlp;
mod mlp_derivatives;
mod softmax_ce;
mod training;
mod transformer;

type Prepare = fn() -> Workload;

/// The workloads with a name of their own, and how to prepare them.
const NAMED: &[(&str, Prepare)] = &[
    ("mlp_small", mlp::small),
    ("mlp_large", mlp::large),
    ("lenet", convolutional::lenet),
    ("cnn", convolutional::cnn),
    ("gru", gru::gru),
    ("transformer", transformer::transformer),
    ("softmax_ce", softmax_ce::softmax_ce),
    ("layer_norm", layer_norm::layer_norm),
    ("adam_10m", adam::adam_10m),
    ("grad_mlp", mlp_derivatives::grad_mlp),
    ("hvp_mlp", mlp_derivatives::hvp_mlp),
    ("hvp_mlp_reuse", mlp_derivatives::hvp_mlp_reuse),
];

/// Something to measure, with its data in memory.
pub struct Workload {
    /// What is timed.
    pub step: Box<dyn FnMut()>,
    /// Steps after which the workload is no longer what it was.
    pub most_steps: usize,
    /// Floating-point operations of a step, where it is little else.
    pub operations: Option<f64>,
    /// What to know about the measurement.
    pub note: &'static str,
}

impl Workload {
    fn new(step: impl FnMut() + 'static) -> Self {
        Workload { step: Box::new(step), most_steps: usize::MAX, operations: None, note: "" }
    }

    fn note(self, note: &'static str) -> Self {
        Workload { note, ..self }
    }
}

/// Why there is no such workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWorkload(String);

impl std::fmt::Display for UnknownWorkload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no workload `{}`; there are gemm_N, gemm_MxNxK, {}", self.0, names().join(", "))
    }
}

impl std::error::Error for UnknownWorkload {}

/// The names of the workloads, without the family of matrix products.
pub fn names() -> Vec<&'static str> {
    NAMED.iter().map(|&(name, _)| name).collect()
}

/// Prepares the workload of that name.
///
/// # Errors
/// If there is none.
///
/// ```
/// use wengert_benches::workload::by_name;
/// (by_name("gemm_8x4x2").unwrap().step)();
/// assert!(by_name("gem").err().unwrap().to_string().contains("mlp_small, mlp_large"));
/// ```
pub fn by_name(name: &str) -> Result<Workload, UnknownWorkload> {
    if let Some(product) = gemm::by_name(name) {
        return Ok(product);
    }
    match NAMED.iter().find(|(other, _)| *other == name) {
        Some((_, prepare)) => Ok(prepare()),
        None => Err(UnknownWorkload(name.to_owned())),
    }
}
