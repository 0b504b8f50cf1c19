//! What workers that train one model together tell each other of it.

use std::sync::Arc;

use wengert_tensor::{Float, Tensor};

use super::{Grads, Params, Updates};

impl<T: Float> Params<T> {
    /// The values of all buffers, one after the other in the order of [`buffers`](Params::buffers).
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// BatchNorm1d::new(params.at("norm"), 2);
    /// assert_eq!(params.buffer_values(), [0.0, 0.0, 1.0, 1.0]);
    /// ```
    pub fn buffer_values(&self) -> Vec<T> {
        self.buffers.tensors.iter().flat_map(|tensor| tensor.to_vec()).collect()
    }

    /// Gives all buffers and counts values, as [`buffer_values`](Params::buffer_values) and [`counts`](Params::counts) have
    /// them: those of another copy of the model.
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// BatchNorm1d::new(params.at("norm"), 1);
    /// params.set_buffer_values(&[0.5, 2.0], &[7]);
    /// assert_eq!((params.buffer_values(), params.counts()[0].1), (vec![0.5, 2.0], 7));
    /// ```
    ///
    /// # Panics
    /// If there are not as many values as elements of buffers, or not as many counts.
    #[track_caller]
    pub fn set_buffer_values(&mut self, values: &[T], counts: &[i64]) {
        let expected = (self.buffer_len(), self.buffers.counts.len());
        assert!(
            (values.len(), counts.len()) == expected,
            "set_buffer_values: {} values and {} counts for {} and {}",
            values.len(),
            counts.len(),
            expected.0,
            expected.1
        );
        let mut at = 0;
        let tensors = self.buffers.tensors.iter().map(|old| {
            let range = at..at + old.len();
            at = range.end;
            Tensor::vector(&values[range]).reshape(old.shape())
        });
        self.set_buffers(tensors.collect(), counts.to_vec());
    }

    fn buffer_len(&self) -> usize {
        self.buffers.tensors.iter().map(Tensor::len).sum()
    }

    /// How far an evaluation has moved the buffers, laid out as [`buffer_values`](Params::buffer_values), and what it made of the
    /// counts: the other part of its gradient.
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Layer, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let norm = BatchNorm1d::new(params.at("norm"), 1);
    /// let loss = |params: &Params<f64>| params.value_and_grad(|cx| norm.forward(cx, &Var::from([[1.0], [3.0]])).square().sum());
    /// let (_, grads) = loss(&params)?;
    /// let (moved, counts) = params.buffer_changes(&grads);
    /// // The mean by a tenth of 2, the variance by a tenth of 2 − 1.
    /// assert!((moved[0] - 0.2).abs() < 1e-12 && (moved[1] - 0.1).abs() < 1e-12 && counts == [1]);
    /// // The same, put together.
    /// let same = params.gradient_with_buffers(&grads, &moved, &counts);
    /// params.update_buffers(&same);
    /// assert!((params.buffer_values()[0] - 0.2).abs() < 1e-12);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    pub fn buffer_changes(&self, grads: &Grads<T>) -> (Vec<T>, Vec<i64>) {
        let mut changes = Vec::with_capacity(self.buffer_len());
        for (index, stored) in self.buffers.tensors.iter().enumerate() {
            match grads.updates.tensor(index) {
                Some(set) => {
                    changes.extend(set.to_vec().iter().zip(stored.to_vec()).map(|(&new, old)| new - old))
                }
                None => changes.extend(std::iter::repeat_n(T::ZERO, stored.len())),
            }
        }
        let stored = self.buffers.counts.iter().enumerate();
        (changes, stored.map(|(index, &count)| grads.updates.count(index).unwrap_or(count)).collect())
    }

    /// A gradient with [changes of the buffers](Params::buffer_changes), from those of several evaluations. Buffers that none has
    /// moved stay as they are.
    ///
    /// # Panics
    /// If a length is not that of the parameters, of the buffers or of the counts.
    #[track_caller]
    pub fn gradient_with_buffers(&self, flat: &[T], changes: &[T], counts: &[i64]) -> Grads<T> {
        let expected = (self.len(), self.buffer_len(), self.buffers.counts.len());
        let found = (flat.len(), changes.len(), counts.len());
        assert!(
            found == expected,
            "gradient_with_buffers: {found:?} elements of the gradient, of changes and of counts for {expected:?}"
        );
        let mut updates = Updates::default();
        let mut at = 0;
        for (index, stored) in self.buffers.tensors.iter().enumerate() {
            let changes = &changes[at..at + stored.len()];
            at += stored.len();
            if changes.iter().any(|&change| change != T::ZERO) {
                let moved = Tensor::vector(changes).reshape(stored.shape());
                updates.set_tensor(index, stored + &moved);
            }
        }
        for (index, (&count, &stored)) in counts.iter().zip(&self.buffers.counts).enumerate() {
            if count != stored {
                updates.set_count(index, count);
            }
        }
        if !updates.is_empty() {
            self.taken_over.proposed();
        }
        Grads { layout: Arc::clone(&self.layout), flat: Tensor::vector(flat), updates }
    }
}
