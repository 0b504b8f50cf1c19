//! The optimisers and their settings.

use wengert::optim::HyperParameterError;
use wengert::optim::first::*;

/// What differs between the functions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Learning rates of SGD, momentum and Nesterov.
    rates: [f64; 3],
    /// What these rates are multiplied by.
    descent: f64,
    adadelta_epsilon: f64,
    adam: AdamConfig,
    adamax: f64,
}

/// Adam's default.
const ADAM: AdamConfig =
    AdamConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, epsilon_root: 0.0, weight_decay: 0.0 };

impl Settings {
    /// For functions of two variables.
    pub(crate) const PLANE: Settings = Settings {
        rates: [0.002, 0.001, 0.0005],
        descent: 1.0,
        adadelta_epsilon: 1e-6,
        adam: AdamConfig { beta2: 0.97, epsilon: 1e-6, ..ADAM },
        adamax: 0.5,
    };

    /// For the function of three variables.
    pub(crate) const SPACE: Settings =
        Settings { rates: [0.1, 0.01, 0.01], descent: 1.0, adadelta_epsilon: 1e-5, adam: ADAM, adamax: 0.1 };

    /// The same with the learning rates of SGD, momentum and Nesterov multiplied by a factor.
    pub(crate) fn slower(self, factor: f64) -> Self {
        Settings { descent: factor * self.descent, ..self }
    }
}

type Named = (&'static str, Box<dyn Optimizer<f64>>);

/// The optimisers in the order of the legend. Adam has its default learning rate, 0.001; Adadelta 1.
pub(crate) fn optimizers(settings: Settings) -> Result<Vec<Named>, HyperParameterError> {
    let [sgd, momentum, nesterov] = settings.rates.map(|rate| rate * settings.descent);
    let adagrad = AdagradConfig { epsilon: 1e-6, ..Default::default() };
    let adadelta = AdadeltaConfig { rho: 0.9, epsilon: settings.adadelta_epsilon, ..Default::default() };
    let rmsprop = RmspropConfig { decay: 0.9, epsilon: 1e-8, ..Default::default() };
    let nadam = NadamConfig { epsilon: 1e-6, ..Default::default() };
    Ok(vec![
        ("SGD", Box::new(Sgd::with_config(sgd, SgdConfig::default())?)),
        ("momentum", Box::new(Momentum::with_config(momentum, MomentumConfig::default())?)),
        ("Nesterov", Box::new(Nesterov::with_config(nesterov, NesterovConfig::default())?)),
        ("Adagrad", Box::new(Adagrad::with_config(0.5, adagrad)?)),
        ("Adadelta", Box::new(Adadelta::with_config(1.0, adadelta)?)),
        ("RMSprop", Box::new(Rmsprop::with_config(0.01, rmsprop)?)),
        ("Adam", Box::new(Adam::with_config(0.001, settings.adam)?)),
        ("AdaMax", Box::new(AdaMax::with_config(settings.adamax, AdaMaxConfig::default())?)),
        ("Nadam", Box::new(Nadam::with_config(0.3, nadam)?)),
    ])
}
