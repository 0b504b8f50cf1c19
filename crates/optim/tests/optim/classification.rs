//! Softmax regression on the digits (see `golden/digits.py`) by every first-order method with its own default rate: whole
//! batches, 1797 images of 8 × 8, ten classes, 650 weights with ½ · 10⁻³ ‖w‖², from zero.

use wengert_optim::{Layout, first};
use wengert_tensor::gemm::{MatrixMut, MatrixRef, gemm};

const FEATURES: usize = 65;
const CLASSES: usize = 10;
const DECAY: f64 = 1e-3;

/// What the loss has to fall below: it begins at ln 10 = 2.303, and its least is 0.264.
const BOUND: f64 = 0.6;

struct Digits {
    /// Row by row: 64 pixels ÷ 16 and a 1.
    pixels: Vec<f64>,
    labels: Vec<usize>,
    /// The scores of the classes, and then the loss's derivatives by them.
    scores: Vec<f64>,
}

impl Digits {
    fn load() -> Self {
        // Every third digit.
        let rows = || include_bytes!("../golden/digits.u8").chunks_exact(FEATURES).step_by(3);
        let pixels = rows().flat_map(|row| row[..64].iter().chain(&[16]).map(|&p| f64::from(p) / 16.0));
        let labels: Vec<usize> = rows().map(|row| usize::from(row[64])).collect();
        Digits { pixels: pixels.collect(), scores: vec![0.0; labels.len() * CLASSES], labels }
    }

    /// The loss at weights of a row for each class, and its gradient.
    fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let count = self.labels.len();
        let view = |x, rows, columns| MatrixRef::new(x, 0, [rows, columns], [columns as isize, 1]);
        let pixels = view(&self.pixels, count, FEATURES);
        let scores = MatrixMut::new(&mut self.scores, 0, [count, CLASSES], [CLASSES as isize, 1]);
        gemm(1.0, pixels, view(weights, CLASSES, FEATURES).transposed(), 0.0, scores);
        let mut loss = 0.0;
        for (scores, &label) in self.scores.chunks_exact_mut(CLASSES).zip(&self.labels) {
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
            loss += largest + sum.ln() - scores[label];
            scores.iter_mut().for_each(|s| *s = (*s - largest).exp() / sum);
            scores[label] -= 1.0;
        }
        gradient.iter_mut().zip(weights).for_each(|(g, w)| *g = DECAY * w);
        let errors = view(&self.scores, count, CLASSES).transposed();
        let out = MatrixMut::new(gradient, 0, [CLASSES, FEATURES], [FEATURES as isize, 1]);
        gemm((count as f64).recip(), errors, pixels, 1.0, out);
        loss / count as f64 + 0.5 * DECAY * weights.iter().map(|w| w * w).sum::<f64>()
    }
}

#[test]
fn every_default_learns_the_digits() {
    let mut digits = Digits::load();
    let layout = Layout::new([("weight", vec![CLASSES, FEATURES])]);
    for method in first::methods::<f64>() {
        let mut optimizer = method.build(method.learning_rate, &layout).unwrap();
        let mut weights = vec![0.0; layout.len()];
        let (mut gradient, mut shown) = (weights.clone(), weights.clone());
        let most = match method.name {
            // Plain descent at 0.01, where the curvature would bear ten times that.
            "gradient_descent" | "sgd" => 4000,
            // Moves by a ten-thousandth at a time.
            "lion" => 5000,
            // Moves by a thousandth of the weights' norm, which is nearly 0 at first.
            "lamb" => 8000,
            _ => 1600,
        };
        let mut loss = f64::INFINITY;
        for step in 1..=most {
            optimizer.step_with(&mut weights, &mut gradient, &mut |w, g| digits.evaluate(w, g));
            if step % 25 == 0 {
                optimizer.write_evaluation(&weights, &mut shown);
                loss = digits.evaluate(&shown, &mut gradient);
            }
            if loss < BOUND {
                println!("{}: {loss:.3} after {step} steps", method.name);
                break;
            }
        }
        assert!(loss < BOUND, "{}: a loss of {loss} after {most} steps", method.name);
    }
}
