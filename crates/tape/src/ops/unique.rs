//! The different elements.

use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// Something about the groups of equal elements of a vector, in ascending order.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Groups {
    /// The first position of each.
    First,
    /// For each element the number of its group.
    Inverse,
    /// How many elements each has.
    Counts,
}

impl<T: Float> Decision<T> for Groups {
    type Element = u32;
    fn name(&self) -> &str {
        "unique"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("what", &format!("{self:?}")[..]);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let (x, order) = (inputs[0].to_vec(), inputs[0].argsort(0, false).to_vec());
        let equal = |&i: &u32, &j: &u32| {
            let (a, b) = (x[i as usize], x[j as usize]);
            a == b || (a.is_nan() && b.is_nan())
        };
        let groups = order.chunk_by(equal);
        let numbers: Vec<u32> = match self {
            Groups::First => groups.map(|group| group[0]).collect(),
            Groups::Counts => groups.map(|group| group.len() as u32).collect(),
            Groups::Inverse => {
                let mut inverse = vec![0; x.len()];
                for (number, group) in (0..).zip(groups) {
                    group.iter().for_each(|&i| inverse[i as usize] = number);
                }
                inverse
            }
        };
        Tensor::vector(&numbers)
    }
    rules_compiled_here!(Groups in DecisionOp);
}

impl<T: Float> Var<T> {
    /// The different elements in ascending order, for each element the position of its like among them (in the shape of the
    /// variable), and how many of each there are. All NaN count as one. The first one of equals gets the derivative.
    ///
    /// # Panics
    /// If there are more than 2³² elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (values, inverse, counts) = Var::from([3.0f64, 1.0, 3.0]).unique();
    /// assert_eq!(values.value().to_vec(), [1.0, 3.0]);
    /// assert_eq!((inverse.value().to_vec(), counts.value().to_vec()), (vec![1, 0, 1], vec![1, 2]));
    /// ```
    #[track_caller]
    pub fn unique(&self) -> (Var<T>, Index<T>, Index<T>) {
        check_positions("unique", self.len());
        let flat = self.reshape([self.len()]);
        let groups = |what: Groups| decision(what, &[&flat], &[]);
        let inverse: Index<T> = groups(Groups::Inverse);
        (flat.index_select(0, groups(Groups::First)), inverse.reshape(self.shape()), groups(Groups::Counts))
    }
}
