//! What does a student learn first? Means of r, u1, u2, s in its own features, epoch by epoch.
//!
//! ```sh
//! cargo run --release -p lsmi-guide --example learns_first
//! ```
//!
//! The samples are of the family `groups`: a fifth each redundant, unique to x1, unique to x2, synergistic and of no use. A
//! tracker in step with the loop estimates the interactions after every epoch; the last row holds the exact means.

#![expect(clippy::print_stdout, reason = "a program for developers")]

use std::error::Error;

use candle_core::Device;
use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_core::{Means, Measure, SampleIds};
use lsmi_guide::decide::policy::{self, Options};
use lsmi_guide::train::student::fusion;
use lsmi_guide::train::tracker::{self, Mode};
use lsmi_guide::train::trainer::{self, Trainer};
use lsmi_guide::{Guide, Pacing, Tracker};

const ROWS: usize = 4000;
const DIMS: usize = 12;
const EPOCHS: usize = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let family = FamilyName::Groups.build(&FamilySettings { dims: DIMS, ..FamilySettings::default() })?;
    let draw = family.sample(ROWS, &mut stream(0, "rows"));
    let exact = Measure::Ccs.decompose(&family.terms(&draw)?, &draw.labels);
    let samples = FeatureSet::new(
        SampleIds::rows(ROWS),
        Matrix::new(ROWS, DIMS, draw.x1)?,
        Matrix::new(ROWS, DIMS, draw.x2)?,
        draw.labels,
    )?;
    let settings = tracker::Settings { mode: Mode::Synchronous, ..tracker::Settings::default() };
    let tracked = tracker::Samples {
        ids: samples.ids.clone(),
        labels: samples.labels.clone(),
        classes: 2,
        groups: None,
        confidence: None,
    };
    let policy = policy::named("none", &Options::default())?;
    let guide = Guide::tracked(policy, Tracker::new(tracked, settings)?, Pacing::default())?;
    let student = fusion::student(&samples, 2, &fusion::Settings::default(), None, &Device::Cpu)?;
    let mut trainer = Trainer::new(student, guide, trainer::Settings::default())?;

    println!("epoch  label loss      r     u1     u2      s");
    for _ in 0..EPOCHS {
        let report = trainer.epoch()?;
        let history = trainer.hook().tracker().map(Tracker::history).unwrap_or_default();
        if let Some(entry) = history.last() {
            println!("{:5}  {:10.3}  {}", report.epoch, report.losses["label"], row(entry.parts));
        }
    }
    println!("exact              {}", row(exact.means()));
    Ok(())
}

fn row(means: Means) -> String {
    [means.r, means.u1, means.u2, means.s].map(|mean| format!("{mean:6.3}")).join(" ")
}
