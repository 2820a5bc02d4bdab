//! `lsmi demo`: the whole path on data in the binary, with emoji to look at.

use std::path::PathBuf;

use lsmi_candle::estimator::cross_fit;
use lsmi_candle::features::{Format, Keys, read_bytes};
use lsmi_core::SampleIds;
use serde::Deserialize;

use super::finish::{Analysis, check_analysis, tell, write_report};
use super::gates::gates;
use super::null::null;
use super::settings::{has_logits, settings};
use crate::arguments::Demo;
use crate::effective::Effective;
use crate::output::made::{Run, SampleTable};
use crate::output::summary::Summary;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::scored::ScoredSplit;
use crate::tables::sentence::Words;

const FEATURES: &[u8] = include_bytes!("../../data/emoji/emoji_pca48.safetensors");
pub(super) const TABLE: &[u8] = include_bytes!("../../data/emoji/emoji.csv");

/// What the table is called beside the results.
pub(super) const TABLE_FILE: &str = "emoji.csv";

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
    let settings = settings(&arguments.estimation, &arguments.common, repeats, has_logits(train), &file.classes)?;
    let fit = progress::shown(arguments.common.quiet, |sender| cross_fit(train, &file.classes, &settings, sender))?;
    let null = null(arguments.null, &arguments.common, &fit, train, &settings)?;
    let gates = gates(arguments.check, &arguments.common, &fit, (train, &file.classes), &[], &settings)?;
    let measures = arguments.estimation.measures.listed();
    let (training, estimator) = ScoredSplit::of_training(train, fit.scores, fit.estimator, measures)?;
    let splits = [training];
    let words = Words { names: &arguments.names, label: "the category" };
    let summary =
        Summary::new(&estimator, &splits)?.with_null(null, false).with_gates(gates).with_words(words).with_warnings();
    let table = SampleTable { file: TABLE_FILE.to_owned(), text: vec!["emoji".to_owned(), "name".to_owned()] };
    let table = Some((&table, TABLE));
    let analysis = Analysis { estimator: &estimator, summary: &summary, splits: &splits, run, effective, table };
    let directory = directory(arguments)?;
    if let Some(directory) = &directory {
        analysis.write(directory, arguments.format)?;
    }

    let describe = |row: usize| {
        let Emoji { symbol, name, category, .. } = &emoji[row];
        format!("{symbol}  {name} ({category})")
    };
    tell(&arguments.common, words, &summary, &splits, &describe)?;
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
