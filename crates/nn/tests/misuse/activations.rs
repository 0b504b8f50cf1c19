//! Misuse of activations.

use wengert_nn::*;
use wengert_tape::Var;

use crate::says;

fn ones(shape: &[usize]) -> Var {
    Var::ones(shape)
}

#[test]
fn numbers_that_activations_refuse() {
    let x = ones(&[2, 3]);
    says("celu: alpha is 0", || drop(x.celu(0.0)));
    says("hardtanh: the lower limit 1 is not below the upper limit -1", || drop(x.hardtanh(1.0, -1.0)));
    says("hardshrink: lambda -0.5 is negative", || drop(x.hardshrink(-0.5)));
    says("softshrink: lambda NaN is negative", || drop(x.softshrink(f64::NAN)));
    let params: Params = Params::seeded(0);
    let low_and_high = Rrelu { low: 0.5, high: 0.25 };
    says("rrelu: slopes between 0.5 and 0.25", || {
        drop(low_and_high.forward(&params.context(Mode::Train, &[]), &x));
    });
}

#[test]
fn shapes_that_activations_refuse() {
    let x = ones(&[2, 3]);
    let halves = |name: &str| format!("{name}: axis -1 of shape [2, 3], with 3 elements, has no halves");
    says(&halves("glu"), || drop(x.glu(-1)));
    says(&halves("swiglu"), || drop(x.swiglu(-1)));
    says(&halves("geglu"), || drop(x.geglu(-1)));
    says(&halves("reglu"), || drop(x.reglu(-1)));
    says("softmax: axis 2 is out of range for shape [2, 3] of rank 2", || drop(x.softmin(2)));
    says("prelu: slopes of shape [2, 2, 3] do not broadcast to shape [2, 3]", || {
        drop(x.prelu(&ones(&[2, 2, 3])));
    });
    let mut params: Params = Params::seeded(0);
    let act = Prelu::with_slopes(params.at("act"), 4, 0.1);
    says("prelu: 4 slopes for the channels, the second axis, of shape [2, 3]", || {
        params.infer(|cx| drop(act.forward(cx, &x)));
    });
    says("softmax2d: an input of shape [2, 3] is no image or batch of images", || {
        params.infer(|cx| drop(Softmax2d.forward(cx, &x)));
    });
    says("param: there is already a parameter or buffer named `act.weight`", || {
        Prelu::new(params.at("act"));
    });
}
