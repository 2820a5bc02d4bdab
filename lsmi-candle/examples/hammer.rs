//! Hammers a reader with damaged files: `cargo run -p lsmi-candle --example hammer -- READER RUNS [SEED] [CORPUS]`.
//!
//! Every run takes a file of `fuzz/corpus/READER`, changes it (see `mutate`) and reads it. A panic ends the program, with
//! the bytes that led to it in a file; so does a run that takes longer than ten seconds. What is printed at the end goes
//! into `docs/fuzzing.md`. Two processes with one seed do the same.

#![expect(clippy::print_stdout, clippy::print_stderr, clippy::expect_used, reason = "a program for developers")]

#[path = "../../fuzz/mutate.rs"]
mod mutate;
#[path = "../../fuzz/targets.rs"]
mod targets;

use std::panic;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lsmi_core::random::stream;
use rand::Rng;

use self::targets::TARGETS;

/// No damaged file of some kilobytes may keep a reader longer.
const LONGEST: Duration = Duration::from_secs(10);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [reader, runs, rest @ ..] = words.as_slice() else {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        println!("hammer READER RUNS [SEED] [CORPUS]; readers: {}", names.join(", "));
        return;
    };
    let target = TARGETS.iter().find(|(name, _)| name == reader).expect("a reader of that name").1;
    let runs: u64 = runs.parse().expect("a number of runs");
    let seed: u64 = rest.first().map_or(0, |seed| seed.parse().expect("a number as seed"));
    let corpus = rest
        .get(1)
        .map_or_else(|| [env!("CARGO_MANIFEST_DIR"), "..", "fuzz", "corpus", reader].iter().collect(), PathBuf::from);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(corpus).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let files: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).expect("a file")).collect();

    let mut random = stream(seed, "hammer");
    let (mut accepted, mut slowest, begun) = (0_u64, Duration::ZERO, Instant::now());
    for run in 0..runs {
        let mut bytes = files[random.random_range(0..files.len())].clone();
        let other = &files[random.random_range(0..files.len())];
        mutate::mutate(&mut random, &mut bytes, other);
        let start = Instant::now();
        let Ok(is_accepted) = panic::catch_unwind(|| target(&bytes)) else {
            let path = format!("hammer-{reader}-{seed}-{run}");
            std::fs::write(&path, &bytes).expect("a place for the bytes");
            eprintln!("{reader}: panic in run {run} of seed {seed}; the bytes are in {path}");
            std::process::exit(1);
        };
        accepted += u64::from(is_accepted);
        if start.elapsed() > slowest {
            slowest = start.elapsed();
            if slowest > LONGEST {
                let path = format!("hammer-{reader}-{seed}-{run}");
                std::fs::write(&path, &bytes).expect("a place for the bytes");
                eprintln!("{reader}: run {run} of seed {seed} took {slowest:.1?}; the bytes are in {path}");
                std::process::exit(1);
            }
        }
    }
    let peak = peak_memory().map_or_else(|| "unknown".to_owned(), |kilobytes| format!("{} MB", kilobytes / 1000));
    println!(
        "| {reader} | {} | {runs} | {seed} | {accepted} | {:.0} s | {slowest:.1?} | {peak} |",
        files.len(),
        begun.elapsed().as_secs_f64()
    );
}

/// The most memory that the process had, in kilobytes, where Linux says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
