//! Damaged files of samples: whatever their bytes are, they are read or refused.
//!
//! `LSMI_RUNS=50000 cargo test -p lsmi-cli --bins damaged_samples` makes so many runs of each format, see `docs/fuzzing.md`.

use std::fs;
use std::path::Path;

use lsmi_core::{Interaction, Kind};

use super::side::Side;
use crate::input::read_column;
use crate::output::Format;
use crate::output::further::FurtherColumns;
use crate::output::samples::{Sample, write};

/// Runs of each format where the environment names no other number.
const RUNS: u64 = 300;

/// Numbers without end that are the same every time (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
/// 2014).
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end.max(1) as u64).unwrap()
    }
}

fn sample(row: usize) -> Sample<String> {
    let (name, value) = (|text: &str| text.to_owned(), row as f64 / 7.0);
    Sample {
        id: format!("é{row}"),
        split: name(if row.is_multiple_of(3) { "eval" } else { "train" }),
        fold: u32::try_from(row).ok(),
        label: name("cat, or \"dog\""),
        h1: value,
        h2: -value,
        i1: 0.1 + value,
        i2: value,
        i12: 1e-300,
        r: value,
        u1: value,
        u2: -1e300,
        s: value,
        pred1: name("cat"),
        pred2: name("cat"),
        pred12: name("cat"),
        kind: Some(Kind::Redundant),
        further: Vec::new(),
        metadata: Vec::new(),
    }
}

/// One to eight changes: a bit turned, a byte or a word that tells, a piece cut out or doubled, an end.
fn damage(bytes: &mut Vec<u8>, random: &mut SplitMix) {
    const TELLING: [&[u8]; 10] =
        [b"\"", b",", b"\n", b"\0", b"\xff\xff\xff\xff", b"\x7f\xff", b"NaN", b"1e999", b"{\"id\":", b"\xed\xa0\x80"];
    for _ in 0..=random.below(8) {
        let (start, length) = (random.below(bytes.len()), 1 + random.below(40));
        let end = (start + length).min(bytes.len());
        match random.below(6) {
            0 if start < end => bytes[start] ^= 1 << random.below(8),
            1 => drop(bytes.splice(start..start, TELLING[random.below(TELLING.len())].iter().copied())),
            2 => {
                let telling = TELLING[random.below(TELLING.len())];
                let end = (start + telling.len()).min(bytes.len());
                bytes[start..end].copy_from_slice(&telling[..end - start]);
            }
            3 => drop(bytes.drain(start..end)),
            4 => bytes.extend_from_within(start..end),
            _ if random.below(8) == 0 => bytes.truncate(start),
            _ => {}
        }
    }
}

/// How many of so many damaged files are still read.
fn read(format: Format, runs: u64, directory: &Path) -> u64 {
    let mut whole = Vec::new();
    let further = FurtherColumns::new(Vec::new(), std::iter::empty());
    write(&mut whole, format, &further, (0..12).map(sample)).unwrap();
    let (path, mut random) = (directory.join(format!("samples.{format}")), SplitMix(0));
    let mut accepted = 0;
    for run in 0..=runs {
        let mut bytes = whole.clone();
        if run > 0 {
            damage(&mut bytes, &mut random);
        }
        fs::write(&path, bytes).unwrap();
        let side = Side::read(&path, Some("train"));
        let column = read_column(&path, Interaction::Synergy, None, true);
        assert!(run > 0 || (side.is_ok() && column.is_ok()));
        if let Ok(side) = side {
            accepted += 1;
            assert!(side.values.iter().all(|values| values.len() == side.ids.len()));
        }
    }
    accepted
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures of a long run")]
fn damaged_samples_are_read_or_refused() {
    let runs = std::env::var("LSMI_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let place = tempfile::tempdir().unwrap();
    for format in Format::ALL {
        let accepted = read(format, runs, place.path());
        assert!(accepted > 0 && accepted < runs, "{format}: {accepted} of {runs}");
        eprintln!("{format}: {accepted} of {runs} read");
    }
    // A damaged summary, likewise.
    fs::remove_file(place.path().join("samples.jsonl")).unwrap();
    fs::remove_file(place.path().join("samples.parquet")).unwrap();
    let mut whole = Vec::new();
    let further = FurtherColumns::new(Vec::new(), std::iter::empty());
    write(&mut whole, Format::Csv, &further, (0..3).map(sample)).unwrap();
    fs::write(place.path().join("samples.csv"), whole).unwrap();
    let summary = br#"{"gauge": "raw", "measure": "pm", "classes": ["a", "b"], "class_prior": [0.5, 0.5], "dims": {"gauge": {}}}"#;
    let mut random = SplitMix(1);
    for _ in 0..runs {
        let mut bytes = summary.to_vec();
        damage(&mut bytes, &mut random);
        fs::write(place.path().join("summary.json"), bytes).unwrap();
        if let Ok(side) = Side::read(place.path(), Some("train")) {
            super::comparable::warnings(&side, &side);
        }
    }
}
