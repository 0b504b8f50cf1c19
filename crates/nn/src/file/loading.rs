//! How a file's names become a model's, and what came of it.

use std::borrow::Cow;
use std::fmt::{Display, Formatter};

use wengert_tensor::names::{self, name_matches};
use wengert_tensor::{Shape, text};

use super::error::stripped;
use super::pattern::Pattern;
use super::tensor_file::{BUFFERS, MODEL};

/// Missing names for which the nearest in the file are looked for.
const SOUGHT: usize = 32;

/// How [`Params::load_with`](crate::Params::load_with) goes from a file's names to a model's, and whether all must be
/// there: without further settings as [`Params::load`](crate::Params::load). What is said of names is done in that order.
///
/// ```
/// use wengert_nn::{Linear, Loading, Params};
/// let mut old: Params = Params::seeded(0);
/// Linear::new(old.at("module.body"), 3, 2);
/// Linear::new(old.at("module.head"), 2, 10);
/// let file = old.to_safetensors()?;
///
/// let mut new: Params = Params::seeded(1);
/// Linear::new(new.at("features"), 3, 2);
/// Linear::new(new.at("head"), 2, 4);
/// let loading = Loading::new().partial().strip("module.").rename(|name| Some(name.replace("body.", "features.")));
/// let report = new.load_safetensors_with(&file, &loading)?;
/// assert_eq!(report.applied, ["features.weight", "features.bias"]);
/// assert_eq!(
///     report.to_string(),
///     "2 loaded; other shapes: `head.weight` ([10, 2], not [4, 2]), `head.bias` ([10], not [4])"
/// );
/// # Ok::<(), wengert_nn::FileError>(())
/// ```
#[derive(Default)]
pub struct Loading<'a> {
    pub(super) partial: bool,
    pub(super) convert: bool,
    steps: Vec<Step<'a>>,
}

/// The model's name of a name in the file, or that it is passed over.
type Renaming<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// A step from a file's name to a model's.
enum Step<'a> {
    Strip(String),
    Pattern(Pattern),
    Skip(String),
    Rename(Renaming<'a>),
}

impl Step<'_> {
    fn apply<'n>(&self, name: Cow<'n, str>) -> Option<Cow<'n, str>> {
        Some(match self {
            Step::Strip(prefix) => match name {
                Cow::Borrowed(name) => name.strip_prefix(prefix.as_str()).unwrap_or(name).into(),
                Cow::Owned(name) => match name.strip_prefix(prefix.as_str()) {
                    Some(short) => short.to_owned().into(),
                    None => name.into(),
                },
            },
            Step::Pattern(pattern) => pattern.apply(&name).map_or(name, Cow::Owned),
            Step::Skip(pattern) if name_matches(pattern, &name) => return None,
            Step::Skip(_) => name,
            Step::Rename(rename) => rename(&name)?.into(),
        })
    }
}

impl<'a> Loading<'a> {
    /// All by its name.
    pub fn new() -> Self {
        Loading::default()
    }

    /// Loads what is there and fits: the rest of the model stays as it is, and is told in the report.
    pub fn partial(mut self) -> Self {
        self.partial = true;
        self
    }

    /// Takes this off names that begin with it, such as `module.` or `_orig_mod.`; may be called several times, for one
    /// after another.
    pub fn strip(mut self, prefix: impl Into<String>) -> Self {
        self.steps.push(Step::Strip(prefix.into()));
        self
    }

    /// Gives names that fit `from` the form of `to`: each wildcard there stands for what the one at its place in `from` took,
    /// where a `*` takes as few characters as it can, those before others first, and a `?` one. As everywhere, the whole
    /// name must fit; others stay as they are.
    ///
    /// ```
    /// use wengert_nn::{Linear, Loading, Params};
    /// let mut old: Params = Params::seeded(0);
    /// Linear::new(old.at("layers.0.attn.out"), 3, 2);
    /// let mut new: Params = Params::seeded(1);
    /// Linear::new(new.at("blocks.0.attention.out"), 3, 2);
    /// let loading = Loading::new().rename_pattern("layers.*", "blocks.*").rename_pattern("*.attn.*", "*.attention.*");
    /// new.load_safetensors_with(&old.to_safetensors()?, &loading)?;
    /// assert_eq!(new.values(), old.values());
    /// # Ok::<(), wengert_nn::FileError>(())
    /// ```
    ///
    /// # Panics
    /// If `to` has more wildcards than `from`.
    #[track_caller]
    pub fn rename_pattern(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.steps.push(Step::Pattern(Pattern::new(from.into(), to.into())));
        self
    }

    /// Passes over the names that fit a pattern, with `*` for any characters and `?` for one.
    ///
    /// ```
    /// use wengert_nn::{Linear, Loading, Params};
    /// let mut old: Params = Params::seeded(0);
    /// Linear::new(old.at("body"), 3, 2);
    /// Linear::new(old.at("head"), 2, 10);
    /// let mut new: Params = Params::seeded(1);
    /// Linear::new(new.at("body"), 3, 2);
    /// let report = new.load_safetensors_with(&old.to_safetensors()?, &Loading::new().skip("head.*"))?;
    /// assert!(report.is_complete());
    /// # Ok::<(), wengert_nn::FileError>(())
    /// ```
    pub fn skip(mut self, pattern: impl Into<String>) -> Self {
        self.steps.push(Step::Skip(pattern.into()));
        self
    }

    /// Takes whole numbers of any size and truth values (1 for true) for floating-point parameters, rounded to the nearest, and for
    /// counts those that `i64` holds. Otherwise they are errors, as they are seldom meant: between floating-point numbers of 16, 32 and
    /// 64 bits is converted in any case.
    ///
    /// ```
    /// use wengert_nn::{Init, Loading, Params};
    /// let mut counts: Params = Params::seeded(0);
    /// counts.root().count("w", 3);
    /// let file = counts.to_safetensors()?;
    /// let mut params: Params = Params::seeded(0);
    /// params.root().param("w", [0usize; 0], Init::Zeros);
    /// assert!(params.load_safetensors(&file).is_err());
    /// params.load_safetensors_with(&file, &Loading::new().convert_integers())?;
    /// assert_eq!(params.values(), [3.0]);
    /// # Ok::<(), wengert_nn::FileError>(())
    /// ```
    pub fn convert_integers(mut self) -> Self {
        self.convert = true;
        self
    }

    /// Gives a name of the file the one that it has in the model; with `None` it is passed over. In a
    /// [checkpoint](super::tensor_file::CHECKPOINT) the model's names come without `model.` and `buffers.`, and all else that is in it as
    /// well, which is passed over if it is nothing of the model's.
    pub fn rename(mut self, name: impl Fn(&str) -> Option<String> + 'a) -> Self {
        self.steps.push(Step::Rename(Box::new(name)));
        self
    }

    /// What a name of a file is in the model, and whether it should be there.
    pub(super) fn name<'n>(&self, name: &'n str, checkpoint: bool) -> Option<(Cow<'n, str>, bool)> {
        let own = name.strip_prefix(MODEL).or_else(|| name.strip_prefix(BUFFERS));
        let own = if checkpoint { own } else { Some(name) };
        if own.is_none() && self.steps.is_empty() {
            return None;
        }
        let mut steps = self.steps.iter();
        let name = steps.try_fold(Cow::Borrowed(own.unwrap_or(name)), |name, step| step.apply(name))?;
        Some((name, own.is_some()))
    }
}

impl std::fmt::Debug for Loading<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loading")
            .field("partial", &self.partial)
            .field("convert", &self.convert)
            .field("steps", &self.steps.len())
            .finish()
    }
}

/// What [`Params::load_with`](crate::Params::load_with) did: parameters, buffers and counts by their names.
///
/// ```
/// use wengert_nn::{Linear, LoadReport, Loading, MisshapenTensor, MissingTensor, Params};
/// let mut old: Params<f64> = Params::seeded(0);
/// Linear::new(old.at("body"), 3, 2);
/// Linear::new(old.at("head"), 2, 10);
/// let mut new: Params<f64> = Params::seeded(1);
/// Linear::new(new.at("bady"), 3, 2);
/// Linear::new(new.at("head"), 2, 4);
/// let report: LoadReport = new.load_safetensors_with(&old.to_safetensors()?, &Loading::new().partial())?;
/// let MissingTensor { name, nearest, .. } = &report.missing[0];
/// assert_eq!((name.as_str(), nearest[0].as_str()), ("bady.weight", "body.weight"));
/// let MisshapenTensor { name, found, expected, .. } = &report.misshaped[0];
/// assert_eq!((name.as_str(), &found[..], &expected[..]), ("head.weight", &[10, 2][..], &[4, 2][..]));
/// # Ok::<(), wengert_nn::FileError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LoadReport {
    /// What was loaded, in the model's order.
    pub applied: Vec<String>,
    /// What the file does not have.
    pub missing: Vec<MissingTensor>,
    /// Tensors of floating-point numbers in the file that the model does not have, by their names there.
    pub unexpected: Vec<String>,
    /// What has another shape in the file.
    pub misshaped: Vec<MisshapenTensor>,
    /// What the names in the file begin with, if most of those that are missing would be found without it:
    /// [`Loading::strip`] takes it off.
    pub prefix: Option<String>,
}

/// What a file does not have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MissingTensor {
    /// Its name in the model.
    pub name: String,
    /// The names most like it in the file that are nothing of the model's, nearest first; of the first few that are missing.
    pub nearest: Vec<String>,
}

/// What has another shape in a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MisshapenTensor {
    /// Its name in the model.
    pub name: String,
    /// Its shape in the file.
    pub found: Shape,
    /// Its shape in the model.
    pub expected: Shape,
}

impl LoadReport {
    /// Whether all of the model was loaded, and all of the file used.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshaped.is_empty()
    }

    pub(super) fn add_missing(&mut self, missing: Vec<String>) {
        for (i, name) in missing.into_iter().enumerate() {
            let others = self.unexpected.iter().map(String::as_str);
            let nearest = if i < SOUGHT { names::nearest(&name, others, 2) } else { Vec::new() };
            let nearest = nearest.into_iter().map(str::to_owned).collect();
            self.missing.push(MissingTensor { name, nearest });
        }
    }
}

impl Display for LoadReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} loaded", self.applied.len())?;
        let mut part = |what: &str, all: &mut dyn Iterator<Item = String>, count: usize| {
            let shown: Vec<String> = all.take(8).collect();
            let more = match count - shown.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            if count == 0 { Ok(()) } else { write!(f, "; {what}: {}{more}", shown.join(", ")) }
        };
        let mut missing = self.missing.iter().map(|missing| match missing.nearest.first() {
            None => text::quoted(&missing.name),
            Some(nearest) => format!("{} (nearest {})", text::quoted(&missing.name), text::quoted(nearest)),
        });
        part("missing", &mut missing, self.missing.len())?;
        let mut unexpected = self.unexpected.iter().map(|name| text::quoted(name));
        part("unexpected", &mut unexpected, self.unexpected.len())?;
        let shape = |shape: &Shape| text::shortened(&shape.to_string());
        let mut misshaped = self.misshaped.iter().map(|tensor| {
            let (found, expected) = (shape(&tensor.found), shape(&tensor.expected));
            format!("{} ({found}, not {expected})", text::quoted(&tensor.name))
        });
        part("other shapes", &mut misshaped, self.misshaped.len())?;
        f.write_str(&stripped(self.prefix.as_deref()))
    }
}
