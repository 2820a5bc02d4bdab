//! Dictionaries of arrays, and dictionaries in them: of splits, or of parts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Object, Pickle, Place};
use crate::features::keys::splits::split_of;

/// Finds the arrays of a dictionary, by name. Returns `None` if it is no dictionary.
///
/// A dictionary in it gives its arrays the name of the split that it is called after (`{"train": {"x1": ...}}` has
/// `x1_train`, and so has `{"x1": {"train": ...}}`); otherwise they keep their names, unless two of them are alike.
pub(in crate::features::format) fn arrays_of(pickle: &Pickle, top: Place) -> Option<BTreeMap<String, Place>> {
    let items = pickle.items(top)?;
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let outer: BTreeSet<&str> = items.iter().map(|(name, _)| *name).collect();
    for (_, value) in &items {
        // A key set twice keeps its last value, as in Python.
        let inner: BTreeSet<&str> = pickle.items(*value).into_iter().flatten().map(|(name, _)| name).collect();
        for name in inner {
            *names.entry(name).or_default() += 1;
        }
    }
    let mut arrays = BTreeMap::new();
    for (name, value) in items {
        let Some(inner) = pickle.items(value).filter(|inner| !inner.is_empty()) else {
            arrays.insert(name.to_owned(), value);
            continue;
        };
        // Whoever asks for the dictionary itself is told that it is one.
        if split_of(name).is_none() && inner.iter().all(|(inner_name, _)| split_of(inner_name).is_none()) {
            arrays.insert(name.to_owned(), value);
        }
        for (inner_name, inner_value) in inner {
            let is_single = names.get(inner_name) == Some(&1) && !outer.contains(inner_name);
            arrays.insert(full_name(name, inner_name, is_single), inner_value);
        }
    }
    Some(arrays)
}

/// Names an array of a dictionary that is called `outer` itself.
pub(in crate::features::format) fn full_name(outer: &str, inner: &str, is_single: bool) -> String {
    match (split_of(outer), split_of(inner)) {
        (Some(split), _) => format!("{inner}_{split}"),
        (None, Some(split)) => format!("{outer}_{split}"),
        (None, None) if is_single => inner.to_owned(),
        (None, None) => format!("{inner}_{outer}"),
    }
}

/// Says how to mend a pickle that is no dictionary.
pub(in crate::features::format) fn advice(pickle: &Pickle, top: Place) -> String {
    let line = match pickle.get(top) {
        Object::Sequence(items) if items.iter().any(|item| pickle.items(*item).is_some()) => {
            "rows = torch.load(path); torch.save({key: [row[key] for row in rows] for key in rows[0]}, path)"
        }
        Object::Sequence(items) if items.len() == 3 => {
            "x1, x2, y = torch.load(path); torch.save({'x1': x1, 'x2': x2, 'y': y}, path)"
        }
        _ => "torch.save({'x1': x1, 'x2': x2, 'y': y}, path)",
    };
    let what = match pickle.get(top) {
        Object::Sequence(items) => format!(", but a list of {}", items.len()),
        Object::Call { .. } => {
            pickle.called(top).map_or_else(String::new, |(module, name, _)| format!(", but what {module}.{name} makes"))
        }
        _ => String::new(),
    };
    format!("it does not hold a dictionary{what}; save one: {line}")
}
