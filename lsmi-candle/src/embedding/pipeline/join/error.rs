//! Why parts of a feature file cannot be joined.

use std::io;

use thiserror::Error;

use crate::embedding::pipeline::error::why;
use crate::embedding::pipeline::group::Skipped;
use crate::features::format::safetensors::LARGEST_HEADER;

/// Why parts of a feature file cannot be joined.
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
    /// A file is cut off, or was changed.
    #[error("{file}: is damaged or cut off: {reason}; make this part again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The ids of all parts are too many for a feature file.
    #[error(
        "the ids of {rows} rows take {bytes} bytes, but the header of a feature file has room for {LARGEST_HEADER}; leave \
         the parts as they are, or give shorter ids"
    )]
    ManyIds {
        /// Rows of all parts.
        rows: usize,
        /// Bytes of their ids.
        bytes: u64,
    },
    /// A file is no part of several.
    #[error("{file}: is no part of several, for its metadata has no `shard`; a file that is whole needs no joining")]
    NoPart {
        /// The file.
        file: String,
    },
    /// Two files are parts of different jobs.
    #[error(
        "{file}: is part of another job than {first}, from which it differs in {what}; join parts of one table, models and options"
    )]
    OtherJob {
        /// The file.
        file: String,
        /// The first file that is joined.
        first: String,
        /// What differs.
        what: String,
    },
    /// Two files are of divisions into different numbers of parts.
    #[error("{file}: is one of {found} parts, but {first} is one of {expected}; join parts of one division")]
    OtherCount {
        /// The file.
        file: String,
        /// Its number of parts.
        found: usize,
        /// The first file that is joined.
        first: String,
        /// Its number of parts.
        expected: usize,
    },
    /// A part is there twice.
    #[error("{first} and {second}: both are part {index} of {of}; leave one out")]
    Twice {
        /// The part, from 1.
        index: usize,
        /// The number of parts.
        of: usize,
        /// The first file.
        first: String,
        /// The second file.
        second: String,
    },
    /// Parts are not there.
    #[error("of {of} parts these are missing: {}; give the files of all parts", listed(.missing, *.count))]
    Missing {
        /// The first of the parts that are missing, from 1.
        missing: Vec<usize>,
        /// How many are missing.
        count: usize,
        /// The number of parts.
        of: usize,
    },
    /// An id is there twice.
    #[error(
        "{first} and {second}: the id `{id}` is there twice, but ids must differ; was the table changed between the parts?"
    )]
    RepeatedId {
        /// The id.
        id: String,
        /// The first file with it.
        first: String,
        /// The next.
        second: String,
    },
    /// No part has a row.
    #[error("not one row could be embedded in any part{}", why(.first.as_ref()))]
    NothingEmbedded {
        /// The first row, and why not.
        first: Option<Skipped>,
    },
    /// The output cannot be written.
    #[error("the joined file cannot be written")]
    Output(#[source] io::Error),
}

fn listed(parts: &[usize], count: usize) -> String {
    let mut names: Vec<String> = parts.iter().map(ToString::to_string).collect();
    if count > parts.len() {
        names.push(format!("and {} more", count - parts.len()));
    }
    names.join(", ")
}
