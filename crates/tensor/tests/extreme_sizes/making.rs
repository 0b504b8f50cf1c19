//! Constructors.

use wengert_tensor::random::Generator;
use wengert_tensor::{Element, Shape, Tensor, memory};

use super::helpers::{SIZES, fated, refused};

/// Shapes of one, two and three axes.
fn shapes() -> impl Iterator<Item = Vec<usize>> {
    let pairs = || SIZES.iter().flat_map(|&a| SIZES.iter().map(move |&b| vec![a, b]));
    let triples = pairs().flat_map(|pair| [0, 2, 1 << 32, usize::MAX].map(|c| [&pair[..], &[c]].concat()));
    SIZES.iter().map(|&a| vec![a]).chain(pairs()).chain(triples)
}

/// A function that makes a tensor of a shape, with its name.
type Make<'a, T> = (&'a str, &'a dyn Fn(&[usize]) -> Tensor<T>);

fn check<T: Element>(makes: &[Make<T>]) {
    for &(operation, make) in makes {
        for shape in shapes() {
            let text = Shape::from(&shape[..]);
            if let Some(made) = fated(operation, &shape, true, &[&text], || make(&shape)) {
                assert_eq!((&made.shape()[..], made.to_vec().len()), (&shape[..], made.len()), "{operation}");
            }
        }
    }
}

#[test]
fn of_any_shape() {
    let before = memory::stats();
    check::<u8>(&[
        ("zeros", &|s| Tensor::zeros(s)),
        ("full", &|s| Tensor::full(s, 7)),
        ("written", &|s| Tensor::written(s, |o| o.fill(1))),
        ("f", &|s| Tensor::written_for("f", s, |o| o.fill(1))),
        ("from_fn", &|s| Tensor::from_fn(s, |i| i.len() as u8)),
    ]);
    check::<bool>(&[("written", &|s| Tensor::written(s, |o| o.fill(true)))]);
    check::<u32>(&[("zeros", &|s| Tensor::zeros(s))]);
    let random = || Generator::seeded(1);
    check::<f32>(&[
        ("ones", &|s| Tensor::ones(s)),
        ("uniform", &|s| Tensor::uniform(s, 0.0, 1.0, &mut random())),
        ("normal", &|s| Tensor::normal(s, 0.0, 1.0, &mut random())),
        ("bernoulli", &|s| Tensor::bernoulli(s, 0.5, &mut random())),
    ]);
    check::<f64>(&[
        ("zeros", &|s| Tensor::zeros(s)),
        ("truncated_normal", &|s| Tensor::truncated_normal(s, 0.0, 1.0, (-1.0, 1.0), &mut random())),
    ]);
    check::<bool>(&[("bernoulli_mask", &|s| Tensor::bernoulli_mask(s, 0.5, &mut random()))]);
    // What was refused has left nothing behind.
    let after = memory::stats();
    assert_eq!((after.live_buffers, after.live_bytes), (before.live_buffers, before.live_bytes));
}

#[test]
fn of_elements_that_are_there() {
    for shape in shapes() {
        let count = shape.iter().fold(1u128, |n, &d| n.saturating_mul(d as u128));
        let fits = Shape::from(&shape[..]).fits();
        for elements in [0, 1, 6] {
            let made = Tensor::from_slice(&[1.0f32; 6][..elements], &shape[..]);
            assert_eq!(made.is_ok(), fits && count == elements as u128, "{shape:?}");
            assert_eq!(Tensor::from_vec(vec![1.0; elements], &shape[..]).is_ok(), made.is_ok());
            if let Err(error) = made {
                assert!(!error.to_string().is_empty());
            }
        }
    }
    // No memory, and more rows than any tensor has.
    refused("from", &[&usize::MAX], || Tensor::from([[0.0f32; 0]; usize::MAX]));
    refused("from", &[&usize::MAX], || Tensor::from([[[0u8; 3]; 0]; usize::MAX]));
}

#[test]
fn of_any_count() {
    for &n in &SIZES {
        if let Some(eye) = fated("eye", &[n, n], true, &[&n], || Tensor::<f64>::eye(n)) {
            assert_eq!(eye.sum().item(), n as f64);
        }
        if let Some(even) = fated("linspace", &[n], true, &[&n], || Tensor::<f64>::linspace(0.0, 1.0, n)) {
            assert_eq!(even.len(), n);
        }
        let labels = Tensor::vector(&[0, 0]);
        if n == 0 {
            refused("one_hot", &[&0], || Tensor::<f32>::one_hot(&labels, n));
        } else if let Some(hot) =
            fated("one_hot", &[2, n], true, &[&n], || Tensor::<f32>::one_hot(&labels, n))
        {
            assert_eq!((hot.shape(), hot.sum().item()), (&Shape::from([2, n]), 2.0));
        }
        let end = n as f64;
        if let Some(all) = fated("arange", &[n], true, &[], || Tensor::<f64>::arange(0.0, end, 1.0)) {
            assert_eq!(all.len(), n);
        }
        if n > 1 << 32 {
            refused("permutation", &[&n], || Tensor::permutation(n, &mut Generator::seeded(0)));
        }
    }
    for (start, end, step) in [
        (0.0, 1e300, 1.0),
        (0.0, 1.0, 1e-300),
        (0.0, f64::INFINITY, 1.0),
        (0.0, 1.0, 0.0),
        (f64::NAN, 1.0, 1.0),
    ] {
        refused("arange", &[&start, &end], || Tensor::<f32>::arange(start, end, step));
    }
    assert_eq!(Tensor::<f32>::arange(0.0, 1e300, -1.0).len(), 0);
}

#[test]
fn of_random_numbers_with_senseless_limits() {
    let mut g = Generator::seeded(0);
    refused("uniform", &[&"2", &"1"], || Tensor::<f32>::uniform([2], 2.0, 1.0, &mut g));
    refused("uniform", &[&"inf"], || Tensor::<f32>::uniform([2], 0.0, 1e300, &mut g));
    refused("normal", &[&"-1"], || Tensor::<f32>::normal([2], 0.0, -1.0, &mut g));
    refused("normal", &[&"NaN"], || Tensor::<f64>::normal([2], f64::NAN, 1.0, &mut g));
    refused("truncated_normal", &[&"3", &"2"], || {
        Tensor::<f32>::truncated_normal([2], 0.0, 1.0, (3.0, 2.0), &mut g)
    });
    refused("bernoulli", &[&"1.5"], || Tensor::<f32>::bernoulli([2], 1.5, &mut g));
    refused("bernoulli_mask", &[&"NaN"], || Tensor::bernoulli_mask([2], f64::NAN, &mut g));
    refused("fill_uniform", &[&"2", &"1"], || g.fill_uniform(&mut [0.0f32], 2.0, 1.0));
    let weights = Tensor::from([[1.0f32, 2.0], [0.5, 0.0]]);
    for count in [1 << 50, usize::MAX / 2, usize::MAX] {
        refused("choose", &[], || g.choose(&weights, count, true));
    }
    refused("choose", &[], || g.choose(&weights, 2, false));
    refused("draw", &[], || wengert_tensor::random::check_weights("draw", &weights, usize::MAX));
    assert!(g.choose(&weights, 0, true).is_empty());
}
