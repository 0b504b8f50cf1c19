//! Random inputs from a fixed seed.

use wengert::prelude::*;

/// Inputs of a workload, drawn one after the other.
pub struct Data(Generator);

impl Data {
    /// Others for each seed.
    pub fn seeded(seed: u64) -> Self {
        Data(Generator::seeded(seed))
    }

    /// Standard normal numbers.
    pub fn normal(&mut self, shape: impl Into<Shape>) -> Tensor {
        Tensor::written(shape, |out| self.0.fill_normal(out, 0.0, 1.0))
    }

    /// Standard normal numbers as an untracked variable.
    pub fn normal_var(&mut self, shape: impl Into<Shape>) -> Var {
        Var::constant(self.normal(shape))
    }

    /// Classes below `classes`.
    pub fn labels(&mut self, count: usize, classes: u64) -> Tensor<u32> {
        // `classes` is small.
        Tensor::from_fn([count], |_| self.0.below(classes) as u32)
    }
}
