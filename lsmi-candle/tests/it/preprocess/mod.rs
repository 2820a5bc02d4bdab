//! Preprocessing against what encoders' own programs give, and against files that are damaged or hostile.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its file has failed")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers, or ones meant to wrap")]

mod audio;
mod image_files;
mod images;
mod spectrograms;
mod video;

use std::path::PathBuf;

/// The bytes of a fixture.
fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/preprocess");
    std::fs::read(folder.join(name)).unwrap()
}

/// A fixture that is text.
fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

/// Little-endian single precision.
fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
