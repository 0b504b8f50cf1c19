//! Tables by columns, as data frames and files of columns have them.

use wengert_tensor::{Float, Tensor, names, text};

use crate::error::DataError;

/// Columns of a table under their names: slices of numbers, and categories. What Arrow, Polars or a CSV reader has is handed over as
/// such slices, so that no such library is needed here, nor any version of one:
///
/// ```
/// use wengert_data::{Columns, Dataset, Features};
/// // Of Arrow: `array.values()`; of Polars: `column.f64()?.to_vec()`, with `None` for what is missing.
/// let (age, income) = ([31i64, 45, 22], [Some(2.5), None, Some(1.0)]);
/// let city = ["Oslo", "Bern", "Oslo"];
/// let columns = Columns::new()
///     .numbers("age", &age)?
///     .numbers("income", &income)?
///     .categories("city", city)?;
/// let x = columns.features::<f32>(&["age", "income"])?;
/// assert_eq!((x.shape()[..].to_vec(), x.at([2, 1])), (vec![3, 2], 1.0));
/// assert!(x.at([1, 1]).is_nan());
/// let (labels, classes) = columns.labels("city")?;
/// assert_eq!((labels.to_vec(), classes), (vec![1, 0, 1], &["Bern".to_owned(), "Oslo".to_owned()][..]));
/// let data = Dataset::new((Features::new(&x), labels))?.with_classes(classes.len())?;
/// assert_eq!(data.len(), 3);
/// # Ok::<(), wengert_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Columns {
    columns: Vec<(String, Column)>,
}

#[derive(Clone, Debug)]
enum Column {
    Numbers(Vec<f64>),
    Categories { codes: Vec<u32>, names: Vec<String> },
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Column::Numbers(values) => values.len(),
            Column::Categories { codes, .. } => codes.len(),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// What columns of numbers are made of: numbers of the language, truth values (1 for true), and options of them, with NaN for
/// `None`. Sealed.
///
/// ```
/// use wengert_data::ColumnNumber;
/// assert_eq!((true.number(), Some(3u8).number()), (1.0, 3.0));
/// assert!(None::<f32>.number().is_nan());
/// ```
pub trait ColumnNumber: Copy + sealed::Sealed {
    /// As `f64`, to which whole numbers beyond 2⁵³ are rounded.
    fn number(self) -> f64;
}

macro_rules! numbers {
    ($($number:ty),*) => { $(
        impl sealed::Sealed for $number {}
        impl ColumnNumber for $number {
            fn number(self) -> f64 {
                self as f64
            }
        }
    )* };
}
numbers!(f32, f64, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl sealed::Sealed for bool {}

impl ColumnNumber for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

impl<N: ColumnNumber> sealed::Sealed for Option<N> {}

impl<N: ColumnNumber> ColumnNumber for Option<N> {
    fn number(self) -> f64 {
        self.map_or(f64::NAN, N::number)
    }
}

impl Columns {
    /// None yet.
    ///
    /// ```
    /// assert_eq!(wengert_data::Columns::new().rows(), 0);
    /// ```
    pub fn new() -> Self {
        Columns::default()
    }

    /// The number of rows.
    ///
    /// ```
    /// use wengert_data::Columns;
    /// assert_eq!(Columns::new().numbers("x", &[1.0, 2.0])?.rows(), 2);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The names of the columns, in their order.
    ///
    /// ```
    /// use wengert_data::Columns;
    /// let columns = Columns::new().numbers("x", &[1.0])?.categories("kind", ["a"])?;
    /// assert_eq!(columns.names().collect::<Vec<_>>(), ["x", "kind"]);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// And a column of numbers.
    ///
    /// # Errors
    /// [`DataError::Column`] if there is one of this name, or it has not as many rows as the others.
    ///
    /// ```
    /// use wengert_data::Columns;
    /// let columns = Columns::new().numbers("x", &[1.0f32, 2.0])?;
    /// assert!(columns.clone().numbers("x", &[1u8, 2]).is_err() && columns.numbers("y", &[1u8]).is_err());
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn numbers<N: ColumnNumber>(self, name: impl Into<String>, values: &[N]) -> Result<Self, DataError> {
        self.with(name.into(), Column::Numbers(values.iter().map(|value| value.number()).collect()))
    }

    /// And a column of categories by their names, which are numbered in the order of the alphabet.
    ///
    /// # Errors
    /// As [`numbers`](Columns::numbers).
    ///
    /// ```
    /// use wengert_data::Columns;
    /// let columns = Columns::new().categories("size", ["small", "large", "small"])?;
    /// assert_eq!(columns.labels("size")?.0.to_vec(), [1, 0, 1]);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn categories<S: AsRef<str>>(
        self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        let values: Vec<S> = values.into_iter().collect();
        let mut names: Vec<&str> = values.iter().map(S::as_ref).collect();
        names.sort_unstable();
        names.dedup();
        let code = |value: &S| names.binary_search(&value.as_ref()).expect("it is among them") as u32;
        let codes = values.iter().map(code).collect();
        let names = names.into_iter().map(str::to_owned).collect();
        self.with(name.into(), Column::Categories { codes, names })
    }

    /// And a column of categories that have numbers already, as dictionaries of Arrow and categoricals of Polars do.
    ///
    /// # Errors
    /// As [`numbers`](Columns::numbers); [`DataError::LabelOutOfRange`] if a number has no name.
    ///
    /// ```
    /// use wengert_data::Columns;
    /// let columns = Columns::new().codes("size", &[1, 0, 1], ["small", "large"])?;
    /// assert_eq!(columns.labels("size")?.1, ["small", "large"]);
    /// assert!(Columns::new().codes("size", &[2], ["small", "large"]).is_err());
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn codes<S: Into<String>>(
        self,
        name: impl Into<String>,
        codes: &[u32],
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        let names: Vec<String> = names.into_iter().map(S::into).collect();
        if let Some(example) = codes.iter().position(|&code| code as usize >= names.len()) {
            return Err(DataError::LabelOutOfRange { example, label: codes[example], classes: names.len() });
        }
        self.with(name.into(), Column::Categories { codes: codes.to_vec(), names })
    }

    fn with(mut self, name: String, column: Column) -> Result<Self, DataError> {
        let wrong = |reason| Err(DataError::Column { name: text::shortened(&name), reason });
        if self.find(&name).is_some() {
            return wrong("is there twice".to_owned());
        }
        if !self.columns.is_empty() && column.len() != self.rows() {
            return wrong(format!("has {} rows, others have {}", column.len(), self.rows()));
        }
        self.columns.push((name, column));
        Ok(self)
    }

    fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, column)| column)
    }

    fn column(&self, name: &str) -> Result<&Column, DataError> {
        self.find(name).ok_or_else(|| {
            let nearest = names::nearest(name, self.names(), 1);
            let reason = match nearest.first() {
                Some(nearest) => format!("is not there; the nearest is {}", text::quoted(nearest)),
                None => "is not there, as there are none".to_owned(),
            };
            DataError::Column { name: text::shortened(name), reason }
        })
    }

    /// Columns beside each other, of shape `[rows, columns]`: one for a column of numbers, and for one of categories as many as it has,
    /// of which that of the row's category is 1 and the others 0.
    ///
    /// # Errors
    /// [`DataError::Column`] if there is no column of a name.
    ///
    /// ```
    /// use wengert_data::Columns;
    /// use wengert_tensor::Tensor;
    /// let columns = Columns::new().numbers("x", &[3, 4])?.categories("kind", ["b", "a"])?;
    /// assert_eq!(columns.features(&["x", "kind"])?, Tensor::from([[3.0f64, 0.0, 1.0], [4.0, 1.0, 0.0]]));
    /// assert!(columns.features::<f32>(&["y"]).is_err());
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn features<T: Float>(&self, names: &[&str]) -> Result<Tensor<T>, DataError> {
        let columns = names.iter().map(|name| self.column(name)).collect::<Result<Vec<_>, _>>()?;
        let mut values = Vec::new();
        for row in 0..self.rows() {
            for column in &columns {
                match column {
                    Column::Numbers(numbers) => values.push(T::from_f64(numbers[row])),
                    Column::Categories { codes, names } => values.extend(
                        (0..names.len() as u32)
                            .map(|code| T::from_f64(f64::from(u8::from(codes[row] == code)))),
                    ),
                }
            }
        }
        let width = columns.iter().map(|column| match column {
            Column::Numbers(_) => 1,
            Column::Categories { names, .. } => names.len(),
        });
        let shape = [self.rows(), width.sum()];
        Ok(Tensor::from_vec(values, shape).expect("each row has as many"))
    }

    /// The numbers of the categories of all rows, as labels of classes, and the names of the classes.
    ///
    /// # Errors
    /// [`DataError::Column`] if there is no column of this name, or it is one of numbers.
    ///
    /// ```
    /// use wengert_data::Columns;
    /// let columns = Columns::new().categories("kind", ["b", "a"])?.numbers("x", &[1, 2])?;
    /// assert_eq!(columns.labels("kind")?.0.to_vec(), [1, 0]);
    /// assert!(columns.labels("x").is_err());
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn labels(&self, name: &str) -> Result<(Tensor<u32>, &[String]), DataError> {
        match self.column(name)? {
            Column::Categories { codes, names } => Ok((Tensor::vector(codes), names)),
            Column::Numbers(_) => {
                let reason = "is one of numbers, not of categories".to_owned();
                Err(DataError::Column { name: text::shortened(name), reason })
            }
        }
    }
}
