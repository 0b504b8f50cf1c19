//! Least squares with coefficients that are not negative.

use wengert_tensor::linalg::Qr;

use crate::minimize::vector;

/// The z ≥ 0 that brings Σ zⱼ aⱼ nearest to `target`, by the active set method of Lawson and Hanson (1974): few are positive, and
/// dependent columns are no obstacle.
pub(super) fn nonnegative_least_squares(columns: &[Vec<f64>], target: &[f64]) -> Vec<f64> {
    let mut z = vec![0.0; columns.len()];
    let mut positive: Vec<usize> = Vec::new();
    let least = 1e-14 * vector::norm(target);
    for _ in 0..3 * columns.len() {
        let mut rest = target.to_vec();
        for &j in &positive {
            vector::axpy(-z[j], &columns[j], &mut rest);
        }
        // The column that helps most, by its direction.
        let gain = |j: usize| {
            let length = vector::norm(&columns[j]);
            if length > 0.0 { vector::dot(&columns[j], &rest) / length } else { 0.0 }
        };
        let gains = (0..columns.len()).filter(|j| !positive.contains(j)).map(|j| (j, gain(j)));
        let best = gains.filter(|(_, gain)| *gain > least).max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((next, _)) = best else { break };
        if positive.len() == target.len() {
            break;
        }
        positive.push(next);
        while let Some(found) = solve(columns, &positive, target) {
            if found.iter().all(|f| *f > 0.0) {
                positive.iter().zip(&found).for_each(|(&j, f)| z[j] = *f);
                break;
            }
            // As far as all stay positive; those that vanish leave.
            let steps =
                positive.iter().zip(&found).filter(|(_, f)| **f <= 0.0).map(|(&j, f)| z[j] / (z[j] - f));
            let share = steps.fold(1.0, |least: f64, step| if step < least { step } else { least });
            positive.iter().zip(&found).for_each(|(&j, f)| z[j] += share * (f - z[j]));
            let vanished = |j: &usize, f: f64| {
                f <= 0.0 && z[*j] <= 1e-15 * found.iter().fold(0.0, |m: f64, f| m.max(f.abs()))
            };
            let gone: Vec<usize> =
                positive.iter().zip(&found).filter(|(j, f)| vanished(j, **f)).map(|(j, _)| *j).collect();
            if gone.is_empty() {
                break;
            }
            gone.iter().for_each(|&j| z[j] = 0.0);
            positive.retain(|j| !gone.contains(j));
        }
    }
    z
}

/// The coefficients of some columns without the condition; `None` where they are dependent.
fn solve(columns: &[Vec<f64>], which: &[usize], target: &[f64]) -> Option<Vec<f64>> {
    let (m, n) = (target.len(), which.len());
    if n == 0 {
        return None;
    }
    let matrix = (0..m).flat_map(|i| which.iter().map(move |&j| columns[j][i])).collect();
    Qr::new(matrix, m, n).solve(target).ok()
}

#[cfg(test)]
mod tests {
    use super::nonnegative_least_squares;

    #[test]
    fn the_conditions_of_optimality_hold() {
        let entry = |i: usize, j: usize| ((i * 37 + j * 91 + i * j * 13) % 29) as f64 / 14.0 - 1.0;
        for (rows, count) in [(1, 1), (3, 2), (4, 9), (6, 6), (5, 20)] {
            let mut columns: Vec<Vec<f64>> =
                (0..count).map(|j| (0..rows).map(|i| entry(i, j)).collect()).collect();
            // A dependent one, an opposite one, and nothing.
            columns.push(columns[0].iter().map(|a| 2.0 * a).collect());
            columns.push(columns[0].iter().map(|a| -a).collect());
            columns.push(vec![0.0; rows]);
            for shift in 0..20 {
                let target: Vec<f64> = (0..rows).map(|i| entry(i + shift, 40 + shift)).collect();
                let z = nonnegative_least_squares(&columns, &target);
                let rest = |i: usize| target[i] - columns.iter().zip(&z).map(|(a, z)| z * a[i]).sum::<f64>();
                for (a, z) in columns.iter().zip(&z) {
                    let slope: f64 = (0..rows).map(|i| a[i] * rest(i)).sum();
                    assert!(*z >= 0.0 && slope < 1e-12, "{rows} × {count}, {shift}: {slope}");
                    assert!(*z == 0.0 || slope > -1e-12, "{rows} × {count}, {shift}: {slope}");
                }
            }
        }
        assert!(nonnegative_least_squares(&[], &[1.0]).is_empty());
    }
}
