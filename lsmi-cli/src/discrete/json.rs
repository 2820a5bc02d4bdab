//! Probabilities and counts as JSON: `{"pmf": ...}` or `{"counts": ...}`.
//!
//! Outcomes are the keys of an object, a character a variable, or the lines of a list, each the states of all variables and
//! the value. A map would keep the last of two equal keys without a word; so outcomes are taken as they come, and one that
//! comes twice is refused where the distribution is made.

use std::fmt;
use std::fs;
use std::marker::PhantomData;
use std::path::Path;

use lsmi_candle::features::Missing;
use lsmi_core::discrete::{Counts, Error, Joint};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::distribution::{Distribution, Given, ReadError, not_read};

pub(super) fn read(path: &Path, missing: Missing) -> Result<Distribution, ReadError> {
    let bytes = fs::read(path).map_err(not_read)?;
    match serde_json::from_slice(&bytes).map_err(ReadError::Json)? {
        Document::Probabilities(entries) => distribution(&entries, missing),
        Document::Counts(entries) => distribution(&entries, missing),
    }
}

/// Whether a state is one blank: a character like others, where every state is one.
fn is_blank(state: &str) -> bool {
    state.chars().count() == 1
}

/// The character that stands between all states of all outcomes, if there is one that separates them rather than being a
/// state.
fn separator_of(outcomes: &[String]) -> Option<char> {
    let separator = outcomes.first()?.chars().find(|character| !character.is_alphanumeric())?;
    let is_separated = |outcome: &String| {
        let states: Vec<&str> = outcome.split(separator).collect();
        states.len() >= 3 && states.iter().all(|state| !state.trim().is_empty())
    };
    outcomes.iter().all(is_separated).then_some(separator)
}

/// What an outcome has: a probability or a count.
trait Weight: DeserializeOwned {
    const EXPECTED: &'static str;

    fn given<const S: usize>(entries: &[Entry<Self>]) -> Result<Given<S>, Error>;
}

impl Weight for f64 {
    const EXPECTED: &'static str = "a probability from 0 to 1";

    fn given<const S: usize>(entries: &[Entry<Self>]) -> Result<Given<S>, Error> {
        Joint::from_probabilities(entries.iter().map(named)).map(Given::Probabilities)
    }
}

impl Weight for u64 {
    const EXPECTED: &'static str = "a whole number, at least 0";

    fn given<const S: usize>(entries: &[Entry<Self>]) -> Result<Given<S>, Error> {
        Counts::from_counts(entries.iter().map(named)).map(Given::Counts)
    }
}

/// The states of all variables, the target's last, and the outcome's weight.
type Entry<W> = (Vec<String>, W);

fn named<W: Copy, const S: usize>((states, weight): &Entry<W>) -> ([&str; S], &str, W) {
    (std::array::from_fn(|place| &*states[place]), &*states[S], *weight)
}

fn distribution<W: Weight>(entries: &Entries<W>, missing: Missing) -> Result<Distribution, ReadError> {
    if let (Some(separator), Some(outcome)) = (separator_of(&entries.keys), entries.keys.first()) {
        return Err(ReadError::Separator { outcome: outcome.clone(), separator });
    }
    let entries = entries.outcomes.as_slice();
    for (states, _) in entries {
        if let Some(found) = states.iter().find(|state| missing.is_missing(state) && !is_blank(state)) {
            return Err(ReadError::MissingOfOutcome { outcome: states.join(", "), found: found.trim().to_owned() });
        }
    }
    // Without an outcome, two sources say so as well as any other number.
    let expected = entries.first().map_or(3, |(states, _)| states.len());
    if let Some((states, _)) = entries.iter().find(|(states, _)| states.len() != expected) {
        return Err(ReadError::Uneven { outcome: states.join(", "), found: states.len(), expected });
    }
    Ok(match expected {
        3 => Distribution::Two(W::given(entries)?),
        4 => Distribution::Three(W::given(entries)?),
        5 => Distribution::Four(W::given(entries)?),
        found => return Err(ReadError::States { outcome: entries[0].0.join(", "), found }),
    })
}

/// A whole file.
enum Document {
    Probabilities(Entries<f64>),
    Counts(Entries<u64>),
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl<'de> Visitor<'de> for Whole {
            type Value = Document;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object with `pmf` or `counts`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let document = match map.next_key::<String>()?.as_deref() {
                    Some("pmf") => Document::Probabilities(map.next_value()?),
                    Some("counts") => Document::Counts(map.next_value()?),
                    Some(other) => return Err(A::Error::custom(format!("found `{other}`; give `pmf` or `counts`"))),
                    None => return Err(A::Error::custom("found nothing; give `pmf` or `counts`")),
                };
                match map.next_key::<String>()? {
                    None => Ok(document),
                    Some(other) => {
                        Err(A::Error::custom(format!("found `{other}` besides; give one of `pmf` and `counts`, once")))
                    }
                }
            }
        }

        deserializer.deserialize_map(Whole)
    }
}

/// The outcomes as they come, with their keys where they have some.
struct Entries<W> {
    outcomes: Vec<Entry<W>>,
    keys: Vec<String>,
}

impl<'de, W: Weight> Deserialize<'de> for Entries<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All<W>(PhantomData<W>);

        impl<'de, W: Weight> Visitor<'de> for All<W> {
            type Value = Entries<W>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of outcomes, as in {\"000\": 0.5}, or a list of them, as in [[\"a\", \"b\", \"c\", 0.5]]")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<W>, A::Error> {
                let (mut outcomes, mut keys) = (Vec::new(), Vec::new());
                while let Some(outcome) = map.next_key::<String>()? {
                    let weight = map
                        .next_value()
                        .map_err(|error| refused::<W, _>(&format!("the outcome `{outcome}`"), error))?;
                    outcomes.push((outcome.chars().map(String::from).collect(), weight));
                    keys.push(outcome);
                }
                Ok(Entries { outcomes, keys })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries<W>, A::Error> {
                let mut entries = Vec::new();
                loop {
                    let place = format!("line {} of the list (from 0)", entries.len());
                    let line = list.next_element::<Vec<Value>>().map_err(|error| refused::<W, _>(&place, error))?;
                    let Some(mut line) = line else { return Ok(Entries { outcomes: entries, keys: Vec::new() }) };
                    let weight = line.pop().unwrap_or_default();
                    let weight = serde_json::from_value(weight).map_err(|error| refused::<W, _>(&place, error))?;
                    let state = |value: Value| match value {
                        Value::String(state) => Ok(state),
                        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
                        _ => Err(A::Error::custom(format!(
                            "{place}: `{value}` is no state; name states by text or numbers"
                        ))),
                    };
                    entries.push((line.into_iter().map(state).collect::<Result<_, _>>()?, weight));
                }
            }
        }

        deserializer.deserialize_any(All(PhantomData))
    }
}

fn refused<W: Weight, E: serde::de::Error>(place: &str, error: impl fmt::Display) -> E {
    E::custom(format!("{place}: {error}; give it {}", W::EXPECTED))
}
