//! Misuse of containers, of kinds of dropout, and of the bilinear layer.

use wengert_nn::*;
use wengert_tape::Var;

use crate::says;

fn ones(shape: &[usize]) -> Var {
    Var::ones(shape)
}

#[test]
fn shapes_that_do_not_meet() {
    let mut params: Params = Params::seeded(0);
    let block = Residual::new(Linear::new(params.at("branch"), 3, 1));
    says("residual: of shape [2, 3] the shortcut makes [2, 3], the branch [2, 1]", || {
        params.infer(|cx| drop(block.forward(cx, &ones(&[2, 3]))));
    });
    let none = Parallel::builder(params.at("none")).sum();
    says("parallel: there are no branches", || {
        params.infer(|cx| drop(none.forward(cx, &ones(&[2, 3]))));
    });
    let pairs = Bilinear::new(params.at("pairs"), 3, 4, 2);
    for (a, b) in [(&[5, 3][..], &[6, 4][..]), (&[5, 4], &[5, 3]), (&[], &[4])] {
        let text = format!(
            "bilinear: inputs of shapes {} and {} for 3 and 4 features",
            ones(a).shape(),
            ones(b).shape()
        );
        says(&text, || params.infer(|cx| drop(pairs.forward(cx, &(ones(a), ones(b))))));
    }
    says("param: there is already a parameter or buffer named `pairs.weight`", || {
        Bilinear::builder(3, 4, 2).build(params.at("pairs"));
    });
}

#[test]
fn dropout_of_what_there_is_not() {
    let not = |layer: &str| format!("{layer}: the probability 1.5 is not in [0, 1]");
    says(&not("Dropout1d"), || {
        Dropout1d::new(1.5);
    });
    says(&not("Dropout3d"), || {
        Dropout3d::new(1.5);
    });
    says(&not("alpha_dropout"), || {
        AlphaDropout::new(1.5);
    });
    says(&not("feature_alpha_dropout"), || {
        FeatureAlphaDropout::new(1.5);
    });
    says(&not("drop_path"), || {
        DropPath::new(1.5);
    });
    let params: Params = Params::seeded(0);
    let train = |layer: &dyn Layer, shape: &[usize]| {
        drop(layer.forward(&params.context(Mode::Train, &[]), &ones(shape)))
    };
    says("Dropout2d: the input has shape [2, 3], but 3 or 4 axes are expected", || {
        params.infer(|cx| drop(Dropout2d::new(0.5).forward(cx, &ones(&[2, 3]))));
    });
    says("feature_alpha_dropout: an input of shape [2] has no channels", || {
        params.infer(|cx| drop(FeatureAlphaDropout::new(0.5).forward(cx, &ones(&[2]))));
    });
    says("drop_path: an input without axes has no examples", || {
        params.infer(|cx| drop(DropPath::new(0.5).forward(cx, &ones(&[]))));
    });
    train(&DropPath::new(0.5), &[3]);
}
