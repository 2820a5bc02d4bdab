//! The command as it is run: `lsmi analyze` and `lsmi score` on simulated files, from start to exit.
//!
//! ```sh
//! cargo bench -p lsmi-cli
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use tempfile::TempDir;

const ROWS: usize = 1000;
const ROWS_SCORED: usize = 20_000;
const DIMS: usize = 5;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let folder = TempDir::new().expect("a temporary folder");
    let folder = folder.path();
    simulate(folder, "train.safetensors", ROWS);
    simulate(folder, "new.safetensors", ROWS_SCORED);
    let analyze = ["analyze", "train.safetensors", "--out", "result", "--force", "--quiet"];
    // `score` needs an estimator, whether or not `analyze` is measured.
    run(folder, &analyze);
    let score = ["score", "new.safetensors", "--estimator", "result/estimator.safetensors", "--out", "new.csv"];
    let score = [&score[..], &["--force", "--quiet"]].concat();

    let mut group = criterion.benchmark_group("lsmi");
    group.sampling_mode(SamplingMode::Flat);
    for (name, n, arguments) in [("analyze", ROWS, &analyze[..]), ("score", ROWS_SCORED, &score)] {
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new(name, format!("or n={n} d={DIMS} classes=2")), |bencher| {
            bencher.iter(|| run(folder, arguments));
        });
    }
    group.finish();
    criterion.final_summary();
}

fn simulate(folder: &Path, file: &str, rows: usize) {
    let (rows, dims) = (rows.to_string(), DIMS.to_string());
    run(folder, &["simulate", "or", "--n", &rows, "--dims", &dims, "--out", file, "--quiet"]);
}

fn run(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lsmi"));
    let output = command.current_dir(folder).args(arguments).output().expect("the binary that cargo built");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
