//! What a file should be, and who says so.

use super::{HubError, MismatchCause};
use crate::files::Digest;

impl Digest {
    /// Checks it against what a manifest says of the file.
    pub(crate) fn check(&self, file: &str, bytes: Option<u64>, sha256: Option<&str>) -> Result<(), HubError> {
        let expected = Expected {
            bytes,
            sha256: sha256.map(str::to_owned),
            said_by: "the manifest".to_owned(),
            cause: MismatchCause::Manifest,
        };
        expected.check(file, self)
    }
}

/// What a file should be, and who says so.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) bytes: Option<u64>,
    pub(super) sha256: Option<String>,
    pub(super) said_by: String,
    /// How it came about if the file is something else.
    pub(super) cause: MismatchCause,
}

impl Expected {
    /// Expects nothing yet.
    pub(super) fn by(cause: MismatchCause) -> Self {
        Self { bytes: None, sha256: None, said_by: String::new(), cause }
    }

    pub(super) fn check(&self, file: &str, found: &Digest) -> Result<(), HubError> {
        self.check_parts(file, Some(found.bytes), Some(&found.sha256))
    }

    /// Checks what is known already.
    pub(super) fn check_parts(&self, file: &str, bytes: Option<u64>, sha256: Option<&str>) -> Result<(), HubError> {
        let mismatch = |what, expected: String, found: String| HubError::Mismatch {
            file: file.to_owned(),
            what,
            expected: expected.into(),
            found: found.into(),
            said_by: self.said_by.as_str().into(),
            cause: self.cause,
        };
        match (self.bytes, bytes) {
            (Some(expected), Some(found)) if expected != found => {
                return Err(mismatch("its size in bytes", expected.to_string(), found.to_string()));
            }
            _ => {}
        }
        match (&self.sha256, sha256) {
            (Some(expected), Some(found)) if expected != found => {
                Err(mismatch("its sha256", expected.clone(), found.to_owned()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_names_the_file_and_both_values() {
        let expected =
            Expected { bytes: Some(3), said_by: "the manifest".to_owned(), ..Expected::by(MismatchCause::Manifest) };
        assert!(expected.check_parts("config.json", None, Some("0")).is_ok());
        let message = expected.check_parts("config.json", Some(4), None).unwrap_err().to_string();
        assert!(message.starts_with("config.json: its size in bytes is 4, but the manifest says 3"), "{message}");
    }
}
