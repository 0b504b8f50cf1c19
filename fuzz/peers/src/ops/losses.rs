//! Losses with all of their options.

use wengert::nn::{
    Bce, BceWithLogits, CosineEmbedding, CrossEntropy, Ctc, GaussianNll, HingeEmbedding, Huber, IGNORED,
    KlDiv, L1, LinearCrossEntropy, MarginRanking, Mse, MultiLabelMargin, MultiLabelSoftMargin, MultiMargin,
    Nll, PoissonNll, Reduction, SmoothL1, SoftMargin, TripletMargin,
};
use wengert::tape::{Index, Var};
use wengert::tensor::{Float, Tensor};

use super::{Results, one};
use crate::given;
use crate::wire::{self, Attrs};

/// Labels, of which those that are to be ignored are sent as the number that is never a class.
fn labels<T: Float>(a: &Attrs) -> Index<T> {
    let labels = wire::positions(a.get("labels"));
    let ignored = if a.has("ignored") { a.size("ignored") as u32 } else { u32::MAX };
    let list =
        labels.to_vec().into_iter().map(|label| if label == ignored { IGNORED } else { label }).collect();
    given::index(Tensor::from_vec(list, labels.shape()).expect("as many"))
}

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    if !a.has("reduction") {
        return None;
    }
    let reduction = match a.text("reduction") {
        "mean" | "batchmean" => Reduction::Mean,
        "sum" => Reduction::Sum,
        "none" => Reduction::None,
        other => panic!("there is no reduction {other}"),
    };
    let x = v.first()?;
    let y = v.get(1).unwrap_or(x);
    let class_weights = a.has("weights").then(|| a.floats("weights"));
    one(match name {
        "mse" => Mse { reduction }.loss(x, y),
        "l1" => L1 { reduction }.loss(x, y),
        "huber" => Huber { reduction, delta: a.number("delta") }.loss(x, y),
        "smooth_l1" => SmoothL1 { reduction, beta: a.number("beta") }.loss(x, y),
        "bce" => Bce { reduction }.loss(x, y),
        "bce_with_logits" if v.len() == 3 => {
            BceWithLogits { reduction, ..Default::default() }.loss_by_class(x, y, &v[2])
        }
        "bce_with_logits" => BceWithLogits { reduction, positive_weight: a.number("positive") }.loss(x, y),
        "kl_div" => {
            let batch_mean = a.text("reduction") == "batchmean";
            KlDiv { reduction, batch_mean, log_target: a.flag("log_target") }.loss(x, y)
        }
        "poisson_nll" => {
            let [log_input, full] = ["log_input", "full"].map(|name| a.flag(name));
            PoissonNll { reduction, log_input, full, epsilon: a.number("eps") }.loss(x, y)
        }
        "gaussian_nll" => {
            GaussianNll { reduction, full: a.flag("full"), epsilon: a.number("eps") }.loss(x, y, &v[2])
        }
        "soft_margin" => SoftMargin { reduction }.loss(x, y),
        "hinge_embedding" => HingeEmbedding { reduction, margin: a.number("margin") }.loss(x, y),
        "margin_ranking" => MarginRanking { reduction, margin: a.number("margin") }.loss(x, y, &v[2]),
        "cosine_embedding" => CosineEmbedding { reduction, margin: a.number("margin") }.loss(x, y, &v[2]),
        "triplet_margin" => TripletMargin {
            reduction,
            margin: a.number("margin"),
            p: a.number("p"),
            epsilon: a.number("eps"),
            swap: a.flag("swap"),
        }
        .loss(x, y, &v[2]),
        "multi_margin" => {
            MultiMargin { reduction, p: a.int("p") as i32, margin: a.number("margin"), class_weights }
                .loss(x, a.index("labels"))
        }
        "multi_label_margin" => MultiLabelMargin { reduction }.loss(x, &wire::truth(a.get("right"))),
        "multi_label_soft_margin" => MultiLabelSoftMargin { reduction, class_weights }.loss(x, y),
        "nll" => {
            Nll { reduction, axis: a.int("axis"), class_weights, ..Default::default() }.loss(x, labels(a))
        }
        "cross_entropy" => {
            let label_smoothing = a.number("smoothing");
            let loss = CrossEntropy {
                reduction,
                label_smoothing,
                axis: a.int("axis"),
                class_weights,
                ..Default::default()
            };
            if v.len() == 2 { loss.loss(x, y) } else { loss.loss(x, &labels::<T>(a)) }
        }
        "linear_cross_entropy" => {
            let label_smoothing = a.number("smoothing");
            LinearCrossEntropy { reduction, label_smoothing, chunk: a.size("chunk"), ..Default::default() }
                .loss(x, y, v.get(2), labels::<T>(a))
        }
        "ctc" => Ctc { reduction, blank: a.size("blank") as u32, zero_infinity: a.flag("zero_infinity") }
            .loss(x, a.index("labels"), a.index("steps"), a.index("counts")),
        _ => return None,
    })
}
