//! States of the program's own that a run keeps.

use std::collections::BTreeMap;

use wengert_state::{State, StateError};

/// States by name, each as it was last kept, and as it was before the batch that is under way.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    latest: State,
    /// The batch in which it was kept.
    unit: u64,
    before: Option<State>,
}

impl Kept {
    pub(crate) fn put(&mut self, name: &str, state: State, unit: u64) {
        match self.entries.get_mut(name) {
            Some(entry) => {
                let replaced = std::mem::replace(&mut entry.latest, state);
                if entry.unit != unit {
                    entry.before = Some(replaced);
                    entry.unit = unit;
                }
            }
            None => {
                self.entries.insert(name.to_owned(), Entry { latest: state, unit, before: None });
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn latest(&self, name: &str) -> Option<&State> {
        self.entries.get(name).map(|entry| &entry.latest)
    }

    /// All as they were when this batch was given out, or as they are if there is none.
    pub(crate) fn state(&self, before: Option<u64>) -> State {
        let mut state = State::new("kept", 0);
        for (name, entry) in &self.entries {
            let kept = if before == Some(entry.unit) { entry.before.as_ref() } else { Some(&entry.latest) };
            if let Some(kept) = kept {
                state = state.with_child(name, kept.clone());
            }
        }
        state
    }

    pub(crate) fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let names: Vec<&str> = state.children.keys().map(String::as_str).collect();
        state.expect("kept", &[], &[], &names)?;
        let entry = |state: &State| Entry { latest: state.clone(), unit: 0, before: None };
        self.entries = state.children.iter().map(|(name, state)| (name.clone(), entry(state))).collect();
        Ok(())
    }
}
