//! The IDX reader against everything that a file can be.

use std::io::Write;

use proptest::prelude::*;
use wengert_data::DataError;
use wengert_data::idx::{ElementType, Header, Idx, IdxElement, IdxError, LIMIT};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file of unsigned bytes with the given dimensions.
fn file(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|n| n.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// What reading gives, plain and compressed; both must be the same.
fn read(bytes: &[u8]) -> Result<Idx<u8>, IdxError> {
    let plain = Idx::<u8>::read_from(bytes, LIMIT);
    let compressed = Idx::<u8>::read_from(&gzip(bytes)[..], LIMIT);
    match (&plain, &compressed) {
        (Ok(a), Ok(b)) => assert_eq!(a, b),
        (Err(a), Err(b)) => assert_eq!(a.to_string(), b.to_string()),
        _ => panic!("{plain:?} but compressed {compressed:?}"),
    }
    plain
}

macro_rules! assert_error {
    ($result:expr, $pattern:pat) => {
        let error = $result.expect_err("should fail");
        assert!(matches!(error, $pattern), "{error:?}");
    };
}

#[test]
fn a_good_file() {
    let array = read(&file(&[2, 3], &[1, 2, 3, 4, 5, 6])).unwrap();
    assert_eq!((&array.shape()[..], array.data()), (&[2, 3][..], &[1, 2, 3, 4, 5, 6][..]));
    assert_eq!(read(&file(&[], &[7])).unwrap().data(), [7]);
    assert!(read(&file(&[0, 28, 28], &[])).unwrap().data().is_empty());
}

#[test]
fn every_kind_of_bad_bytes_has_its_error() {
    assert_error!(Idx::<u8>::read_from(&[][..], LIMIT), IdxError::EmptyFile);
    assert_error!(read(&[0, 0, 8]), IdxError::TruncatedHeader { expected: 4, found: 3 });
    assert_error!(read(&[0, 0, 8, 2, 0, 0, 0, 1, 0]), IdxError::TruncatedHeader { expected: 12, found: 9 });
    assert_error!(read(&file(&[2, 3], &[1, 2, 3])), IdxError::Truncated { expected: 6, found: 3 });
    assert_error!(read(&file(&[2], &[1, 2, 3])), IdxError::TrailingBytes { expected: 2 });
    assert_error!(read(b"<html>"), IdxError::WrongMagic { found: [b'<', b'h'] });
    assert_error!(read(&[0, 0, 10, 0, 1]), IdxError::UnknownElementType { code: 10 });
    assert_error!(
        read(&[0, 0, 13, 1, 0, 0, 0, 0]),
        IdxError::WrongElementType { expected: ElementType::U8, found: ElementType::F32 }
    );
    assert_error!(read(&file(&[u32::MAX; 3], &[1])), IdxError::Overflow { .. });
    assert_error!(read(&file(&[4_000_000_000, 28, 28], &[1])), IdxError::TooLarge { limit: LIMIT, .. });
    assert_error!(
        read(&file(&[1, 2], &[1, 2])).unwrap().with_dimensions(3),
        IdxError::WrongDimensions { expected: 3, found: 2 }
    );
}

#[test]
fn every_kind_of_bad_gzip_has_its_error() {
    let good = gzip(&file(&[100, 100], &(0..10_000).map(|i| (i * i % 251) as u8).collect::<Vec<_>>()));
    let read = |bytes: &[u8]| Idx::<u8>::read_from(bytes, LIMIT);
    assert!(read(&good).is_ok());
    assert_error!(read(&good[..5]), IdxError::TruncatedHeader { .. });
    assert_error!(read(&good[..good.len() / 2]), IdxError::Truncated { expected: 10_000, .. });
    assert_error!(read(&good[..good.len() - 3]), IdxError::CorruptGzip(_));
    let mut flipped = good.clone();
    *flipped.iter_mut().rev().nth(6).unwrap() ^= 1;
    assert_error!(read(&flipped), IdxError::CorruptGzip(_));
    assert_error!(read(&[&[0x1f, 0x8b][..], &[0xff; 50]].concat()), IdxError::CorruptGzip(_));
}

#[test]
fn what_may_follow_gzip_data() {
    let array = file(&[100, 100], &(0..10_000).map(|i| (i * i % 251) as u8).collect::<Vec<_>>());
    let good = gzip(&array);
    // A byte at a time, so that every boundary falls everywhere.
    let read = |bytes: &[u8]| {
        let small = Idx::<u8>::read_from(std::io::BufReader::with_capacity(1, bytes), LIMIT);
        let whole = Idx::<u8>::read_from(bytes, LIMIT);
        assert_eq!(small.as_ref().map_err(|e| e.to_string()), whole.as_ref().map_err(|e| e.to_string()));
        whole
    };
    for zeros in [1, 2, 511, 100_000] {
        assert_eq!(read(&[&good[..], &vec![0; zeros]].concat()).unwrap().data().len(), 10_000);
    }
    for text in [&b"x"[..], b"something else", b"\0\0\0something else", b"\n", b"\xff"] {
        let first = text.iter().copied().find(|&b| b != 0).unwrap();
        match read(&[&good[..], text].concat()).unwrap_err() {
            IdxError::AfterGzip { first: found } => assert_eq!(found, first),
            other => panic!("{other:?}"),
        }
    }
    // The beginning of another member that breaks off, or that is none.
    for text in [&b"\x1f"[..], b"\x1f\x8b", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x1fbc"] {
        assert_error!(read(&[&good[..], text].concat()), IdxError::CorruptGzip(_));
    }
    // Several members, empty ones among them, with padding between them.
    let members: Vec<Vec<u8>> =
        [&array[..7], &[], &array[7..5000], &[], &array[5000..], &[]].iter().map(|part| gzip(part)).collect();
    assert_eq!(read(&members.concat()).unwrap().data().len(), 10_000);
    assert_eq!(read(&members.join(&[0; 100][..])).unwrap().data().len(), 10_000);
    assert_error!(
        read(&[&members.concat()[..], &gzip(&[1])].concat()),
        IdxError::TrailingBytes { expected: 10_000 }
    );
    // The checksum, and the length after it, of the only member and of an earlier one.
    for at in 1..=8 {
        let mut wrong = good.clone();
        let length = wrong.len();
        wrong[length - at] ^= 1;
        assert_error!(read(&wrong), IdxError::CorruptGzip(_));
        wrong.extend(gzip(&[]));
        assert_error!(read(&wrong), IdxError::CorruptGzip(_));
    }
    for cut in 1..=8 {
        assert_error!(read(&good[..good.len() - cut]), IdxError::CorruptGzip(_));
    }
}

/// What is wrong with the file at a path, whose path the error must tell.
fn wrong(path: &std::path::Path) -> IdxError {
    match Idx::<u8>::read(path).expect_err("should fail") {
        DataError::Idx { path: found, source } => {
            assert_eq!(found, path);
            source
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(wrong(&folder.path().join("none")), IdxError::NotFound));
    assert!(matches!(wrong(folder.path()), IdxError::Io(_)));
    let path = folder.path().join("page.gz");
    std::fs::write(&path, "<html>404</html>").unwrap();
    assert!(matches!(wrong(&path), IdxError::NotGzip { found: [b'<', b'h'] }));
    let error = Idx::new(vec![0u8], [1]).unwrap().write(folder.path()).unwrap_err();
    assert!(error.to_string().ends_with("it is a folder, not a regular file"), "{error}");
    // Some browsers decompress but keep the name.
    std::fs::write(&path, file(&[1], &[9])).unwrap();
    assert_eq!(Idx::<u8>::read(&path).unwrap().data(), [9]);
}

fn round_trip<T: IdxElement>(data: Vec<T>) {
    let folder = tempfile::tempdir().unwrap();
    let array = Idx::new(data, [2, 3]).unwrap();
    for name in ["array.idx2", "array.idx2.gz"] {
        let path = folder.path().join(name);
        array.write(&path).unwrap();
        assert_eq!(Idx::<T>::read(&path).unwrap(), array);
    }
    let mut plain = Vec::new();
    array.write_to(&mut plain).unwrap();
    assert_eq!(Header::read_from(&mut &plain[..]).unwrap().element_type, T::TYPE);
    assert_eq!(plain.len(), 12 + 6 * T::TYPE.size());
    // Nothing but the two files is left: the temporary names are gone.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn all_element_types_go_both_ways() {
    round_trip(vec![0u8, 1, 2, 127, 128, 255]);
    round_trip(vec![0i8, 1, 2, 127, -128, -1]);
    round_trip(vec![0i16, 1, -2, 32767, -32768, 258]);
    round_trip(vec![0i32, 1, -2, i32::MAX, i32::MIN, 16909060]);
    round_trip(vec![0.0f32, -1.5, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, 1e-45]);
    round_trip(vec![0.0f64, -1.5, f64::MAX, f64::MIN_POSITIVE, f64::NEG_INFINITY, 5e-324]);
}

#[test]
fn bytes_are_big_endian() {
    let bytes = [0, 0, 0x0B, 1, 0, 0, 0, 2, 1, 2, 0xff, 0xfe];
    assert_eq!(Idx::<i16>::read_from(&bytes[..], LIMIT).unwrap().data(), [258, -2]);
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Idx::<u8>::read_from(&bytes[..], 1 << 16);
    }

    #[test]
    fn no_header_makes_the_parser_panic(
        code in 8u8..15,
        dimensions in prop::collection::vec(prop_oneof![0u32..5, any::<u32>()], 0..6),
        data in prop::collection::vec(any::<u8>(), 0..60),
        cut in 0usize..100,
        corrupt in any::<prop::sample::Index>(),
    ) {
        let mut bytes = file(&dimensions, &data);
        bytes[2] = code;
        let _ = Idx::<u8>::read_from(&bytes[..], 1 << 16);
        let _ = Idx::<f64>::read_from(&bytes[..], 1 << 16);
        let mut compressed = gzip(&bytes);
        let _ = Idx::<i32>::read_from(&compressed[..compressed.len().saturating_sub(cut)], 1 << 16);
        let i = corrupt.index(compressed.len());
        compressed[i] ^= 0x55;
        let _ = Idx::<u8>::read_from(&compressed[..], 1 << 16);
    }
}
