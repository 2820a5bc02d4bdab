//! Errors of files that cannot be opened, and words that several errors need.

use std::io;
use std::path::Path;

use super::FeatureError;
use crate::features::array::Corrupt;
use crate::features::format::{Format, NotOpened};

/// How many names a message lists.
const LISTED: usize = 20;

/// Lists the first names, for a message.
pub(in crate::features) fn listed(names: &[String]) -> String {
    match names.split_at_checked(LISTED) {
        Some((listed, rest)) if !rest.is_empty() => {
            format!("{} and {} more", listed.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

/// Tells a file that is not there from one that cannot be read.
pub(in crate::features) fn unreadable(path: &Path, source: io::Error) -> FeatureError {
    let file = path.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound => FeatureError::NotFound { file },
        _ => FeatureError::Io { file, source },
    }
}

pub(in crate::features) fn corrupted(file: &str, format: Format, Corrupt(reason): Corrupt) -> FeatureError {
    FeatureError::Corrupt { file: file.to_owned(), format: format.name(), reason }
}

/// Says why a file cannot be opened.
pub(in crate::features) fn not_opened(path: &Path, format: Format, refusal: NotOpened) -> FeatureError {
    match refusal {
        NotOpened::Io(error) => unreadable(path, error),
        NotOpened::Corrupt(corrupt) => corrupted(&path.display().to_string(), format, corrupt),
        NotOpened::Refused(reason) => FeatureError::Table { file: path.display().to_string(), reason },
    }
}
