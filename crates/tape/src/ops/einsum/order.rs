//! In which order more than two operands are contracted.

use wengert_tensor::Float;

use super::contract::{Labelled, contracted};

/// Of so many operands all orders are looked at.
const EXHAUSTIVE: usize = 8;

/// The order with the fewest multiplications, for each set of operands, which is a number's bits; sets of labels likewise.
struct Plan {
    /// The labels that the product of a set keeps: those that stand elsewhere, or in the output.
    kept: Vec<u128>,
    /// The part of a set that is contracted with the rest of it at last.
    part: Vec<usize>,
}

impl Plan {
    /// `None` if there are too many labels.
    fn new<T: Float>(operands: &[Labelled<T>], output: &[usize], lengths: &[usize]) -> Option<Self> {
        if lengths.len() > 128 {
            return None;
        }
        let bits = |labels: &[usize]| labels.iter().fold(0u128, |all, &label| all | 1 << label);
        let size = |labels: u128| {
            let of = |label: usize| if labels >> label & 1 == 1 { lengths[label] as f64 } else { 1.0 };
            (0..lengths.len()).map(of).product::<f64>()
        };
        let (single, output) = (operands.iter().map(|x| bits(&x.labels)).collect::<Vec<_>>(), bits(output));
        let count = operands.len();
        let labels_of =
            |set: usize| (0..count).filter(|i| set >> i & 1 == 1).fold(0u128, |all, i| all | single[i]);
        let all = (1usize << count) - 1;
        let kept: Vec<u128> =
            (0..=all).map(|set| labels_of(set) & (output | labels_of(all & !set))).collect();
        let (mut cost, mut part) = (vec![0.0; all + 1], vec![0; all + 1]);
        // An operand by itself is summed over nothing.
        let factor = |set: usize| if set.is_power_of_two() { labels_of(set) } else { kept[set] };
        for set in 1..=all {
            if set.is_power_of_two() {
                continue;
            }
            let mut least = f64::INFINITY;
            // The parts that hold the lowest operand.
            let lowest = set & set.wrapping_neg();
            let rest = set & !lowest;
            let mut others = rest;
            while others != 0 {
                others = (others - 1) & rest;
                let left = lowest | others;
                let right = set & !left;
                let total = cost[left] + cost[right] + size(factor(left) | factor(right));
                // Of equals the first that was found, so that one operand after the other is taken.
                if total < least {
                    (least, part[set]) = (total, left);
                }
            }
            cost[set] = least;
        }
        Some(Plan { kept, part })
    }

    /// The product of a set of operands.
    #[track_caller]
    fn contract<T: Float>(&self, set: usize, operands: &mut [Option<Labelled<T>>]) -> Labelled<T> {
        if set.is_power_of_two() {
            return operands[set.trailing_zeros() as usize].take().expect("each operand is in one place");
        }
        let left = self.part[set];
        let (a, b) = (self.contract(left, operands), self.contract(set & !left, operands));
        contracted(a, b, &|label| self.kept[set] >> label & 1 == 1)
    }
}

/// One operand in the place of all: their product, summed over labels that are not in the output.
#[track_caller]
pub(in crate::ops) fn reduced<T: Float>(
    mut operands: Vec<Labelled<T>>,
    output: &[usize],
    lengths: &[usize],
) -> Labelled<T> {
    if (3..=EXHAUSTIVE).contains(&operands.len())
        && let Some(plan) = Plan::new(&operands, output, lengths)
    {
        let mut operands: Vec<_> = operands.into_iter().map(Some).collect();
        return plan.contract((1 << operands.len()) - 1, &mut operands);
    }
    while operands.len() > 1 {
        let (i, j) = next_pair(&operands, output, lengths);
        let b = operands.remove(j);
        let a = operands.remove(i);
        let others: Vec<usize> = operands.iter().flat_map(|x| x.labels.iter().copied()).collect();
        let product = contracted(a, b, &|label| output.contains(&label) || others.contains(&label));
        // Behind all others, so that pairs of equal cost are taken in the order in which they were given.
        operands.push(product);
    }
    operands.pop().expect("there are operands")
}

/// The pair to contract next: that whose product takes the least memory beyond what it sets free, and among equals the one
/// with the fewest multiplications. Pairs without a label in common come last.
fn next_pair<T: Float>(operands: &[Labelled<T>], output: &[usize], lengths: &[usize]) -> (usize, usize) {
    let size = |labels: &[usize]| labels.iter().map(|&label| lengths[label] as f64).product::<f64>();
    let mut best = (0, 1);
    let mut least = None;
    for j in 1..operands.len() {
        for i in 0..j {
            let (a, b) = (&operands[i].labels, &operands[j].labels);
            let mut all = a.clone();
            all.extend(b.iter().filter(|label| !a.contains(label)));
            let elsewhere = |label: &usize| {
                output.contains(label)
                    || operands.iter().enumerate().any(|(k, x)| k != i && k != j && x.labels.contains(label))
            };
            let kept: Vec<usize> = all.iter().copied().filter(elsewhere).collect();
            let apart = all.len() == a.len() + b.len();
            let cost = (apart, size(&kept) - size(a) - size(b), size(&all));
            if least.is_none_or(|least| cost < least) {
                (best, least) = ((i, j), Some(cost));
            }
        }
    }
    best
}
