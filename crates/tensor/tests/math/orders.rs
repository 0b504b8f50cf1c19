//! Functions with an order: of Bessel, of the gamma and error functions, and sinc.

use wengert_tensor::Float;
use wengert_tensor::math::{Transcendental, log_gamma_sample_derivative};
use wengert_tensor::simd::{Baseline, Isa, Kernel, dispatch};

use crate::golden::golden;
use crate::ulps_f32;

/// A function with an order.
#[derive(Clone, Copy)]
enum Family {
    Polygamma,
    Sinc,
    Bessel { scaled: bool },
    Erfcx,
}

/// A function with an order, over numbers of one order.
struct Ordered<'a, T> {
    family: Family,
    order: u32,
    x: &'a mut [T],
}

impl<T: Float> Kernel for Ordered<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for x in self.x {
            *x = match self.family {
                Family::Polygamma => x.polygamma::<I>(self.order),
                Family::Sinc => x.sinc_derivative::<I>(self.order),
                Family::Bessel { scaled } => x.bessel_i::<I>(self.order, scaled),
                Family::Erfcx => x.erfcx_derivative::<I>(self.order),
            };
        }
    }
}

fn of_order(family: Family, order: u32, x: f64) -> f64 {
    let mut x = [x];
    dispatch(Ordered { family, order, x: &mut x });
    x[0]
}

fn polygamma(order: u32, x: f64) -> f64 {
    of_order(Family::Polygamma, order, x)
}

fn sinc_derivative(order: u32, x: f64) -> f64 {
    of_order(Family::Sinc, order, x)
}

/// Those of the lowest orders, which have formulas of their own, against double precision.
#[test]
fn single_precision_of_an_order_is_within_an_ulp() {
    let mut x: Vec<f32> = (0..=u32::MAX).step_by(100_003).map(f32::from_bits).collect();
    x.extend((0..100_000).map(|i| -100.0 + 200.0 * (i as f32 / 100_000.0)));
    x.extend((0..100_000).map(|i| -5.0 + 10.0 * (i as f32 / 100_000.0)));
    x.extend([0.0, -0.0, 1.0, -2.0, 0.5, 16_777_216.0, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
    let bessel = [false, true].map(|scaled| Family::Bessel { scaled });
    for (family, order) in [Family::Sinc, bessel[0], bessel[1]].into_iter().flat_map(|f| [(f, 0), (f, 1)]) {
        let name = match family {
            Family::Sinc => "sinc",
            Family::Bessel { scaled: true } => "scaled I",
            _ => "I",
        };
        let mut single = x.clone();
        dispatch(Ordered { family, order, x: &mut single });
        let mut worst = (0.0, 0.0);
        for (&x, &y) in x.iter().zip(&single) {
            let exact = of_order(family, order, f64::from(x));
            // The zeros of sinc, which it goes through, have either sign.
            let zeros = matches!(family, Family::Sinc) && y == 0.0 && exact == 0.0;
            let ulps = if zeros { 0.0 } else { ulps_f32(y, exact) };
            worst = if ulps > worst.0 { (ulps, x) } else { worst };
        }
        println!("f32 {name} of order {order}: {:.3} ulp at {:e}", worst.0, worst.1);
        assert!(worst.0 <= 1.0, "{name} of order {order}: {} ulp at {:e}", worst.0, worst.1);
    }
}

#[test]
fn bessel_functions_agree_with_golden_values() {
    let mut worst = [0.0; 4];
    for golden in golden("bessel_i") {
        let [order, scaled, x] = [golden.arguments[0], golden.arguments[1], golden.arguments[2]];
        let scaled = scaled == 1.0;
        let ulps = golden.ulps(of_order(Family::Bessel { scaled }, order as u32, x));
        let bound = if order < 2.0 && scaled { 8.0 } else { 12.0 };
        assert!(ulps <= bound, "I{order}({x:e}), scaled: {scaled}: {ulps} ulp");
        let kind = 2 * usize::from(order < 2.0) + usize::from(scaled);
        worst[kind] = f64::max(worst[kind], ulps);
    }
    println!("bessel_i: {worst:.2?} ulp");
    let inf = f64::INFINITY;
    for (order, scaled, x, expected) in [
        (0, false, 0.0, 1.0),
        (1, false, -0.0, -0.0),
        (3, false, 0.0, 0.0),
        (0, false, -inf, inf),
        (1, false, -inf, -inf),
        (1, true, -inf, -0.0),
        (2, true, inf, 0.0),
        (0, false, 720.0, inf),
        (4, false, 1e300, inf),
    ] {
        let found = of_order(Family::Bessel { scaled }, order, x);
        assert_eq!(found.to_bits(), f64::to_bits(expected), "I{order}({x}), scaled: {scaled}: {found}");
    }
    assert!(of_order(Family::Bessel { scaled: true }, 2, f64::NAN).is_nan());
}

#[test]
fn derivatives_of_the_scaled_error_function_agree_with_golden_values() {
    let mut worst = 0.0;
    for golden in golden("erfcx_derivative") {
        let [order, x] = [golden.arguments[0], golden.arguments[1]];
        let ulps = golden.ulps(of_order(Family::Erfcx, order as u32, x));
        assert!(
            ulps <= 20.0,
            "erfcx derivative {order} at {x:e}: {ulps} ulp, {:e} {:e}",
            of_order(Family::Erfcx, order as u32, x),
            golden.value
        );
        worst = f64::max(worst, ulps);
    }
    println!("erfcx_derivative: {worst:.2} ulp");
    let inf = f64::INFINITY;
    for (order, x, expected) in [(1, inf, -0.0), (2, inf, 0.0), (1, -inf, -inf), (2, -40.0, inf)] {
        assert_eq!(of_order(Family::Erfcx, order, x), expected, "erfcx derivative {order} at {x}");
    }
    assert!(of_order(Family::Erfcx, 2, f64::NAN).is_nan());
}

#[test]
fn gamma_numbers_agree_with_golden_values() {
    let mut worst = [0.0; 3];
    for golden in golden("log_gamma_sample") {
        let [order, a, w] = [golden.arguments[0], golden.arguments[1], golden.arguments[2]];
        let found = log_gamma_sample_derivative(order as u32, a, w);
        // Of the logarithm, an error is one of the number relative to it.
        let size = if order == 0.0 { golden.value.abs().max(1.0) } else { golden.value.abs() };
        let error = (found - golden.value).abs() / size;
        worst[order as usize] = f64::max(worst[order as usize], error);
    }
    println!("log_gamma_sample: {worst:?} by order");
    assert!(worst[0] < 3e-11 && worst[1] < 1e-8 && worst[2] < 1e-6, "{worst:?}");
    for (a, w) in [(0.0, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
        assert!(log_gamma_sample_derivative(0, a, w).is_nan(), "shape {a}, number {w}");
    }
    // Too small for a number, but not its logarithm.
    assert!(log_gamma_sample_derivative(0, 1e-3, -8.0) < -3e4);
}

#[test]
fn polygamma_agrees_with_golden_values() {
    let mut worst = [0.0; 6];
    for golden in golden("polygamma") {
        let [order, x] = [golden.arguments[0], golden.arguments[1]];
        let ulps = golden.ulps(polygamma(order as u32, x));
        assert!(ulps <= 10.0, "polygamma({order}, {x:e}): {ulps} ulp");
        worst[order as usize] = f64::max(worst[order as usize], ulps);
    }
    println!("polygamma: {worst:.2?} ulp by order");
    assert_eq!(polygamma(0, 2.5), Transcendental::digamma::<Baseline>(2.5));
}

/// The derivative of the digamma function has an algorithm of its own for `f32`.
#[test]
fn polygamma_of_single_precision() {
    let mut x: Vec<f32> = (0..=u32::MAX).step_by(16_381).map(f32::from_bits).collect();
    x.extend((0..200_000).map(|i| -20.0 + 40.0 * (i as f32 / 200_000.0)));
    x.extend([
        0.0,
        -0.0,
        -3.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::from_bits(1),
        -f32::from_bits(1),
    ]);
    let (mut best, mut baseline) = (x.clone(), x.clone());
    dispatch(Ordered { family: Family::Polygamma, order: 1, x: &mut best });
    Ordered { family: Family::Polygamma, order: 1, x: &mut baseline }.run::<Baseline>();
    for (i, &x) in x.iter().enumerate() {
        let expected = polygamma(1, f64::from(x));
        for found in [best[i], baseline[i]] {
            let ulps = ulps_f32(found, expected);
            assert!(ulps <= 1.0, "polygamma(1, {x:e}) = {found:e} of f32, not {expected:e}: {ulps} ulp");
        }
    }
}

#[test]
fn polygamma_at_poles_and_ends() {
    let inf = f64::INFINITY;
    for (order, x, expected) in [
        (1, 0.0, inf),
        (1, -0.0, inf),
        (1, -3.0, inf),
        (2, 0.0, -inf),
        (2, -0.0, inf),
        (3, -7.0, inf),
        (1, inf, 0.0),
        (2, inf, 0.0),
        (1, 1e200, 1e-200),
        (2, -1e-120, inf),
        (2, 1e-120, -inf),
    ] {
        let found = polygamma(order, x);
        let near = found == expected || (found / expected - 1.0).abs() < 1e-15;
        assert!(near, "polygamma({order}, {x}) = {found}");
    }
    for (order, x) in [(1, f64::NAN), (1, -inf), (2, -3.0), (4, -inf)] {
        assert!(polygamma(order, x).is_nan(), "polygamma({order}, {x})");
    }
    // Reflected, by mpmath.
    for (order, x, expected) in [
        (1, -0.5, 8.934_802_200_544_679),
        (1, -2.3, 14.725_912_160_961_291),
        (2, -2.3, 68.713_792_529_270_3),
        (3, -10.75, 1_558.544_057_391_479_5),
        (1, -1e6 + 0.25, 19.739_207_802_178_967),
    ] {
        let found = polygamma(order, x);
        assert!((found / expected - 1.0).abs() < 2e-14, "polygamma({order}, {x}) = {found}");
    }
}

#[test]
fn sinc_and_its_derivatives() {
    // By mpmath.
    for (order, x, expected) in SINC {
        let (found, size) = (sinc_derivative(*order, *x), std::f64::consts::PI.powi(*order as i32));
        let error = (found - expected).abs() / size.min(size / x.abs().max(0.1));
        assert!(error < 3e-15, "derivative {order} of sinc at {x}: {found}, not {expected}");
    }
    for n in 1..50 {
        assert_eq!(sinc_derivative(0, f64::from(n)).abs(), 0.0);
        assert_eq!(sinc_derivative(0, -f64::from(n) * 1e15).abs(), 0.0);
    }
    for (order, x, expected) in [
        (0, 0.0, 1.0),
        (0, 5e-324, 1.0),
        (0, 1e-200, 1.0),
        (1, 0.0, 0.0),
        (3, -0.0, 0.0),
        (0, f64::INFINITY, 0.0),
    ] {
        assert_eq!(sinc_derivative(order, x), expected, "derivative {order} at {x}");
    }
    assert!(sinc_derivative(2, f64::NEG_INFINITY) == 0.0 && sinc_derivative(1, f64::NAN).is_nan());
}
/// Order, argument, value, by mpmath: the n-th derivative is πⁿ ∫₀¹ sⁿ cos(πxs + nπ/2) ds.
#[rustfmt::skip]
const SINC: &[(u32, f64, f64)] = &[
    (0, 0.001, 0.999998355066745),
    (0, 0.1, 0.983631643083466),
    (0, -0.3, 0.8583936913341398),
    (0, 0.47, 0.6742493949823776),
    (0, 0.5, std::f64::consts::FRAC_2_PI),
    (0, 0.77, 0.27337935660150897),
    (0, -1.3, -0.19809085184633995),
    (0, 2.6, 0.11643488132933183),
    (0, 7.25, -0.031045390212314002),
    (0, 100.3, 0.002567478638088138),
    (1, 0.001, -0.0032898648867278964),
    (1, 0.1, -0.325751267883124),
    (1, -0.3, 0.9020281301388888),
    (1, 0.47, -1.2343427269443898),
    (1, 0.5, -1.2732395447351628),
    (1, 0.77, -1.3292083457558033),
    (1, -1.3, 0.29976492342010236),
    (1, 2.6, -0.16363533680933828),
    (1, 7.25, -0.09324984703092876),
    (1, 100.3, 0.005834673715397729),
    (2, 0.001, -3.289858392793072),
    (2, 0.1, -3.193029835964854),
    (2, -0.3, -2.4584852862661744),
    (2, 0.47, -1.4020525538333584),
    (2, 0.5, -1.1902271282389358),
    (2, 0.77, 0.7543431086741029),
    (2, -1.3, 2.416255148459873),
    (2, 2.6, -1.0232928812011073),
    (2, 7.25, 0.3321298156056608),
    (2, 100.3, -0.025456342907162602),
    (3, 0.001, 0.01948179531659038),
    (3, 0.1, 1.9253792898320052),
    (3, -0.3, -5.24749315292437),
    (3, 0.47, 6.973076251473552),
    (3, 0.5, 7.141362769433615),
    (3, 0.77, 6.675675568971846),
    (3, -1.3, 1.1135057941987754),
    (3, 2.6, 2.353751588960658),
    (3, 7.25, 0.82516893142371),
    (3, 100.3, -0.05707715736988829),
    (4, 0.001, 19.48174953618773),
    (4, 0.1, 18.799492671762525),
    (4, -0.3, 13.648773849855683),
    (4, 0.47, 6.33269089568457),
    (4, 0.5, 4.8816512051307255),
    (4, 0.77, -8.049199490515665),
    (4, -1.3, -15.86967814604545),
    (4, 2.6, 7.72065966423345),
    (4, 7.25, -3.479368858714642),
    (4, 100.3, 0.2523720179076129),
    (5, 0.001, -0.13734113765443426),
    (5, 0.1, -13.559125845367854),
    (5, -0.3, 36.627473667589356),
    (5, 0.47, -47.864785573028215),
    (5, 0.5, -48.81651205130725),
    (5, 0.77, -42.62550651255591),
    (5, -1.3, -16.99443352401973),
    (5, 2.6, -26.424754945111673),
    (5, 7.25, -7.100935796660364),
    (5, 100.3, 0.558262881948796),
];
