//! Compares the time to read a feature file with the time to read its plain bytes.
//!
//! Both are read in turns, several times, from the memory of the system, not from the disk; the medians are printed. The
//! peak is that of the process before the bytes are read.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- read_time FILE
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use lsmi_candle::features::{Keys, read_with_keys};

use super::peak_memory;

const TURNS: usize = 7;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let path = arguments.first().ok_or("read_time takes a feature file")?;
    let path = Path::new(path);
    let (file, _) = timed(|| read_with_keys(path, &Keys::default()))?;
    let peak = peak_memory().unwrap_or_default();
    let numbers = |rows: usize, columns: usize| rows * columns * size_of::<f64>();
    let splits = file.splits.iter().map(|split| &split.features);
    let arrays: usize = splits.map(|split| numbers(split.rows(), split.x1.columns() + split.x2.columns())).sum();
    drop(file);

    let (mut of_bytes, mut of_file) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_bytes.push(timed(|| std::fs::read(path))?.1);
        of_file.push(timed(|| read_with_keys(path, &Keys::default()))?.1);
    }
    let ratios = of_file.iter().zip(&of_bytes).map(|(file, bytes)| file / bytes).collect();
    println!(
        "bytes {:.2} s, feature file {:.2} s ({:.2} times); arrays {} MB, peak {} MB ({:.2} times)",
        median(of_bytes),
        median(of_file),
        median(ratios),
        arrays / 1_000_000,
        peak / 1000,
        peak as f64 * 1e3 / arrays as f64
    );
    Ok(())
}

/// Returns the result of work and the seconds that it took.
fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, f64), E> {
    let begun = Instant::now();
    let done = work()?;
    Ok((done, begun.elapsed().as_secs_f64()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
