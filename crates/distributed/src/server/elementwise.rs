//! Which optimisers can be divided.

/// Optimisers whose rule for an element of the parameters needs that element of the gradient and of their state alone.
const ELEMENTWISE: [&str; 18] = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "adan",
    "amsgrad",
    "gradient_descent",
    "lion",
    "momentum",
    "nadam",
    "nesterov",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free_adamw",
    "schedule_free_sgd",
    "sgd",
];

/// Whether the optimiser of this name gives the same bits when parts of the parameters have one each.
///
/// ```
/// use wengert_distributed::server::is_elementwise;
/// assert!(is_elementwise("adam") && !is_elementwise("muon"));
/// ```
pub fn is_elementwise(optimizer: &str) -> bool {
    ELEMENTWISE.contains(&optimizer)
}

#[cfg(test)]
mod tests {
    use wengert_optim::first::methods;
    use wengert_optim::{Layout, Optimizer};

    use super::*;

    /// 12 steps with gradients that differ by element and step.
    fn trained(optimizers: &mut [Box<dyn Optimizer<f32>>], lens: &[usize]) -> Vec<f32> {
        let mut theta: Vec<f32> = (0..lens.iter().sum()).map(|i| (i as f32).sin()).collect();
        for step in 0..12 {
            let slope = |i: usize| ((i * 7 + step * 3) as f32).cos() * 0.3;
            let grads: Vec<f32> = (0..theta.len()).map(slope).collect();
            let mut start = 0;
            for (optimizer, &len) in optimizers.iter_mut().zip(lens) {
                optimizer.step(&mut theta[start..start + len], &grads[start..start + len]);
                start += len;
            }
        }
        theta
    }

    #[test]
    fn the_names_are_those_that_can_be_divided() {
        let build = |method: &wengert_optim::first::NamedMethod, layout: &Layout| {
            method.build(method.learning_rate, layout).unwrap()
        };
        for method in methods::<f32>() {
            let whole = Layout::new([("w", vec![6, 15])]);
            let whole = trained(&mut [build(&method, &whole)], &[90]);
            let lens = [37, 53];
            let mut parts = lens.map(|len| build(&method, &Layout::flat(len)));
            let same = trained(&mut parts, &lens) == whole;
            // A step of SAM takes two gradients, and Lookahead has weights apart from those that are trained.
            let wraps = ["sam", "lookahead"].contains(&method.name);
            assert_eq!(same && !wraps, is_elementwise(method.name), "{}", method.name);
        }
    }
}
