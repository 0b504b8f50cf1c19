//! The names of values, in graphs within graphs.

use std::collections::HashMap;

use wengert_tensor::text::quoted;

use super::error::ReadError;
use super::graph::Place;

/// The places of named values.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) places: HashMap<String, Place>,
    pub(super) outer: Option<&'a Names<'a>>,
}

impl Names<'_> {
    pub(super) fn get(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied().or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }

    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn bind(&mut self, name: &str, place: Place) -> Result<(), ReadError> {
        if self.places.insert(name.to_owned(), place).is_some() {
            return Err(ReadError::graph(format!("two values have the name {}", quoted(name))));
        }
        Ok(())
    }

    pub(super) fn needed(&self, name: &str, by: &str) -> Result<Place, ReadError> {
        self.get(name).ok_or_else(|| {
            ReadError::graph(format!(
                "{by} takes {}, which no node makes and no input or initialiser is",
                quoted(name)
            ))
        })
    }
}
