//! First-order methods, and what goes with them: groups, schedules, clipping, averaging.
//!
//! A method is a *rule*: a struct of hyper-parameters that implements [`Rule`], the formula. [`FirstOrder`] makes an
//! optimiser of it: it owns the state vectors, counts the steps, saves and restores. `Adam` is
//! `FirstOrder<AdamConfig>`. Adding a method is a file in `rules/`, declared and
//! listed in `rules/mod.rs`.

mod agc;
mod average;
mod clip;
mod early_stopping;
mod first_order;
mod goal;
mod groups;
mod layout;
mod list;
mod lookahead;
mod loops;
mod optimizer;
mod outcome;
mod regularize;
mod rule;
mod rules;
mod sam;
pub mod schedule;
mod share;
mod stepper;

pub use agc::AdaptiveClip;
pub use average::{Average, Averaged};
pub use clip::{clip_by_global_norm, clip_by_value, global_norm};
pub use early_stopping::EarlyStopping;
pub use first_order::FirstOrder;
pub use goal::Goal;
pub use groups::{Groups, GroupsBuilder, GroupsError};
pub use layout::{Layout, Segment};
pub use list::{ByNameError, NamedMethod, by_name, methods};
pub use lookahead::{Lookahead, running_mean};
pub use optimizer::{Evaluate, Optimizer};
pub use outcome::{NonFinite, Step, StepError};
pub use regularize::{ElasticNet, MaxNorm};
pub use rule::{Convention, Memory, NeedsNoLayout, Rule, Slots};
pub use rules::*;
pub use sam::Sam;
pub use share::{Share, is_elementwise};
pub use stepper::Stepper;
pub use wengert_state::{Scalar, State, StateError, Values};
