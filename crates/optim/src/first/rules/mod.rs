//! The methods that are rules, a file each, and the formulas that several share.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod adan;
mod amsgrad;
mod factored;
mod gradient_descent;
mod inverse_root;
mod lamb;
mod lars;
mod lion;
mod matrix;
mod moment;
mod momentum;
mod muon;
mod nadam;
mod nesterov;
mod radam;
mod rmsprop;
mod rprop;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_sgd;
mod sgd;
mod shampoo;
mod unfactored;

use wengert_tensor::Float;

use super::list::NamedMethod;

/// A line for each method: its file, the optimiser, and its hyper-parameters with what else they need. It exports the names,
/// and puts the method on the list. (Modules that a macro declares are not found by the formatter.)
macro_rules! rules {
    ($($file:ident: $optimizer:ident, $config:ident $(, $more:ident)*;)*) => {
        $(pub use $file::{$optimizer, $config $(, $more)*};)*

        /// The optimisers alone, without their hyper-parameters.
        pub mod optimizers {
            $(pub use super::$file::$optimizer;)*
        }

        /// All of them with their default hyper-parameters.
        pub(super) fn named<T: Float>() -> Vec<NamedMethod<T>> {
            vec![$(NamedMethod::of::<$config>()),*]
        }
    };
}

rules! {
    adadelta: Adadelta, AdadeltaConfig;
    adafactor: Adafactor, AdafactorConfig;
    adagrad: Adagrad, AdagradConfig;
    adam: Adam, AdamConfig;
    adamax: AdaMax, AdaMaxConfig;
    adamw: AdamW, AdamWConfig;
    adan: Adan, AdanConfig;
    amsgrad: Amsgrad, AmsgradConfig;
    gradient_descent: GradientDescent, GradientDescentConfig;
    lamb: Lamb, LambConfig;
    lars: Lars, LarsConfig;
    lion: Lion, LionConfig;
    momentum: Momentum, MomentumConfig;
    muon: Muon, MuonConfig, MuonScale;
    nadam: Nadam, NadamConfig;
    nesterov: Nesterov, NesterovConfig;
    radam: RAdam, RAdamConfig;
    rmsprop: Rmsprop, RmspropConfig;
    rprop: Rprop, RpropConfig;
    schedule_free_adamw: ScheduleFreeAdamW, ScheduleFreeAdamWConfig;
    schedule_free_sgd: ScheduleFreeSgd, ScheduleFreeSgdConfig;
    sgd: Sgd, SgdConfig;
    shampoo: Shampoo, ShampooConfig;
}
