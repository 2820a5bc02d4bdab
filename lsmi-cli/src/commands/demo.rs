//! `lsmi demo`: the whole path on data in the binary, with emoji to look at.

use std::path::PathBuf;

use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::{Analyzer, Settings};
use lsmi_candle::features::{Format, Keys, read_bytes};
use lsmi_core::SampleIds;
use serde::Deserialize;

use super::emoji::{TABLE, TABLE_FILE};
use super::settings::{gates, has_logits, settings};
use super::write_analysis::{Files, check_analysis, tell, write_report};
use crate::arguments::Demo;
use crate::arguments::effective::Effective;
use crate::output::made::{Run, SampleTable};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;

const FEATURES: &[u8] = include_bytes!("../../data/emoji/emoji_pca48.safetensors");

/// The features, and the table that names their rows.
pub(crate) const DATA: [&[u8]; 2] = [FEATURES, TABLE];

/// A row of the table of emoji, in the order of the features' rows.
#[derive(Debug, Deserialize)]
struct Emoji {
    id: String,
    #[serde(rename = "emoji")]
    symbol: String,
    name: String,
    category: String,
}

pub(super) fn run(arguments: &Demo, effective: &Effective) -> Result<(), Failure> {
    let run = Run::begin();
    if let Some(directory) = &arguments.out {
        check_analysis(directory, arguments.common.force, arguments.estimation.knife_from.as_deref().as_slice())?;
    }
    let emoji: Vec<Emoji> =
        csv::Reader::from_reader(TABLE).deserialize().collect::<Result<_, _>>().map_err(Failure::failed)?;
    let mut file = read_bytes("the emoji", FEATURES, Format::SafeTensors, &Keys::default())?;
    let [split] = file.splits.as_mut_slice() else { return Err(Failure::failed("the emoji are of one split")) };
    split.features.ids = SampleIds::from_names(emoji.iter().map(|emoji| &emoji.id)).map_err(Failure::failed)?;
    let train = &split.features;
    if !arguments.common.quiet {
        console::say(&format!(
            "What do picture (x1) and name (x2) of {} emoji tell about their category (y), one of {}?",
            train.rows(),
            file.classes.len()
        ));
    }

    // One fit unless more are asked for: the demo is to be over soon.
    let repeats = arguments.estimation.repeats_or_one();
    let effective = &effective.with("repeats", repeats);
    let settings = Settings {
        fit: settings(&arguments.estimation, &arguments.common, repeats, has_logits(train), &file.classes)?,
        repeats: Some(repeats),
        measures: arguments.estimation.measures.listed().to_vec(),
        permutations: arguments.null.permutations as usize,
        gates: gates(arguments.check),
        names: arguments.names.clone(),
        label: "the category".to_owned(),
    };
    let analyzer = Analyzer::new(&file, &settings);
    let analysis = progress::shown(arguments.common.quiet, |sender| analyzer.run(sender))?;
    let table = SampleTable { file: TABLE_FILE.to_owned(), text: vec!["emoji".to_owned(), "name".to_owned()] };
    let files = Files { analysis: &analysis, run, effective, table: Some((&table, TABLE)) };
    let directory = directory(arguments)?;
    if let Some(directory) = &directory {
        files.write(directory, arguments.format)?;
    }

    let describe = |row: usize| {
        let Emoji { symbol, name, category, .. } = &emoji[row];
        format!("{symbol}  {name} ({category})")
    };
    let words = Words { names: &arguments.names, label: &settings.label };
    tell(&arguments.common, words, &analysis, &describe)?;
    match directory {
        Some(directory) if !arguments.report.no_report => write_report(&directory, arguments.common.quiet),
        _ => Ok(()),
    }
}

/// Where the files go: where the user says, else, for a report that the user is told of, a new temporary directory.
fn directory(arguments: &Demo) -> Result<Option<PathBuf>, Failure> {
    if arguments.out.is_some() || arguments.report.no_report || arguments.common.quiet {
        return Ok(arguments.out.clone());
    }
    let made = tempfile::Builder::new().prefix("lsmi-demo-").tempdir().map_err(Failure::failed)?;
    Ok(Some(made.keep()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_features_are_of_the_same_emoji() {
        #[derive(Deserialize)]
        struct Row {
            category: String,
            label: u32,
        }
        let rows: Vec<Row> = csv::Reader::from_reader(TABLE).deserialize().collect::<Result<_, _>>().unwrap();
        let file = read_bytes("the emoji", FEATURES, Format::SafeTensors, &Keys::default()).unwrap();
        let labels: Vec<u32> = rows.iter().map(|row| row.label).collect();
        assert_eq!(file.splits[0].features.labels, labels);
        assert!(rows.iter().all(|row| file.classes.names()[row.label as usize] == row.category));
    }
}
