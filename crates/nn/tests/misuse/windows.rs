//! Misuse of convolutions, pools, borders and resampling as layers.

use wengert_nn::*;
use wengert_tape::{Interpolation, PadMode, Resize, Var};
use wengert_tensor::Tensor;

use crate::says;

fn zeros<const N: usize>(shape: [usize; N]) -> Var {
    Var::zeros(shape)
}

#[test]
fn convolutions() {
    let mut params: Params = Params::seeded(0);
    says("conv1d: 3 input and 8 output channels are not multiples of 2 groups", || {
        Conv1d::builder(3, 8, 3).groups(2).build(params.at("a"));
    });
    says("conv3d: an output of the image's size takes a stride of 1, not [2, 1, 1]", || {
        Conv3d::builder(3, 8, 3).same().stride([2, 1, 1]).build(params.at("a"));
    });
    says("conv_transpose2d: 4 input and 3 output channels are not multiples of 2 groups", || {
        ConvTranspose2d::builder(4, 3, 3).groups(2).build(params.at("a"));
    });
    let conv = Conv1d::new(params.at("conv"), 4, 2, 3);
    says("conv1d: image [2, 4, 5, 5] and weight [2, 4, 3] do not both have three axes", || {
        params.infer(|cx| conv.forward(cx, &zeros([2, 4, 5, 5])));
    });
    let mirrored =
        Conv1d::builder(4, 2, 3).padding(3).padding_mode(PadMode::Reflect).build(params.at("mirror"));
    says("pad_with: a reflect border of 3 and 3 positions does not fit axis 2 of shape [2, 4, 3]", || {
        params.infer(|cx| mirrored.forward(cx, &zeros([2, 4, 3])));
    });
    says("param: there is already a parameter or buffer named `conv.weight`", || {
        ConvTranspose1d::new(params.at("conv"), 4, 2, 3);
    });
    let up = ConvTranspose1d::builder(4, 2, 3).output_padding(1).build(params.at("up"));
    says(
        "conv_transpose1d: an output padding of 1 is smaller neither than stride 1 nor than dilation 1",
        || {
            params.infer(|cx| up.forward(cx, &zeros([2, 4, 3])));
        },
    );
    let foreign = Conv1d::new(Params::<f32>::seeded(0).root(), 4, 2, 3);
    let text = "the id belongs to another `Params`: build the model with the `Params` that it is evaluated with, or with a clone";
    says(&format!("conv1d: {text}"), || {
        params.infer(|cx| foreign.forward(cx, &zeros([2, 4, 3])));
    });
}

#[test]
fn pools() {
    let params: Params = Params::seeded(0);
    says("max_pool3d: image [2, 4, 5] does not have five axes", || {
        params.infer(|cx| MaxPool3d::new(2).forward(cx, &zeros([2, 4, 5])));
    });
    says("max_pool1d: image [2, 4] does not have three axes", || {
        params.infer(|cx| MaxPool1d::new(2).with_indices(cx, &zeros([2, 4])));
    });
    says("avg_pool2d: the divisor is 0", || {
        params.infer(|cx| AvgPool2d::new(2).divisor(0).forward(cx, &zeros([1, 1, 2, 2])));
    });
    says("adaptive_avg_pool: [2, 4] does not have 4 axes", || {
        params.infer(|cx| AdaptiveAvgPool2d::new(2).forward(cx, &zeros([2, 4])));
    });
    says("adaptive_max_pool: [2, 4] does not have 4 axes", || {
        params.infer(|cx| AdaptiveMaxPool2d::keeping([None, Some(1)]).forward(cx, &zeros([2, 4])));
    });
    says("adaptive_max_pool: axis 2 of shape [2, 4, 0] has no elements to make 2 of", || {
        params.infer(|cx| AdaptiveMaxPool1d::new(2).forward(cx, &zeros([2, 4, 0])));
    });
    says("lp_pool: the power 0 is not positive and finite", || {
        LpPool2d::new(0.0, 2);
    });
    says("avg_pool1d: image [4] does not have three axes", || {
        params.infer(|cx| LpPool1d::new(2.0, 2).forward(cx, &zeros([4])));
    });
    says("fractional_max_pool: the ratios [0.5, 1.0] are not in (0, 1)", || {
        FractionalMaxPool2d::with_ratio(2, [0.5, 1.0]);
    });
    says("fractional_max_pool: [2, 4] does not have 4 axes", || {
        params.infer(|cx| FractionalMaxPool2d::new(2, 2).forward(cx, &zeros([2, 4])));
    });
    let at = |shape: [usize; 3]| Tensor::<u32>::zeros(shape).into();
    says("max_unpool: [2, 4] does not have 3 axes", || {
        params.infer(|cx| MaxUnpool1d::new(2).forward(cx, &(zeros([2, 4]), at([2, 4, 1]))));
    });
    says(
        "max_unpool: [1, 1, 2] with kernel [2], stride [2] and padding [3] leaves no pixel, or too many",
        || {
            params.infer(|cx| MaxUnpool1d::new(2).padding(3).forward(cx, &(zeros([1, 1, 2]), at([1, 1, 2]))));
        },
    );
    says("max_unpool: values [1, 1, 2] and indices [1, 1, 3] differ in shape", || {
        params.infer(|cx| MaxUnpool1d::new(2).size(4).forward(cx, &(zeros([1, 1, 2]), at([1, 1, 3]))));
    });
}

#[test]
fn borders_and_resampling() {
    let params: Params = Params::seeded(0);
    says("ZeroPad2d: [2, 4, 5] does not have 4 axes", || {
        params.infer(|cx| ZeroPad2d::new(1).forward(cx, &zeros([2, 4, 5])));
    });
    says("ConstantPad1d: [2, 4] does not have 3 axes", || {
        params.infer(|cx| ConstantPad1d::new(1, 2.0).forward(cx, &zeros([2, 4])));
    });
    says("pad_with: a circular border of 6 and 0 positions does not fit axis 2 of shape [2, 4, 5]", || {
        params.infer(|cx| CircularPad1d::new([[6, 0]]).forward(cx, &zeros([2, 4, 5])));
    });
    says("interpolate: [2, 4] does not have 4 axes", || {
        let layer = Upsample::new(Resize::Size([2, 2]), Interpolation::Nearest);
        params.infer(|cx| layer.forward(cx, &zeros([2, 4])));
    });
    says("interpolate: 2 elements cannot be scaled by -1", || {
        let layer = UpsamplingNearest2d::new(Resize::Scale([-1.0; 2]));
        params.infer(|cx| layer.forward(cx, &zeros([1, 1, 2, 2])));
    });
    says("interpolate: axis 3 of shape [1, 1, 2, 0] has no elements to make 4 of", || {
        let layer = UpsamplingBilinear2d::new(Resize::Size([4, 4]));
        params.infer(|cx| layer.forward(cx, &zeros([1, 1, 2, 0])));
    });
    says(
        "pixel_shuffle: [3, 4, 4] is not […, channels, height, width] with channels a multiple of 2²",
        || {
            params.infer(|cx| PixelShuffle { factor: 2 }.forward(cx, &zeros([3, 4, 4])));
        },
    );
    says(
        "pixel_unshuffle: [3, 4, 5] is not […, channels, height, width] with height and width multiples of 2",
        || {
            params.infer(|cx| PixelUnshuffle { factor: 2 }.forward(cx, &zeros([3, 4, 5])));
        },
    );
    says("channel_shuffle: [3] is not [batch, channels, …] with channels a multiple of 2 groups", || {
        params.infer(|cx| ChannelShuffle { groups: 2 }.forward(cx, &zeros([3])));
    });
    says("unfold: [3, 4, 5] does not have 4 axes", || {
        params.infer(|cx| Unfold::new([2, 2]).forward(cx, &zeros([3, 4, 5])));
    });
    says("fold: [3, 4, 5] is not [batch, channels · 2, 3], as kernel [2] and size [4] demand", || {
        params.infer(|cx| Fold::new([4], [2]).forward(cx, &zeros([3, 4, 5])));
    });
    says("unflatten: axis 3 is out of range for shape [3, 4] of rank 2", || {
        params.infer(|cx| Unflatten::new(3, [2]).forward(cx, &zeros([3, 4])));
    });
}
