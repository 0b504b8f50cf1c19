//! Frozen parameters keep their bits under every method, however it is stepped; panics leave parameters as they were.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert::optim::first::{ElasticNet, MaxNorm, SgdConfig};
use wengert::optim::{
    self, AdaptiveClip, Average, Averaged, Groups, Lion, Lookahead, Muon, Sam, ScheduleFreeAdamW, Shampoo,
    Stepper, clip_by_global_norm, global_norm,
};
use wengert::prelude::*;

/// A network of two layers and its data.
struct Case {
    params: Params,
    layers: [Linear; 2],
    x: Var,
    labels: Tensor<u32>,
}

impl Case {
    fn new() -> Self {
        let mut params = Params::seeded(3);
        let layers = [Linear::new(params.at("hidden"), 4, 6), Linear::new(params.at("out"), 6, 3)];
        let x = Var::from(Tensor::from_fn([5, 4], |i| ((i[0] * 7 + i[1] * 3) % 11) as f32 / 5.0 - 1.0));
        Case { params, layers, x, labels: Tensor::vector(&[0, 1, 2, 1, 0]) }
    }

    /// The hidden layer or a bias is frozen, the values of the frozen ones being odd.
    fn frozen(pattern: &str) -> Self {
        let mut case = Case::new();
        case.params.freeze(pattern);
        let id = case.params.id("hidden.bias").unwrap();
        case.params.slice_mut(id)[..3].copy_from_slice(&[-0.0, 1e-42, 1e30]);
        case
    }

    fn loss(&self) -> impl Fn(&Ctx) -> Var + use<> {
        let (layers, x, labels) = (self.layers.clone(), self.x.clone(), self.labels.clone());
        // The hidden values are finite whatever the bias.
        move |cx| {
            let hidden = layers[0].forward(cx, &x).tanh();
            layers[1].forward(cx, &hidden).cross_entropy(&labels)
        }
    }

    fn bits(&self, pattern: &str) -> Vec<u32> {
        let values = self.params.values();
        self.params.ranges(pattern).into_iter().flat_map(|r| &values[r]).map(|x| x.to_bits()).collect()
    }
}

/// Every method, methods with decay, and wrappers.
fn optimizers(layout: &optim::Layout) -> Vec<(String, Box<dyn Optimizer>)> {
    let adamw =
        || AdamW::with_config(0.1, optim::first::AdamWConfig { weight_decay: 0.5, ..Default::default() });
    let lion = optim::first::LionConfig { weight_decay: 0.5, ..Default::default() };
    let sgd = SgdConfig { momentum: 0.9, weight_decay: 0.5, ..Default::default() };
    let muon = optim::first::MuonConfig { weight_decay: 0.5, ..Default::default() };
    let shampoo = optim::first::ShampooConfig { weight_decay: 0.5, ..Default::default() };
    let free = optim::first::ScheduleFreeAdamWConfig { weight_decay: 0.5, ..Default::default() };
    let groups = Groups::of(layout).group("*.bias", |_| adamw()).rest(|_| adamw()).unwrap();
    let methods = optim::first::methods::<f32>();
    let plain = methods.iter().map(|m| (m.name.to_owned(), m.build(m.learning_rate, layout).unwrap()));
    let more: Vec<(&str, Box<dyn Optimizer>)> = vec![
        ("adamw, decay", Box::new(adamw().unwrap())),
        ("lion, decay", Box::new(Lion::with_config(0.1, lion).unwrap())),
        ("sgd, decay", Box::new(Sgd::with_config(0.1, sgd).unwrap())),
        ("muon, decay", Box::new(Muon::with_layout(0.1, muon, layout).unwrap())),
        ("shampoo, decay", Box::new(Shampoo::with_layout(0.1, shampoo, layout).unwrap())),
        ("schedule-free, decay", Box::new(ScheduleFreeAdamW::with_config(0.1, free).unwrap())),
        ("groups", Box::new(groups)),
        ("lookahead", Box::new(Lookahead::new(adamw().unwrap(), 2, 0.5))),
        ("sam", Box::new(Sam::new(adamw().unwrap(), 0.5))),
        ("lookahead sam", Box::new(Lookahead::new(Sam::new(adamw().unwrap(), 0.5), 2, 0.5))),
    ];
    plain.chain(more.into_iter().map(|(name, o)| (name.to_owned(), o))).collect()
}

#[test]
fn frozen_from_the_start_or_in_mid_run_nothing_moves_them() {
    let layout = Case::new().params.segments();
    for pattern in ["hidden.*", "*.bias", "out.weight"] {
        for frozen_at in [0, 4] {
            for by_step in [true, false] {
                for (name, mut optimizer) in optimizers(&layout) {
                    let label = format!("{name}, {pattern} from step {frozen_at}, by step: {by_step}");
                    let mut case = if frozen_at == 0 { Case::frozen(pattern) } else { Case::new() };
                    let loss = case.loss();
                    let mut mean = Averaged::new(Average::Exponential { decay: 0.5 });
                    let mut fixed = case.bits(pattern);
                    let start = case.params.values().to_vec();
                    for t in 0..10 {
                        if t == frozen_at {
                            case.params.freeze(pattern);
                            fixed = case.bits(pattern);
                        }
                        if by_step {
                            case.params.train_step(&mut *optimizer, &loss).unwrap();
                        } else {
                            let (_, mut grads) = case.params.value_and_grad(&loss).unwrap();
                            clip_by_global_norm(&mut grads, 0.5);
                            optimizer.step(&mut case.params.values_mut(), &grads);
                        }
                        if t < frozen_at {
                            continue;
                        }
                        assert_eq!(case.bits(pattern), fixed, "{label}, step {t}");
                        mean.update(case.params.values());
                        let averaged = &mut case.params.clone();
                        averaged.set_values(mean.params());
                        for range in case.params.ranges(pattern) {
                            let same = |a: f32, b: f32| a.to_bits() == b.to_bits();
                            let pairs =
                                averaged.values()[range.clone()].iter().zip(&case.params.values()[range]);
                            assert!(pairs.into_iter().all(|(a, b)| same(*a, *b)), "{label}, step {t}: mean");
                        }
                        let trained = case.params.values().to_vec();
                        let inside = case.params.evaluated(&*optimizer, |params| params.clone());
                        for range in inside.ranges(pattern) {
                            assert_eq!(inside.values()[range.clone()], trained[range], "{label}: evaluated");
                        }
                        assert_eq!(case.params.values(), trained, "{label}: after evaluated");
                    }
                    assert_ne!(case.params.values(), start, "{label}");
                    case.params.unfreeze(pattern);
                    case.params.train_step(&mut *optimizer, &loss).unwrap();
                    let gradients = optimizer.gradients_per_step();
                    assert!(gradients == 2 || case.bits(pattern) != fixed, "{label}: moves again");
                }
            }
        }
    }
}

#[test]
fn what_is_frozen_in_mid_run_stays_where_it_was() {
    // Three steps of Adam on w², then frozen: momentum would go on.
    let mut params: Params<f64> = Params::seeded(0);
    let id = params.root().param("w", [1], Init::Constant(1.0));
    let mut adam = Adam::new(0.1);
    for t in 0..6 {
        if t == 3 {
            assert_eq!(params.freeze("w"), 1);
        }
        let (_, grads) = params.value_and_grad(|cx| cx.param(id).square().sum()).unwrap();
        adam.step(&mut params.values_mut(), &grads);
    }
    assert!((params.values()[0] - 0.7015862729460302).abs() < 1e-12, "{}", params.values()[0]);
}

#[test]
fn steppers_penalties_and_limits_leave_them_too() {
    let mut case = Case::frozen("hidden.*");
    let (loss, layout, fixed) = (case.loss(), case.params.segments(), case.bits("hidden.*"));
    let stepper = Stepper::new(Adam::new(0.1), &layout).clip_norm(0.3).clip_value(0.2);
    let mut stepper = stepper.accumulate(2);
    stepper = stepper.clip_units(AdaptiveClip::new(0.1, 1e-3, &layout));
    let net = ElasticNet::new(0.1, 0.1);
    for _ in 0..8 {
        let (_, mut grads) = case.params.value_and_grad(&loss).unwrap();
        net.add_gradient(case.params.values(), &mut grads);
        stepper.step(&mut case.params.values_mut(), &mut grads).unwrap();
        net.proximal(&mut case.params.values_mut(), 0.1);
        MaxNorm::new(1e-3, "*").apply(&mut case.params.values_mut(), &layout);
        assert_eq!(case.bits("hidden.*"), fixed);
    }
}

#[test]
fn sam_leaves_them_out_of_its_perturbation() {
    let mut case = Case::frozen("hidden.*");
    let inner = case.loss();
    let fixed = case.bits("hidden.*");
    let mut sam = Sam::new(Sgd::new(0.1), 0.5);
    let hidden = case.params.id("hidden.weight").unwrap();
    let expected = case.params.tensor(hidden);
    let (weight, bias) = (case.params.id("out.weight").unwrap(), case.params.id("out.bias").unwrap());
    let start = [weight, bias].map(|id| case.params.slice(id).to_vec()).concat();
    let distances = std::cell::RefCell::new(Vec::new());
    case.params
        .train_step(&mut sam, |cx| {
            assert_eq!(*cx.param(hidden).value(), expected);
            let at = [weight, bias].map(|id| cx.param(id).value().to_vec()).concat();
            let way: Vec<f32> = at.iter().zip(&start).map(|(a, b)| a - b).collect();
            distances.borrow_mut().push(global_norm(&way));
            inner(cx)
        })
        .unwrap();
    assert_eq!(case.bits("hidden.*"), fixed);
    let distances = distances.into_inner();
    // At the start and at ρ, and never twice at the start.
    assert!(
        distances.len() == 2 && distances[0] == 0.0 && (distances[1] - 0.5).abs() < 1e-5,
        "{distances:?}"
    );
}

#[test]
fn a_panic_in_a_loss_or_an_evaluation_changes_nothing() {
    let layout = Case::new().params.segments();
    for (name, mut optimizer) in optimizers(&layout) {
        for panics_at in 1..=optimizer.gradients_per_step() {
            let mut case = Case::new();
            let loss = case.loss();
            let mut twin = case.params.clone();
            let untouched = optimizer.state();
            for t in 0..3 {
                let before = case.params.values().to_vec();
                let calls = std::cell::Cell::new(0);
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    case.params.train_step(&mut *optimizer, |cx| {
                        calls.set(calls.get() + 1);
                        assert!(calls.get() < panics_at, "the loss panics");
                        loss(cx)
                    })
                }));
                assert!(panic.is_err(), "{name}");
                assert_eq!(case.params.values(), before, "{name}, call {panics_at}, step {t}");
                let panic = catch_unwind(AssertUnwindSafe(|| {
                    case.params.evaluated(&*optimizer, |_| panic!("the evaluation panics"))
                }));
                assert!(panic.is_err(), "{name}");
                assert_eq!(case.params.values(), before, "{name}, evaluation at step {t}");
                case.params.train_step(&mut *optimizer, &loss).unwrap();
            }
            // As if nothing had happened.
            let after = optimizer.state();
            optimizer.load_state(&untouched).unwrap();
            for _ in 0..3 {
                twin.train_step(&mut *optimizer, &loss).unwrap();
            }
            assert_eq!(twin.values(), case.params.values(), "{name}, call {panics_at}");
            assert_eq!(optimizer.state(), after, "{name}, call {panics_at}");
            optimizer.load_state(&untouched).unwrap();
        }
    }
}

#[test]
fn a_loss_that_does_not_reach_a_parameter_leaves_the_optimiser_alone() {
    let layout = Case::new().params.segments();
    for (name, mut optimizer) in optimizers(&layout) {
        let mut case = Case::new();
        let before = (case.params.values().to_vec(), optimizer.state());
        let id = case.params.id("out.bias").unwrap();
        let error = case.params.train_step(&mut *optimizer, |cx| cx.param(id).square().sum());
        assert!(error.is_err(), "{name}");
        assert_eq!((case.params.values().to_vec(), optimizer.state()), before, "{name}");
    }
}
