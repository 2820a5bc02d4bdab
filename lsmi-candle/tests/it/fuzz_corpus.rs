//! The corpus of `fuzz/` and what was once found wrong, read again: every reader comes to an end without a panic.

#![expect(clippy::expect_used, reason = "a test that cannot read its files has failed")]

#[path = "../../../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::PathBuf;

use self::targets::TARGETS;

#[test]
fn the_corpus_is_read_without_a_panic() {
    let corpus: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", "corpus"].iter().collect();
    for (reader, target) in TARGETS {
        let mut accepted = 0;
        for entry in fs::read_dir(corpus.join(reader)).expect(reader) {
            accepted += usize::from(target(&fs::read(entry.unwrap().path()).unwrap()));
        }
        // A corpus that nothing understands would damage nothing.
        assert!(accepted > 0, "{reader}");
    }
}

#[test]
fn every_folder_of_the_corpus_has_its_reader() {
    let corpus: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", "corpus"].iter().collect();
    for entry in fs::read_dir(corpus).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|(reader, _)| *reader == name), "{name}");
    }
}
