//! Training that goes wrong on one rank in the middle: on threads all end, with its message.

use std::time::{Duration, Instant};

use crate::faults::{FAULTS, WAYS, train};
use wengert_distributed::threads;

#[test]
fn a_fault_of_one_rank_ends_all_with_its_message() {
    for ranks in [1, 2, 3, 5, 7] {
        for (number, way) in WAYS.into_iter().enumerate() {
            for (other, (fault, message)) in FAULTS.into_iter().enumerate() {
                // All of them on three ranks, and each fault and each way on any other number.
                if ranks != 3 && (number + ranks) % WAYS.len() != other {
                    continue;
                }
                // Only the first rank has observers.
                let victim = if fault.starts_with("observer") { 0 } else { ranks - 1 };
                let started = Instant::now();
                let failed = threads::run(ranks, |ranks| train(&ranks, way, fault, victim)).unwrap_err();
                let what = format!("{fault} of rank {victim} of {ranks}, {way}");
                assert!(failed.message.contains(message), "{what}: {failed}");
                // What is not finite is so for all.
                assert!(failed.rank == victim || fault == "nan", "{what}: {failed}");
                assert!(started.elapsed() < Duration::from_secs(60), "{what}: the others did not end");
            }
        }
    }
}
