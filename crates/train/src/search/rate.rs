//! A learning rate, by the range test.

use wengert_nn::{Ctx, Params};
use wengert_optim::Optimizer;
use wengert_optim::schedule::RangeTest;
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::Float;

use super::Borrowed;
use crate::{TrainError, Training};

/// Trains with growing rates until they are used up or the loss has exploded, and gives the curve with a
/// [suggestion](RangeTest::suggestion). Parameters, buffers, random numbers and the optimiser are afterwards as they were.
///
/// `batches` gives the batches of an epoch by its number, and is asked again when they are used up.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::{Sgd, schedule::RangeTest};
/// use wengert_train::search::range_test;
///
/// let data = synthetic::digits(200, 0);
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// let mut sgd = Sgd::new(0.1);
/// let test = range_test(
///     RangeTest::new(1e-5, 100.0, 100),
///     &mut params,
///     &mut sgd,
///     |epoch| data.batches(20).shuffled(epoch),
///     |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels),
/// )?;
/// let rate = test.suggestion().unwrap();
/// assert!((1e-4..1.0).contains(&rate), "{rate}");
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
///
/// # Errors
/// If an epoch has no batches, or the loss does not depend on some parameters.
///
/// # Panics
/// If the loss does not have exactly one element.
#[track_caller]
pub fn range_test<T: Float, B, I: IntoIterator<Item = B>>(
    mut test: RangeTest,
    params: &mut Params<T>,
    optimizer: &mut dyn Optimizer<T>,
    mut batches: impl FnMut(u64) -> I,
    loss: impl Fn(&Ctx<T>, &B) -> Var<T>,
) -> Result<RangeTest, TrainError> {
    let borrowed = Borrowed::new(params);
    let optimizer = Optimising::new(optimizer);
    for epoch in 0.. {
        let before = test.points().len();
        for batch in batches(epoch) {
            let Some(rate) = test.next_rate() else { return Ok(test) };
            optimizer.optimizer.set_learning_rate(rate);
            let value = borrowed.params.train_step(&mut *optimizer.optimizer, |cx| loss(cx, &batch))?;
            test.observe(value.to_f64());
        }
        if test.next_rate().is_none() {
            break;
        }
        if test.points().len() == before {
            return Err(TrainError::NoBatches { examples: 0 });
        }
    }
    Ok(test)
}

/// An optimiser that is given back as it was, also by a panic.
struct Optimising<'a, T: Float> {
    optimizer: &'a mut dyn Optimizer<T>,
    before: State,
}

impl<'a, T: Float> Optimising<'a, T> {
    fn new(optimizer: &'a mut dyn Optimizer<T>) -> Self {
        let before = optimizer.state();
        Optimising { optimizer, before }
    }
}

impl<T: Float> Drop for Optimising<'_, T> {
    fn drop(&mut self) {
        self.optimizer.load_state(&self.before).expect("an optimiser takes its own state");
    }
}
