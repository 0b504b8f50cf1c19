//! In which order more than two operands are contracted.

use wengert_tensor::Float;

use super::contract::{Labelled, contracted};

/// One operand in the place of all: their product, summed over labels that are not in the output.
#[track_caller]
pub(super) fn reduced<T: Float>(
    mut operands: Vec<Labelled<T>>,
    output: &[usize],
    lengths: &[usize],
) -> Labelled<T> {
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
