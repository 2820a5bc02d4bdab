//! Jobs that end at any moment, and go on.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::files::Unobserved;

fn work(model: &str) -> Work {
    Work::new([("model", json!(model))])
}

fn open<'o>(output: &Path, model: &str, anew: bool) -> Result<Parts<'o>, JobError> {
    Parts::open(output, &work(model), 4, "parts", anew, &Unobserved)
}

fn of(text: &str) -> Vec<String> {
    vec![text.to_owned(); 4]
}

/// The contents of all parts, one after the other.
fn join(parts: &mut Parts<'_>, output: &Path) -> Result<(), JobError> {
    parts.place(output, |parts, file| {
        for number in 0..4 {
            let part = parts.part::<usize>(number)?;
            assert_eq!(part.header, number * 10);
            std::io::Write::write_all(&mut &**file, &parts.content(number, &part, 0..part.bytes)?)?;
        }
        Ok(())
    })
}

#[test]
fn parts_are_kept_and_belong_to_one_job() {
    let place = tempfile::tempdir().unwrap();
    let output = place.path().join("output");
    let mut parts = open(&output, "a", false).unwrap();
    assert_eq!(parts.unfinished(&of("hash")), [0, 1, 2, 3]);
    parts.keep(3, "hash", &30, &["three"]).unwrap();
    assert!(matches!(open(&output, "a", false), Err(JobError::Busy { .. })));
    // Nor may it be thrown away.
    assert!(matches!(open(&output, "a", true), Err(JobError::Busy { .. })));
    drop(parts);

    let mut parts = open(&output, "a", false).unwrap();
    assert_eq!(parts.unfinished(&of("hash")), [0, 1, 2]);
    assert_eq!(parts.unfinished(&of("other")), [0, 1, 2, 3]);
    let part = parts.part::<usize>(3).unwrap();
    assert_eq!((part.header, part.bytes), (30, 5));
    assert_eq!(parts.content(3, &part, 1..3).unwrap(), b"hr");
    assert!(matches!(parts.content(3, &part, 0..6), Err(JobError::Part { .. })));
    drop(parts);

    let message = open(&output, "b", false).unwrap_err().to_string();
    assert!(message.ends_with("holds an unfinished job that differs: model is b, but was a"), "{message}");
    let mut parts = open(&output, "b", true).unwrap();
    assert_eq!(parts.unfinished(&of("hash")), [0, 1, 2, 3]);
    parts.remove().unwrap();
    assert!(!directory_of(&output).exists());
}

#[test]
fn a_part_that_was_cut_is_done_again() {
    let place = tempfile::tempdir().unwrap();
    let output = place.path().join("output");
    let mut parts = open(&output, "a", false).unwrap();
    parts.keep(1, "hash", &10, &["content"]).unwrap();
    drop(parts);
    let path = directory_of(&output).join("part-00000001");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(open(&output, "a", false).unwrap().unfinished(&of("hash")).len(), 4, "{length}");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(open(&output, "a", false).unwrap().unfinished(&of("hash")).len(), 3);
}

#[test]
fn the_output_appears_as_a_whole() {
    let place = tempfile::tempdir().unwrap();
    let output = place.path().join("new/output");
    let mut parts = open(&output, "a", false).unwrap();
    for number in [2, 0, 3, 1] {
        assert!(join(&mut parts, &output).is_err() && !output.exists());
        parts.keep(number, "hash", &(number * 10), &[number.to_string(), ",".to_owned()]).unwrap();
    }
    join(&mut parts, &output).unwrap();
    assert_eq!(fs::read(&output).unwrap(), b"0,1,2,3,");
    // As if the process had ended here.
    drop(parts);
    let mut parts = open(&output, "a", false).unwrap();
    assert!(!parts.is_placed(&output).unwrap(), "nobody looked what is finished");
    assert!(parts.unfinished(&of("hash")).is_empty() && parts.is_placed(&output).unwrap());
    // Or just before the output got its name.
    fs::rename(&output, directory_of(&output).join("whole")).unwrap();
    assert!(parts.is_placed(&output).unwrap());
    assert_eq!(fs::read(&output).unwrap(), b"0,1,2,3,");
    parts.remove().unwrap();
    assert_eq!(fs::read_dir(output.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn work_without_a_finished_part_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let output = place.path().join("new/deep/output");
    let parts = open(&output, "a", false).unwrap();
    fs::write(directory_of(&output).join(".lsmi-half"), "half").unwrap();
    drop(parts);
    assert!(!place.path().join("new").exists());
}

#[test]
fn a_directory_of_something_else_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let output = place.path().join("output");
    let directory = directory_of(&output);
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("notes.txt"), "mine").unwrap();
    assert!(matches!(open(&output, "a", true), Err(JobError::Foreign { .. })));
    fs::remove_file(directory.join("notes.txt")).unwrap();
    fs::write(directory.join("manifest.json"), "{").unwrap();
    assert!(matches!(open(&output, "a", false), Err(JobError::Manifest { .. })));
    fs::write(directory.join("manifest.json"), r#"{"schema": 2}"#).unwrap();
    assert!(matches!(open(&output, "a", false), Err(JobError::Schema { found: 2, .. })));
    let changed = format!(r#"{{"schema": 3, "sha256": "{}", "job": {{"model": "a"}}}}"#, work("b").sha256());
    fs::write(directory.join("manifest.json"), changed).unwrap();
    assert!(matches!(open(&output, "a", false), Err(JobError::Manifest { .. })));
    assert!(open(&output, "a", true).is_ok());
}
