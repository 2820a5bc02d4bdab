//! `made.json`: how the files of a directory were made. All that differs from run to run stands here, so that the same
//! seed gives the same bytes everywhere else.

use std::ffi::OsString;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// Version of the layout.
const SCHEMA: u32 = 1;
const SECONDS_OF_A_DAY: u64 = 86_400;

/// A run that has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    begun: SystemTime,
    clock: Instant,
}

/// All of `made.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// Version of this layout.
    schema: u32,
    /// The command line, word by word.
    pub(crate) command: Vec<String>,
    /// When the run began, in UTC.
    pub(crate) begun: String,
    /// How long it took until the files were written.
    pub(crate) seconds: f64,
    /// The table in the same directory that says what the samples are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) table: Option<SampleTable>,
}

/// A table that says what the samples are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SampleTable {
    /// The name of the file.
    pub(crate) file: String,
    /// The columns whose texts tell a sample, one after the other.
    pub(crate) text: Vec<String>,
}

impl Run {
    /// Begins now.
    pub(crate) fn begin() -> Self {
        Self { begun: SystemTime::now(), clock: Instant::now() }
    }

    /// Says what there is to say of the run of a command line when its files are written.
    pub(crate) fn end(self, argv: &[OsString], table: Option<SampleTable>) -> Made {
        let seconds = self.begun.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Made {
            schema: SCHEMA,
            command: argv.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            begun: utc(seconds),
            // Thousandths are enough.
            seconds: (1e3 * self.clock.elapsed().as_secs_f64()).round() / 1e3,
            table,
        }
    }
}

/// A time in seconds since 1970 as `2026-01-31T12:00:00Z`.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / SECONDS_OF_A_DAY, seconds % SECONDS_OF_A_DAY);
    let (mut year, mut left) = (1970, days);
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length_of = |year| if is_leap(year) { 366 } else { 365 };
    while left >= length_of(year) {
        left -= length_of(year);
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `date -u -d @SECONDS` says.
    #[test]
    fn days_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(utc(1_740_787_200), "2025-03-01T00:00:00Z");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
