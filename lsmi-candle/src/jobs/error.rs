//! Why a job cannot be begun, or cannot go on.

use std::io;

use thiserror::Error;

/// Why a job cannot be begun, or cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobError {
    /// The directory holds another job.
    #[error("{directory}: holds an unfinished job that differs: {differences}")]
    OtherJob {
        /// The directory.
        directory: String,
        /// The facts that differ.
        differences: String,
    },
    /// The directory holds something else.
    #[error("{directory}: is there, but holds no unfinished job")]
    Foreign {
        /// The directory.
        directory: String,
    },
    /// The manifest cannot be understood.
    #[error("{directory}: its manifest.json cannot be understood")]
    Manifest {
        /// The directory.
        directory: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The manifest is of another version.
    #[error("{directory}: its manifest.json has the layout {found}, but this version knows {known}")]
    Schema {
        /// The directory.
        directory: String,
        /// The version.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// Another process works on the job.
    #[error("{directory}: another process is working on it")]
    Busy {
        /// The directory.
        directory: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: cannot be written; check the path, permissions and free space")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A finished part cannot be read any more.
    #[error("{path}: cannot be read; it was changed or removed since it was finished")]
    Part {
        /// The file of the part.
        path: String,
        /// What is wrong.
        source: io::Error,
    },
    /// The parts cannot be put together.
    #[error("{path}: cannot be put together")]
    Join {
        /// The output.
        path: String,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
