//! Names of repositories, revisions and files, checked before they become part of a path or an address.

use std::fmt;
use std::str::FromStr;

use hf_hub::{Repo, RepoType};

use super::HubError;

/// `organisation/model` on the hub.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository(String);

impl Repository {
    /// As hf-hub knows it: it has the names of folders and addresses.
    pub(super) fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.0.clone(), RepoType::Model, revision.to_owned())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Repository {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let is_part = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphanumeric())
                && part.chars().all(|other| other.is_ascii_alphanumeric() || "._-".contains(other))
                // The folder of the cache joins both parts by two hyphens.
                && !part.contains("--")
                && !part.contains("..")
        };
        match text.split_once('/') {
            Some((organisation, model)) if is_part(organisation) && is_part(model) => Ok(Self(text.to_owned())),
            _ => Err(HubError::Name {
                what: "repository",
                found: text.to_owned(),
                expected: "write organisation/model, as in sentence-transformers/all-MiniLM-L6-v2",
            }),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a revision is a commit: it can never mean anything else.
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && is_lower_hex(revision)
}

/// Whether a text can be a SHA-256.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && is_lower_hex(text)
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Checks the path of a file inside a repository.
///
/// # Errors
/// If it is absolute, leads out of the repository, or holds what paths differ in between systems.
pub fn check_path(path: &str) -> Result<(), HubError> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control);
    if path.split('/').all(is_part) && !path.contains(['\\', ':']) {
        return Ok(());
    }
    let expected = "write its path inside the repository with forward slashes, as in 1_Pooling/config.json";
    Err(HubError::Name { what: "file of a repository", found: path.to_owned(), expected })
}

/// Checks the name of a branch, tag or commit.
///
/// # Errors
/// If it holds what such names do not.
pub fn check_revision(revision: &str) -> Result<(), HubError> {
    let is_usual = |other: char| other.is_ascii_alphanumeric() || "._-/".contains(other);
    if check_path(revision).is_ok() && revision.chars().all(is_usual) {
        return Ok(());
    }
    let expected = "name a branch, as in main, or a commit of 40 hexadecimal digits";
    Err(HubError::Name { what: "revision", found: revision.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        for good in ["org/name", "sentence-transformers/all-MiniLM-L6-v2", "timm/tf_efficientnet_lite0.in1k"] {
            assert_eq!(good.parse::<Repository>().unwrap().as_str(), good);
        }
        for wrong in ["name", "../name", "org/../name", "/org/name", "org/name/more", "org/", "o rg/name", "a--b/c"] {
            assert!(wrong.parse::<Repository>().is_err(), "{wrong}");
        }
        assert!(check_path("1_Pooling/config.json").is_ok());
        for wrong in ["", "/etc/passwd", "a/../../b", "a//b", "a\\b", "c:/b", "./a", "a\nb"] {
            assert!(check_path(wrong).is_err(), "{wrong}");
        }
        assert!(check_revision("refs/pr/15").is_ok());
        for wrong in ["", "../main", "main?x=1", "ma in", "/main"] {
            assert!(check_revision(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn commits_and_hashes_are_lower_case_hexadecimal() {
        assert!(is_commit("1110a243fdf4706b3f48f1d95db1a4f5529b4d41"));
        assert!(!is_commit("main") && !is_commit(&"A".repeat(40)) && !is_sha256(&"0".repeat(40)));
    }
}
