//! Sources beside each other: inputs and targets, several inputs.

use super::{Fingerprint, IntoVars, Source};
use crate::error::DataError;

macro_rules! tuple {
    ($($part:ident $i:tt),*) => {
        impl<$($part: Source),*> Source for ($($part,)*) {
            type Batch = ($($part::Batch,)*);

            fn count(&self) -> usize {
                self.0.count()
            }

            /// Of the parts that have one.
            fn fingerprint(&self, positions: &[u32]) -> Option<u64> {
                let parts = [$(self.$i.fingerprint(positions)),*];
                let found = parts.iter().flatten().fold(Fingerprint::new(), |hash, &part| hash.word(part));
                parts.iter().any(Option::is_some).then(|| found.value())
            }

            fn batch(&self, positions: &[u32]) -> Self::Batch {
                ($(self.$i.batch(positions),)*)
            }

            fn length(&self, position: usize) -> usize {
                0usize$(.saturating_add(self.$i.length(position)))*
            }

            fn check(&self) -> Result<(), DataError> {
                let expected = self.0.count();
                $(
                    self.$i.check()?;
                    let found = self.$i.count();
                    if found != expected {
                        return Err(DataError::CountMismatch { expected, part: $i, found });
                    }
                )*
                Ok(())
            }
        }

        impl<$($part: IntoVars),*> IntoVars for ($($part,)*) {
            type Vars = ($($part::Vars,)*);
            fn into_vars(self) -> Self::Vars {
                ($(self.$i.into_vars(),)*)
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
