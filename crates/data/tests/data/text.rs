//! Tokenisers: what they learn, that every byte comes back, and what is said of files that are none. Windows of series.

use proptest::prelude::*;
use wengert_data::text::{Bpe, Bytes, Text, Tokenizer, TokenizerError};
use wengert_data::{DataError, Dataset, Source, Windows};
use wengert_tensor::Tensor;

fn sample() -> Text {
    Text::from(
        "the cat sat on the mat, the cat ate the rat. ".repeat(5)
            + "let x = 12; let xs = 120;\n\n  fn né() {}",
    )
}

/// Merging written in the plainest way: count all pairs of all words anew each time.
fn plainly(words: &[&str], merges: usize) -> Vec<(u32, u32)> {
    let mut words: Vec<Vec<u32>> = words.iter().map(|w| w.bytes().map(u32::from).collect()).collect();
    let mut found = Vec::new();
    for token in 256..256 + merges as u32 {
        let mut counts = std::collections::BTreeMap::new();
        for pair in words.iter().flat_map(|w| w.windows(2)) {
            *counts.entry((pair[0], pair[1])).or_insert(0) += 1;
        }
        // The first of the most frequent, in the order of the pairs.
        let most = counts.values().copied().max().unwrap_or(0);
        if most < 2 {
            break;
        }
        let (&pair, _) = counts.iter().find(|&(_, &n)| n == most).unwrap();
        found.push(pair);
        for word in &mut words {
            let mut i = 0;
            while i + 1 < word.len() {
                if (word[i], word[i + 1]) == pair {
                    word.splice(i..i + 2, [token]);
                }
                i += 1;
            }
        }
    }
    found
}

#[test]
fn merges_are_those_of_the_plain_way() {
    let words = ["low", " lower", " lowest", " slow", " slower", " aaaa", " aaa", " low"];
    let bpe = Bpe::train(&Text::from(words.concat()), 300).unwrap();
    assert_eq!(bpe.merges(), plainly(&words, 44));
    let again = Bpe::train(&Text::from(words.concat()), 300).unwrap();
    assert_eq!(bpe, again);
    // A smaller vocabulary is the start of a larger one.
    let small = Bpe::train(&Text::from(words.concat()), 260).unwrap();
    assert_eq!((small.vocabulary(), small.merges()), (260, &bpe.merges()[..4]));
}

#[test]
fn frequent_words_are_one_token() {
    let bpe = Bpe::train(&sample(), 400).unwrap();
    assert_eq!(bpe.encode(b" the cat").len(), 2);
    assert_eq!(bpe.decode_text(&bpe.encode(b" the cat")[..1]).unwrap(), " the");
    assert!(bpe.vocabulary() < 400, "nothing is there twice any more: {}", bpe.vocabulary());
    let bytes = sample().bytes().len();
    assert!(sample().tokens(&bpe).len() * 2 < bytes && sample().tokens(&Bytes).len() == bytes);
}

#[test]
fn nothing_and_little_to_learn_from() {
    for text in ["", "a", "ab", "abc def"] {
        let bpe = Bpe::train(&Text::from(text), 1000).unwrap();
        assert_eq!(bpe.vocabulary(), 256);
        assert_eq!(bpe.decode(&bpe.encode(text.as_bytes())).unwrap(), text.as_bytes());
    }
    assert_eq!(Bpe::train(&Text::from(""), 256).unwrap().encode(b""), Vec::<u32>::new());
}

#[test]
fn tokens_and_vocabularies_that_cannot_be() {
    for vocabulary in [0, 255, (1 << 31) + 1] {
        let error = Bpe::train(&sample(), vocabulary).unwrap_err();
        assert!(matches!(error, TokenizerError::VocabularySize { vocabulary: v } if v == vocabulary));
    }
    let error = Bytes.decode(&[65, 256]).unwrap_err();
    assert_eq!(error.to_string(), "token 256 at position 1 is not below 256, the number of tokens");
    assert!(Bpe::train(&sample(), 300).unwrap().decode_text(&[u32::MAX]).is_err());
}

#[test]
fn a_tokeniser_goes_into_a_file_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bpe.json");
    let bpe = Bpe::train(&sample(), 330).unwrap();
    bpe.save(&path).unwrap();
    assert_eq!(Bpe::load(&path).unwrap(), bpe);
    let missing = Bpe::load(folder.path().join("none.json")).unwrap_err();
    assert!(missing.to_string().contains("none.json"), "{missing}");
    assert!(bpe.save(folder.path().join("no/folder.json")).is_err());
    std::fs::write(&path, b"\xff\xfe").unwrap();
    assert!(matches!(Bpe::load(&path), Err(DataError::Tokenizer { .. })));
}

#[test]
fn files_that_are_no_tokeniser() {
    let json = |merges: &str| format!(r#"{{"format":"wengert-bpe","version":1,"merges":{merges}}}"#);
    let fails = |text: &str, expected: &str| {
        let message = Bpe::from_json(text).unwrap_err().to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
    };
    fails("", "line 1, column 0: ");
    fails("{}", "missing field");
    fails(&json("[[1]]"), "line 1");
    fails(&json("[[1, -2]]"), "line 1");
    fails(&json("[[1, 2.5]]"), "line 1");
    fails(&json("[[256, 1]]"), "merge 0 is of token 256, but there are 256 before it");
    fails(&json("[[1, 2], [3, 4], [1, 2]]"), "merge 2 is of 1 and 2, as one before it is");
    fails(&json("[]").replace("bpe", "cat"), "\"wengert-cat\", version 1");
    fails(&json("[]").replace(":1,", ":2,"), "version 2");
    fails(&json("[]").replace("}", ",\"more\":1}"), "unknown field");
    // Each token twice as long as the one before: no memory has the last.
    let doubling: Vec<String> =
        (0..60).map(|i| if i == 0 { "[1,1]".into() } else { format!("[{0},{0}]", 255 + i) }).collect();
    fails(&json(&format!("[{}]", doubling.join(","))), "more than the limit");
}

#[test]
fn texts_from_files_and_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.txt");
    std::fs::write(&path, [0, 255, 10, 13]).unwrap();
    assert_eq!(Text::read(&path).unwrap().bytes(), [0, 255, 10, 13]);
    std::fs::write(&path, []).unwrap();
    assert!(matches!(Text::read(&path), Err(DataError::Empty)));
    assert!(matches!(Text::read(folder.path()), Err(DataError::Read { .. })));
    let text = Text::from("0123456789");
    let (first, last) = text.held_out(0.25).unwrap();
    assert_eq!((first.bytes(), last.bytes()), (&b"0123456"[..], &b"789"[..]));
    for fraction in [0.0, 0.01, 1.0, 1.5, -0.5, f64::NAN] {
        assert!(matches!(text.held_out(fraction), Err(DataError::InvalidSplit { .. })), "{fraction}");
    }
}

proptest! {
    #[test]
    fn every_byte_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bpe = Bpe::train(&Text::from(bytes.clone()), 300).unwrap();
        let learned = Bpe::train(&sample(), 300).unwrap();
        for bpe in [bpe, learned] {
            let tokens = bpe.encode(&bytes);
            prop_assert!(tokens.iter().all(|&token| (token as usize) < bpe.vocabulary()));
            prop_assert_eq!(bpe.decode(&tokens).unwrap(), bytes.clone());
        }
        prop_assert_eq!(Bytes.decode(&Bytes.encode(&bytes)).unwrap(), bytes);
    }
}

#[test]
fn windows_of_every_stride() {
    let series = Tensor::<f64>::from_fn([11, 2], |i| (10 * i[0] + i[1]) as f64);
    for (input, horizon, stride) in [(3, 2, 1), (3, 2, 3), (1, 1, 4), (10, 1, 1), (5, 6, 7)] {
        let windows = Windows::forecast(&series, input, horizon).unwrap().stride(stride).unwrap();
        let count = (0..).map(|k| k * stride).take_while(|start| start + input + horizon <= 11).count();
        assert_eq!(windows.count(), count);
        let (past, future) = windows.batch(&(0..count as u32).collect::<Vec<_>>());
        for k in 0..count {
            assert_eq!(past.select(0, k as isize), series.slice(k * stride..k * stride + input));
            let start = k * stride + input;
            assert_eq!(future.select(0, k as isize), series.slice(start..start + horizon));
        }
    }
    // A view backwards.
    let windows = Windows::next(&series.flip(0), 4).unwrap();
    let (now, next) = windows.batch(&[1]);
    assert_eq!(now.slice_axis(1, 1..), next.slice_axis(1, ..3));
    assert_eq!(Dataset::new(windows).unwrap().len(), 7);
}

#[test]
fn series_without_a_window() {
    let series = Tensor::<f32>::zeros([5]);
    for (input, horizon) in [(5, 1), (0, 1), (1, 0), (usize::MAX, 1), (1, usize::MAX)] {
        let error = Windows::forecast(&series, input, horizon).unwrap_err();
        assert!(matches!(error, DataError::SeriesTooShort { steps: 5, .. }), "{error}");
    }
    assert!(matches!(Windows::next(&Tensor::<u32>::zeros([4]), 4), Err(DataError::SeriesTooShort { .. })));
    assert!(matches!(Windows::next(&Tensor::<u32>::zeros([]), 1), Err(DataError::SeriesTooShort { .. })));
    let windows = Windows::forecast(&series, 2, 1).unwrap();
    assert!(matches!(windows.stride(0), Err(DataError::ZeroStride)));
}
