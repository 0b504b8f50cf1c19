//! Train steps.

use wengert_nn::{
    BatchNorm1d, CompiledLoss, Conv2d, Ctc, Ctx, Dropout, FeedForward, GradError, Gru, Layer, Linear, Losses,
    Lstm, MaxPool2d, Params, TransformerBuilder,
};
use wengert_tape::{Index, Mismatch, Ran, Reason, Tape, Var};
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;

/// Images, sequences or vectors, and labels.
pub(super) type Batch = (Var, Index);

pub(super) type Loss = Box<dyn Fn(&Ctx, &Batch) -> Var>;

/// Some batches of that shape, of five classes.
pub(super) fn batches(shape: &[usize]) -> [Batch; 4] {
    let mut generator = Generator::seeded(7);
    [(); 4].map(|()| {
        let x = Tensor::normal(shape, 0.1, 1.0, &mut generator);
        let labels: Vec<u32> = (0..shape[0]).map(|_| generator.below(5) as u32).collect();
        (Var::constant(x), Index::from(Tensor::vector(&labels)))
    })
}

/// A model with its batches.
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) params: Params,
    pub(super) loss: Loss,
    pub(super) shape: Vec<usize>,
}

fn model(name: &'static str, shape: &[usize], make: impl FnOnce(&mut Params) -> Loss) -> Model {
    let mut params = Params::seeded(3);
    let loss = make(&mut params);
    Model { name, params, loss, shape: shape.to_vec() }
}

pub(super) fn models() -> Vec<Model> {
    vec![
        model("perceptron", &[64, 100], |params| {
            let (first, second) =
                (Linear::new(params.at("a"), 100, 128), Linear::new(params.at("b"), 128, 5));
            Box::new(move |cx, (x, labels)| {
                second.forward(cx, &first.forward(cx, x).relu()).cross_entropy(labels)
            })
        }),
        model("lenet", &[8, 1, 20, 20], |params| {
            let first = Conv2d::builder(1, 6, 5).padding(2).build(params.at("first"));
            let second = Conv2d::new(params.at("second"), 6, 16, 5);
            let (third, last) =
                (Linear::new(params.at("third"), 144, 84), Linear::new(params.at("last"), 84, 5));
            let pool = MaxPool2d::new(2);
            Box::new(move |cx, (x, labels)| {
                let h = pool.forward(cx, &first.forward(cx, x).relu());
                let h = pool.forward(cx, &second.forward(cx, &h).relu()).flatten(1, -1);
                last.forward(cx, &third.forward(cx, &h).relu()).cross_entropy(labels)
            })
        }),
        model("gru", &[16, 9, 7], |params| {
            let gru = Gru::builder(7, 33).batch_first().build(params.at("gru"));
            let out = Linear::new(params.at("out"), 33, 5);
            Box::new(move |cx, (x, labels)| {
                out.forward(cx, &gru.forward(cx, x).select(1, -1)).cross_entropy(labels)
            })
        }),
        model("lstm", &[16, 9, 7], |params| {
            let lstm = Lstm::builder(7, 32).layers(2).batch_first().build(params.at("lstm"));
            let out = Linear::new(params.at("out"), 32, 5);
            Box::new(move |cx, (x, labels)| {
                out.forward(cx, &lstm.forward(cx, x).select(1, -1)).cross_entropy(labels)
            })
        }),
        model("transformer", &[8, 48, 32], |params| {
            let layer = TransformerBuilder::new(32, 4)
                .feed_forward(128)
                .activation(FeedForward::Gelu)
                .dropout(0.0)
                .encoder_layer(params.at("layer"));
            let out = Linear::new(params.at("out"), 32, 5);
            Box::new(move |cx, (x, labels)| {
                out.forward(cx, &layer.forward(cx, x).mean_axes(1, false)).cross_entropy(labels)
            })
        }),
        model("composed", &[64, 300], |params| {
            // Formulas of one's own on values that are large enough for blocks.
            let (first, last) = (Linear::new(params.at("a"), 300, 400), Linear::new(params.at("b"), 400, 5));
            Box::new(move |cx, (x, labels)| {
                let h = first.forward(cx, x);
                let h = (&h.tanh() * &h.sigmoid() + &h * 0.1).square().sqrt() * h.exp().recip();
                last.forward(cx, &h).cross_entropy(labels) + cx.l2(1e-3)
            })
        }),
        model("dropout", &[64, 50], |params| {
            let (first, last) = (Linear::new(params.at("a"), 50, 300), Linear::new(params.at("b"), 300, 5));
            let (light, heavy) = (Dropout::new(0.2), Dropout::new(0.5));
            Box::new(move |cx, (x, labels)| {
                let h = heavy.forward(cx, &first.forward(cx, &light.forward(cx, x)).gelu());
                last.forward(cx, &h).cross_entropy(labels)
            })
        }),
    ]
}

/// Moves the parameters a little against the gradient.
fn descend(params: &mut Params, grads: &[f32]) {
    params.values_mut().iter_mut().zip(grads).for_each(|(w, g)| *w -= 0.05 * g);
}

#[test]
fn steps_have_the_bits_of_direct_ones() {
    for Model { name, mut params, loss, shape } in models() {
        let mut direct = params.clone();
        let mut compiled = CompiledLoss::new(|cx: &Ctx, batch: &Batch| loss(cx, batch));
        for (count, batch) in batches(&shape).iter().cycle().take(6).enumerate() {
            let threads = 1 + count % 3;
            let (value, grads) = with_threads(threads, || compiled.value_and_grad(&params, batch)).unwrap();
            let (wanted, wanted_grads) = direct.value_and_grad(|cx| loss(cx, batch)).unwrap();
            assert_eq!(value.to_bits(), wanted.to_bits(), "{name}, step {count}");
            for (i, (a, b)) in grads.iter().zip(wanted_grads.iter()).enumerate() {
                assert_eq!(a.to_bits(), b.to_bits(), "{name}, step {count}, derivative {i}");
            }
            assert!(grads.iter().any(|g| *g != 0.0) && grads.len() == params.len());
            let wanted = if count == 0 { Ran::Recorded(None) } else { Ran::Replayed };
            assert_eq!((compiled.ran(), params.step()), (&wanted, direct.step()), "{name}");
            descend(&mut params, &grads);
            descend(&mut direct, &wanted_grads);
        }
    }
}

#[test]
fn a_shorter_batch_and_back() {
    let Model { params, loss, .. } = models().remove(6);
    let direct = params.clone();
    let mut compiled = CompiledLoss::new(|cx: &Ctx, batch: &Batch| loss(cx, batch));
    let (long, short) = (batches(&[64, 50]), batches(&[10, 50]));
    let mut ran = Vec::new();
    for batch in [&long[0], &long[1], &short[0], &long[2], &short[1]] {
        let (value, grads) = compiled.value_and_grad(&params, batch).unwrap();
        let (wanted, wanted_grads) = direct.value_and_grad(|cx| loss(cx, batch)).unwrap();
        assert_eq!((value, &grads[..]), (wanted, &wanted_grads[..]));
        ran.push(compiled.ran().clone());
    }
    let shape = Mismatch::Shape { input: 2, recorded: [64, 50].into(), given: [10, 50].into() };
    assert_eq!(
        ran,
        [Ran::Recorded(None), Ran::Replayed, Ran::Recorded(Some(shape)), Ran::Replayed, Ran::Replayed]
    );
}

/// The numbers of labels belong to the batch as the labels do, also where those stand one after the other.
#[test]
fn sequences_of_other_lengths() {
    type Sequences = (Var, Index, Index, Index);
    let mut params: Params = Params::seeded(0);
    let layer = Linear::new(params.root(), 3, 4);
    let loss = |cx: &Ctx, (x, labels, steps, counts): &Sequences| {
        Ctc::default().loss(&layer.forward(cx, x).log_softmax(-1), labels, steps, counts)
    };
    let mut generator = Generator::seeded(5);
    for labels in [Tensor::from([[1u32, 2], [3, 1]]), Tensor::from([[1u32, 2, 3]]).reshape([3])] {
        let mut compiled = CompiledLoss::new(loss);
        for counts in [[1u32, 2], [2, 1], [0, 3]] {
            if labels.rank() == 2 && counts[1] > 2 {
                continue;
            }
            let x = Var::constant(Tensor::normal([6, 2, 3], 0.0, 1.0, &mut generator));
            let batch =
                (x, Index::from(&labels), Tensor::from([5u32, 6]).into(), Index::from(Tensor::from(counts)));
            let (value, grads) = compiled.value_and_grad(&params, &batch).unwrap();
            let (wanted, wanted_grads) = params.value_and_grad(|cx| loss(cx, &batch)).unwrap();
            assert_eq!((value, &grads[..]), (wanted, &wanted_grads[..]), "{labels} {counts:?}");
        }
        assert_eq!(compiled.ran(), &Ran::Replayed);
    }
}

#[test]
fn what_is_not_in_a_recording_is_computed_directly() {
    let mut params: Params = Params::seeded(0);
    let (layer, norm) = (Linear::new(params.at("a"), 4, 5), BatchNorm1d::new(params.at("norm"), 5));
    let mut compiled = CompiledLoss::new(|cx: &Ctx, (x, labels): &Batch| {
        norm.forward(cx, &layer.forward(cx, x)).cross_entropy(labels)
    });
    let mut before = params.buffers()[0].1.to_vec();
    for batch in &batches(&[16, 4])[..3] {
        let (_, grads) = compiled.value_and_grad(&params, batch).unwrap();
        params.update_buffers(&grads);
        let after = params.buffers()[0].1.to_vec();
        assert_ne!(before, after, "the statistics go on");
        before = after;
        assert_eq!(compiled.ran(), &Ran::Directly(Reason::NotRecorded("running statistics are updated")));
    }

    let mut params: Params = Params::seeded(0);
    let layer = Linear::new(params.root(), 4, 5);
    let mut compiled = CompiledLoss::new(|cx: &Ctx, (x, labels): &Batch| {
        let noise = Tensor::normal(x.shape(), 0.0, 1.0, &mut cx.generator());
        layer.forward(cx, &(x + Var::constant(noise))).cross_entropy(labels)
    });
    let batch = &batches(&[16, 4])[0];
    let values: Vec<f32> = (0..3).map(|_| compiled.value_and_grad(&params, batch).unwrap().0).collect();
    assert!(values[0] != values[1] && values[1] != values[2]);
    assert!(matches!(compiled.ran(), Ran::Directly(Reason::NotRecorded(what)) if what.contains("generator")));

    let mut compiled =
        CompiledLoss::new(|cx: &Ctx, (x, labels): &Batch| layer.forward(cx, x).cross_entropy(labels));
    let tape = Tape::new();
    let x = tape.var(batch.0.value().clone());
    compiled.value_and_grad(&params, &(x, batch.1.clone())).unwrap();
    assert_eq!(compiled.ran(), &Ran::Directly(Reason::IsRecorded));
}

#[test]
fn freezing_and_unreached_parameters() {
    let mut params: Params = Params::seeded(0);
    let used = Linear::new(params.at("used"), 4, 5);
    Linear::new(params.at("spare"), 4, 5);
    let mut compiled =
        CompiledLoss::new(|cx: &Ctx, (x, labels): &Batch| used.forward(cx, x).cross_entropy(labels));
    let batch = &batches(&[16, 4])[0];
    let unreached = |found: Result<(f32, wengert_nn::Grads), GradError>| match found.err() {
        Some(GradError::Unreached { names }) => names,
        other => panic!("{other:?}"),
    };
    assert_eq!(unreached(compiled.value_and_grad(&params, batch)), ["spare.weight", "spare.bias"]);
    params.allow_unreached(true);
    for _ in 0..2 {
        let (_, grads) = compiled.value_and_grad(&params, batch).unwrap();
        assert_eq!(grads.get("spare.weight").unwrap(), [0.0; 20]);
    }
    assert_eq!(compiled.ran(), &Ran::Replayed);
    params.allow_unreached(false);
    assert_eq!(unreached(compiled.value_and_grad(&params, batch)).len(), 2);
    params.freeze("spare.*");
    params.freeze("used.bias");
    for wanted in [Ran::Recorded(None), Ran::Replayed] {
        let (_, grads) = compiled.value_and_grad(&params, batch).unwrap();
        assert_eq!((grads.get("used.bias").unwrap(), compiled.ran()), (&[0.0; 5][..], &wanted));
        assert!(grads.get("used.weight").unwrap().iter().any(|g| *g != 0.0));
    }
}
