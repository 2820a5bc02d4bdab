//! How long a feature file takes to read, beside its plain bytes: `cargo run --release -p lsmi-candle --example read_time
//! -- FILE`.
//!
//! Both are read twice, the bytes first, and the second time is printed: from the memory of the system, not from the disk.
//! The peak is that of the process, before the bytes are read.

#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use lsmi_candle::features::{Keys, read};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args().nth(1) else {
        println!("read_time FILE");
        return Ok(());
    };
    let path = Path::new(&path);
    let mut seconds = [0.0; 2];
    let (mut arrays, mut peak) = (0, 0);
    for _ in 0..2 {
        let begun = Instant::now();
        let file = read(path, &Keys::default())?;
        seconds[1] = begun.elapsed().as_secs_f64();
        let numbers = |rows: usize, columns: usize| rows * columns * size_of::<f64>();
        arrays = file
            .splits
            .iter()
            .map(|split| &split.features)
            .map(|split| numbers(split.rows(), split.x1.columns() + split.x2.columns()))
            .sum();
        peak = peak_memory().unwrap_or_default();
    }
    for _ in 0..2 {
        let begun = Instant::now();
        let bytes = std::fs::read(path)?;
        seconds[0] = begun.elapsed().as_secs_f64();
        println!("{} bytes", bytes.len());
    }
    println!(
        "bytes {:.2} s, feature file {:.2} s ({:.2} times); arrays {} MB, peak {} MB ({:.2} times)",
        seconds[0],
        seconds[1],
        seconds[1] / seconds[0],
        arrays / 1_000_000,
        peak / 1000,
        peak as f64 * 1e3 / arrays as f64
    );
    Ok(())
}

/// The most memory that the process had, in kilobytes, where Linux says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
