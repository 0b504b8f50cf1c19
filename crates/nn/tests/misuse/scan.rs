//! Scans in layers, of inputs that have no steps in common.

use wengert_nn::Params;
use wengert_tape::{Scan, Var};

use crate::panics::caught;

#[test]
fn inputs_without_steps() {
    let params: Params = Params::seeded(0);
    let (zero, text) = (Var::scalar(0.0), "scan: inputs of shapes [\"[]\"] have no first axis of one length");
    let plain = caught(|| {
        params.infer(|cx| {
            drop(cx.scan(Scan::new(), |_, c: &Var, x: &Var| (c.clone(), x.clone()), zero.clone(), &zero))
        });
    });
    assert_eq!(plain.message, text);
    let again = caught(|| {
        let scan = Scan::new().recomputed();
        params.infer(|cx| {
            drop(cx.scan_recomputed(scan, |_, c: &Var, x: &Var| (c.clone(), x.clone()), zero.clone(), &zero))
        });
    });
    assert_eq!(again.message, text);
    assert!(plain.file.contains("misuse") && again.file.contains("misuse"));
}
