//! Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
//! SC11, 2011. Many blocks at a time, as a structure of arrays, so that the rounds vectorise.

/// Blocks computed together.
pub(super) const LANES: usize = 32;

/// Word j of block b at `[j][b]`.
pub(super) type Group = [[u32; LANES]; 4];

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;

#[inline(always)]
fn multiply(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

#[inline(always)]
fn low_high(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// One round on one block.
#[inline(always)]
fn round([a, b, c, d]: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (high0, low0) = multiply(MULTIPLIERS[0], a);
    let (high1, low1) = multiply(MULTIPLIERS[1], c);
    [high1 ^ b ^ key[0], low1, high0 ^ d ^ key[1], low0]
}

#[inline(always)]
fn round_key(key: [u32; 2], number: u32) -> [u32; 2] {
    [
        key[0].wrapping_add(KEY_STEPS[0].wrapping_mul(number)),
        key[1].wrapping_add(KEY_STEPS[1].wrapping_mul(number)),
    ]
}

/// The block of that number in that stream.
pub(super) fn block(key: u64, stream: u64, number: u64) -> [u32; 4] {
    let ([a, b], [c, d]) = (low_high(number), low_high(stream));
    (0..ROUNDS).fold([a, b, c, d], |words, i| round(words, round_key(low_high(key), i)))
}

/// The blocks `first`, `first` + 1, … in that stream.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "four arrays are written at the same index")]
pub(super) fn group(key: u64, stream: u64, first: u64) -> Group {
    let [c, d] = low_high(stream);
    let key = low_high(key);
    let mut words: Group = [[0; LANES]; 4];
    // Lanes outside: the compiler unrolls the rounds and vectorises over the lanes.
    for lane in 0..LANES {
        let [a, b] = low_high(first.wrapping_add(lane as u64));
        let mut block = [a, b, c, d];
        for i in 0..ROUNDS {
            block = round(block, round_key(key, i));
        }
        words[0][lane] = block[0];
        words[1][lane] = block[1];
        words[2][lane] = block[2];
        words[3][lane] = block[3];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known-answer vectors that the authors publish with Random123 (`tests/kat_vectors`).
    #[test]
    fn known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        for (counter, key, expected) in cases {
            let key = join(key[0], key[1]);
            let (number, stream) = (join(counter[0], counter[1]), join(counter[2], counter[3]));
            assert_eq!(block(key, stream, number), expected);
            assert_eq!(group(key, stream, number).map(|word| word[0]), expected);
        }
    }

    #[test]
    fn a_group_is_its_blocks() {
        let first = u64::from(u32::MAX) - 5;
        let words = group(3, 4, first);
        for lane in 0..LANES {
            assert_eq!(words.map(|word| word[lane]), block(3, 4, first + lane as u64));
        }
    }
}
