//! The derivatives as operations, which can be differentiated themselves: the second order goes by tiles too. All begin with
//! the operands, the statistics of the softmax and the value. These two count as constants: the rules know how they depend on
//! the operands.

use wengert_tensor::{Float, Tensor};

use super::op::{Settings, with_values};
use super::rules;
use crate::data::{Data, Given};
use crate::describe::Attributes;
use crate::op::{
    Cotangents, Description, Op, Point, Replays, Saves, Several, Together, Values, apply_given, apply_known,
    is_tracked, rules_compiled_here,
};
use crate::var::Var;

/// The gradient of one of the operands, for the value's cotangent, where it is not to be differentiated.
pub(super) struct Gradient {
    pub(super) settings: Settings,
    pub(super) of: usize,
}

/// The gradients of some operands, [packed](pack), for the value's cotangent: in one, as their derivatives have much in common.
pub(super) struct Gradients {
    pub(super) settings: Settings,
    pub(super) of: [bool; 4],
}

/// The tangent of the value, for the tangents of operands that there are.
pub(super) struct Tangent {
    pub(super) settings: Settings,
    pub(super) along: [bool; 4],
}

/// The tangent of [`Gradients`], for the value's cotangent, the tangents of operands that there are, and perhaps one of the
/// cotangent. Second derivatives are symmetric, so it is also the gradients, by the operands `of`, of the products of the
/// gradients with those tangents.
struct GradientsAlong {
    settings: Settings,
    of: [bool; 4],
    along: [bool; 4],
    cotangent: bool,
}

/// The tangent of a tangent: for the tangents that there are the first time, for those along which the operands move, and for
/// those of the first.
struct TangentAlong {
    settings: Settings,
    along: [[bool; 4]; 3],
}

/// Which of the operands have tangents.
pub(super) fn there<T: Float>(tangents: &[Option<Var<T>>]) -> [bool; 4] {
    std::array::from_fn(|i| tangents.get(i).is_some_and(Option::is_some))
}

fn describe_along(attributes: &mut Attributes, name: &'static str, along: [bool; 4]) {
    let along: Vec<usize> = (0..4).filter(|&i| along[i]).collect();
    attributes.set(name, &along[..]);
}

/// Results for the operands, of those that there are, one behind the other; those with heads as they lie.
fn pack<T: Float>(parts: &[Option<Tensor<T>>]) -> Tensor<T> {
    let flat = parts.iter().enumerate().filter_map(|(i, part)| {
        let part = part.as_ref()?;
        let part = if i < 3 { part.transpose(1, 2) } else { part.clone() };
        Some(part.reshape([part.len()]))
    });
    Tensor::cat(&flat.collect::<Vec<_>>(), 0)
}

/// What was packed, each of the shape of its operand.
fn unpack<T: Float>(packed: &Var<T>, of: [bool; 4], operands: &[Var<T>]) -> [Option<Var<T>>; 4] {
    let mut start = 0;
    std::array::from_fn(|i| {
        if !of[i] {
            return None;
        }
        let shape = operands[i].shape();
        let flat = packed.slice(start..start + shape.count());
        start += shape.count();
        Some(match shape[..] {
            [batch, heads, length, width] if i < 3 => {
                flat.reshape([batch, length, heads, width]).transpose(1, 2)
            }
            _ => flat.reshape(shape),
        })
    })
}

/// The formula that is [`pack`]ed in the same way.
fn packed_formula<T: Float>(
    settings: Settings,
    of: [bool; 4],
    inputs: &[Var<T>],
    given: &[Given<T>],
) -> Var<T> {
    let parts = rules::gradients(settings, of, inputs, given).into_iter().map(|(i, part)| {
        let part = if i < 3 { part.transpose(1, 2) } else { part };
        part.reshape([part.len()])
    });
    Var::cat(&parts.collect::<Vec<_>>(), 0)
}

fn describe_of(attributes: &mut Attributes, settings: Settings, of: [bool; 4]) {
    settings.describe(attributes);
    describe_along(attributes, "of_inputs", of);
}

/// The gradients for a cotangent that is the last of the inputs, of those operands that are needed.
pub(super) fn add_gradients<T: Float>(
    settings: Settings,
    inputs: &[&Var<T>],
    at: &Point<T>,
    into: &mut Cotangents<T>,
) {
    let given: Vec<&Given<T>> = at.given.iter().collect();
    let of = std::array::from_fn(|i| i < settings.floats() && at.needs(i));
    let all = with_values("attention_gradients", inputs, &given, |x, given| {
        settings.gradients(x, given, |i| of[i])
    });
    // Keys and values are computed together.
    let all = all.into_iter().zip(of).map(|(gradient, needed)| gradient.filter(|_| needed));
    if !is_tracked(inputs) {
        for (of, gradient) in all.enumerate() {
            if let Some(gradient) = gradient {
                into.add(of, || apply_known(Gradient { settings, of }, inputs, &given, gradient));
            }
        }
    } else if of.contains(&true) {
        let packed = pack(&all.collect::<Vec<_>>());
        let packed = apply_known(Gradients { settings, of }, inputs, &given, packed);
        add_parts(&packed, of, at, into);
    }
}

fn add_parts<T: Float>(packed: &Var<T>, of: [bool; 4], at: &Point<T>, into: &mut Cotangents<T>) {
    let operands = &at.inputs()[..of.len().min(at.inputs().len())];
    for (i, part) in unpack(packed, of, operands).into_iter().enumerate() {
        if let Some(part) = part {
            into.add(i, || part);
        }
    }
}

impl<T: Float> Op<T> for Gradient {
    fn name(&self) -> &str {
        "attention_gradient"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.settings.describe(attributes);
        attributes.set("of_input", self.of);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.evaluate(inputs, &[]).into_float()
    }
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let mut all = self.settings.gradients(inputs, given, |i| i == self.of);
        Data::Float(all[self.of].take().expect("it is the one that is needed"))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {
        unreachable!("attention_gradient: no derivative is taken of what only a complete recording holds")
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { together: Together::OneOf(self.of, self), ..Replays::default() }
    }
    rules_compiled_here!(Gradient);
}

impl<T: Float> Several<T> for Gradient {
    fn shared_description(&self) -> Description {
        let mut attributes = Attributes::default();
        self.settings.describe(&mut attributes);
        Description { name: "attention_gradients".into(), attributes }
    }
    fn values(&self, inputs: &[&Tensor<T>], given: &[&Data<T>], wanted: [bool; 4]) -> Values<T> {
        self.settings.gradients(inputs, given, |i| wanted[i]).into_iter().collect()
    }
}

impl<T: Float> Op<T> for Gradients {
    fn name(&self) -> &str {
        "attention_gradients"
    }
    fn describe(&self, attributes: &mut Attributes) {
        describe_of(attributes, self.settings, self.of);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.evaluate(inputs, &[]).into_float()
    }
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let all = self.settings.gradients(inputs, given, |i| self.of[i]).into_iter();
        Data::Float(pack(&all.zip(self.of).map(|(g, needed)| g.filter(|_| needed)).collect::<Vec<_>>()))
    }

    /// With the cotangents of the gradients as tangents of their operands.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let Gradients { settings, of } = *self;
        let count = settings.floats();
        let inputs: Vec<&Var<T>> = at.inputs().iter().chain([cotangent]).collect();
        if is_tracked(&inputs) {
            let needed: Vec<usize> = (0..count).chain([count + 2]).filter(|&i| at.needs(i)).collect();
            let formula = |x: &[Var<T>]| packed_formula(settings, of, x, &at.given);
            return rules::vjp(formula, at.inputs(), &needed, cotangent, into);
        }
        let given: Vec<&Given<T>> = at.given.iter().collect();
        let tangents = unpack(cotangent, of, &at.inputs()[..count]);
        let tangents: Vec<&Var<T>> = tangents.iter().flatten().collect();
        let inputs: Vec<&Var<T>> = at.inputs().iter().collect();
        add_second_gradients(settings, [&inputs, &tangents], &given, of, at, into);
        let inputs = [&inputs[..count + 2], &tangents].concat();
        into.add(count + 2, || apply_given(Tangent { settings, along: of }, &inputs, &given));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let Gradients { settings, of } = *self;
        let count = settings.floats();
        let (of_operands, of_cotangent) = (&tangents[..count], tangents[count + 2].as_ref());
        let given: Vec<&Given<T>> = at.given.iter().collect();
        if of_operands.iter().all(Option::is_none) {
            let inputs: Vec<&Var<T>> = at.inputs()[..count + 2].iter().chain(of_cotangent).collect();
            return of_cotangent.map(|_| apply_given(Gradients { settings, of }, &inputs, &given));
        }
        let inputs: Vec<&Var<T>> =
            at.inputs().iter().chain(of_operands.iter().flatten()).chain(of_cotangent).collect();
        if is_tracked(&inputs) {
            let moving: Vec<usize> =
                (0..count).chain([count + 2]).filter(|&i| tangents[i].is_some()).collect();
            let formula = |x: &[Var<T>]| packed_formula(settings, of, x, &at.given);
            return Some(rules::jvp(formula, at.inputs(), &moving, tangents));
        }
        let along = there(of_operands);
        let operation = GradientsAlong { settings, of, along, cotangent: of_cotangent.is_some() };
        Some(apply_given(operation, &inputs, &given))
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Gradients);
}

/// Adds to the operands' cotangents the gradients of the products of gradients with tangents; of the inputs up to the value's
/// cotangent, and the tangents.
fn add_second_gradients<T: Float>(
    settings: Settings,
    [inputs, tangents]: [&[&Var<T>]; 2],
    given: &[&Given<T>],
    along: [bool; 4],
    at: &Point<T>,
    into: &mut Cotangents<T>,
) {
    let of = std::array::from_fn(|i| i < settings.floats() && at.needs(i));
    if of.contains(&true) {
        let inputs = [inputs, tangents].concat();
        let operation = GradientsAlong { settings, of, along, cotangent: false };
        add_parts(&apply_given(operation, &inputs, given), of, at, into);
    }
}

impl<T: Float> Op<T> for Tangent {
    fn name(&self) -> &str {
        "attention_tangent"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.settings.describe(attributes);
        describe_along(attributes, "along", self.along);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.evaluate(inputs, &[]).into_float()
    }
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        Data::Float(self.settings.tangent(inputs, given, self.along))
    }

    /// The product with a cotangent is that of the tangents with the gradients.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let Tangent { settings, along } = *self;
        let count = settings.floats();
        let tangents = count + 2..at.inputs().len();
        let inputs: Vec<&Var<T>> = at.inputs().iter().chain([cotangent]).collect();
        if is_tracked(&inputs) {
            let needed: Vec<usize> = (0..count).chain(tangents).filter(|&i| at.needs(i)).collect();
            let formula = |x: &[Var<T>]| rules::tangent(settings, along, x, &at.given);
            return rules::vjp(formula, at.inputs(), &needed, cotangent, into);
        }
        let given: Vec<&Given<T>> = at.given.iter().collect();
        let inputs: Vec<&Var<T>> = at.inputs()[..count + 2].iter().chain([cotangent]).collect();
        let moved: Vec<&Var<T>> = at.inputs()[count + 2..].iter().collect();
        add_second_gradients(settings, [&inputs, &moved], &given, along, at, into);
        // Of each operand that has a tangent, the place of that.
        let mut places = tangents;
        let places = along.map(|there| if there { places.next() } else { None });
        let needed = |of: usize| places[of].is_some_and(|place| at.needs(place));
        if (0..count).any(needed) {
            let all = with_values("attention_gradients", &inputs, &given, |x, given| {
                settings.gradients(x, given, needed)
            });
            for (of, gradient) in all.into_iter().enumerate() {
                if let (Some(gradient), Some(place)) = (gradient, places[of]) {
                    into.add(place, || apply_known(Gradient { settings, of }, &inputs, &given, gradient));
                }
            }
        }
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let Tangent { settings, along } = *self;
        let count = settings.floats();
        let (of_operands, of_tangents) = (&tangents[..count], &tangents[count + 2..]);
        let mut rest = of_tangents.iter();
        let mixed = along.map(|there| there && rest.next().is_some_and(Option::is_some));
        let given: Vec<&Given<T>> = at.given.iter().collect();
        if of_operands.iter().all(Option::is_none) {
            let inputs: Vec<&Var<T>> =
                at.inputs()[..count + 2].iter().chain(of_tangents.iter().flatten()).collect();
            return mixed
                .contains(&true)
                .then(|| apply_given(Tangent { settings, along: mixed }, &inputs, &given));
        }
        let moving = of_operands.iter().chain(of_tangents).flatten();
        let inputs: Vec<&Var<T>> = at.inputs().iter().chain(moving).collect();
        if is_tracked(&inputs) {
            let moving: Vec<usize> =
                (0..count).chain(count + 2..tangents.len()).filter(|&i| tangents[i].is_some()).collect();
            let formula = |x: &[Var<T>]| rules::tangent(settings, along, x, &at.given);
            return Some(rules::jvp(formula, at.inputs(), &moving, tangents));
        }
        let operation = TangentAlong { settings, along: [along, there(of_operands), mixed] };
        Some(apply_given(operation, &inputs, &given))
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Tangent);
}

impl<T: Float> Op<T> for GradientsAlong {
    fn name(&self) -> &str {
        "attention_gradients_along"
    }
    fn describe(&self, attributes: &mut Attributes) {
        describe_of(attributes, self.settings, self.of);
        describe_along(attributes, "along", self.along);
        attributes.set("along_cotangent", self.cotangent);
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.evaluate(inputs, &[]).into_float()
    }
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        let all = self.settings.gradients_along(inputs, given, self.along, |i| self.of[i]).into_iter();
        Data::Float(pack(&all.zip(self.of).map(|(g, needed)| g.filter(|_| needed)).collect::<Vec<_>>()))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {
        unreachable!(
            "attention_gradients_along: no derivative is taken of what only a complete recording holds"
        )
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(GradientsAlong);
}

impl<T: Float> Op<T> for TangentAlong {
    fn name(&self) -> &str {
        "attention_tangent_along"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.settings.describe(attributes);
        for (name, along) in ["along", "operands_along", "tangents_along"].into_iter().zip(self.along) {
            describe_along(attributes, name, along);
        }
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.evaluate(inputs, &[]).into_float()
    }
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        Data::Float(self.settings.second_tangent(inputs, given, self.along))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {
        unreachable!(
            "attention_tangent_along: no derivative is taken of what only a complete recording holds"
        )
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(TangentAlong);
}
