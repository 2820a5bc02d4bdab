//! The page of continuous targets: means, what the heads predict and how sure they may be, and samples, for each target.

mod calibration;
mod samples;

use lsmi_candle::analysis::continuous::{ContinuousSummary, TargetSplitSummary, TargetSummary};
use lsmi_candle::analysis::names::{Names, Words};
use serde::Serialize;

use self::calibration::Calibration;
use self::samples::{Listed, Samples, scatters};
use super::distributions::distributions;
use super::files::Files;
use super::made::{Fact, Fit, of_two};
use super::means::Means;
use super::opening::{Opening, listed};
use super::{MORE_STYLE, Page};
use crate::process::failure::Failure;
use crate::report::decomposed::Decomposed;
use crate::report::gallery::{Gallery, Shown, anchors};
use crate::report::number::Numbers;
use crate::report::template::{Shell, filled};
use crate::tables::sentence::sentence;

const TEMPLATE: &str = include_str!("template.html");

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Content<'a> {
    shell: Shell,
    names: &'a Names,
    /// The targets in words.
    title: String,
    opening: Opening,
    targets: Vec<Target>,
    made: Vec<Fact>,
}

/// A target, or several jointly.
#[derive(Debug, Serialize)]
struct Target {
    name: String,
    splits: Vec<Section>,
}

/// The sections of a target on one split.
#[derive(Debug, Serialize)]
struct Section {
    name: String,
    anchor: String,
    means: Means,
    calibration: Calibration,
    distributions: Vec<Shown>,
    scatters: Vec<Shown>,
    samples: Listed,
}

/// The page of the files of a directory.
pub(super) fn page_of(files: &Files) -> Result<Page, Failure> {
    let summary: ContinuousSummary = files.summary()?;
    let mut gallery = Gallery::default();
    let (mut targets, mut paragraphs) = (Vec::new(), Vec::new());
    for (place, target) in summary.targets.iter().enumerate() {
        let samples = samples::read(files, &summary, place)?;
        let name = name_of(&summary, target);
        let anchor = if summary.targets.len() == 1 { String::new() } else { format!("target-{place}-") };
        let names = anchors(target.splits.iter().map(|(split, _)| split.as_str()));
        let splits: Vec<Split<'_>> = target
            .splits
            .iter()
            .zip(names)
            .zip(&samples)
            .map(|(((split, of), split_anchor), samples)| Split {
                name: split,
                summary: of,
                samples,
                decomposed: Decomposed {
                    name: if summary.targets.len() == 1 { split.clone() } else { format!("{name} on {split}") },
                    anchor: format!("{anchor}{split_anchor}"),
                    words: Words { names: &summary.names, label: &name },
                    numbers: Numbers::of(&files.json).below(&["targets", &place.to_string(), "splits", split]),
                    adjusted: of.adjusted,
                },
            })
            .collect();
        paragraphs.extend(splits.iter().map(paragraph));
        let splits = splits.iter().map(|split| section(split, &mut gallery)).collect();
        targets.push(Target { splits, name: name.clone() });
    }
    let content = Content {
        shell: Shell::with_style(MORE_STYLE),
        names: &summary.names,
        title: listed(&targets.iter().map(|target| target.name.clone()).collect::<Vec<_>>()),
        opening: Opening { known: summary.warnings.clone(), paragraphs, notes: summary.notes.clone() },
        targets,
        made: made(files, &summary),
    };
    let html = filled(TEMPLATE, &content).map_err(Failure::failed)?;
    Ok(Page { html, figures: gallery.0, warnings: Vec::new() })
}

/// A target on one split.
struct Split<'a> {
    name: &'a str,
    summary: &'a TargetSplitSummary,
    samples: &'a Samples,
    decomposed: Decomposed<'a>,
}

/// What a target is called: as its column, or the target where there is only one.
fn name_of(summary: &ContinuousSummary, target: &TargetSummary) -> String {
    let names: Vec<String> = target.columns.iter().map(|column| format!("y_{column}")).collect();
    match (names.as_slice(), summary.targets.len()) {
        ([_], 1) => "the target".to_owned(),
        (several, _) => listed(several),
    }
}

fn paragraph(split: &Split<'_>) -> String {
    let answer = sentence(split.decomposed.words, &split.summary.information, &split.summary.adjusted);
    format!("On {}: {answer}", split.name)
}

fn section(split: &Split<'_>, gallery: &mut Gallery) -> Section {
    Section {
        name: split.name.to_owned(),
        anchor: split.decomposed.anchor.clone(),
        means: Means::new(&split.decomposed, gallery),
        calibration: Calibration::new(split, gallery),
        distributions: distributions(&split.decomposed, &split.samples.parts, gallery),
        scatters: scatters(split, gallery),
        samples: Listed::new(split.samples),
    }
}

/// How the analysis was made.
fn made(files: &Files, summary: &ContinuousSummary) -> Vec<Fact> {
    let (columns, gauge) = of_two(&summary.names, summary.dims, summary.gauge);
    let fit = Fit {
        version: &summary.version,
        data_hash: Some(&summary.data_hash),
        columns,
        gauge,
        measure: summary.measure,
        prior: None,
        units: &summary.units,
    };
    Fact::all(files.made.as_ref(), &Numbers::of(&files.json), fit)
}
