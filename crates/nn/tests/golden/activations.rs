//! Activations against PyTorch: see `activations.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Var, check_grads};
use wengert_tensor::Float;

use crate::support::{compare, name, section};

fn layer<T: Float>(case: &Value, params: &mut Params<T>) -> Box<dyn Layer<T>> {
    let axis = case["axis"].as_i64().unwrap_or(-1) as isize;
    match name(case) {
        "Selu" => Box::new(Selu),
        "Celu" => Box::new(Celu { alpha: 2.0 }),
        "Celu -" => Box::new(Celu { alpha: -0.5 }),
        "Mish" => Box::new(Mish),
        "Hardswish" => Box::new(Hardswish),
        "Hardsigmoid" => Box::new(Hardsigmoid),
        "Hardtanh" => Box::new(Hardtanh::default()),
        "Hardtanh wide" => Box::new(Hardtanh { low: -3.0, high: 0.25 }),
        "Relu6" => Box::new(Relu6),
        "LogSigmoid" => Box::new(LogSigmoid),
        "Softsign" => Box::new(Softsign),
        "Tanhshrink" => Box::new(Tanhshrink),
        "Hardshrink" => Box::new(Hardshrink::default()),
        "Hardshrink wide" => Box::new(Hardshrink { lambda: 3.0 }),
        "Softshrink" => Box::new(Softshrink::default()),
        "Softshrink 0" => Box::new(Softshrink { lambda: 0.0 }),
        "Threshold" => Box::new(Threshold { threshold: 0.25, value: -7.0 }),
        "Rrelu" => Box::new(Rrelu { low: 0.1, high: 0.4 }),
        "Swish" => Box::new(Swish { beta: 2.5 }),
        "Swish -" => Box::new(Swish { beta: -0.5 }),
        "SquaredRelu" => Box::new(SquaredRelu),
        "Softmin" => Box::new(Softmin::default()),
        "Softmax2d" => Box::new(Softmax2d),
        "Glu" => Box::new(Glu { axis }),
        "SwiGlu" => Box::new(SwiGlu { axis }),
        "GeGlu" => Box::new(GeGlu { axis }),
        "ReGlu" => Box::new(ReGlu { axis }),
        "Prelu" => {
            let slopes = case["slopes"].as_u64().unwrap() as usize;
            Box::new(Prelu::with_slopes(params.root(), slopes, 0.25))
        }
        other => panic!("no test for {other}"),
    }
}

/// The layer as a function of its input and its parameters.
fn compare_in<T: Float>(case: &Value) {
    let mut params: Params<T> = Params::seeded(0);
    let layer = layer(case, &mut params);
    compare::<T>(case, |v| layer.forward(&params.context(Mode::Eval, &v[1..]), &v[0]));
}

#[test]
fn activations_are_those_of_pytorch() {
    let cases = section(include_str!("activations.json"), "activations");
    assert!(cases.len() > 50, "{} cases", cases.len());
    for case in &cases {
        compare_in::<f64>(case);
        compare_in::<f32>(case);
    }
}

#[test]
fn activations_have_derivatives_of_every_order() {
    for case in section(include_str!("activations.json"), "activations") {
        let mut params: Params<f64> = Params::seeded(0);
        let layer = layer(&case, &mut params);
        let x = if case["axis"].is_null() && !name(&case).starts_with("Softm") {
            Var::from([[-2.5, -0.7, 0.4], [0.9, 3.5, -5.2]])
        } else {
            Var::constant(crate::support::tensor(&case["inputs"][0]))
        };
        if name(&case) == "Prelu" && case["slopes"] != 3 {
            continue;
        }
        let inputs: Vec<Var<f64>> = std::iter::once(x).chain(params.vars()).collect();
        check_grads(|v| layer.forward(&params.context(Mode::Eval, &v[1..]), &v[0]), &inputs, 3).unwrap();
    }
}

/// Where numbers are huge, infinite or none.
#[test]
fn activations_at_the_ends_of_the_numbers() {
    let at = |f: &dyn Fn(&Var<f64>) -> Var<f64>, x: f64| f(&Var::from([x])).item();
    let infinity = f64::INFINITY;
    type Case<'a> = (&'a str, &'a dyn Fn(&Var<f64>) -> Var<f64>, f64, f64);
    let cases: [Case; 13] = [
        ("selu", &|x| x.selu(), -1.758_099_340_847_376_6, infinity),
        ("celu", &|x| x.celu(2.0), -2.0, infinity),
        ("mish", &|x| x.mish(), 0.0, infinity),
        ("swish", &|x| x.swish(2.0), 0.0, infinity),
        ("hardswish", &|x| x.hardswish(), 0.0, infinity),
        ("hardsigmoid", &|x| x.hardsigmoid(), 0.0, 1.0),
        ("hardtanh", &|x| x.hardtanh(-1.0, 1.0), -1.0, 1.0),
        ("relu6", &|x| x.relu6(), 0.0, 6.0),
        ("squared_relu", &|x| x.squared_relu(), 0.0, infinity),
        ("log_sigmoid", &|x| x.log_sigmoid(), -infinity, 0.0),
        ("hardshrink", &|x| x.hardshrink(0.5), -infinity, infinity),
        ("softshrink", &|x| x.softshrink(0.5), -infinity, infinity),
        ("threshold", &|x| x.threshold(0.0, -1.0), -1.0, infinity),
    ];
    for (name, f, low, high) in cases {
        assert!((at(f, -infinity) - low).abs() < 1e-15 || at(f, -infinity) == low, "{name}");
        assert_eq!(at(f, infinity), high, "{name}");
        assert!(at(f, f64::NAN).is_nan(), "{name}");
        let slope = wengert_tape::grad(|x: &Var<f64>| f(x).sum(), &Var::from([-infinity, infinity]));
        assert!(slope.value().iter().all(|s| !s.is_nan()), "{name}: {:?}", slope.value());
    }
    for f in [&(|x: &Var<f64>| x.softsign()) as &dyn Fn(&Var<f64>) -> Var<f64>] {
        assert_eq!((at(f, 1e300), at(f, -1e300)), (1.0, -1.0));
    }
}

/// In training the slopes are drawn, others at each step, and the same again at the same step.
#[test]
fn random_slopes() {
    let mut params: Params<f64> = Params::seeded(0);
    let act = Rrelu { low: 0.2, high: 0.6 };
    let x = Var::from(-wengert_tensor::Tensor::<f64>::ones([4000]));
    let draw = |params: &Params<f64>| act.forward(&params.context(Mode::Train, &[]), &x).value().to_vec();
    let first = draw(&params);
    assert_eq!(first, draw(&params));
    params.set_step(1);
    assert_ne!(first, draw(&params));
    let slopes: Vec<f64> = first.iter().map(|y| -y).collect();
    assert!(slopes.iter().all(|s| (0.2..0.6).contains(s)));
    let mean = slopes.iter().sum::<f64>() / 4000.0;
    let variance = slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 4000.0;
    assert!((mean - 0.4).abs() < 0.01 && (variance - 0.16 / 12.0).abs() < 1e-3, "{mean} {variance}");
    let cx = params.context(Mode::Train, &[]);
    assert_eq!(act.forward(&cx, &Var::from([3.0, 0.0])).value().to_vec(), [3.0, 0.0]);
}
