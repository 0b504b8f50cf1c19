//! Linear algebra: against PyTorch (`../golden/linalg.py`), where there is no result, and where factors are not unique.

use serde_json::Value;
use wengert_tape::{LinalgError, MatrixNorm, Triangle, Var, grad, hvp, value_and_grad};
use wengert_tensor::parallel::with_threads;
use wengert_tensor::{Float, Tensor};

fn array<T: Float>(json: &Value) -> Var<T> {
    let numbers = |key: &str| -> Vec<f64> {
        json[key].as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
    };
    let shape: Vec<usize> = numbers("shape").into_iter().map(|d| d as usize).collect();
    let data = numbers("data").into_iter().map(T::from_f64).collect();
    Var::constant(Tensor::from_vec(data, shape).expect("as many numbers as the shape has"))
}

/// V diag(tanh λ) Vᵀ, which does not depend on the signs of the vectors.
fn of_eigenvalues<T: Float>(a: &Var<T>) -> Var<T> {
    let (values, vectors) = a.eigh().unwrap();
    (&vectors * values.tanh().unsqueeze(-2)).matmul(&vectors.t())
}

fn apply<T: Float>(name: &str, v: &[Var<T>]) -> Var<T> {
    let a = &v[0];
    let upper = Triangle { upper: true, ..Triangle::default() };
    let result = match name {
        "solve" | "solve_vector" | "solve_batch" => a.solve(&v[1]),
        "inv" => a.inv(),
        "det" => a.det(),
        "slogdet" => a.slogdet().map(|(_, log)| log),
        "matrix_exp" => a.matrix_exp(),
        "pinv" => a.pinv(None),
        "lstsq" => a.lstsq(&v[1]),
        "lower" => a.solve_triangular(Triangle::default(), &v[1]),
        "upper" => a.solve_triangular(upper, &v[1]),
        "cholesky" => (a.matmul(&a.t()) + Var::constant(Tensor::eye(a.shape()[a.rank() - 1]))).cholesky(),
        "qr_q" => a.qr().map(|(q, _)| q),
        "qr_r" => a.qr().map(|(_, r)| r),
        "lu_l" => a.lu().map(|lu| lu.l),
        "lu_u" => a.lu().map(|lu| lu.u),
        "eigh" => Ok(of_eigenvalues(a)),
        "eigvalsh" => a.eigvalsh(),
        "svd" => a.svd().map(|f| (f.u * f.s.tanh().unsqueeze(-2)).matmul(&f.vt)),
        "svdvals" => a.svdvals(),
        "cond" => a.cond(),
        "matrix_power" => a.matrix_power(5),
        "matrix_power_negative" => a.matrix_power(-3),
        "norm_fro" => a.matrix_norm(MatrixNorm::Frobenius),
        "norm_nuc" => a.matrix_norm(MatrixNorm::Nuclear),
        "norm_2" => a.matrix_norm(MatrixNorm::Spectral),
        "norm_-2" => a.matrix_norm(MatrixNorm::SmallestSingularValue),
        "norm_1" => a.matrix_norm(MatrixNorm::MaxColumnSum),
        "norm_-1" => a.matrix_norm(MatrixNorm::MinColumnSum),
        "norm_inf" => a.matrix_norm(MatrixNorm::MaxRowSum),
        "norm_-inf" => a.matrix_norm(MatrixNorm::MinRowSum),
        _ => panic!("no function {name}"),
    };
    result.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The largest difference, relative to the largest element.
fn error<T: Float>(found: &Var<T>, expected: &Value) -> f64 {
    let expected = array::<f64>(expected);
    assert_eq!(found.shape(), expected.shape());
    let expected = expected.value().to_vec();
    let pairs = found.value().to_vec().into_iter().zip(&expected);
    let difference = pairs.map(|(f, e)| (f.to_f64() - e).abs()).fold(0.0, f64::max);
    difference / expected.iter().fold(1e-300, |max, e| e.abs().max(max))
}

fn compare<T: Float>(tolerance: f64) {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/linalg.json")).expect("the file is JSON");
    let cases = golden.as_array().unwrap();
    assert_eq!(cases.len(), 54);
    let mut failures = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let inputs: Vec<Var<T>> = case["inputs"].as_array().unwrap().iter().map(array).collect();
        let output = apply(name, &inputs);
        let weights = match output.len() {
            1 => Tensor::full([1], T::from_f64(-1.0)),
            n => Tensor::linspace(-1.0, 2.0, n),
        };
        let weights = Var::constant(weights.reshape(output.shape()));
        let loss = |v: &Vec<Var<T>>| (apply(name, v) * &weights).sum();
        let mut errors = vec![error(&output, &case["output"])];
        let (_, grads) = value_and_grad(loss, &inputs);
        errors.extend(grads.iter().zip(case["grads"].as_array().unwrap()).map(|(g, e)| error(g, e)));
        if errors.iter().any(|error| error.is_nan() || *error > tolerance) {
            failures.push(format!("{name} {}: {errors:.1?}", inputs[0].shape()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn as_pytorch_in_double_precision() {
    compare::<f64>(1e-9);
}

#[test]
fn as_pytorch_in_single_precision() {
    compare::<f32>(1e-5);
}

#[test]
fn matrices_without_a_result() {
    let singular = Var::from([[1.0f64, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
    let b = Var::from([1.0, 2.0, 3.0]);
    for error in
        [singular.solve(&b), singular.inv(), singular.logdet(), singular.lstsq(&b)].map(Result::unwrap_err)
    {
        assert_eq!(error.cause(), LinalgError::Singular { row: 2 }, "{error}");
    }
    assert!(singular.det().unwrap().item().abs() < 1e-14);
    // One bad matrix in a batch, and which.
    let batch = Var::stack(&[Var::from([[2.0, 0.0], [0.0, 1.0]]), Var::from([[1.0, 2.0], [2.0, 1.0]])], 0);
    let error = batch.cholesky().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cholesky: the matrix is not positive definite (row 1); matrix 1 of 2, counted from 0"
    );
    assert_eq!((error.operation(), error.matrix()), ("cholesky", 1));
    assert_eq!(batch.logdet().unwrap_err().cause(), LinalgError::NegativeDeterminant);
    let (sign, log) = Var::<f64>::zeros([2, 2]).slogdet().unwrap();
    assert_eq!((sign.item(), log.item()), (0.0, f64::NEG_INFINITY));
    let zero =
        Var::from([[1.0, 0.0], [5.0, 0.0]]).solve_triangular(Triangle::default(), &Var::from([1.0, 1.0]));
    assert_eq!(zero.unwrap_err().to_string(), "solve_triangular: the matrix is singular (row 1)");
    // NaN and infinity are refused by name.
    let nan = Var::from([[f64::NAN, 0.0], [0.0, 1.0]]);
    let b = Var::from([1.0, 1.0]);
    let errors = [
        nan.solve(&b).unwrap_err(),
        nan.inv().unwrap_err(),
        nan.cholesky().unwrap_err(),
        nan.qr().map(drop).unwrap_err(),
        nan.lu().map(drop).unwrap_err(),
        nan.eigh().map(drop).unwrap_err(),
        nan.svd().map(drop).unwrap_err(),
        nan.det().unwrap_err(),
        nan.matrix_exp().unwrap_err(),
        nan.pinv(None).unwrap_err(),
        nan.lstsq(&b).unwrap_err(),
        nan.cond().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.cause(), LinalgError::NotFinite, "{error}");
    }
}

#[test]
fn repeated_eigenvalues_and_singular_values() {
    let eye = Var::constant(Tensor::<f64>::eye(3));
    // The sum of the squares of the eigenvalues is Σ a², that of the singular values too; their gradient is 2 A.
    let squares = [
        grad(|a: &Var<f64>| a.eigvalsh().unwrap().square().sum(), &eye),
        grad(|a: &Var<f64>| a.svdvals().unwrap().square().sum(), &eye),
    ];
    for gradient in squares {
        assert!((gradient - &eye * 2.0).abs().max().item() < 1e-14);
    }
    // A smooth function of the matrix, at a matrix with an eigenvalue that occurs twice to rounding.
    let q = Var::from([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]]);
    let a = (&q * Var::from([2.0, 2.0, -1.0])).matmul(&q.t());
    let gradient = grad(|a: &Var<f64>| (of_eigenvalues(a) * &a.detach()).sum(), &a);
    assert!(gradient.value().to_vec().iter().all(|x| x.is_finite() && x.abs() < 10.0));
    let product = hvp(|a: &Var<f64>| of_eigenvalues(a).sum(), &a, &q);
    assert!(product.value().to_vec().iter().all(|x| x.is_finite()));
    // Singular values of 0, and matrices of zeros.
    let rank_one = Var::from([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]]);
    for a in [rank_one, Var::zeros([2, 3])] {
        let gradient = grad(|a: &Var<f64>| a.matrix_norm(MatrixNorm::Nuclear).unwrap(), &a);
        assert!(gradient.value().to_vec().iter().all(|x| x.is_finite() && x.abs() <= 1.0 + 1e-15));
    }
}

/// Finite matrices whose elements are far apart, or whose sums leave the range.
#[test]
fn matrices_at_the_ends_of_the_range() {
    let far = Var::from([[2.3e-308, 0.5], [0.0, 1.7e308]]);
    let gradient = grad(|a: &Var<f64>| a.det().unwrap(), &far).value().to_vec();
    assert!((gradient[0] / 1.7e308 - 1.0).abs() < 1e-15 && gradient.iter().all(|x| x.is_finite()));
    assert_eq!(far.eigvalsh().unwrap().value().to_vec(), [2.3e-308, 1.7e308]);
    assert!(far.pinv(None).unwrap().value().to_vec().iter().all(|x| x.is_finite()));
    let near = Var::from([[1.0, 1e-160], [1.0, 2e-160]]).svdvals().unwrap().value().to_vec();
    assert!((near[1] / 0.5f64.sqrt() / 1e-160 - 1.0).abs() < 1e-14, "{near:?}");
}

#[test]
fn ranks_and_rows() {
    let a = Var::from([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 1e-20]], [[1.0, 0.0], [0.0, 1e-3]]]);
    assert_eq!(a.matrix_rank(None).unwrap().to_vec(), [1, 1, 2]);
    assert_eq!(a.matrix_rank(Some(1e-2)).unwrap().to_vec(), [1, 1, 1]);
    assert_eq!(Var::<f32>::zeros([2, 0, 3]).matrix_rank(None).unwrap().to_vec(), [0, 0]);
    let wide = Var::from([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    let lu = wide.lu().unwrap();
    let ordered = wide.gather(-2, &lu.rows);
    assert_eq!(ordered.value().to_vec(), lu.l.matmul(&lu.u).value().to_vec());
    assert_eq!(lu.p.matmul(&ordered).value().to_vec(), wide.value().to_vec());
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let numbers: Vec<f64> = (0..3 * 40 * 40).map(|i| ((i * i % 1009) as f64).sin()).collect();
    let all = |threads| {
        with_threads(threads, || {
            let a = Var::constant(Tensor::vector(&numbers).reshape([3, 40, 40]));
            let value =
                |f: fn(&Var<f64>) -> Var<f64>| grad(|a: &Var<f64>| f(a).sum(), &a).into_value().to_vec();
            [
                value(|a| a.inv().unwrap()),
                value(|a| a.qr().unwrap().1),
                value(|a| a.svdvals().unwrap()),
                value(of_eigenvalues),
                value(|a| (a * 0.01).matrix_exp().unwrap()),
            ]
        })
    };
    let one = all(1);
    assert!(one.iter().flatten().all(|x| x.is_finite()));
    assert_eq!(one, all(3));
}
