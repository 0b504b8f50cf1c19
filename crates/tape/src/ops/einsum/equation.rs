//! What an equation says, as numbers of labels.

use wengert_tensor::Shape;

/// The letters; axes that `...` stands for have the numbers behind them, counted from the last such axis.
const LETTERS: usize = 52;

/// An equation for operands of certain shapes.
pub(super) struct Equation {
    /// The label of each axis of each operand.
    pub(super) inputs: Vec<Vec<usize>>,
    /// The labels of the result's axes.
    pub(super) output: Vec<usize>,
    /// The length of each label, the longest where it broadcasts; 1 of those that do not occur.
    pub(super) lengths: Vec<usize>,
}

/// What stands for an axis, or for several.
#[derive(Clone, Copy, PartialEq)]
enum Term {
    Label(usize),
    Ellipsis,
}

impl Equation {
    /// # Panics
    /// If the equation is none, or does not fit the shapes.
    #[track_caller]
    pub(super) fn new(text: &str, shapes: &[&Shape]) -> Self {
        assert!(!shapes.is_empty(), "einsum: {text:?} has no operands");
        let (inputs, output) = match text.split_once("->") {
            Some((inputs, output)) => (inputs, Some(terms(text, output))),
            None => (text, None),
        };
        // Loops, since a closure would lose the caller's line.
        let mut given: Vec<Vec<Term>> = Vec::new();
        for part in inputs.split(',') {
            given.push(terms(text, part));
        }
        let inputs = given;
        assert!(
            inputs.len() == shapes.len(),
            "einsum: {text:?} has subscripts for {} operands, but there are {}",
            inputs.len(),
            shapes.len()
        );
        let mut hidden = Vec::with_capacity(shapes.len());
        for (operand, (terms, shape)) in inputs.iter().zip(shapes).enumerate() {
            hidden.push(hidden_axes(text, operand, terms, shape));
        }
        let broadcast = hidden.iter().copied().max().unwrap_or(0);
        let output = match output {
            Some(output) => {
                check_output(text, &output, &inputs);
                expanded(&output, broadcast)
            }
            None => implicit_output(&inputs, broadcast),
        };
        let inputs: Vec<Vec<usize>> = inputs.iter().zip(hidden).map(|(t, n)| expanded(t, n)).collect();
        let lengths = label_lengths(text, &inputs, shapes, broadcast);
        Equation { inputs, output, lengths }
    }
}

/// One operand's subscripts.
#[track_caller]
fn terms(text: &str, part: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = part.trim_start();
    while let Some(letter) = rest.chars().next() {
        let width = if rest.starts_with("...") { 3 } else { letter.len_utf8() };
        terms.push(match letter {
            'A'..='Z' => Term::Label(letter as usize - 'A' as usize),
            'a'..='z' => Term::Label(letter as usize - 'a' as usize + 26),
            '.' if width == 3 => Term::Ellipsis,
            _ => panic!(
                "einsum: {letter:?} in {text:?} is no subscript: there are the letters a-z and A-Z, and `...`"
            ),
        });
        rest = rest[width..].trim_start();
    }
    let ellipses = terms.iter().filter(|t| **t == Term::Ellipsis).count();
    assert!(ellipses <= 1, "einsum: {:?} in {text:?} has `...` {ellipses} times", part.trim());
    terms
}

/// How many axes `...` stands for in operand number `operand`.
#[track_caller]
fn hidden_axes(text: &str, operand: usize, terms: &[Term], shape: &Shape) -> usize {
    let ellipsis = terms.contains(&Term::Ellipsis);
    let named = terms.len() - usize::from(ellipsis);
    let fits = if ellipsis { named <= shape.len() } else { named == shape.len() };
    assert!(
        fits,
        "einsum: {text:?} has {named} subscripts for operand {operand}, whose shape {shape} has {} axes",
        shape.len()
    );
    shape.len() - named
}

/// The labels of terms in which `...` stands for the last `hidden` of the axes without letters.
fn expanded(terms: &[Term], hidden: usize) -> Vec<usize> {
    let mut labels = Vec::new();
    for term in terms {
        match term {
            Term::Label(label) => labels.push(*label),
            Term::Ellipsis => labels.extend((0..hidden).rev().map(|i| LETTERS + i)),
        }
    }
    labels
}

#[track_caller]
fn check_output(text: &str, output: &[Term], inputs: &[Vec<Term>]) {
    for (i, term) in output.iter().enumerate() {
        let Term::Label(label) = *term else { continue };
        let name = name(label);
        assert!(!output[..i].contains(term), "einsum: the output of {text:?} has subscript {name} twice");
        assert!(
            inputs.iter().any(|input| input.contains(term)),
            "einsum: the output of {text:?} has subscript {name}, which no operand has"
        );
    }
}

/// The axes without letters, then the letters that stand once, in alphabetical order.
fn implicit_output(inputs: &[Vec<Term>], broadcast: usize) -> Vec<usize> {
    let once = |label: &usize| inputs.iter().flatten().filter(|t| **t == Term::Label(*label)).count() == 1;
    let hidden = expanded(&[Term::Ellipsis], broadcast);
    hidden.into_iter().chain((0..LETTERS).filter(once)).collect()
}

/// The length of each label.
#[track_caller]
fn label_lengths(text: &str, inputs: &[Vec<usize>], shapes: &[&Shape], broadcast: usize) -> Vec<usize> {
    // With the operand that has it.
    let mut lengths: Vec<Option<(usize, usize)>> = vec![None; LETTERS + broadcast];
    for (operand, (labels, shape)) in inputs.iter().zip(shapes).enumerate() {
        for (axis, (&label, &length)) in labels.iter().zip(shape.iter()).enumerate() {
            if let Some(first) = labels[..axis].iter().position(|l| *l == label) {
                assert!(
                    shape[first] == length,
                    "einsum: subscript {} of {text:?} stands twice in operand {operand}, for lengths {} and {length}",
                    name(label),
                    shape[first]
                );
            }
            lengths[label] = match lengths[label] {
                None | Some((1, _)) => Some((length, operand)),
                Some((known, of)) if length != 1 && length != known => panic!(
                    "einsum: subscript {} of {text:?} has length {known} in operand {of} and {length} in operand {operand}",
                    name(label)
                ),
                known => known,
            };
        }
    }
    lengths.into_iter().map(|length| length.map_or(1, |(length, _)| length)).collect()
}

/// The label in messages.
fn name(label: usize) -> String {
    let letter = |first: u8, number: usize| format!("'{}'", (first + number as u8) as char);
    match label {
        0..26 => letter(b'A', label),
        26..LETTERS => letter(b'a', label - 26),
        _ => "`...`".into(),
    }
}
