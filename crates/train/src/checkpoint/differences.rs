//! What is different in the state of another run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter};

use wengert_state::{Scalar, State, Values};
use wengert_tensor::{names, text};

/// Differences that a message shows.
const SHOWN: usize = 8;
/// The kind of a model's state.
const PARAMS: &str = "params";

/// One way in which the state in a file is not that of the run here. Parameters and buffers go by their names, all else
/// by its path in the state, such as `optimizer`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// Something else is there, such as another optimiser.
    Kind {
        /// What it is of.
        name: String,
        /// What it is here.
        here: String,
        /// What it is in the file.
        there: String,
    },
    /// The file does not have it.
    Missing {
        /// What.
        name: String,
        /// What the file has instead, and this run has not, nearest first.
        nearest: Vec<String>,
    },
    /// This run does not have it.
    Unexpected {
        /// What.
        name: String,
    },
    /// It has another shape or length.
    Shape {
        /// What.
        name: String,
        /// The shape here.
        here: String,
        /// The shape in the file.
        there: String,
    },
    /// A setting has another value.
    Value {
        /// Which.
        name: String,
        /// The value here.
        here: String,
        /// The value in the file.
        there: String,
    },
    /// Its numbers are of another precision.
    Precision {
        /// What.
        name: String,
        /// The precision here.
        here: &'static str,
        /// The precision in the file.
        there: &'static str,
    },
}

impl Difference {
    /// What is different.
    pub fn name(&self) -> &str {
        match self {
            Difference::Kind { name, .. }
            | Difference::Missing { name, .. }
            | Difference::Unexpected { name }
            | Difference::Shape { name, .. }
            | Difference::Value { name, .. }
            | Difference::Precision { name, .. } => name,
        }
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let pair = |f: &mut Formatter<'_>, name: &str, verb, here: &str, there: &str| {
            write!(f, "{} {verb}{there} in the file, {here} here", text::quoted(name))
        };
        match self {
            Difference::Kind { name, here, there } => {
                pair(f, name, "is ", &text::quoted(here), &text::quoted(there))
            }
            Difference::Missing { name, nearest } if nearest.is_empty() => {
                write!(f, "the file lacks {}", text::quoted(name))
            }
            Difference::Missing { name, nearest } => {
                write!(
                    f,
                    "the file lacks {} (nearest {})",
                    text::quoted(name),
                    text::list(nearest, nearest.len())
                )
            }
            Difference::Unexpected { name } => {
                write!(f, "the file has {}, which is not here", text::quoted(name))
            }
            Difference::Shape { name, here, there } => {
                pair(f, name, "has shape ", &text::shortened(here), &text::shortened(there))
            }
            Difference::Value { name, here, there } => {
                pair(f, name, "is ", &text::shortened(here), &text::shortened(there))
            }
            Difference::Precision { name, here, there } => pair(f, name, "is of ", here, there),
        }
    }
}

/// All [`differences`] of two states, for people to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences(Vec<Difference>);

impl Differences {
    /// With those of the settings, of which what is different as a whole is not named again.
    pub(crate) fn with_settings(mut self, here: &State, there: &State) -> Self {
        let mut settings = Vec::new();
        compare_settings("", here, there, &mut settings);
        let known: Vec<String> = self.0.iter().map(|known| known.name().to_owned()).collect();
        let is_within = |name: &str, whole: &str| {
            name.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        settings.retain(|found| !known.iter().any(|whole| is_within(found.name(), whole)));
        self.0.append(&mut settings);
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Difference> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Differences {
    type Item = &'a Difference;
    type IntoIter = std::slice::Iter<'a, Difference>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Display for Differences {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (i, difference) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}{difference}", if i == 0 { "" } else { "; " })?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// How the state of a file is not one from which the run here can go on: another model, other sizes, another optimiser,
/// another precision, parts that only one of them has. What a part remembers may differ, also in that it remembers
/// nothing yet.
///
/// ```
/// use wengert_nn::{Linear, Params};
/// use wengert_state::State;
/// use wengert_train::checkpoint::{Difference, Differences, differences};
/// let run = |width| {
///     let mut params: Params = Params::seeded(0);
///     Linear::new(params.at("out"), 3, width);
///     State::new("run", 0).with_child("params", params.state())
/// };
/// let found: Differences = differences(&run(2), &run(4));
/// let shapes = |found: &Difference| matches!(found, Difference::Shape { .. });
/// assert!(found.iter().all(shapes) && found.iter().next().unwrap().name() == "out.bias");
/// println!("{found}"); // `out.bias` has shape [4] in the file, [2] here; …
/// assert!(differences(&run(2), &run(2)).is_empty());
/// ```
pub fn differences(here: &State, there: &State) -> Differences {
    let mut found = Vec::new();
    compare("", here, there, None, &mut found);
    Differences(found)
}

/// Names what two settings have different values for.
fn compare_settings(path: &str, here: &State, there: &State, found: &mut Vec<Difference>) {
    let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if here.kind != there.kind {
        let (here, there) = (here.kind.clone(), there.kind.clone());
        return found.push(Difference::Value { name: path.to_owned(), here, there });
    }
    let names: BTreeSet<&String> = here.scalars.keys().chain(there.scalars.keys()).collect();
    for name in names {
        let of = |state: &State| state.scalars.get(name).cloned().unwrap_or(Scalar::None);
        let (here, there) = (of(here), of(there));
        if here != there {
            let (here, there) = (here.to_string(), there.to_string());
            found.push(Difference::Value { name: within(name), here, there });
        }
    }
    let names: BTreeSet<&String> = here.vectors.keys().chain(there.vectors.keys()).collect();
    for name in names {
        let of = |state: &State| state.vectors.get(name).map(|values| format!("{values:?}"));
        let (here, there) = (of(here).unwrap_or_default(), of(there).unwrap_or_default());
        if here != there {
            found.push(Difference::Value { name: within(name), here, there });
        }
    }
    let nothing = State::new("none", 0);
    let names: BTreeSet<&String> = here.children.keys().chain(there.children.keys()).collect();
    for name in names {
        let of = |state: &'_ State| state.children.get(name).cloned().unwrap_or_else(|| nothing.clone());
        compare_settings(&within(name), &of(here), &of(there), found);
    }
}

/// `known` are the lengths of parameters here and there whose difference is named by their shapes already: whatever is as
/// long as they are says nothing new.
fn compare(
    path: &str,
    here: &State,
    there: &State,
    known: Option<(usize, usize)>,
    found: &mut Vec<Difference>,
) {
    let shown = || if path.is_empty() { "the state".to_owned() } else { path.to_owned() };
    if here.kind != there.kind {
        if !is_own(&here.kind) && !is_own(&there.kind) {
            return;
        }
        let (here, there) = (here.kind.clone(), there.kind.clone());
        return found.push(Difference::Kind { name: shown(), here, there });
    }
    if here.kind == PARAMS {
        return compare_models(&shown(), here, there, found);
    }
    // What serde has made of a program's own types may have other parts at any time.
    if !is_own(&here.kind) {
        return;
    }
    let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let before = found.len();
    compare_names(&here.children, &there.children, within, found);
    // The model is looked at first, as it says why other lengths are what they are.
    let (mut known, mut of_model) = (known, Vec::new());
    for (name, here) in here.children.iter().filter(|(_, child)| child.kind == PARAMS) {
        if let Some(there) = there.children.get(name) {
            compare(&within(name), here, there, None, &mut of_model);
            known = if of_model.is_empty() { known } else { Some((here.len, there.len)) };
        }
    }
    for (name, here) in &here.children {
        match there.children.get(name) {
            Some(_) if here.kind == PARAMS => found.append(&mut of_model),
            Some(there) => compare(&within(name), here, there, known, found),
            None => {}
        }
    }
    if here.len != there.len && here.len != 0 && there.len != 0 && known != Some((here.len, there.len)) {
        let (here, there) = (format!("[{}]", here.len), format!("[{}]", there.len));
        found.push(Difference::Shape { name: shown(), here, there });
    }
    if found.len() > before {
        return;
    }
    for (name, here) in &here.vectors {
        let Some(there) = there.vectors.get(name).filter(|there| !there.is_empty()) else { continue };
        if !here.is_empty() && here.element() != there.element() {
            let (here, there) = (here.element(), there.element());
            found.push(Difference::Precision { name: within(name), here, there });
        }
    }
}

/// Whether it is one of the kinds of this library, which are in small letters, and no list of serde's.
fn is_own(kind: &str) -> bool {
    !kind.starts_with(char::is_uppercase) && !["list", "value"].contains(&kind)
}

/// What only one of them has.
fn compare_names<V>(
    here: &BTreeMap<String, V>,
    there: &BTreeMap<String, V>,
    shown: impl Fn(&str) -> String,
    found: &mut Vec<Difference>,
) {
    let only_there: Vec<&str> =
        there.keys().filter(|name| !here.contains_key(*name)).map(String::as_str).collect();
    for name in here.keys().filter(|name| !there.contains_key(*name)) {
        let nearest = names::nearest(name, only_there.iter().copied(), 2).into_iter().map(&shown).collect();
        found.push(Difference::Missing { name: shown(name), nearest });
    }
    found.extend(only_there.into_iter().map(|name| Difference::Unexpected { name: shown(name) }));
}

fn compare_models(name: &str, here: &State, there: &State, found: &mut Vec<Difference>) {
    let empty = State::new("", 0);
    let parts = |part: &str| {
        let of = |state: &'_ State| state.children.get(part).cloned();
        (of(here).unwrap_or_else(|| empty.clone()), of(there).unwrap_or_else(|| empty.clone()))
    };
    let (shapes_here, shapes_there) = parts("shapes");
    compare_names(&shapes_here.scalars, &shapes_there.scalars, str::to_owned, found);
    for (name, shape) in &shapes_here.scalars {
        if let (Scalar::Text(here), Some(Scalar::Text(there))) = (shape, shapes_there.scalars.get(name))
            && here != there
        {
            found.push(Difference::Shape { name: name.clone(), here: here.clone(), there: there.clone() });
        }
    }
    let (buffers_here, buffers_there) = parts("buffers");
    compare_names(&buffers_here.scalars, &buffers_there.scalars, str::to_owned, found);
    // Of parameters in another precision all are.
    let (here, there) = parts("parameters");
    let elements = |state: &State| -> BTreeSet<&'static str> {
        state.vectors.values().filter(|v| !v.is_empty()).map(Values::element).collect()
    };
    if let (Some(&here), Some(&there)) = (elements(&here).first(), elements(&there).first())
        && here != there
    {
        found.push(Difference::Precision { name: name.to_owned(), here, there });
    }
}
