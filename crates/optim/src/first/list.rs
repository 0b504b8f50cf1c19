//! All first-order methods by name.

use wengert_tensor::Float;
use wengert_tensor::compiled_here;
use wengert_tensor::names::nearest;
use wengert_tensor::text::shortened;

use super::layout::Layout;
use super::optimizer::Optimizer;
use super::rules::{self, Adam, AdamConfig, Sgd, SgdConfig};
use super::{FirstOrder, Lookahead, Rule, Sam};
use crate::error::HyperParameterError;

/// What building a method gives.
type Built<T> = Result<Box<dyn Optimizer<T>>, HyperParameterError>;

/// A first-order method as an item of [`methods`].
///
/// ```
/// use wengert_optim::first::{NamedMethod, methods};
/// use wengert_optim::{Layout, Optimizer};
/// let layout = Layout::new([("w", vec![1])]);
/// let all: Vec<NamedMethod<f64>> = methods();
/// let lion = all.iter().find(|method| method.name == "lion").unwrap();
/// let mut theta = [1.0];
/// lion.build(0.1, &layout)?.step(&mut theta, &[7.0]);
/// assert!((theta[0] - 0.9).abs() < 1e-12);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct NamedMethod<T: Float = f32> {
    /// Its name, as [`by_name`] takes it.
    pub name: &'static str,
    /// A learning rate to begin with.
    pub learning_rate: f64,
    build: fn(f64, &Layout) -> Built<T>,
}

impl<T: Float> NamedMethod<T> {
    /// That of a rule.
    pub(super) fn of<R: Rule + Default + 'static>() -> Self {
        NamedMethod {
            name: R::NAME,
            learning_rate: R::LEARNING_RATE,
            build: |rate, layout| Ok(Box::new(FirstOrder::<R, T>::with_layout(rate, R::default(), layout)?)),
        }
    }

    /// The method with default hyper-parameters, for parameters of this layout.
    ///
    /// # Errors
    /// If the learning rate is negative or not finite.
    pub fn build(
        &self,
        learning_rate: f64,
        layout: &Layout,
    ) -> Result<Box<dyn Optimizer<T>>, HyperParameterError> {
        (self.build)(learning_rate, layout)
    }
}

compiled_here! {
    /// Every first-order method, in the order of their names.
    ///
    /// ```
    /// use wengert_optim::first::methods;
    /// let names: Vec<&str> = methods::<f32>().iter().map(|method| method.name).collect();
    /// assert!(names.is_sorted() && names.contains(&"adam") && names.contains(&"shampoo"));
    /// ```
    pub fn methods<T: Float>() -> Vec<NamedMethod<T>> {
        let mut methods = rules::named();
        methods.push(NamedMethod { name: "lookahead", learning_rate: 1e-3, build: lookahead });
        methods.push(NamedMethod { name: "sam", learning_rate: 1e-2, build: sam });
        methods.sort_by_key(|method| method.name);
        methods
    }
}

fn lookahead<T: Float>(rate: f64, layout: &Layout) -> Built<T> {
    let inner = Adam::<T>::with_layout(rate, AdamConfig::default(), layout)?;
    Ok(Box::new(Lookahead::new(inner, 6, 0.5)))
}

fn sam<T: Float>(rate: f64, layout: &Layout) -> Built<T> {
    let config = SgdConfig { momentum: 0.9, ..Default::default() };
    Ok(Box::new(Sam::new(Sgd::<T>::with_layout(rate, config, layout)?, 0.05)))
}

/// The method of this name with default hyper-parameters, for command lines and tables: `"lookahead"` is over Adam,
/// `"sam"` over SGD with momentum. Without a rate, the method's own.
///
/// ```
/// use wengert_optim::Layout;
/// use wengert_optim::first::by_name;
/// let layout = Layout::new([("weight", vec![10, 784]), ("bias", vec![10])]);
/// let optimizer = by_name::<f32>("muon", None, &layout)?;
/// assert_eq!((optimizer.name(), optimizer.learning_rate()), ("muon", 0.02));
/// assert!(by_name::<f32>("adm", None, &layout).err().unwrap().to_string().contains("did you mean adam"));
/// # Ok::<(), wengert_optim::first::ByNameError>(())
/// ```
///
/// # Errors
/// If there is no such method, or the learning rate is negative or not finite.
pub fn by_name<T: Float>(
    name: &str,
    learning_rate: Option<f64>,
    layout: &Layout,
) -> Result<Box<dyn Optimizer<T>>, ByNameError> {
    let methods = methods::<T>();
    let Some(method) = methods.iter().find(|m| m.name == name) else {
        let close = nearest(name, methods.iter().map(|m| m.name), 1).first().copied().unwrap_or_default();
        let known = methods.iter().map(|m| m.name).collect::<Vec<_>>().join(", ");
        return Err(ByNameError::Unknown { name: shortened(name), close, known });
    };
    Ok(method.build(learning_rate.unwrap_or(method.learning_rate), layout)?)
}

/// Why [`by_name`] gave nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ByNameError {
    /// There is no method of this name.
    #[error("no optimiser {name:?}; did you mean {close}? There are: {known}")]
    Unknown {
        /// What was asked for, shortened if it is long.
        name: String,
        /// The name most like it.
        close: &'static str,
        /// All names.
        known: String,
    },
    /// The learning rate makes no sense.
    #[error(transparent)]
    HyperParameter(#[from] HyperParameterError),
}
