//! What PyTorch wrote is read to the bit.

use wengert_formats::torch::Problem;
use wengert_nn::{Init, Loading, Params};

use super::support::{error, expected, open, state_dict, tensors};

#[test]
fn all_types_and_views_are_read_to_the_bit() {
    for name in ["types", "views", "checkpoint"] {
        let expected = expected(&format!("{name}.json"));
        assert!(expected.len() > 6);
        for file in [format!("{name}.pt"), format!("{name}_legacy.pt")] {
            let found = tensors(&mut state_dict(&file));
            assert_eq!(found.len(), expected.len(), "{file}");
            found.iter().zip(&expected).for_each(|(found, expected)| assert_eq!(found, expected, "{file}"));
        }
    }
}

#[test]
fn other_orders_of_bytes_and_other_pythons_are_read() {
    assert_eq!(tensors(&mut state_dict("big.pt")), expected("big.json"));
    assert_eq!(tensors(&mut state_dict("python2.pt")), expected("python2.json"));
}

#[test]
fn all_protocols_are_read() {
    let expected = expected("checkpoint.json");
    for file in ["protocol3.pt", "protocol4.pt", "protocol5.pt", "protocol4_legacy.pt"] {
        assert_eq!(tensors(&mut state_dict(file)), expected, "{file}");
    }
}

#[test]
fn more_than_a_thousand_tensors_are_all_there() {
    let found = tensors(&mut state_dict("many.pt"));
    assert_eq!(found.len(), 1003);
    for (i, (name, _, _, bytes)) in found.iter().enumerate() {
        assert_eq!((name, &bytes[..]), (&format!("layers.{i}.w"), &(i as f32).to_le_bytes()[..]));
    }
}

#[test]
fn state_dicts_are_found_in_checkpoints_and_asked_for_where_there_are_several() {
    let expected = expected("checkpoint.json");
    assert_eq!(tensors(&mut state_dict("nested.pt")), expected);
    let message = error(open("two.pt").state_dict());
    assert!(message.contains("`generator`, `discriminator`"), "{message}");
    assert!(message.contains("state_dict_at(&[\"generator\"])"), "{message}");
    let mut one = open("two.pt").state_dict_at(&["discriminator"]).unwrap();
    assert_eq!(tensors(&mut one), expected);
    let mut inner = open("nested.pt").state_dict_at(&["state_dict", "model"]).unwrap();
    assert_eq!(tensors(&mut inner), expected);
    let names: Vec<String> =
        open("nested.pt").state_dict_at(&[]).unwrap().names().map(str::to_owned).collect();
    assert_eq!((&*names[0], names.len()), ("state_dict.model.0.weight", 2 * expected.len()));
    let message = error(open("two.pt").state_dict_at(&["generator", "model"]));
    assert!(message.contains("no key `model`"), "{message}");
    let refused = open("checkpoint.pt").state_dict_at(&["epoch"]).unwrap_err();
    assert!(matches!(refused.problem(), Problem::NoStateDict { found } if found == "3"), "{refused}");
}

#[test]
fn prefixes_are_told_and_taken_away() {
    let mut params: Params = Params::seeded(0);
    params.at("0").param("weight", [4, 3], Init::Zeros);
    let told = params.load_from(&mut state_dict("compiled.pt"), &Loading::new().partial());
    let nearest = &told.unwrap().missing[0].nearest;
    assert_eq!(nearest.first().map(String::as_str), Some("_orig_mod.0.weight"));
    let loading = Loading::new().strip("_orig_mod.").partial();
    let report = params.load_from(&mut state_dict("compiled.pt"), &loading).unwrap();
    assert_eq!(report.applied, ["0.weight"]);
    assert!(params.values().iter().all(|&w| w != 0.0));
}

#[test]
fn what_cannot_be_read_is_refused_by_name_only_if_it_is_wanted() {
    let mut params: Params = Params::seeded(0);
    params.root().param("plain", 2, Init::Zeros);
    params.load_from(&mut state_dict("foreign.pt"), &Loading::new()).unwrap();
    assert_eq!(params.values(), [1.0, 1.0]);
    let kinds = [
        ("sparse", 3, 3, "SPARSE"),
        ("rows", 3, 3, "SPARSE"),
        ("quantised", 2, 3, "QINT8"),
        ("meta", 2, 5, "META"),
    ];
    for (name, rows, columns, dtype) in kinds {
        let mut params: Params = Params::seeded(0);
        params.root().param(name, [rows, columns], Init::Zeros);
        let error = params.load_from(&mut state_dict("foreign.pt"), &Loading::new()).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}` has elements of type {dtype}")), "{error}");
    }
    let file = open("foreign.pt");
    for name in ["sparse", "quantised", "meta", "conj", "negated"] {
        let tensor = file.root().get(name).and_then(|value| value.tensor()).unwrap();
        let error = tensor.bytes().unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}` is of a kind that cannot be read")), "{error}");
    }
}
