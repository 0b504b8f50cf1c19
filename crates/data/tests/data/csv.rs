//! Tables from CSV files.
#![cfg(feature = "csv")]

use proptest::prelude::*;
use wengert_data::DataError;
use wengert_data::csv::{CsvError, CsvReader, Table};
use wengert_tensor::Tensor;

fn read(reader: &CsvReader, text: &str) -> Result<Table, CsvError> {
    reader.read_from(text.as_bytes())
}

macro_rules! assert_error {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        let error = $result.expect_err("should fail");
        assert!(matches!(&error, $pattern $(if $guard)?), "{error:?}");
    };
}

#[test]
fn with_a_header() {
    let text = "\u{feff}a,\"b, too\", c \r\n1,-2.5,3e2\r\n\r\n 4 ,\"5\", .5\r\n";
    let table = read(&CsvReader::new(), text).unwrap();
    assert_eq!(table.names, ["a", "b, too", "c"]);
    assert_eq!((table.features.shape(), table.target()), (&[2, 3].into(), None));
    assert_eq!(table.features.to_vec(), [1.0, -2.5, 300.0, 4.0, 5.0, 0.5]);
    for target in ["a", "b, too", "c"] {
        let table = read(&CsvReader::new().target(target), text).unwrap();
        assert!(!table.names.contains(&target.to_string()));
        assert_eq!((table.features.shape(), table.target().unwrap().len()), (&[2, 2].into(), 2));
    }
}

#[test]
fn without_a_header() {
    let reader = CsvReader::new().header(false).delimiter(b';');
    let table = read(&reader.clone().target(-1), "1;2;3\n4;5;6").unwrap();
    assert_eq!(table.names, ["0", "1"]);
    assert_eq!(table.features.to_vec(), [1.0, 2.0, 4.0, 5.0]);
    assert_eq!(table.target().unwrap().to_vec(), [3.0, 6.0]);
    let table = read(&reader.target(0), "1;2;3\n4;5;6").unwrap();
    assert_eq!(table.target().unwrap().to_vec(), [1.0, 4.0]);
    // Only a target.
    let table = read(&CsvReader::new().target("y"), "y\n1\n2\n").unwrap();
    assert_eq!(table.features.shape(), &[2, 0]);
}

#[test]
fn every_kind_of_bad_table_has_its_error() {
    let reader = CsvReader::new();
    for (path, expected) in
        [("no/such/file.csv", "no/such/file.csv: no such file"), (".", ".: reading failed: ")]
    {
        let error = reader.read(path).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(
            matches!(error, DataError::Csv { source, .. } if matches!(*source, CsvError::NotFound | CsvError::Io(_)))
        );
    }
    assert_error!(read(&reader, ""), CsvError::Empty);
    assert_error!(read(&reader, "a,b\n"), CsvError::Empty);
    assert_error!(read(&reader, "a,b\n1,2\n\n3\n"), CsvError::FieldCount { line: 4, expected: 2, found: 1 });
    assert_error!(read(&reader, "a,b\n1,2\n3,\n"), CsvError::Missing { line: 3, column } if column == "b");
    let bad = |text: &str| read(&reader, &format!("a,b\n1,2\n{text},4\n"));
    for text in ["x", "1 2", "nan", "inf", "-inf", "1e60", "0x10", "1,000"] {
        match bad(text).expect_err(text) {
            CsvError::NotANumber { line: 3, column, .. } => assert_eq!(column, "a"),
            CsvError::FieldCount { line: 3, .. } => assert_eq!(text, "1,000"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_error!(bad(&"y".repeat(1000)), CsvError::NotANumber { text, .. } if text.len() < 80);
    assert_error!(reader.read_from(&b"a\xff,b\n1,2\n"[..]), CsvError::Encoding { line: 1 });
    assert_error!(reader.read_from(&b"a,b\n1,\xff\n"[..]), CsvError::NotANumber { line: 2, .. });
    assert_error!(read(&reader.clone().target("c"), "a,b\n1,2\n"), CsvError::UnknownColumn { columns: 2, nearest, .. } if nearest == &["a", "b"]);
    assert_error!(read(&reader.clone().target(2), "a,b\n1,2\n"), CsvError::UnknownColumn { .. });
    assert_error!(read(&reader.clone().target(-3), "a,b\n1,2\n"), CsvError::UnknownColumn { .. });
    assert_error!(read(&reader.clone().target("a"), "a,a\n1,2\n"), CsvError::AmbiguousColumn { .. });
    assert!(read(&reader.clone().limit(8), "a,b\n1,2\n").is_ok());
    assert_error!(read(&reader.clone().limit(7), "a,b\n1,2\n"), CsvError::TooLarge { limit: 7 });
    // An endless line does not fill the memory.
    let endless = std::io::repeat(b'1');
    assert_error!(reader.clone().limit(1 << 20).read_from(endless), CsvError::TooLarge { .. });
}

#[test]
fn data_sets() {
    let table = |y: &str| read(&CsvReader::new().target("y"), &format!("x,y\n0.5,1\n0.25,{y}\n")).unwrap();
    let (inputs, targets) = table("-3.5").into_regression().unwrap().all();
    assert_eq!((inputs.shape(), targets.value()), (&[2, 1].into(), &Tensor::from([[1.0], [-3.5]])));
    let data = table("2").into_classification(3).unwrap();
    assert_eq!(data.all().1.to_vec(), [1, 2]);
    assert_eq!(data.all().0.value().to_vec(), [0.5, 0.25]);
    for y in ["-1", "1.5", "1e30", "4294967296", "0.99999999999999999999", "1e-30"] {
        let error = table(y).into_classification(usize::MAX).unwrap_err();
        let expected = format!("line 3, column y: {y} is not a label, a whole number from 0 to 4294967295");
        assert_eq!(error.to_string(), expected);
    }
    for (y, label) in [("16777217", 16_777_217), ("4294967295", u32::MAX), ("2.0", 2), ("-0", 0), ("+3e0", 3)]
    {
        let data = table(y).into_classification(usize::MAX).unwrap();
        assert_eq!(data.all().1.to_vec(), [1, label]);
    }
    assert_eq!(table("16777217").target().unwrap().to_vec(), [1.0, 16_777_217.0]);
    assert_error!(
        table("3").into_classification(3),
        CsvError::Data(DataError::LabelOutOfRange { example: 1, label: 3, classes: 3 })
    );
    let without = read(&CsvReader::new(), "x,y\n0.5,1\n").unwrap();
    assert_error!(without.clone().into_regression(), CsvError::NoTarget);
    assert_error!(without.into_classification(2), CsvError::NoTarget);
}

#[test]
fn what_tables_look_like_elsewhere() {
    let reader = CsvReader::new().header(false);
    let numbers = |text: &str| read(&reader, text).unwrap().features.to_vec();
    let expected = [1.0, 2.0, 3.0, 4.0];
    for text in [
        "1,2\n3,4",
        "\u{feff}1,2\r\n3,4\r\n",
        "\u{feff}\"1\",2\n\n\n3,4\n\n",
        "1,2\r3,4\r",
        "\n1 ,\t2\n \"3\" , 4 \n",
        "\"1\",\"2\"\n\"3\",\"4\"",
    ] {
        assert_eq!(numbers(text), expected, "{text:?}");
    }
    // Names may be there twice, or hold anything, as long as the target is one column.
    let table = read(&CsvReader::new().target("y"), "\"a\nb\",a,a,\"\",y\n1,2,3,4,5\n").unwrap();
    assert_eq!(table.names, ["a\nb", "a", "a", ""]);
    assert_eq!(table.target().unwrap().to_vec(), [5.0]);
}

#[test]
fn quotes_end_where_the_field_does() {
    let reader = CsvReader::new().header(false);
    for (text, position) in [("\"1", "0"), ("1,\"2\"3", "1"), ("1,\"2\n3,4\n", "1"), ("\"1\"\"2\"", "0")] {
        match read(&reader, text).expect_err(text) {
            CsvError::Quotes { line: 1, column } => assert_eq!(column, position, "{text}"),
            CsvError::NotANumber { .. } => assert_eq!(text, "\"1\"\"2\""),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_error!(read(&CsvReader::new(), "a,\"b\n1,2\n"), CsvError::Quotes { line: 1, .. });
    assert_error!(read(&CsvReader::new(), "a,b\n1,\"2\n"), CsvError::Quotes { line: 2, column } if column == "b");
}

#[test]
fn ragged_rows_are_told_before_what_is_in_them() {
    let reader = CsvReader::new();
    for (text, expected, found) in
        [("a,b\n1,2\nx\n", 2, 1), ("a,b\n1,2\n1,x,3\n", 2, 3), ("a\n1,\n", 1, 2), ("a,b\n,\n1,2,3", 2, 2)]
    {
        match read(&reader, text).expect_err(text) {
            CsvError::FieldCount { expected: e, found: f, .. } => {
                assert_eq!((e, f), (expected, found), "{text}")
            }
            CsvError::Missing { line: 2, .. } => assert_eq!(found, 2),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn messages_are_one_short_line() {
    let long = "ab\n\u{2028}".repeat(100_000);
    let header = format!("\"{long}\",{}y\n", "x,".repeat(1000));
    let with = |target: &str, text: &str| {
        CsvReader::new().target(target).read_from(text.as_bytes()).expect_err("should fail").to_string()
    };
    let row = |first: &str| format!("{header}{first},{}1\n", "0,".repeat(1000));
    for message in [
        with(&long.replace('a', "c"), &row("1")),
        with("x", &row("1")),
        with("y", &row("")),
        with("y", &row(&format!("\"{long}\""))),
        with("y", &format!("{header}\"1")),
        with("y", &header),
    ] {
        assert!(message.len() < 700 && !message.contains(['\n', '\r', '\u{2028}']), "{message}");
    }
    let message = with("xx", &row("1"));
    assert!(message.starts_with("no column xx: there are 1002, among them `x`, `x`, `x`"), "{message}");
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(
        bytes in prop::collection::vec(prop_oneof![prop::sample::select(b",\n\r\"1.-e ".to_vec()), any::<u8>()], 0..200),
        header in any::<bool>(),
        target in prop::option::of(-3isize..3),
    ) {
        let mut reader = CsvReader::new().header(header).limit(150);
        if let Some(target) = target {
            reader = reader.target(target);
        }
        if let Ok(table) = reader.read_from(&bytes[..]) {
            prop_assert_eq!(table.features.shape()[1], table.names.len());
            let _ = table.into_classification(10);
        }
    }
}

#[test]
fn double_precision_throughout() {
    let reader = CsvReader::new().precision::<f64>().target("y");
    // 1 + 2⁻⁴⁰ is 1 in `f32`, and 1e60 infinite.
    let text = "x,z,y\n1.0000000000009094947,1e60,16777217\n-0.0,2,0.1\n";
    let table = reader.read_from(text.as_bytes()).unwrap();
    assert_eq!(table.features.to_vec(), [1.0 + 2f64.powi(-40), 1e60, -0.0, 2.0]);
    let (inputs, targets) = table.clone().into_regression().unwrap().all();
    assert_eq!(inputs.value(), &table.features);
    assert_eq!(targets.value(), &Tensor::from([[16_777_217.0], [0.1]]));
    assert_error!(reader.read_from("y\n1e400\n".as_bytes()), CsvError::NotANumber { .. });
    // A number is rounded once: by way of `f64` this one, just above halfway, would become 1.
    let halfway = "1.00000005960464477539062500000000001";
    let table = read(&CsvReader::new().header(false), halfway).unwrap();
    assert_eq!(table.features.to_vec(), [1.0 + f32::EPSILON]);
}
