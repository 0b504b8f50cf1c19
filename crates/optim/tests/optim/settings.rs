//! Settings that mean nothing are refused by name: every number of every configuration, one after the other.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::methods::identity::Identity;
use serde::Serialize;
use serde::de::{DeserializeOwned, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};
use wengert_optim::estimate::*;
use wengert_optim::linear::{self, Settings};
use wengert_optim::minimize::*;
use wengert_optim::search::*;

/// Fields as JSON, one of them (or one element of it) replaced by a number that JSON may not have.
struct Spoiled<'a> {
    fields: Vec<(&'a String, &'a Value)>,
    name: &'a str,
    bad: Bad,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bad {
    Real(f64),
    Count(u64),
}

impl<'de> MapAccess<'de> for Spoiled<'_> {
    type Error = serde_json::Error;

    fn next_key_seed<K: serde::de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> serde_json::Result<Option<K::Value>> {
        match self.fields.last() {
            Some((name, _)) => seed.deserialize((*name).clone().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: serde::de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> serde_json::Result<V::Value> {
        let (name, value) = self.fields.pop().expect("a key came first");
        if name == self.name { seed.deserialize(Number(self.bad)) } else { seed.deserialize(value.clone()) }
    }
}

/// A number where one, or perhaps one, is expected.
struct Number(Bad);

impl<'de> Deserializer<'de> for Number {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        match self.0 {
            Bad::Real(x) => visitor.visit_f64(x),
            Bad::Count(n) => visitor.visit_u64(n),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Fields<'a>(Spoiled<'a>);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_map(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

const NONSENSE: [Bad; 5] = [
    Bad::Real(f64::NAN),
    Bad::Real(f64::INFINITY),
    Bad::Real(f64::NEG_INFINITY),
    Bad::Real(-0.5),
    Bad::Count(0),
];

/// Every configuration that comes of `good` by spoiling one field that is a number (or may be one). Reals get the reals among the
/// nonsense, counts 0.
fn spoiled<C: Serialize + DeserializeOwned>(good: &C) -> Vec<(String, Bad, C)> {
    let json = serde_json::to_value(good).unwrap();
    let fields: &Map<String, Value> = json.as_object().unwrap();
    let mut all = Vec::new();
    for (name, value) in fields {
        for bad in NONSENSE {
            let fits = match bad {
                Bad::Real(_) => value.is_f64() || value.is_null(),
                Bad::Count(_) => value.is_u64() || value.is_null(),
            };
            let one = Spoiled { fields: fields.iter().collect(), name, bad };
            // A `None` of a count takes no real, and the other way round.
            if fits && let Ok(config) = C::deserialize(Fields(one)) {
                all.push((name.clone(), bad, config));
            }
        }
    }
    all
}

/// What means something after all, by field.
fn allowed(name: &str, bad: Bad) -> bool {
    match name {
        // No iteration, no probe, every seed, no Jacobian too large.
        "max_iterations" | "max_steps" | "seed" | "dense_limit" => bad == Bad::Count(0),
        // No limit; a value may be anything that is a number.
        "max_radius" => bad == Bad::Real(f64::INFINITY),
        "max_seconds" => [Bad::Real(f64::INFINITY), Bad::Count(0)].contains(&bad),
        "target_value" => [Bad::Real(-0.5), Bad::Count(0)].contains(&bad),
        _ => false,
    }
}

/// Tries each spoiled `good` in what `method` makes of it.
fn refuses<C: Serialize + DeserializeOwned + Debug, M: Method<f64>>(good: C, method: impl Fn(C) -> M) {
    let f = Squares;
    let cases = spoiled(&good);
    assert!(!cases.is_empty(), "{good:?} has no numbers");
    for (name, bad, config) in cases {
        let shown = format!("{config:?}");
        match method(config).minimize(&f, &[2.0, 1.0]) {
            Ok(_) => assert!(allowed(&name, bad), "{name} = {bad:?} was taken: {shown}"),
            Err(MinimizeError::InvalidSetting { name: said, .. }) => {
                assert!(!allowed(&name, bad) && said == name, "{name} = {bad:?}: {said}, {shown}");
            }
            Err(error) => panic!("{name} = {bad:?}: {error}, {shown}"),
        }
    }
}

/// ½‖x‖², with all that any method may ask for.
struct Squares;

impl Objective<f64> for Squares {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        0.5 * vector::dot(x, x)
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.copy_from_slice(x);
        self.value(x)
    }
    fn curvature(&self, want: Want, _: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        match want {
            Want::Hessian | Want::GaussNewton => {
                Some(CurvatureAt::operator(DenseOperator::with_diagonal(&[1.0, 1.0])))
            }
            Want::Kronecker { .. } => {
                Some(CurvatureAt::Kronecker(Kronecker::new(2, Vec::new(), vec![(0, vec![1.0, 1.0])])))
            }
            _ => None,
        }
    }
    fn residuals(&self) -> Option<&dyn Residuals<f64>> {
        Some(self)
    }
    fn batch(&self, _: u64) -> Option<Box<dyn Objective<f64> + '_>> {
        Some(Box::new(Squares))
    }
}

impl Residuals<f64> for Squares {
    fn dimension(&self) -> usize {
        2
    }
    fn count(&self) -> usize {
        2
    }
    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(x);
    }
    fn jacobian(&self, _: &[f64]) -> Box<dyn Jacobian<f64> + '_> {
        Box::new(Identity)
    }
}

#[test]
fn every_number_of_every_method_is_checked() {
    refuses(ConjugateDirection::default(), NonlinearCg::new);
    refuses(LbfgsDirection::default(), Lbfgs::new);
    refuses(NewtonDirection::default(), Newton::new);
    refuses(NewtonCgDirection::default(), NewtonCg::new);
    refuses(SaddleFreeDirection::default(), SaddleFreeNewton::new);
    refuses(GaussNewtonDirection::default(), GaussNewton::new);
    refuses(KrylovModel::default(), TrustRegionNewton::new);
    refuses(LevenbergMarquardtModel::default(), LevenbergMarquardt::new);
    refuses(TrustRegionExact::default(), |m| m);
    refuses(LevenbergMarquardt::default(), |m| m);
    refuses(Sr1::default(), |m| m);
    refuses(DampedNewton::default(), |m| m);
    refuses(HessianFree::default(), |m| m);
    refuses(Kfac::default(), |m| m);
    refuses(StochasticLbfgs::default(), |m| m);
    refuses(Stopping::default(), |stopping| Lbfgs::default().with_stopping(stopping));
    refuses(CurvatureProbe::default(), |probe| Newton::new(NewtonDirection { probe, ..Default::default() }));
    let nothing = NewtonCgDirection { preconditioning: Preconditioning::Lbfgs(0), ..Default::default() };
    let error = NewtonCg::new(nothing).minimize(&Squares, &[1.0; 2]).unwrap_err();
    assert!(matches!(error, MinimizeError::InvalidSetting { name: "preconditioning.pairs", .. }), "{error}");
    for (damping, every) in [(0.0, 5), (f64::NAN, 5), (-1.0, 5), (f64::INFINITY, 5), (1e-3, 0)] {
        let preconditioning = Preconditioning::Kronecker { damping, every };
        let direction = NewtonCgDirection { preconditioning, ..Default::default() };
        let error = NewtonCg::new(direction).minimize(&Squares, &[1.0; 2]).unwrap_err();
        assert!(matches!(error, MinimizeError::InvalidSetting { .. }), "{error}");
    }
    for mu in [1.0, f64::NAN, f64::INFINITY] {
        let direction = ConjugateDirection { beta: Beta::GuaranteedDescent { mu }, ..Default::default() };
        let error = NonlinearCg::new(direction).minimize(&Squares, &[1.0; 2]).unwrap_err();
        assert!(matches!(error, MinimizeError::InvalidSetting { name: "mu", .. }), "{error}");
    }
    // One that has no effect beside another.
    let preconditioning = Preconditioning::Diagonal;
    let model = KrylovModel { solver: KrylovSolver::Gltr, preconditioning, ..Default::default() };
    let error = TrustRegionNewton::new(model).minimize(&Squares, &[1.0; 2]).unwrap_err();
    assert!(matches!(error, MinimizeError::NotTaken { .. }), "{error}");
}

#[test]
fn settings_are_checked_when_a_run_is_resumed_too() {
    let mut saved = None;
    let method = Lbfgs::default();
    let keep = |run: &Run<f64, _>| {
        saved = Some(serde_json::to_string(run).unwrap());
        std::ops::ControlFlow::Break(())
    };
    method.minimize_with(&Squares, &[2.0, 1.0], keep).unwrap();
    let run = serde_json::from_str(&saved.unwrap()).unwrap();
    let method = Lbfgs::new(LbfgsDirection { history: 0 });
    let error = method.resume(&Squares, run, |_| std::ops::ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, MinimizeError::InvalidSetting { name: "history", .. }), "{error}");
}

/// A line search with a spoiled number is refused by methods, and finds nothing by itself.
fn search_refuses<S: LineSearch + Serialize + DeserializeOwned + Clone + 'static>(good: S) {
    struct Parabola;
    impl Line for Parabola {
        fn value(&mut self, a: f64) -> f64 {
            (a - 3.0).powi(2)
        }
        fn value_and_slope(&mut self, a: f64) -> (f64, f64) {
            ((a - 3.0).powi(2), 2.0 * (a - 3.0))
        }
    }
    for (name, bad, search) in spoiled(&good) {
        let alone = search.search(&mut Parabola, Start::new(9.0, -6.0, 1.0));
        assert_eq!(alone, Err(SearchFailure::Settings), "{name} = {bad:?}: {search:?}");
        let error = Lbfgs::default().with_search(search.clone()).minimize(&Squares, &[2.0, 1.0]).unwrap_err();
        let MinimizeError::InvalidSetting { name: said, .. } = error else { panic!("{search:?}: {error}") };
        assert_eq!(said, name, "{search:?}");
    }
    assert!(good.search(&mut Parabola, Start::new(9.0, -6.0, 1.0)).is_ok(), "{good:?}");
}

#[test]
fn every_number_of_every_line_search_is_checked() {
    search_refuses(Armijo::default());
    search_refuses(WeakWolfe::default());
    search_refuses(StrongWolfe::default());
    search_refuses(MoreThuente::default());
    search_refuses(HagerZhang::default());
    for shrink in [(0.5, 0.1), (0.0, 0.5), (0.1, 1.0), (f64::NAN, 0.5), (0.1, f64::NAN)] {
        assert!(Armijo { shrink, ..Armijo::default() }.validate().is_err(), "{shrink:?}");
    }
    assert!(StrongWolfe { decrease: 0.5, curvature: 0.4, ..StrongWolfe::default() }.validate().is_err());
}

/// The message of the panic in `call`.
fn message(call: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).expect_err("no panic");
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}

#[test]
fn linear_solvers_and_estimators_panic_with_the_setting() {
    let a = DenseOperator::with_diagonal(&[1.0, 2.0]);
    let b = [1.0, 1.0];
    for tolerance in [f64::NAN, f64::INFINITY, -1e-3] {
        let settings = Settings::tolerance(tolerance);
        let mut x = [0.0; 2];
        for (name, said) in [
            ("cg", message(|| drop(linear::cg(&a, &b, &mut x.clone(), None, &settings)))),
            ("cr", message(|| _ = linear::cr(&a, &b, &mut x.clone(), &settings))),
            ("minres", message(|| _ = linear::minres(&a, &b, &mut x.clone(), None, &settings))),
            ("gmres", message(|| _ = linear::gmres(&a, &b, &mut x.clone(), 2, &settings))),
            ("lsmr", message(|| _ = linear::lsmr(&Identity, &b, &mut x, 0.0, &settings))),
            ("steihaug", message(|| drop(linear::steihaug(&a, &b, 1.0, None, &settings)))),
            ("gltr", message(|| drop(linear::gltr(&a, &b, 1.0, &settings)))),
        ] {
            assert!(said.starts_with(name) && said.contains("tolerance"), "{name}: {said}");
        }
        let settings = EigenSettings { tolerance, ..EigenSettings::default() };
        assert!(message(|| drop(extreme_eigenpairs(&a, &settings))).contains("tolerance"));
    }
    let none = Settings { max_iterations: Some(0), ..Settings::default() };
    assert!(message(|| drop(linear::cg(&a, &b, &mut [0.0; 2], None, &none))).contains("max_iterations"));
    for radius in [f64::NAN, -1.0] {
        let good = Settings::default();
        assert!(message(|| drop(linear::steihaug(&a, &b, radius, None, &good))).contains("radius"));
        assert!(message(|| drop(linear::gltr(&a, &b, radius, &good))).contains("radius"));
    }
    for damping in [f64::NAN, -1.0, f64::INFINITY] {
        let good = Settings::default();
        assert!(
            message(|| _ = linear::lsmr(&Identity, &b, &mut [0.0; 2], damping, &good)).contains("damping")
        );
    }
    let nothing = EigenSettings { max_steps: 0, ..EigenSettings::default() };
    assert!(message(|| drop(extreme_eigenpairs(&a, &nothing))).contains("max_steps"));
    let nothing = EigenSettings { largest: 0, smallest: 0, ..EigenSettings::default() };
    assert!(message(|| drop(extreme_eigenpairs(&a, &nothing))).contains("largest"));
    let density = spectral_density(&a, &DensitySettings::default());
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(message(|| drop(density.on_grid(10, Some(width)))).contains("width"));
        assert!(message(|| _ = density.at(0.0, width)).contains("width"));
    }
    for strength in [f64::NAN, f64::INFINITY] {
        assert!(message(|| drop(Ridge::new(Squares, strength))).contains("strength"));
    }
    for floor in [f64::NAN, -1.0, f64::INFINITY] {
        assert!(message(|| drop(linear::DiagonalPreconditioner::new(&b, floor))).contains("floor"));
    }
}

/// What a run compares with another: hyper-parameters by name, without the learning rate.
#[test]
fn optimisers_and_schedules_name_their_settings() {
    use wengert_optim::Optimizer as _;
    use wengert_optim::first::{AdamConfig, methods};
    use wengert_optim::schedule::{AnySchedule, Cosine, Schedule, Sequence, Warmup};
    let layout = wengert_optim::Layout::new([("w", vec![3, 2]), ("b", vec![3])]);
    for method in methods::<f32>() {
        let settings = |rate| method.build(rate, &layout).unwrap().settings();
        assert_eq!(settings(0.1).kind, method.name);
        assert_eq!(settings(0.1), settings(0.2), "{}", method.name);
        let named = settings(0.1);
        let plain = method.name == "gradient_descent";
        assert!(plain || !named.scalars.is_empty() || !named.children.is_empty(), "{}", method.name);
    }
    let adam = |config| wengert_optim::Adam::<f32>::with_config(0.1, config).unwrap().settings();
    assert_ne!(adam(AdamConfig::default()), adam(AdamConfig { weight_decay: 0.1, ..Default::default() }));
    let cosine = |steps| Cosine::new(0.1, steps);
    assert_ne!(cosine(10).settings(), cosine(11).settings());
    assert_eq!(AnySchedule::from(cosine(10)).settings(), cosine(10).settings());
    assert_ne!(Warmup::new(5, cosine(10)).settings(), Warmup::new(5, cosine(11)).settings());
    let sequence = |at| Sequence::new(cosine(10)).then(at, cosine(20)).settings();
    assert_ne!(sequence(10), sequence(12));
}
