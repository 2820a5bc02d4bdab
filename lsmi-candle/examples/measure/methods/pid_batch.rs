//! Compares PID-Batch as published with exact means on families whose density is known, with its time and memory.
//!
//! 4,000 training and 4,000 evaluation rows; 10 dimensions, or as many as classes for `gauss`. The exact values are the means
//! of the evaluation rows' exact terms after the paper's shift, in nats. Memory is the most that the process has held so far.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- pid_batch [SEED] [FAMILY | gauss:CLASSES ...]
//! ```

use std::error::Error;
use std::time::Instant;

use candle_core::Device;
use lsmi_candle::baselines::pid_batch::{Params, decompose};
use lsmi_core::families::{FamilyName, Settings};
use lsmi_core::{Measure, adjust};

use crate::data::{draw, features};
use crate::time::peak_memory;

const ROWS: usize = 4000;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let mut arguments = arguments.to_vec();
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
        let train = draw(family.as_ref(), ROWS, seed);
        let evaluation = draw(family.as_ref(), ROWS, seed + 1000);
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
