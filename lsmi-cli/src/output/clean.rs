//! What `lsmi guide clean` writes: `suspects.csv` and `clean.json`.
//!
//! `suspects.csv` has all samples, from the one whose label is most contradicted to the one whose label is most supported.
//!
//! `id, label, score, suggested, pred1, pred2, pred12, by_all`: the score in nats, above 0 where another class than the label is
//! more probable; the class that would do best instead; what x1, x2 and both say; whether each of them and the late
//! fusion contradicts the label by itself.

use std::io::Write;

use lsmi_guide::experiments::clean::{Experiment, Suspect};
use serde::Serialize;

const COLUMNS: [&str; 8] = ["id", "label", "score", "suggested", "pred1", "pred2", "pred12", "by_all"];

/// `clean.json`.
#[derive(Debug, Serialize)]
pub(crate) struct CleanSummary {
    /// Version of this layout.
    schema: u32,
    /// Version of the program.
    version: &'static str,
    /// Always `nats`.
    units: &'static str,
    /// Number of samples.
    pub(crate) n: usize,
    /// Class names, in the order of the class indices.
    classes: Vec<String>,
    /// Number of samples for which another class is more probable than the label.
    pub(crate) suspects: usize,
    /// Number of samples whose label x1, x2, both and their late fusion contradict, each by itself.
    pub(crate) by_all: usize,
    /// The experiment, unless it was left out.
    pub(crate) planted: Option<Experiment>,
}

impl CleanSummary {
    pub(crate) fn new(suspects: &[Suspect], classes: &[String], planted: Option<Experiment>) -> Self {
        let count = |is: fn(&Suspect) -> bool| suspects.iter().filter(|suspect| is(suspect)).count();
        Self {
            schema: 1,
            version: env!("CARGO_PKG_VERSION"),
            units: "nats",
            n: suspects.len(),
            classes: classes.to_vec(),
            suspects: count(|suspect| suspect.contradiction.score > 0.0),
            by_all: count(|suspect| suspect.contradiction.by_all),
            planted,
        }
    }
}

/// Writes `suspects.csv`.
pub(crate) fn write(
    suspects: &[Suspect],
    classes: &[String],
    file: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut table = csv::Writer::from_writer(file);
    table.write_record(COLUMNS)?;
    for suspect in suspects {
        let name = |class: u32| classes[class as usize].as_str();
        let (score, by_all) = (suspect.contradiction.score.to_string(), suspect.contradiction.by_all.to_string());
        let start = [&suspect.id, name(suspect.label), &score, name(suspect.contradiction.suggested)];
        // The late fusion comes last and is left out.
        let says = suspect.says.iter().take(3).map(|class| name(*class));
        table.write_record(start.into_iter().chain(says).chain([by_all.as_str()]))?;
    }
    Ok(table.flush()?)
}
