//! The `config.json` of a checkpoint, read field by field.
//!
//! The same model is spelt differently by different versions of the library that wrote it, and values equal to a default
//! may be left out. So fields are asked for one by one, under all their names, with the architecture's default.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::architecture::NetworkName;
use super::error::{EncoderError, Result};
use super::layers::Activation;
use super::{Architecture, Modality};

/// No model has more of anything; what is computed of sizes up to this does not overflow.
const MOST: usize = 1 << 24;
const WHOLE: &str = "a whole number of at most 16777216";

/// A configuration, or a section of one.
#[derive(Debug, Clone)]
pub struct Config {
    file: String,
    section: String,
    fields: Map<String, Value>,
}

impl Config {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// [`EncoderError::Read`] or [`EncoderError::Json`], naming the file.
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|source| EncoderError::Read { file: file.clone(), source })?;
        Self::parse(&file, &text)
    }

    /// Parses a configuration; `file` is the name for messages.
    ///
    /// # Errors
    /// [`EncoderError::Json`] where the text is not a JSON object.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let fields =
            serde_json::from_str(text).map_err(|source| EncoderError::Json { file: file.to_owned(), source })?;
        Ok(Self { file: file.to_owned(), section: String::new(), fields })
    }

    /// Returns the name of the file, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the architecture: `model_type`, or where there is none `architecture`, as in files of the library timm.
    ///
    /// # Errors
    /// [`EncoderError::Field`] where it is missing or not a string.
    pub fn architecture(&self) -> Result<&str> {
        self.name().map(NetworkName::as_str)
    }

    fn name(&self) -> Result<NetworkName<'_>> {
        NetworkName::of(&self.fields).map_err(|(field, found)| self.wrong(field, "a string", found))
    }

    /// Returns the name of the model in the library timm, without what it says of the training; none of other models.
    pub(super) fn timm_name(&self) -> Option<&str> {
        match self.name() {
            Ok(NetworkName::Timm(name)) => name.split('.').next(),
            _ => None,
        }
    }

    /// Returns the network that the architecture means, where it reads a modality.
    ///
    /// # Errors
    /// [`EncoderError::Architecture`] where it does not, or is not built in; as [`Config::architecture`] otherwise.
    pub fn network(&self, modality: Modality) -> Result<Architecture> {
        let found = self.name()?.network();
        match found.filter(|(_, reads)| reads.contains(&modality)) {
            Some((architecture, _)) => Ok(architecture),
            None => Err(self.not_built_in(modality)),
        }
    }

    /// The error of an architecture that there is no encoder of a modality for.
    pub(in crate::embedding) fn not_built_in(&self, modality: Modality) -> EncoderError {
        match self.name() {
            Ok(name) => name.refused(&self.file, Some(modality)),
            Err(error) => error,
        }
    }

    /// The error of an architecture whose blocks cannot be trained on a modality; `known` are those whose blocks can.
    pub(in crate::embedding) fn not_trainable(&self, modality: Modality, known: &[Architecture]) -> EncoderError {
        match self.name() {
            Ok(name) => EncoderError::NotTrainable {
                file: self.file.clone(),
                found: name.as_str().to_owned(),
                modality: modality.inputs(),
                known: known.iter().map(|architecture| architecture.name()).collect(),
            },
            Err(error) => error,
        }
    }

    /// Returns a section, such as `text_config`; an empty one where it is missing, as all its fields may be defaults.
    ///
    /// # Errors
    /// [`EncoderError::Field`] where it is not an object.
    pub fn section(&self, name: &str) -> Result<Self> {
        let fields = match self.find(&[name]) {
            None => Map::new(),
            Some((_, Value::Object(fields))) => fields.clone(),
            Some((name, other)) => return Err(self.wrong(name, "an object", Some(other))),
        };
        Ok(Self { file: self.file.clone(), section: format!("{}{name}.", self.section), fields })
    }

    /// The same with values for fields that it leaves out: the defaults of a class whose own ones differ from those of the
    /// code that reads it.
    pub(super) fn with_defaults(mut self, defaults: &[(&str, Value)]) -> Self {
        for (name, value) in defaults {
            if !self.has(&[name]) {
                self.fields.insert((*name).to_owned(), value.clone());
            }
        }
        self
    }

    /// Whether one of the names has a value that is not `null`.
    pub fn has(&self, names: &[&str]) -> bool {
        self.find(names).is_some()
    }

    /// Lists the names of the fields that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str())
    }

    /// Returns the value of a field that is there.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Whether the field is there and `null`, where that means something else than its default.
    pub fn is_null(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(Value::is_null)
    }

    /// Reads a whole number from 1 to 2^24, under the first of the names that is there.
    ///
    /// # Errors
    /// [`EncoderError::Field`] where it is something else, or missing without a default.
    pub fn count(&self, names: &[&str], default: impl Into<Option<usize>>) -> Result<usize> {
        match self.index(names, default)? {
            0 => Err(self.wrong(names[0], "at least 1", Some(&Value::from(0)))),
            count => Ok(count),
        }
    }

    /// Reads a whole number from 0 to 2^24.
    ///
    /// # Errors
    /// As [`Config::count`].
    pub fn index(&self, names: &[&str], default: impl Into<Option<usize>>) -> Result<usize> {
        self.field(names, WHOLE, default.into(), whole)
    }

    /// Reads the number of a token.
    ///
    /// # Errors
    /// As [`Config::count`].
    pub fn token(&self, names: &[&str], default: impl Into<Option<u32>>) -> Result<u32> {
        self.field(names, "the number of a token", default.into(), |value| u32::try_from(whole(value)?).ok())
    }

    /// Reads a finite number.
    ///
    /// # Errors
    /// As [`Config::count`].
    pub fn real(&self, names: &[&str], default: impl Into<Option<f64>>) -> Result<f64> {
        self.field(names, "a number", default.into(), Value::as_f64)
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// As [`Config::count`].
    pub fn flag(&self, names: &[&str], default: impl Into<Option<bool>>) -> Result<bool> {
        self.field(names, "true or false", default.into(), Value::as_bool)
    }

    /// Reads a string.
    ///
    /// # Errors
    /// As [`Config::count`].
    pub fn text<'config>(
        &'config self,
        names: &[&str],
        default: impl Into<Option<&'config str>>,
    ) -> Result<&'config str> {
        self.field(names, "a string", default.into(), Value::as_str)
    }

    /// Reads a list of whole numbers from 1 to 2^24.
    ///
    /// # Errors
    /// As [`Config::count`].
    pub fn counts(&self, names: &[&str], default: Option<&[usize]>) -> Result<Vec<usize>> {
        let list = |value: &Value| value.as_array()?.iter().map(whole).collect::<Option<Vec<_>>>();
        self.field(names, "a list of whole numbers", default.map(<[usize]>::to_vec), list)
    }

    /// Reads a list of strings.
    ///
    /// # Errors
    /// As [`Config::count`].
    pub fn texts(&self, names: &[&str], default: Option<&[&str]>) -> Result<Vec<String>> {
        let list = |value: &Value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        let default = default.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        self.field(names, "a list of strings", default, list)
    }

    /// Reads the name of an activation.
    ///
    /// # Errors
    /// [`EncoderError::Field`] where it is not the name of one that is built in.
    pub fn activation(&self, names: &[&str], default: &str) -> Result<Activation> {
        let name = self.text(names, default)?;
        let wrong = || self.wrong(names[0], Activation::EXPECTED, Some(&Value::from(name)));
        Activation::named(name).ok_or_else(wrong)
    }

    /// Refuses a value that the field may have, but that is not built in.
    ///
    /// # Errors
    /// [`EncoderError::Field`] where the field is there and is not `expected`.
    pub fn expect(&self, name: &str, expected: &Value) -> Result<()> {
        match self.find(&[name]) {
            Some((_, found)) if found != expected => Err(self.wrong(name, &expected.to_string(), Some(found))),
            _ => Ok(()),
        }
    }

    /// Returns the error of a field that is not as it should be.
    pub fn wrong(&self, name: &str, expected: &str, found: Option<&Value>) -> EncoderError {
        EncoderError::Field {
            file: self.file.clone(),
            field: format!("{}{name}", self.section),
            expected: expected.to_owned(),
            found: found.map_or_else(|| "missing".to_owned(), Value::to_string),
        }
    }

    fn find<'names>(&self, names: &[&'names str]) -> Option<(&'names str, &Value)> {
        let values = names.iter().filter_map(|name| Some((*name, self.fields.get(*name)?)));
        values.into_iter().find(|(_, value)| !value.is_null())
    }

    fn field<'config, T>(
        &'config self,
        names: &[&str],
        expected: &str,
        default: Option<T>,
        read: impl Fn(&'config Value) -> Option<T>,
    ) -> Result<T> {
        match self.find(names) {
            Some((name, value)) => read(value).ok_or_else(|| self.wrong(name, expected, Some(value))),
            None => default.ok_or_else(|| self.wrong(names[0], expected, None)),
        }
    }
}

fn whole(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok().filter(|number| *number <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_several_names_and_defaults() {
        let config =
            Config::parse("config.json", r#"{"dim": 8, "eps": null, "text_config": {"layers": "two"}}"#).unwrap();
        assert_eq!(config.count(&["hidden_size", "dim"], None).unwrap(), 8);
        assert_eq!(config.real(&["eps"], 1e-5).unwrap(), 1e-5);
        let error = config.section("text_config").unwrap().count(&["layers"], 12).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the field `text_config.layers` of config.json should be a whole number of at most 16777216, but is \"two\""
        );
        let error = config.section("vision_config").unwrap().count(&["layers"], None).unwrap_err();
        assert!(error.to_string().contains("vision_config.layers") && error.to_string().contains("missing"));
        assert!(Config::parse("config.json", "[1]").is_err());
    }
}
