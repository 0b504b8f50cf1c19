//! Against the formula, written as loops.

use super::*;
use crate::machine::parallel::with_threads;
use crate::random::Generator;

/// The operands of a problem that has several tiles, whose last ones are not whole.
struct Case {
    geometry: AttentionGeometry,
    query: Vec<f64>,
    key: Vec<f64>,
    value: Vec<f64>,
    cotangent: Vec<f64>,
    bias: Vec<f64>,
    mask: Vec<bool>,
}

impl Case {
    fn new(geometry: AttentionGeometry) -> Self {
        let AttentionGeometry { batch, heads, key_heads, queries, keys, width, value_width, .. } = geometry;
        let mut generator = Generator::seeded(1);
        let mut numbers = |count: usize| {
            let mut numbers = vec![0.0; count];
            generator.fill_normal(&mut numbers, 0.0, 1.0);
            numbers
        };
        let [query, key, value, cotangent] = [
            batch * heads * queries * width,
            batch * key_heads * keys * width,
            batch * key_heads * keys * value_width,
            batch * heads * queries * value_width,
        ]
        .map(&mut numbers);
        let bias = numbers(heads * keys);
        let mut mask = vec![false; batch * queries * keys];
        Generator::seeded(2).fill_bernoulli_mask(&mut mask, 0.7);
        // Nothing takes part for the third query.
        mask[2 * keys..3 * keys].fill(false);
        Case { geometry, query, key, value, cotangent, bias, mask }
    }

    fn operands(&self, dropout: bool) -> AttentionOperands<'_, f64> {
        let AttentionGeometry { heads, key_heads, queries, keys, width, value_width, .. } = self.geometry;
        AttentionOperands {
            query: dense(&self.query, heads, queries, width),
            key: dense(&self.key, key_heads, keys, width),
            value: dense(&self.value, key_heads, keys, value_width),
            bias: Some(View::new(&self.bias, 0, [0, keys as isize, 0, 1])),
            takes_part: Some(View::new(&self.mask, 0, [(queries * keys) as isize, 0, keys as isize, 1])),
            dropout: dropout.then(|| (0.3, Generator::seeded(5))),
        }
    }

    /// The weights before dropout and after it.
    fn weights(&self, dropout: bool) -> [Vec<f64>; 2] {
        let AttentionGeometry { batch, heads, key_heads, queries, keys, width, scale, .. } = self.geometry;
        let mut weights = vec![0.0; batch * heads * queries * keys];
        let mut factors = vec![1.0; weights.len()];
        if dropout {
            dropout_factors([batch, heads, queries, keys], 0.3, &Generator::seeded(5), &mut factors);
        }
        for (row, weights) in weights.chunks_exact_mut(keys.max(1)).enumerate() {
            let (matrix, i) = (row / queries, row % queries);
            let (b, h) = (matrix / heads, matrix % heads);
            let key_matrix = b * key_heads + h / (heads / key_heads);
            for (j, weight) in weights.iter_mut().enumerate() {
                let product: f64 = (0..width)
                    .map(|e| self.query[row * width + e] * self.key[(key_matrix * keys + j) * width + e])
                    .sum();
                let seen = self.mask[(b * queries + i) * keys + j] && j < self.geometry.limit(i);
                *weight = if seen { (scale * product + self.bias[h * keys + j]).exp() } else { 0.0 };
            }
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= if sum == 0.0 { 1.0 } else { sum });
        }
        let dropped = weights.iter().zip(&factors).map(|(w, f)| w * f).collect();
        [weights, dropped]
    }
}

fn dense(data: &[f64], heads: usize, length: usize, width: usize) -> View<'_, f64> {
    let [h, l, w] = [heads, length, width].map(|x| x as isize);
    View::new(data, 0, [h * l * w, l * w, w, 1])
}

/// What is laid out as `[batch, length, heads, width]`.
fn lying(data: &[f64], heads: usize, length: usize, width: usize) -> View<'_, f64> {
    let [h, l, w] = [heads, length, width].map(|x| x as isize);
    View::new(data, 0, [l * h * w, w, h * w, 1])
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{found} instead of {expected}");
}

struct Results {
    value: Vec<f64>,
    of_query: Vec<f64>,
    of_key: Vec<f64>,
    of_value: Vec<f64>,
    of_bias: Vec<f64>,
    tangent: Vec<f64>,
}

fn compute(case: &Case, dropout: bool) -> Results {
    let AttentionGeometry { batch, heads, key_heads, queries, keys, width, value_width, .. } = case.geometry;
    let operands = case.operands(dropout);
    let mut value = vec![f64::NAN; batch * queries * heads * value_width];
    let mut statistics = vec![f64::NAN; batch * queries * heads * 2];
    super::value(&case.geometry, &operands, &mut value, &mut statistics);
    let as_view = lying(&value, heads, queries, value_width);
    let cotangent = dense(&case.cotangent, heads, queries, value_width);
    let mut of_query = vec![f64::NAN; batch * queries * heads * width];
    let mut of_key = vec![f64::NAN; batch * keys * key_heads * width];
    let mut of_value = vec![f64::NAN; batch * keys * key_heads * value_width];
    let mut of_bias = vec![f64::NAN; heads * keys];
    let out = AttentionGradients {
        query: Some(&mut of_query),
        key_and_value: Some([&mut of_key, &mut of_value]),
        bias: Some(([1, heads, 1, keys], &mut of_bias)),
    };
    gradients(&case.geometry, &operands, &as_view, &statistics, &cotangent, out);
    let along = AttentionTangents {
        query: Some(operands.query),
        key: None,
        value: Some(operands.value),
        bias: Some(View::new(&case.bias, 0, [0, keys as isize, 0, 1])),
    };
    let mut tangent = vec![f64::NAN; value.len()];
    super::tangent(&case.geometry, &operands, &along, &as_view, &statistics, &mut tangent);
    Results { value, of_query, of_key, of_value, of_bias, tangent }
}

fn compare(case: &Case, dropout: bool) {
    let AttentionGeometry { batch, heads, key_heads, queries, keys, width, value_width, scale, .. } =
        case.geometry;
    let [weights, dropped] = case.weights(dropout);
    let found = compute(case, dropout);
    let (mut of_key, mut of_value) = (vec![0.0; found.of_key.len()], vec![0.0; found.of_value.len()]);
    let mut of_bias = vec![0.0; heads * keys];
    for b in 0..batch {
        for h in 0..heads {
            let key_head = h / (heads / key_heads);
            let value =
                |j: usize, e: usize| case.value[((b * key_heads + key_head) * keys + j) * value_width + e];
            let key = |j: usize, e: usize| case.key[((b * key_heads + key_head) * keys + j) * width + e];
            for i in 0..queries {
                let row = (b * heads + h) * queries + i;
                let (w, d) = (&weights[row * keys..][..keys], &dropped[row * keys..][..keys]);
                let lies = (b * queries + i) * heads + h;
                let cotangent = &case.cotangent[row * value_width..][..value_width];
                let query = &case.query[row * width..][..width];
                // The tangent of the scores along the query and the bias, and that of the weights.
                let along: Vec<f64> = (0..keys)
                    .map(|j| {
                        let product: f64 = (0..width).map(|e| query[e] * key(j, e)).sum();
                        scale * product + case.bias[h * keys + j]
                    })
                    .collect();
                let mean_along: f64 = w.iter().zip(&along).map(|(w, t)| w * t).sum();
                for e in 0..value_width {
                    let expected: f64 = (0..keys).map(|j| d[j] * value(j, e)).sum();
                    close(found.value[lies * value_width + e], expected);
                    let moved: f64 =
                        (0..keys).map(|j| d[j] * (along[j] - mean_along + 1.0) * value(j, e)).sum();
                    close(found.tangent[lies * value_width + e], moved);
                }
                let of_weights: Vec<f64> = (0..keys)
                    .map(|j| {
                        let product: f64 = (0..value_width).map(|e| cotangent[e] * value(j, e)).sum();
                        if w[j] == 0.0 { 0.0 } else { product * d[j] / w[j] }
                    })
                    .collect();
                let mean: f64 = w.iter().zip(&of_weights).map(|(w, c)| w * c).sum();
                let of_scores: Vec<f64> = w.iter().zip(&of_weights).map(|(w, c)| w * (c - mean)).collect();
                for e in 0..width {
                    let expected: f64 = (0..keys).map(|j| scale * of_scores[j] * key(j, e)).sum();
                    close(found.of_query[lies * width + e], expected);
                }
                for j in 0..keys {
                    let place = (b * keys + j) * key_heads + key_head;
                    (0..width).for_each(|e| of_key[place * width + e] += scale * of_scores[j] * query[e]);
                    (0..value_width).for_each(|e| of_value[place * value_width + e] += d[j] * cotangent[e]);
                    of_bias[h * keys + j] += of_scores[j];
                }
            }
        }
    }
    let pairs = [(found.of_key, of_key), (found.of_value, of_value), (found.of_bias, of_bias)];
    for (found, expected) in pairs {
        found.iter().zip(&expected).for_each(|(&found, &expected)| close(found, expected));
    }
}

fn geometry(queries: usize, keys: usize, last_key: Option<isize>) -> AttentionGeometry {
    AttentionGeometry {
        batch: 2,
        heads: 4,
        key_heads: 2,
        queries,
        keys,
        width: 3,
        value_width: 5,
        scale: 0.6,
        last_key,
    }
}

#[test]
fn several_tiles_give_what_the_formula_gives() {
    for (queries, keys, last_key) in
        [(70, 260, None), (130, 130, Some(0)), (5, 140, Some(135)), (66, 9, Some(-3))]
    {
        let case = Case::new(geometry(queries, keys, last_key));
        compare(&case, false);
        compare(&case, true);
    }
}

#[test]
fn one_of_everything_and_nothing() {
    for (queries, keys) in [(3, 1), (3, 0)] {
        compare(&Case::new(geometry(queries, keys, None)), false);
    }
    let none = AttentionGeometry { batch: 0, ..geometry(3, 2, None) };
    compare(&Case { mask: vec![], ..Case::new_without_rows(none) }, false);
}

impl Case {
    fn new_without_rows(geometry: AttentionGeometry) -> Self {
        let bias = vec![0.0; geometry.heads * geometry.keys];
        Case { geometry, query: vec![], key: vec![], value: vec![], cotangent: vec![], bias, mask: vec![] }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let case = Case::new(AttentionGeometry { heads: 2, ..geometry(150, 300, Some(100)) });
    let bits = |r: Results| {
        [r.value, r.of_query, r.of_key, r.of_value, r.of_bias, r.tangent]
            .map(|numbers| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u64>>())
    };
    let expected = bits(with_threads(1, || compute(&case, true)));
    for threads in [2, 3] {
        assert_eq!(bits(with_threads(threads, || compute(&case, true))), expected);
    }
}

#[test]
fn a_row_of_other_strides() {
    // Columns in steps of 2, rows backwards, the heads among each other.
    let case = Case::new(geometry(70, 130, None));
    let AttentionGeometry { batch, heads, queries, width, value_width, .. } = case.geometry;
    let mut memory = vec![f64::NAN; 2 * case.query.len()];
    for (i, &x) in case.query.iter().enumerate() {
        let (matrix, row, e) = (i / (queries * width), i / width % queries, i % width);
        memory[((matrix * queries + queries - 1 - row) * width + e) * 2 + 1] = x;
    }
    let step = (2 * queries * width) as isize;
    let query = View::new(
        &memory,
        1 + 2 * (queries - 1) * width,
        [heads as isize * step, step, -2 * width as isize, 2],
    );
    let [mut plain, mut strided] = [(); 2].map(|()| vec![0.0; batch * queries * heads * value_width]);
    let mut statistics = vec![0.0; batch * queries * heads * 2];
    let operands = case.operands(false);
    super::value(&case.geometry, &operands, &mut plain, &mut statistics);
    super::value(&case.geometry, &AttentionOperands { query, ..operands }, &mut strided, &mut statistics);
    plain.iter().zip(&strided).for_each(|(&a, &b)| close(a, b));
}
