//! Tables as text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert::data::csv::CsvReader;

fuzz_target!(|bytes: &[u8]| {
    let readers = [
        CsvReader::new().target("y"),
        CsvReader::new().header(false).target(-1),
        CsvReader::new(),
        CsvReader::new().target(1).delimiter(b';'),
    ];
    for reader in readers {
        if let Ok(table) = reader.read_from(bytes) {
            assert_eq!(table.names.len(), table.features.shape()[1]);
            let _ = table.clone().into_regression();
            let _ = table.into_classification(3);
        }
    }
});
