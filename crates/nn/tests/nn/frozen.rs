//! Writing parameters of which some are frozen, and the patterns that choose them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_nn::*;
use wengert_tensor::random::Generator;

fn network() -> Params<f64> {
    let mut params = Params::seeded(0);
    Linear::new(params.at("hidden"), 3, 2);
    Linear::new(params.at("out"), 2, 1);
    params.root().param("bias", [2], Init::Constant(-0.0));
    params
}

#[test]
fn the_guard_gives_frozen_values_back() {
    let mut params = network();
    let before = params.values().to_vec();
    assert_eq!(params.freeze("hidden.bias") + params.freeze("out.*"), 3);
    params.values_mut().fill(f64::NAN);
    let frozen = |i: usize| (6..11).contains(&i);
    for (i, (now, before)) in params.values().iter().zip(&before).enumerate() {
        assert_eq!(now.to_bits(), if frozen(i) { before.to_bits() } else { f64::NAN.to_bits() }, "{i}");
    }
    // Also by a panic, and in a clone.
    let mut clone = params.clone();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let mut values = clone.values_mut();
        values.fill(5.0);
        assert!(values.iter().all(|&x| x == 5.0) && values.len() == 13);
        panic!("in mid-write")
    }));
    assert!(panic.is_err());
    assert_eq!(clone.values()[6..11], before[6..11]);
    assert_eq!(clone.values()[..6], [5.0; 6]);
    // A model that grows afterwards.
    params.root().param("late", [2], Init::Zeros);
    params.values_mut().fill(1.0);
    assert_eq!((&params.values()[6..11], &params.values()[13..]), (&before[6..11], &[1.0, 1.0][..]));
    assert_eq!(params.unfreeze("*"), 6);
    params.values_mut().fill(2.0);
    assert_eq!(params.values(), [2.0; 15]);
}

#[test]
fn the_owner_writes_what_it_is_told() {
    let mut params = network();
    params.freeze("*");
    let id = params.id("out.bias").unwrap();
    params.slice_mut(id).fill(3.0);
    assert_eq!(params.get("out.bias").unwrap(), [3.0]);
    params.set_values(&[4.0; 13]);
    assert_eq!(params.values(), [4.0; 13]);
    params.values_mut().fill(5.0);
    assert_eq!(params.values(), [4.0; 13]);
}

#[test]
fn random_freezing_and_writing() {
    let names = ["hidden.weight", "hidden.bias", "out.weight", "out.bias", "bias"];
    let patterns = ["*", "*.weight", "bias", "*bias", "out.*", "hidden.????", "h*t", "?ut.*"];
    let mut params = network();
    let (mut frozen, mut expected) = ([false; 5], params.values().to_vec());
    let places = names.map(|name| params.ranges(name)[0].clone());
    let mut generator = Generator::seeded(5);
    for round in 0..4000 {
        let pattern = patterns[generator.below(8) as usize];
        let fits: Vec<usize> = (0..5).filter(|&i| name_matches(pattern, names[i])).collect();
        match generator.below(4) {
            0 => {
                assert_eq!(params.freeze(pattern), fits.len());
                fits.iter().for_each(|&i| frozen[i] = true);
            }
            1 => {
                assert_eq!(params.unfreeze(pattern), fits.len());
                fits.iter().for_each(|&i| frozen[i] = false);
            }
            2 => {
                let value = f64::from(round);
                params.values_mut().fill(value);
                (0..5).filter(|&i| !frozen[i]).for_each(|i| expected[places[i].clone()].fill(value));
            }
            _ => {
                let i = generator.below(5) as usize;
                let id = params.id(names[i]).unwrap();
                params.slice_mut(id).fill(-1.0);
                expected[places[i].clone()].fill(-1.0);
            }
        }
        assert_eq!(params.values(), expected, "round {round}");
    }
}

#[test]
fn a_pattern_is_matched_against_whole_names() {
    let params = network();
    assert_eq!(params.ranges("bias").first(), Some(&(11..13)));
    assert_eq!(params.ranges("*.bias"), [6..8, 10..11]);
    assert_eq!(params.ranges("*bias"), [6..8, 10..13]);
    assert_eq!(params.ranges("???.*").first(), Some(&(8..11)));
    assert!(params.ranges("hiden.*").is_empty());
}
