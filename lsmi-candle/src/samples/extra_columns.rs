//! The further columns of a file of samples: numbers that were asked for, then the metadata columns of the input.
//!
//! A metadata column keeps its name unless the file of samples has a column of that name itself: then it is called
//! `input_` and its name. Files whose columns differ are put together: what one has not is empty in its rows, and
//! values of two types are text in both (integers among floating-point numbers are numbers).

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::features::{MetadataColumn, MetadataType, MetadataValues, PRESENT};

use super::ScoredSplit;
use super::sample::COLUMNS;
use super::value::Value;

/// What stands before the name of a column of the input that has the name of one of the output.
const PREFIX: &str = "input_";

/// The names of the further columns, and the types of those that are metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraColumns {
    /// Columns of numbers.
    pub numbers: Vec<String>,
    /// Metadata columns.
    pub metadata: Vec<Metadata>,
    /// Whether samples may lack a modality, and with it the values that depend on it.
    pub has_gaps: bool,
}

/// A metadata column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Its name in the input.
    source: String,
    /// Its name in the output.
    pub name: String,
    pub kind: MetadataType,
}

impl ExtraColumns {
    /// Columns of numbers, and all metadata columns that there are.
    pub fn new<'c>(numbers: Vec<String>, metadata: impl Iterator<Item = (&'c str, MetadataType)>) -> Self {
        let own = COLUMNS.into_iter().map(str::to_owned).chain(numbers.iter().cloned()).collect();
        Self { numbers, ..Self::beside(&own, metadata) }
    }

    /// All metadata columns that there are beside columns of these names.
    pub(crate) fn beside<'c>(own: &BTreeSet<String>, metadata: impl Iterator<Item = (&'c str, MetadataType)>) -> Self {
        let mut found: Vec<(&str, MetadataType)> = Vec::new();
        let mut places = std::collections::BTreeMap::new();
        for (source, kind) in metadata {
            let place = *places.entry(source).or_insert(found.len());
            match found.get_mut(place) {
                Some((_, known)) => *known = common(*known, kind),
                None => found.push((source, kind)),
            }
        }
        let name = |source: &str| {
            let mut name = source.to_owned();
            // Not only the output's own names are taken, but those of the other metadata columns.
            while own.contains(&name) || (name != source && places.contains_key(name.as_str())) {
                name.insert_str(0, PREFIX);
            }
            name
        };
        let metadata = found.iter().map(|(source, kind)| Metadata {
            source: (*source).to_owned(),
            name: name(source),
            kind: *kind,
        });
        Self { numbers: Vec::new(), metadata: metadata.collect(), has_gaps: false }
    }

    /// Returns the columns with those that say which modalities a sample has, before all other metadata columns.
    #[must_use]
    pub fn with_presence(mut self) -> Self {
        let named =
            |name: &str| Metadata { source: name.to_owned(), name: name.to_owned(), kind: MetadataType::Integers };
        self.metadata.splice(0..0, PRESENT.map(named));
        self.has_gaps = true;
        self
    }

    /// Returns the extra columns of samples of splits that were scored by one estimator and the same measures.
    pub fn of_splits(splits: &[ScoredSplit]) -> Self {
        let numbers = splits.first().map(|split| split.extra_names().to_vec()).unwrap_or_default();
        let metadata = splits.iter().flat_map(|split| &split.metadata);
        let columns = Self::new(numbers, metadata.map(|column| (column.name.as_str(), column.values.kind())));
        if splits.iter().any(|split| split.partial.is_some()) { columns.with_presence() } else { columns }
    }

    /// The names of all of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.numbers.iter().chain(self.metadata.iter().map(|column| &column.name)).map(String::as_str)
    }

    /// The values of the metadata columns in a row of these columns of the input, which has both modalities.
    pub fn values_of<'c>(&self, columns: &'c [MetadataColumn]) -> impl Fn(usize) -> Vec<Value<Cow<'c, str>>> + use<'c> {
        self.values_with(columns, [1, 1])
    }

    /// The same of rows that have one modality, 0 or 1, alone.
    pub(super) fn values_of_one<'c>(
        &self,
        columns: &'c [MetadataColumn],
        modality: usize,
    ) -> impl Fn(usize) -> Vec<Value<Cow<'c, str>>> + use<'c> {
        self.values_with(columns, [[1, 0], [0, 1]][modality])
    }

    fn values_with<'c>(
        &self,
        columns: &'c [MetadataColumn],
        presence: [i64; 2],
    ) -> impl Fn(usize) -> Vec<Value<Cow<'c, str>>> + use<'c> {
        let found: Vec<(Option<&MetadataColumn>, MetadataType)> = self
            .metadata
            .iter()
            .map(|metadata| (columns.iter().find(|column| column.name == metadata.source), metadata.kind))
            .collect();
        // They come first.
        let presence = if self.has_gaps { presence.map(|of| Value::Integer(Some(of))).to_vec() } else { Vec::new() };
        move |row| {
            let of_input = found.iter().skip(presence.len());
            let of_input = of_input.map(|(column, kind)| value(column.map(|column| &column.values), *kind, row));
            presence.iter().cloned().chain(of_input).collect()
        }
    }
}

/// The type that holds values of both.
fn common(one: MetadataType, other: MetadataType) -> MetadataType {
    use MetadataType::{Floats, Integers, Texts};
    match (one, other) {
        (one, other) if one == other => one,
        (Integers, Floats) | (Floats, Integers) => Floats,
        _ => Texts,
    }
}

fn value(values: Option<&MetadataValues>, kind: MetadataType, row: usize) -> Value<Cow<'_, str>> {
    let found = values.map(|values| match values {
        MetadataValues::Integers(values) => Value::Integer(values[row]),
        MetadataValues::Floats(values) => Value::Float(values[row]),
        MetadataValues::Booleans(values) => Value::Boolean(values[row]),
        MetadataValues::Texts(values) => Value::Text(values[row].as_deref().map(Cow::Borrowed)),
    });
    match (kind, found) {
        (MetadataType::Integers, Some(value @ Value::Integer(_)))
        | (MetadataType::Floats, Some(value @ Value::Float(_)))
        | (MetadataType::Booleans, Some(value @ Value::Boolean(_))) => value,
        (MetadataType::Integers, _) => Value::Integer(None),
        (MetadataType::Floats, Some(Value::Integer(value))) => Value::Float(value.map(|value| value as f64)),
        (MetadataType::Floats, _) => Value::Float(None),
        (MetadataType::Booleans, _) => Value::Boolean(None),
        (_, found) => Value::Text(match found {
            Some(Value::Integer(value)) => value.map(|value| value.to_string().into()),
            Some(Value::Float(value)) => value.map(|value| value.to_string().into()),
            Some(Value::Boolean(value)) => value.map(|value| value.to_string().into()),
            Some(Value::Text(text)) => text,
            None => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_output_get_a_prefix() {
        let kind = MetadataType::Integers;
        let sources = ["path", "label", "input_label", "r_sd", "fold"];
        let columns = ExtraColumns::new(vec!["r_sd".to_owned()], sources.into_iter().map(|name| (name, kind)));
        let names: Vec<&str> = columns.names().collect();
        assert_eq!(names, ["r_sd", "path", "input_input_label", "input_label", "input_r_sd", "input_fold"]);
    }

    #[test]
    fn inputs_with_other_columns_are_put_together() {
        let one = [
            MetadataColumn { name: "n".to_owned(), values: MetadataValues::Integers(vec![Some(1), None]) },
            MetadataColumn { name: "b".to_owned(), values: MetadataValues::Booleans(vec![Some(true), None]) },
        ];
        let two = [
            MetadataColumn { name: "b".to_owned(), values: MetadataValues::Texts(vec![Some("x".to_owned())]) },
            MetadataColumn { name: "n".to_owned(), values: MetadataValues::Floats(vec![Some(0.5)]) },
        ];
        let kinds = one.iter().chain(&two).map(|column| (column.name.as_str(), column.values.kind()));
        let columns = ExtraColumns::new(Vec::new(), kinds);
        assert_eq!(columns.names().collect::<Vec<_>>(), ["n", "b"]);
        assert_eq!(columns.values_of(&one)(0), [Value::Float(Some(1.0)), Value::Text(Some("true".into()))]);
        assert_eq!(columns.values_of(&two)(0), [Value::Float(Some(0.5)), Value::Text(Some("x".into()))]);
        assert_eq!(columns.values_of(&[])(7), [Value::Float(None), Value::Text(None)]);
    }
}
