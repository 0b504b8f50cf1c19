//! Every operation in the case table against finite differences, in both modes and to second order at least.

mod cases;
#[path = "replay/interpreter.rs"]
mod interpreter;
#[path = "replay/cases.rs"]
mod replay;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cases::Case;
use wengert_tape::{Var, check_grads, grad, hvp, jvp, vjp};
use wengert_tensor::{Slice, Tensor};

/// Runs a check on every case and reports all that fail.
fn every_case(check: impl Fn(&Case, &[Var<f64>]) -> Result<(), String>) {
    let mut failures = Vec::new();
    for case in cases::all() {
        for point in &case.points {
            if let Err(e) = check(&case, point) {
                let shapes: Vec<String> = point.iter().map(|v| v.shape().to_string()).collect();
                failures.push(format!("{} at {}: {e}", case.name, shapes.join(", ")));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn derivatives_are_those_of_finite_differences() {
    every_case(|case, point| check_grads(case.f, point, case.order).map_err(|e| e.to_string()));
}

/// The rules' branches for inputs that are constants.
#[test]
fn derivatives_with_respect_to_one_input_alone() {
    every_case(|case, point| {
        if point.len() < 2 {
            return Ok(());
        }
        (0..point.len()).try_for_each(|k| {
            let f = |v: &[Var<f64>]| {
                let mut inputs = point.to_vec();
                inputs[k] = v[0].clone();
                (case.f)(&inputs)
            };
            check_grads(f, &point[k..=k], case.order).map_err(|e| format!("input {k} alone: {e}"))
        })
    });
}

/// `f(x, x)`: one slot for two inputs.
#[test]
fn derivatives_where_all_inputs_are_the_same_variable() {
    let mut count = 0;
    for case in cases::all() {
        for point in case.points.iter().filter(|p| p.len() > 1) {
            if point.iter().any(|v| v.shape() != point[0].shape()) {
                continue;
            }
            // The last, because a divisor is chosen away from 0.
            let x = point.last().unwrap();
            let f = |v: &[Var<f64>]| (case.f)(&vec![v[0].clone(); point.len()]);
            if let Err(e) = check_grads(f, std::slice::from_ref(x), case.order) {
                panic!("{} of the same variable of shape {}: {e}", case.name, x.shape());
            }
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} cases have inputs of one shape");
}

/// The same elements in every other position of each axis, the first axis backwards, among NaNs.
fn view(x: &Var<f64>) -> Var<f64> {
    if x.rank() == 0 {
        return x.broadcast_to([2]).select(0, 1);
    }
    let odd = Slice::from(1..).step(2);
    let among_nans = (0..x.rank()).fold(x.value().flip(0), |part, axis| {
        let mut shape = part.shape().to_vec();
        shape[axis] *= 2;
        let mut whole = Tensor::full(shape, f64::NAN);
        whole.slice_assign(axis, odd, &part);
        whole
    });
    Var::constant((0..x.rank()).fold(among_nans, |t, axis| t.slice_axis(axis, odd)).flip(0))
}

#[test]
fn views_give_what_contiguous_copies_give() {
    every_case(|case, point| {
        let (y, pullback) = vjp(|v: &Vec<Var<f64>>| (case.f)(v), &point.to_vec());
        let views: Vec<Var<f64>> = point.iter().map(view).collect();
        for (v, x) in views.iter().zip(point) {
            assert_eq!(v.value().to_vec(), x.value().to_vec());
        }
        let (of_views, pullback_of_views) = vjp(|v: &Vec<Var<f64>>| (case.f)(v), &views);
        close("value", &y, &of_views)?;
        let cotangent = Var::constant(Tensor::from_fn(y.shape(), |i| 0.5 + i.iter().sum::<usize>() as f64));
        let direct = pullback.apply(&cotangent);
        let through_views = pullback_of_views.apply(&view(&cotangent));
        direct.iter().zip(&through_views).try_for_each(|(a, b)| close("gradient", a, b))
    });
}

/// A product that is linear in its direction has the same derivative at a direction of 0 as anywhere.
#[test]
fn products_along_nothing_have_derivatives_too() {
    every_case(|case, point| {
        let f = |x: &Vec<Var<f64>>| (case.f)(x);
        let point = point.to_vec();
        let along = |salt: usize| -> Vec<Var<f64>> {
            let number = |i: &[usize]| ((i.iter().sum::<usize>() + salt) as f64).sin() + 1.5;
            point.iter().map(|x| Var::constant(Tensor::from_fn(x.shape(), number))).collect()
        };
        let dot =
            |a: &[Var<f64>], b: &[Var<f64>]| a.iter().zip(b).map(|(a, b)| (a * b).sum()).sum::<Var<f64>>();
        let nothing: Vec<Var<f64>> = point.iter().map(|x| Var::zeros(x.shape())).collect();
        let (y, pullback) = vjp(f, &point);
        let weights = Var::constant(Tensor::from_fn(y.shape(), |i| 0.5 + i.iter().sum::<usize>() as f64));
        let forwards = grad(|t: &Vec<Var<f64>>| (jvp(f, &point, t).1 * &weights).sum(), &nothing);
        pullback.apply(&weights).iter().zip(&forwards).try_for_each(|(a, b)| close("gradient", a, b))?;
        // The Hessian is symmetric.
        let (total, u) = (|x: &Vec<Var<f64>>| (f(x) * &weights).sum(), along(0));
        let product = grad(|t: &Vec<Var<f64>>| dot(&u, &hvp(total, &point, t)), &nothing);
        hvp(total, &point, &u).iter().zip(&product).try_for_each(|(a, b)| close("Hessian product", a, b))
    });
}

fn close(what: &str, a: &Var<f64>, b: &Var<f64>) -> Result<(), String> {
    if a.shape() != b.shape() {
        return Err(format!("{what}: shapes {} and {}", a.shape(), b.shape()));
    }
    let mut pairs = a.value().to_vec().into_iter().zip(b.value().to_vec());
    // A NaN on either side is not close.
    match pairs.find(|(a, b)| !matches!((a - b).abs(), d if d <= 1e-13 * (1.0 + a.abs()))) {
        Some((a, b)) => Err(format!("{what}: {a} and {b}")),
        None => Ok(()),
    }
}

/// The texts of all files in a folder and its folders.
fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![std::fs::read_to_string(path).unwrap()],
    };
    entries.flat_map(texts).collect()
}

/// The names of the operations on variables that the sources define.
fn operations_in_sources() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    scan(&std::fs::read_to_string(folder.join("algebra/functions.rs")).unwrap(), &mut found);
    let compiled = |source: &&String| cfg!(feature = "fft") || !source.contains("with the feature `fft`");
    sources(&folder.join("ops")).iter().filter(compiled).for_each(|source| scan(source, &mut found));
    found
}

fn scan(source: &str, found: &mut BTreeSet<String>) {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut methods_of_var = false;
    let mut table = false;
    let mut operator = false;
    for line in source.lines() {
        if line.starts_with("impl") {
            methods_of_var = line.contains(" Var<T>") && !line.contains(" for ");
        }
        // A table of functions of one variable: `name, Type, …`.
        let starts = ["unary!", "macro_rules! for_each_function"].iter().any(|start| line.starts_with(start));
        table = (table || starts) && !line.starts_with('}');
        if table
            && line.starts_with("    ")
            && line.trim_start().starts_with(|c: char| c.is_ascii_lowercase())
        {
            if let Some((first, rest)) = line.trim_start().split_once(", ")
                && rest.starts_with(|c: char| c.is_ascii_uppercase())
            {
                found.insert(name(first));
            }
        } else if let Some(rest) = line.strip_prefix("    pub fn ")
            && methods_of_var
        {
            found.insert(name(rest));
        } else if operator {
            found.insert(name(line.trim_start()).to_lowercase());
        }
        operator = line == "operator!(";
    }
}

#[test]
fn every_operation_has_a_case() {
    let defined = operations_in_sources();
    // That the scan itself works.
    for name in [
        "exp",
        "relu",
        "add",
        "div",
        "powf",
        "matmul",
        "cat",
        "gather",
        "prod_axis",
        "select_where",
        "std_axes",
        "argsort",
    ] {
        assert!(defined.contains(name), "the scan of the sources does not find {name}");
    }
    let tested: BTreeSet<String> = cases::all().iter().map(|c| c.operation().to_owned()).collect();
    let missing: Vec<&String> = defined.difference(&tested).collect();
    assert!(missing.is_empty(), "operations without a line in tests/cases: {missing:?}");
    let unknown: Vec<&String> = tested.difference(&defined).filter(|n| *n != "neg").collect();
    assert!(unknown.is_empty(), "cases of operations that do not exist: {unknown:?}");
}
