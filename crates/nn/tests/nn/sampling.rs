//! Drawing tokens.

use wengert_nn::Sampling;
use wengert_tensor::random::Generator;

#[track_caller]
fn close(found: Vec<f64>, expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-12, "{found:?} instead of {expected:?}");
    }
}

/// Scores of which the softmax is 0.1, 0.4, 0.2, 0.3.
fn logits() -> [f64; 4] {
    [0.1f64, 0.4, 0.2, 0.3].map(|p| p.ln() + 7.0)
}

#[test]
fn probabilities_of_each_restriction() {
    let all = Sampling::new();
    close(all.probabilities(&logits()), &[0.1, 0.4, 0.2, 0.3]);
    close(Sampling::default().top_k(9).top_p(1.0).probabilities(&logits()), &[0.1, 0.4, 0.2, 0.3]);
    close(all.temperature(0.5).probabilities(&logits()), &[1.0 / 30.0, 16.0 / 30.0, 4.0 / 30.0, 9.0 / 30.0]);
    close(all.top_k(2).probabilities(&logits()), &[0.0, 4.0 / 7.0, 0.0, 3.0 / 7.0]);
    // 0.4 + 0.3 is less than 0.75.
    close(all.top_p(0.75).probabilities(&logits()), &[0.0, 4.0 / 9.0, 2.0 / 9.0, 3.0 / 9.0]);
    close(all.top_p(1e-9).probabilities(&logits()), &[0.0, 1.0, 0.0, 0.0]);
    // Of the two that are left by the first, one has more than half.
    close(all.top_k(2).top_p(0.55).probabilities(&logits()), &[0.0, 1.0, 0.0, 0.0]);
    close(Sampling::greedy().probabilities(&logits()), &[0.0, 1.0, 0.0, 0.0]);
    close(Sampling::greedy().probabilities(&[2.0f32, 2.0, 1.0]), &[1.0, 0.0, 0.0]);
    close(all.temperature(1e-300).probabilities(&logits()), &[0.0, 1.0, 0.0, 0.0]);
    close(all.probabilities(&[f64::NEG_INFINITY, 5.0]), &[0.0, 1.0]);
    close(all.probabilities(&[-1e308, 1e308]), &[0.0, 1.0]);
}

#[test]
fn tokens_come_as_often_as_their_probabilities_say() {
    let mut generator = Generator::seeded(4);
    let mut counts = [0.0; 4];
    for _ in 0..20_000 {
        counts[Sampling::new().sample(&logits(), &mut generator) as usize] += 1.0 / 20_000.0;
    }
    for (count, p) in counts.iter().zip([0.1f64, 0.4, 0.2, 0.3]) {
        // Five standard deviations.
        assert!((count - p).abs() < 5.0 * (p * (1.0 - p) / 20_000.0).sqrt(), "{counts:?}");
    }
    let restricted = Sampling::new().top_k(2);
    assert!((0..200).all(|_| [1, 3].contains(&restricted.sample(&logits(), &mut generator))));
}
