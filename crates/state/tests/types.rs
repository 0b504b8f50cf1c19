//! Values of every shape that serde knows come back from a state, through text, with the same bits; and what is no such value is
//! a typed error.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wengert_state::{State, StateError};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Kind {
    Unit,
    Number(f64),
    Maybe(Option<u32>),
    Pair(f32, String),
    Record { steps: Vec<f32>, rate: f64 },
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Wrapped(Vec<f64>);

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Nothing;

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct All {
    flag: bool,
    byte: u8,
    large: u64,
    small: i64,
    negative: i32,
    single: f32,
    double: f64,
    letter: char,
    text: String,
    none: Option<f64>,
    some: Option<f64>,
    unit: (),
    nothing: Nothing,
    pair: (f64, u64),
    numbers: (f64, f64),
    kinds: Vec<Kind>,
    gaps: Vec<Option<u64>>,
    empty: Vec<f32>,
    singles: Vec<f32>,
    doubles: Vec<f64>,
    counts: Vec<usize>,
    flags: Vec<bool>,
    integers: Vec<i64>,
    pairs: Vec<(f64, f64)>,
    wrapped: Wrapped,
    inner: Option<Box<All>>,
    map: BTreeMap<String, f32>,
}

fn all() -> All {
    All {
        flag: true,
        byte: 255,
        large: u64::MAX,
        small: i64::MIN,
        negative: -7,
        single: f32::MIN_POSITIVE / 3.0,
        double: 0.1 + 0.2,
        letter: 'ω',
        text: "a \"text\"\n".to_owned(),
        none: None,
        some: Some(-0.0),
        unit: (),
        nothing: Nothing,
        pair: (1.5, 9_007_199_254_740_993),
        numbers: (f64::MAX, f64::NEG_INFINITY),
        kinds: vec![
            Kind::Unit,
            Kind::Number(f64::INFINITY),
            Kind::Maybe(None),
            Kind::Maybe(Some(3)),
            Kind::Pair(0.1, "x".to_owned()),
            Kind::Record { steps: vec![0.3], rate: 1e-320 },
        ],
        gaps: vec![None, Some(4), None],
        empty: vec![],
        singles: vec![0.1, f32::INFINITY],
        doubles: vec![1.0 / 3.0; 3],
        counts: vec![0, usize::MAX],
        flags: vec![true, false],
        integers: vec![-1, 1],
        pairs: vec![(0.0, 1.0), (2.0, f64::EPSILON)],
        wrapped: Wrapped(vec![2.0]),
        inner: None,
        map: [("a.b".to_owned(), 0.5), (String::new(), 0.25)].into(),
    }
}

fn through_text(state: &State) -> State {
    let read = serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap();
    assert_eq!(&read, state);
    read
}

fn back<V: Serialize + DeserializeOwned>(value: &V) -> V {
    through_text(&State::of(value).unwrap()).read().unwrap()
}

#[test]
fn all_shapes_come_back() {
    let value = All { inner: Some(Box::new(all())), ..all() };
    let read = back(&value);
    assert_eq!(read, value);
    assert_eq!(read.some.map(f64::to_bits), Some((-0.0f64).to_bits()));
    assert_eq!(back(&vec![1.0f32, 2.0]), [1.0, 2.0]);
    assert_eq!(back(&Vec::<f64>::new()), [0.0; 0]);
    assert_eq!(back(&"text".to_owned()), "text");
    assert_eq!((back(&3u8), back(&Some(1.5f64)), back(&()), back(&Nothing)), (3, Some(1.5), (), Nothing));
    assert_eq!(back(&None::<f64>), None);
    assert_eq!(back(&vec![vec![1.0f64], vec![]]), [vec![1.0], vec![]]);
}

#[test]
fn nan_comes_back_with_its_bits() {
    let quiet = f64::from_bits(0x7ff8_0000_dead_beef);
    let single = f32::from_bits(0xffc0_1234);
    let read = back(&All {
        double: quiet,
        single,
        singles: vec![single],
        doubles: vec![quiet],
        pairs: vec![(quiet, 0.0)],
        ..all()
    });
    assert_eq!([read.double, read.doubles[0], read.pairs[0].0].map(f64::to_bits), [quiet.to_bits(); 3]);
    assert_eq!([read.single, read.singles[0]].map(f32::to_bits), [single.to_bits(); 2]);
}

/// A reader of JSON to which every number is a floating-point one, as in many languages, and not rounded rightly.
fn coarse(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) => {
            let x = number.as_f64().unwrap();
            assert!(
                x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0,
                "{x} may be read as another number"
            );
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(coarse),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(coarse),
        _ => {}
    }
}

#[test]
fn the_text_has_no_number_that_a_reader_may_change() {
    coarse(&mut serde_json::to_value(State::of(&all()).unwrap()).unwrap());
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename = "All")]
struct Other {
    flag: f64,
}

#[test]
fn what_is_no_such_value_is_a_typed_error() {
    let state = State::of(&all()).unwrap();
    let message = |change: &dyn Fn(&mut State)| {
        let mut state = state.clone();
        change(&mut state);
        state.read::<All>().unwrap_err().to_string()
    };
    assert_eq!(message(&|s| drop(s.scalars.remove("double"))), "All: the state has no double");
    assert_eq!(
        message(&|s| *s = s.clone().with_real("what", 1.0)),
        "All: the state has a what that is not used here"
    );
    assert_eq!(
        message(&|s| *s = s.clone().with_vector("doubles", &[1.0f32])),
        "All: doubles is 1.0 of type f32, but must be of type f64"
    );
    assert_eq!(
        message(&|s| *s = s.clone().with_count("byte", 256)),
        "All: byte: invalid value: integer `256`, expected u8"
    );
    assert_eq!(
        message(&|s| *s = s.clone().with_count("double", 1)),
        "All: double is 1, but must be of type f64"
    );
    assert_eq!(message(&|s| s.kind = "Any".to_owned()), "state of Any, but this is All");
    // A list that claims to be longer than it is, than memory is.
    let len = |s: &mut State| s.children.get_mut("kinds").unwrap().len = usize::MAX;
    assert_eq!(
        message(&len),
        "All: kinds is a state of list, but must be a list of as many elements as it says"
    );
    assert!(matches!(State::new("All", 0).read::<All>(), Err(StateError::Missing { .. })));
    assert!(matches!(state.read::<Other>(), Err(StateError::Unexpected { .. })));
    assert!(State::of(&1u128).is_err() && State::of(&BTreeMap::from([(1.5f64.to_bits(), 1)])).is_err());
}

#[test]
fn texts_that_are_no_bits_are_refused() {
    for (good, bad) in [
        (r#"{"Real":"3ff0000000000000"}"#, r#"{"Real":"3ff000000000000"}"#),
        (r#"{"Real":"3ff0000000000000"}"#, r#"{"Real":"+ff0000000000000"}"#),
        (r#"{"Real":"3ff0000000000000"}"#, r#"{"Real":1.0}"#),
        (r#"{"Real":"3ff0000000000000"}"#, r#"{"Real":"3ff00000000000é"}"#),
        (r#"{"Count":"18446744073709551615"}"#, r#"{"Count":"18446744073709551616"}"#),
        (r#"{"Integer":-3}"#, r#"{"Integer":-3.5}"#),
    ] {
        assert!(serde_json::from_str::<wengert_state::Scalar>(good).is_ok(), "{good}");
        assert!(serde_json::from_str::<wengert_state::Scalar>(bad).is_err(), "{bad}");
    }
    assert!(serde_json::from_str::<wengert_state::Values>(r#"{"F32":"3f8000003f80"}"#).is_err());
    assert!(serde_json::from_str::<wengert_state::Values>(r#"{"F32":""}"#).unwrap().is_empty());
}
