//! Sums over shards have the same bits for any number of ranks.

use proptest::prelude::*;

use wengert_distributed::{CommunicatorError, Shared, threads, tree};

/// Ranks in all tests; a number that is no power of two gathers.
const SIZES: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

/// Numbers of many magnitudes, of which sums depend on their order.
fn vector<T: Shared>(seed: u64, shard: usize, length: usize) -> Vec<T> {
    let mut state = seed ^ (shard as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let fraction = (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0;
        T::from_f64(fraction * 2f64.powi((state >> 33 & 31) as i32))
    };
    (0..length).map(|_| next()).collect()
}

fn bits<T: Shared>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

fn same_on_all<T: Shared>(seed: u64, shards: usize, length: usize) {
    let make = |shard| Ok::<_, CommunicatorError>(vector::<T>(seed, shard, length));
    let alone = bits(&tree::sum(shards, make).unwrap());
    for size in SIZES.into_iter().filter(|&size| size <= shards) {
        let sums = threads::run(size, |ranks| {
            let mut asked = Vec::new();
            let sum = tree::all_reduce(&*ranks, shards, length, |shard| {
                asked.push(shard);
                make(shard)
            })?;
            assert!(asked.into_iter().eq(tree::owned(shards, ranks.rank(), size)));
            Ok(bits(&sum))
        });
        for sum in sums.unwrap() {
            assert!(sum == alone, "{shards} shards of {length} on {size} ranks");
        }
    }
}

#[test]
fn all_numbers_of_ranks_give_the_bits_of_one() {
    for shards in [1, 2, 3, 5, 7, 8, 12, 16] {
        for length in [0, 1, 2, 3, 17, 64] {
            same_on_all::<f32>(7, shards, length);
        }
    }
    same_on_all::<f64>(8, 8, 33);
    same_on_all::<f32>(9, 8, 100_003);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shards_and_lengths(seed: u64, shards in 1usize..40, length in 0usize..300) {
        same_on_all::<f32>(seed, shards, length);
    }

    #[test]
    fn shards_are_shared_out_in_order(shards in 0usize..200, size in 1usize..70) {
        let mut next = 0;
        for rank in 0..size {
            let own = tree::owned(shards, rank, size);
            prop_assert_eq!(own.start, next);
            prop_assert!(own.len() <= shards.div_ceil(size) + usize::from(!size.is_power_of_two()));
            next = own.end;
        }
        prop_assert_eq!(next, shards);
    }
}

#[test]
fn the_sum_is_the_documented_tree() {
    // With (a + b) + c first, 1e8 would swallow each 1.
    let vectors = [1.0f32, 1.0, 1e8, -1e8, 1.0];
    let make = |shard: usize| Ok::<_, CommunicatorError>(vec![vectors[shard]]);
    let left = (vectors[0] + vectors[1]) + vectors[2];
    assert_eq!(tree::sum(5, make), Ok(vec![left + (vectors[3] + vectors[4])]));
}

#[test]
fn a_power_of_two_of_ranks_sends_what_is_optimal() {
    let length = 1 << 12;
    for (size, shards) in [(2, 8), (4, 8), (8, 8), (8, 16)] {
        let sent = threads::run(size, |ranks| {
            tree::all_reduce(&*ranks, shards, length, |shard| {
                Ok::<_, CommunicatorError>(vector::<f32>(1, shard, length))
            })?;
            Ok(ranks.bytes_sent())
        });
        assert_eq!(sent.unwrap(), vec![(2 * (size - 1) * length * 4 / size) as u64; size]);
    }
}

#[test]
fn fewer_shards_than_ranks_are_an_error_of_all() {
    let failed = threads::run(3, |ranks| {
        let none =
            tree::all_reduce(&*ranks, 2, 1, |_| -> Result<Vec<f32>, CommunicatorError> { panic!("asked") });
        Ok(none.unwrap_err().to_string())
    });
    assert_eq!(failed.unwrap(), vec!["tree::all_reduce: 2 shards for 3 ranks"; 3]);
}

#[test]
fn an_error_of_a_shard_is_returned() {
    let failed = tree::sum(4, |shard| if shard == 2 { Err("shard 2") } else { Ok(vec![1.0f32]) });
    assert_eq!(failed, Err("shard 2"));
}

#[test]
#[should_panic(expected = "tree::sum: vectors of shards have 1 and 2 elements")]
fn vectors_of_different_lengths_are_refused() {
    let _ = tree::sum(2, |shard| Ok::<_, ()>(vec![0.0f32; shard + 1]));
}

#[test]
#[should_panic(expected = "tree::all_reduce: the vector of a shard has 2 elements instead of 3")]
fn a_vector_of_another_length_is_refused() {
    let single = wengert_distributed::Single::new();
    let _ = tree::all_reduce(&single, 1, 3, |_| Ok::<_, CommunicatorError>(vec![0.0f32; 2]));
}

#[test]
#[should_panic(expected = "tree::owned: there is no rank 3 among 3")]
fn a_rank_that_does_not_exist_owns_nothing() {
    let _ = tree::owned(8, 3, 3);
}
