//! Misuse of normalisation layers.

use wengert_nn::*;
use wengert_tape::Var;

use crate::says;

#[test]
fn what_norms_cannot_be_made_of() {
    let mut params: Params = Params::seeded(0);
    says("layer_norm: there are no axes to normalise over", || {
        LayerNorm::new(params.at("a"), &[][..]);
    });
    says("rms_norm: there are no axes to normalise over", || {
        RmsNorm::new(params.at("a"), &[][..]);
    });
    for groups in [0, 4] {
        says(&format!("group_norm: 6 channels cannot be parted into {groups} groups"), || {
            GroupNorm::new(params.at("a"), groups, 6);
        });
    }
    let negative = |layer: &str| format!("{layer}: ε is -1, which is not 0 or more");
    says(&negative("layer_norm"), || {
        LayerNorm::builder(3).eps(-1.0).build(params.at("a"));
    });
    says(&negative("rms_norm"), || {
        RmsNorm::builder(3).eps(-1.0).build(params.at("b"));
    });
    says(&negative("group_norm"), || {
        GroupNorm::builder(1, 3).eps(-1.0).build(params.at("c"));
    });
    says(&negative("batch_norm"), || {
        BatchNorm2d::builder(3).eps(-1.0).build(params.at("d"));
    });
    says(&negative("instance_norm"), || {
        InstanceNorm2d::builder(3).eps(-1.0).build(params.at("e"));
    });
    let taken = |name: &str| format!("param: there is already a parameter or buffer named `{name}`");
    LayerNorm::new(params.at("norm"), 3);
    says(&taken("norm.weight"), || {
        LayerNorm::builder(3).build(params.at("norm"));
    });
    says(&taken("norm.weight"), || {
        RmsNorm::builder(3).build(params.at("norm"));
    });
    says(&taken("norm.weight"), || {
        GroupNorm::builder(1, 3).build(params.at("norm"));
    });
    says(&taken("norm.weight"), || {
        BatchNorm1d::builder(3).build(params.at("norm"));
    });
    says(&taken("norm.weight"), || {
        InstanceNorm1d::builder(3).affine().build(params.at("norm"));
    });
    BatchNorm1d::builder(3).no_affine().build(params.at("running"));
    says(&taken("running.running_mean").replace("param:", "buffer:"), || {
        InstanceNorm1d::builder(3).running_statistics().build(params.at("running"));
    });
}

#[test]
fn inputs_that_norms_refuse() {
    let mut params: Params = Params::seeded(0);
    let layer = LayerNorm::new(params.at("layer"), [2, 3]);
    let rms = RmsNorm::new(params.at("rms"), 3);
    let group = GroupNorm::new(params.at("group"), 2, 4);
    let batch = BatchNorm2d::new(params.at("batch"), 3);
    let flat = BatchNorm1d::new(params.at("flat"), 3);
    let instance = InstanceNorm2d::builder(3).affine().build(params.at("instance"));
    let x = |shape: &[usize]| Var::ones(shape);
    let infer = |layer: &dyn Fn(&Ctx) -> Var| drop(params.infer_in(Mode::Train, layer));
    let gain = "the shape of the gain, is not that of";
    says("layer_norm: the input has shape [3, 2], but the layer normalises axes of shape [2, 3]", || {
        infer(&|cx| layer.forward(cx, &x(&[3, 2])));
    });
    says("rms_norm: the input has shape [3, 2], but the layer normalises axes of shape [3]", || {
        infer(&|cx| rms.forward(cx, &x(&[3, 2])));
    });
    says(&format!("group_norm: [4], {gain} the channels, the second axis, of shape [4]"), || {
        infer(&|cx| group.forward(cx, &x(&[4])));
    });
    says("BatchNorm2d: the input has shape [2, 3, 4], but 4 axes are expected", || {
        infer(&|cx| batch.forward(cx, &x(&[2, 3, 4])));
    });
    says("BatchNorm1d: the input has shape [2, 3, 4, 5], but 2 or 3 axes are expected", || {
        infer(&|cx| flat.forward(cx, &x(&[2, 3, 4, 5])));
    });
    says("BatchNorm2d: the input has shape [2, 4, 1, 1], but 3 channels are expected on axis 1", || {
        infer(&|cx| batch.forward(cx, &x(&[2, 4, 1, 1])));
    });
    says("InstanceNorm2d: the input has shape [2, 3, 3], but 3 channels are expected on axis 0", || {
        infer(&|cx| instance.forward(cx, &x(&[2, 3, 3])));
    });
    says("InstanceNorm2d: the input has shape [2], but 3 or 4 axes are expected", || {
        infer(&|cx| instance.forward(cx, &x(&[2])));
    });
    let alone = "one element in each channel, and so no variance";
    says(&format!("BatchNorm2d: an input of shape [1, 3, 1, 1] has {alone}"), || {
        infer(&|cx| batch.forward(cx, &x(&[1, 3, 1, 1])));
    });
    says(&format!("InstanceNorm2d: an input of shape [2, 3, 1, 1] has {alone}"), || {
        infer(&|cx| instance.forward(cx, &x(&[2, 3, 1, 1])));
    });
    says("local_response_norm: an input of shape [4] has no channels", || {
        infer(&|cx| LocalResponseNorm::new(2).forward(cx, &x(&[4])));
    });
    says("local_response_norm: a window of no channels", || {
        infer(&|cx| LocalResponseNorm::new(0).forward(cx, &x(&[1, 4])));
    });
    let other: Params = Params::seeded(0);
    let x = x(&[2, 3]);
    let text = "the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    says(&format!("rms_norm: {text}"), || other.infer(|cx| drop(rms.forward(cx, &x))));
}
