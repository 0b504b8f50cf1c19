//! Vectors apart from what is round them, for files of tensors.

use std::collections::BTreeMap;

use crate::{State, Values};

impl State {
    /// Takes all vectors out, under their paths: the names of the children down to each, and its own, with dots between. What
    /// stays here has them as empty ones of the same type, and [`join`](State::join) puts them back. So a state can be kept as
    /// the tensors of a file and a text of a few numbers for each.
    ///
    /// ```
    /// use wengert_state::{State, Values};
    /// let adam = State::new("adam", 2).with_count("step", 1).with_vector("first_moment", &[0.5f32, 0.25]);
    /// let run = State::new("run", 0).with_child("optimizer", adam);
    /// let mut rest = run.clone();
    /// let tensors = rest.split();
    /// assert_eq!(tensors["optimizer.first_moment"], Values::F32(vec![0.5, 0.25]));
    /// rest.join(|path| tensors.get(path).cloned());
    /// assert_eq!(rest, run);
    /// ```
    pub fn split(&mut self) -> BTreeMap<String, Values> {
        let mut taken = BTreeMap::new();
        self.each_vector("", &mut |path, values| {
            // Names with dots may lead to the same path: then the second one stays.
            if !values.is_empty() && !taken.contains_key(path) {
                taken.insert(path.to_owned(), values.take());
            }
        });
        taken
    }

    /// Gives every empty vector the values of its path, if there are some of its type.
    pub fn join(&mut self, mut values_at: impl FnMut(&str) -> Option<Values>) {
        self.each_vector("", &mut |path, values| {
            if values.is_empty()
                && let Some(found) = values_at(path)
                && found.element() == values.element()
            {
                *values = found;
            }
        });
    }

    fn each_vector(&mut self, prefix: &str, visit: &mut dyn FnMut(&str, &mut Values)) {
        for (name, values) in &mut self.vectors {
            visit(&format!("{prefix}{name}"), values);
        }
        for (name, child) in &mut self.children {
            child.each_vector(&format!("{prefix}{name}."), visit);
        }
    }
}
