//! What recurrent layers must get right apart from PyTorch's numbers: sequences of unequal length, empty ones, states,
//! dropout, second derivatives, other forms of the same computation.

use wengert_nn::*;
use wengert_tape::{Arguments, Scan, Var, check_grads, grad, hvp};
use wengert_tensor::{Tensor, parallel};

fn wave(shape: &[usize], salt: f64) -> Var<f64> {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|i| (1.7 * i as f64 + salt).sin()).collect();
    Var::constant(Tensor::vector(&values).reshape(shape))
}

#[track_caller]
fn close(a: &Var<f64>, b: &Var<f64>) {
    assert_eq!(a.shape(), b.shape());
    for (a, b) in a.value().to_vec().into_iter().zip(b.value().to_vec()) {
        assert!((a - b).abs() <= 1e-14, "{a} {b}");
    }
}

/// Each sequence of a padded batch is read as if it stood alone, whatever stands behind its end.
fn padded_is_alone<U: Unit>(builder: RecurrentBuilder<U>) {
    let mut params: Params<f64> = Params::seeded(3);
    let layer = builder.layers(2).bidirectional().build(params.root());
    let lengths = [3u32, 0, 5, 1];
    let mut x = wave(&[5, 4, 2], 0.3).into_value();
    for (example, &length) in lengths.iter().enumerate() {
        for step in length as usize..5 {
            for feature in 0..2 {
                x.as_mut_slice()[(step * 4 + example) * 2 + feature] = f64::NAN;
            }
        }
    }
    let x = Var::constant(x);
    let start: Vec<Var<f64>> = params.infer(|cx| layer.run(cx, &wave(&[1, 4, 2], 0.0), None).1.to_vars());
    let template = params.infer(|cx| layer.run(cx, &wave(&[1, 4, 2], 0.0), None).1);
    let start: Vec<Var<f64>> = start.iter().map(|s| wave(s.shape(), 1.0)).collect();
    let state = template.with_vars(start.clone());
    params.infer(|cx| {
        let (y, end) = layer.run_padded(cx, &x, Tensor::vector(&lengths), Some(&state));
        for (example, &length) in lengths.iter().enumerate() {
            let at = example as isize;
            let own = x.select(1, at).slice(..length as usize);
            let state = template.with_vars(start.iter().map(|s| s.select(1, at)).collect());
            let (alone, end_alone) = layer.run(cx, &own, Some(&state));
            close(&y.select(1, at).slice(..length as usize), &alone);
            for (end, alone) in end.to_vars().iter().zip(end_alone.to_vars()) {
                close(&end.select(1, at), &alone);
            }
            let behind = y.select(1, at).slice(length as usize..);
            assert!(behind.value().to_vec().iter().all(|&v| v == 0.0));
        }
    });
    // No derivative comes of what stands behind the ends.
    let vars = params.vars();
    let loss = |v: &Vec<Var<f64>>| {
        let cx = params.context(Mode::Train, &v[1..]);
        layer.run_padded(&cx, &v[0], Tensor::vector(&lengths), None).0.square().sum()
    };
    let inputs: Vec<Var<f64>> = std::iter::once(x.clone()).chain(vars).collect();
    let grads = grad(loss, &inputs);
    assert!(grads.iter().all(|g| g.value().to_vec().iter().all(|v| v.is_finite())));
    let of_x = grads[0].value().select(1, 1);
    assert!(of_x.to_vec().iter().all(|&v| v == 0.0));
}

#[test]
fn a_padded_sequence_is_read_as_if_alone() {
    padded_is_alone(Rnn::builder(2, 3));
    padded_is_alone(Gru::builder(2, 3));
    padded_is_alone(Lstm::builder(2, 3).projection(2));
}

/// By the input, the state and the parameters, in both modes, and the products with the Hessian against differences of
/// gradients.
fn second_order<U: Unit>(builder: RecurrentBuilder<U>, lengths: Option<[u32; 2]>) {
    let mut params: Params<f64> = Params::seeded(1);
    let layer = builder.build(params.root());
    let mut inputs = vec![wave(&[3, 2, 2], 0.3)];
    let template = params.infer(|cx| layer.run(cx, &inputs[0], None).1);
    let states = template.to_vars();
    inputs.extend(states.iter().map(|s| wave(s.shape(), 2.0)));
    let count = inputs.len();
    inputs.extend(params.vars());
    let f = |v: &[Var<f64>]| {
        let cx = params.context(Mode::Train, &v[count..]);
        let state = template.with_vars(v[1..count].to_vec());
        let (y, end) = match lengths {
            None => layer.run(&cx, &v[0], Some(&state)),
            Some(lengths) => layer.run_padded(&cx, &v[0], Tensor::vector(&lengths), Some(&state)),
        };
        let end = end.to_vars().iter().map(|e| e.square().sum()).sum::<Var<f64>>();
        (y.square() * wave(y.shape(), 4.0)).sum() + end
    };
    check_grads(f, &inputs, 2).unwrap();

    let along: Vec<Var<f64>> = inputs.iter().enumerate().map(|(i, v)| wave(v.shape(), i as f64)).collect();
    let g = |v: &Vec<Var<f64>>| f(v);
    let product = hvp(g, &inputs, &along);
    let moved = |step: f64| -> Vec<Var<f64>> {
        let point: Vec<Var<f64>> = inputs.iter().zip(&along).map(|(x, t)| x + t * step).collect();
        grad(g, &point)
    };
    for ((product, plus), minus) in product.iter().zip(moved(1e-5)).zip(moved(-1e-5)) {
        let quotient = (plus - minus) / 2e-5;
        for (p, q) in product.value().to_vec().into_iter().zip(quotient.value().to_vec()) {
            assert!((p - q).abs() < 1e-7 * (1.0 + p.abs()), "{p} {q}");
        }
    }
}

#[test]
fn second_derivatives_are_those_of_differences() {
    second_order(Rnn::builder(2, 2), None);
    second_order(Gru::builder(2, 2).bidirectional(), None);
    second_order(Lstm::builder(2, 2).layers(2), None);
    second_order(Lstm::builder(2, 3).projection(2).no_bias(), None);
    second_order(Gru::builder(2, 2).bidirectional(), Some([3, 1]));
    second_order(Lstm::builder(2, 2).bidirectional(), Some([0, 2]));
}

#[test]
fn nothing_is_read_of_nothing() {
    let mut params: Params<f64> = Params::seeded(1);
    let lstm = Lstm::builder(2, 3).layers(2).bidirectional().build(params.root());
    let state = LstmState { h: wave(&[4, 5, 3], 0.1), c: wave(&[4, 5, 3], 0.2) };
    params.infer(|cx| {
        // No steps: no output, and the state as it was.
        let (y, end) = lstm.run(cx, &Var::zeros([0, 5, 2]), Some(&state));
        assert_eq!(y.shape(), &[0, 5, 6]);
        close(&end.h, &state.h);
        close(&end.c, &state.c);
        let (y, _) = lstm.run_padded(cx, &Var::zeros([0, 5, 2]), Tensor::<u32>::zeros([5]), None);
        assert_eq!(y.shape(), &[0, 5, 6]);
        // No sequences.
        let (y, end) = lstm.run(cx, &Var::zeros([7, 0, 2]), None);
        assert_eq!((y.shape(), end.h.shape()), (&[7, 0, 6].into(), &[4, 0, 3].into()));
        let (y, _) = lstm.run_padded(cx, &Var::zeros([7, 0, 2]), Tensor::<u32>::zeros([0]), None);
        assert_eq!(y.shape(), &[7, 0, 6]);
        // All of them empty.
        let (y, end) = lstm.run_padded(cx, &wave(&[7, 5, 2], 0.0), Tensor::<u32>::zeros([5]), Some(&state));
        assert!(y.value().to_vec().iter().all(|&v| v == 0.0));
        close(&end.h, &state.h);
    });
    let no_features = Gru::new(params.at("other"), 0, 3);
    let y = params.infer(|cx| no_features.forward(cx, &Var::zeros([4, 1, 0])));
    assert_eq!(y.shape(), &[4, 1, 3]);
}

#[test]
fn a_nan_stays_in_its_sequence_and_huge_numbers_saturate() {
    let mut params: Params<f64> = Params::seeded(1);
    let gru = Gru::new(params.root(), 2, 3);
    let mut x = wave(&[4, 2, 2], 0.3).into_value();
    x.as_mut_slice()[7] = f64::NAN;
    let y = params.infer(|cx| gru.forward(cx, &Var::constant(x.clone())));
    assert!(y.select(1, 0).value().to_vec().iter().all(|v| v.is_finite()));
    assert!(y.select(1, 1).slice(1..).value().to_vec().iter().all(|v| v.is_nan()));
    for huge in [1e300, -1e300] {
        let y = params.infer(|cx| gru.forward(cx, &Var::constant(Tensor::full([4, 2, 2], huge))));
        assert!(y.value().to_vec().iter().all(|v| v.abs() <= 1.0));
    }
}

#[test]
fn a_sequence_in_pieces_is_the_whole() {
    let mut params: Params<f64> = Params::seeded(1);
    let lstm = Lstm::builder(2, 3).layers(2).build(params.root());
    let x = wave(&[6, 2, 2], 0.3);
    params.infer(|cx| {
        let (whole, end) = lstm.run(cx, &x, None);
        let (first, state) = lstm.run(cx, &x.slice(..4), None);
        let (second, last) = lstm.run(cx, &x.slice(4..), Some(&state));
        close(&whole, &Var::cat(&[first, second], 0));
        close(&end.c, &last.c);
    });
}

#[test]
fn cells_do_what_layers_do() {
    let mut params: Params<f64> = Params::seeded(1);
    let (gru, cell) = (Gru::new(params.at("layer"), 2, 3), GruCell::new(params.at("cell"), 2, 3));
    for name in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] {
        let values = params.get(&format!("layer.{name}_l0")).unwrap().to_vec();
        let id = params.id(&format!("cell.{name}")).unwrap();
        params.slice_mut(id).copy_from_slice(&values);
    }
    let x = wave(&[6, 2, 2], 0.3);
    params.infer(|cx| {
        let mut h = cell.zero_state([2]);
        for step in 0..6 {
            h = cell.step(cx, &x.select(0, step), &h);
        }
        close(&h, &gru.run(cx, &x, None).1.select(0, 0));
        // A cell of one example, and of batches of batches.
        let one = cell.step(cx, &x.select(0, 0).select(0, 1), &cell.zero_state([]));
        close(&cell.step(cx, &x, &cell.zero_state([6, 2])).select(0, 0).select(0, 1), &one);
    });
}

#[test]
fn dropout_is_between_layers_and_in_training_alone() {
    let mut params: Params<f64> = Params::seeded(1);
    let one = Lstm::builder(2, 3).dropout(0.5).build(params.at("one"));
    let two = Lstm::builder(2, 3).layers(2).dropout(0.5).build(params.at("two"));
    let x = wave(&[6, 2, 2], 0.3);
    let outputs = |lstm: &Lstm, mode: Mode| params.infer_in(mode, |cx| lstm.forward(cx, &x).value().to_vec());
    assert_eq!(outputs(&one, Mode::Train), outputs(&one, Mode::Eval));
    assert_ne!(outputs(&two, Mode::Train), outputs(&two, Mode::Eval));
    assert_ne!(outputs(&two, Mode::Train), outputs(&two, Mode::Train));
    assert_eq!(outputs(&two, Mode::Eval), outputs(&two, Mode::Eval));
}

#[test]
fn parameters_start_within_their_bounds() {
    let mut params: Params<f64> = Params::seeded(5);
    Lstm::builder(20, 100).layers(2).bidirectional().projection(30).build(params.root());
    for (name, _, values) in params.iter() {
        let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        assert!(largest <= 0.1 && largest > 0.098, "{name}: {largest}");
        let variance = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
        assert!((variance / (0.01 / 3.0) - 1.0).abs() < 0.25, "{name}: {variance}");
    }
    let mut params: Params<f64> = Params::seeded(5);
    Embedding::builder(1000, 50).padding(3).build(params.root());
    let (mean, square) = params.values().iter().fold((0.0, 0.0), |(m, s), v| (m + v / 5e4, s + v * v / 5e4));
    assert!(mean.abs() < 0.02 && (square - 0.999).abs() < 0.02, "{mean} {square}");
    assert!(params.values()[150..200].iter().all(|&v| v == 0.0));
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let mut params: Params = Params::seeded(1);
    let lstm = Lstm::builder(40, 100).bidirectional().build(params.root());
    let x: Tensor = wave(&[5, 70, 40], 0.3).value().cast();
    let run = || {
        let (loss, grads) =
            params.value_and_grad(|cx| lstm.forward(cx, &Var::constant(x.clone())).square().sum()).unwrap();
        (loss, grads.to_vec())
    };
    let expected = parallel::with_threads(1, run);
    for threads in [2, 3] {
        assert!(parallel::with_threads(threads, run) == expected);
    }
}

/// A layer in a sequence of layers, seen by a summary.
#[test]
fn a_recurrent_layer_is_a_layer_like_others() {
    let mut params: Params = Params::seeded(1);
    let model = Sequential::starting(params.at("net"), |p| Embedding::new(p, 10, 4))
        .with(|p| Gru::builder(4, 5).batch_first().build(p))
        .with(|p| Linear::new(p, 5, 10))
        .build();
    let tokens = Tensor::from([[1u32, 2, 3], [4, 5, 6]]);
    let (_, grads) =
        params.value_and_grad(|cx| model.forward(cx, &tokens).reshape([6, 10]).square().sum()).unwrap();
    assert_eq!(grads.len(), params.len());
    assert!(params.id("net.1.weight_hh_l0").is_some());
}

/// A scan over a cell, kept and computed again, is the layer; with dropout it draws the same in both.
#[test]
fn a_scan_over_a_cell_is_a_layer() {
    let mut params: Params<f64> = Params::seeded(1);
    let cell = GruCell::new(params.at("cell"), 2, 3);
    let xs = wave(&[11, 2, 2], 0.3);
    let step = |cell: GruCell| {
        move |cx: &Ctx<f64>, h: &Var<f64>, x: &Var<f64>| {
            let h = cell.step(cx, x, h);
            let y = Dropout::new(0.3).forward(cx, &h);
            (h, y)
        }
    };
    let loss = |y: Var<f64>| y.square().sum();
    let kept = |cx: &Ctx<f64>| loss(cx.scan(Scan::new(), step(cell.clone()), cell.zero_state([2]), &xs).1);
    let again = |cx: &Ctx<f64>| {
        let scan = Scan::new().recomputed();
        loss(cx.scan_recomputed(scan, step(cell.clone()), cell.zero_state([2]), &xs).1)
    };
    let mut same = params.clone();
    same.set_step(params.step());
    let (value, grads) = params.value_and_grad(kept).unwrap();
    let (found, recomputed) = same.value_and_grad(again).unwrap();
    assert!((found - value).abs() < 1e-13);
    for (a, b) in grads.iter().zip(recomputed.iter()) {
        assert!((a - b).abs() < 1e-13, "{a} {b}");
    }
    let mut by_hand = cell.zero_state([2]);
    params.infer(|cx| {
        let (end, _) = cx.scan(Scan::new(), step(cell.clone()), cell.zero_state([2]), &xs);
        for t in 0..11 {
            by_hand = cell.step(cx, &xs.select(0, t), &by_hand);
        }
        close(&end, &by_hand);
    });
}
