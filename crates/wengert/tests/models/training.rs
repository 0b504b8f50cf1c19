//! Networks learn the synthetic digits.

use wengert::prelude::*;

/// The accuracy on digits not seen in training.
fn learn(model: impl Layer, mut params: Params, image: &[usize], digits: usize, epochs: u64) -> f64 {
    let [train, test] = [(digits, 0), (1000, 1)].map(|(count, seed)| {
        let digits = wengert::data::synthetic::digits(count, seed).with_example_shape(image);
        digits.normalise(0.1055, 0.2543).unwrap()
    });
    let mut adam = Adam::new(2e-3);
    for epoch in 0..epochs {
        for (images, labels) in train.batches(64).shuffled(epoch) {
            let loss = |cx: &Ctx| model.forward(cx, &images).cross_entropy(&labels);
            let (_, grads) = params.value_and_grad(loss).unwrap();
            adam.step(&mut params.values_mut(), &grads);
        }
    }
    let (images, labels) = test.all();
    wengert::nn::accuracy(&params.infer(|cx| model.forward(cx, &images)), &labels)
}

#[test]
fn a_perceptron_learns_digits() {
    let mut params = Params::seeded(0);
    let model = crate::common::perceptron(&mut params, &[784, 128, 10], Relu);
    let reached = learn(model, params, &[784], 20_000, 4);
    assert!(reached > 0.95, "{reached}");
}

#[test]
fn a_convolutional_network_learns_digits() {
    let mut params = Params::seeded(0);
    let model = crate::common::lenet(&mut params, [6, 16], 5, &[400, 84, 10]);
    let reached = learn(model, params, &[1, 28, 28], 6000, 3);
    assert!(reached > 0.95, "{reached}");
}

/// Says 1 where the second input is larger.
struct Larger;

impl Layer<f64, (Var<f64>, Var<f64>)> for Larger {
    fn forward(&self, _: &Ctx<f64>, (a, b): &(Var<f64>, Var<f64>)) -> Var<f64> {
        Var::cat(&[a, b], 1)
    }
}

#[test]
fn the_accuracy_of_a_model_of_two_inputs_in_double_precision() {
    let a = Tensor::<f64>::from([[1.0], [2.0], [3.0], [4.0]]);
    let b = Tensor::from([[1.0 + 1e-12], [1.0], [5.0], [0.0]]);
    let data = Dataset::new(((a, b), Tensor::from([1u32, 0, 0, 0]))).unwrap();
    assert_eq!(accuracy(&Larger, &Params::seeded(0), &data), 0.75);
}
