//! Loading by other names, and in part.

use wengert_nn::{FileError, Init, Linear, Loading, Params};
use wengert_tensor::{Float, Tensor};

fn model<T: Float>(prefix: &str, width: usize, fill: f64) -> Params<T> {
    let mut params = Params::seeded(0);
    let at = |part: &str| format!("{prefix}{part}");
    Linear::new(params.at(&at("body")), 3, 2);
    Linear::new(params.at(&at("head")), 2, width);
    params.at(&at("norm")).buffer("running_mean", Tensor::full([width], T::from_f64(fill)));
    params.at(&at("norm")).count("num_batches_tracked", fill as i64);
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
        assert!(error.to_string().contains("`head.bias` is there twice"), "{error}");
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

#[test]
fn reports_of_many_names_stay_short() {
    let mut file: Params = Params::seeded(0);
    let mut params: Params = Params::seeded(0);
    for i in 0..500 {
        file.at(&format!("{}{i}", "a".repeat(100))).param("w", [1], Init::Zeros);
        params.at(&format!("{}{i}", "b".repeat(100))).param("w", [1], Init::Zeros);
    }
    let file = file.to_safetensors().unwrap();
    let report = params.load_safetensors_with(&file, &Loading::new().partial()).unwrap();
    assert_eq!((report.missing.len(), report.unexpected.len()), (500, 500));
    let text = report.to_string();
    assert!(text.len() < 3000 && text.contains("and 492 more; unexpected"), "{text}");
}
