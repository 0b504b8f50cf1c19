//! Random numbers as operations: their moments and bounds, and that they depend on the key alone.

use wengert_tape::{Index, Var, grad, hvp};
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

const N: usize = 100_000;

fn key<T: Float>(seed: u64) -> Index<T> {
    Index::key(&Generator::seeded(seed))
}

/// Mean and variance.
fn moments<T: Float>(x: &Var<T>) -> [f64; 2] {
    [x.mean().item().to_f64(), x.var_axes(.., 1, false).item().to_f64()]
}

/// Within five standard errors of the mean, and of the variance, which for these has at most a kurtosis of 9.
#[track_caller]
fn have_moments<T: Float>(x: &Var<T>, mean: f64, variance: f64) {
    let found = moments(x);
    let n = x.len() as f64;
    assert!((found[0] - mean).abs() < 5.0 * (variance / n).sqrt(), "mean {}, not {mean}", found[0]);
    assert!(
        (found[1] - variance).abs() < 5.0 * variance * (8.0 / n).sqrt(),
        "variance {}, not {variance}",
        found[1]
    );
}

fn numbers<T: Float>() {
    let x = Var::<T>::uniform([N], -1.0, 3.0, key(1));
    have_moments(&x, 1.0, 16.0 / 12.0);
    assert!(x.value().ge(-1.0).all() && x.value().lt(3.0).all());
    have_moments(&Var::<T>::normal([N], -2.0, 3.0, key(2)), -2.0, 9.0);
    let x = Var::<T>::exponential([N], 4.0, key(3));
    have_moments(&x, 0.25, 1.0 / 16.0);
    assert!(x.value().ge(0.0).all());
    // Euler's constant, and π²/6.
    have_moments(&Var::<T>::gumbel([N], key(4)), 0.577_215_664_901_532_9, std::f64::consts::PI.powi(2) / 6.0);
    let p = Var::constant(Tensor::full([N], T::from_f64(0.3)));
    let x = p.bernoulli(key(5));
    have_moments(&x, 0.3, 0.21);
    assert!(x.value().to_vec().iter().all(|&x| x == T::ZERO || x == T::ONE));
    for rate in [0.01, 3.5, 40.0, 1e6] {
        let rates = Var::constant(Tensor::full([N], T::from_f64(rate)));
        have_moments(&rates.poisson(key(6)), rate, rate);
    }
    assert_eq!(Var::constant(Tensor::<T>::zeros([3])).poisson(key(6)).value().to_vec(), [T::ZERO; 3]);
    let certain = Var::<T>::from(Tensor::from_fn([2], |i| T::from_usize(i[0])));
    assert_eq!(certain.bernoulli(key(7)).value(), certain.value());
}

#[test]
fn moments_and_bounds() {
    numbers::<f32>();
    numbers::<f64>();
}

/// Numbers whose shapes have derivatives: their moments, and of the derivatives the mean, which is that of the moment.
fn shaped<T: Float>() {
    const M: usize = 10_000;
    let full = |x: f64| Var::constant(Tensor::full([M], T::from_f64(x)));
    for a in [0.3, 1.0, 4.5, 60.0, 3000.0] {
        let x = full(a).standard_gamma(key(1));
        assert!(x.value().gt(0.0).all());
        have_moments(&x, a, a);
        let mean = |a: &Var<T>| a.broadcast_to([M]).standard_gamma(key(1)).mean();
        let slope = grad(mean, &Var::scalar(T::from_f64(a))).item().to_f64();
        assert!((slope - 1.0).abs() < 0.15, "slope {slope} at {a}");
    }
    let (a, b) = (2.5, 0.5);
    have_moments(&full(a).beta(&full(b), key(2)), a / (a + b), a * b / (a + b).powi(2) / (a + b + 1.0));
    let x =
        Var::cat(&[full(a).unsqueeze(1), full(b).unsqueeze(1), full(3.0).unsqueeze(1)], 1).dirichlet(key(3));
    assert!((x.sum_axes(1, false).value() - 1.0).abs().max().item().to_f64() < 1e-5);
    have_moments(&x.select(1, 0), a / 6.0, a / 6.0 * (1.0 - a / 6.0) / 7.0);
    have_moments(&full(5.0).chi2(key(4)), 5.0, 10.0);
    have_moments(&full(20.0).student_t(key(5)), 0.0, 20.0 / 18.0);
    have_moments(&Var::<T>::laplace([M], key(6)), 0.0, 2.0);
    // Too small for numbers.
    let tiny = Var::constant(Tensor::full([100], T::from_f64(1e-4)));
    assert!(tiny.standard_gamma(key(7)).value().ge(T::MIN_POSITIVE.to_f64()).all());
    assert!(tiny.reshape([50, 2]).dirichlet(key(7)).value().is_finite().all());
}

#[test]
fn numbers_of_the_gamma_distribution() {
    shaped::<f32>();
    shaped::<f64>();
    let draw = || Var::constant(Tensor::full([5000], 2.0f32)).standard_gamma(key(8)).into_value().to_vec();
    let expected = with_threads(1, draw);
    assert!([2, 3, 8].into_iter().all(|threads| with_threads(threads, draw) == expected));
}

/// Pearson's χ² of counts against probabilities.
fn chi_square(drawn: &[u32], probabilities: &[f64]) -> f64 {
    let total: f64 = probabilities.iter().sum();
    let n = drawn.len() as f64;
    let term = |(i, p): (usize, &f64)| {
        let (expected, found) = (n * p / total, drawn.iter().filter(|&&d| d == i as u32).count() as f64);
        if *p == 0.0 {
            if found > 0.0 { f64::INFINITY } else { 0.0 }
        } else {
            (found - expected).powi(2) / expected
        }
    };
    probabilities.iter().enumerate().map(term).sum()
}

#[test]
fn positions_are_drawn_by_their_weights() {
    let weights = [2.0, 0.0, 1.0, 0.5, 4.0, 0.0];
    // 99.9 % of χ² with 3 degrees of freedom.
    let limit = 16.3;
    let drawn = Var::from(weights.to_vec()).multinomial(N, true, key(1));
    assert_eq!(drawn.shape(), &[N]);
    assert!(chi_square(&drawn.value().to_vec(), &weights) < limit);
    // Logits, row after row, of one row each.
    let logits = Var::from(weights.to_vec()).ln().broadcast_to([N, 6]);
    let drawn = logits.categorical(key(2));
    assert_eq!(drawn.shape(), &[N]);
    assert!(chi_square(&drawn.value().to_vec(), &weights) < limit);
    // The largest of logits with Gumbel noise, and the one-hot vectors of gumbel_softmax.
    let largest = (&logits + Var::gumbel([N, 6], key(3))).argmax(1);
    assert!(chi_square(&largest.value().to_vec(), &weights) < limit);
    let hot = logits.gumbel_softmax(1.0, true, 1, key(4));
    assert!(chi_square(&hot.argmax(1).value().to_vec(), &weights) < limit);
    // Without replacement: the first is as with it, and pairs are as drawn one after another.
    let pairs =
        Var::from(weights.to_vec()).broadcast_to([N, 6]).multinomial(2, false, key(5)).value().to_vec();
    let first: Vec<u32> = pairs.chunks(2).map(|p| p[0]).collect();
    assert!(chi_square(&first, &weights) < limit);
    let codes: Vec<u32> = pairs.chunks(2).map(|p| p[0] * 6 + p[1]).collect();
    let total: f64 = weights.iter().sum();
    let pair = |i: usize, j: usize| if i == j { 0.0 } else { weights[i] * weights[j] / (total - weights[i]) };
    let expected: Vec<f64> = (0..36).map(|c| pair(c / 6, c % 6)).collect();
    // 11 degrees of freedom.
    assert!(chi_square(&codes, &expected) < 31.3);
}

#[test]
fn weights_at_the_ends_of_the_range() {
    for scale in [1e-300, 1.0, 1e300] {
        let weights = Var::from([1.0 * scale, 3.0 * scale, 0.0]);
        let drawn = weights.multinomial(N, true, key(1)).value().to_vec();
        assert!(chi_square(&drawn, &[1.0, 3.0, 0.0]) < 10.8, "scale {scale}");
        let mut both = weights.multinomial(2, false, key(2)).value().to_vec();
        both.sort_unstable();
        assert_eq!(both, [0, 1]);
    }
    let huge = Var::from([1e300f64, 1e300, -1e300]);
    assert!(huge.broadcast_to([50, 3]).categorical(key(3)).value().to_vec().iter().all(|&i| i < 2));
    assert_eq!(Var::<f64>::ones([0, 3]).multinomial(2, false, key(1)).shape(), &[0, 2]);
    assert_eq!(Var::<f64>::ones([0, 3]).categorical(key(1)).shape(), &[0]);
    assert_eq!(Var::<f64>::ones([3]).categorical(key(1)).shape(), &[0usize; 0]);
    assert_eq!(Var::<f64>::ones([4, 3]).multinomial(0, false, key(1)).shape(), &[4, 0]);
    assert_eq!(Var::<f64>::ones([2, 2, 3]).multinomial(5, true, key(1)).shape(), &[2, 2, 5]);
}

#[test]
fn hard_samples_pass_the_derivatives_of_soft_ones() {
    let logits = Var::from([[0.3, -1.0, 2.0], [0.0, 0.5, 0.25]]);
    let weights = Var::from([[1.0, -2.0, 0.5], [3.0, 1.0, -1.0]]);
    for axis in [0, 1] {
        let value = |hard| move |x: &Var<f64>| x.gumbel_softmax(0.8, hard, axis, key(8));
        let (hard, soft) = (value(true)(&logits), value(false)(&logits));
        assert!(hard.sum_axes(axis, false).value().equal(1.0).all(), "{hard}");
        assert!(hard.value().to_vec().iter().all(|&h| h == 0.0 || h == 1.0), "{hard}");
        assert_eq!(hard.argmax(axis).value(), soft.argmax(axis).value());
        let total = |hard| {
            move |x: &Var<f64>| (value(hard)(x) * Var::from([[1.0, -2.0, 0.5], [3.0, 1.0, -1.0]])).sum()
        };
        assert_eq!(grad(total(true), &logits).value(), grad(total(false), &logits).value());
        let along = &weights;
        assert_eq!(hvp(total(true), &logits, along).value(), hvp(total(false), &logits, along).value());
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let all = || {
        let rates = Var::constant(Tensor::<f32>::linspace(0.0, 50.0, 20_000));
        let weights = rates.reshape([5000, 4]) + 1.0;
        let numbers = [
            Var::<f32>::uniform([20_000], 0.0, 1.0, key(1)),
            Var::normal([20_000], 0.0, 1.0, key(1)),
            Var::exponential([20_000], 2.0, key(1)),
            Var::gumbel([20_000], key(1)),
            rates.poisson(key(1)),
            (&rates / 50.0).bernoulli(key(1)),
        ];
        let positions = [
            weights.multinomial(3, false, key(1)),
            weights.multinomial(3, true, key(1)),
            weights.categorical(key(1)),
            Index::permutation(20_000, &key(1)),
        ];
        let bits = numbers.iter().flat_map(|x| x.value().to_vec()).map(f32::to_bits);
        bits.chain(positions.iter().flat_map(|p| p.value().to_vec())).collect::<Vec<u32>>()
    };
    let one = with_threads(1, all);
    assert_eq!(one, with_threads(2, all));
    assert_eq!(one, with_threads(5, all));
}

#[test]
fn other_keys_give_other_numbers() {
    let draw = |seed| Var::<f64>::normal([100], 0.0, 1.0, key(seed)).into_value().to_vec();
    assert_eq!(draw(1), draw(1));
    assert!(draw(1).iter().zip(draw(2)).all(|(a, b)| *a != b));
    let order = |seed| Index::<f64>::permutation(100, &key(seed)).value().to_vec();
    assert_ne!(order(1), order(2));
    let mut sorted = order(3);
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
}
