//! Single samples of continuous targets: read back, one part against the other, and a table of the most telling.

use std::collections::BTreeSet;

use lsmi_candle::analysis::continuous::{ContinuousSummary, target_samples_name};
use lsmi_candle::samples::Format;
use lsmi_candle::samples::read::{Need, Wanted, read_splits};
use lsmi_core::Interaction;
use serde::Serialize;

use super::Split;
use crate::process::failure::Failure;
use crate::report::decomposed::place_of;
use crate::report::figure::Figure;
use crate::report::figure::axis::with_room;
use crate::report::figure::scatter::{Points, scatter};
use crate::report::gallery::{Gallery, Shown};
use crate::report::number::{Number, thousands};
use crate::report::pages::distributions::range;
use crate::report::pages::files::{Files, FolderError};
use crate::report::pages::two::sections::samples::highest;
use crate::report::thinned::thinned;

/// Points of a scatter plot, at most.
const POINTS: usize = 2_000;
/// Samples of the table that are highest in each part.
const OF_EACH: usize = 15;

/// The samples of a split.
#[derive(Debug, Default)]
pub(super) struct Samples {
    ids: Vec<String>,
    /// r, u1, u2 and s.
    pub(super) parts: [Vec<f64>; 4],
    /// The target and what both modalities predict, where there is one target.
    pub(super) target: Option<(Vec<f64>, Vec<f64>)>,
}

/// Reads the samples of all splits of a decomposition.
pub(super) fn read(files: &Files, summary: &ContinuousSummary, place: usize) -> Result<Vec<Samples>, Failure> {
    let target = &summary.targets[place];
    let mut values = vec!["r", "u1", "u2", "s"];
    if target.columns.len() == 1 {
        values.extend(["target", "pred12"]);
    }
    let name = target_samples_name(place, summary.targets.len(), Format::Csv);
    let path = files.samples(name.trim_end_matches(".csv"))?;
    let mut found = read_splits(&path, Wanted { values: &values, split: Need::Required, ..Wanted::default() })?;
    let mut splits = Vec::new();
    for (split, of) in &target.splits {
        let samples = found.remove(split).unwrap_or_default();
        let (expected, found) = (of.n, samples.ids.len());
        if expected != found {
            let directory = files.directory.display().to_string();
            return Err(FolderError::Mismatch { directory, split: split.clone(), expected, found }.into());
        }
        let mut values = samples.values.into_iter();
        splits.push(Samples {
            ids: samples.ids,
            parts: std::array::from_fn(|_| values.next().unwrap_or_default()),
            target: values.next().zip(values.next()),
        });
    }
    Ok(splits)
}

/// s against r, and u2 against u1.
pub(super) fn scatters(split: &Split<'_>, gallery: &mut Gallery) -> Vec<Shown> {
    let pairs = [(Interaction::Redundancy, Interaction::Synergy), (Interaction::Unique1, Interaction::Unique2)];
    pairs.map(|pair| against(split, pair, gallery)).into()
}

fn against(split: &Split<'_>, (x, y): (Interaction, Interaction), gallery: &mut Gallery) -> Shown {
    let of = &split.decomposed;
    let [xs, ys] = [x, y].map(|part| &split.samples.parts[place_of(part)]);
    let rows = thinned(xs.len(), POINTS);
    let points = rows.iter().map(|row| (xs[*row], ys[*row])).collect();
    let [x_label, y_label] = [x, y].map(|part| format!("{part}, {} (nats)", of.meaning(part)));
    let figure = Figure {
        name: format!("{}-{x}-{y}", of.anchor),
        title: format!("{y} against {x} of the samples of {}", of.name),
        description: format!("Scatter plot of {} samples: {y_label} against {x_label}.", rows.len()),
        drawing: scatter(
            &[Points { name: "samples".to_owned(), points }],
            (&x_label, &y_label),
            (with_room(range(xs)), with_room(range(ys))),
            false,
        ),
    };
    let (drawn, all) = (thousands(&rows.len().to_string()), thousands(&xs.len().to_string()));
    gallery.hang(figure, &format!("{y} against {x}: {drawn} of {all} samples; those beyond the axes at their ends."))
}

/// The samples that are shown one by one.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    rows: Vec<Row>,
    has_target: bool,
    note: String,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    target: Option<[Number; 2]>,
    parts: Vec<Number>,
}

impl Listed {
    pub(super) fn new(samples: &Samples) -> Self {
        let rows: BTreeSet<usize> = samples.parts.iter().flat_map(|values| highest(values, OF_EACH)).collect();
        let row = |row: &usize| Row {
            id: samples.ids[*row].clone(),
            target: samples.target.as_ref().map(|(targets, means)| [targets[*row], means[*row]].map(Number::nats)),
            parts: samples.parts.iter().map(|values| Number::nats(values[*row])).collect(),
        };
        let all = thousands(&samples.ids.len().to_string());
        let note = format!("{} of the {all} samples: the {OF_EACH} highest in each of r, u1, u2 and s.", rows.len());
        Self { rows: rows.iter().map(row).collect(), has_target: samples.target.is_some(), note }
    }
}
