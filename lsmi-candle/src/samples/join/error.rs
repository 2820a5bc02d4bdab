//! Why files of samples cannot be joined.

use std::io;

use thiserror::Error;

/// Why files of samples cannot be joined.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// No file is given.
    #[error("there are no files to join; give the files of all parts")]
    NoFiles,
    /// A file cannot be read.
    #[error("{file}: cannot be read")]
    Read {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file is cut off, or is not in its format.
    #[error("{file}: is damaged or cut off: {reason}; make this part again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file has other columns than samples have.
    #[error("{file}: holds no samples; give the files that `score` wrote; its columns: {found}")]
    NoSamples {
        /// The file.
        file: String,
        /// Its columns.
        found: String,
    },
    /// Two files have different columns.
    #[error("{file}: has the columns {found}, but {first} has {expected}; join parts that were scored alike")]
    OtherColumns {
        /// The file.
        file: String,
        /// Its columns.
        found: String,
        /// The first file that has columns.
        first: String,
        /// The columns of that.
        expected: String,
    },
    /// A file is named twice.
    #[error("{file}: is there twice; leave one out")]
    Twice {
        /// The file.
        file: String,
    },
    /// The output cannot be written.
    #[error("the joined file cannot be written")]
    Output(#[source] io::Error),
}
