//! The generator: statistics with fixed seeds, independence of threads, states and streams.

use rand::Rng;
use rand_distr::{Distribution, Gamma};
use wengert_tensor::math::Transcendental;
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;
use wengert_tensor::simd::Baseline;
use wengert_tensor::{Float, Tensor};

/// √n times the Kolmogorov–Smirnov distance from `cdf`; 1.95 is exceeded by chance once in a thousand times.
fn kolmogorov_smirnov<T: Float>(sample: &[T], cdf: impl Fn(f64) -> f64) -> f64 {
    let mut sorted: Vec<f64> = sample.iter().map(|x| x.to_f64()).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let distance = |(i, &x): (usize, &f64)| {
        let p = cdf(x);
        (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
    };
    sorted.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// Mean, variance, skewness, kurtosis.
fn moments<T: Float>(sample: &[T]) -> [f64; 4] {
    let n = sample.len() as f64;
    let mean = sample.iter().map(|x| x.to_f64()).sum::<f64>() / n;
    let central = |k| sample.iter().map(|x| (x.to_f64() - mean).powi(k)).sum::<f64>() / n;
    let variance = central(2);
    [mean, variance, central(3) / variance.powf(1.5), central(4) / variance.powi(2)]
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * Transcendental::erfc::<Baseline>(-z * std::f64::consts::FRAC_1_SQRT_2)
}

const N: usize = 200_003;

fn uniform_statistics<T: Float>() {
    let mut x = vec![T::ZERO; N];
    Generator::seeded(11).fill_uniform(&mut x, T::from_f64(-2.0), T::from_f64(3.0));
    assert!(kolmogorov_smirnov(&x, |x| (x + 2.0) / 5.0) < 1.95);
    let [mean, variance, skewness, kurtosis] = moments(&x);
    assert!((mean - 0.5).abs() < 0.01 && (variance - 25.0 / 12.0).abs() < 0.02, "{mean} {variance}");
    assert!(skewness.abs() < 0.02 && (kurtosis - 1.8).abs() < 0.02, "{skewness} {kurtosis}");
    // No correlation with what comes 1, 32, 64 or 128 later.
    for lag in [1, 32, 64, 128] {
        let product = |w: (&T, &T)| (w.0.to_f64() - mean) * (w.1.to_f64() - mean);
        let correlation = x.iter().zip(&x[lag..]).map(product).sum::<f64>() / (N as f64 * variance);
        assert!(correlation.abs() < 0.008, "lag {lag}: {correlation}");
    }
}

#[test]
fn uniform_numbers_are_uniform() {
    uniform_statistics::<f32>();
    uniform_statistics::<f64>();
}

fn normal_statistics<T: Float>() {
    let mut x = vec![T::ZERO; N];
    Generator::seeded(12).fill_normal(&mut x, T::from_f64(1.0), T::from_f64(2.0));
    assert!(kolmogorov_smirnov(&x, |x| normal_cdf((x - 1.0) / 2.0)) < 1.95);
    let [mean, variance, skewness, kurtosis] = moments(&x);
    assert!((mean - 1.0).abs() < 0.015 && (variance - 4.0).abs() < 0.04, "{mean} {variance}");
    assert!(skewness.abs() < 0.02 && (kurtosis - 3.0).abs() < 0.04, "{skewness} {kurtosis}");
    // The two numbers of a Box–Muller pair stand this far apart.
    let half = if size_of::<T>() == 4 { 64 } else { 32 };
    let correlation =
        x.iter().zip(&x[half..]).map(|(a, b)| (a.to_f64() - 1.0) * (b.to_f64() - 1.0)).sum::<f64>();
    assert!((correlation / (4.0 * N as f64)).abs() < 0.008);
}

#[test]
fn normal_numbers_are_normal() {
    normal_statistics::<f32>();
    normal_statistics::<f64>();
    let mut generator = Generator::seeded(13);
    let scalars: Vec<f64> = (0..50_000).map(|_| generator.normal()).collect();
    assert!(kolmogorov_smirnov(&scalars, normal_cdf) < 1.95);
}

#[test]
fn truncated_normal_numbers_follow_their_distribution() {
    // Two-sided, one-sided, far tails on either side, an interval beside the mean.
    for (low, high) in [
        (-2.0, 2.0),
        (-1.0, f64::INFINITY),
        (5.0, 6.0),
        (-9.0, -7.5),
        (0.5, 0.7),
        (30.0, 31.0),
        (-50.0, 50.0),
    ] {
        let mut x = vec![0f64; 50_000];
        Generator::seeded(14).fill_truncated_normal(&mut x, 10.0, 3.0, 10.0 + 3.0 * low, 10.0 + 3.0 * high);
        assert!(x.iter().all(|&x| (10.0 + 3.0 * low..=10.0 + 3.0 * high).contains(&x)));
        // By the tail on the interval's own side, which does not cancel.
        let side = if low > 0.0 { -1.0 } else { 1.0 };
        let (a, b) = (normal_cdf(side * low), normal_cdf(side * high));
        let statistic = kolmogorov_smirnov(&x, |x| (normal_cdf(side * (x - 10.0) / 3.0) - a) / (b - a));
        assert!(statistic < 1.95, "[{low}, {high}]: {statistic}");
        let mut single = vec![0f32; 20_000];
        Generator::seeded(15).fill_truncated_normal(&mut single, 0.0, 1.0, low as f32, high as f32);
        assert!(single.iter().all(|x| (low as f32..=high as f32).contains(x)));
        let statistic = kolmogorov_smirnov(&single, |x| (normal_cdf(side * x) - a) / (b - a));
        assert!(statistic < 1.95, "f32 [{low}, {high}]: {statistic}");
    }
}

#[test]
fn bernoulli_frequencies_and_types_agree() {
    for p in [0.0, 0.1, 0.5, 0.93, 1.0] {
        let (mut a, mut b, mut c) = (vec![0f32; N], vec![0f64; N], vec![false; N]);
        Generator::seeded(16).fill_bernoulli(&mut a, p);
        Generator::seeded(16).fill_bernoulli(&mut b, p);
        Generator::seeded(16).fill_bernoulli_mask(&mut c, p);
        assert!(a.iter().zip(&b).zip(&c).all(|((&a, &b), &c)| f64::from(a) == b && (b == 1.0) == c));
        let frequency = b.iter().sum::<f64>() / N as f64;
        assert!((frequency - p).abs() <= 4.0 * (p * (1.0 - p) / N as f64).sqrt(), "{frequency} for {p}");
    }
    let mut generator = Generator::seeded(17);
    let count = (0..100_000).filter(|_| generator.bernoulli(0.3)).count() as f64;
    assert!((count - 30_000.0).abs() < 600.0);
}

/// A fill and the state after it.
fn filled<T: Float>(threads: usize, n: usize, which: usize) -> (Vec<u64>, [u64; 3]) {
    let mut generator = Generator::seeded(5);
    generator.uniform();
    let mut x = vec![T::NAN; n];
    with_threads(threads, || match which {
        0 => generator.fill_uniform(&mut x, T::ZERO, T::ONE),
        1 => generator.fill_normal(&mut x, T::ZERO, T::ONE),
        2 => generator.fill_truncated_normal(&mut x, T::ZERO, T::ONE, -T::ONE, T::ONE),
        _ => generator.fill_bernoulli(&mut x, 0.5),
    });
    assert!(x.iter().all(|x| x.is_finite()));
    (x.iter().map(|x| x.to_f64().to_bits()).collect(), generator.state())
}

#[test]
fn fills_do_not_depend_on_threads_or_length() {
    const LONG: usize = (1 << 17) + 77;
    for which in 0..4 {
        let single = filled::<f32>(1, LONG, which);
        let double = filled::<f64>(1, LONG, which);
        for threads in [2, 3, 8] {
            assert_eq!(filled::<f32>(threads, LONG, which), single);
            assert_eq!(filled::<f64>(threads, LONG, which), double);
        }
        for n in [0, 1, 63, 64, 65, 127, 128, 129, 1000] {
            assert_eq!(filled::<f32>(1, n, which).0, single.0[..n]);
            assert_eq!(filled::<f64>(1, n, which).0, double.0[..n]);
        }
    }
}

#[test]
fn fills_advance_by_the_documented_count() {
    let advance = |f: &dyn Fn(&mut Generator)| {
        let mut generator = Generator::seeded(0);
        f(&mut generator);
        generator.state()[2]
    };
    assert_eq!(advance(&|g| g.fill_uniform(&mut [0f32; 128], 0.0, 1.0)), 128);
    assert_eq!(advance(&|g| g.fill_normal(&mut [0f32; 129], 0.0, 1.0)), 256);
    assert_eq!(advance(&|g| g.fill_normal(&mut [0f64; 129], 0.0, 1.0)), 384);
    assert_eq!(advance(&|g| g.fill_truncated_normal(&mut [0f32; 65], 0.0, 1.0, -1.0, 1.0)), 256);
    assert_eq!(advance(&|g| g.fill_bernoulli(&mut [0f64; 128], 0.5)), 128);
    assert_eq!(advance(&|g| g.fill_uniform(&mut [0f32; 0], 0.0, 1.0)), 0);
    // From within a block, a fill begins at the next.
    assert_eq!(advance(&|g| (g.uniform(), g.fill_bernoulli_mask(&mut [false; 1], 0.5)).1), 132);
    // So does a double word at an odd position.
    assert_eq!(
        advance(&|g| {
            g.next_u32();
            g.next_u64();
        }),
        4
    );
}

#[test]
fn uniform_f32_never_gives_the_upper_limit() {
    // Intervals in which rounding low + width · u would reach the limit.
    for (low, high) in [
        (1e6f32, 1e6 + 0.125),
        (-1.0, 1.0),
        (1.0, 1.0f32.next_up()),
        (-3.0, 0.0),
        (16_777_216.0, 16_777_220.0),
    ] {
        let mut x = vec![0f32; 1 << 20];
        Generator::seeded(21).fill_uniform(&mut x, low, high);
        assert!(x.iter().all(|x| (low..high).contains(x)), "[{low}, {high})");
    }
    let mut x = [0f32; 3];
    Generator::seeded(21).fill_uniform(&mut x, 2.0, 2.0);
    assert_eq!(x, [2.0; 3]);
}

#[test]
fn states_and_streams() {
    let mut generator = Generator::seeded(30);
    generator.normal();
    generator.next_u32();
    let mut copy = Generator::from_state(generator.state());
    let draws = |g: &mut Generator| (0..100).map(|_| g.next_u64()).collect::<Vec<_>>();
    assert_eq!(draws(&mut copy), draws(&mut generator));

    // Generators that must have nothing to do with one another.
    let mut family = vec![Generator::seeded(1), Generator::seeded(2), Generator::seeded(1).fork(0)];
    family.extend([
        Generator::seeded(1).fork(1),
        Generator::seeded(1).fork(0).fork(0),
        Generator::seeded(2).fork(0),
    ]);
    let mut parent = Generator::seeded(1);
    family.extend([parent.split(), parent.split(), parent.fork(0).split()]);
    let mut seen: Vec<u64> = family.iter_mut().flat_map(draws).collect();
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn integers_below_are_unbiased() {
    let mut generator = Generator::seeded(40);
    for n in [1u64, 2, 3, 7, 10] {
        let mut counts = vec![0f64; n as usize];
        (0..70_000).for_each(|_| counts[generator.below(n) as usize] += 1.0);
        let expected = 70_000.0 / n as f64;
        let chi2: f64 = counts.iter().map(|c| (c - expected).powi(2) / expected).sum();
        // The 99.9 % quantile for 9 degrees of freedom.
        assert!(chi2 < 27.9, "{n}: {chi2}");
    }
    // 3 · 2⁶² of 2⁶⁴: without rejection the lower third would come twice as often.
    let low = (0..30_000).filter(|_| generator.below(3 << 62) < 1 << 62).count() as f64;
    assert!((low - 10_000.0).abs() < 330.0, "{low}");
}

#[test]
fn permutations_are_uniform() {
    let mut generator = Generator::seeded(41);
    let mut counts = std::collections::HashMap::new();
    for _ in 0..24_000 {
        *counts.entry(generator.permutation(4)).or_insert(0.0) += 1.0;
    }
    let chi2: f64 = counts.values().map(|c: &f64| (c - 1000.0).powi(2) / 1000.0).sum();
    assert!(counts.len() == 24 && chi2 < 49.7, "{chi2}");
    let mut long = generator.permutation(10_000);
    long.sort_unstable();
    assert!(long.iter().enumerate().all(|(i, &x)| i == x as usize));
    assert_eq!(generator.permutation(0), []);
}

#[test]
fn other_distributions_can_be_sampled() {
    let gamma = Gamma::new(2.5, 1.5).expect("valid parameters");
    let mut generator = Generator::seeded(50);
    let x: Vec<f64> = (0..100_000).map(|_| gamma.sample(&mut generator)).collect();
    let [mean, variance, ..] = moments(&x);
    assert!((mean - 3.75).abs() < 0.03 && (variance - 5.625).abs() < 0.15, "{mean} {variance}");
    let mut bytes = [0u8; 10];
    Generator::seeded(51).fill_bytes(&mut bytes);
    assert_eq!(bytes[..4], Generator::seeded(51).next_u32().to_le_bytes());
}

#[test]
#[should_panic(expected = "fill_bernoulli: the probability NaN is not in [0, 1]")]
fn a_probability_that_is_none_panics() {
    Generator::seeded(0).fill_bernoulli(&mut [0f32; 1], f64::NAN);
}

#[test]
#[should_panic(expected = "below: n must be at least 1")]
fn below_zero_panics() {
    Generator::seeded(0).below(0);
}

#[test]
#[should_panic(expected = "has no probability")]
fn an_interval_beyond_underflow_panics() {
    Generator::seeded(0).fill_truncated_normal(&mut [0f64; 1], 0.0, 1.0, 50.0, 51.0);
}

#[test]
fn numbers_with_distributions_of_their_own() {
    let draw = |g: &mut Generator, i: usize| g.below(i as u64 + 1) as u32;
    let all = || {
        let mut x = vec![0; 5000];
        Generator::seeded(3).fill_each(&mut x, draw);
        x
    };
    let one = with_threads(1, all);
    assert_eq!(one, with_threads(3, all));
    assert!(one.iter().enumerate().all(|(i, &x)| x as usize <= i) && one[4000..].iter().any(|&x| x > 3000));
    // The next ones are others.
    let mut generator = Generator::seeded(3);
    let (mut a, mut b) = ([0u64; 4], [0u64; 4]);
    generator.fill_each(&mut a, |g, _| g.below(u64::MAX));
    generator.fill_each(&mut b, |g, _| g.below(u64::MAX));
    assert!(a.iter().all(|x| !b.contains(x)));
}

#[test]
fn what_cannot_be_drawn_from_is_named() {
    let message = |work: fn(&mut Generator)| {
        let panic = std::panic::catch_unwind(|| work(&mut Generator::seeded(0))).unwrap_err();
        panic.downcast_ref::<String>().expect("a text").clone()
    };
    assert!(message(|g| g.poisson(&mut [1.0f32, -2.0])).contains("-2"));
    assert!(message(|g| g.poisson(&mut [f64::NAN])).contains("NaN"));
    assert!(message(|g| drop(g.choose(&Tensor::from([1.0f64, f64::INFINITY]), 1, true))).contains("inf"));
    assert!(message(|g| drop(g.choose(&Tensor::from([[1.0f64], [0.0]]), 1, true))).contains("row 1"));
    assert!(message(|g| drop(g.choose(&Tensor::<f32>::scalar(1.0), 1, true))).contains("[]"));
}
