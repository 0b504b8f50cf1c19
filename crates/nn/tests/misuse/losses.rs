//! Misuse of losses.

use wengert_nn::*;
use wengert_tape::Var;
use wengert_tensor::Tensor;

use crate::says;

fn zeros<const N: usize>(shape: [usize; N]) -> Var {
    Var::zeros(shape)
}

#[test]
fn labels_and_weights() {
    let (x, labels) = (zeros([2, 3]), Tensor::from([0u32, 1]));
    says("nll: the label 3 at position [1] is not one of 3 classes (0 to 2)", || {
        x.nll(Tensor::from([0u32, 3]));
    });
    says(
        "nll: the logits have shape [2, 3] with the classes along axis 1, the labels [1], which should be [2]",
        || {
            x.nll(Tensor::from([0u32]));
        },
    );
    says("multi_margin: the label 9 at position [0] is not one of 3 classes (0 to 2)", || {
        x.multi_margin(Tensor::from([9u32, 1]));
    });
    says("multi_margin: the power 3 is neither 1 nor 2", || {
        MultiMargin { p: 3, ..MultiMargin::default() }.loss(&x, &labels);
    });
    let class_weights = Some(vec![1.0; 2]);
    says("cross_entropy: 2 class weights for 3 classes", || {
        CrossEntropy { class_weights: class_weights.clone(), ..CrossEntropy::default() }.loss(&x, &labels);
    });
    says("nll: 2 class weights for 3 classes", || {
        Nll { class_weights: class_weights.clone(), ..Nll::default() }.loss(&x, &labels);
    });
    says("multi_label_soft_margin: 2 class weights for 3 classes", || {
        MultiLabelSoftMargin { class_weights: class_weights.clone(), ..Default::default() }.loss(&x, &x);
    });
    let linear = LinearCrossEntropy::default();
    says("linear_cross_entropy: features of shape [2, 3], weight of [4, 2]", || {
        linear.loss(&x, &zeros([4, 2]), None, &labels);
    });
    says("linear_cross_entropy: bias of shape [3] for 4 classes", || {
        linear.loss(&x, &zeros([4, 3]), Some(&zeros([3])), &labels);
    });
    says("linear_cross_entropy: the label 4 at position [0] is not one of 4 classes (0 to 3)", || {
        linear.loss(&x, &zeros([4, 3]), None, Tensor::from([4u32, 0]));
    });
    says("linear_cross_entropy: the label smoothing -1 is not in [0, 1]", || {
        LinearCrossEntropy { label_smoothing: -1.0, ..linear }.loss(&x, &zeros([4, 3]), None, &labels);
    });
}

#[test]
fn shapes_that_differ() {
    let (x, other) = (zeros([2, 3]), zeros([3, 2]));
    let differ = |name: &str| format!("{name}: the prediction has shape [2, 3], the target [3, 2]");
    says(&differ("kl_div"), || drop(x.kl_div(&other)));
    says(&differ("poisson_nll"), || drop(x.poisson_nll(&other)));
    says(&differ("hinge_embedding"), || drop(x.hinge_embedding(&other)));
    says(&differ("soft_margin"), || drop(x.soft_margin(&other)));
    says(&differ("multi_label_soft_margin"), || drop(x.multi_label_soft_margin(&other)));
    says(&differ("margin_ranking"), || drop(MarginRanking::default().loss(&x, &x, &other)));
    says(&differ("triplet_margin"), || drop(TripletMargin::default().loss(&x, &x, &other)));
    says(&differ("triplet_margin"), || {
        TripletMargin::default().loss_by(&x, &other, &x, |a, b| (a - b).abs().sum_axes(-1, false));
    });
    says(&differ("gaussian_nll"), || drop(GaussianNll::default().loss(&x, &other, &x)));
    says("gaussian_nll: the mean has shape [2, 3], the variance [3, 2]", || {
        GaussianNll::default().loss(&x, &x, &other);
    });
    says("gaussian_nll: the variance -1 is negative", || {
        GaussianNll::default().loss(&x, &x, &(&x - 1.0));
    });
    says("cosine_embedding: embeddings of shape [2, 3], targets of [3, 2]", || {
        CosineEmbedding::default().loss(&x, &x, &other);
    });
    says("multi_label_margin: scores of shape [2, 3], targets of [2]", || {
        MultiLabelMargin::default().loss(&x, &Tensor::from([true, false]));
    });
    let scalar = Var::<f32>::scalar(1.0);
    says("triplet_margin: shape [] has no axis", || {
        TripletMargin::default().loss(&scalar, &scalar, &scalar);
    });
    says("kl_div: shape [] has no axis of examples", || {
        KlDiv { batch_mean: true, ..KlDiv::default() }.loss(&scalar, &scalar);
    });
}

#[test]
fn temporal_classification() {
    let (x, one) = (zeros([3, 1, 2]), Tensor::from([1u32]));
    let steps = Tensor::from([3u32]);
    says("ctc: 2 labels, where the counts come to 1", || {
        Ctc::default().loss(&x, Tensor::from([1u32, 1]), &steps, &one);
    });
    says("ctc_loss: the label 2 of sequence 0 is not one of 2 classes", || {
        Ctc::default().loss(&x, Tensor::from([[2u32]]), &steps, &one);
    });
    says("ctc_loss: the blank 2 is not one of 2 classes", || {
        Ctc { blank: 2, ..Ctc::default() }.loss(&x, Tensor::from([[1u32]]), &steps, &one);
    });
}

#[test]
fn weights_and_classes_that_do_not_fit() {
    let (x, w) = (Var::<f32>::zeros([4, 3]), Var::<f32>::ones([4]));
    says("bce_with_logits: weights of shape [4] do not broadcast to logits of shape [4, 3]", || {
        BceWithLogits::default().loss_by_class(&x, &x, &w);
    });
    let mut params: Params = Params::seeded(0);
    says("adaptive_log_softmax: the cutoffs [] do not rise from above 0 to below 5 classes", || {
        AdaptiveLogSoftmax::new(params.at("a"), 4, 5, &[]);
    });
    says("adaptive_log_softmax: the cutoffs [2, 2] do not rise from above 0 to below 5 classes", || {
        AdaptiveLogSoftmax::new(params.at("b"), 4, 5, &[2, 2]);
    });
    says("adaptive_log_softmax: the cutoffs [5] do not rise from above 0 to below 5 classes", || {
        AdaptiveLogSoftmax::new(params.at("c"), 4, 5, &[5]);
    });
    says("adaptive_log_softmax: 4 features, 4 times fewer for each of 2 clusters", || {
        AdaptiveLogSoftmax::builder(4, 5, &[1, 2]).build(params.at("d"));
    });
    let layer = AdaptiveLogSoftmax::new(params.at("e"), 4, 5, &[2]);
    let labels = |labels: &[u32]| Tensor::vector(labels);
    params.infer(|cx| {
        let features = Var::zeros([2, 4]);
        says("adaptive_log_softmax: labels of shape [1] for 2 examples", || {
            layer.of_labels(cx, &features, labels(&[1]));
        });
        says("adaptive_log_softmax: the label 5 is not one of 5 classes", || {
            layer.loss(cx, &features, labels(&[1, 5]));
        });
        says("adaptive_log_softmax: features of shape [4], not [count, features]", || {
            layer.predict(cx, &Var::zeros([4]));
        });
        says("adaptive_log_softmax: features of shape [4], not [count, features]", || {
            layer.forward(cx, &Var::zeros([4]));
        });
        let pair = (Var::zeros([2, 3]), Var::zeros([2, 3]));
        says("cosine_similarity: axis 2 is out of range for shape [2, 3] of rank 2", || {
            CosineSimilarity { axis: 2, ..CosineSimilarity::default() }.forward(cx, &pair);
        });
    });
}
