//! Matrices whose rows and columns differ by many orders of magnitude, against mpmath: see `tests/golden/graded.py`.

use serde_json::Value;
use wengert_tape::{MatrixNorm, Var, grad, hvp};
use wengert_tensor::Float;
use wengert_tensor::linalg::times_power;

fn list(json: &Value) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn exponents(json: &Value) -> Vec<i64> {
    list(json).into_iter().map(|x| x as i64).collect()
}

/// A matrix and what it is made of.
struct Case {
    label: String,
    rows: Vec<i64>,
    columns: Vec<i64>,
    m: Vec<f64>,
    h: Vec<f64>,
    b: Vec<f64>,
}

impl Case {
    fn of(json: &Value) -> Case {
        let [rows, columns] = ["rows", "columns"].map(|key| exponents(&json[key]));
        let [m, h, b] = ["m", "h", "b"].map(|key| list(&json[key]));
        Case { label: format!("{}, {rows:?}, {columns:?}", json["type"]), rows, columns, m, h, b }
    }

    fn n(&self) -> usize {
        self.rows.len()
    }

    /// Numbers times the powers of two of rows and columns, where the exponents are those.
    fn scaled<T: Float>(&self, numbers: &[f64], rows: &[i64], columns: &[i64]) -> Var<T> {
        let width = columns.len();
        let one = |(e, &x): (usize, &f64)| T::from_f64(times_power(x, rows[e / width] + columns[e % width]));
        let scaled: Vec<T> = numbers.iter().enumerate().map(one).collect();
        Var::from(scaled).reshape([rows.len(), width])
    }

    /// In the units of A.
    fn matrix<T: Float>(&self, numbers: &[f64]) -> Var<T> {
        self.scaled(numbers, &self.rows, &self.columns)
    }

    /// Compares with the exact numbers times powers of two, where those are in range, to a part of the largest without them.
    fn compare<T: Float>(
        &self,
        name: &str,
        found: &Var<T>,
        exact: &[f64],
        [rows, columns]: [&[i64]; 2],
        tolerance: f64,
        failures: &mut Vec<String>,
    ) {
        let (width, found) = (columns.len(), found.value().to_vec());
        assert_eq!(found.len(), exact.len(), "{name}");
        let largest = exact.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        for (e, (found, &exact)) in found.into_iter().zip(exact).enumerate() {
            let power = rows[e / width] + columns[e % width];
            let bound = times_power(tolerance * largest, power);
            let in_range = power as f64 + largest.log2() < T::MAX.to_f64().log2() - 1.0
                && bound > T::MIN_POSITIVE.to_f64();
            let found = found.to_f64();
            let error = (found - times_power(exact, power)).abs();
            if in_range && (error.is_nan() || error > bound) {
                let exact = times_power(exact, power);
                failures.push(format!("{}: {name}, element {e}: {found:e}, not {exact:e}", self.label));
            }
        }
    }

    /// Value, gradient and Hessian product.
    fn check<T: Float>(
        &self,
        name: &str,
        expected: &Value,
        f: &dyn Fn(&Var<T>) -> Var<T>,
        weights: &Var<T>,
        [rows, columns, unit]: [&[i64]; 3],
        failures: &mut Vec<String>,
    ) {
        let tolerance = 2000.0 * T::EPSILON.to_f64();
        let a = self.matrix::<T>(&self.m);
        self.compare(
            &format!("{name}, value"),
            &f(&a),
            &list(&expected["value"]),
            [rows, columns],
            tolerance,
            failures,
        );
        let total = |a: &Var<T>| (f(a) * weights).sum();
        let negative = |x: &[i64]| x.iter().map(|x| unit[0] - x).collect::<Vec<_>>();
        let sides = [negative(&self.rows), self.columns.iter().map(|x| -x).collect()];
        let sides = [&sides[0][..], &sides[1][..]];
        let slope = grad(total, &a);
        self.compare(
            &format!("{name}, slope"),
            &slope,
            &list(&expected["slope"]),
            sides,
            tolerance,
            failures,
        );
        let second = hvp(total, &a, &self.matrix(&self.h));
        let exact = list(&expected["second"]);
        self.compare(&format!("{name}, second"), &second, &exact, sides, 10.0 * tolerance, failures);
    }

    /// Likewise where gradient and product are as large in any unit.
    fn check_as_it_is<T: Float>(
        &self,
        name: &str,
        expected: &Value,
        f: &dyn Fn(&Var<T>) -> Var<T>,
        twice: bool,
        failures: &mut Vec<String>,
    ) {
        let a = self.matrix::<T>(&self.m);
        let zeros = vec![0; self.n()];
        for (order, found, sides) in [
            ("value", f(&a), [&zeros[..1], &zeros[..1]]),
            ("slope", grad(f, &a), [&zeros[..], &zeros]),
            ("second", hvp(f, &a, &self.matrix(&self.h)), [&zeros[..], &zeros]),
        ] {
            if order == "second" && !twice {
                continue;
            }
            let exact = list(&expected[order]);
            let tolerance = 2000.0 * T::EPSILON.to_f64();
            self.compare(&format!("{name}, {order}"), &found, &exact, sides, tolerance, failures);
        }
    }

    fn weights<T: Float>(&self, width: usize, rows: &[i64], columns: &[i64]) -> Var<T> {
        let of = |e: usize| 1.0 / (1 + e / width + 2 * (e % width)) as f64;
        self.scaled(&(0..self.n() * width).map(of).collect::<Vec<_>>(), rows, columns)
    }
}

fn all<T: Float>(json: &Value, failures: &mut Vec<String>) {
    let case = Case::of(json);
    let (n, results) = (case.n(), &json["results"]);
    let negative = |x: &[i64]| x.iter().map(|x| -x).collect::<Vec<_>>();
    let total: i64 = case.rows.iter().chain(&case.columns).sum();
    let one = Var::scalar(T::ONE);
    let det = |a: &Var<T>| a.det().unwrap();
    case.check("det", &results["det"], &det, &one, [&[total], &[0], &[total]], failures);
    if json["regular"] != true {
        return;
    }
    let logarithm = |a: &Var<T>| a.slogdet().unwrap().1;
    case.check("slogdet", &results["slogdet"], &logarithm, &one, [&[0], &[0], &[0]], failures);
    // A⁻¹ = C⁻¹ M⁻¹ R⁻¹.
    let (of_rows, of_columns) = (negative(&case.columns), negative(&case.rows));
    let weights = case.weights(n, &case.columns, &case.rows);
    let sides: [&[i64]; 3] = [&of_rows, &of_columns, &[0]];
    case.check("inv", &results["inv"], &|a: &Var<T>| a.inv().unwrap(), &weights, sides, failures);
    let b = case.scaled(&case.b, &case.rows, &[0, 0]);
    let weights = case.weights(2, &case.columns, &[0, 0]);
    for (name, f) in [
        ("solve", (&|a: &Var<T>| a.solve(&b).unwrap()) as &dyn Fn(&Var<T>) -> Var<T>),
        ("lstsq", &|a| a.lstsq(&b).unwrap()),
    ] {
        case.check(name, &results["solve"], f, &weights, [&of_rows, &[0, 0], &[0]], failures);
    }
    let a = case.matrix::<T>(&case.m);
    let pairs: Vec<Vec<f64>> = json["singular"].as_array().unwrap().iter().map(list).collect();
    // Ratios of singular values are to be numbers and, for what second derivatives make of them, their squares, too.
    let exponents: Vec<i64> = pairs.iter().map(|pair| pair[1] as i64).collect();
    let (spread, room) = (exponents[0] - exponents[n - 1], T::MAX.to_f64().log2() as i64);
    if spread > room {
        return;
    }
    let weights = case.weights(n, &case.columns, &case.rows);
    let pinv = |a: &Var<T>| a.pinv(Some(0.0)).unwrap();
    case.check("pinv", &results["inv"], &pinv, &weights, sides, failures);
    let values = a.svdvals().unwrap();
    for (k, pair) in pairs.iter().enumerate() {
        let exponent = pair[1] as i64;
        let tolerance = 2000.0 * T::EPSILON.to_f64();
        case.compare(
            "singular value",
            &values.slice(k as isize..k as isize + 1),
            &[pair[0]],
            [&[exponent], &[0]],
            tolerance,
            failures,
        );
    }
    let norm = |a: &Var<T>| a.matrix_norm(MatrixNorm::Nuclear).unwrap();
    case.check_as_it_is("nuclear", &results["nuclear"], &norm, spread < room / 2, failures);
}

#[test]
fn graded_matrices() {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/graded.json")).expect("the file is JSON");
    let mut failures = Vec::new();
    let cases = golden.as_array().unwrap();
    assert_eq!(cases.len(), 58);
    for case in cases {
        match case["type"].as_str().unwrap() {
            "f32" => all::<f32>(case, &mut failures),
            _ => all::<f64>(case, &mut failures),
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
