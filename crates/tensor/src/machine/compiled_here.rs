//! Generic functions that are compiled in the crate that has them, once for each element type.
//!
//! A generic function is compiled by every program that uses it, and a loop is compiled for three instruction sets: the
//! programs' builds, tests' and examples' above all, would spend nearly all their time on the same kernels. But the
//! element types are known. So a generic function can be a choice between functions of one type, which are compiled
//! where they stand; a program only links them.

use std::any::Any;

/// The function itself if it has the signature `F`. The types decide, so the optimiser leaves nothing of it.
#[doc(hidden)]
#[inline(always)]
pub fn of_signature<F: Any + Copy>(function: impl Any) -> Option<F> {
    (&function as &dyn Any).downcast_ref::<F>().copied()
}

/// Makes of `fn name<T: Float>(…) -> … { … }` a function of the same name and signature whose body is compiled
/// here, for `f32` and for `f64`; with `<T: Element>` for all element types.
///
/// A panic inside of it does not name the caller's line, so what checks the caller's arguments stands before the call.
#[doc(hidden)]
#[macro_export]
macro_rules! compiled_here {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident<$T:ident: Float>($($x:ident: $X:ty),* $(,)?) $(-> $R:ty)? $body:block) => {
        $(#[$attribute])*
        #[inline]
        $visibility fn $name<$T: $crate::Float>($($x: $X),*) $(-> $R)? {
            fn generic<$T: $crate::Float>($($x: $X),*) $(-> $R)? $body
            let compiled = None::<fn($($X),*) $(-> $R)?>
                .or($crate::compiled_here!(@for f32 as $T, generic($($x: $X),*) $(-> $R)?))
                .or($crate::compiled_here!(@for f64 as $T, generic($($x: $X),*) $(-> $R)?));
            compiled.expect("one of the types is T")($($x),*)
        }
    };
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident<$T:ident: Element>($($x:ident: $X:ty),* $(,)?) $(-> $R:ty)? $body:block) => {
        $(#[$attribute])*
        #[inline]
        $visibility fn $name<$T: $crate::Element>($($x: $X),*) $(-> $R)? {
            fn generic<$T: $crate::Element>($($x: $X),*) $(-> $R)? $body
            let compiled = None::<fn($($X),*) $(-> $R)?>
                .or($crate::compiled_here!(@for f32 as $T, generic($($x: $X),*) $(-> $R)?))
                .or($crate::compiled_here!(@for f64 as $T, generic($($x: $X),*) $(-> $R)?))
                .or($crate::compiled_here!(@for u32 as $T, generic($($x: $X),*) $(-> $R)?))
                .or($crate::compiled_here!(@for u8 as $T, generic($($x: $X),*) $(-> $R)?))
                .or($crate::compiled_here!(@for bool as $T, generic($($x: $X),*) $(-> $R)?));
            compiled.expect("one of the types is T")($($x),*)
        }
    };
    // The function for one type, if its signature is the one that is expected.
    (@for $type:ident as $T:ident, $generic:ident($($x:ident: $X:ty),*) $(-> $R:ty)?) => {{
        // What the signature calls T is this type from here on.
        type $T = $type;
        // Not generic, and never inlined: compiled in this crate alone.
        #[inline(never)]
        #[allow(clippy::too_many_arguments)]
        fn compiled($($x: $X),*) $(-> $R)? {
            $generic($($x),*)
        }
        $crate::of_signature(compiled as fn($($X),*) $(-> $R)?)
    }};
}

#[cfg(test)]
mod tests {
    compiled_here! {
        fn name_and_sum<T: Float>(x: &[T], name: &mut String) -> T {
            *name = T::NAME.into();
            x.iter().copied().sum()
        }
    }

    compiled_here! {
        fn name<T: Element>(_x: &[T]) -> &'static str {
            T::NAME
        }
    }

    #[test]
    fn the_function_of_the_type_is_called() {
        let mut called = String::new();
        assert_eq!((name_and_sum(&[1.0f32, 2.0], &mut called), called.as_str()), (3.0, "f32"));
        assert_eq!((name_and_sum(&[1.0f64, 2.0], &mut called), called.as_str()), (3.0, "f64"));
        assert_eq!([name(&[1.0f32]), name(&[1.0f64]), name(&[1u32])], ["f32", "f64", "u32"]);
        assert_eq!([name(&[1u8]), name(&[true])], ["u8", "bool"]);
    }
}
