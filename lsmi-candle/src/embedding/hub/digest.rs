//! Size and SHA-256 of files, and what they should be according to whom.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::HubError;

/// Size and SHA-256 of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

impl Digest {
    /// Reads a file to its end.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 17];
        let mut bytes = 0;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => {
                    hasher.update(&buffer[..read]);
                    bytes += read as u64;
                }
            }
        }
        Ok(Self { bytes, sha256: hexadecimal(&hasher.finalize()) })
    }

    /// Of bytes in memory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hexadecimal(&Sha256::digest(bytes)) }
    }

    /// Holds it against what a manifest says of the file.
    pub(crate) fn check(&self, file: &str, bytes: Option<u64>, sha256: Option<&str>) -> Result<(), HubError> {
        let expected = Expected {
            bytes,
            sha256: sha256.map(str::to_owned),
            said_by: "the manifest".to_owned(),
            hint: "get the file anew, or correct the manifest".to_owned(),
        };
        expected.check(file, self)
    }
}

/// SHA-256 of a text, which serves as a name.
pub(super) fn sha256_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a file should be, and who says so.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    pub(super) bytes: Option<u64>,
    pub(super) sha256: Option<String>,
    pub(super) said_by: String,
    /// What to do if the file is something else.
    pub(super) hint: String,
}

impl Expected {
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
            hint: self.hint.as_str().into(),
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
    fn the_digest_of_abc() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(Digest::of_file(&path).unwrap(), Digest { bytes: 3, sha256: expected.to_owned() });
        assert_eq!(sha256_of("abc"), expected);
    }

    #[test]
    fn a_mismatch_names_the_file_and_both_values() {
        let expected = Expected { bytes: Some(3), said_by: "the manifest".to_owned(), ..Expected::default() };
        assert!(expected.check_parts("config.json", None, Some("0")).is_ok());
        let message = expected.check_parts("config.json", Some(4), None).unwrap_err().to_string();
        assert!(message.starts_with("config.json: its size in bytes is 4, but the manifest says 3"), "{message}");
    }
}
