//! `lsmi score`: terms and decomposition of new samples by a saved estimator.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use lsmi_candle::device::DeviceChoice;
use lsmi_candle::estimator::Estimator;
use lsmi_candle::features::{Split, read_with_classes};

use super::finish::{by_id, stage_samples, tell};
use crate::arguments::Score;
use crate::console;
use crate::failure::Failure;
use crate::output::staging::{Staging, check_file};
use crate::output::summary::Summary;
use crate::output::{Format, FormatError};
use crate::scored::ScoredSplit;
use crate::sentence::Words;

pub(super) fn run(arguments: &Score) -> Result<(), Failure> {
    let format = match (arguments.format, Format::of_path(&arguments.out)) {
        (Some(format), _) | (None, Ok(format)) => format,
        (None, Err(FormatError::Unknown { .. })) => Format::Csv,
        (None, Err(error)) => return Err(Failure::from(error).about(&arguments.out)),
    };
    check_file(&arguments.out, arguments.common.force, &[&arguments.data, &arguments.estimator])?;
    let estimator = read_estimator(&arguments.estimator, arguments.common.device)?;
    let file = read_with_classes(&arguments.data, &arguments.arrays.keys(), estimator.classes())?;
    let rows = rows_to_score(file.splits, arguments);
    let splits = rows
        .iter()
        .map(|split| ScoredSplit::score(&split.name, &split.features, &estimator, &arguments.data))
        .collect::<Result<Vec<_>, _>>()?;

    let mut staging = Staging::default();
    stage_samples(&mut staging, &arguments.out, format, &estimator, &splits)?;
    staging.commit(&[])?;

    let summary = Summary::new(&estimator, &splits);
    let words = Words { names: &arguments.names, label: "the label" };
    tell(&arguments.common, words, &summary, &splits, &by_id(splits.first(), estimator.classes().names()))
}

fn read_estimator(path: &Path, device: DeviceChoice) -> Result<Estimator, Failure> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::data("no such file; give an estimator saved by `fit` or `analyze`").about(path),
        _ => Failure::data(error).about(path),
    })?;
    Ok(Estimator::from_bytes(&name, &bytes, device)?)
}

/// All splits but `train`; rows without a split are called `eval`, as `analyze --eval` calls them.
fn rows_to_score(mut splits: Vec<Split>, arguments: &Score) -> Vec<Split> {
    if let [only] = splits.as_mut_slice()
        && only.name == "train"
    {
        "eval".clone_into(&mut only.name);
        return splits;
    }
    let all = splits.len();
    splits.retain(|split| split.name != "train");
    if splits.len() < all && !arguments.common.quiet {
        console::say(
            "note: the split `train` is not scored; `lsmi analyze` gives its values by models that did not see it",
        );
    }
    splits
}
