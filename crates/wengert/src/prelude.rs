//! What most programs need, for `use wengert::prelude::*`: variables and tensors, models and the commonest layers, a few
//! optimisers, and the traits whose methods are called. All else is in the modules.

pub use wengert_curvature::{FisherInformation, FunctionConstraints, FunctionObjective, Objectives};
pub use wengert_data::{Batch, DataError, Dataset, FashionMnist, ImageSet, Mnist, synthetic};
pub use wengert_nn::{
    Activations, Conv2d, CrossEntropy, Ctx, Dropout, Flatten, Init, Lambda, Layer, Linear, Loading, Losses,
    MaxPool2d, Mode, ParamId, Params, Relu, Scope, Sequential, Tanh,
};
pub use wengert_optim::{
    Adam, AdamW, Batched, Curvatures, Lbfgs, Method, NewtonCg, Objective, Operator, Optimizer, Outcome,
    Problem, Ridge, Sgd, Stepper, TrustRegionNewton, by_name as optimizer_by_name, schedule,
    schedule::Schedule,
};
pub use wengert_tape::{Elementwise, Var, check_grads, grad, hessian, hvp, jvp, value_and_grad, vjp};
pub use wengert_tensor::random::Generator;
pub use wengert_tensor::{Float, Shape, Tensor};
pub use wengert_train::{Segments, Trainer, Training, accuracy};
