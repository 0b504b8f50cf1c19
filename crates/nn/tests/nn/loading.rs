//! Loading by other names, and in part.

use std::io::Error;

use wengert_nn::tensor_file::{TensorEntry, TensorSource};
use wengert_nn::{FileError, Init, Linear, Loading, Params};
use wengert_tensor::{Float, Tensor};

fn model<T: Float>(prefix: &str, width: usize, fill: f64) -> Params<T> {
    let mut params = Params::seeded(0);
    let at = |part: &str| format!("{prefix}{part}");
    Linear::new(params.at(at("body")), 3, 2);
    Linear::new(params.at(at("head")), 2, width);
    params.at(at("norm")).buffer("running_mean", Tensor::full([width], T::from_f64(fill)));
    params.at(at("norm")).count("num_batches_tracked", fill as i64);
    let values = vec![T::from_f64(fill); params.len()];
    params.set_values(&values);
    params
}

fn all_of(params: &Params, value: f32) -> bool {
    params.values().iter().all(|&x| x == value)
}

#[test]
fn names_are_stripped_and_mapped() {
    let file = model::<f32>("_orig_mod.module.", 2, 7.0).to_safetensors().unwrap();
    let mut params = model::<f32>("", 2, 0.0);
    assert!(matches!(params.load_safetensors(&file), Err(FileError::Missing { .. })));
    let loading = Loading::new().strip("_orig_mod.").strip("module.");
    let report = params.load_safetensors_with(&file, &loading).unwrap();
    assert!(report.is_complete() && all_of(&params, 7.0));
    assert_eq!(
        report.applied,
        [
            "body.weight",
            "body.bias",
            "head.weight",
            "head.bias",
            "norm.running_mean",
            "norm.num_batches_tracked"
        ]
    );
    assert_eq!((params.counts()[0].1, params.buffers()[0].1.to_vec()), (7, vec![7.0, 7.0]));

    let mut params = model::<f32>("net.", 2, 0.0);
    let rename = |name: &str| Some(format!("net.{}", name.rsplit_once("module.")?.1));
    assert!(params.load_safetensors_with(&file, &Loading::new().rename(rename)).unwrap().is_complete());
    assert!(all_of(&params, 7.0));
}

#[test]
fn the_error_tells_what_the_names_of_a_file_begin_with() {
    let told = |file: &Params, loading: &Loading<'_>| {
        let mut params = model::<f32>("", 2, 0.0);
        let error = params.load_safetensors_with(&file.to_safetensors().unwrap(), loading).unwrap_err();
        let message = error.to_string();
        let FileError::Missing { prefix, .. } = error else { panic!("{message}") };
        assert_eq!(prefix.is_some(), message.contains("Loading::new().strip("), "{message}");
        (prefix, message)
    };
    for prefix in ["module.", "_orig_mod.module.", "a.b.c.d.e.f.g.h."] {
        let (found, message) = told(&model(prefix, 2, 7.0), &Loading::new());
        assert_eq!(found.as_deref(), Some(prefix));
        assert!(
            message.ends_with(&format!("they would be found: Loading::new().strip({prefix:?})")),
            "{message}"
        );
        // It is what helps.
        let mut params = model::<f32>("", 2, 0.0);
        let file = model::<f32>(prefix, 2, 7.0).to_safetensors().unwrap();
        params.load_safetensors_with(&file, &Loading::new().strip(prefix)).unwrap();
    }
    // What was taken off before is not named again.
    let wrapped = model("_orig_mod.module.", 2, 7.0);
    assert_eq!(told(&wrapped, &Loading::new().strip("_orig_mod.")).0.as_deref(), Some("module."));
    // Half of the missing ones are not most of them, nor are tensors of other shapes, nor is what the model has as well.
    let mut half: Params = model("", 2, 7.0);
    half.at("module").param("x", [2], Init::Zeros);
    let mut params = model::<f32>("", 2, 0.0);
    for name in ["x", "y"] {
        params.root().param(name, [2], Init::Zeros);
    }
    let error = params.load_safetensors(&half.to_safetensors().unwrap()).unwrap_err();
    assert!(matches!(error, FileError::Missing { prefix: None, .. }), "{error}");
    let mut wide: Params = Params::seeded(0);
    Linear::new(wide.at("module.body"), 30, 20);
    assert_eq!(told(&wide, &Loading::new()).0, None);
    // So does the report of what was loaded in part.
    let mut params = model::<f32>("", 2, 0.0);
    let file = model::<f32>("module.", 2, 7.0).to_safetensors().unwrap();
    let report = params.load_safetensors_with(&file, &Loading::new().partial()).unwrap();
    assert_eq!((report.prefix.as_deref(), report.applied.len()), (Some("module."), 0));
    assert!(
        report.to_string().ends_with("they would be found: Loading::new().strip(\"module.\")"),
        "{report}"
    );
    let report = params.load_safetensors_with(&file, &Loading::new().partial().strip("module.")).unwrap();
    assert_eq!(report.prefix, None);
    // A name of many dots costs no more than another.
    let mut dots: Params = Params::seeded(0);
    dots.root().param("a.".repeat(30_000).trim_end_matches('.'), [2], Init::Zeros);
    assert_eq!(told(&dots, &Loading::new()).0, None);
}

#[test]
fn what_is_passed_over_by_the_map_is_not_unexpected_and_two_of_one_name_are_refused() {
    let mut file: Params = model("", 2, 7.0);
    file.at("extra").param("w", [2], Init::Zeros);
    let file = file.to_safetensors().unwrap();
    let mut params = model::<f32>("", 2, 0.0);
    assert!(matches!(params.load_safetensors(&file), Err(FileError::Unexpected { count: 1, .. })));
    let known = Loading::new().rename(|name| (!name.starts_with("extra.")).then(|| name.to_owned()));
    assert!(params.load_safetensors_with(&file, &known).unwrap().is_complete());
    for loading in [Loading::new(), Loading::new().partial()] {
        let mut params = model::<f32>("", 2, 0.0);
        let loading = loading.rename(|name| Some(name.replace("extra.w", "head.bias")));
        let error = params.load_safetensors_with(&file, &loading).unwrap_err();
        assert_eq!(error.to_string(), "`head.bias` is there twice: as `extra.w` and as `head.bias`");
        assert!(all_of(&params, 0.0));
    }
}

#[test]
fn a_part_is_loaded_and_the_rest_told() {
    let mut file: Params = model("", 4, 7.0);
    file.at("body2").param("wieght", [2], Init::Zeros);
    let file = file.to_safetensors().unwrap();
    let mut params = model::<f32>("", 2, 1.0);
    params.at("body2").param("weight", [2], Init::Ones);
    let report = params.load_safetensors_with(&file, &Loading::new().partial()).unwrap();
    assert_eq!(report.applied, ["body.weight", "body.bias", "norm.num_batches_tracked"]);
    assert_eq!(report.unexpected, ["body2.wieght"]);
    assert_eq!(
        (&*report.missing[0].name, &report.missing[0].nearest[..]),
        ("body2.weight", &["body2.wieght".to_owned()][..])
    );
    assert_eq!(report.misshaped.len(), 3);
    assert!(!report.is_complete());
    assert_eq!(
        report.to_string(),
        "3 loaded; missing: `body2.weight` (nearest `body2.wieght`); unexpected: `body2.wieght`; other shapes: \
         `head.weight` ([4, 2], not [2, 2]), `head.bias` ([4], not [2]), `norm.running_mean` ([4], not [2])"
    );
    assert_eq!(params.get("body.weight").unwrap(), [7.0; 6]);
    for stays in ["head.weight", "head.bias", "body2.weight"] {
        assert!(params.get(stays).unwrap().iter().all(|&x| x == 1.0), "{stays}");
    }
    assert_eq!((params.counts()[0].1, params.buffers()[0].1.to_vec()), (7, vec![1.0, 1.0]));
}

#[test]
fn nothing_of_it_is_there() {
    let empty: Params = Params::seeded(0);
    let mut params = model::<f32>("", 2, 1.0);
    let nothing = empty.to_safetensors().unwrap();
    let report = params.load_safetensors_with(&nothing, &Loading::new().partial()).unwrap();
    assert_eq!((report.applied.len(), report.missing.len()), (0, 6));
    assert!(all_of(&params, 1.0));
    // A file that is none is an error in part too, and so are numbers of another kind.
    assert!(params.load_safetensors_with(&nothing[1..], &Loading::new().partial()).is_err());
    let mut counts: Params = Params::seeded(0);
    counts.at("n").count("w", 3);
    let mut params: Params = Params::seeded(0);
    params.at("n").param("w", [0usize; 0], Init::Zeros);
    let file = counts.to_safetensors().unwrap();
    let error = params.load_safetensors_with(&file, &Loading::new().partial()).unwrap_err();
    assert!(matches!(error, FileError::Dtype { .. }), "{error}");
}

/// A model without layers would take nothing and say nothing.
#[test]
fn a_model_that_is_not_built_is_an_error() {
    let file = model::<f32>("", 2, 1.0).to_safetensors().unwrap();
    let mut params: Params = Params::seeded(0);
    let error = params.load_safetensors(&file).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model has no parameters yet for the 6 tensors of the file: its layers are made before it is loaded"
    );
    assert!(matches!(error, FileError::NoModel { held: 6, .. }));
    let report = params.load_safetensors_with(&file, &Loading::new().partial()).unwrap();
    assert_eq!((report.applied.len(), report.unexpected.len()), (0, 5));
    let nothing = params.to_safetensors().unwrap();
    params.load_safetensors(&nothing).unwrap();
}

/// Stripped, by patterns, by closures and passed over, in the order of the calls.
#[test]
fn names_go_through_all_steps_in_their_order() {
    let file = model::<f32>("module.layers.3.", 2, 7.0).to_safetensors().unwrap();
    let mut params = model::<f32>("net.3.", 2, 0.0);
    let steps = || Loading::new().strip("module.").rename_pattern("layers.*.*", "blocks.*.*");
    let loading = steps().rename(|name| Some(name.replace("blocks", "net")));
    assert!(params.load_safetensors_with(&file, &loading).unwrap().is_complete());
    assert!(all_of(&params, 7.0));
    // The other way round there is nothing to strip or to replace yet.
    let loading = Loading::new().rename_pattern("layers.*", "net.*").strip("module.");
    let error = params.load_safetensors_with(&file, &loading).unwrap_err();
    assert!(error.to_string().contains("the nearest `module.layers.3.body.weight`"), "{error}");

    let mut body: Params = Params::seeded(0);
    Linear::new(body.at("blocks.3.body"), 3, 2);
    assert!(body.load_safetensors_with(&file, &steps()).is_err());
    let report = body.load_safetensors_with(&file, &steps().skip("*.head.*").skip("*.norm.*")).unwrap();
    assert!(report.is_complete() && all_of(&body, 7.0));
}

/// One tensor of a type that no `Params` writes.
struct One(&'static str, Vec<usize>, Vec<u8>);

impl TensorSource for One {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        visit(0, &TensorEntry::new("w", self.0, &self.1[..]));
    }

    fn read(&mut self, _: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        take(&self.2)
    }
}

#[test]
fn whole_numbers_become_others_only_where_that_is_asked_for() {
    let convert = || Loading::new().convert_integers();
    for (dtype, bytes, expected) in [
        ("BOOL", vec![1], 1.0),
        ("I8", vec![0xfe], -2.0),
        ("U8", vec![0xfe], 254.0),
        ("I16", (-300i16).to_le_bytes().to_vec(), -300.0),
        ("U16", 60_000u16.to_le_bytes().to_vec(), 60_000.0),
        ("I32", i32::MIN.to_le_bytes().to_vec(), -2_147_483_648.0),
        ("U32", u32::MAX.to_le_bytes().to_vec(), 4_294_967_296.0),
        // By way of f64 it would be rounded down, as that rounds it to the middle of two f32.
        ("I64", 9_007_199_791_611_905i64.to_le_bytes().to_vec(), 9_007_200_328_482_816.0),
        ("U64", u64::MAX.to_le_bytes().to_vec(), 18_446_744_073_709_551_616.0),
    ] {
        let mut params: Params = Params::seeded(0);
        params.root().param("w", [1], Init::Zeros);
        let mut source = One(dtype, vec![1], bytes);
        let error = params.load_from(&mut source, &Loading::new()).unwrap_err();
        assert!(matches!(&error, FileError::Dtype { dtype: found, .. } if found == dtype), "{error}");
        params.load_from(&mut source, &convert()).unwrap();
        assert_eq!(params.values(), [expected as f32], "{dtype}");

        let mut params: Params = Params::seeded(0);
        params.root().count("w", 0);
        match dtype {
            "U64" => {
                let error = params.load_from(&mut source, &convert()).unwrap_err();
                assert!(error.to_string().ends_with("too large for i64: 18446744073709551615"), "{error}");
            }
            "I32" | "I64" => drop(params.load_from(&mut source, &Loading::new()).unwrap()),
            _ => assert!(params.load_from(&mut source, &Loading::new()).is_err(), "{dtype}"),
        }
        if !matches!(dtype, "I64" | "U64") {
            params.load_from(&mut source, &convert()).unwrap();
            let expected = if dtype == "U32" { 4_294_967_295 } else { expected as i64 };
            assert_eq!(params.counts()[0].1, expected, "{dtype}");
        }
    }
    for dtype in ["C64", "F8_E4M3", "tomorrow"] {
        let mut params: Params = Params::seeded(0);
        params.root().param("w", [1], Init::Zeros);
        let error = params.load_from(&mut One(dtype, vec![1], vec![0; 8]), &convert()).unwrap_err();
        assert!(matches!(error, FileError::Dtype { .. }), "{error}");
    }
}

/// A source that breaks its promises is an error, and changes nothing.
#[test]
fn sources_are_held_to_what_they_say() {
    let mut params: Params = Params::seeded(0);
    params.root().param("w", [2], Init::Ones);
    for length in [0, 1, 4, 7, 9, 12, 16] {
        let error = params.load_from(&mut One("F32", vec![2], vec![0; length]), &Loading::new()).unwrap_err();
        assert!(matches!(error, FileError::Io { .. }), "{length}: {error}");
        assert!(all_of(&params, 1.0));
    }
    params.load_from(&mut One("F32", vec![2], vec![0; 8]), &Loading::new()).unwrap();
    assert!(all_of(&params, 0.0));
}

#[test]
fn reports_of_many_names_stay_short() {
    let mut file: Params = Params::seeded(0);
    let mut params: Params = Params::seeded(0);
    for i in 0..500 {
        file.at(format!("{}{i}", "a".repeat(100))).param("w", [1], Init::Zeros);
        params.at(format!("{}{i}", "b".repeat(100))).param("w", [1], Init::Zeros);
    }
    let file = file.to_safetensors().unwrap();
    let report = params.load_safetensors_with(&file, &Loading::new().partial()).unwrap();
    assert_eq!((report.missing.len(), report.unexpected.len()), (500, 500));
    let text = report.to_string();
    assert!(text.len() < 3000 && text.contains("and 492 more; unexpected"), "{text}");
}
