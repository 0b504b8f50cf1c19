//! What most programs need, for `use wengert::prelude::*`.

pub use crate::accuracy::accuracy;
pub use crate::segments::Segments;
pub use crate::training::Training;
pub use wengert_curvature::{
    Examples, FisherInformation, FunctionConstraints, FunctionObjective, Objectives,
};
pub use wengert_data::{Batch, DataError, Dataset, FashionMnist, ImageSet, Mnist, Source, synthetic};
pub use wengert_nn::layer::*;
pub use wengert_nn::{
    Bce, BceWithLogits, BufferId, CrossEntropy, Ctx, Grads, Huber, Init, L1, Losses, Mode, Mse, ParamId,
    Params, Reduction, Scope, SmoothL1,
};
pub use wengert_optim::{
    AdaMax, Adadelta, Adafactor, Adagrad, Adam, AdamConfig, AdamW, AdamWConfig, Adan, Amsgrad, Batched, Bfgs,
    DampedNewton, Dfp, Groups, HessianFree, Kfac, Lamb, Lars, Lbfgs, LevenbergMarquardt, Lion, Method,
    Minimizer, Momentum, Muon, Nadam, Nesterov, Newton, NewtonCg, NonlinearCg, Objective, Operator,
    Optimizer, Outcome, Problem, RAdam, Ridge, Rmsprop, Rprop, SaddleFreeNewton, ScheduleFreeAdamW,
    ScheduleFreeSgd, Sgd, SgdConfig, Shampoo, Sr1, Stepper, TrustRegionExact, TrustRegionNewton,
    by_name as optimizer_by_name, clip_by_global_norm, clip_by_value, global_norm, schedule,
    schedule::Cosine, schedule::Schedule,
};
pub use wengert_tape::{
    BilinearMap, Cotangents, Elementwise, LinearMap, Op, Point, Pool2dOptions, Reads, Real, Saves, Tape, Var,
    apply, check_grads, checkpoint, grad, hessian, hvp, jacobian_forward, jacobian_reverse, jvp, linearize,
    value_and_grad, vjp,
};
pub use wengert_tensor::conv::Conv2dOptions;
pub use wengert_tensor::parallel::{set_threads, threads, with_threads};
pub use wengert_tensor::random::Generator;
pub use wengert_tensor::{Float, Shape, Slice, Tensor};
