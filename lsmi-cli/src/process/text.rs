//! Text from outside as it may be shown: without control characters, and not too long.

pub(crate) use lsmi_candle::analysis::names::shortened;

/// Returns text with its control characters escaped, line breaks apart: names in the data must not command the terminal, nor turn
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
