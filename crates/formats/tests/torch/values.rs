//! What stands beside the tensors.

use wengert_formats::torch::Value;

use super::support::open;

#[test]
fn a_checkpoint_can_be_looked_at() {
    for name in ["checkpoint.pt", "checkpoint_legacy.pt"] {
        let file = open(name);
        let root = file.root();
        let get = |key| root.get(key).unwrap_or_else(|| panic!("{key}"));
        assert_eq!(
            (get("epoch").int(), get("lr").float(), get("name").text()),
            (Some(3), Some(0.01), Some("net"))
        );
        assert!(matches!((get("done"), get("nothing")), (Value::Bool(false), Value::None)));
        assert!(matches!(get("seed"), Value::Int(seed) if seed == u64::MAX.into()));
        assert_eq!((get("seed").int(), get("negative").int()), (None, Some(-(1 << 40))));
        assert!(matches!(get("z"), Value::Complex(re, im) if (re, im) == (1.0, -2.0)));
        assert!(matches!((get("raw"), get("array")), (Value::Bytes([0, 255]), Value::Bytes(b"ab"))));
        assert!(matches!(
            (get("dtype"), get("device")),
            (Value::Name("torch.float32"), Value::Name("cuda:1"))
        ));
        let size: Vec<_> = get("size").items().unwrap().iter().map(Value::int).collect();
        assert_eq!(size, [Some(2), Some(3)]);
        assert_eq!(get("kinds").items().unwrap().len(), 2);
        assert_eq!(get("history").items().unwrap().iter().nth(2).unwrap().items().unwrap().len(), 2);
        assert_eq!(get("best").tensor().unwrap().bytes().unwrap(), 0.5f32.to_le_bytes());
        assert!(root.get("absent").is_none() && get("epoch").get("x").is_none());
        let shown = format!("{root:?}");
        assert!(shown.starts_with("a dict of 18: \"epoch\", \"lr\""), "{shown}");
    }
}

#[test]
fn the_state_of_an_optimiser_can_be_looked_at() {
    let file = open("checkpoint.pt");
    let optimizer = file.root().get("optimizer").unwrap();
    let groups = optimizer.get("param_groups").unwrap().items().unwrap();
    let group = groups.iter().next().unwrap();
    assert_eq!(group.get("lr").unwrap().float(), Some(0.01));
    assert_eq!(group.get("params").unwrap().items().unwrap().len(), 6);
    let state = optimizer.get("state").unwrap().dict().unwrap();
    let (index, first) = state.iter().next().unwrap();
    assert_eq!((index.int(), state.len()), (Some(0), 6));
    let moment = first.get("exp_avg").unwrap().tensor().unwrap();
    assert_eq!((&moment.shape()[..], moment.dtype()), (&[4, 3][..], "F32"));
    assert_eq!(first.get("step").unwrap().tensor().unwrap().bytes().unwrap(), 1f32.to_le_bytes());
}
