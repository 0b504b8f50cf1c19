//! Losses and models that are recorded once and run again.

mod loss;
mod model;

pub use loss::CompiledLoss;
pub use model::CompiledModel;

use smallvec::SmallVec;
use wengert_tape::{Feed, Index, Inputs, Mismatch, Program, Tape, Var};
use wengert_tensor::{Float, Tensor};

/// Recordings that are kept, one for each set of shapes.
const MOST_PROGRAMS: usize = 8;

/// A program of the flat parameter vector, of what random numbers come from, and of what else is given.
struct Recording<T: Float> {
    program: Program<T>,
    /// A key for programs that need none.
    key: Tensor<u32>,
}

/// What a recording begins with.
struct Entered<T: Float, I> {
    tape: Tape<T>,
    flat: Var<T>,
    key: Index<T>,
    inputs: I,
}

impl<T: Float, I: Inputs<T>> Entered<T, I> {
    fn new(flat: &Tensor<T>, key: &Index<T>, inputs: &I) -> Self {
        let tape = Tape::complete();
        let (flat, key) = (tape.var(flat.clone()), tape.discrete(key.value().clone()));
        let inputs = inputs.entered(&tape);
        Entered { tape, flat, key, inputs }
    }

    #[track_caller]
    fn recording(self, outputs: &[Var<T>]) -> Recording<T> {
        let program = self.tape.compile_entered(outputs);
        Recording { program, key: self.key.value().clone() }
    }
}

impl<T: Float> Recording<T> {
    /// The results; the key is asked for if it matters.
    #[track_caller]
    fn run(
        &mut self,
        flat: &Tensor<T>,
        key: impl FnOnce() -> Index<T>,
        inputs: &impl Inputs<T>,
    ) -> Result<&[Tensor<T>], Mismatch> {
        if self.program.needs(1) {
            self.key = key().value().clone();
        }
        let mut feeds: SmallVec<[Feed<'_, T>; 8]> = SmallVec::new();
        feeds.extend([Feed::Float(flat), Feed::Index(&self.key)]);
        inputs.feed(&mut |feed| feeds.push(feed));
        self.program.run(&feeds)
    }
}
