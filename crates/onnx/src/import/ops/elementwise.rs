//! Functions of one number.

use wengert_tensor::Float;

use super::super::call::{Call, Produced};
use super::super::value::Value;
use super::{Operator, operator};

/// Rows for functions of floating-point numbers that take nothing else.
macro_rules! rows {
    ($($name:literal $since:literal |$x:ident| $body:expr;)*) => {
        vec![$(operator($name, $since, (1, 1), "consumed_inputs:ii", |call| {
            let $x = call.float(0)?;
            Ok(vec![Value::Float($body)])
        })),*]
    };
}

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    let mut rows = rows! {
        "Acos" 7 |x| x.acos();
        "Acosh" 9 |x| x.acosh();
        "Asin" 7 |x| x.asin();
        "Asinh" 9 |x| x.asinh();
        "Atan" 7 |x| x.atan();
        "Atanh" 9 |x| x.atanh();
        "Ceil" 1 |x| x.ceil();
        "Cos" 7 |x| x.cos();
        "Cosh" 9 |x| x.cosh();
        "Erf" 9 |x| x.erf();
        "Exp" 1 |x| x.exp();
        "Floor" 1 |x| x.floor();
        "Log" 1 |x| x.ln();
        "Reciprocal" 1 |x| x.recip();
        "Round" 11 |x| x.round();
        "Sigmoid" 1 |x| x.sigmoid();
        "Sin" 7 |x| x.sin();
        "Sinh" 9 |x| x.sinh();
        "Softplus" 1 |x| x.softplus();
        "Softsign" 1 |x| x / (x.abs() + 1.0);
        "Sqrt" 1 |x| x.sqrt();
        "Tan" 7 |x| x.tan();
        "Tanh" 1 |x| x.tanh();
    };
    rows.extend([
        operator("Abs", 1, (1, 1), "consumed_inputs:ii", abs),
        operator("Neg", 1, (1, 1), "consumed_inputs:ii", neg),
        operator("Sign", 9, (1, 1), "", sign),
        operator("Relu", 1, (1, 1), "consumed_inputs:ii", relu),
    ]);
    rows
}

/// Functions of numbers of both kinds.
macro_rules! of_numbers {
    ($($name:ident |$x:ident| $body:expr;)*) => {$(
        fn $name<T: Float>(call: &Call<'_, T>) -> Produced<T> {
            Ok(vec![match call.value(0)? {
                Value::Float($x) => Value::Float($body),
                Value::Int(ints) => {
                    let $x = &ints.numbers;
                    Value::Int(ints.with($body))
                }
                _ => return Err(call.kind(0, "numbers")),
            }])
        }
    )*};
}
of_numbers! {
    abs |x| x.abs();
    neg |x| -x;
    sign |x| x.sign();
    relu |x| x.relu();
}
