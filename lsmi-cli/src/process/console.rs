//! The only place that prints: results to stdout, everything else to stderr.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::process::failure::Failure;
pub(crate) use crate::process::text::{harmless, shortened};

/// Prints lines for people.
pub(crate) fn say(text: &str) {
    // A closed stderr shall not spoil the work.
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Returns a value as JSON for people and programs: indented, with a line break at the end.
pub(crate) fn as_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Prints a result as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print_bytes(as_json(value).map_err(Failure::failed)?.as_bytes())
}

/// Prints a result that is text.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(harmless(text).as_bytes())
}

/// Prints a result as it is.
pub(crate) fn print_bytes(result: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(result).and_then(|()| stdout.flush()) {
        // Whoever read has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Failure::failed(format!("the result cannot be printed to stdout: {error}"))),
    }
}
