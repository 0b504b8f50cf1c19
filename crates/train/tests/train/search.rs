//! Settings that are found by trying.

use std::cell::Cell;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_data::synthetic;
use wengert_nn::{BatchNorm1d, Ctx, Dropout, Layer, Linear, Losses, Params, Relu, Sequential};
use wengert_optim::first::by_name;
use wengert_optim::schedule::RangeTest;
use wengert_optim::{Adam, Optimizer, Sgd};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::search::{largest_batch, range_test};
use wengert_train::{Segments, TrainError, Training};

fn model(params: &mut Params) -> Sequential {
    Sequential::builder(params.root())
        .with(|p| Linear::new(p, 784, 12))
        .with(|p| BatchNorm1d::new(p, 12))
        .then(Relu)
        .then(Dropout::new(0.2))
        .with(|p| Linear::new(p, 12, 10))
        .build()
}

#[test]
fn a_range_test_leaves_everything_as_it_was() {
    let data = synthetic::digits(100, 0);
    for name in ["sgd", "adam", "sam", "schedule_free_adamw"] {
        let mut params: Params = Params::seeded(0);
        let model = model(&mut params);
        params.freeze("0.bias");
        let mut optimizer = by_name::<f32>(name, None, &params.segments()).unwrap();
        let loss =
            |cx: &Ctx, (images, labels): &(Var, Tensor<u32>)| model.forward(cx, images).cross_entropy(labels);
        // After some steps, and with random numbers under way.
        for batch in data.batches(50) {
            params.train_step(&mut *optimizer, |cx| loss(cx, &batch)).unwrap();
        }
        let before = (params.state(), optimizer.state());
        let test = RangeTest::new(1e-6, 1e3, 60);
        let test =
            range_test(test, &mut params, &mut *optimizer, |epoch| data.batches(10).shuffled(epoch), loss);
        let test = test.unwrap();
        assert_eq!((params.state(), optimizer.state()), before, "{name}");
        // Six epochs of ten batches, unless the loss exploded.
        assert!(test.points().len() > 10 && test.points().len() <= 60, "{name}: {}", test.points().len());
        assert!(test.points()[0].rate == 1e-6);
        // It goes on as if nothing had been.
        let batch = data.batches(50).next().unwrap();
        let after = params.train_step(&mut *optimizer, |cx| loss(cx, &batch)).unwrap();
        assert!(after.is_finite());
    }
}

#[test]
fn a_range_test_stops_where_the_loss_explodes() {
    let mut params: Params<f64> = Params::seeded(0);
    let line = Linear::new(params.root(), 1, 1);
    let (x, y) = (Var::from([[0.0], [1.0], [2.0]]), Var::from([[3.0], [5.0], [7.0]]));
    let before = params.values().to_vec();
    let mut sgd = Sgd::new(0.5);
    let test = RangeTest::new(1e-4, 1e4, 300);
    let test =
        range_test(test, &mut params, &mut sgd, |_| [(); 7], |cx, _| line.forward(cx, &x).mse(&y)).unwrap();
    assert!(test.points().len() < 300);
    let suggestion = test.suggestion().unwrap();
    assert!((1e-3..0.5).contains(&suggestion), "{suggestion}");
    assert_eq!((params.values(), Optimizer::<f64>::learning_rate(&sgd)), (&before[..], 0.5));
}

#[test]
fn what_a_range_test_cannot_do() {
    let mut params: Params = Params::seeded(0);
    let line = Linear::new(params.at("line"), 1, 1);
    Linear::new(params.at("other"), 1, 1);
    let mut adam = Adam::new(0.1);
    adam.step(&mut [0.0f32; 4], &[1.0; 4]);
    let before = (params.state(), Optimizer::<f32>::state(&adam));
    let x = Var::ones([2, 1]);
    let loss = |cx: &Ctx, _: &()| line.forward(cx, &x).square().mean();
    let test = || RangeTest::new(1e-3, 1.0, 10);
    let error = range_test(test(), &mut params, &mut adam, |_| [()], loss).unwrap_err();
    assert!(error.to_string().contains("`other.weight`"), "{error}");
    let error = range_test(test(), &mut params, &mut adam, |_| Vec::<()>::new(), loss).unwrap_err();
    assert!(matches!(error, TrainError::NoBatches { .. }), "{error}");
    params.allow_unreached(true);
    let calls = Cell::new(0);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let failing = |cx: &Ctx, _: &()| {
            calls.set(calls.get() + 1);
            assert!(calls.get() < 4, "of the loss");
            line.forward(cx, &x).square().mean()
        };
        range_test(test(), &mut params, &mut adam, |_| [()], failing)
    }));
    assert!(caught.is_err());
    assert_eq!((params.state(), Optimizer::<f32>::state(&adam)), before);
}

#[test]
fn the_largest_batch_is_found_and_hardly_exceeded() {
    let mut params: Params = Params::seeded(0);
    let model = model(&mut params);
    let before = params.state();
    let step = |params: &mut Params, size: usize| {
        let x = Var::ones([size, 784]);
        let (_, grads) = params.value_and_grad(|cx| model.forward(cx, &x).square().mean()).unwrap();
        params.update(&mut Sgd::new(0.1), &grads);
    };
    let budget = 3 << 20;
    let (mut most, mut tries) = (0, Vec::new());
    let found = largest_batch(&mut params, budget, 2..=usize::MAX, |params, size| {
        wengert_tensor::memory::reset_peak();
        let live = wengert_tensor::memory::stats().live_bytes;
        step(params, size);
        let taken = (wengert_tensor::memory::stats().peak_bytes - live) as usize;
        most = most.max(taken);
        tries.push((size, taken));
    })
    .unwrap();
    assert_eq!(params.state(), before);
    assert!(found.bytes <= budget && found.size > 300, "{found:?} {tries:?}");
    // The next was tried, and does not fit.
    let next = tries.iter().find(|(size, _)| *size == found.size + 1).expect("the next was tried");
    assert!(next.1 > budget, "{tries:?}");
    assert!(most < 2 * budget && tries.len() < 40, "{tries:?}");

    assert_eq!(largest_batch(&mut params, budget, 3..=17, step).unwrap().size, 17);
    assert_eq!(largest_batch(&mut params, budget, 2..=2, step).unwrap().size, 2);
    assert_eq!(largest_batch(&mut params, budget, RangeInclusive::new(3, 2), step), None);
    assert_eq!(largest_batch(&mut params, 1000, 2..=64, step), None);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        largest_batch(&mut params, budget, 2..=64, |params, size| {
            step(params, size);
            assert!(size < 8, "of the step");
        })
    }));
    assert!(caught.is_err());
    assert_eq!(params.state(), before);
    let none = catch_unwind(AssertUnwindSafe(|| largest_batch(&mut params, budget, 0..=4, step)));
    let message = none.unwrap_err();
    assert_eq!(message.downcast_ref(), Some(&"largest_batch: a batch of 0 examples is none"));
}

/// Other threads compute parts of tensors that this one has made. Their number is set once in a process, so the test starts
/// itself with each.
#[test]
fn a_step_takes_the_same_memory_with_any_number_of_threads() {
    const THREADS: &str = "WENGERT_SEARCH_THREADS";
    if let Ok(threads) = std::env::var(THREADS) {
        wengert_tensor::parallel::set_threads(threads.parse().unwrap()).unwrap();
        let mut params: Params = Params::seeded(0);
        let wide = Sequential::builder(params.root())
            .with(|p| Linear::new(p, 64, 128))
            .with(|p| wengert_nn::LayerNorm::new(p, 128))
            .then(Relu)
            .with(|p| Linear::new(p, 128, 10))
            .build();
        let found = largest_batch(&mut params, 2 << 20, 1..=100_000, |params, size| {
            let (x, labels) = (Var::ones([size, 64]), Tensor::zeros([size]));
            params.value_and_grad(|cx| wide.forward(cx, &x).cross_entropy(&labels)).unwrap();
        });
        let found = found.unwrap();
        // Enough for kernels to be shared out.
        assert!(found.size > 200, "{found:?}");
        println!("found {found:?}");
        return;
    }
    let [one, two, four] = ["1", "2", "4"].map(|threads| {
        let name = "search::a_step_takes_the_same_memory_with_any_number_of_threads";
        let mut program = std::process::Command::new(std::env::current_exe().unwrap());
        let output = program.args([name, "--exact", "--nocapture"]).env(THREADS, threads).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split("found ").nth(1).and_then(|found| found.lines().next()).expect(&text).to_owned()
    });
    assert_eq!((&two, &four), (&one, &one));
}

#[test]
fn the_search_ends_whatever_the_steps_take() {
    let mut params: Params = Params::seeded(0);
    let mut tried = 0;
    // Steps up and down, and more the larger they are: any shape of cost.
    for shape in 0..40usize {
        let cost = |size: usize| match shape % 4 {
            0 => 64 * size * (1 + shape),
            1 => 64 * (1000 + size / (1 + shape)),
            2 => 64 * size * size,
            _ => 64 * (size + 37 * (size % (3 + shape))),
        };
        let budget = 1 << 20;
        let found = largest_batch(&mut params, budget, 1..=5000, |_, size| {
            tried += 1;
            drop(Tensor::<f32>::zeros([cost(size) / 4]));
        });
        let found = found.unwrap();
        assert!(
            found.bytes <= budget && found.bytes + found.bytes / 4 + 64 >= cost(found.size),
            "{shape}: {found:?}"
        );
    }
    assert!(tried < 40 * 60, "{tried}");
}
