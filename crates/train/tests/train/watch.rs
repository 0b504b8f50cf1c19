//! What is seen of a model while it trains.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use wengert_data::{Dataset, synthetic};
use wengert_nn::{Conv2d, Ctx, Dropout, Flatten, Lambda, Layer, Linear, Losses, Params, Relu, Sequential};
use wengert_optim::{Adam, Sgd};
use wengert_tape::{Pass, Var};
use wengert_tensor::Tensor;
use wengert_train::watch::{Activations, Histogram, Watch, first_trouble};
use wengert_train::{Event, Moment, RunObserver, TrainError, Trainer};

fn digits() -> Dataset {
    synthetic::digits(120, 0)
}

fn model(params: &mut Params) -> Sequential {
    Sequential::builder(params.at("net"))
        .with(|p| Linear::new(p, 784, 8))
        .then(Relu)
        .with(|p| Linear::new(p, 8, 10))
        .build()
}

#[test]
fn a_watch_sees_what_the_steps_did() {
    let mut params: Params = Params::seeded(0);
    let model = model(&mut params);
    let at_start = params.values().to_vec();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let other = Arc::clone(&seen);
    let watch = Watch::every(5).histograms(4).each(move |table| other.lock().unwrap().push(table.clone()));
    /// Keeps the values of every step.
    struct All(Arc<Mutex<Vec<Vec<f32>>>>);
    impl RunObserver for All {
        fn on(&mut self, event: &Event<'_>, _: &Moment) -> ControlFlow<String> {
            if let Event::Step(step) = event {
                self.0.lock().unwrap().push(step.params.values().to_vec());
            }
            ControlFlow::Continue(())
        }
    }
    let values = Arc::new(Mutex::new(vec![at_start]));
    Trainer::new(&mut params, Sgd::new(0.1))
        .observe(watch.clone())
        .observe(All(Arc::clone(&values)))
        .batch_size(10)
        .fit(&digits(), 1, |cx: &Ctx, (images, labels)| model.forward(cx, images).cross_entropy(labels))
        .unwrap();
    let (seen, values) = (seen.lock().unwrap(), values.lock().unwrap());
    assert_eq!(seen.iter().map(|table| table.step).collect::<Vec<_>>(), [1, 5, 10]);
    assert_eq!(watch.latest().as_ref(), seen.last());
    for table in &*seen {
        assert_eq!(table.rows.len(), 4);
        let (before, after) = (&values[table.step as usize - 1], &values[table.step as usize]);
        let mut start = 0;
        for row in &table.rows {
            let range = start..start + row.shape.count();
            start = range.end;
            let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
            let pairs = before[range.clone()].iter().zip(&after[range.clone()]);
            let update = norm(&mut pairs.map(|(&b, &a)| f64::from(a) - f64::from(b)));
            let weight = norm(&mut before[range].iter().map(|&w| f64::from(w)));
            assert!(
                (row.update - update).abs() <= 1e-9 * update && (row.weight - weight).abs() <= 1e-6 * weight
            );
            // Plain descent.
            assert!((row.update - 0.1 * row.gradient).abs() <= 1e-4 * row.update, "{row:?}");
            assert_eq!(row.ratio(), row.update / row.weight);
            assert_eq!(row.not_finite, 0);
            let histogram = row.values.as_ref().unwrap();
            assert_eq!(histogram.counts.iter().sum::<u64>(), row.shape.count() as u64);
            assert_eq!(row.gradients.as_ref().unwrap().counts.len(), 4);
        }
    }
    let table = seen[2].to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("parameter") && lines[0].ends_with("update / weight"), "{table}");
    assert!(lines[1].starts_with("net.0.weight  [8, 784]"), "{table}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn with_accumulation_the_updates_are_seen() {
    let mut params: Params = Params::seeded(0);
    let model = model(&mut params);
    let steps = Arc::new(Mutex::new(Vec::new()));
    let other = Arc::clone(&steps);
    let watch = Watch::every(5).each(move |table| {
        assert!(table.rows.iter().all(|row| row.update > 0.0), "{table}");
        other.lock().unwrap().push(table.step);
    });
    Trainer::new(&mut params, Adam::new(1e-3))
        .accumulate(4)
        .observe(watch)
        .batch_size(10)
        .fit(&digits(), 1, |cx: &Ctx, (images, labels)| model.forward(cx, images).cross_entropy(labels))
        .unwrap();
    assert_eq!(*steps.lock().unwrap(), [4, 8, 12]);
}

#[test]
fn a_run_is_the_same_with_and_without_a_watch() {
    let run = |watched: bool| {
        let mut params: Params = Params::seeded(0);
        let model = model(&mut params);
        let mut trainer = Trainer::new(&mut params, Adam::new(1e-3)).batch_size(10);
        if watched {
            trainer = trainer.observe(Watch::every(1));
        }
        let loss = |cx: &Ctx, (images, labels): &(_, _)| model.forward(cx, images).cross_entropy(labels);
        trainer.fit(&digits(), 2, loss).unwrap();
        params.values().to_vec()
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn histograms_of_odd_numbers() {
    let of = |values: &[f64]| Histogram::of(values, 3);
    assert_eq!(of(&[]).counts, [0, 0, 0]);
    assert!(of(&[f64::NAN]).least.is_nan());
    assert_eq!(of(&[2.0, 2.0]).counts, [2, 0, 0]);
    let wide = of(&[-f64::MAX, 0.0, f64::MAX, f64::INFINITY]);
    assert_eq!((wide.counts, wide.not_finite), (vec![1, 1, 1], 1));
    assert!(std::panic::catch_unwind(|| Histogram::of(&[1.0], 0)).is_err());
    assert!(std::panic::catch_unwind(|| Watch::<f32>::every(0)).is_err());
}

#[test]
fn activations_of_layers_by_their_place() {
    let mut params: Params = Params::seeded(0);
    let model = Sequential::builder(params.at("net"))
        .with(|p| Conv2d::new(p, 1, 3, [3, 3]))
        .then(Relu)
        .then(Flatten::default())
        .with(|p| Linear::new(p, 12, 5))
        .then(Relu)
        .build();
    let bias = params.id("net.0.bias").unwrap();
    params.slice_mut(bias)[1] = -100.0;
    let activations = Activations::new();
    let x = Var::from(Tensor::<f32>::arange(0.0, 96.0, 1.0).sin().reshape([6, 1, 4, 4]));
    let mut outputs = Vec::new();
    for part in [0..2, 2..6] {
        outputs.push(params.infer(|cx| {
            activations.watch(cx);
            model.forward(cx, &x.slice(part))
        }));
    }
    let rows = activations.rows();
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    let last = rows.iter().rposition(|row| row.kind == "Relu").unwrap();
    let first = rows.iter().position(|row| row.kind == "Relu").unwrap();
    assert!(kinds.contains(&"Conv2d") && first < last, "{kinds:?}");
    assert_eq!((rows[first].units, rows[first].dead()), (3, vec![1]));
    assert!(rows[first].zeros > 0.33);
    let all: Vec<f32> = outputs.iter().flat_map(|y| y.value().to_vec()).collect();
    let mean = all.iter().map(|&x| f64::from(x)).sum::<f64>() / all.len() as f64;
    let variance = all.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / all.len() as f64;
    let row = &rows[last];
    assert_eq!((row.count, row.units), (30, 5));
    assert!((row.mean - mean).abs() < 1e-12 && (row.std - variance.sqrt()).abs() < 1e-12);
    assert_eq!(row.zeros, all.iter().filter(|&&x| x == 0.0).count() as f64 / 30.0);
    let table = activations.to_string();
    assert!(table.contains("Conv2d net.0") && table.contains("1 of 3"), "{table}");
    activations.reset();
    assert!(activations.rows().is_empty());
}

#[test]
fn activations_in_training_change_nothing() {
    let loss_of = |watched: bool| {
        let mut params: Params = Params::seeded(0);
        let model = Sequential::builder(params.root())
            .with(|p| Linear::new(p, 784, 10))
            .then(Dropout::new(0.5))
            .build();
        let activations = Activations::new();
        let x = Var::ones([3, 784]);
        let (loss, grads) = params
            .value_and_grad(|cx| {
                if watched {
                    activations.watch(cx);
                }
                model.forward(cx, &x).square().mean()
            })
            .unwrap();
        (loss, grads.to_vec())
    };
    assert_eq!(loss_of(false), loss_of(true));
}

#[test]
fn trouble_in_layers_losses_parameters_and_derivatives() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Sequential::builder(params.at("net"))
        .with(|p| Linear::new(p, 3, 3))
        .then(Lambda::new(|_, x: &Var<f64>| (x * 0.0).sqrt()))
        .with(|p| Linear::new(p, 3, 2))
        .build();
    let x = Var::ones([4, 3]);
    let loss = |cx: &Ctx<f64>| model.forward(cx, &x).square().mean();
    let trouble = first_trouble(&params, loss).unwrap();
    assert_eq!((trouble.fault.operation.as_str(), trouble.fault.pass), ("sqrt", Pass::Backward));
    assert!(trouble.fault.location.file().ends_with("watch.rs"), "{trouble}");
    assert!(trouble.parameters.is_empty());

    // In the loss, after the last layer.
    let mut line = 0;
    let in_loss = |cx: &Ctx<f64>| {
        line = line!() + 1;
        (model.forward(cx, &x) - 1e3).ln().mean()
    };
    let trouble = first_trouble(&params, in_loss).unwrap();
    assert_eq!((trouble.fault.operation.as_str(), trouble.fault.location.line()), ("ln", line));
    assert_eq!((trouble.after.as_deref(), trouble.before.as_deref()), (Some("Linear net.2"), None));

    // A parameter that is not finite, which a layer meets.
    let before = params.values().to_vec();
    params.slice_mut(params.id("net.2.weight").unwrap())[0] = f64::INFINITY;
    let trouble = first_trouble(&params, loss).unwrap();
    assert_eq!(trouble.parameters, ["net.2.weight"]);
    assert_eq!(trouble.before.as_deref(), Some("Linear net.2"));
    assert!(trouble.to_string().ends_with("not finite before: net.2.weight"), "{trouble}");
    params.set_values(&before);
    assert!(first_trouble(&params, |cx| model.forward(cx, &x).sum() * 0.0 + 1.0).is_some());
    assert!(first_trouble(&params, |cx| cx.param(params.id("net.0.weight").unwrap()).sum()).is_none());
    assert_eq!((params.step(), params.values()), (0, &before[..]));
}

#[test]
fn trouble_is_found_again_after_a_run_failed() {
    let mut params: Params = Params::seeded(0);
    let model =
        Sequential::builder(params.root()).with(|p| Linear::new(p, 784, 10)).then(Dropout::new(0.5)).build();
    // Only where dropout keeps the first output.
    let of = |cx: &Ctx, images: &Var| {
        let y = model.forward(cx, images);
        let first = y.slice(0..1).index_select(1, Tensor::from([0u32]));
        (1.0 - first.abs()).ln().sum() + y.square().mean()
    };
    params.set_values(&[1.0; 7850]);
    let images = Var::ones([4, 784]);
    let mut run = Trainer::new(&mut params, Sgd::new(1e-9)).start().unwrap();
    let mut found = None;
    for _ in run.epochs(1).unwrap() {
        for _ in 0..40 {
            match run.step(|cx| of(cx, &images)) {
                Ok(_) => {}
                Err(TrainError::Loss { .. }) => {
                    found = Some(first_trouble(run.params(), |cx| of(cx, &images)));
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    let trouble = found.expect("half of the steps fail").expect("the same random numbers");
    assert_eq!(trouble.fault.operation, "ln");
}
