//! The derivative of a function of one number: first, second and third order.

use wengert::prelude::*;

fn main() {
    let f = |x: &Var<f64>| (x * x).sin() + x.exp() / 2.0;

    let x = Var::scalar(1.2);
    let first = |x: &Var<f64>| grad(f, x);
    let second = |x: &Var<f64>| grad(first, x);
    println!("f(x)    = sin(x²) + eˣ/2 at x = {}", x.item());
    println!("f(x)    = {:.12}", f(&x).item());
    println!("f'(x)   = {:.12}", first(&x).item());
    println!("f''(x)  = {:.12}", second(&x).item());
    println!("f'''(x) = {:.12}", grad(second, &x).item());

    // By hand: f' = 2x·cos(x²) + eˣ/2.
    let by_hand = 2.0 * 1.2 * 1.44f64.cos() + 1.2f64.exp() / 2.0;
    println!("f'(x) by hand differs by {:.1e}", (first(&x).item() - by_hand).abs());
}
