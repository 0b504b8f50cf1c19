//! Vectors apart from what is round them, for files of tensors.

use std::collections::{BTreeMap, BTreeSet};

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
        self.each_vector("", &mut BTreeSet::new(), &mut |path, values| {
            if !values.is_empty() {
                taken.insert(path.to_owned(), values.take());
            }
        });
        taken
    }

    /// What [`split`](State::split) would leave here and take out, of a state that stays as it is, and of the vectors only
    /// those that `outside` says yes to.
    ///
    /// ```
    /// use wengert_state::State;
    /// let run = State::new("adam", 2).with_vector("mean", &[0.5f32, 0.25]).with_vector("small", &[1.0f32]);
    /// // The long vectors apart, as a file of tensors has them.
    /// let (rest, tensors) = run.parts(|_, values| values.len() > 1);
    /// assert_eq!(tensors["mean"].len(), 2);
    /// assert!(rest.vectors["mean"].is_empty() && rest.vectors["small"].len() == 1);
    /// ```
    pub fn parts(
        &self,
        mut outside: impl FnMut(&str, &Values) -> bool,
    ) -> (State, BTreeMap<String, &Values>) {
        let mut found = BTreeMap::new();
        let rest = self.apart("", &mut BTreeSet::new(), &mut outside, &mut found);
        (rest, found)
    }

    /// Gives every empty vector the values of its path, if there are some of its type.
    pub fn join(&mut self, mut values_at: impl FnMut(&str) -> Option<Values>) {
        self.each_vector("", &mut BTreeSet::new(), &mut |path, values| {
            if values.is_empty()
                && let Some(found) = values_at(path)
                && found.element() == values.element()
            {
                *values = found;
            }
        });
    }

    /// Shows the vectors with their paths. Names with dots may lead to the same path: then only the first has it, and
    /// the others stay where they are.
    fn each_vector(
        &mut self,
        prefix: &str,
        seen: &mut BTreeSet<String>,
        visit: &mut dyn FnMut(&str, &mut Values),
    ) {
        for (name, values) in &mut self.vectors {
            let path = format!("{prefix}{name}");
            if !seen.contains(&path) {
                visit(&path, values);
                seen.insert(path);
            }
        }
        for (name, child) in &mut self.children {
            child.each_vector(&format!("{prefix}{name}."), seen, visit);
        }
    }

    fn apart<'a>(
        &'a self,
        prefix: &str,
        seen: &mut BTreeSet<String>,
        outside: &mut dyn FnMut(&str, &Values) -> bool,
        found: &mut BTreeMap<String, &'a Values>,
    ) -> State {
        let mut rest = State { scalars: self.scalars.clone(), ..State::new(&self.kind, self.len) };
        for (name, values) in &self.vectors {
            let path = format!("{prefix}{name}");
            let first = seen.insert(path.clone());
            let stays = if first && !values.is_empty() && outside(&path, values) {
                found.insert(path, values);
                values.none()
            } else {
                values.clone()
            };
            rest.vectors.insert(name.clone(), stays);
        }
        for (name, child) in &self.children {
            let child = child.apart(&format!("{prefix}{name}."), seen, outside, found);
            rest.children.insert(name.clone(), child);
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two vectors of one path, the first of which is empty.
    fn ambiguous(first: &[f32], second: &[f32]) -> State {
        State::new("run", 0)
            .with_child("a", State::new("a", 0).with_vector("b.c", first))
            .with_child("a.b", State::new("b", 0).with_vector("c", second))
    }

    #[test]
    fn what_is_taken_apart_comes_together_also_where_two_have_the_same_path() {
        for state in
            [ambiguous(&[], &[1.0]), ambiguous(&[1.0], &[]), ambiguous(&[1.0], &[2.0]), ambiguous(&[], &[])]
        {
            let mut rest = state.clone();
            let mut vectors = rest.split();
            let (same, borrowed) = state.parts(|_, _| true);
            assert_eq!(same, rest);
            assert!(borrowed.into_iter().eq(vectors.iter().map(|(path, values)| (path.clone(), values))));
            rest.join(|path| vectors.remove(path));
            assert_eq!(rest, state);
        }
    }

    #[test]
    fn vectors_can_stay() {
        let state = State::new("x", 0).with_words("seed", &[1, 2]).with_vector("w", &[1.0f64]);
        let (mut rest, vectors) = state.parts(|_, values| values.element() != "u64");
        assert_eq!(rest.words("seed"), Ok([1, 2]));
        assert_eq!(vectors.keys().collect::<Vec<_>>(), ["w"]);
        rest.join(|path| vectors.get(path).map(|&values| values.clone()));
        assert_eq!(rest, state);
    }
}
