//! Hyper-parameters that make no sense.

/// A hyper-parameter outside its range: negative, not finite, or a decay rate of 1 or more.
///
/// ```
/// use wengert_optim::Adam;
/// use wengert_optim::first::AdamConfig;
/// let error = Adam::<f32>::with_config(1e-3, AdamConfig { beta1: 1.5, ..Default::default() }).unwrap_err();
/// assert_eq!(error.to_string(), "adam: beta1 is 1.5, but must be at least 0 and below 1");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("{method}: {parameter} is {value}, but must be {expected}")]
pub struct HyperParameterError {
    /// The method that was asked for, e.g. `"adam"`.
    pub method: &'static str,
    /// The hyper-parameter at fault, e.g. `"beta1"`.
    pub parameter: &'static str,
    /// What was given.
    pub value: f64,
    /// What would have been accepted.
    pub expected: &'static str,
}

impl HyperParameterError {
    /// What was checked, or a panic that says what is wrong: for constructors.
    #[track_caller]
    pub(crate) fn or_panic<V>(checked: Result<V, Self>) -> V {
        match checked {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Checks the hyper-parameters of one method; each check returns the error of the first value at fault.
///
/// ```
/// use wengert_optim::Check;
/// // What `with_config` of a method of one's own does with what it is given.
/// let error = Check::new("my_method").fraction("momentum", 0.9).and_then(|c| c.positive("scale", -1.0)).unwrap_err();
/// assert!(error.to_string().contains("scale"), "{error}");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Check {
    method: &'static str,
}

impl Check {
    /// Checks for the method of this name.
    pub fn new(method: &'static str) -> Self {
        Check { method }
    }

    /// Finite and at least 0.
    pub fn non_negative(self, parameter: &'static str, value: f64) -> Result<Self, HyperParameterError> {
        self.condition(value.is_finite() && value >= 0.0, parameter, value, "finite and at least 0")
    }

    /// Finite and above 0.
    pub fn positive(self, parameter: &'static str, value: f64) -> Result<Self, HyperParameterError> {
        self.condition(value.is_finite() && value > 0.0, parameter, value, "finite and above 0")
    }

    /// In [0, 1): a decay rate or a momentum.
    pub fn fraction(self, parameter: &'static str, value: f64) -> Result<Self, HyperParameterError> {
        self.condition((0.0..1.0).contains(&value), parameter, value, "at least 0 and below 1")
    }

    /// `beta1` and `beta2`, the decay rates of the two averages of Adam's family.
    pub fn betas(self, beta1: f64, beta2: f64) -> Result<Self, HyperParameterError> {
        self.fraction("beta1", beta1)?.fraction("beta2", beta2)
    }

    /// `weight_decay`, coupled or decoupled: finite and at least 0.
    pub fn weight_decay(self, weight_decay: f64) -> Result<Self, HyperParameterError> {
        self.non_negative("weight_decay", weight_decay)
    }

    /// In (0, 1).
    pub fn open_fraction(self, parameter: &'static str, value: f64) -> Result<Self, HyperParameterError> {
        self.condition(value > 0.0 && value < 1.0, parameter, value, "above 0 and below 1")
    }

    /// In [0, 1].
    pub fn unit(self, parameter: &'static str, value: f64) -> Result<Self, HyperParameterError> {
        self.condition((0.0..=1.0).contains(&value), parameter, value, "between 0 and 1")
    }

    /// Finite and at least `1`.
    pub fn at_least_one(self, parameter: &'static str, value: f64) -> Result<Self, HyperParameterError> {
        self.condition(value.is_finite() && value >= 1.0, parameter, value, "finite and at least 1")
    }

    /// Finite, of either sign.
    pub fn finite(self, parameter: &'static str, value: f64) -> Result<Self, HyperParameterError> {
        self.condition(value.is_finite(), parameter, value, "finite")
    }

    /// `holds`, a condition between several hyper-parameters, described by `expected`.
    ///
    /// ```
    /// use wengert_optim::Check;
    /// let (first, last) = (10.0, 5.0);
    /// let error = Check::new("ramp").condition(first <= last, "first", first, "at most `last`").unwrap_err();
    /// assert!(error.to_string().contains("at most `last`"), "{error}");
    /// ```
    pub fn condition(
        self,
        holds: bool,
        parameter: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<Self, HyperParameterError> {
        if holds {
            Ok(self)
        } else {
            Err(HyperParameterError { method: self.method, parameter, value, expected })
        }
    }
}
