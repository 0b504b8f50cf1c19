//! Normalisations as methods of variables.

use wengert_tensor::{Float, Tensor};

use super::{Kind, Norm};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// (x − mean) / √(variance + ε) · gain + bias, where the axes of `gain` and `bias` are the last axes of x, and the mean
    /// and the variance Σ(x − mean)²/n are taken over them (Ba, Kiros and Hinton, "Layer normalization", 2016).
    ///
    /// # Panics
    /// If the shapes of gain and bias differ or are not that of the last axes.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (gain, bias) = (Var::from([1.0f64, 2.0]), Var::from([0.0, 10.0]));
    /// assert_eq!(Var::from([[3.0, 1.0]]).layer_norm(&gain, &bias, 0.0).value().to_vec(), [1.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn layer_norm(&self, gain: &Var<T>, bias: &Var<T>, epsilon: f64) -> Var<T> {
        Norm { kind: Kind::Layer, epsilon }.value(self, gain, bias)
    }

    /// x / √(mean of x² + ε) · gain, where the axes of `gain` are the last axes of x and the mean is taken over them
    /// (Zhang and Sennrich, "Root mean square layer normalization", 2019).
    ///
    /// # Panics
    /// If the shape of the gain is not that of the last axes.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let gain = Var::from([1.0f64, 5.0]);
    /// let y = Var::from([[1.0, -7.0]]).rms_norm(&gain, 0.0);
    /// assert!((y - Var::from([0.2, -7.0])).abs().max().item() < 1e-14);
    /// ```
    #[track_caller]
    pub fn rms_norm(&self, gain: &Var<T>, epsilon: f64) -> Var<T> {
        // What may be added to a −0 and leaves it.
        let nothing = Var::constant(Tensor::full(gain.shape(), T::from_f64(-0.0)));
        Norm { kind: Kind::Rms, epsilon }.value(self, gain, &nothing)
    }

    /// (x − mean) / √(variance + ε) · gain + bias for x of shape `[examples, channels, …]`, where the mean and the variance
    /// are those of `groups` equal parts of the channels of each example; gain and bias have a number for each
    /// channel (Wu and He, "Group normalization", 2018).
    ///
    /// # Panics
    /// If gain and bias do not have the shape `[channels]`, or the channels cannot be parted so.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (gain, bias) = (Var::ones([4]), Var::zeros([4]));
    /// let y = Var::from([[1.0f64, 3.0, 10.0, 30.0]]).group_norm(2, &gain, &bias, 0.0);
    /// assert_eq!(y.value().to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn group_norm(&self, groups: usize, gain: &Var<T>, bias: &Var<T>, epsilon: f64) -> Var<T> {
        Norm { kind: Kind::Group(groups), epsilon }.value(self, gain, bias)
    }

    /// (x − mean) / √(variance + ε) · gain + bias for x of shape `[examples, channels, …]`, where the mean and the variance
    /// are those of each channel of each example (Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016).
    ///
    /// # Panics
    /// If gain and bias do not have the shape `[channels]`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let y = Var::from([[[1.0f64, 3.0], [10.0, 30.0]]]).instance_norm(&Var::ones([2]), &Var::zeros([2]), 0.0);
    /// assert_eq!(y.value().to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn instance_norm(&self, gain: &Var<T>, bias: &Var<T>, epsilon: f64) -> Var<T> {
        Norm { kind: Kind::Instance, epsilon }.value(self, gain, bias)
    }

    /// (x − mean) / √(variance + ε) · gain + bias for x of shape `[examples, channels, …]`, where the mean and the variance
    /// are those of each channel over all examples (Ioffe and Szegedy, "Batch normalization", 2015). The layers
    /// `BatchNorm1d` to `BatchNorm3d` keep running statistics, too.
    ///
    /// # Panics
    /// If gain and bias do not have the shape `[channels]`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let y = Var::from([[1.0f64, 10.0], [3.0, 30.0]]).batch_norm(&Var::ones([2]), &Var::zeros([2]), 0.0);
    /// assert_eq!(y.value().to_vec(), [-1.0, -1.0, 1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn batch_norm(&self, gain: &Var<T>, bias: &Var<T>, epsilon: f64) -> Var<T> {
        Norm { kind: Kind::Batch, epsilon }.value(self, gain, bias)
    }
}
