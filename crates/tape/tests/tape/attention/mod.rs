//! Attention of several tiles against the formula, its masks, what it does at the edges, and its memory.

mod excluded;
mod golden;
mod saturated;

use wengert_tape::{
    AttentionMask, AttentionOptions, HessianOperator, Index, Mask, Var, grad, hvp, jvp, value_and_grad,
};
use wengert_tensor::random::Generator;
use wengert_tensor::{Shape, Tensor, memory, parallel};

fn normal(shape: impl Into<Shape>, seed: u64) -> Var<f64> {
    let shape = shape.into();
    let mut tensor = Tensor::zeros(&shape);
    Generator::seeded(seed).fill_normal(tensor.as_mut_slice(), 0.0, 1.0);
    Var::constant(tensor)
}

fn qkv(batch: usize, heads: usize, queries: usize, keys: usize, width: usize) -> Vec<Var<f64>> {
    vec![
        normal([batch, heads, queries, width], 1),
        normal([batch, heads, keys, width], 2),
        normal([batch, heads, keys, width], 3),
    ]
}

/// The formula in operations on variables, with what is added to the scores.
fn formula(v: &[Var<f64>], bias: &Var<f64>) -> Var<f64> {
    let scale = 1.0 / (v[0].shape()[3] as f64).sqrt();
    (v[0].matmul(&v[1].t()) * scale + bias).softmax(-1).matmul(&v[2])
}

#[track_caller]
fn close(found: &Var<f64>, expected: &Var<f64>, tolerance: f64) {
    assert_eq!(found.shape(), expected.shape());
    let difference = (found.value() - expected.value()).abs().max().item();
    let size = expected.value().abs().max().item();
    assert!(difference <= tolerance * (1.0 + size), "{difference:e} of {size:e}");
}

/// −∞ above the diagonal.
fn causal(queries: usize, keys: usize) -> Var<f64> {
    Var::constant(Tensor::from_fn([queries, keys], |i| if i[1] > i[0] { f64::NEG_INFINITY } else { 0.0 }))
}

#[test]
fn several_tiles_give_value_gradient_tangent_and_hessian_product_of_the_formula() {
    let (queries, keys) = (70, 133);
    let point = qkv(1, 2, queries, keys, 3);
    let options = AttentionOptions::masked(AttentionMask::causal());
    let bias = causal(queries, keys);
    let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options);
    let g = |v: &Vec<Var<f64>>| formula(v, &bias);
    let along = qkv(1, 2, queries, keys, 3).into_iter().map(|v| v.flip(2)).collect::<Vec<_>>();
    let ((value, tangent), (expected, of_formula)) = (jvp(f, &point, &along), jvp(g, &point, &along));
    close(&value, &expected, 1e-13);
    close(&tangent, &of_formula, 1e-13);
    let (loss, of_loss) = (|v: &Vec<Var<f64>>| f(v).sin().sum(), |v: &Vec<Var<f64>>| g(v).sin().sum());
    let pairs = |found: Vec<Var<f64>>, expected: Vec<Var<f64>>| {
        found.iter().zip(&expected).for_each(|(found, expected)| close(found, expected, 1e-12));
    };
    pairs(grad(loss, &point), grad(of_loss, &point));
    pairs(hvp(loss, &point, &along), hvp(of_loss, &point, &along));
    let operator = HessianOperator::new(loss, &point);
    pairs(operator.apply(&along), hvp(of_loss, &point, &along));
}

#[test]
fn hessian_products_are_differences_of_gradients() {
    let point = qkv(2, 2, 5, 7, 3);
    let options = AttentionOptions::masked(AttentionMask::lengths(Tensor::from([7u32, 3])));
    let loss = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options).square().sum();
    let along: Vec<Var<f64>> = qkv(2, 2, 5, 7, 3).iter().map(|v| v.flip(3)).collect();
    let moved = |h: f64| grad(loss, &point.iter().zip(&along).map(|(x, d)| x + d * h).collect());
    let h = 1e-4;
    let products = hvp(loss, &point, &along);
    for ((product, a), b) in products.iter().zip(moved(h)).zip(moved(-h)) {
        close(product, &((a - b) / (2.0 * h)), 1e-6);
    }
}

#[test]
fn masks_of_one_meaning_agree() {
    let v = qkv(2, 2, 4, 4, 3);
    let with = |mask: AttentionMask<f64>| v[0].attention(&v[1], &v[2], &AttentionOptions::masked(mask));
    let causal_takes_part = Tensor::from_fn([4, 4], |i| i[1] <= i[0]);
    let expected = with(AttentionMask::causal());
    close(&with(AttentionMask::takes_part(&causal_takes_part)), &expected, 1e-15);
    close(&with(AttentionMask::masked_out(causal_takes_part.logical_not())), &expected, 1e-15);
    close(&with(AttentionMask::bias(&causal(4, 4))), &expected, 1e-15);
    close(&with(AttentionMask::none().and(AttentionMask::causal())), &expected, 1e-15);
    close(&with(AttentionMask::causal_after(1).and(AttentionMask::causal())), &expected, 1e-15);
    let lengths = with(AttentionMask::lengths(Tensor::from([4u32, 2])));
    let padding = Tensor::from([[false; 4], [false, false, true, true]]);
    close(&with(AttentionMask::padding(&padding)), &lengths, 1e-15);
    // Behind the length nothing matters.
    let [front, rest] = [(0..2), (2..4)].map(|range| v[1].slice_axis(2, range));
    let key = Var::cat(&[&front, &(rest * 1e9)], 2);
    let options = AttentionOptions::masked(AttentionMask::lengths(Tensor::from([2u32, 2])));
    close(&v[0].attention(&key, &v[2], &options), &v[0].attention(&v[1], &v[2], &options), 1e-15);
}

#[test]
fn masks_and_biases_broadcast_over_several_axes_of_the_batch() {
    let [q, k, v] = [1, 2, 3].map(|seed| normal([2, 3, 2, 4, 5], seed));
    let mask = Tensor::from_fn([2, 1, 1, 1, 4], |i| i[4] <= 2 * i[0] + 1);
    let bias = normal([3, 1, 4, 4], 4);
    let of = |mask: AttentionMask<f64>| q.attention(&k, &v, &AttentionOptions::masked(mask));
    let whole = of(AttentionMask::takes_part(&mask).and(AttentionMask::bias(&bias)));
    for i in 0..2 {
        for j in 0..3 {
            let part = |x: &Var<f64>| x.select(0, i).select(0, j);
            let mask = mask.select(0, i).select(0, 0);
            let mask = AttentionMask::takes_part(mask).and(AttentionMask::bias(&bias.select(0, j)));
            let alone = part(&q).attention(&part(&k), &part(&v), &AttentionOptions::masked(mask));
            close(&part(&whole), &alone, 1e-15);
        }
    }
    // The gradient of a bias of partly broadcast axes is the sum.
    let loss = |bias: &Var<f64>| {
        let options = AttentionOptions::masked(AttentionMask::bias(bias));
        q.attention(&k, &v, &options).sin().sum()
    };
    let whole = bias.broadcast_to([2, 3, 2, 4, 4]);
    close(&grad(loss, &bias), &grad(loss, &whole).sum_to(bias.shape()), 1e-13);
}

/// What is added to all scores of a query does not matter.
#[test]
fn the_gradient_of_a_constant_bias_is_zero() {
    let v = qkv(2, 2, 3, 4, 2);
    for shape in [vec![], vec![1], vec![3, 1], vec![2, 3, 1], vec![2, 1, 1, 1]] {
        let loss = |bias: &Var<f64>| {
            v[0].attention(&v[1], &v[2], &AttentionOptions::masked(AttentionMask::bias(bias))).sin().sum()
        };
        let bias = normal(&shape[..], 5);
        close(&grad(loss, &bias), &Var::zeros(&shape[..]), 1e-14);
        close(&jvp(loss, &bias, &bias).1, &Var::scalar(0.0), 1e-14);
    }
}

#[test]
fn where_nothing_takes_part_all_is_zero() {
    let v = qkv(2, 1, 3, 4, 2);
    let everything = |mask: AttentionMask<f64>, what: &str| {
        let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &AttentionOptions::masked(mask.clone()));
        let (value, gradient) = value_and_grad(|v: &Vec<Var<f64>>| f(v).sum(), &v);
        assert_eq!(value.item(), 0.0, "{what}");
        let zero = |v: &Var<f64>| v.value().iter().all(|x| x == 0.0);
        assert!(gradient.iter().all(zero), "gradient of {what}");
        assert!(zero(&jvp(f, &v, &v).1), "tangent of {what}");
        assert!(hvp(|v: &Vec<Var<f64>>| f(v).sin().sum(), &v, &v).iter().all(zero), "Hessian of {what}");
        let weights = v[0].attention_weights(&v[1], &AttentionOptions::masked(mask.clone()));
        assert!(zero(&weights), "weights of {what}");
    };
    everything(AttentionMask::lengths(Tensor::from([0u32, 0])), "no lengths");
    everything(AttentionMask::takes_part(Tensor::from([false])), "a false mask");
    everything(AttentionMask::bias(&Var::scalar(f64::NEG_INFINITY)), "−∞");
    // Even where the values are no numbers.
    let none = AttentionOptions::masked(AttentionMask::masked_out(Tensor::from([true])));
    let y = v[0].attention(&v[1], &(&v[2] * f64::NAN), &none);
    assert!(y.value().iter().all(|x| x == 0.0));
    // One query of three.
    let mask = AttentionMask::masked_out(Tensor::from([[false], [true], [false]]));
    let y = v[0].attention(&v[1], &v[2], &AttentionOptions::masked(mask));
    assert!(y.value().select(2, 1).iter().all(|x| x == 0.0));
    assert!(y.value().select(2, 2).iter().all(|x| x != 0.0 && x.is_finite()));
}

#[test]
fn no_keys_no_queries_and_no_width() {
    let options = AttentionOptions::<f64>::default();
    let y = Var::ones([2, 3, 4]).attention(&Var::ones([2, 0, 4]), &Var::ones([2, 0, 5]), &options);
    assert_eq!(y.value(), &Tensor::zeros([2, 3, 5]));
    let y = Var::ones([2, 0, 4]).attention(&Var::ones([2, 3, 4]), &Var::ones([2, 3, 5]), &options);
    assert_eq!(y.shape(), &[2, 0, 5]);
    let y = Var::ones([3, 0]).attention(&Var::ones([2, 0]), &Var::from([[1.0], [3.0]]), &options);
    assert_eq!(y.value().to_vec(), [2.0; 3]);
    let g = grad(
        |q: &Var<f64>| q.attention(&Var::ones([2, 0]), &Var::ones([2, 1]), &options).sum(),
        &Var::ones([3, 0]),
    );
    assert_eq!(g.shape(), &[3, 0]);
}

#[test]
fn numbers_that_are_none_and_huge_ones() {
    let v = qkv(1, 1, 3, 4, 2);
    let options = AttentionOptions::default();
    let mut query = v[0].value().clone();
    query.as_mut_slice()[2] = f64::NAN;
    let y = Var::constant(query).attention(&v[1], &v[2], &options);
    let numbers: Vec<bool> = y.value().iter().map(|x| x.is_nan()).collect();
    assert_eq!(numbers, [false, false, true, true, false, false]);
    // The largest score decides, however large.
    let huge = (&v[0] * 1e150).attention(&(&v[1] * 1e150), &v[2], &options);
    let best = v[0].matmul(&v[1].t()).argmax(3);
    for i in 0..3 {
        let row = v[2].select(1, 0).select(1, best.value().at([0, 0, i]) as isize);
        assert_eq!(huge.value().select(2, i as isize).to_vec(), row.value().to_vec());
    }
}

#[test]
fn dropout_keeps_the_mean_and_is_the_same_in_all_derivatives() {
    let v = qkv(2, 2, 70, 140, 2);
    let key = Index::key(&Generator::seeded(9));
    let options = AttentionOptions { dropout: Some((0.25, key)), ..AttentionOptions::default() };
    // With values 1, the value is the sum of the weights that are left.
    let ones = Var::ones([2, 2, 140, 1]);
    let sums = v[0].attention(&v[1], &ones, &options);
    assert!((sums.mean().item() - 1.0).abs() < 0.02);
    assert!(sums.value().iter().any(|x| (x - 1.0).abs() > 0.01));
    let none =
        AttentionOptions { dropout: options.dropout.clone().map(|(_, key)| (1.0, key)), ..options.clone() };
    assert_eq!(v[0].attention(&v[1], &ones, &none).sum().item(), 0.0);
    // First-order kernels and recorded rules draw the same.
    let loss = |q: &Var<f64>| q.attention(&v[1], &v[2], &options).sin().sum();
    let kernel = grad(loss, &v[0]);
    let recorded = jvp(|q: &Var<f64>| grad(loss, q), &v[0], &v[0]);
    close(&recorded.0, &kernel, 1e-13);
    let h = 1e-5;
    let difference = (grad(loss, &(&v[0] * (1.0 + h))) - grad(loss, &(&v[0] * (1.0 - h)))) / (2.0 * h);
    close(&recorded.1, &difference, 1e-7);
}

#[test]
fn more_keys_are_seen_by_all() {
    let v = qkv(2, 2, 3, 3, 2);
    let [key, value] = [1, 2].map(|i| Var::cat(&[&v[i], &normal([2, 2, 1, 2], 7)], 2));
    let mask = AttentionMask::causal().and(AttentionMask::lengths(Tensor::from([3u32, 1])));
    let with = mask.and(AttentionMask::bias(&normal([3], 8))).with_more_keys([2, 2, 3, 3], 1);
    let weights = v[0].attention_weights(&key, &AttentionOptions::masked(with.clone()));
    let seen = [[true, false, false, true], [true, true, false, true], [true, true, true, true]];
    let zero = |matrix: isize| {
        weights.value().select(0, matrix).select(0, 1).iter().map(|w| w != 0.0).collect::<Vec<_>>()
    };
    assert_eq!(zero(0), seen.concat());
    assert_eq!(zero(1), [[true, false, false, true]; 3].concat());
    close(&v[0].attention(&key, &value, &AttentionOptions::masked(with)), &weights.matmul(&value), 1e-14);
    let none = AttentionMask::<f64>::none().with_more_keys([2, 2, 3, 3], 1);
    assert_eq!(format!("{none:?}"), format!("{:?}", AttentionMask::<f64>::none()));
}

#[test]
fn masks_may_be_recorded() {
    let tape = wengert_tape::Tape::complete();
    let lengths = tape.discrete(Tensor::from([1u32]));
    let x = tape.var(Tensor::from([[1.0], [2.0]]).reshape([1, 1, 2, 1]));
    let y = x.attention(&x, &x, &AttentionOptions::masked(AttentionMask::lengths(&lengths)));
    assert_eq!(y.value().to_vec(), [1.0, 1.0]);
    assert!(tape.position(&y).is_some());
    let taken: Mask<f64> = Mask::constant(Tensor::from([true]));
    drop(AttentionMask::takes_part(&taken));
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let v: Vec<Tensor<f64>> = qkv(1, 2, 150, 260, 16).into_iter().map(Var::into_value).collect();
    let bits = || {
        let v: Vec<Var<f64>> = v.iter().map(|x| Var::constant(x.clone())).collect();
        let options = AttentionOptions::masked(AttentionMask::causal_after(110));
        let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options).sin().sum();
        let twice = |v: &Vec<Var<f64>>| jvp(|v: &Vec<Var<f64>>| jvp(f, v, v).1, v, v).1;
        let g = [grad(f, &v), hvp(f, &v, &v), vec![twice(&v)]].concat();
        g.iter().flat_map(|g| g.value().to_vec()).map(f64::to_bits).collect::<Vec<u64>>()
    };
    let expected = parallel::with_threads(1, bits);
    assert_eq!(parallel::with_threads(3, bits), expected);
}

/// The value and the derivatives of first and second order of 2048 positions take less than a sixteenth of a matrix of all
/// scores.
#[test]
fn no_matrix_of_all_scores_is_in_memory() {
    let (length, width) = (2048, 8);
    let point: Vec<Var<f32>> = (1..4)
        .map(|seed| {
            let mut tensor = Tensor::<f32>::zeros([1, 2, length, width]);
            Generator::seeded(seed).fill_normal(tensor.as_mut_slice(), 0.0, 1.0);
            Var::constant(tensor)
        })
        .collect();
    let options = AttentionOptions::masked(AttentionMask::causal());
    let f = |v: &Vec<Var<f32>>| v[0].attention(&v[1], &v[2], &options).square().sum();
    let scores = (2 * length * length * size_of::<f32>()) as isize;
    let peak = |work: &dyn Fn()| {
        memory::reset_peak();
        let before = memory::stats().live_bytes;
        work();
        memory::stats().peak_bytes - before
    };
    let of_value = peak(&|| drop(f(&point)));
    let of_gradient = peak(&|| drop(grad(f, &point)));
    let of_tangent = peak(&|| drop(jvp(f, &point, &point)));
    let operand = (2 * length * width * size_of::<f32>()) as isize;
    for (what, bytes) in [("value", of_value), ("gradient", of_gradient), ("tangent", of_tangent)] {
        assert!(bytes > 0 && bytes <= 12 * operand, "{what}: {bytes} bytes, an operand {operand}");
        assert!(bytes < scores / 16, "{what}: {bytes} bytes, all scores {scores}");
    }
    let of_product = peak(&|| drop(hvp(f, &point, &point)));
    let of_penalty = peak(&|| {
        let penalty = |v: &Vec<Var<f32>>| grad(f, v).iter().map(|g| g.square().sum()).reduce(|a, b| a + b);
        drop(grad(|v: &Vec<Var<f32>>| penalty(v).expect("there are three"), &point));
    });
    let of_both = peak(&|| {
        let along = |v: &Vec<Var<f32>>| jvp(f, v, &point).1;
        drop(grad(along, &point));
        drop(jvp(along, &point, &point));
    });
    for (what, bytes) in [("hvp", of_product), ("gradient's gradient", of_penalty), ("jvp's", of_both)] {
        assert!(bytes > 0 && bytes <= 40 * operand, "{what}: {bytes} bytes, an operand {operand}");
        assert!(bytes < scores / 4, "{what}: {bytes} bytes, all scores {scores}");
    }
}

/// A function of the operands of attention.
type Function<'a> = &'a dyn Fn(&Vec<Var<f64>>) -> Var<f64>;

/// Every way to a second derivative, of several tiles, against the formula.
#[test]
fn second_derivatives_of_several_tiles_are_those_of_the_formula() {
    let (queries, keys) = (70, 133);
    let v: Vec<Var<f64>> = vec![
        normal([1, 4, queries, 3], 1),
        normal([1, 2, keys, 3], 2),
        normal([1, 2, keys, 2], 3),
        normal([4, 1, keys], 4),
    ];
    let along: Vec<Var<f64>> = v.iter().zip(11..).map(|(x, seed)| normal(x.shape().clone(), seed)).collect();
    let mask = AttentionMask::causal_after(40).and(AttentionMask::lengths(Tensor::from([120u32])));
    // For one query of 70 nothing takes part.
    let mask = mask.and(AttentionMask::takes_part(Tensor::from_fn([queries, 1], |i| i[0] != 65)));
    let options = |v: &[Var<f64>]| AttentionOptions {
        scale: Some(0.4),
        ..AttentionOptions::masked(mask.clone().and(AttentionMask::bias(&v[3])))
    };
    let f = |v: &Vec<Var<f64>>| v[0].attention(&v[1], &v[2], &options(v));
    let g = |v: &Vec<Var<f64>>| {
        let all_heads = |x: &Var<f64>| x.repeat_interleave(2, 1);
        v[0].attention_weights(&v[1], &options(v)).matmul(&all_heads(&v[2]))
    };
    let [of_kernel, of_formula]: [Function; 2] = [&f, &g];
    let pairs = |found: Vec<Var<f64>>, expected: Vec<Var<f64>>| {
        found.iter().zip(&expected).for_each(|(found, expected)| close(found, expected, 1e-11));
    };
    let compare = |derivative: &dyn Fn(Function) -> Vec<Var<f64>>| {
        pairs(derivative(of_kernel), derivative(of_formula));
    };
    compare(&|f| hvp(|v: &Vec<Var<f64>>| f(v).sin().sum(), &v, &along));
    // The gradient of squares of the gradient, of each part alone and of all.
    for part in 0..5 {
        let of_part = |f: Function, v: &Vec<Var<f64>>| {
            let gradient = grad(|v: &Vec<Var<f64>>| f(v).sin().sum(), v);
            let chosen = gradient.iter().enumerate().filter(|(i, _)| part == 4 || *i == part);
            chosen.map(|(_, g)| g.sin().sum()).reduce(|a, b| a + b).expect("there is a part")
        };
        compare(&|f| grad(|v: &Vec<Var<f64>>| of_part(f, v), &v));
    }
    // The gradient and the tangent of a tangent, along one and along all.
    for part in 0..5 {
        let chosen = |v: &[Var<f64>]| {
            let one = |(i, x): (usize, &Var<f64>)| if part == 4 || i == part { x.clone() } else { x * 0.0 };
            v.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        compare(&|f| grad(|v: &Vec<Var<f64>>| jvp(f, v, &chosen(v)).1.sin().sum(), &v));
        compare(&|f| vec![jvp(|v: &Vec<Var<f64>>| jvp(f, v, &along).1, &v, &chosen(&along)).1]);
        compare(&|f| vec![jvp(|v: &Vec<Var<f64>>| jvp(f, v, v).1, &v, &chosen(&along)).1]);
    }
}
