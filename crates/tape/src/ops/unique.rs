//! The different elements.

use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// Something about the groups of equal elements of a vector, in ascending order or that in which they stand.
struct Groups {
    what: What,
    sorted: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum What {
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
        if self.sorted { "unique" } else { "unique_consecutive" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("what", &format!("{:?}", self.what)[..]);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let x = inputs[0].to_vec();
        let order =
            if self.sorted { inputs[0].argsort(0, false).to_vec() } else { (0..x.len() as u32).collect() };
        let equal = |&i: &u32, &j: &u32| {
            let (a, b) = (x[i as usize], x[j as usize]);
            a == b || (a.is_nan() && b.is_nan())
        };
        let groups = order.chunk_by(equal);
        let numbers: Vec<u32> = match self.what {
            What::First => groups.map(|group| group[0]).collect(),
            What::Counts => groups.map(|group| group.len() as u32).collect(),
            What::Inverse => {
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
        self.groups("unique", true)
    }

    /// [`unique`](Var::unique) of runs: equal elements that stand side by side count as one, and keep their order.
    ///
    /// # Panics
    /// If there are more than 2³² elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (values, inverse, counts) = Var::from([3.0f64, 3.0, 1.0, 3.0]).unique_consecutive();
    /// assert_eq!(values.value().to_vec(), [3.0, 1.0, 3.0]);
    /// assert_eq!((inverse.value().to_vec(), counts.value().to_vec()), (vec![0, 0, 1, 2], vec![2, 1, 1]));
    /// ```
    #[track_caller]
    pub fn unique_consecutive(&self) -> (Var<T>, Index<T>, Index<T>) {
        self.groups("unique_consecutive", false)
    }

    #[track_caller]
    fn groups(&self, operation: &str, sorted: bool) -> (Var<T>, Index<T>, Index<T>) {
        check_positions(operation, self.len());
        let flat = self.reshape([self.len()]);
        let groups = |what: What| decision(Groups { what, sorted }, &[&flat], &[]);
        let inverse: Index<T> = groups(What::Inverse);
        (flat.index_select(0, groups(What::First)), inverse.reshape(self.shape()), groups(What::Counts))
    }
}
