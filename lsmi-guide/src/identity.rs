//! What tells runs apart: settings and data, as canonical JSON and its SHA-256.
//!
//! Saved work is continued only by the run that it is of. A run is described by named parts, such as its settings; keys are
//! sorted at every depth, so that the text and its hash depend on the values alone, whatever the order of fields in a
//! structure and whatever a debugger would print of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::CheckpointError;

/// Named parts that describe a run, with the SHA-256 of their canonical JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    sha256: String,
    parts: BTreeMap<String, Value>,
}

impl Identity {
    /// Describes a run by parts whose names read well after "another run:", such as `the settings`.
    pub(crate) fn new(parts: BTreeMap<String, Value>) -> Self {
        let text = canonical(&Value::Object(parts.clone().into_iter().collect()));
        Self { sha256: sha256([text.as_bytes()]), parts }
    }

    /// Checks that what was found in a file is of this run.
    ///
    /// # Errors
    /// [`CheckpointError::OtherRun`] naming the first part that differs, and in what.
    pub(crate) fn check(&self, found: &Self, file: &Path) -> Result<(), CheckpointError> {
        if self.sha256 == found.sha256 {
            return Ok(());
        }
        let names = self.parts.keys().chain(found.parts.keys());
        let of = |identity: &Self, name: &str| identity.parts.get(name).cloned().unwrap_or(Value::Null);
        let differing = names.map(|name| (name, of(self, name), of(found, name)));
        let (what, [expected, found]) = differing
            .filter(|(_, expected, found)| expected != found)
            .map(|(name, expected, found)| (name.clone(), differing_leaves(&expected, &found)))
            .next()
            .unwrap_or_else(|| ("the hash".to_owned(), [self.sha256.clone(), found.sha256.clone()]));
        Err(CheckpointError::OtherRun { file: file.display().to_string(), what, expected, found })
    }
}

/// Writes a value as JSON: keys sorted at every depth, without spaces.
pub(crate) fn canonical(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(",");
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            let field =
                |(name, value): (&String, &Value)| format!("{}:{}", Value::from(name.as_str()), canonical(value));
            format!("{{{}}}", joined(sorted.into_iter().map(field).collect()))
        }
        Value::Array(items) => format!("[{}]", joined(items.iter().map(canonical).collect())),
        other => other.to_string(),
    }
}

/// Computes the SHA-256 of parts, in hexadecimal; the length of each goes before it, so that no two run together.
pub(crate) fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Describes settings as JSON.
///
/// # Errors
/// [`CheckpointError::Format`] for what JSON cannot hold.
pub(crate) fn described(settings: &impl Serialize) -> Result<Value, CheckpointError> {
    let wrong = |error: serde_json::Error| CheckpointError::Format {
        file: "the settings".to_owned(),
        reason: error.to_string(),
    };
    serde_json::to_value(settings).map_err(wrong)
}

/// Lists the values in which two descriptions differ, as `name: value`.
fn differing_leaves(expected: &Value, found: &Value) -> [String; 2] {
    let (mut of_expected, mut of_found) = (Vec::new(), Vec::new());
    collect_differences("", expected, found, &mut of_expected, &mut of_found);
    [of_expected.join(", "), of_found.join(", ")]
}

fn collect_differences(
    name: &str,
    expected: &Value,
    found: &Value,
    of_expected: &mut Vec<String>,
    of_found: &mut Vec<String>,
) {
    if expected == found {
        return;
    }
    if let (Value::Object(expected), Value::Object(found)) = (expected, found) {
        let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        for name in names {
            let of = |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or(Value::Null);
            collect_differences(name, &of(expected), &of(found), of_expected, of_found);
        }
        return;
    }
    let leaf = |value: &Value| match (name, value) {
        ("", Value::String(text)) => text.clone(),
        ("", value) => canonical(value),
        (name, Value::String(text)) => format!("{name}: {text}"),
        (name, value) => format!("{name}: {}", canonical(value)),
    };
    of_expected.push(leaf(expected));
    of_found.push(leaf(found));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(settings: Value) -> Identity {
        Identity::new(BTreeMap::from([("the settings".to_owned(), settings), ("the data".to_owned(), json!("ab"))]))
    }

    #[test]
    fn the_order_of_fields_does_not_matter_and_values_do() {
        #[derive(Serialize)]
        struct One {
            folds: usize,
            rate: f64,
        }
        #[derive(Serialize)]
        struct Other {
            rate: f64,
            folds: usize,
        }
        let one = described(&One { folds: 5, rate: 0.1 }).unwrap();
        let other = described(&Other { rate: 0.1, folds: 5 }).unwrap();
        assert_eq!(canonical(&one), r#"{"folds":5,"rate":0.1}"#);
        assert_eq!(of(one.clone()), of(other));
        let changed = described(&One { folds: 5, rate: 0.100_000_000_000_000_02 }).unwrap();
        assert_ne!(of(one).sha256, of(changed).sha256);
    }

    #[test]
    fn a_hash_is_that_of_the_standard() {
        // Of the empty message (FIPS 180-4), and of one empty part, which is its length alone.
        assert!(sha256([]).starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
        assert_ne!(sha256([]), sha256([b"".as_slice()]));
        assert_ne!(sha256([b"a".as_slice(), b"bc"]), sha256([b"ab".as_slice(), b"c"]));
    }

    #[test]
    fn what_differs_is_named() {
        let here = of(json!({"folds": 5, "measure": "ccs", "estimator": {"repeats": 1}}));
        let there = of(json!({"folds": 5, "measure": "pm", "estimator": {"repeats": 2}}));
        let error = here.check(&there, Path::new("identity.json")).unwrap_err();
        let CheckpointError::OtherRun { what, expected, found, .. } = error else { panic!("{error}") };
        assert_eq!((what.as_str(), found.as_str()), ("the settings", "repeats: 2, measure: pm"));
        assert_eq!(expected, "repeats: 1, measure: ccs");
        here.check(&here.clone(), Path::new("identity.json")).unwrap();
    }
}
