//! Numbers of a page: what is shown, the whole value, and where it stands in `summary.json`.

use minijinja::Value as Safe;
use serde::Serialize;
use serde_json::Value;

use super::figure::escaped;
use crate::tables::cells::{nats, signed};

/// A number of a page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Number {
    /// As it is shown.
    shown: String,
    /// The value with all its digits.
    value: Option<String>,
    /// Its place in `summary.json`, as a JSON pointer (RFC 6901) with control characters escaped as everywhere.
    field: Option<Safe>,
}

impl Number {
    /// A value of a sample, in nats.
    pub(crate) fn nats(value: f64) -> Self {
        Self { shown: nats(value), value: Some(digits(value)), field: None }
    }

    /// A difference of a sample, in nats.
    pub(crate) fn signed(value: f64) -> Self {
        Self { shown: signed(value), value: Some(digits(value)), field: None }
    }
}

fn digits(value: f64) -> String {
    // The fewest digits that give back the same value, and an exponent where it is far from 1.
    format!("{value:?}")
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// Three decimals.
    Nats,
    /// The same with its sign.
    Signed,
    /// A share of a hundred with one decimal.
    Percent,
    /// A whole number with its thousands apart.
    Count,
    /// A p-value.
    Chance,
}

/// The numbers of `summary.json`, or of a part of it.
#[derive(Debug, Clone)]
pub(crate) struct Numbers<'a> {
    json: &'a Value,
    /// The place of the part, as a pointer.
    part: String,
}

impl<'a> Numbers<'a> {
    /// All numbers of a file.
    pub(crate) fn of(json: &'a Value) -> Self {
        Self { json, part: String::new() }
    }

    /// Those below a path.
    pub(crate) fn below(&self, path: &[&str]) -> Self {
        Self { json: self.json, part: self.pointer(path) }
    }

    /// The number at a path; a dash where there is none.
    pub(crate) fn at(&self, path: &[&str], how: As) -> Number {
        let pointer = self.pointer(path);
        let Some(found) = self.json.pointer(&pointer).filter(|found| found.is_number()) else {
            return Number { shown: "–".to_owned(), value: None, field: None };
        };
        let number = found.as_f64().unwrap_or(f64::NAN);
        let shown = match how {
            As::Nats => nats(number),
            As::Signed => signed(number),
            As::Percent => format!("{:.1} %", 100.0 * number),
            As::Count => thousands(&found.to_string()),
            As::Chance if number < 0.001 => "< 0.001".to_owned(),
            As::Chance => format!("{number:.3}"),
        };
        Number { shown, value: Some(found.to_string()), field: Some(Safe::from_safe_string(escaped(&pointer))) }
    }

    /// The number itself.
    pub(crate) fn value(&self, path: &[&str]) -> Option<f64> {
        self.json.pointer(&self.pointer(path))?.as_f64()
    }

    /// Whether there is a true.
    pub(crate) fn is(&self, path: &[&str]) -> bool {
        self.json.pointer(&self.pointer(path)).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A path as a JSON pointer from the root of the file.
    fn pointer(&self, path: &[&str]) -> String {
        let escaped = path.iter().map(|name| name.replace('~', "~0").replace('/', "~1"));
        self.part.clone() + &escaped.flat_map(|name| ["/".to_owned(), name]).collect::<String>()
    }
}

/// A whole number with narrow spaces between its thousands.
pub(crate) fn thousands(digits: &str) -> String {
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_found_by_their_paths() {
        let json = json!({"splits": {"a/b~<c>": {"r": 0.1 + 0.2, "n": 1_234_567, "p": 1e-5, "null": null}}});
        let of = |name, how| Numbers::of(&json).below(&["splits", "a/b~<c>"]).at(&[name], how);
        let r = of("r", As::Nats);
        assert_eq!((r.shown.as_str(), r.value.as_deref()), ("0.300", Some("0.30000000000000004")));
        assert_eq!(r.field.unwrap().to_string(), "/splits/a~1b~0&lt;c&gt;/r");
        assert_eq!(of("r", As::Signed).shown, "+0.300");
        assert_eq!(of("n", As::Count).shown, "1\u{202f}234\u{202f}567");
        assert_eq!(of("p", As::Chance).shown, "< 0.001");
        assert_eq!(of("null", As::Nats).shown, "–");
        assert!(of("missing", As::Nats).value.is_none());
        assert_eq!(Numbers::of(&json).value(&["splits", "a/b~<c>", "r"]), Some(0.1 + 0.2));
    }
}
