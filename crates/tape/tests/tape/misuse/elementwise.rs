//! Misuse of elementwise functions.

use super::x;
use crate::panics::caught;

#[test]
fn orders_of_derivatives() {
    assert_panics!(x().polygamma(101), "polygamma", "101", "100");
    assert_eq!(x().polygamma(100).len(), 3);
}
