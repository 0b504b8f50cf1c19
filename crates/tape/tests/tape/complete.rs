//! Complete recordings: what they hold, and what ordinary ones do not.

use wengert_tape::{Data, Index, Kind, Sweep, Tape, Var, checkpoint, grad, hvp};
use wengert_tensor::Tensor;

use crate::interpreter::{Inputs, Program, bits};

fn names<T: wengert_tensor::Float>(tape: &Tape<T>) -> Vec<String> {
    tape.steps().iter().map(|step| step.name().to_owned()).collect()
}

#[test]
fn an_ordinary_tape_holds_nothing_for_replays() {
    let tape = Tape::new();
    let x = tape.var([3.0f64, 1.0, 2.0]);
    let y = x.sort(0, false) * Var::from([1.0, 2.0, 3.0]);
    let masked = y.masked_fill(y.gt(2.0), 0.0);
    assert_eq!(names(&tape), ["input", "gather", "mul", "select_where"]);
    assert_eq!(tape.steps()[2].inputs(), [Some(1), None]);
    assert!(
        tape.position(&x.argsort(0, false)).is_none() && tape.position(&x.stop_gradient().exp()).is_none()
    );
    assert!(masked.is_tracked());
}

#[test]
fn a_complete_tape_holds_constants_decisions_and_what_no_derivative_reaches() {
    let tape = Tape::complete();
    let x = tape.var([3.0f64, 1.0, 2.0]);
    let y = x.stop_gradient().sort(0, false) * Var::from([1.0, 2.0, 3.0]);
    let top = y.argmax(0);
    assert_eq!(names(&tape), ["input", "argsort", "gather", "constant", "mul", "argmax"]);
    let steps = tape.steps();
    assert_eq!(steps[2].inputs(), [Some(0), Some(1)]);
    assert_eq!(steps[3].constant().unwrap().float().to_vec(), [1.0, 2.0, 3.0]);
    assert_eq!([1, 2, 5].map(|i: usize| steps[i].kind()), [Kind::Index, Kind::Float, Kind::Index]);
    assert_eq!(
        (steps[1].attributes().to_string(), steps[5].shape().to_string()),
        ("axis=0, descending=false".into(), "[]".into())
    );
    assert_eq!((tape.position(&top), top.value().item()), (Some(5), 2));
    assert!(!y.is_tracked());
}

#[test]
fn the_inside_of_a_checkpoint_is_recorded() {
    let g = |x: &Var<f64>| checkpoint(|v| v[0].sin().exp().sort(0, false).tanh(), &[x]).square().sum();
    let all = |x: &Var<f64>, v: &Var<f64>| [g(x), grad(g, x), hvp(g, x, v)];
    let tape = Tape::complete();
    let (x, v) = (tape.var([0.3, -0.2, 1.0]), tape.var([1.0, 2.0, 3.0]));
    let program = Program::new(&tape, &all(&x, &v));
    assert!(program.steps().all(|(_, step)| step.name() != "checkpoint"));
    let (new, along) = (Tensor::from([0.9, 0.1, -1.1]), Tensor::from([-1.0, 0.5, 0.25]));
    let inputs =
        Inputs::new().set(&tape, &x, Data::Float(new.clone())).set(&tape, &v, Data::Float(along.clone()));
    let eager = all(&Var::constant(new), &Var::constant(along));
    for (a, b) in program.run(&inputs).iter().zip(&eager) {
        assert_eq!(bits(a), bits(b.value()));
    }
}

/// Derivatives of a recording that is swept itself are recorded on the complete tape round it.
#[test]
fn sweeps_of_explicit_tapes_are_recorded() {
    let f = |x: &Var<f64>| (x.matmul(x) + x.exp()).matmul(x).sum();
    let both = |x: &Var<f64>| {
        let tape = Tape::nested();
        let inner = tape.enter(x);
        let y = f(&inner);
        let kept = tape.pull_back(&y, Var::scalar(1.0), &[&inner], Sweep::Retain).remove(0).unwrap();
        let along = tape.push_forward(&[&y], &[&inner], std::slice::from_ref(&kept)).remove(0).unwrap();
        [kept, along, tape.gradients(&y, &[&inner]).remove(0)]
    };
    let tape = Tape::complete();
    let x = tape.var([[0.3, -0.2], [1.0, 0.5]]);
    let program = Program::new(&tape, &both(&x));
    let new = Tensor::from([[0.1, 2.0], [-1.5, 0.25]]);
    let replayed = program.run(&Inputs::new().set(&tape, &x, Data::Float(new.clone())));
    for (a, b) in replayed.iter().zip(&both(&Var::constant(new))) {
        assert_eq!(bits(a), bits(b.value()));
    }
}

#[test]
fn drawings_show_every_step() {
    let tape = Tape::complete();
    let x = tape.var([[3.0f64, 1.0], [2.0, 5.0]]);
    let index = tape.discrete(Tensor::vector(&[0u32, 1]));
    let y = x.index_select(1, &index).softmax_cross_entropy(&index, 0.1).mean();
    let (dot, mermaid) = (tape.to_dot(), tape.to_mermaid());
    for (number, step) in tape.steps().iter().enumerate() {
        assert!(dot.contains(&format!("\n  {number} [label=\"{}", step.name())), "{dot}");
        assert!(mermaid.contains(&format!("\n  {number}")) && mermaid.contains(step.name()), "{mermaid}");
        for input in step.inputs().iter().flatten() {
            assert!(dot.contains(&format!("\n  {input} -> {number};")), "{dot}");
        }
    }
    assert!(
        dot.contains("smoothing=0.1") && dot.contains("index [2]") && mermaid.contains("1 -.-> 2"),
        "{mermaid}"
    );
    assert!(tape.position(&y).is_some());
}

/// The drawing in the guide is that of its program.
#[test]
fn the_guide_shows_what_is_drawn() {
    let tape = Tape::complete();
    let x = tape.var([[0.5f64, 1.0, -1.0], [1.5, 0.0, 2.0]]);
    let labels: Index<f64> = tape.discrete(Tensor::vector(&[1u32, 0]));
    let w = tape.var([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]);
    let gradient = grad(|w: &Var<f64>| x.matmul(w).softmax_cross_entropy(&labels, 0.0).sum(), &w);
    let _moved = &w - gradient * 0.1;
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/recordings.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    assert!(
        guide.contains(&format!("```mermaid\n{}```", tape.to_mermaid())),
        "{}{}",
        tape.to_mermaid(),
        tape.to_dot()
    );
}
