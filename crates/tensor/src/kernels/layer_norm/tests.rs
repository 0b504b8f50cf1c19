//! Against compositions of other operations, and difference quotients of the operations themselves.

use crate::array::shape::Shape;
use crate::array::tensor::Tensor;
use crate::machine::parallel;

const EPSILON: f64 = 1e-5;

fn wave(shape: impl Into<Shape>, k: usize) -> Tensor<f64> {
    Tensor::from_fn(shape, move |i| {
        i.iter().enumerate().map(|(axis, &at)| ((at + 1) * (axis + k + 2)) as f64).sum::<f64>().sin()
    })
}

/// Rows of every remainder of a register, blocks of rows that are not full, more than one chunk.
fn points() -> Vec<[Tensor<f64>; 6]> {
    let shapes: [(Vec<usize>, Vec<usize>); 5] = [
        (vec![3, 1], vec![1]),
        (vec![5, 16], vec![16]),
        (vec![2, 20, 37], vec![37]),
        (vec![4, 3, 11], vec![3, 11]),
        (vec![70, 1000], vec![1000]),
    ];
    shapes
        .into_iter()
        .map(|(x, gain)| {
            let (x, gain) = (Shape::from(x), Shape::from(gain));
            [wave(&x, 1) * 3.0 + 1.0, wave(&gain, 2), wave(&gain, 3), wave(&x, 4), wave(&x, 5), wave(&x, 6)]
        })
        .collect()
}

/// (x − mean) / √(variance + ε), and 1/√(variance + ε).
fn normalised(x: &Tensor<f64>, gain: &Tensor<f64>) -> (Tensor<f64>, Tensor<f64>) {
    let axes: Vec<usize> = (x.rank() - gain.rank()..x.rank()).collect();
    let centred = x - x.mean_axes(&axes[..], true);
    let scale = ((&centred * &centred).mean_axes(&axes[..], true) + EPSILON).sqrt().recip();
    (&centred * &scale, scale)
}

fn close(what: &str, a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    let largest = b.abs().max().item();
    assert!(a.all_close(b, tolerance, tolerance * largest), "{what} of shape {}", a.shape());
}

#[test]
fn value_and_gradients_against_compositions() {
    for [x, gain, bias, v, ..] in points() {
        let (z, scale) = normalised(&x, &gain);
        close("value", &x.layer_norm(&gain, &bias, EPSILON), &(&z * &gain + &bias), 1e-13);
        let axes: Vec<usize> = (x.rank() - gain.rank()..x.rank()).collect();
        let mean = |t: &Tensor<f64>| t.mean_axes(&axes[..], true);
        let u = &v * &gain;
        let of_x = scale * (&u - mean(&u) - &z * mean(&(&u * &z)));
        let expected = [of_x, (&z * &v).sum_to(gain.shape()), v.sum_to(gain.shape())];
        let found = x.layer_norm_gradients(&gain, &v, EPSILON);
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // With a single element in a row, z is 0 and only rounding is left.
            if gain.len() > 1 || i == 2 {
                close("gradients", found, expected, 1e-12);
            }
        }
        assert_eq!(found[0], x.layer_norm_gradient(&gain, &v, EPSILON));
        assert_eq!(found[1], x.layer_norm_gain_gradient(&v, EPSILON, gain.shape()));
    }
}

/// (f(h) − f(−h)) / 2h with its error of second order removed.
fn derivative(f: impl Fn(f64) -> Tensor<f64>) -> Tensor<f64> {
    let quotient = |h: f64| (f(h) - f(-h)) / (2.0 * h);
    (quotient(1e-3) * 4.0 - quotient(2e-3)) / 3.0
}

#[test]
fn tangents_against_difference_quotients() {
    for [x, gain, bias, v, t, t_v] in points().into_iter().filter(|p| p[1].len() > 1) {
        let (t_gain, t_bias) = (wave(gain.shape(), 7), wave(gain.shape(), 8));
        let along = |a: &Tensor<f64>, t: &Tensor<f64>, h: f64| a + t * h;
        let value = derivative(|h| {
            along(&x, &t, h).layer_norm(&along(&gain, &t_gain, h), &along(&bias, &t_bias, h), EPSILON)
        });
        close("tangent", &x.layer_norm_tangent(&gain, EPSILON, [&t, &t_gain, &t_bias]), &value, 1e-9);
        let gradient = derivative(|h| {
            along(&x, &t, h).layer_norm_gradient(&along(&gain, &t_gain, h), &along(&v, &t_v, h), EPSILON)
        });
        let found = x.layer_norm_gradient_tangent(&gain, &v, EPSILON, [&t, &t_gain, &t_v]);
        close("tangent of the gradient", &found, &gradient, 1e-9);
        let of_gain = derivative(|h| {
            along(&x, &t, h).layer_norm_gain_gradient(&along(&v, &t_v, h), EPSILON, gain.shape())
        });
        let found = x.layer_norm_gain_gradient_tangent(&v, EPSILON, gain.shape(), [&t, &t_v]);
        close("tangent of the gain's gradient", &found, &of_gain, 1e-9);
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let shape = [300, 400];
    let (x, v, gain) = (wave(shape, 1), wave(shape, 2), wave([400], 3));
    let run = |threads| {
        parallel::with_threads(threads, || {
            let gradients = x.layer_norm_gradients(&gain, &v, EPSILON);
            (gradients, x.layer_norm_gain_gradient_tangent(&v, EPSILON, gain.shape(), [&v, &x]))
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn rows_of_nothing_and_no_rows() {
    let nothing = Tensor::<f64>::zeros([3, 0]);
    let none = Tensor::<f64>::zeros([0]);
    assert_eq!(nothing.layer_norm(&none, &none, EPSILON).shape(), &[3, 0]);
    assert_eq!(nothing.layer_norm_gradients(&none, &nothing, EPSILON)[1].shape(), &[0]);
    let no_rows = Tensor::<f64>::zeros([0, 3]);
    let gradients = no_rows.layer_norm_gradients(&Tensor::ones([3]), &no_rows, EPSILON);
    assert_eq!((gradients[0].len(), gradients[1].to_vec()), (0, vec![0.0; 3]));
}

#[test]
#[should_panic(
    expected = "layer_norm: [2], the shape of the gain, is not that of the last axes of shape [2, 3]"
)]
fn a_gain_of_another_length() {
    let _ = Tensor::<f64>::ones([2, 3]).layer_norm(&Tensor::ones([2]), &Tensor::ones([2]), EPSILON);
}
