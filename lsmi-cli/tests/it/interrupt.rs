//! Ctrl-C: the program ends within a second, leaves complete files only, and says what it keeps.

use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::embed::{MODELS, prepare};
use crate::place::{Place, stderr, stdout};

/// Starts `lsmi` with these words.
fn start(place: &Place, words: &str) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("lsmi"));
    command.args(words.split_whitespace()).current_dir(place.path("."));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until `is_so`, a minute at most.
fn wait_until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came to that");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Presses Ctrl-C; gives what was said.
fn interrupt(child: Child) -> (Output, Duration) {
    let pressed = Instant::now();
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    (output, pressed.elapsed())
}

fn check(output: &Output, waited: Duration, expected: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.lines().last().is_some_and(|line| line.contains(expected)), "{told}");
    assert!(waited < Duration::from_secs(1), "{waited:?}");
}

/// The finished parts of a job in a directory.
fn parts(place: &Place, directory: &str) -> usize {
    let names = if place.path(directory).is_dir() { place.names(directory) } else { vec![] };
    names.iter().filter(|name| name.starts_with("part-")).count()
}

#[test]
fn a_fit_leaves_nothing() {
    let place = Place::new();
    place.simulate("gauss --n 4000", "data.safetensors");
    let child = start(&place, "analyze data.safetensors --repeats 50 --out a/b/result");
    thread::sleep(Duration::from_millis(1500));
    let (output, waited) = interrupt(child);
    check(&output, waited, "stopped: no output was written");
    assert!(output.stdout.is_empty());
    assert_eq!(place.names("."), ["data.safetensors"]);
}

#[test]
fn finished_groups_are_kept_and_gone_on_with() {
    let place = Place::new();
    place.simulate("xor --n 90 --dims 2", "train.safetensors");
    place.simulate("xor --n 4000 --dims 2 --seed 1", "data.safetensors");
    place.lsmi("fit train.safetensors --folds 2 --out e.safetensors --quiet").success();
    let score = "score data.safetensors --estimator e.safetensors --rows-of-a-group 10 --threads 1";
    let child = start(&place, &format!("{score} --out out.csv"));
    wait_until(|| parts(&place, "out.csv.partial") > 5);
    let (output, waited) = interrupt(child);
    check(&output, waited, "of 400 row groups are kept in out.csv.partial; the same command goes on from there");
    assert!(!place.path("out.csv").exists());

    let again = place.lsmi(&format!("{score} --out out.csv --json --quiet")).success();
    assert!(stdout(&again).starts_with('{'));
    place.lsmi(&format!("{score} --out whole.csv --quiet")).success();
    assert_eq!(place.bytes("out.csv"), place.bytes("whole.csv"));
    assert!(!place.path("out.csv.partial").exists());
}

#[test]
fn finished_groups_of_embed_are_kept_and_gone_on_with() {
    let place = Place::new();
    prepare(&place);
    let rows: Vec<String> = (0..240).map(|row| format!("{row},gradient.png,a red square {row}")).collect();
    place.write("table.csv", format!("id,image,text\n{}\n", rows.join("\n")));
    let embed = format!("embed table.csv {MODELS} --rows-of-a-group 2 --threads 1");
    let groups = || parts(&place, "f.safetensors.partial");
    let child = start(&place, &format!("{embed} --out f.safetensors"));
    wait_until(|| groups() > 5);
    let (output, waited) = interrupt(child);
    check(&output, waited, "of 120 row groups are kept in f.safetensors.partial; the same command goes on from there");
    assert!(!place.path("f.safetensors").exists());
    let told = String::from_utf8_lossy(&output.stderr);
    let kept: usize = told.split("stopped: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    // One may have come to stand in its place just when the program stopped.
    assert!(kept > 4 && (kept..=kept + 1).contains(&groups()), "{kept} of {}", groups());

    let again = place.lsmi(&format!("{embed} --out f.safetensors")).success();
    let told = stderr(&again);
    let finished =
        [kept, kept + 1].map(|kept| told.contains(&format!("{kept} of 120 row groups were finished before")));
    assert!(finished.contains(&true), "{told}");
    place.lsmi(&format!("{embed} --out whole.safetensors --quiet")).success();
    assert_eq!(place.bytes("f.safetensors"), place.bytes("whole.safetensors"));
    assert!(!place.path("f.safetensors.partial").exists());
}

/// A file may be no larger than the shell allows: a failure like that of a full disk, not the end by a signal.
#[test]
fn a_limit_of_file_sizes_leaves_nothing() {
    let place = Place::new();
    place.simulate("xor --n 90 --dims 2", "data.safetensors");
    let lsmi = assert_cmd::cargo::cargo_bin!("lsmi").display().to_string();
    let words = "analyze data.safetensors --folds 2 --quiet --out a/result";
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -f 4 && exec '{lsmi}' {words}")])
        .current_dir(place.path("."))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot be written; check the path, permissions and free space"), "{told}");
    assert_eq!(place.names("."), ["data.safetensors"]);
}

#[test]
fn finished_runs_of_a_comparison_are_kept() {
    let place = Place::new();
    place.simulate("mixed --n 160 --dims 2", "mixed.safetensors");
    let child = start(
        &place,
        "guide distill mixed.safetensors --seeds 60 --policies both,none --epochs 300 --threads 1 --out found",
    );
    let partial = place.path("found.partial");
    let runs = || std::fs::read_dir(&partial).map_or(0, Iterator::count);
    // The identity, a run that goes on, and some that are finished.
    wait_until(|| runs() > 5);
    let (output, waited) = interrupt(child);
    check(&output, waited, "of 300 runs are kept in found.partial; the same command goes on from there");
    assert!(partial.exists() && !place.path("found").exists());
}
