//! What a recording is for: derivatives, by sweeps in either direction.

use wengert_tensor::Float;

use super::Tape;
use crate::sweep::{self, Sweep, SweepObserver};
use crate::var::Var;

impl<T: Float> Tape<T> {
    /// The derivatives of a scalar with respect to some variables, zeros for those that it does not depend on.
    /// The tape's nodes are used up: what the sweep has passed is freed, and the tape can record no more.
    ///
    /// # Panics
    /// If `output` does not have exactly one element, a variable is not on this tape, or the tape has been used up.
    #[doc(alias = "backward")]
    #[track_caller]
    pub fn gradients(self, output: &Var<T>, wrt: &[&Var<T>]) -> Vec<Var<T>> {
        let seed = sweep::scalar_seed("gradients", output);
        let found = self.swept_back("gradients", output, seed, wrt, Sweep::Consume, None);
        self.close();
        sweep::or_zeros(found, wrt)
    }

    /// Like [`gradients`](Tape::gradients), but the computation of the derivatives is recorded on this same tape,
    /// so that it can be differentiated again.
    ///
    /// # Panics
    /// Where `gradients` does.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::new();
    /// let x = tape.var([2.0f64, 1.0]);
    /// // The gradient's own length as a penalty.
    /// let slope = tape.recorded_gradients(&x.powi(3).sum(), &[&x]).remove(0);
    /// let gradient = tape.gradients(&slope.square().sum(), &[&x]).remove(0);
    /// assert_eq!(gradient.value().to_vec(), [288.0, 36.0]);
    /// ```
    #[track_caller]
    pub fn recorded_gradients(&self, output: &Var<T>, wrt: &[&Var<T>]) -> Vec<Var<T>> {
        let seed = sweep::scalar_seed("recorded_gradients", output);
        sweep::or_zeros(self.swept_back("recorded_gradients", output, seed, wrt, Sweep::Record, None), wrt)
    }

    /// The vector–Jacobian product `cotangentᵀ · d output / d wrt`; `None` where the output does not depend on
    /// the variable.
    ///
    /// # Panics
    /// If the cotangent's shape is not the output's, a variable is not on this tape, or the tape has been used up.
    #[track_caller]
    pub fn pull_back(
        &self,
        output: &Var<T>,
        cotangent: Var<T>,
        wrt: &[&Var<T>],
        mode: Sweep,
    ) -> Vec<Option<Var<T>>> {
        self.swept_back("pull_back", output, cotangent, wrt, mode, None)
    }

    /// As [`pull_back`](Tape::pull_back), and tells the observer of each derivative as soon as it is final. What is told of early is
    /// what is returned, to the bit.
    ///
    /// # Panics
    /// Where `pull_back` does.
    #[track_caller]
    pub fn pull_back_observed(
        &self,
        output: &Var<T>,
        cotangent: Var<T>,
        wrt: &[&Var<T>],
        mode: Sweep,
        observer: &mut dyn SweepObserver<T>,
    ) -> Vec<Option<Var<T>>> {
        self.swept_back("pull_back_observed", output, cotangent, wrt, mode, Some(observer))
    }

    /// The Jacobian–vector products `d outputs / d wrt · tangents` by one forward sweep over the recording, which
    /// stays as it is; `None` for an output that does not depend on the variables.
    ///
    /// # Panics
    /// If there are not as many tangents as variables, a tangent's shape is not its variable's, a variable is not on this
    /// tape, or the tape has been used up.
    ///
    /// ```
    /// use wengert_tape::{Tape, Var};
    /// let tape = Tape::new();
    /// let x = tape.var([2.0f64, 3.0]);
    /// let (squares, sum) = (x.square(), x.sum());
    /// let found = tape.push_forward(&[&squares, &sum], &[&x], &[Var::from([1.0, 10.0])]);
    /// assert_eq!(found[0].as_ref().unwrap().value().to_vec(), [4.0, 60.0]);
    /// assert_eq!(found[1].as_ref().unwrap().item(), 11.0);
    /// ```
    #[track_caller]
    pub fn push_forward(
        &self,
        outputs: &[&Var<T>],
        wrt: &[&Var<T>],
        tangents: &[Var<T>],
    ) -> Vec<Option<Var<T>>> {
        self.swept_forward("push_forward", outputs, wrt, tangents)
    }

    /// Like [`push_forward`](Tape::push_forward), but the tape's nodes are used up: what the sweep has passed is freed, and
    /// the tape can do nothing more. The outputs are given up first, as their values may hold on to much of what
    /// they are computed from.
    ///
    /// # Panics
    /// Where `push_forward` does.
    ///
    /// ```
    /// use wengert_tape::{Tape, Var};
    /// let tape = Tape::new();
    /// let x = tape.var([2.0f64]);
    /// let y = x.square();
    /// let found = tape.push_forward_once(vec![y], &[&x], &[Var::from([1.0])]);
    /// assert_eq!(found[0].as_ref().unwrap().item(), 4.0);
    /// ```
    #[track_caller]
    pub fn push_forward_once(
        &self,
        outputs: Vec<Var<T>>,
        wrt: &[&Var<T>],
        tangents: &[Var<T>],
    ) -> Vec<Option<Var<T>>> {
        self.swept_forward_once("push_forward_once", outputs, wrt, tangents)
    }

    /// [`pull_back`](Tape::pull_back) for the function `operation`, which its panics name.
    #[track_caller]
    pub(crate) fn swept_back(
        &self,
        operation: &str,
        output: &Var<T>,
        cotangent: Var<T>,
        wrt: &[&Var<T>],
        mode: Sweep,
        observer: Option<&mut dyn SweepObserver<T>>,
    ) -> Vec<Option<Var<T>>> {
        assert!(
            output.shape() == cotangent.shape(),
            "{operation}: the cotangent has shape {}, the output {}",
            cotangent.shape(),
            output.shape()
        );
        self.arena.assert_differentiable(operation);
        self.arena.assert_open(operation);
        let mut nodes = Vec::with_capacity(wrt.len());
        for var in wrt {
            nodes.push(self.node_of(operation, var));
        }
        // The nodes that a consuming sweep has passed are gone, and with them what another would need.
        self.arena.closed.set(mode == Sweep::Consume);
        match self.arena.node_of(output.place.as_ref()) {
            Some(node) => sweep::reverse(&self.arena, node, cotangent, &nodes, mode, observer),
            None => {
                if let Some(observer) = observer {
                    (0..wrt.len()).for_each(|index| observer.ready(index, None));
                }
                wrt.iter().map(|_| None).collect()
            }
        }
    }

    /// [`push_forward`](Tape::push_forward) for the function `operation`, which its panics name.
    #[track_caller]
    pub(crate) fn swept_forward(
        &self,
        operation: &str,
        outputs: &[&Var<T>],
        wrt: &[&Var<T>],
        tangents: &[Var<T>],
    ) -> Vec<Option<Var<T>>> {
        let starts = self.starts(operation, wrt, tangents);
        sweep::forward(&self.arena, &self.nodes_of(outputs), &starts, Sweep::Retain)
    }

    /// [`push_forward_once`](Tape::push_forward_once) for the function `operation`, which its panics name.
    #[track_caller]
    pub(crate) fn swept_forward_once(
        &self,
        operation: &str,
        outputs: Vec<Var<T>>,
        wrt: &[&Var<T>],
        tangents: &[Var<T>],
    ) -> Vec<Option<Var<T>>> {
        let starts = self.starts(operation, wrt, tangents);
        let nodes = self.nodes_of(&outputs.iter().collect::<Vec<_>>());
        drop(outputs);
        self.arena.closed.set(true);
        let found = sweep::forward(&self.arena, &nodes, &starts, Sweep::Consume);
        self.close();
        found
    }

    fn nodes_of(&self, outputs: &[&Var<T>]) -> Vec<Option<u32>> {
        outputs.iter().map(|v| self.arena.node_of(v.place.as_ref())).collect()
    }

    /// The nodes of some variables with their tangents.
    #[track_caller]
    fn starts(&self, operation: &str, wrt: &[&Var<T>], tangents: &[Var<T>]) -> Vec<(u32, Var<T>)> {
        assert!(
            wrt.len() == tangents.len(),
            "{operation}: {} variables but {} tangents",
            wrt.len(),
            tangents.len()
        );
        self.arena.assert_differentiable(operation);
        self.arena.assert_open(operation);
        let mut starts = Vec::with_capacity(wrt.len());
        for (var, tangent) in wrt.iter().zip(tangents) {
            assert!(
                var.shape() == tangent.shape(),
                "{operation}: the tangent has shape {}, the variable {}",
                tangent.shape(),
                var.shape()
            );
            starts.push((self.node_of(operation, var), tangent.clone()));
        }
        starts
    }

    #[track_caller]
    fn node_of(&self, operation: &str, var: &Var<T>) -> u32 {
        match self.arena.node_of(var.place.as_ref()) {
            Some(node) => node,
            None => panic!("{operation}: the variable of shape {} is not on this tape", var.shape()),
        }
    }
}
