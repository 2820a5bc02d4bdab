//! The page of more than two modalities: information of every set, the lattice, the pairs, Shapley values, single samples.

mod information;
mod lattice;
mod samples;
mod shapley;
mod single;
mod source;

use std::collections::BTreeMap;

use lsmi_candle::analysis::names::{Names, Words, nats};
use lsmi_candle::analysis::several::{SeveralSplitSummary, SeveralSummary};
use lsmi_core::Subset;
use serde::Serialize;

use self::information::Information;
use self::lattice::LatticeSection;
use self::shapley::ShapleySection;
use self::single::Single;
use self::source::{Source, Split};
use super::files::{Files, FolderError};
use super::made::{Fact, Fit};
use super::means::Means;
use super::opening::{Opening, listed};
use super::{MORE_STYLE, Page};
use crate::process::failure::Failure;
use crate::report::decomposed::Decomposed;
use crate::report::gallery::{Gallery, anchors};
use crate::report::number::{As, Number, Numbers};
use crate::report::template::{Shell, filled};

const TEMPLATE: &str = include_str!("template.html");

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Content<'a> {
    shell: Shell,
    /// All modalities in a row.
    title: String,
    modalities: &'a [String],
    label: &'a str,
    opening: Opening,
    splits: Vec<Section>,
    made: Vec<Fact>,
}

/// The sections of one split.
#[derive(Debug, Serialize)]
struct Section {
    name: String,
    anchor: String,
    n: Number,
    information: Information,
    redundancy: Option<Number>,
    lattice: Option<LatticeSection>,
    pairs: Vec<Pair>,
    shapley: Option<ShapleySection>,
    single: Option<Single>,
}

/// A pair, decomposed as two modalities are.
#[derive(Debug, Serialize)]
struct Pair {
    name: String,
    set: String,
    anchor: String,
    means: Means,
}

/// The page of the files of a directory.
pub(super) fn page_of(files: &Files) -> Result<Page, Failure> {
    let summary: SeveralSummary = files.summary()?;
    if !(2..=Subset::MOST_MODALITIES).contains(&summary.modalities.len()) {
        let (directory, what) = (files.directory.display().to_string(), "list of 2 to 8 modalities in summary.json");
        return Err(FolderError::Missing { directory, what }.into());
    }
    let samples = samples::read(files, &summary)?;
    let source = Source { summary: &summary, numbers: Numbers::of(&files.json) };
    let mut gallery = Gallery::default();
    let names = summary.splits.iter().map(|(name, _)| name.as_str());
    let splits = summary.splits.iter().zip(anchors(names)).zip(&samples);
    let splits = splits
        .map(|(((name, split), anchor), samples)| {
            section(&Split { name, anchor, summary: split, samples, source: &source }, &mut gallery)
        })
        .collect();
    let content = Content {
        shell: Shell::with_style(MORE_STYLE),
        title: listed(&summary.modalities),
        modalities: &summary.modalities,
        label: &summary.label,
        opening: Opening {
            known: summary.warnings.clone(),
            paragraphs: summary.splits.iter().flat_map(|(name, split)| paragraphs(&summary, name, split)).collect(),
            notes: summary.notes.clone(),
        },
        splits,
        made: made(files, &summary),
    };
    let html = filled(TEMPLATE, &content).map_err(Failure::failed)?;
    Ok(Page { html, figures: gallery.0, warnings: Vec::new() })
}

/// What a split says: what single modalities tell, and the lattice in words or, where there is none, all of them together.
fn paragraphs(summary: &SeveralSummary, name: &str, split: &SeveralSplitSummary) -> Vec<String> {
    let singles = split.information.iter().filter(|(set, _)| set.len() == 1);
    let singles: Vec<String> = singles
        .zip(&summary.modalities)
        .map(|((_, information), modality)| format!("{modality} {}", nats(*information)))
        .collect();
    let alone = format!("On {name}: alone, {} nats about {}.", listed(&singles), summary.label);
    let shared = split.redundancy.map(|shared| format!(" All of them tell {} nats alike.", nats(shared)));
    let whole = split.information.get(&Subset::whole(summary.modalities.len()));
    let together = whole.map(|whole| format!(" All together tell {}.", nats(*whole)));
    let reading = summary.reading(split);
    let together = if reading.is_some() { None } else { together };
    let first = [Some(alone), together, shared].into_iter().flatten().collect::<String>();
    [Some(first), reading].into_iter().flatten().collect()
}

fn section(split: &Split<'_>, gallery: &mut Gallery) -> Section {
    Section {
        name: split.name.to_owned(),
        anchor: split.anchor.clone(),
        n: split.number(&["n"], As::Count),
        information: Information::new(split, gallery),
        redundancy: split.summary.redundancy.map(|_| split.number(&["redundancy"], As::Nats)),
        lattice: LatticeSection::new(split, gallery),
        pairs: split.summary.pairs.keys().map(|pair| self::pair(split, *pair, gallery)).collect(),
        shapley: ShapleySection::new(split, gallery),
        single: Single::new(split, gallery),
    }
}

fn pair(split: &Split<'_>, pair: Subset, gallery: &mut Gallery) -> Pair {
    let mut members = pair.members().filter_map(|place| split.modalities().get(place)).cloned();
    let names = Names { x1: members.next().unwrap_or_default(), x2: members.next().unwrap_or_default() };
    let set = pair.to_string();
    let anchor = format!("{}-{set}", split.anchor);
    let of = Decomposed {
        name: format!("{} and {} on {}", names.x1, names.x2, split.name),
        anchor: anchor.clone(),
        words: Words { names: &names, label: &split.source.summary.label },
        numbers: split.numbers().below(&["pairs", &set]),
        adjusted: split.summary.pairs[&pair].adjusted,
    };
    Pair { name: format!("{} and {}", names.x1, names.x2), set, anchor, means: Means::new(&of, gallery) }
}

/// How the analysis was made.
fn made(files: &Files, summary: &SeveralSummary) -> Vec<Fact> {
    let of_modalities = |of: &BTreeMap<String, usize>| {
        let numbers = of.values().zip(&summary.modalities).map(|(number, name)| format!("{number} of {name}"));
        listed(&numbers.collect::<Vec<_>>())
    };
    let fit = Fit {
        version: &summary.version,
        data_hash: None,
        columns: of_modalities(&summary.dims.columns),
        gauge: format!("{}, in dimensions: {}", summary.gauge, of_modalities(&summary.dims.gauge)),
        measure: summary.measure,
        prior: Some(format!("{} over {} classes", summary.prior, summary.classes.len())),
        units: &summary.units,
    };
    Fact::all(files.made.as_ref(), &Numbers::of(&files.json), fit)
}
