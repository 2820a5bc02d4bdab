//! Arrays taken from an open file for what they are to be: a modality, logits, labels, ids.
//!
//! Here it is decided which element types and shapes may serve; every refusal says what to do instead.

use std::collections::BTreeSet;

use lsmi_core::SampleIds;

use super::array::{Array, Corrupt, Number, Values};
use super::classes::{Label, first_repeat};
use super::error::FeatureError;
use super::format::{Container, Format};
use crate::matrix::Matrix;

/// What a matrix is to be: decides what it may hold and what a refusal advises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatrixRole {
    Modality,
    Logits,
}

impl MatrixRole {
    /// Integers in place of logits are predicted classes or one-hot rows, which say nothing of how sure the model is.
    fn takes_integers(self) -> bool {
        self == Self::Modality
    }

    fn element_type(self) -> &'static str {
        match self {
            Self::Modality => "features must be numbers; convert them, e.g. x.astype('float32')",
            Self::Logits => {
                "logits must be floating-point numbers: what goes into the softmax, or log-probabilities; not the predicted class"
            }
        }
    }

    fn shape(self, dimensions: usize) -> &'static str {
        match (self, dimensions) {
            (Self::Modality, 0 | 1) => "features need [rows, columns]; for one feature, x.reshape(-1, 1)",
            (Self::Modality, _) => "features need [rows, columns]; flatten each row, x.reshape(len(x), -1)",
            (Self::Logits, 0 | 1) => {
                "logits need [rows, classes]; for the one logit z, of the second of two classes, np.stack([0 * z, z], axis=1)"
            }
            (Self::Logits, _) => "logits need [rows, classes]; make it one row a sample, one column a class",
        }
    }

    fn not_finite(self, value: f64) -> &'static str {
        match self {
            Self::Modality => "remove such rows or fill in the value before the analysis",
            Self::Logits if value == f64::NEG_INFINITY => {
                "no class may be ruled out, for its loss would be infinite; clip, e.g. np.maximum(z, z.max(axis=1, keepdims=True) - 30)"
            }
            Self::Logits => "compute the logits in 32 bits, or remove such rows",
        }
    }
}

/// An open feature file.
pub(super) struct Source<'a> {
    file: &'a str,
    format: Format,
    container: Box<dyn Container + 'a>,
    names: BTreeSet<String>,
}

impl<'a> Source<'a> {
    pub(super) fn open(file: &'a str, bytes: &'a [u8], format: Format) -> Result<Self, FeatureError> {
        let container = format.open(bytes).map_err(|corrupt| corrupted(file, format, corrupt))?;
        Ok(Self { file, format, names: container.names(), container })
    }

    pub(super) fn file(&self) -> String {
        self.file.to_owned()
    }

    /// The names of all arrays.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// A modality or a model's logits: a matrix of finite numbers, at least one by one.
    pub(super) fn matrix(&mut self, name: &str, role: MatrixRole) -> Result<Matrix, FeatureError> {
        let file = self.file();
        let array = self.array(name)?;
        let numbers = match &array.values {
            Values::Numbers(numbers) if role.takes_integers() || numbers.is_float() => numbers,
            _ => return Err(element_type(file, name, &array, role.element_type())),
        };
        let &[rows, columns] = array.shape.as_slice() else {
            return Err(wrong_shape(file, name, &array, role.shape(array.shape.len())));
        };
        if rows == 0 || columns == 0 {
            return Err(empty(file, name, &array));
        }
        let mut values = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                let value = numbers.at(&[row, column]).to_f64();
                if !value.is_finite() {
                    let advice = role.not_finite(value);
                    return Err(FeatureError::NotFinite {
                        file,
                        array: name.to_owned(),
                        row,
                        column,
                        found: value,
                        advice,
                    });
                }
                values.push(value);
            }
        }
        Matrix::new(rows, columns, values).map_err(|error| FeatureError::Corrupt {
            file,
            format: self.format.name(),
            reason: error.to_string(),
        })
    }

    /// The labels: integers, booleans or strings.
    pub(super) fn labels(&mut self, name: &str) -> Result<Vec<Label>, FeatureError> {
        self.identifiers(
            name,
            "labels must be integers or strings: y.astype(str) for text, y.astype('int64') for class numbers, y.argmax(axis=1) for one-hot rows, bins for a continuous target",
            "labels need [rows]; use y.reshape(-1), or y.argmax(axis=1) if they are one-hot",
        )
    }

    /// The ids in an array: distinct integers or strings.
    pub(super) fn ids(&mut self, name: &str) -> Result<SampleIds, FeatureError> {
        let ids = self.identifiers(
            name,
            "ids must be integers or strings: id.astype(str) for text, id.astype('int64') for numbers",
            "ids need [rows]; use id.reshape(-1)",
        )?;
        let numbers: Option<Vec<i64>> = ids
            .iter()
            .map(|id| match id {
                Label::Integer(value) => i64::try_from(*value).ok(),
                Label::Text(_) => None,
            })
            .collect();
        let made = match numbers {
            Some(numbers) => SampleIds::from_numbers(numbers),
            None => SampleIds::from_names(ids.iter().map(ToString::to_string)),
        };
        made.map_err(|error| self.unusable_ids(name, error))
    }

    /// The ids in the metadata, if they are there: a JSON list of distinct strings.
    pub(super) fn metadata_ids(&self, key: &str) -> Result<Option<SampleIds>, FeatureError> {
        self.metadata_list(key)?
            .map(|ids| SampleIds::from_names(ids).map_err(|error| self.unusable_ids(key, error)))
            .transpose()
    }

    /// The names of the labels 0, 1, ... in the metadata key `classes`, if it is there.
    pub(super) fn class_names(&self) -> Result<Option<Vec<String>>, FeatureError> {
        let names = self.metadata_list("classes")?;
        match names.as_deref().and_then(|names| Some((names, first_repeat(names)?))) {
            Some((names, (first, second))) => Err(self.metadata_error(
                "classes",
                format!("names the labels {first} and {second} both `{}`; give every label its own name", names[first]),
            )),
            None => Ok(names),
        }
    }

    fn metadata_list(&self, key: &str) -> Result<Option<Vec<String>>, FeatureError> {
        self.container
            .metadata(key)
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| self.metadata_error(key, format!("is no JSON list of strings ({error}); write one")))
    }

    fn metadata_error(&self, key: &str, reason: String) -> FeatureError {
        FeatureError::Metadata { file: self.file(), key: key.to_owned(), reason }
    }

    fn unusable_ids(&self, name: &str, error: lsmi_core::Error) -> FeatureError {
        let (file, array) = (self.file(), name.to_owned());
        match error {
            lsmi_core::Error::DuplicateId { id, first, second } => {
                FeatureError::DuplicateId { file, array, id, first, second }
            }
            source => FeatureError::Ids { file, array, source },
        }
    }

    fn array(&mut self, name: &str) -> Result<Array<'_>, FeatureError> {
        if !self.names.contains(name) {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            return Err(FeatureError::MissingArray {
                file: self.file(),
                array: name.to_owned(),
                available: match names.as_slice() {
                    [] => "none".to_owned(),
                    names => names.join(", "),
                },
            });
        }
        let (file, format) = (self.file, self.format);
        self.container.array(name).map_err(|corrupt| corrupted(file, format, corrupt))
    }

    /// One integer or string a row.
    fn identifiers(
        &mut self,
        name: &str,
        expected_type: &'static str,
        expected_shape: &'static str,
    ) -> Result<Vec<Label>, FeatureError> {
        let file = self.file();
        let array = self.array(name)?;
        let is_usable = match &array.values {
            Values::Numbers(numbers) => !numbers.is_float(),
            Values::Strings(_) => true,
            Values::Other(_) => false,
        };
        if !is_usable {
            return Err(element_type(file, name, &array, expected_type));
        }
        let &[rows] = array.shape.as_slice() else {
            return Err(wrong_shape(file, name, &array, expected_shape));
        };
        if rows == 0 {
            return Err(empty(file, name, &array));
        }
        Ok(match array.values {
            Values::Numbers(numbers) => (0..rows)
                .filter_map(|row| match numbers.at(&[row]) {
                    Number::Integer(value) => Some(Label::Integer(value)),
                    Number::Float(_) => None,
                })
                .collect(),
            Values::Strings(texts) => texts.into_iter().map(Label::Text).collect(),
            Values::Other(_) => Vec::new(),
        })
    }
}

fn corrupted(file: &str, format: Format, Corrupt(reason): Corrupt) -> FeatureError {
    FeatureError::Corrupt { file: file.to_owned(), format: format.name(), reason }
}

fn element_type(file: String, name: &str, array: &Array<'_>, expected: &'static str) -> FeatureError {
    FeatureError::ElementType { file, array: name.to_owned(), found: array.type_name(), expected }
}

fn wrong_shape(file: String, name: &str, array: &Array<'_>, expected: &'static str) -> FeatureError {
    FeatureError::Shape { file, array: name.to_owned(), found: array.shape_text(), expected }
}

fn empty(file: String, name: &str, array: &Array<'_>) -> FeatureError {
    FeatureError::Empty { file, array: name.to_owned(), found: array.shape_text() }
}
