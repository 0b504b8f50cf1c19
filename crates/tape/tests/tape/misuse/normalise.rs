//! Misuse of normalisations and of random slopes and masks.

use super::caught;
use wengert_tape::{Index, Var};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

fn ones(shape: &[usize]) -> Var<f64> {
    Var::ones(shape)
}

#[test]
fn gains_of_other_shapes() {
    let (m, v, two) = (ones(&[2, 3]), ones(&[3]), ones(&[2]));
    assert_panics!(m.rms_norm(&two, 1e-5), "rms_norm: ", "[2, 3]", "[2]", "the last axes");
    assert_panics!(m.batch_norm(&two, &two, 1e-5), "batch_norm: ", "[2]", "the channels", "[2, 3]");
    assert_panics!(m.batch_norm(&v, &two, 1e-5), "batch_norm: ", "[3]", "[2]", "differ");
    assert_panics!(v.batch_norm(&v, &v, 1e-5), "batch_norm: ", "[3]", "the channels");
    assert_panics!(v.instance_norm(&v, &v, 1e-5), "instance_norm: ", "[3]", "the channels");
    assert_panics!(m.instance_norm(&v, &two, 1e-5), "instance_norm: ", "[3]", "[2]");
    assert_panics!(m.group_norm(3, &two, &two, 1e-5), "group_norm: ", "[2]", "[2, 3]");
    for groups in [0, 2, 4] {
        let text = format!("the 3 channels of shape [2, 3] cannot be parted into {groups} groups");
        assert_panics!(m.group_norm(groups, &v, &v, 1e-5), "group_norm: ", &text);
    }
    assert_panics!(m.channel_affine(&v, &v, &two), "channel_affine: ", "[3], [3] and [2]", "[2, 3]");
    assert_panics!(v.channel_affine(&v, &v, &v), "channel_affine: ", "[3], [3] and [3]");
    let (second, third) = ("[3], [2], [3] and [3]", "[3], [3], [2] and [3]");
    assert_panics!(m.batch_norm_by(&v, &two, &v, &v, 0.1), "batch_norm_by: ", second, "[2, 3]");
    assert_panics!(m.batch_norm_by(&v, &v, &two, &v, 0.1), "batch_norm_by: ", third, "[2, 3]");
}

#[test]
fn random_slopes_and_masks() {
    let (x, key) = (ones(&[3]), Index::key(&Generator::seeded(0)));
    assert_panics!(x.rrelu(0.5, 0.25, &key), "rrelu: ", "0.5 and 0.25");
    assert_panics!(x.rrelu(0.0, f64::NAN, &key), "rrelu: ", "0 and NaN");
    assert_panics!(x.dropout_shared(1.5, 0, &key), "dropout: ", "1.5");
    assert_panics!(x.dropout_shared(0.5, 1, &key), "dropout: ", "axis 1", "[3]");
    let short = Index::constant(Tensor::vector(&[0u32, 1]));
    assert_panics!(x.dropout_shared(0.5, 0, &short), "dropout: ", "six words", "[2]");
    assert_panics!(x.rrelu(0.0, 0.5, &short), "rrelu: ", "six words", "[2]");
}
