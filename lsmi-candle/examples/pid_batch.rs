//! PID-Batch as published on families whose density is known: its means against the exact ones, its time and memory.
//!
//! 4,000 training and 4,000 evaluation rows; 10 dimensions, or as many as classes for `gauss`. The exact values are the means
//! of the evaluation rows' exact terms after the paper's shift, in nats. Memory is the most that the process has held so far.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example pid_batch -- [SEED] [FAMILY | gauss:CLASSES ...]
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use candle_core::Device;
use lsmi_candle::baselines::pid_batch::{Params, decompose};
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{Draw, FamilyName, Settings};
use lsmi_core::random::stream;
use lsmi_core::{Measure, SampleIds, adjust};

const ROWS: usize = 4000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let seed = arguments.first().and_then(|first| first.parse::<u64>().ok());
    if seed.is_some() {
        arguments.remove(0);
    }
    let seed = seed.unwrap_or(0);
    if arguments.is_empty() {
        arguments = ["or", "xor", "mixed"].map(str::to_owned).to_vec();
    }
    println!("family     R      U1     U2     S      exact R, U1, U2, S           Sinkhorn mean, most   seconds   MiB");
    for name in arguments {
        let (family, classes) = match name.split_once(':') {
            Some((family, classes)) => (family, classes.parse()?),
            None => (name.as_str(), Settings::default().dims),
        };
        let settings = Settings { dims: classes, classes, ..Settings::default() };
        let family = family.parse::<FamilyName>()?.build(&settings)?;
        let train = family.sample(ROWS, &mut stream(seed, "simulated samples"));
        let evaluation = family.sample(ROWS, &mut stream(seed + 1000, "simulated samples"));
        let exact = adjust(&Measure::Pm.decompose(&family.terms(&evaluation)?, &evaluation.labels).means());
        let (train, evaluation) = (features(&train)?, features(&evaluation)?);
        let start = Instant::now();
        let params = Params::published();
        let found = decompose(&train, Some(&evaluation), family.classes(), &params, &Device::Cpu, seed, None)?;
        let seconds = start.elapsed().as_secs_f64();
        let row = |values: [f64; 4]| values.map(|value| format!("{value:6.3}")).join(" ");
        let means = row([found.means.r, found.means.u1, found.means.u2, found.means.s]);
        let exact = row([exact.r, exact.u1, exact.u2, exact.s]);
        let sinkhorn = found.sinkhorn;
        println!(
            "{name:<9} {means}   {exact}   {:8.1} {:4}        {seconds:8.1} {:6}",
            sinkhorn.mean,
            sinkhorn.most,
            peak_memory().map_or_else(|| "?".to_owned(), |kibibytes| (kibibytes / 1024).to_string())
        );
    }
    Ok(())
}

fn features(draw: &Draw) -> Result<FeatureSet, Box<dyn Error>> {
    let (d1, d2) = draw.dims;
    Ok(FeatureSet::new(
        SampleIds::rows(ROWS),
        Matrix::new(ROWS, d1, draw.x1.clone())?,
        Matrix::new(ROWS, d2, draw.x2.clone())?,
        draw.labels.clone(),
    )?)
}

/// The most resident memory so far, in KiB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
