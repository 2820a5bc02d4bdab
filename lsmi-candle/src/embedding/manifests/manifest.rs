//! Manifests: where a model's files are, what it reads, and how a vector is made.
//!
//! `models/README.md` explains the fields and `models/manifest.schema.json` is the schema of the same format.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ModelError;
use crate::embedding::encoders::{Architecture, Modality, Poolings};
use crate::embedding::hub::{FileRequest, Repository, check_path, is_commit, is_sha256};
use crate::embedding::preprocess::{audio, image, video};
use crate::files::Digest;

/// A manifest as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name of the file without `.toml`.
    pub name: String,
    /// `organisation/model` on the hub.
    pub repository: String,
    /// The commit; without it that of the first download is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The kind of network.
    pub architecture: Architecture,
    /// What it reads.
    pub modality: Modality,
    /// Length of the vector.
    pub embedding_width: usize,
    /// How one vector is made of what comes out.
    pub pooling: Poolings,
    /// Whether the vector is divided by its Euclidean norm.
    pub normalize: bool,
    /// Licence of the weights, an SPDX expression.
    pub licence: String,
    /// The publications to cite.
    pub citation: Vec<String>,
    /// The name of the prompt that is put before every text unless another is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_prompt: Option<String>,
    /// Texts that its authors put before others, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prompts: BTreeMap<String, String>,
    /// What is done to the input.
    pub preprocessing: Preprocessing,
    /// The files that are needed.
    pub files: Vec<ManifestFile>,
}

/// A file of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Its path inside the repository.
    pub path: String,
    /// The repository and the commit that it is of, where these are not the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Elsewhere>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Its SHA-256, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A commit of another repository, written `organisation/model@commit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Elsewhere {
    repository: Repository,
    commit: String,
}

impl TryFrom<String> for Elsewhere {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('@').filter(|(_, commit)| is_commit(commit));
        let found = parts.and_then(|(repository, commit)| Some((repository.parse().ok()?, commit.to_owned())));
        let wrong = || format!("`{text}` must be organisation/model@commit, the commit of 40 hexadecimal digits");
        found.map(|(repository, commit)| Self { repository, commit }).ok_or_else(wrong)
    }
}

impl From<Elsewhere> for String {
    fn from(Elsewhere { repository, commit }: Elsewhere) -> Self {
        format!("{repository}@{commit}")
    }
}

/// What is done to the input, by modality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Preprocessing {
    /// Of text.
    Text(TextPreprocessing),
    /// Of pictures.
    Image(image::Settings),
    /// Of sound.
    Audio(audio::Settings),
    /// Of videos.
    Video(video::Settings),
    /// Of depth.
    Depth(image::DepthSettings),
}

/// What is done to text before the tokens go in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextPreprocessing {
    /// Longer texts are cut to this many tokens, special tokens included.
    pub max_tokens: usize,
    /// Whether texts are made lower-case before anything else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lower_case: bool,
}

/// The form in which `preprocessing` is read before the modality is looked at, so that messages name the field.
#[derive(Deserialize)]
struct Untyped {
    modality: Modality,
    preprocessing: toml::Table,
}

impl Manifest {
    /// Reads a manifest from its text; `file` is for messages.
    ///
    /// # Errors
    /// If it is no TOML, lacks a field, has one too many, or one has a value that cannot be; the field is named.
    pub fn parse(text: &str, file: &str) -> Result<Self, ModelError> {
        let wrong = |error: toml::de::Error| ModelError::Parse {
            file: file.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        };
        // The right kind of preprocessing first: that of all kinds at once could only say that none fits.
        if let Ok(Untyped { modality, preprocessing }) = toml::from_str(text) {
            let table = toml::Value::Table(preprocessing);
            let about = |error: toml::de::Error| ModelError::Parse {
                file: file.to_owned(),
                reason: format!("[preprocessing] of {modality}: {}", error.to_string().trim_end()),
            };
            match modality {
                Modality::Text => table.try_into::<TextPreprocessing>().map(|_| ()),
                Modality::Image => table.try_into::<image::Settings>().map(|_| ()),
                Modality::Depth => table.try_into::<image::DepthSettings>().map(|_| ()),
                Modality::Video => table.try_into::<video::Settings>().map(|_| ()),
                Modality::Audio => table.try_into::<audio::Settings>().map(|_| ()),
            }
            .map_err(about)?;
        }
        let manifest: Self = toml::from_str(text).map_err(wrong)?;
        manifest.check(file)?;
        Ok(manifest)
    }

    /// Reads the manifest of a user, which has the name that its field says.
    ///
    /// # Errors
    /// As [`Manifest::parse`], or if the file cannot be read or is called otherwise.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let manifest = Self::read_unnamed(path)?;
        let stem = path.file_stem().unwrap_or_default();
        if stem != manifest.name.as_str() {
            return Err(ModelError::Field {
                file: path.display().to_string(),
                field: "name".to_owned(),
                found: format!("`{}`", manifest.name),
                expected: format!("must be the name of the file, `{}`", stem.to_string_lossy()),
            });
        }
        Ok(manifest)
    }

    /// Reads a manifest that lies in the directory of its model, under a name that says nothing.
    ///
    /// # Errors
    /// As [`Manifest::parse`], or if the file cannot be read.
    pub fn read_unnamed(path: &Path) -> Result<Self, ModelError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Read { file: file.clone(), source })?;
        Self::parse(&text, &file)
    }

    /// Returns the repository.
    ///
    /// # Errors
    /// If the name is none, which [`Manifest::parse`] has ruled out.
    pub fn repository(&self) -> Result<Repository, ModelError> {
        Ok(Repository::from_str(&self.repository)?)
    }

    /// Lists the files, as the hub is asked for them.
    pub fn file_requests<'a>(
        &'a self,
        repository: &'a Repository,
        commit: &'a str,
    ) -> impl Iterator<Item = FileRequest<'a>> {
        self.files.iter().map(move |ManifestFile { path, from, bytes, sha256 }| {
            let (repository, commit) = match from {
                Some(Elsewhere { repository, commit }) => (repository, commit.as_str()),
                None => (repository, commit),
            };
            FileRequest { repository, commit, path, bytes: *bytes, sha256: sha256.as_deref() }
        })
    }

    /// Holds the files of a directory against sizes and hashes, as far as there are any.
    pub(super) fn check_files(&self, directory: &Path) -> Result<(), ModelError> {
        for ManifestFile { path, bytes, sha256, .. } in &self.files {
            if bytes.is_none() && sha256.is_none() {
                continue;
            }
            let place = directory.join(path);
            let file = place.display().to_string();
            let found = Digest::of_file(&place).map_err(|source| ModelError::Read { file: file.clone(), source })?;
            found.check(&file, *bytes, sha256.as_deref())?;
        }
        Ok(())
    }

    fn check(&self, file: &str) -> Result<(), ModelError> {
        let refuse = |field: &str, found: &dyn fmt::Display, expected: &str| {
            Err(ModelError::Field {
                file: file.to_owned(),
                field: field.to_owned(),
                found: format!("`{found}`"),
                expected: expected.to_owned(),
            })
        };
        let is_usual = |other: char| other.is_ascii_lowercase() || other.is_ascii_digit() || ".-".contains(other);
        if self.name.starts_with(['.', '-']) || self.name.is_empty() || !self.name.chars().all(is_usual) {
            return refuse("name", &self.name, "must be of small letters, digits, hyphens and dots");
        }
        if self.repository.parse::<Repository>().is_err() {
            return refuse("repository", &self.repository, "must be organisation/model");
        }
        if let Some(revision) = self.revision.as_ref().filter(|revision| !is_commit(revision)) {
            return refuse(
                "revision",
                revision,
                "must be a commit, 40 hexadecimal digits; leave it out to pin at first use",
            );
        }
        if self.embedding_width == 0 {
            return refuse("embedding_width", &0, "must be at least 1");
        }
        if self.licence.trim().is_empty() {
            return refuse("licence", &self.licence, "must be an SPDX expression");
        }
        if self.citation.is_empty() || self.citation.iter().any(|citation| citation.trim().is_empty()) {
            return refuse("citation", &"", "must list the publications to cite");
        }
        let is_of_name = |other: char| other.is_ascii_alphanumeric() || "._-".contains(other);
        if self.modality != Modality::Text && !self.prompts.is_empty() {
            return refuse("prompts", &"", "only texts have prompts");
        }
        if let Some(name) = self.prompts.keys().find(|name| name.is_empty() || !name.chars().all(is_of_name)) {
            return refuse("prompts", name, "must have names of letters, digits, dots, hyphens and underscores");
        }
        if let Some(name) = self.default_prompt.as_ref().filter(|name| !self.prompts.contains_key(*name)) {
            return refuse("default_prompt", name, "must be the name of one of [prompts]");
        }
        let mut seen = BTreeSet::new();
        for ManifestFile { path, bytes, sha256, .. } in &self.files {
            if check_path(path).is_err() {
                return refuse("files.path", path, "must be a path inside the repository");
            }
            if !seen.insert(path) {
                return refuse("files.path", path, "must be there only once");
            }
            if *bytes == Some(0) {
                return refuse("files.bytes", &0, "must be at least 1");
            }
            if let Some(sha256) = sha256.as_ref().filter(|sha256| !is_sha256(sha256)) {
                return refuse("files.sha256", sha256, "must be 64 hexadecimal digits, small letters");
            }
        }
        if !self.files.iter().any(|file| file.path.ends_with(".safetensors")) {
            return refuse("files", &"", "must list the weights, a .safetensors file");
        }
        if !self.architecture.modalities().contains(&self.modality) {
            let of = self.architecture;
            return refuse("modality", &self.modality, &format!("{of} does not read that"));
        }
        match &self.preprocessing {
            Preprocessing::Text(text) if text.max_tokens == 0 => {
                refuse("preprocessing.max_tokens", &0, "must be at least 1")
            }
            // The others were checked when they were read.
            _ => Ok(()),
        }
    }
}
