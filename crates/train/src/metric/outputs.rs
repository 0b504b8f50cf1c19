//! Outputs of classifiers with their labels.

use wengert_nn::IGNORED;
use wengert_tensor::{Float, Shape, Tensor};

/// Why outputs and labels do not fit together, if they do not. There is a number of classes along the last axis; with one
/// or none, there are two classes, and the output is the second one's.
pub(super) fn refusal<T: Float>(metric: &str, outputs: &Tensor<T>, labels: &Tensor<u32>) -> Option<String> {
    let Some(classes) = classes_of(outputs.shape(), labels.shape()) else {
        return Some(format!(
            "{metric}: outputs of shape {} do not fit labels of shape {}: outputs have the labels' axes, and one of the classes after them unless there are two",
            outputs.shape(),
            labels.shape()
        ));
    };
    let wrong = |label: u32| label as usize >= classes.max(2) && label != IGNORED;
    let (at, label) = labels.iter().enumerate().find(|&(_, label)| wrong(label))?;
    Some(format!(
        "{metric}: the label {label} at position {} is not one of {} classes (0 to {})",
        position(at, labels.shape()),
        classes.max(2),
        classes.max(2) - 1,
    ))
}

/// Why outputs are no probabilities, if they are not. NaN is no reason.
pub(super) fn improbable<T: Float>(
    metric: &str,
    outputs: &Tensor<T>,
    labels: &Tensor<u32>,
) -> Option<String> {
    let examples = Examples::new(outputs, labels);
    for (at, scores) in examples.rows().enumerate() {
        let place = || position(at, labels.shape());
        if let Some(p) =
            scores.iter().map(|p| p.to_f64()).find(|&p| !(0.0..=1.001).contains(&p) && !p.is_nan())
        {
            return Some(format!("{metric}: {p} at position {} is no probability", place()));
        }
        let sum: f64 = scores.iter().map(|p| p.to_f64()).sum();
        if scores.len() > 1 && (sum - 1.0).abs() > 0.01 {
            return Some(format!("{metric}: the probabilities at position {} add up to {sum}", place()));
        }
    }
    None
}

/// The number of classes that outputs of that shape say something of, 1 where there are two; `None` if shapes do not fit.
fn classes_of(outputs: &Shape, labels: &Shape) -> Option<usize> {
    if outputs == labels {
        return Some(1);
    }
    let (&classes, examples) = outputs.split_last()?;
    (examples == &labels[..] && classes > 0).then_some(classes)
}

/// The index of element number `at` of a shape.
fn position(mut at: usize, shape: &Shape) -> Shape {
    let mut index = vec![0; shape.len()];
    for (i, &d) in index.iter_mut().zip(shape.iter()).rev() {
        *i = at % d;
        at /= d;
    }
    index.into()
}

/// Outputs and labels that fit together.
pub(super) struct Examples<T: Float> {
    outputs: Tensor<T>,
    labels: Vec<u32>,
    /// The outputs of an example.
    pub(super) columns: usize,
}

impl<T: Float> Examples<T> {
    pub(super) fn new(outputs: &Tensor<T>, labels: &Tensor<u32>) -> Self {
        let columns = classes_of(outputs.shape(), labels.shape()).unwrap_or(1);
        Examples { outputs: outputs.contiguous(), labels: labels.to_vec(), columns }
    }

    /// The number of classes.
    pub(super) fn classes(&self) -> usize {
        self.columns.max(2)
    }

    fn rows(&self) -> std::slice::ChunksExact<'_, T> {
        self.outputs.as_slice().expect("contiguous").chunks_exact(self.columns)
    }

    /// The outputs and the label of each example that counts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[T], usize)> {
        let labels = self.labels.iter().map(|&label| label as usize);
        self.rows().zip(labels).filter(|&(_, label)| label != IGNORED as usize)
    }
}

/// The class with the largest output, the first of equal ones; of a single output, 1 if it is above the threshold. A NaN
/// among them chooses nothing.
pub(super) fn choice<T: Float>(scores: &[T], threshold: f64) -> Option<usize> {
    if scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    if let [score] = scores {
        return Some(usize::from(score.to_f64() > threshold));
    }
    let larger = |best: usize, i: usize| if scores[i] > scores[best] { i } else { best };
    (0..scores.len()).reduce(larger)
}

/// What outputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Anything: the probabilities are their softmax, or sigmoid.
    Logits,
    /// Probabilities.
    Probabilities,
}

impl Scale {
    /// Its name in states.
    pub(super) fn word(self) -> &'static str {
        match self {
            Scale::Logits => "logits",
            Scale::Probabilities => "probabilities",
        }
    }

    /// What of a single output is the border between two classes.
    pub(super) fn threshold(self) -> f64 {
        match self {
            Scale::Logits => 0.0,
            Scale::Probabilities => 0.5,
        }
    }

    /// Why outputs are not of this scale or do not fit the labels, if so.
    pub(super) fn refusal<T: Float>(
        self,
        metric: &str,
        outputs: &Tensor<T>,
        labels: &Tensor<u32>,
    ) -> Option<String> {
        refusal(metric, outputs, labels).or_else(|| match self {
            Scale::Logits => None,
            Scale::Probabilities => improbable(metric, outputs, labels),
        })
    }

    /// The probabilities of an example's classes; of the second alone where there is a single output.
    pub(super) fn probabilities<T: Float>(self, scores: &[T], out: &mut Vec<f64>) {
        out.clear();
        out.extend(scores.iter().map(|score| score.to_f64()));
        match (self, &mut out[..]) {
            (Scale::Probabilities, _) => {}
            (Scale::Logits, [score]) => *score = sigmoid(*score),
            (Scale::Logits, scores) => {
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                scores.iter_mut().for_each(|score| *score = (*score - top).exp());
                let sum: f64 = scores.iter().sum();
                scores.iter_mut().for_each(|score| *score /= sum);
            }
        }
    }

    /// Minus the logarithm of the label's probability. Probabilities are kept 2⁻⁵² away from 0 and 1, as scikit-learn does.
    pub(super) fn surprise<T: Float>(self, scores: &[T], label: usize) -> f64 {
        let kept = |p: f64| if p.is_nan() { p } else { p.clamp(f64::EPSILON, 1.0 - f64::EPSILON) };
        match (self, scores) {
            (Scale::Probabilities, [p]) if label == 1 => -kept(p.to_f64()).ln(),
            (Scale::Probabilities, [p]) => -(1.0 - kept(p.to_f64())).ln(),
            (Scale::Probabilities, all) if all.iter().any(|p| p.is_nan()) => f64::NAN,
            (Scale::Probabilities, all) => -kept(all[label].to_f64()).ln(),
            (Scale::Logits, [score]) if label == 1 => softplus(-score.to_f64()),
            (Scale::Logits, [score]) => softplus(score.to_f64()),
            (Scale::Logits, all) => {
                let Some(top) = choice(all, 0.0) else { return f64::NAN };
                let highest = all[top].to_f64();
                let others = all.iter().enumerate().filter(|&(class, _)| class != top);
                let sum: f64 = others.map(|(_, score)| (score.to_f64() - highest).exp()).sum();
                highest - all[label].to_f64() + sum.ln_1p()
            }
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

fn softplus(x: f64) -> f64 {
    // A NaN stays one by the second summand.
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// In the `impl` of [`Metric`](super::Metric) for what has a `scale` of its outputs, and is to become small.
macro_rules! small_by_scale {
    () => {
        fn goal(&self) -> wengert_optim::first::Goal {
            wengert_optim::first::Goal::Min
        }

        fn refuses(&self, outputs: &Tensor<T>, labels: &Tensor<u32>) -> Option<String> {
            self.scale.refusal(&self.name, outputs, labels)
        }
    };
}
pub(super) use small_by_scale;
