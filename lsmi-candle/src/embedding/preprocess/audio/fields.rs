//! Fields of feature extractors, and ranges that the settings of all kinds share.

use serde_json::{Map, Value};

use crate::embedding::preprocess::{PreprocessError, Result};

/// A field; null counts as missing.
fn value<'a>(config: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    config.get(name).filter(|value| !value.is_null())
}

fn wrong(name: &'static str, found: Option<&Value>, expected: &'static str) -> PreprocessError {
    let found = found.map_or_else(|| "missing".to_owned(), Value::to_string);
    PreprocessError::Setting { name, found, expected }
}

/// Reads a whole number of 32 bits.
pub(super) fn whole(config: &Map<String, Value>, name: &'static str, default: Option<u32>) -> Result<u32> {
    let found = value(config, name);
    let number = match found {
        Some(value) => value.as_u64().and_then(|number| u32::try_from(number).ok()),
        None => default,
    };
    number.ok_or_else(|| wrong(name, found, "a whole number"))
}

/// Reads `true` or `false`.
pub(super) fn flag(config: &Map<String, Value>, name: &'static str, default: bool) -> Result<bool> {
    match value(config, name) {
        None => Ok(default),
        Some(found) => found.as_bool().ok_or_else(|| wrong(name, Some(found), "true or false")),
    }
}

/// Reads a number.
pub(super) fn real(config: &Map<String, Value>, name: &'static str, default: f64) -> Result<f64> {
    match value(config, name) {
        None => Ok(default),
        Some(found) => found.as_f64().ok_or_else(|| wrong(name, Some(found), "a number")),
    }
}

/// Reads a string.
pub(super) fn text<'a>(config: &'a Map<String, Value>, name: &'static str, default: &'a str) -> Result<&'a str> {
    match value(config, name) {
        None => Ok(default),
        Some(found) => found.as_str().ok_or_else(|| wrong(name, Some(found), "a string")),
    }
}

/// Refuses a number that is there and is not 0.
pub(super) fn expect_zero(config: &Map<String, Value>, name: &'static str, expected: &'static str) -> Result<()> {
    match value(config, name) {
        Some(found) if found.as_f64() != Some(0.0) => Err(wrong(name, Some(found), expected)),
        _ => Ok(()),
    }
}

/// Checks a setting `sample_rate`.
pub(super) fn check_rate(rate: u32) -> Result<()> {
    if (1_000..=768_000).contains(&rate) {
        return Ok(());
    }
    let expected = "1,000 to 768,000 hertz";
    Err(PreprocessError::Setting { name: "sample_rate", found: rate.to_string(), expected })
}

/// Samples in so many seconds, an hour at most.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour at most")]
pub(super) fn samples(seconds: f64, rate: u32) -> usize {
    (seconds * f64::from(rate)).round() as usize
}
