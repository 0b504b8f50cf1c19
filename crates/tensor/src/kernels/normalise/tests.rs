//! Against compositions of other operations, and difference quotients of the functions themselves.

use super::*;
use crate::array::shape::Shape;
use crate::array::tensor::Tensor;
use crate::machine::parallel;

const EPSILON: f64 = 1e-5;

fn wave(shape: impl Into<Shape>, k: usize) -> Tensor<f64> {
    Tensor::from_fn(shape, move |i| {
        i.iter().enumerate().map(|(axis, &at)| ((at + 1) * (axis + k + 2)) as f64).sum::<f64>().sin()
    })
}

/// A geometry, with shapes in which compositions can say the same: x with the axes of its statistics, and a gain that is
/// broadcast to x.
struct Case {
    geometry: NormGeometry,
    x: Shape,
    statistics: Vec<usize>,
    gain: Shape,
    centred: bool,
}

impl Case {
    fn layer(x: &[usize], axes: usize) -> Case {
        let (x, gain) = (Shape::from(x), Shape::from(&x[x.len() - axes..]));
        let geometry = NormGeometry::last_axes(&x, &gain, EPSILON).unwrap();
        Case { geometry, statistics: (x.len() - axes..x.len()).collect(), x, gain, centred: true }
    }

    fn groups(examples: usize, channels: usize, others: usize, groups: usize) -> Case {
        let geometry = NormGeometry::groups(&[examples, channels, others].into(), groups, EPSILON).unwrap();
        let in_group = channels / groups;
        let (x, gain) = ([examples, groups, in_group, others].into(), [groups, in_group, 1].into());
        Case { geometry, x, statistics: vec![2, 3], gain, centred: true }
    }

    fn batch(examples: usize, channels: usize, others: usize) -> Case {
        let x = Shape::from([examples, channels, others]);
        let geometry = NormGeometry::batch(&x, EPSILON).unwrap();
        Case { geometry, x, statistics: vec![0, 2], gain: [channels, 1].into(), centred: true }
    }

    fn uncentred(self) -> Case {
        Case { geometry: self.geometry.uncentred(), centred: false, ..self }
    }

    /// Rows of every remainder of a register, blocks of rows that are not full, more than one chunk; pieces that are short,
    /// and cut.
    fn all() -> Vec<Case> {
        let layer = || {
            vec![
                Case::layer(&[3, 1], 1),
                Case::layer(&[5, 16], 1),
                Case::layer(&[2, 20, 37], 1),
                Case::layer(&[4, 3, 11], 2),
                Case::layer(&[70, 1000], 1),
            ]
        };
        let groups = || {
            vec![
                Case::groups(2, 6, 5, 3),
                // A gain for each element: nothing but channels.
                Case::groups(9, 8, 1, 2),
                // Instance normalisation, and batch normalisation with the channels first.
                Case::groups(3, 4, 33, 4),
                Case::groups(1, 5, 300, 5),
                Case::groups(40, 4, 700, 2),
            ]
        };
        let batch = || {
            vec![
                // Lanes that are full, shared by channels, left over; more than one step in a row.
                Case::batch(5, 16, 1),
                Case::batch(9, 37, 1),
                Case::batch(4, 7, 5),
                Case::batch(3, 5, 15),
                Case::batch(2, 3, 16),
                Case::batch(3, 2, 41),
                Case::batch(1, 4, 33),
                Case::batch(70, 11, 100),
                Case::batch(300, 300, 1),
            ]
        };
        let groups = || groups().into_iter().chain(batch()).collect::<Vec<_>>();
        let uncentred = layer().into_iter().chain(groups()).map(Case::uncentred);
        layer().into_iter().chain(groups()).chain(uncentred).collect()
    }

    fn mean(&self, t: &Tensor<f64>) -> Tensor<f64> {
        t.mean_axes(&self.statistics[..], true)
    }

    fn taken(&self, t: &Tensor<f64>) -> Tensor<f64> {
        if self.centred { self.mean(t) } else { Tensor::scalar(0.0) }
    }

    fn at(&self) -> [Tensor<f64>; 6] {
        let (x, gain) = (&self.x, &self.gain);
        [wave(x, 1) * 3.0 + 1.0, wave(gain, 2), wave(gain, 3), wave(x, 4), wave(x, 5), wave(x, 6)]
    }

    fn value(&self, x: &Tensor<f64>, gain: &Tensor<f64>, bias: &Tensor<f64>) -> Tensor<f64> {
        self.of_x(|out| value(&self.geometry, slice(x), slice(gain), slice(bias), out))
    }

    fn gradient(&self, x: &Tensor<f64>, gain: &Tensor<f64>, v: &Tensor<f64>) -> Tensor<f64> {
        self.of_x(|out| gradient(&self.geometry, slice(x), slice(gain), slice(v), out))
    }

    fn gain_gradient(&self, x: &Tensor<f64>, v: &Tensor<f64>) -> Tensor<f64> {
        Tensor::written(&self.gain, |out| gain_gradient(&self.geometry, slice(x), slice(v), out))
    }

    fn gradients(&self, x: &Tensor<f64>, gain: &Tensor<f64>, v: &Tensor<f64>) -> [Tensor<f64>; 3] {
        let mut sums = vec![f64::NAN; 2 * gain.len()];
        let of_x =
            self.of_x(|out| gradients(&self.geometry, slice(x), slice(gain), slice(v), out, &mut sums));
        let part = |sums: &[f64]| Tensor::vector(sums).reshape(gain.shape());
        [of_x, part(&sums[..gain.len()]), part(&sums[gain.len()..])]
    }

    fn of_x(&self, write: impl FnOnce(&mut [f64])) -> Tensor<f64> {
        Tensor::written(&self.x, |out| {
            out.fill(f64::NAN);
            write(out);
        })
    }
}

fn slice(x: &Tensor<f64>) -> &[f64] {
    x.as_slice().expect("made contiguous")
}

fn close(what: &str, a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    let largest = b.abs().max().item();
    assert!(a.all_close(b, tolerance, tolerance * largest), "{what} of shape {}", a.shape());
}

#[test]
fn value_and_gradients_against_compositions() {
    for case in Case::all() {
        let [x, gain, bias, v, ..] = case.at();
        let centred = &x - case.taken(&x);
        let scale = (case.mean(&(&centred * &centred)) + EPSILON).sqrt().recip();
        let z = &centred * &scale;
        close("value", &case.value(&x, &gain, &bias), &(&z * &gain + &bias), 1e-13);
        let u = &v * &gain;
        let of_x = scale * (&u - case.taken(&u) - &z * case.mean(&(&u * &z)));
        let expected = [of_x, (&z * &v).sum_to(gain.shape()), v.sum_to(gain.shape())];
        let found = case.gradients(&x, &gain, &v);
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // With a single element in a row, z is 0 or ±1 and only rounding is left.
            if case.geometry.length() > 1 || i == 2 {
                close("gradients", found, expected, 1e-11);
            }
        }
        assert_eq!(found[0], case.gradient(&x, &gain, &v));
        assert_eq!(found[1], case.gain_gradient(&x, &v));
    }
}

/// (f(h) − f(−h)) / 2h with its error of second order removed.
fn derivative(f: impl Fn(f64) -> Tensor<f64>) -> Tensor<f64> {
    let quotient = |h: f64| (f(h) - f(-h)) / (2.0 * h);
    (quotient(1e-3) * 4.0 - quotient(2e-3)) / 3.0
}

#[test]
fn tangents_against_difference_quotients() {
    for case in Case::all().into_iter().filter(|case| case.geometry.length() > 1) {
        let [x, gain, bias, v, t, t_v] = case.at();
        let (t_gain, t_bias) = (wave(gain.shape(), 7), wave(gain.shape(), 8));
        let along = |a: &Tensor<f64>, t: &Tensor<f64>, h: f64| a + t * h;
        let geometry = &case.geometry;
        let value = derivative(|h| {
            case.value(&along(&x, &t, h), &along(&gain, &t_gain, h), &along(&bias, &t_bias, h))
        });
        let ts = [&t, &t_gain, &t_bias].map(slice);
        let found = case.of_x(|out| tangent(geometry, slice(&x), slice(&gain), ts, out));
        close("tangent", &found, &value, 1e-9);
        let gradient =
            derivative(|h| case.gradient(&along(&x, &t, h), &along(&gain, &t_gain, h), &along(&v, &t_v, h)));
        let ts = [&t, &t_gain, &t_v].map(slice);
        let found = case.of_x(|out| gradient_tangent(geometry, slice(&x), slice(&gain), slice(&v), ts, out));
        close("tangent of the gradient", &found, &gradient, 1e-9);
        let of_gain = derivative(|h| case.gain_gradient(&along(&x, &t, h), &along(&v, &t_v, h)));
        let ts = [&t, &t_v].map(slice);
        let found = Tensor::written(gain.shape(), |out| {
            gain_gradient_tangent(geometry, slice(&x), slice(&v), ts, out);
        });
        close("tangent of the gain's gradient", &found, &of_gain, 1e-9);
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    for case in [
        Case::layer(&[300, 400], 1),
        Case::groups(100, 12, 130, 4),
        Case::batch(100, 12, 130),
        Case::batch(400, 300, 1),
    ] {
        let [x, gain, bias, v, ..] = case.at();
        let run = |threads| {
            parallel::with_threads(threads, || {
                let sums = Tensor::written(gain.shape(), |out| {
                    let along = [slice(&v), slice(&x)];
                    gain_gradient_tangent(&case.geometry, slice(&x), slice(&v), along, out);
                });
                (case.value(&x, &gain, &bias), case.gradients(&x, &gain, &v), sums)
            })
        };
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn rows_of_nothing_and_no_rows() {
    for case in
        [Case::layer(&[3, 0], 1), Case::groups(2, 3, 0, 3), Case::batch(2, 3, 0), Case::batch(0, 3, 2)]
    {
        let [x, gain, bias, v, ..] = case.at();
        assert!(case.value(&x, &gain, &bias).is_empty());
        let expected = vec![0.0; gain.len()];
        assert_eq!(case.gradients(&x, &gain, &v)[1].to_vec(), expected);
    }
    let no_rows = Case::layer(&[0, 3], 1);
    let [x, gain, _, v, ..] = no_rows.at();
    let gradients = no_rows.gradients(&x, &gain, &v);
    assert_eq!((gradients[0].len(), gradients[1].to_vec()), (0, vec![0.0; 3]));
}

#[test]
fn what_has_no_geometry() {
    let none = |geometry: Option<NormGeometry>| assert_eq!(geometry, None);
    none(NormGeometry::last_axes(&[2, 3].into(), &[2].into(), EPSILON));
    none(NormGeometry::last_axes(&[3].into(), &[2, 3].into(), EPSILON));
    none(NormGeometry::last_axes(&[usize::MAX, 2].into(), &[2].into(), EPSILON));
    none(NormGeometry::groups(&[4].into(), 1, EPSILON));
    none(NormGeometry::groups(&[4, 6, 2].into(), 4, EPSILON));
    none(NormGeometry::groups(&[4, 6, 2].into(), 0, EPSILON));
    none(NormGeometry::groups(&[4, 0, 2].into(), 3, EPSILON));
    none(NormGeometry::groups(&[1 << 40, 1 << 40].into(), 1, EPSILON));
    none(NormGeometry::batch(&[4].into(), EPSILON));
    none(NormGeometry::batch(&[1 << 40, 1 << 40].into(), EPSILON));
}

#[test]
#[should_panic(expected = "normalise: the gain has 3 elements, a slice of its size 2")]
fn a_gain_of_another_length() {
    let geometry = NormGeometry::last_axes(&[2, 3].into(), &[3].into(), EPSILON).unwrap();
    value(&geometry, &[1.0; 6], &[1.0; 2], &[1.0; 3], &mut [0.0; 6]);
}

#[test]
#[should_panic(expected = "normalise: moments is of the channels of a batch")]
fn moments_of_rows() {
    let geometry = NormGeometry::last_axes(&[2, 3].into(), &[3].into(), EPSILON).unwrap();
    moments(&geometry, &[1.0; 6]);
}

/// Numbers of which single precision keeps hardly more than the differences.
#[test]
fn large_means_cost_no_precision() {
    for case in [
        Case::layer(&[3, 5000], 1),
        Case::groups(2, 4, 700, 2),
        Case::batch(40, 3, 70),
        Case::batch(2000, 5, 1),
    ] {
        let [x, gain, bias, v, t, _] = case.at();
        let (x, gain) = ((x + 1e5).cast::<f32>(), &gain);
        let exact = case.value(&x.cast(), gain, &bias);
        let single = |x: &Tensor<f64>| x.cast::<f32>().to_vec();
        let (x32, gain32, bias32) = (x.to_vec(), single(gain), single(&bias));
        let mut out = vec![f32::NAN; x.len()];
        value(&case.geometry, &x32, &gain32, &bias32, &mut out);
        let largest = |a: &[f32], b: &Tensor<f64>| {
            a.iter().zip(b.to_vec()).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
        };
        let error = largest(&out, &exact);
        assert!(error < 1e-5, "{} {error}", case.x);
        gradient(&case.geometry, &x32, &gain32, &single(&v), &mut out);
        let error = largest(&out, &case.gradient(&x.cast(), gain, &v));
        assert!(error < 1e-5, "gradient {} {error}", case.x);
        let along = [single(&t), gain32.clone(), bias32.clone()];
        tangent(&case.geometry, &x32, &gain32, along.each_ref().map(|t| &t[..]), &mut out);
        let exact = case.of_x(|out| {
            let x = x.cast();
            tangent(&case.geometry, slice(&x), slice(gain), [&t, gain, &bias].map(slice), out);
        });
        let error = largest(&out, &exact);
        assert!(error < 1e-5, "tangent {} {error}", case.x);
    }
}

#[test]
fn affine_maps_of_channels() {
    for (examples, channels, others) in [(3, 4, 1), (2, 3, 5), (2, 2, 16), (1, 3, 40), (0, 3, 2), (2, 0, 3)] {
        let (x, c) = (Shape::from([examples, channels, others]), Shape::from([channels, 1]));
        let geometry = NormGeometry::batch(&x, 0.0).unwrap();
        let [x, mean, scale, shift] = [wave(x, 1), wave(&c, 2), wave(&c, 3), wave(&c, 4)];
        let found = Tensor::written(x.shape(), |out| {
            affine(&geometry, slice(&x), [&mean, &scale, &shift].map(slice), out);
        });
        assert_eq!(found.len(), examples * channels * others);
        if !found.is_empty() {
            close("affine", &found, &((&x - mean) * scale + shift), 1e-14);
        }
    }
}

#[test]
fn moments_of_channels() {
    let x = wave([3, 4, 50], 1);
    let [mean, variance] = moments(&NormGeometry::batch(x.shape(), 0.0).unwrap(), slice(&x));
    close("mean", &Tensor::vector(&mean), &x.mean_axes([0, 2], false), 1e-14);
    close("variance", &Tensor::vector(&variance), &x.var_axes([0, 2], 0, false), 1e-14);
}
