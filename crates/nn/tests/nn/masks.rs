//! Dropout of all kinds: which elements fall together, how often, with which values; by seed, step and draw; replayed.

use wengert_nn::*;
use wengert_tape::{Tape, Var, grad};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

type Make = fn(f64) -> Box<dyn Layer<f64>>;

/// Each kind, and how many neighbours fall together in a tensor of shape [40, 25, 2, 3] or [40, 25, 6].
fn kinds() -> Vec<(&'static str, Make, usize)> {
    vec![
        ("Dropout", |p| Box::new(Dropout::new(p)), 1),
        ("Dropout2d", |p| Box::new(Dropout2d::new(p)), 6),
        ("AlphaDropout", |p| Box::new(AlphaDropout::new(p)), 1),
        ("FeatureAlphaDropout", |p| Box::new(FeatureAlphaDropout::new(p)), 6),
        ("DropPath", |p| Box::new(DropPath::new(p)), 150),
    ]
}

fn drawn(params: &Params<f64>, layer: &dyn Layer<f64>, x: &Var<f64>) -> Vec<f64> {
    layer.forward(&params.context(Mode::Train, &[]), x).value().to_vec()
}

#[test]
fn parts_fall_together_and_as_often_as_they_should() {
    let params: Params<f64> = Params::seeded(3);
    let x = Var::ones([40, 25, 2, 3]);
    for (name, make, together) in kinds() {
        let p = 0.3;
        let y = drawn(&params, &*make(p), &x);
        let first: Vec<f64> = y.chunks(together).map(|part| part[0]).collect();
        for (part, &first) in y.chunks(together).zip(&first) {
            assert!(part.iter().all(|&y| y == first), "{name}");
        }
        // Two values: that of what falls, and that of what stays.
        let alpha = name.contains("Alpha");
        let (limit, q) = (1.758_099_340_847_376_6, 1.0 - p);
        let scale = (q * (1.0 + p * limit * limit)).sqrt().recip();
        let [gone, kept] =
            if alpha { [-limit * scale * q, scale * (1.0 + limit * p)] } else { [0.0, 1.0 / q] };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(first.iter().all(|&y| near(y, gone) || near(y, kept)), "{name} {gone} {kept}");
        let share = first.iter().filter(|&&y| near(y, gone)).count() as f64 / first.len() as f64;
        let error = (p * q / first.len() as f64).sqrt();
        assert!((share - p).abs() < 4.0 * error, "{name}: {share}");
    }
}

#[test]
fn masks_depend_on_seed_step_and_draw_alone() {
    let x = Var::ones([40, 25, 2, 3]);
    for (name, make, _) in kinds() {
        let layer = make(0.5);
        let mut params: Params<f64> = Params::seeded(3);
        let first = drawn(&params, &*layer, &x);
        assert_eq!(drawn(&params, &*layer, &x), first, "{name}");
        let cx = params.context(Mode::Train, &[]);
        let draws = [(); 2].map(|()| layer.forward(&cx, &x).value().to_vec());
        assert!(draws[0] == first && draws[1] != first, "{name}");
        assert_ne!(drawn(&Params::seeded(4), &*layer, &x), first, "{name}");
        params.set_step(1);
        assert_ne!(drawn(&params, &*layer, &x), first, "{name}");
    }
}

#[test]
fn nothing_falls_in_evaluation_nor_with_probability_0_and_all_with_1() {
    let params: Params<f64> = Params::seeded(3);
    let x = Var::from(Tensor::normal([4, 5, 2, 3], 0.0, 1.0, &mut Generator::seeded(1)));
    for (name, make, _) in kinds() {
        let y = params.infer(|cx| make(0.5).forward(cx, &x));
        assert_eq!(y.value(), x.value(), "{name}");
        assert_eq!(drawn(&params, &*make(0.0), &x), x.value().to_vec(), "{name}");
        assert_eq!(drawn(&params, &*make(1.0), &x), vec![0.0; 120], "{name}");
        // What falls adds nothing to a gradient, not even if it is infinite.
        let f = |x: &Var<f64>| make(1.0).forward(&params.context(Mode::Train, &[]), x).sum();
        assert_eq!(grad(f, &(&x * 0.0 + f64::INFINITY)).value().abs().max().item(), 0.0, "{name}");
        for shape in [[0, 5, 2, 3], [2, 5, 0, 3]] {
            assert_eq!(drawn(&params, &*make(0.5), &Var::zeros(shape)), [0.0; 0], "{name}");
        }
    }
}

/// A recording with the key as its input gives the masks of another key.
#[test]
fn masks_are_replayed_with_other_keys() {
    let params: Params<f64> = Params::seeded(3);
    let x = Var::ones([40, 25, 2, 3]);
    for (name, make, _) in kinds() {
        let layer = make(0.5);
        let tape = Tape::complete();
        let key = tape.discrete(params.key().value().clone());
        let cx = params.context(Mode::Train, &[]).with_key(&key);
        let y = layer.forward(&cx, &x);
        assert!(tape.position(&y).is_some(), "{name}: the mask is a constant of the recording");
        assert_eq!(y.value().to_vec(), drawn(&params, &*layer, &x), "{name}");
    }
}

#[test]
fn one_example_without_a_batch() {
    let params: Params<f64> = Params::seeded(3);
    let whole = |y: Vec<f64>, length: usize| y.chunks(length).all(|c| c.iter().all(|&y| y == c[0]));
    assert!(whole(drawn(&params, &Dropout1d::new(0.5), &Var::ones([50, 7])), 7));
    assert!(whole(drawn(&params, &Dropout1d::new(0.5), &Var::ones([5, 10, 7])), 7));
    assert!(whole(drawn(&params, &Dropout2d::new(0.5), &Var::ones([50, 2, 3])), 6));
    assert!(whole(drawn(&params, &Dropout3d::new(0.5), &Var::ones([50, 2, 1, 3])), 6));
    assert!(whole(drawn(&params, &Dropout3d::new(0.5), &Var::ones([5, 10, 2, 1, 3])), 6));
}
