//! A history as a state: a few vectors, however long it is.

use wengert_state::{Scalar, State, StateError};

use crate::history::{History, Row};

const NAMES: &str = "names";

pub(super) fn state(history: &History) -> State {
    let mut names: Vec<(&str, &str)> = Vec::new();
    let mut column = Vec::with_capacity(history.rows.len());
    for row in &history.rows {
        let name = (row.set.as_str(), row.name.as_str());
        let index = names.iter().position(|known| *known == name).unwrap_or(names.len());
        if index == names.len() {
            names.push(name);
        }
        column.push(index as u64);
    }
    let numbers = |of: fn(&Row) -> u64| history.rows.iter().map(of).collect::<Vec<u64>>();
    let values: Vec<f64> = history.rows.iter().map(|row| row.value).collect();
    let mut list = State::new(NAMES, names.len());
    for (index, (set, name)) in names.iter().enumerate() {
        list = list
            .with_scalar(&format!("set{index}"), Scalar::Text((*set).to_owned()))
            .with_scalar(&format!("name{index}"), Scalar::Text((*name).to_owned()));
    }
    State::new("history", history.rows.len())
        .with_words("epoch", &numbers(|row| row.epoch))
        .with_words("step", &numbers(|row| row.step))
        .with_words("column", &column)
        .with_vector("value", &values)
        .with_child(NAMES, list)
}

pub(super) fn read(state: &State) -> Result<History, StateError> {
    state.expect("history", &[], &["epoch", "step", "column", "value"], &[NAMES])?;
    let values = state.vector::<f64>("value", state.len)?;
    let (epochs, steps) = (state.whole_numbers("epoch", state.len)?, state.whole_numbers("step", state.len)?);
    let columns = state.whole_numbers("column", state.len)?;
    let names = state.child(NAMES)?;
    let text = |name: String| match names.scalar(&name)? {
        Scalar::Text(text) => Ok(text.clone()),
        _ => Err(names.refuse(&name, "a text")),
    };
    let name = |index: &u64| Ok((text(format!("set{index}"))?, text(format!("name{index}"))?));
    let mut history = History::default();
    for (((column, value), epoch), step) in columns.iter().zip(values).zip(epochs).zip(steps) {
        let (set, name) = name(column)?;
        history.rows.push(Row { epoch: *epoch, step: *step, set, name, value });
    }
    Ok(history)
}
