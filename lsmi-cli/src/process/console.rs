//! The only place that prints: results to stdout, everything else to stderr.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::process::failure::Failure;

/// Prints lines for people.
pub(crate) fn say(text: &str) {
    // A closed stderr shall not spoil the work.
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Text with its control characters escaped, line breaks apart: names in the data must not command the terminal, nor turn
/// round what stands beside them.
pub(crate) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' || is_order_of_text(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character makes others stand in another order, as the Unicode Bidirectional Algorithm (UAX 9) has it.
fn is_order_of_text(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(crate) use lsmi_candle::analysis::names::shortened;

/// A value as JSON for people and programs: indented, with a line break at the end.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(harmless("exe\u{202e}gpj.\u{2066}"), "exe\\u{202e}gpj.\\u{2066}");
        assert_eq!(harmless("a\u{1b}[31mred\r\n\u{9b}b ⚔️"), "a\\u{1b}[31mred\\r\n\\u{9b}b ⚔️");
    }

    #[test]
    fn long_names_are_shortened() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"é".repeat(1000)).chars().count(), 60);
    }
}
