//! Tables from CSV files.
#![cfg(feature = "csv")]

use proptest::prelude::*;
use wengert_data::DataError;
use wengert_data::csv::{CsvError, CsvReader, Table};

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
    assert_eq!((table.features.shape(), &table.target), (&[2, 3].into(), &None));
    assert_eq!(table.features.to_vec(), [1.0, -2.5, 300.0, 4.0, 5.0, 0.5]);
    for target in ["a", "b, too", "c"] {
        let table = read(&CsvReader::new().target(target), text).unwrap();
        assert!(!table.names.contains(&target.to_string()));
        assert_eq!((table.features.shape(), table.target.unwrap().len()), (&[2, 2].into(), 2));
    }
}

#[test]
fn without_a_header() {
    let reader = CsvReader::new().header(false).delimiter(b';');
    let table = read(&reader.clone().target(-1), "1;2;3\n4;5;6").unwrap();
    assert_eq!(table.names, ["0", "1"]);
    assert_eq!(table.features.to_vec(), [1.0, 2.0, 4.0, 5.0]);
    assert_eq!(table.target.unwrap().to_vec(), [3.0, 6.0]);
    let table = read(&reader.target(0), "1;2;3\n4;5;6").unwrap();
    assert_eq!(table.target.unwrap().to_vec(), [1.0, 4.0]);
    // Only a target.
    let table = read(&CsvReader::new().target("y"), "y\n1\n2\n").unwrap();
    assert_eq!(table.features.shape(), &[2, 0]);
}

#[test]
fn every_kind_of_bad_table_has_its_error() {
    let reader = CsvReader::new();
    assert_error!(reader.read("no/such/file.csv"), CsvError::NotFound { .. });
    assert_error!(reader.read("."), CsvError::Io(_));
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
    assert_error!(bad(&"y".repeat(1000)), CsvError::NotANumber { text, .. } if text.len() == 40);
    assert_error!(reader.read_from(&b"a\xff,b\n1,2\n"[..]), CsvError::Encoding { line: 1 });
    assert_error!(reader.read_from(&b"a,b\n1,\xff\n"[..]), CsvError::NotANumber { line: 2, .. });
    assert_error!(read(&reader.clone().target("c"), "a,b\n1,2\n"), CsvError::UnknownColumn { columns, .. } if columns.len() == 2);
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
    assert_eq!(table("-3.5").into_regression().unwrap().all().labels.to_vec(), [1.0, -3.5]);
    let data = table("2").into_classification(3).unwrap();
    assert_eq!(data.all().labels.to_vec(), [1, 2]);
    assert_eq!(data.all().images.value().to_vec(), [0.5, 0.25]);
    for y in ["-1", "1.5", "1e30"] {
        assert_error!(table(y).into_classification(3), CsvError::NotALabel { row: 1, .. });
    }
    assert_error!(
        table("3").into_classification(3),
        CsvError::Data(DataError::LabelOutOfRange { example: 1, label: 3, classes: 3 })
    );
    let without = read(&CsvReader::new(), "x,y\n0.5,1\n").unwrap();
    assert_error!(without.clone().into_regression(), CsvError::NoTarget);
    assert_error!(without.into_classification(2), CsvError::NoTarget);
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
