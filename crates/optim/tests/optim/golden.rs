//! Every optimiser against PyTorch, optax and formulas in NumPy: 60 steps in f64 (see `golden/make.py`).

use std::collections::BTreeMap;

use wengert_optim::first::*;

/// The error allowed, relative to parameters of about 1.
const TOLERANCE: f64 = 1e-9;

type Optimiser = Box<dyn Optimizer<f64>>;

fn layout() -> Layout {
    Layout::new([("w", vec![4, 3]), ("b", vec![2])])
}

fn gradient(p: &[f64], step: usize, sparse: bool) -> Vec<f64> {
    let one = |(i, &p): (usize, &f64)| {
        if sparse && !(7 * step + 3 * i).is_multiple_of(5) {
            return 0.0;
        }
        let curvature = 0.5 + 0.25 * (i % 4) as f64;
        curvature * (p - (i as f64).cos()) + 0.3 * (0.7 * step as f64 + i as f64).sin()
    };
    p.iter().enumerate().map(one).collect()
}

/// Steps as `make.py` does and compares; `prepare` changes the gradient before each step.
fn check(name: &str, base: f64, mut optimizer: Optimiser, prepare: impl Fn(&[f64], &mut [f64])) {
    let golden: BTreeMap<String, Vec<Vec<f64>>> =
        serde_json::from_str(include_str!("../golden/optimizers.json")).unwrap();
    let start = optimizer.state();
    for sparse in [false, true] {
        let name = if sparse { format!("{name} sparse") } else { name.to_owned() };
        let expected = golden.get(&name).unwrap_or_else(|| panic!("no golden numbers for {name}"));
        let every = 60 / expected.len();
        optimizer.load_state(&start).unwrap();
        let mut p: Vec<f64> = (0..14).map(|i| 1.0 + 0.5 * (3.0 * i as f64).sin()).collect();
        let mut shown = p.clone();
        for step in 1..=60 {
            let rate = if name.contains("constant") {
                base
            } else {
                base * (1.0 + 0.5 * (step as f64 / 10.0).cos())
            };
            optimizer.set_learning_rate(rate);
            let mut g = gradient(&p, step, sparse);
            prepare(&p, &mut g);
            optimizer.step(&mut p, &g);
            if step % every == 0 {
                optimizer.write_evaluation(&p, &mut shown);
                for (i, (a, b)) in shown.iter().zip(&expected[step / every - 1]).enumerate() {
                    assert!((a - b).abs() < TOLERANCE, "{name}, step {step}, element {i}: {a} is not {b}");
                }
            }
        }
    }
}

fn elementwise<R: NeedsNoLayout + 'static>(name: &str, rate: f64, config: R) {
    check(name, rate, Box::new(FirstOrder::<R, f64>::with_config(rate, config).unwrap()), |_, _| ());
}

fn shaped<R: Rule + 'static>(name: &str, rate: f64, config: R) {
    let optimizer = FirstOrder::<R, f64>::with_layout(rate, config, &layout()).unwrap();
    check(name, rate, Box::new(optimizer), |_, _| ());
}

/// Runs `case` without and with decay.
fn with_decay(name: &str, case: impl Fn(&str, f64)) {
    case(name, 0.0);
    case(&format!("{name} decay"), 0.1);
}

#[test]
fn torch() {
    with_decay("torch sgd", |n, weight_decay| {
        elementwise(n, 0.05, SgdConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch momentum", |n, weight_decay| {
        elementwise(n, 0.05, SgdConfig { momentum: 0.9, weight_decay, ..Default::default() });
        elementwise(n, 0.05, MomentumConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch momentum dampening", |n, weight_decay| {
        elementwise(n, 0.05, SgdConfig { momentum: 0.9, dampening: 0.3, weight_decay, ..Default::default() });
    });
    with_decay("torch nesterov", |n, weight_decay| {
        elementwise(n, 0.05, SgdConfig { momentum: 0.9, nesterov: true, weight_decay, ..Default::default() });
        elementwise(n, 0.05, NesterovConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch adagrad", |n, weight_decay| {
        elementwise(n, 0.1, AdagradConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch adagrad rate_decay", |n, weight_decay| {
        let config = AdagradConfig::default();
        let config = AdagradConfig { rate_decay: 0.01, initial_accumulator: 0.2, epsilon: 1e-6, ..config };
        elementwise(n, 0.1, AdagradConfig { weight_decay, ..config });
    });
    with_decay("torch adadelta", |n, weight_decay| {
        elementwise(n, 1.0, AdadeltaConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch rmsprop", |n, weight_decay| {
        elementwise(n, 0.01, RmspropConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch rmsprop momentum", |n, weight_decay| {
        elementwise(n, 0.01, RmspropConfig { momentum: 0.9, weight_decay, ..Default::default() });
    });
    let centered = RmspropConfig { centered: true, epsilon: 1e-4, ..Default::default() };
    with_decay("torch rmsprop centered", |n, weight_decay| {
        elementwise(n, 0.01, RmspropConfig { weight_decay, ..centered });
    });
    with_decay("torch rmsprop centered momentum", |n, weight_decay| {
        elementwise(n, 0.01, RmspropConfig { momentum: 0.9, weight_decay, ..centered });
    });
    with_decay("torch adam", |n, weight_decay| {
        elementwise(n, 0.02, AdamConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch amsgrad", |n, weight_decay| {
        elementwise(n, 0.02, AmsgradConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch adamw", |n, weight_decay| {
        elementwise(n, 0.02, AdamWConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch adamax", |n, weight_decay| {
        elementwise(n, 0.02, AdaMaxConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch nadam", |n, weight_decay| {
        elementwise(n, 0.02, NadamConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch radam", |n, weight_decay| {
        elementwise(n, 0.02, RAdamConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch adafactor", |n, weight_decay| {
        shaped(n, 0.05, AdafactorConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch schedule_free_sgd", |n, weight_decay| {
        elementwise(n, 0.1, ScheduleFreeSgdConfig { weight_decay, ..Default::default() });
    });
    with_decay("torch schedule_free_adamw", |n, weight_decay| {
        elementwise(n, 0.02, ScheduleFreeAdamWConfig { weight_decay, step_power: 0.5, ..Default::default() });
    });
    let decoupled = NadamConfig { weight_decay: 0.1, decoupled: true, ..Default::default() };
    elementwise("torch nadam decoupled", 0.02, decoupled);
    let decoupled = RAdamConfig { weight_decay: 0.1, decoupled: true, ..Default::default() };
    elementwise("torch radam decoupled", 0.02, decoupled);
    elementwise("torch rprop constant", 0.01, RpropConfig::default());
}

#[test]
fn optax() {
    let convention = Convention::Optax;
    with_decay("optax momentum", |n, weight_decay| {
        elementwise(n, 0.05, MomentumConfig { weight_decay, convention, ..Default::default() });
    });
    with_decay("optax nesterov", |n, weight_decay| {
        elementwise(n, 0.05, NesterovConfig { weight_decay, convention, ..Default::default() });
    });
    with_decay("optax adagrad", |n, weight_decay| {
        elementwise(n, 0.1, AdagradConfig { weight_decay, ..AdagradConfig::of(convention) });
    });
    let rmsprop = RmspropConfig::of(convention);
    with_decay("optax rmsprop", |n, weight_decay| {
        elementwise(n, 0.01, RmspropConfig { weight_decay, ..rmsprop })
    });
    with_decay("optax rmsprop momentum", |n, weight_decay| {
        elementwise(n, 0.01, RmspropConfig { momentum: 0.9, weight_decay, ..rmsprop });
    });
    with_decay("optax rmsprop centered momentum", |n, weight_decay| {
        let config = RmspropConfig { momentum: 0.9, centered: true, epsilon: 1e-4, ..rmsprop };
        elementwise(n, 0.01, RmspropConfig { weight_decay, ..config });
    });
    with_decay("optax adam", |n, weight_decay| {
        elementwise(n, 0.02, AdamConfig { epsilon_root: 1e-6, weight_decay, ..Default::default() });
    });
    with_decay("optax amsgrad", |n, weight_decay| {
        elementwise(n, 0.02, AmsgradConfig { weight_decay, convention, ..Default::default() });
    });
    with_decay("optax adamax", |n, weight_decay| {
        elementwise(n, 0.02, AdaMaxConfig { weight_decay, convention, ..Default::default() });
    });
    with_decay("optax nadam", |n, weight_decay| {
        elementwise(n, 0.02, NadamConfig { weight_decay, convention, ..Default::default() });
    });
    with_decay("optax nadam decoupled", |n, weight_decay| {
        elementwise(n, 0.02, NadamConfig { weight_decay, decoupled: true, convention, ..Default::default() });
    });
    with_decay("optax radam", |n, weight_decay| {
        elementwise(n, 0.02, RAdamConfig { weight_decay, convention, ..Default::default() });
    });
    with_decay("optax adadelta", |n, weight_decay| {
        elementwise(n, 1.0, AdadeltaConfig { weight_decay, ..Default::default() });
    });
    with_decay("optax adamw", |n, weight_decay| {
        elementwise(n, 0.02, AdamWConfig { weight_decay, ..Default::default() });
    });
    with_decay("optax lion", |n, weight_decay| {
        elementwise(n, 0.01, LionConfig { weight_decay, ..Default::default() });
    });
    with_decay("optax adan", |n, weight_decay| {
        elementwise(n, 0.02, AdanConfig { weight_decay, ..AdanConfig::of(convention) });
    });
    with_decay("optax lamb", |n, weight_decay| {
        shaped(n, 0.02, LambConfig { weight_decay, ..Default::default() });
    });
    with_decay("optax lars", |n, weight_decay| {
        shaped(n, 0.5, LarsConfig { trust: 0.02, weight_decay, ..Default::default() });
    });
    with_decay("optax lars nesterov", |n, weight_decay| {
        let config = LarsConfig { trust: 0.02, epsilon: 1e-3, nesterov: true, ..Default::default() };
        shaped(n, 0.5, LarsConfig { weight_decay, ..config });
    });
    with_decay("optax muon", |n, weight_decay| {
        shaped(n, 0.02, MuonConfig { weight_decay, ..MuonConfig::of(convention) });
    });
    with_decay("optax adafactor", |n, decay| {
        shaped(n, 0.05, AdafactorConfig { weight_decay: 0.1 * decay, ..AdafactorConfig::of(convention) });
    });
    with_decay("optax schedule_free_sgd constant", |n, weight_decay| {
        elementwise(n, 0.1, ScheduleFreeSgdConfig { weight_decay, ..Default::default() });
    });
    with_decay("optax schedule_free_adamw constant", |n, weight_decay| {
        elementwise(n, 0.02, ScheduleFreeAdamWConfig { weight_decay, ..Default::default() });
    });
}

#[test]
fn optax_wrappers() {
    let lookahead = Lookahead::new(Adam::<f64>::new(0.05), 6, 0.5);
    check("optax lookahead", 0.05, Box::new(lookahead), |_, _| ());
    // optax alternates ascending and descending calls, as `step` does, and shows the parameters after each.
    let sam = Sam::new(Sgd::<f64>::new(0.1), 0.05);
    check("optax sam constant", 0.1, Box::new(sam), |_, _| ());
}

#[test]
fn optax_clipping() {
    let sgd = || Box::new(Sgd::<f64>::new(0.1));
    let units = AdaptiveClip::new(0.01, 1e-3, &layout());
    check("optax adaptive_grad_clip", 0.5, sgd(), |p, g| units.apply(p, g));
    check("optax clip_by_global_norm", 0.1, sgd(), |_, g| {
        clip_by_global_norm(g, 0.7);
    });
}

#[test]
fn papers() {
    let convention = Convention::Paper;
    elementwise("paper momentum", 0.05, MomentumConfig { convention, ..Default::default() });
    elementwise("paper nesterov", 0.05, NesterovConfig { convention, ..Default::default() });
    elementwise("paper amsgrad", 0.02, AmsgradConfig { convention, ..Default::default() });
    elementwise("paper adamax", 0.02, AdaMaxConfig { convention, ..Default::default() });
    elementwise("paper nadam", 0.02, NadamConfig { convention, ..Default::default() });
    elementwise("paper radam", 0.02, RAdamConfig { convention, ..Default::default() });
    elementwise("paper rprop constant", 0.01, RpropConfig { convention, ..Default::default() });
    with_decay("paper adan", |n, weight_decay| {
        elementwise(n, 0.02, AdanConfig { weight_decay, ..AdanConfig::of(convention) });
    });
    with_decay("paper lars", |n, weight_decay| {
        shaped(n, 0.5, LarsConfig { trust: 0.02, weight_decay, convention, ..Default::default() });
    });
    with_decay("paper shampoo", |n, weight_decay| {
        let config = ShampooConfig { epsilon: 1e-3, interval: 1, ..Default::default() };
        shaped(n, 0.1, ShampooConfig { weight_decay, ..config });
    });
}
