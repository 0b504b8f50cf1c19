//! Inference.

use wengert_nn::{BatchNorm1d, CompiledModel, Ctx, Layer, Linear, Losses, Params};
use wengert_tape::{Ran, Var};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

fn inputs() -> [Var; 4] {
    let mut generator = Generator::seeded(1);
    [(); 4].map(|()| Var::constant(Tensor::normal([6, 4], 0.0, 1.0, &mut generator)))
}

#[test]
fn parameters_and_inputs_are_those_of_the_call() {
    let mut params: Params = Params::seeded(0);
    let layer = Linear::new(params.root(), 4, 3);
    let mut model = CompiledModel::new(|cx: &Ctx, x: &Var| {
        let y = layer.forward(cx, x);
        (y.softmax(-1), y.max_axes(1, false))
    });
    for (count, x) in inputs().iter().enumerate() {
        let (shares, best) = model.infer(&params, x);
        let direct = params.infer(|cx| layer.forward(cx, x));
        assert_eq!(
            (shares.value(), best.value()),
            (direct.softmax(-1).value(), direct.max_axes(1, false).value())
        );
        assert_eq!(model.ran() == &Ran::Replayed, count > 0);
        params.values_mut().iter_mut().for_each(|w| *w = 1.5 * *w + 0.1);
    }
}

#[test]
fn running_statistics_are_watched() {
    let mut params: Params = Params::seeded(0);
    let (layer, norm) = (Linear::new(params.at("a"), 4, 3), BatchNorm1d::new(params.at("norm"), 3));
    let forward = |cx: &Ctx, x: &Var| norm.forward(cx, &layer.forward(cx, x));
    let mut model = CompiledModel::new(forward);
    let mut ran = Vec::new();
    for x in &inputs() {
        for _ in 0..2 {
            let y = model.infer(&params, x);
            assert_eq!(y.value(), params.infer(|cx| forward(cx, x)).value());
            ran.push(model.ran() == &Ran::Replayed);
        }
        let (_, grads) = params.value_and_grad(|cx| forward(cx, x).mse(&Var::ones([6, 3]))).unwrap();
        params.update_buffers(&grads);
    }
    assert_eq!(ran, [false, true, false, true, false, true, false, true]);
}

#[test]
fn inferences_draw_one_after_the_other() {
    let params: Params = Params::seeded(0);
    let draw = |cx: &Ctx, x: &Var| x.dropout(0.5, cx.key());
    let mut model = CompiledModel::new(draw);
    let direct = params.clone();
    let x = Var::ones([100]);
    let mut before = None;
    for _ in 0..4 {
        let found = model.infer(&params, &x).into_value();
        assert_eq!(&found, direct.infer(|cx| draw(cx, &x)).value());
        assert_ne!(before.as_ref(), Some(&found));
        before = Some(found);
    }
    assert_eq!(model.ran(), &Ran::Replayed);
}
