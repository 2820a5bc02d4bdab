//! What a job does, so that a later run can tell whether it does the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::files::sha256;

/// What a job does: everything that changes its output, by name.
///
/// Two works are one if and only if their [canonical JSON](Work::canonical) is the same.
///
/// ```
/// use lsmi_candle::jobs::Work;
/// use serde_json::json;
///
/// let work = |rows: u32| Work::new([("rows", json!(rows)), ("format", json!("csv"))]);
/// assert_eq!(work(8).canonical(), r#"{"format":"csv","rows":8}"#);
/// assert_ne!(work(8).sha256(), work(9).sha256());
/// assert_eq!(work(9).differences(&work(8)), ["rows is 9, but was 8"]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Work(BTreeMap<String, Value>);

impl Work {
    /// Creates a work of facts.
    pub fn new<const N: usize>(facts: [(&str, Value); N]) -> Self {
        Self(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Returns the facts as JSON without blanks, the keys of all objects sorted by their bytes.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        object(self.0.iter(), &mut text);
        text
    }

    /// Returns the SHA-256 of the canonical JSON.
    pub fn sha256(&self) -> String {
        sha256(self.canonical())
    }

    /// Lists the facts in which it differs from another work; nothing where they are one.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let different = names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name));
        let in_words = |name: &String| {
            let [here, there] =
                [self, other].map(|work| work.0.get(name).map_or_else(|| "nothing".to_owned(), in_words));
            format!("{name} is {here}, but was {there}")
        };
        different.map(in_words).collect()
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => {
            let mut text = String::new();
            canonical(other, &mut text);
            text
        }
    }
}

/// Appends a value. The order of keys does not depend on how `serde_json` keeps them, which any crate of a program can change.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => object(fields.iter(), text),
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                canonical(value, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn object<'v>(fields: impl Iterator<Item = (&'v String, &'v Value)>, text: &mut String) {
    text.push('{');
    for (place, (name, value)) in fields.collect::<BTreeMap<_, _>>().into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push(':');
        canonical(value, text);
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told() {
        let work = |shard: &str| Work::new([("shard", json!(shard)), ("format", json!("csv"))]);
        assert!(work("1/2").differences(&work("1/2")).is_empty());
        assert_eq!(work("2/2").differences(&work("1/2")), ["shard is 2/2, but was 1/2"]);
        assert_eq!(
            Work::new([("a", json!([1, null]))]).differences(&Work::new([])),
            ["a is [1,null], but was nothing"]
        );
    }

    #[test]
    fn the_order_of_facts_and_keys_does_not_count() {
        let one = Work::new([("b", json!({"y": 1, "x": [true, "a\"b"]})), ("a", json!(0.5))]);
        let other = Work::new([("a", json!(0.5))]).with("b", json!({"x": [true, "a\"b"], "y": 1}));
        assert_eq!(one.canonical(), r#"{"a":0.5,"b":{"x":[true,"a\"b"],"y":1}}"#);
        assert_eq!(one.sha256(), other.sha256());
    }

    /// Joined in one text, both would be `a,b,c`.
    #[test]
    fn lists_that_join_to_one_text_are_two_works() {
        let keys = |keys: [&str; 2]| Work::new([("keys", json!(keys))]);
        assert_ne!(keys(["a,b", "c"]).sha256(), keys(["a", "b,c"]).sha256());
    }
}
