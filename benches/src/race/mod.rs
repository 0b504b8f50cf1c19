//! A race: `compare` and the programs of other frameworks take turns on the same CPUs, and one table says who was faster.

mod counts;
mod entrant;
mod run;
mod table;

pub use counts::Counter;
pub use entrant::{Entrant, Places};
pub use run::{Line, RunError, run};
pub use table::{Limits, Results};

/// The workloads that a race without names goes through: those of training, of memory, of products and of inference.
pub const USUAL: &[&str] = &[
    "gemm_256",
    "gemm_1024",
    "mlp_small",
    "mlp_large",
    "lenet",
    "cnn",
    "gru",
    "transformer",
    "softmax_ce",
    "layer_norm",
    "adam_10m",
    "hvp_mlp",
    "bert_layer",
    "lstm",
    "resnet_block",
    "embedding",
    "conv1d",
    "gpt_small",
    "infer_image",
    "infer_token",
    "svd_256",
    "eigh_256",
    "qr_256",
    "lu_512",
    "cholesky_512",
];

#[cfg(test)]
mod tests {
    use super::USUAL;
    use crate::workload::{by_name, names};

    #[test]
    fn the_usual_workloads_are_there() {
        let named = names();
        for &name in USUAL {
            assert!(named.iter().any(|other| other == name) || by_name(name).is_ok(), "{name}");
        }
    }
}
