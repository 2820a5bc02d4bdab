//! JSON files of a model, read with messages that name file and field.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::ModelError;

/// A JSON file, or a part of one.
pub(super) struct Configuration {
    file: String,
    root: Value,
}

impl Configuration {
    /// The file of this name, if the model has one.
    pub(super) fn of(files: &BTreeMap<String, PathBuf>, name: &str) -> Result<Option<Self>, ModelError> {
        let Some(path) = files.get(name) else { return Ok(None) };
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Read { file: file.clone(), source })?;
        match serde_json::from_str(&text) {
            Ok(root) => Ok(Some(Self { file, root })),
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

    /// A part of it; empty if it is missing.
    pub(super) fn nested(&self, field: &str) -> Self {
        Self { file: self.file.clone(), root: self.value(field).cloned().unwrap_or_default() }
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<&str>, ModelError> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(field, &value.to_string(), "must be a string"))
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

    pub(super) fn wrong(&self, field: &str, found: &str, expected: &str) -> ModelError {
        ModelError::Field {
            file: self.file.clone(),
            field: field.to_owned(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}
