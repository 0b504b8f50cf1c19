//! Jacobians and Hessians against each other and against finite differences, and what structures arguments may have.

use wengert_tape::{
    HessianOperator, Sweep, Tape, Var, check_grads, grad, hessian, hvp, jacobian_forward, jacobian_reverse,
    jvp, linearize, value_and_grad, vjp,
};
use wengert_tensor::Tensor;

/// From a matrix to a vector.
fn map(x: &Var<f64>) -> Var<f64> {
    x.tanh().matmul(&x.slice(..1).t()).reshape([-1]) * x.sum() + x.exp().sum_axes(1, false)
}

fn point() -> Var<f64> {
    Var::from([[0.5, -1.0, 0.25], [1.5, 0.75, -0.5]])
}

fn assert_close(found: &Var<f64>, expected: &Var<f64>, tolerance: f64) {
    assert_eq!(found.shape(), expected.shape());
    assert!(found.value().all_close(expected.value(), tolerance, tolerance), "{found}\nis not\n{expected}");
}

/// The derivative of `f`, of shape `[value…, x…]`, by central differences.
fn differences(f: impl Fn(&Var<f64>) -> Var<f64>, x: &Var<f64>) -> Var<f64> {
    let h = 1e-5;
    let moved = |i: usize, h: f64| {
        let mut values = x.value().to_vec();
        values[i] += h;
        f(&Var::constant(Tensor::from_vec(values, x.shape()).unwrap())).reshape([-1, 1])
    };
    let columns: Vec<Var<f64>> = (0..x.len()).map(|i| (moved(i, h) - moved(i, -h)) / (2.0 * h)).collect();
    let shape: Vec<usize> = f(x).shape().iter().chain(x.shape().iter()).copied().collect();
    Var::cat(&columns.iter().collect::<Vec<_>>(), 1)
        .reshape(&shape.iter().map(|&d| d as isize).collect::<Vec<_>>()[..])
}

#[test]
fn jacobians_of_both_modes_and_of_differences() {
    let x = point();
    let forward = jacobian_forward(map, &x);
    assert_eq!(forward.shape(), &[2, 2, 3]);
    assert_close(&forward, &jacobian_reverse(map, &x), 1e-14);
    assert_close(&forward, &differences(map, &x), 1e-8);
}

#[test]
fn hessians_are_symmetric_and_the_jacobian_of_the_gradient() {
    let x = point();
    let f = |x: &Var<f64>| map(x).square().sum();
    let h = hessian(f, &x);
    assert_eq!(h.shape(), &[2, 3, 2, 3]);
    assert_close(&h, &h.permute([2, 3, 0, 1]), 1e-13);
    assert_close(&h, &jacobian_forward(|x: &Var<f64>| grad(f, x), &x), 1e-13);
    assert_close(&h, &jacobian_reverse(|x: &Var<f64>| grad(f, x), &x), 1e-13);
    assert_close(&h, &jacobian_reverse(|x: &Var<f64>| jacobian_forward(f, x), &x), 1e-13);
    assert_close(&h, &differences(|x| grad(f, x), &x), 1e-7);
    let v = Var::from([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]);
    let product = h.reshape([6, 6]).matmul(&v.reshape([6])).reshape([2, 3]);
    assert_close(&hvp(f, &x, &v), &product, 1e-13);
}

#[test]
fn scalars_and_nothing() {
    let square = |x: &Var<f64>| x * x;
    let x = Var::scalar(3.0);
    assert_eq!((jacobian_forward(square, &x).item(), jacobian_reverse(square, &x).item()), (6.0, 6.0));
    assert_eq!(hessian(square, &x).item(), 2.0);
    assert_eq!(hessian(square, &x).rank(), 0);
    let none = Var::<f64>::zeros([0]);
    assert_eq!(jacobian_forward(square, &none).shape(), &[0, 0]);
    assert_eq!(jacobian_reverse(square, &none).shape(), &[0, 0]);
    assert_eq!(hessian(|x: &Var<f64>| x.sum(), &none).shape(), &[0, 0]);
    assert_eq!(jacobian_reverse(|x: &Var<f64>| x.slice(..0), &point()).shape(), &[0, 3, 2, 3]);
}

/// ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩ on one recording.
#[test]
fn push_forward_and_pull_back_are_transposes() {
    let tape = Tape::new();
    let x = tape.var(point().into_value());
    let y = map(&x);
    let (u, v) = (Var::from([0.5, -2.0]), Var::from([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]));
    let forward = tape.push_forward(&[&y], &[&x], std::slice::from_ref(&v)).remove(0).unwrap();
    let back = tape.pull_back(&y, u.clone(), &[&x], Sweep::Retain).remove(0).unwrap();
    let (a, b) = ((forward * u).sum().item(), (back * v).sum().item());
    assert!((a - b).abs() < 1e-13 * a.abs(), "{a} {b}");
}

#[test]
fn operators_are_applied_any_number_of_times() {
    let x = point();
    let (value, derivative) = linearize(map, &x);
    let (_, pullback) = vjp(map, &x);
    let operator = HessianOperator::new(|x: &Var<f64>| map(x).sum(), &x);
    assert_eq!(value.value().to_vec(), map(&x).value().to_vec());
    for scale in [1.0, -2.0, 0.0] {
        let v = Var::ones([2, 3]) * scale;
        assert_close(&derivative.apply(&v), &jvp(map, &x, &v).1, 1e-15);
        assert_close(&operator.apply(&v), &hvp(|x: &Var<f64>| map(x).sum(), &x, &v), 1e-15);
        let u = Var::from([scale, 1.0]);
        assert_close(&pullback.apply(&u), &grad(|x: &Var<f64>| (map(x) * &u).sum(), &x), 1e-14);
    }
    assert_close(&operator.gradient(), &grad(|x: &Var<f64>| map(x).sum(), &x), 1e-15);
    assert_eq!(operator.value().item(), map(&x).sum().item());
}

#[test]
fn structures_of_arguments() {
    let (a, b, c) = (Var::from([1.0, 2.0]), Var::scalar(3.0), Var::from([[0.5, 0.25]]));
    let f = |a: &Var<f64>, b: &Var<f64>, c: &Var<f64>| (a.square() * b * c).sum();
    let list = grad(|v: &Vec<Var<f64>>| f(&v[0], &v[1], &v[2]), &vec![a.clone(), b.clone(), c.clone()]);
    let array = grad(|[a, b, c]: &[Var<f64>; 3]| f(a, b, c), &[a.clone(), b.clone(), c.clone()]);
    let tuple = grad(|(a, b, c): &(_, _, _)| f(a, b, c), &(a.clone(), b.clone(), c.clone()));
    let expected = [vec![3.0, 3.0], vec![1.5], vec![3.0, 12.0]];
    for (found, expected) in list.iter().zip(&expected) {
        assert_eq!(&found.value().to_vec(), expected);
    }
    assert_eq!(array.map(|v| v.value().to_vec()), expected);
    assert_eq!([tuple.0, tuple.1, tuple.2].map(|v| v.value().to_vec()), expected);
    let (value, _) = value_and_grad(|(a, b): &(Var<f64>, Var<f64>)| f(a, b, &c), &(a.clone(), b.clone()));
    assert_eq!(value.item(), 3.0 * (0.5 + 4.0 * 0.25));
}

/// A bias that is broadcast both in the function and in its derivative.
#[test]
fn broadcasts_are_undone_once_at_every_order() {
    let x = Var::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let f = |b: &Var<f64>| (&x * b * b).sum();
    let b = Var::from([1.0, -1.0, 2.0]);
    assert_eq!(grad(f, &b).value().to_vec(), [10.0, -14.0, 36.0]);
    assert_eq!(hvp(f, &b, &Var::ones([3])).value().to_vec(), [10.0, 14.0, 18.0]);
    let scalar = Var::scalar(2.0);
    assert_eq!(grad(|s: &Var<f64>| (&x * s * s).sum(), &scalar).item(), 84.0);
    let second = grad(|s: &Var<f64>| grad(|s: &Var<f64>| (&x * s * s).sum(), s), &scalar);
    assert_eq!((second.item(), second.rank()), (42.0, 0));
}

/// x³ with a derivative that is c · x².
mod cube {
    use wengert_tape::{Elementwise, Real};

    #[derive(Clone)]
    pub(super) struct Cube(pub(super) f64);

    impl Elementwise for Cube {
        fn f<A: Real>(&self, x: A) -> A {
            x.powi(3)
        }
        fn df<A: Real>(&self, x: A, _: A) -> A {
            x.powi(2) * self.0
        }
    }
}

/// The check itself finds wrong rules.
#[test]
fn wrong_rules_are_found() {
    let x = [Var::from([0.7, -0.4])];
    check_grads(|v| v[0].apply(cube::Cube(3.0)), &x, 2).unwrap();
    let error = check_grads(|v| v[0].apply(cube::Cube(3.00001)), &x, 1).unwrap_err();
    assert!(error.check.contains("order 1: jvp against finite differences"), "{error}");
    // Right to first order: the slope is hidden from the second.
    let hidden = |v: &[Var<f64>]| {
        let slope = v[0].square().stop_gradient() * 3.0;
        &slope * &v[0] - slope * v[0].stop_gradient() + v[0].powi(3).stop_gradient()
    };
    check_grads(hidden, &x, 1).unwrap();
    let error = check_grads(hidden, &x, 2).unwrap_err();
    assert!(error.to_string().contains("order 2: jvp against finite differences"), "{error}");
    let nan = check_grads(|v| v[0].ln(), &x, 1).unwrap_err();
    assert!(nan.to_string().contains("NaN"), "{nan}");
}
