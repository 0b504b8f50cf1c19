//! The distributions of initial values.

use wengert_nn::Init;
use wengert_nn::init::{Fan, Nonlinearity};
use wengert_tensor::random::Generator;

fn draw(init: &Init, shape: [usize; 2]) -> Vec<f64> {
    let mut values = vec![f64::NAN; shape[0] * shape[1]];
    init.fill(&shape.into(), &mut values, &mut Generator::seeded(11));
    values
}

/// Mean, standard deviation and kurtosis.
fn moments(values: &[f64]) -> [f64; 3] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let moment = |k: i32| values.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
    [mean, moment(2).sqrt(), moment(4) / moment(2).powi(2)]
}

#[test]
fn moments_are_those_of_the_distributions() {
    let (uniform, normal) = (1.8, 3.0);
    // The variance of the normal distribution cut at ±2: 1 − 4φ(2)/(2Φ(2) − 1).
    let cut = 0.879_625_661_034_239_8;
    let cases = [
        (Init::Uniform { low: -1.0, high: 3.0 }, 1.0, 4.0 / 12f64.sqrt(), uniform),
        (Init::Normal { mean: 2.0, std: 0.5 }, 2.0, 0.5, normal),
        (Init::kaiming_uniform(), 0.0, (2.0 / 300.0f64).sqrt(), uniform),
        (Init::kaiming_normal(), 0.0, (2.0 / 300.0f64).sqrt(), normal),
        (Init::KaimingNormal { gain: 1.0, fan: Fan::Out }, 0.0, 1.0 / 200f64.sqrt(), normal),
        (Init::xavier_uniform(), 0.0, (2.0 / 500.0f64).sqrt(), uniform),
        (Init::XavierNormal { gain: 3.0 }, 0.0, 3.0 * (2.0 / 500.0f64).sqrt(), normal),
        (Init::pytorch_weight(), 0.0, 1.0 / 900f64.sqrt(), uniform),
        (Init::TruncatedNormal { std: 0.02 }, 0.0, 0.02 * cut, 2.364_6),
        (Init::NormalWithin { mean: 1.0, std: 0.5, low: 0.0, high: 2.0 }, 1.0, 0.5 * cut, 2.364_6),
        (Init::Sparse { sparsity: 0.0, std: 0.3 }, 0.0, 0.3, normal),
    ];
    for (init, mean, std, kurtosis) in cases {
        let [m, s, k] = moments(&draw(&init, [200, 300]));
        // Some five standard errors of 60,000 numbers.
        assert!((m - mean).abs() < 0.02 * std, "{init:?}: mean {m}");
        assert!((s / std - 1.0).abs() < 0.015, "{init:?}: deviation {s} instead of {std}");
        assert!((k - kurtosis).abs() < 0.1, "{init:?}: kurtosis {k}");
    }
}

#[test]
fn limits_are_kept() {
    let within = |init: Init, bound: f64| {
        let values = draw(&init, [100, 400]);
        assert!(values.iter().all(|v| v.abs() <= bound), "{init:?}");
        assert!(values.iter().any(|v| v.abs() > 0.99 * bound), "{init:?}");
    };
    within(Init::TruncatedNormal { std: 0.5 }, 1.0);
    within(Init::pytorch_weight(), 0.05);
    within(Init::pytorch_bias(400), 0.05);
}

#[test]
fn restricted_normal_numbers_lie_within() {
    let values = draw(&Init::NormalWithin { mean: 0.0, std: 1.0, low: -0.5, high: 2.0 }, [100, 400]);
    let [least, most] = [f64::min, f64::max].map(|f| values.iter().copied().reduce(f).unwrap());
    assert!((-0.5..-0.499).contains(&least) && (1.98..=2.0).contains(&most), "{least} {most}");
    // The mean of the normal distribution between a and b: (φ(a) − φ(b))/(Φ(b) − Φ(a)).
    let mean = moments(&values)[0];
    assert!((mean - 0.445_743_8).abs() < 0.02, "{mean}");
}

#[test]
fn columns_have_their_part_of_zeros_at_random_places() {
    let (rows, columns) = (30, 400);
    let values = draw(&Init::Sparse { sparsity: 0.35, std: 2.0 }, [rows, columns]);
    let zero = |i: usize, j: usize| values[i * columns + j] == 0.0;
    // ⌈0.35 · 30⌉.
    assert!((0..columns).all(|j| (0..rows).filter(|&i| zero(i, j)).count() == 11));
    for i in 0..rows {
        let count = (0..columns).filter(|&j| zero(i, j)).count() as f64;
        assert!((count / columns as f64 - 11.0 / 30.0).abs() < 0.12, "row {i}: {count}");
    }
    let others: Vec<f64> = values.iter().copied().filter(|&v| v != 0.0).collect();
    assert!((moments(&others)[1] / 2.0 - 1.0).abs() < 0.05);
    assert!(draw(&Init::Sparse { sparsity: 1.0, std: 2.0 }, [5, 4]).iter().all(|&v| v == 0.0));
}

#[test]
fn identities_and_convolutions_that_pass_channels_on() {
    assert_eq!(draw(&Init::Identity, [2, 3]), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let dirac = |groups: usize, shape: &[usize]| {
        let mut values = vec![f64::NAN; shape.iter().product()];
        Init::Dirac { groups }.fill(&shape.into(), &mut values, &mut Generator::seeded(0));
        values.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, v)| (i, *v)).collect::<Vec<_>>()
    };
    // Numbers of torch.nn.init.dirac_.
    assert_eq!(dirac(1, &[3, 2, 3]), [(1, 1.0), (10, 1.0)]);
    assert_eq!(dirac(2, &[4, 2, 2, 3]), [(4, 1.0), (22, 1.0), (28, 1.0), (46, 1.0)]);
    assert_eq!(dirac(1, &[1, 1, 1, 3, 2]), [(3, 1.0)]);
    assert_eq!(dirac(1, &[2, 0, 3]), []);
}

#[test]
fn gains() {
    use Nonlinearity::*;
    let gains = [Linear, Sigmoid, Tanh, Relu, LeakyRelu(0.5), Selu].map(Nonlinearity::gain);
    assert_eq!(gains, [1.0, 1.0, 5.0 / 3.0, 2f64.sqrt(), 1.6f64.sqrt(), 0.75]);
}

#[test]
fn orthogonal_vectors_are_orthogonal() {
    for shape in [[5, 5], [3, 8], [8, 3], [1, 4], [4, 1]] {
        let values = draw(&Init::Orthogonal { gain: 2.0 }, shape);
        let [rows, columns] = shape;
        let row = |i: usize, k: usize| {
            if rows <= columns { values[i * columns + k] } else { values[k * columns + i] }
        };
        for i in 0..rows.min(columns) {
            for j in 0..rows.min(columns) {
                let product: f64 = (0..rows.max(columns)).map(|k| row(i, k) * row(j, k)).sum();
                let expected = if i == j { 4.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-12, "{shape:?} {i} {j}: {product}");
            }
        }
    }
    // Uniformly distributed: an element of a random orthogonal matrix has mean 0 and variance 1/n.
    let mut generator = Generator::seeded(3);
    let mut all = Vec::new();
    for _ in 0..2000 {
        let mut values = [0f64; 9];
        Init::Orthogonal { gain: 1.0 }.fill(&[3, 3].into(), &mut values, &mut generator);
        all.extend(values);
    }
    let [mean, std, _] = moments(&all);
    assert!(mean.abs() < 0.02 && (std * 3f64.sqrt() - 1.0).abs() < 0.02, "{mean} {std}");
}

#[test]
fn empty_tensors_are_no_problem() {
    for shape in [[0, 3], [3, 0]] {
        for init in [Init::pytorch_weight(), Init::xavier_normal(), Init::Orthogonal { gain: 1.0 }] {
            assert!(draw(&init, shape).is_empty());
        }
    }
}

#[test]
#[should_panic(expected = "init: shape [3] has no fan in and fan out, which take at least two axes")]
fn a_vector_has_no_fans() {
    Init::kaiming_normal().fill(&[3].into(), &mut [0f64; 3], &mut Generator::seeded(0));
}
