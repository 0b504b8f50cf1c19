//! Pickles that were made to do harm do none, and are refused by what they wanted.

use wengert_formats::torch::{File, Problem};

/// A legacy file with this pickle as its object and these bytes behind its keys.
fn legacy(pickle: &[u8], keys: &[u8], storages: &[u8]) -> Vec<u8> {
    let head = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02";
    [head, pickle, b".\x80\x02", keys, b".", storages].concat()
}

fn refused(pickle: &[u8]) -> String {
    File::from_bytes(legacy(pickle, b"]", b"")).expect_err("it is refused").to_string()
}

/// `{"w": tensor}` of a storage of four floats, with these for its offset, size and stride.
fn tensor(arguments: &[u8]) -> Vec<u8> {
    let mut pickle =
        b"}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
            .to_vec();
    pickle.extend(b"X\x01\0\0\0kX\x03\0\0\0cpuK\x04NtQ");
    pickle.extend(arguments);
    pickle.extend(b"\x89}tRs");
    legacy(&pickle, b"]X\x01\0\0\0ka", &[&4u64.to_le_bytes()[..], &[0; 16]].concat())
}

#[test]
fn what_would_be_called_is_refused_by_name() {
    for (pickle, name) in [
        (&b"cos\nsystem\n(X\x02\0\0\0lstR"[..], "os.system"),
        (b"cposix\nsystem\n(X\x02\0\0\0lstR", "posix.system"),
        (b"cnt\nsystem\n(X\x02\0\0\0lstR", "nt.system"),
        (b"c__builtin__\neval\n(X\x01\0\0\x001tR", "builtins.eval"),
        (b"cbuiltins\neval\n(X\x01\0\0\x001tR", "builtins.eval"),
        (b"csubprocess\nPopen\n)R", "subprocess.Popen"),
        (b"X\x02\0\0\0osX\x06\0\0\0system\x93", "os.system"),
        (b"ctorch.hub\nload\n)R", "torch.hub.load"),
        (b"ctorch\nload\n)R", "torch.load"),
        (b"ctorch\n\n)R", "torch."),
        (b"cnumpy.core.multiarray\n_reconstruct\n", "numpy.core.multiarray._reconstruct"),
        (b"ccollections\nOrderedDict.__init__\n", "collections.OrderedDict.__init__"),
        (b"c__main__\nNet\n)\x81}b", "__main__.Net"),
    ] {
        let error = File::from_bytes(legacy(pickle, b"]", b"")).unwrap_err();
        assert!(matches!(error.problem(), Problem::Refused { name: own } if own == name), "{error}");
    }
}

#[test]
fn functions_have_their_arguments_and_no_others() {
    for (pickle, part) in [
        (&b"ctorch._utils\n_rebuild_tensor_v2\n)R"[..], "_rebuild_tensor_v2 with arguments"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x02K\x03K\x04K\x05K\x06tR", "with arguments"),
        (b"ctorch._utils\n_rebuild_parameter\n(K\x01\x88}tR", "_rebuild_parameter with arguments"),
        (b"ctorch\nfloat32\n)R", "torch.float32 with arguments"),
        (b"ctorch\nSize\n(K\x01tR", "torch.Size with arguments"),
        (b"c_codecs\nencode\n(X\x01\0\0\0aX\x05\0\0\0rot13tR", "_codecs.encode with arguments"),
        (b"ccollections\nOrderedDict\n(K\x01tR", "OrderedDict with arguments"),
        (b"}}R", "calls what is no function"),
        (b"ccollections\nOrderedDict\n}R", "no arguments"),
        (b"]}b", "attributes to what is no dict"),
        (b"]K\x01K\x02s", "no container for it"),
        (b"}K\x01a", "no container for it"),
        (b"}(K\x01u", "a key without a value"),
        (b"K\x01Q", "is no storage"),
        (b"(X\x06\0\0\0modulecollections\nOrderedDict\nNNtQ", "the name of"),
        (b"(X\x07\0\0\0storageK\x01K\x01K\x01K\x01tQ", "a storage of no type"),
    ] {
        let message = refused(pickle);
        let own = message.contains(part) || part == "the name of";
        assert!(own, "{message}");
    }
}

#[test]
fn pickles_that_are_none_are_refused() {
    for (pickle, part) in [
        (&b"h\x07"[..], "not remembered"),
        (b"t", "a mark that is not there"),
        (b"0", "from the stack that is not there"),
        (b"(0", "from the stack that is not there"),
        (b"K\x01(0", "from the stack that is not there"),
        (b"\x86", "from the stack that is not there"),
        (b"\x80\x09", "protocol 9"),
        (b"I1\n", "instruction 0x49"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", "ends there"),
        (b"\x8e\0\0\0\0\0\0\0\x80", "ends there"),
        (b"X\xff\xff\xff\xff", "ends there"),
        (b"X\x01\0\0\0\xff", "a text that is none"),
        (b"\x8b\xff\xff\xff\x7f", "more than 128 bits"),
        (b"c\xff\n\n", "a name that is no text"),
    ] {
        let message = refused(pickle);
        assert!(message.contains(part), "{message}");
    }
    let long = [b"c", &[b'a'; 10_000][..], b"\n\n"].concat();
    assert!(refused(&long).contains("a name without an end"));
}

#[test]
fn nesting_costs_nothing_and_neither_does_sharing() {
    let deep = [&[b']'; 200_000][..], &[b'a'; 199_999]].concat();
    let file = File::from_bytes(legacy(&deep, b"]", b"")).unwrap();
    assert_eq!(file.root().items().unwrap().len(), 1);
    assert!(file.state_dict().is_err());

    // {"a": x, "b": x} of the same x, forty times.
    let mut bomb = b"}".to_vec();
    for _ in 0..40 {
        bomb.extend(b"q\x01}(X\x01\0\0\0ah\x01X\x01\0\0\0bh\x01u");
    }
    let file = File::from_bytes(legacy(&bomb, b"]", b"")).unwrap();
    let error = file.state_dict_at(&[]).unwrap_err();
    assert!(matches!(error.problem(), Problem::Memory { .. } | Problem::Tensor { .. }), "{error}");
    // One that has itself.
    let file = File::from_bytes(legacy(b"}q\x01X\x01\0\0\0ah\x01s", b"]", b"")).unwrap();
    assert!(file.state_dict().is_err());
    let file = File::from_bytes(legacy(b"}q\x01X\x01\0\0\0ah\x01s", b"]", b"")).unwrap();
    assert!(file.state_dict_at(&[]).is_err());
    let many = [&b"("[..], &vec![b'}'; 4_000_000], b"t"].concat();
    let error = File::from_bytes(legacy(&many, b"]", b"")).unwrap_err();
    assert!(matches!(error.problem(), Problem::Memory { .. }), "{error}");
}

#[test]
fn tensors_lie_within_their_storages() {
    let file = File::from_bytes(tensor(b"K\x01K\x03\x85K\x01\x85")).unwrap();
    assert_eq!(file.root().get("w").unwrap().tensor().unwrap().bytes().unwrap().len(), 12);
    let huge = b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
    for (arguments, part) in [
        (b"K\x02K\x03\x85K\x01\x85".to_vec(), "`w` has strides that reach beyond its storage"),
        (b"K\0K\x03\x85K\x02\x85".to_vec(), "`w` has strides that reach beyond"),
        (
            [&b"K\0("[..], huge, huge, b"tK\x01K\x01\x86"].concat(),
            "`w` has more elements than can be counted",
        ),
        ([&b"K\0K\x02\x85"[..], huge, b"\x85"].concat(), "`w` has strides that reach beyond"),
        ([huge, &b"K\x02\x85K\x01\x85"[..]].concat(), "`w` has strides that reach beyond"),
        (b"K\0K\x02\x85J\xff\xff\xff\xff\x85".to_vec(), "whole numbers from 0 on"),
        (b"J\xff\xff\xff\xffK\x02\x85K\x01\x85".to_vec(), "whole numbers from 0 on"),
        (b"K\0K\x02\x85)".to_vec(), "other strides than axes"),
    ] {
        let message = File::from_bytes(tensor(&arguments)).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    // As many as can be counted, of one number: there, and not read whole.
    let expanded = b"K\0\x8a\x06\0\0\0\0\0\x01\x85K\0\x85";
    let file = File::from_bytes(tensor(expanded)).unwrap();
    let tensor = file.root().get("w").unwrap().tensor().unwrap();
    assert_eq!(&tensor.shape()[..], [1 << 40]);
    let error = tensor.bytes().unwrap_err().to_string();
    assert!(error.contains("`w` is the expansion of a smaller one"), "{error}");
}

#[test]
fn storages_are_of_the_size_that_is_said() {
    let keys = b"]X\x01\0\0\0ka";
    let good = tensor(b"K\0K\x04\x85K\x01\x85");
    assert!(File::from_bytes(&good[..]).is_ok());
    let count = good.len() - 24;
    for (wrong, part) in
        [(3u64, "another size"), (5, "ends within the storages"), (1 << 62, "ends within the storages")]
    {
        let mut bytes = good.clone();
        bytes[count..count + 8].copy_from_slice(&wrong.to_le_bytes());
        let message = File::from_bytes(bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let message = File::from_bytes(legacy(b"}", keys, &[0; 8])).unwrap_err().to_string();
    assert!(message.contains("a storage that no tensor has"), "{message}");
    let at = good.windows(keys.len()).rposition(|part| part == keys).unwrap();
    let without = [&good[..at], b"].", &good[at + keys.len() + 1..]].concat();
    let message = File::from_bytes(without).unwrap_err().to_string();
    assert!(message.contains("`k` is missing"), "{message}");
}
