//! Arrays of the MNIST format, plain and compressed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wengert::data::idx::Idx;

fuzz_target!(|bytes: &[u8]| {
    // Deflate makes up to 1032 bytes of one, so that some limit is needed here.
    let _ = Idx::<u8>::read_from(bytes, 1 << 24);
    let _ = Idx::<f64>::read_from(bytes, 1 << 24);
});
