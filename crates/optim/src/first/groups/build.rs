//! Groups under construction.

use wengert_tensor::Float;
use wengert_tensor::names::{PatternError, name_matches};

use super::{Groups, GroupsError, Run};
use crate::error::HyperParameterError;
use crate::first::layout::Layout;
use crate::first::optimizer::Optimizer;

/// Makes the optimiser of a run of tensors.
type Build<'a, T> = Box<dyn Fn(&Layout) -> Result<Box<dyn Optimizer<T>>, HyperParameterError> + 'a>;

/// Groups under construction: see [`Groups`].
///
/// ```
/// use wengert_optim::first::GroupsBuilder;
/// use wengert_optim::{Groups, Layout, Optimizer, Sgd};
/// let layout = Layout::new([("body.weight", vec![1]), ("head.weight", vec![1])]);
/// let builder: GroupsBuilder<'_> = Groups::of(&layout).frozen("body.*");
/// let mut head_alone = builder.rest(|_| Ok(Sgd::new(0.5)))?;
/// let mut theta = [1.0f32; 2];
/// head_alone.step(&mut theta, &[1.0; 2]);
/// assert_eq!(theta, [1.0, 0.5]);
/// # Ok::<(), wengert_optim::GroupsError>(())
/// ```
pub struct GroupsBuilder<'a, T: Float = f32> {
    layout: Layout,
    groups: Vec<(String, Option<Build<'a, T>>)>,
}

impl<'a, T: Float> GroupsBuilder<'a, T> {
    pub(super) fn of(layout: &Layout) -> Self {
        GroupsBuilder { layout: layout.clone(), groups: Vec::new() }
    }

    /// Parameters whose name fits `pattern` are updated by what `build` makes for their layout.
    pub fn group<O: Optimizer<T> + 'static>(
        mut self,
        pattern: &str,
        build: impl Fn(&Layout) -> Result<O, HyperParameterError> + 'a,
    ) -> Self {
        self.groups
            .push((pattern.to_owned(), Some(Box::new(move |layout| Ok(Box::new(build(layout)?) as _)))));
        self
    }

    /// Parameters whose name fits `pattern` are never updated.
    pub fn frozen(mut self, pattern: &str) -> Self {
        self.groups.push((pattern.to_owned(), None));
        self
    }

    /// All other parameters are updated by what `build` makes. There may be none.
    ///
    /// # Errors
    /// If a group's pattern fits no name, or only names that earlier groups have, or a hyper-parameter is out of its range.
    pub fn rest<O: Optimizer<T> + 'static>(
        self,
        build: impl Fn(&Layout) -> Result<O, HyperParameterError> + 'a,
    ) -> Result<Groups<T>, GroupsError> {
        let GroupsBuilder { layout, groups } = self.group("*", build);
        let segments = layout.segments();
        let group_of = |name: &str| groups.iter().position(|(pattern, _)| name_matches(pattern, name));
        for (index, (pattern, _)) in groups.iter().enumerate().take(groups.len() - 1) {
            PatternError::unless_fits(pattern, layout.names())?;
            if !layout.names().any(|name| group_of(name) == Some(index)) {
                let taken = layout.names().find(|name| name_matches(pattern, name)).and_then(group_of);
                let earlier = taken.map_or_else(String::new, |group| groups[group].0.clone());
                return Err(GroupsError::Taken { pattern: pattern.clone(), earlier });
            }
        }
        let (mut base, mut runs) = (None, Vec::new());
        let mut start = 0;
        while start < segments.len() {
            let group = group_of(&segments[start].name);
            let same = segments[start..].iter().take_while(|s| group_of(&s.name) == group).count();
            let end = start + same;
            let built = group.and_then(|g| built(&groups[g], &layout.sub(start..end)));
            let optimizer = built.transpose()?;
            let rate = optimizer.as_ref().map_or(0.0, |o| o.learning_rate());
            if group == Some(groups.len() - 1) {
                base = Some(rate);
            }
            runs.push(Run {
                range: segments[start].range.start..segments[end - 1].range.end,
                names: segments[start..end].iter().map(|s| s.name.clone()).collect(),
                base: rate,
                optimizer,
                enabled: true,
            });
            start = end;
        }
        let base = match (base, groups.last()) {
            (Some(base), _) => base,
            (None, Some(rest)) => match built(rest, &Layout::default()) {
                Some(optimizer) => optimizer?.learning_rate(),
                None => 0.0,
            },
            (None, None) => 0.0,
        };
        Ok(Groups { len: layout.len(), learning_rate: base, base, runs })
    }
}

/// The optimiser of a group for these parameters, if it is not frozen.
fn built<T: Float>(
    (pattern, build): &(String, Option<Build<'_, T>>),
    layout: &Layout,
) -> Option<Result<Box<dyn Optimizer<T>>, GroupsError>> {
    let built = build.as_ref()?(layout);
    Some(built.map_err(|error| GroupsError::HyperParameter { group: pattern.clone(), error }))
}
