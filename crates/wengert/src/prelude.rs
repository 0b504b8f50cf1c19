//! What most programs need: `use wengert::prelude::*;`

pub use crate::ParamsExt;
pub use wengert_data::{Batch, DataError, Dataset, FashionMnist, ImageSet, Mnist, Source};
pub use wengert_nn::*;
pub use wengert_optim::{
    AdaMax, Adadelta, Adagrad, Adam, AdamW, Groups, Lion, Momentum, Muon, Nadam, Nesterov, Optimizer,
    Rmsprop, Sgd, Stepper, by_name as optimizer_by_name, clip_by_global_norm, schedule,
};
pub use wengert_tape::{
    Bilinear, Cotangents, Elementwise, Linear as LinearOperation, Op, Point, Pool2dOptions, Reads, Real,
    Saves, Tape, Var, apply, check_grads, checkpoint, grad, hessian, hvp, jacobian_forward, jacobian_reverse,
    jvp, linearize, value_and_grad, vjp,
};
pub use wengert_tensor::conv::Conv2dOptions;
pub use wengert_tensor::parallel::{set_threads, threads, with_threads};
pub use wengert_tensor::random::Generator;
pub use wengert_tensor::{Float, Shape, Slice, Tensor};
