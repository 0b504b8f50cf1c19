//! First-order methods, a file each.
//!
//! A method is a *rule*: a struct of hyper-parameters that implements [`Rule`], the formula. [`FirstOrder`] makes an
//! optimiser of it: it owns the state vectors, counts the steps, saves and restores. `Adam` is
//! `FirstOrder<AdamConfig>`. Adding a method is a file here and a line in this list.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod adan;
mod amsgrad;
mod factored;
mod first_order;
mod gradient_descent;
mod inverse_root;
mod lamb;
mod lars;
mod lion;
mod list;
mod lookahead;
mod matrix;
mod moment;
mod momentum;
mod muon;
mod nadam;
mod nesterov;
mod radam;
mod rmsprop;
mod rprop;
mod rule;
mod sam;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_sgd;
mod sgd;
mod shampoo;
mod unfactored;

pub use adadelta::{Adadelta, AdadeltaConfig};
pub use adafactor::{Adafactor, AdafactorConfig};
pub use adagrad::{Adagrad, AdagradConfig};
pub use adam::{Adam, AdamConfig};
pub use adamax::{AdaMax, AdaMaxConfig};
pub use adamw::{AdamW, AdamWConfig};
pub use adan::{Adan, AdanConfig};
pub use amsgrad::{Amsgrad, AmsgradConfig};
pub use first_order::FirstOrder;
pub use gradient_descent::{GradientDescent, GradientDescentConfig};
pub use lamb::{Lamb, LambConfig};
pub use lars::{Lars, LarsConfig};
pub use lion::{Lion, LionConfig};
pub use list::{ByNameError, NamedMethod, by_name, methods};
pub use lookahead::Lookahead;
pub(crate) use lookahead::Towards;
pub use momentum::{Momentum, MomentumConfig};
pub use muon::{Muon, MuonConfig, MuonScale};
pub use nadam::{Nadam, NadamConfig};
pub use nesterov::{Nesterov, NesterovConfig};
pub use radam::{RAdam, RAdamConfig};
pub use rmsprop::{Rmsprop, RmspropConfig};
pub use rprop::{Rprop, RpropConfig};
pub use rule::{Convention, Elementwise, Memory, Rule, Slots};
pub use sam::Sam;
pub use schedule_free_adamw::{ScheduleFreeAdamW, ScheduleFreeAdamWConfig};
pub use schedule_free_sgd::{ScheduleFreeSgd, ScheduleFreeSgdConfig};
pub use sgd::{Sgd, SgdConfig};
pub use shampoo::{Shampoo, ShampooConfig};
