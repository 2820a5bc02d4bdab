//! JSON files of a model, read with messages that name file and field.

use std::path::Path;

use serde_json::{Map, Value};

use super::ModelError;
use super::files::Files;

/// A JSON file, or a part of one.
pub(super) struct Configuration {
    file: String,
    root: Value,
}

impl Configuration {
    /// The file of this name, if the model has one.
    pub(super) fn of(files: &mut dyn Files, name: &str) -> Result<Option<Self>, ModelError> {
        files.get(name)?.map(|path| Self::read(&path)).transpose()
    }

    /// The file of this name, which the model must have.
    pub(super) fn needed(files: &mut dyn Files, model: &str, name: &str, hint: &str) -> Result<Self, ModelError> {
        let missing =
            || ModelError::MissingFile { model: model.to_owned(), file: name.to_owned(), hint: hint.to_owned() };
        Self::of(files, name)?.ok_or_else(missing)
    }

    fn read(path: &Path) -> Result<Self, ModelError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Read { file: file.clone(), source })?;
        match serde_json::from_str(&text) {
            Ok(root) => Ok(Self { file, root }),
            Err(source) => Err(ModelError::Json { file, source }),
        }
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// A field; null counts as missing.
    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.root.get(field).filter(|value| !value.is_null())
    }

    /// A part that is an object, if it is there.
    pub(super) fn part(&self, field: &str) -> Option<Self> {
        let root = self.value(field).filter(|value| value.is_object())?;
        Some(Self { file: self.file.clone(), root: root.clone() })
    }

    /// The fields of the object that it is.
    pub(super) fn fields(&self) -> Result<&Map<String, Value>, ModelError> {
        let expected = "must be an object of JSON";
        self.root.as_object().ok_or_else(|| self.wrong("(all of it)", &self.root.to_string(), expected))
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<&str>, ModelError> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(field, &value.to_string(), "must be a string"))
    }

    pub(super) fn flag(&self, field: &str) -> Result<Option<bool>, ModelError> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.wrong(field, &value.to_string(), "must be true or false"))
    }

    /// A positive whole number.
    pub(super) fn size(&self, field: &str) -> Result<Option<usize>, ModelError> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
        size.map(Some).ok_or_else(|| self.wrong(field, &value.to_string(), "must be a positive whole number"))
    }

    pub(super) fn needed_size(&self, field: &str) -> Result<usize, ModelError> {
        self.size(field)?.ok_or_else(|| self.wrong(field, "missing", "must be a positive whole number"))
    }

    /// A greatest length. Beyond all numbers of 32 bits it stands for none, as where a library has no better word.
    pub(super) fn limit(&self, field: &str) -> Result<Option<usize>, ModelError> {
        match self.value(field) {
            Some(value) if value.as_f64().is_some_and(|value| value > f64::from(u32::MAX)) => Ok(None),
            _ => self.size(field),
        }
    }

    pub(super) fn wrong(&self, field: &str, found: &str, expected: &str) -> ModelError {
        ModelError::Field {
            file: self.file.clone(),
            field: field.to_owned(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}
