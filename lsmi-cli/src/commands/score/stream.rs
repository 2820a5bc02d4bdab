//! `lsmi score` over more rows than memory holds: the same rows from a stream, sharded, and gone on with after an end.

use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::thread;
use std::time::SystemTime;

use bytes::Bytes;
use lsmi_candle::estimator::batch::further_columns;
use lsmi_candle::estimator::{Estimator, Scores};
use lsmi_candle::features::{
    FeatureError, FeatureSet, FileState, Keys, MetadataColumn, PartialRows, RowReader, Split, Unlabelled,
};
use lsmi_candle::files::sha256;
use lsmi_candle::jobs::{Part, Parts, Shard, Work, directory_of, in_order};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::plan::{Group, groups, rows_of_a_group};
use super::rows::{TRAIN_IS_LEFT_OUT, check_place};
use crate::arguments::Score;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::interrupt::OBSERVER;
use crate::process::progress;
use crate::tables;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::ExpectedSummary;
use lsmi_candle::analysis::summary::StreamedSplit;
use lsmi_candle::analysis::summary::Summary;
use lsmi_candle::samples::ExpectedSplit;
use lsmi_candle::samples::ExtraColumns;
use lsmi_candle::samples::PartialSamples;
use lsmi_candle::samples::ScoredSplit;
use lsmi_candle::samples::Sums;
use lsmi_candle::samples::parquet::Joined;
use lsmi_candle::samples::{Format, write};

/// A file with more rows than this is scored from a stream, whatever was asked for.
const ROWS_IN_MEMORY: usize = 1 << 18;

/// Returns the reader of the data, if they are to be scored from a stream.
///
/// # Errors
/// Of data that cannot be used, where a stream was asked for. Where it was not, data that cannot be read by rows are left
/// to whoever reads them as a whole.
pub(super) fn reader(arguments: &Score, estimator: &Estimator) -> Result<Option<RowReader>, Failure> {
    let (data, keys, classes) = (arguments.data.data(), arguments.arrays.keys_with_partial(), estimator.classes());
    let opened = if arguments.label_free {
        RowReader::open_unlabelled(data, &keys, classes)
    } else {
        RowReader::open(data, &keys, classes)
    };
    let is_wanted = arguments.streaming.shard.is_some() || arguments.streaming.rows_of_a_group.is_some();
    match opened {
        Err(error) if is_wanted => Err(error.into()),
        Err(_) => Ok(None),
        Ok(reader) => {
            let rows: usize = places(&reader).iter().map(|split| reader.splits()[*split].rows).sum();
            // The candidates of all labels are written from memory.
            let is_too_large = rows > ROWS_IN_MEMORY && arguments.candidates.is_none();
            Ok((is_wanted || is_too_large).then_some(reader))
        }
    }
}

/// Scores rows from a stream.
pub(super) fn run(
    arguments: &Score,
    format: Format,
    estimator: &Estimator,
    mut reader: RowReader,
) -> Result<(), Failure> {
    if arguments.candidates.is_some() {
        let message = "--candidates are not written from a stream; leave out --shard and --rows-of-a-group";
        return Err(Failure::usage(message));
    }
    let scoring = Scoring::new(arguments, format, estimator, &mut reader)?;
    let sums = scoring.done(arguments, &mut reader)?;
    scoring.tell(arguments, &sums)
}

/// Returns the places of the splits that are scored: all but `train`, unless that is all there is.
fn places(reader: &RowReader) -> Vec<usize> {
    let splits = reader.splits();
    (0..splits.len()).filter(|split| splits.len() == 1 || splits[*split].name != "train").collect()
}

/// What is to be done, and with what.
struct Scoring<'a> {
    estimator: &'a Estimator,
    format: Format,
    label_free: bool,
    measures: &'a [lsmi_core::Measure],
    /// The further columns.
    further: ExtraColumns,
    /// What the splits are called in the output.
    names: Vec<String>,
    groups: Vec<Group>,
    work: Work,
}

/// Rows that are scored together, with those that lack a modality.
enum Rows {
    Labelled(FeatureSet, Option<PartialRows>),
    Unlabelled(Unlabelled, Option<PartialRows>),
}

/// What is kept of a group beside its rows in the output.
#[derive(Clone, Serialize, Deserialize)]
struct Finished {
    /// What its split is called.
    split: String,
    sums: Sums,
}

impl<'a> Scoring<'a> {
    fn new(
        arguments: &'a Score,
        format: Format,
        estimator: &'a Estimator,
        reader: &mut RowReader,
    ) -> Result<Self, Failure> {
        let measures = arguments.measures.listed();
        let numbers = if arguments.label_free { Vec::new() } else { further_columns(estimator, measures) };
        let metadata = reader.metadata_columns().iter().map(|(name, kind)| (name.as_str(), *kind));
        let mut further = ExtraColumns::new(numbers, metadata);
        let places = places(reader);
        // Which columns there are depends on all rows, those of other shards among them. A row that cannot be read is told of
        // when its turn comes, after those before it are finished.
        if places.iter().any(|place| reader.has_partial_rows(*place).unwrap_or(false)) {
            further = further.with_presence();
        }
        let splits = reader.splits();
        if places.len() < splits.len() && !arguments.common.quiet {
            console::say(TRAIN_IS_LEFT_OUT);
        }
        // Rows without a split are called `eval`, as in memory.
        let is_whole = splits.len() == 1 && splits[0].name == "train";
        let name = |name: &str| if is_whole { "eval".to_owned() } else { name.to_owned() };
        let names = splits.iter().map(|split| name(&split.name)).collect();

        let of_group = arguments.streaming.rows_of_a_group.and_then(|rows| usize::try_from(rows.get()).ok());
        let of_group = of_group.unwrap_or_else(|| rows_of_a_group(splits));
        let shard = arguments.streaming.shard.unwrap_or(Shard::WHOLE);
        let mut groups = groups(splits, &places, of_group);
        groups = groups[shard.places(groups.len())].to_vec();

        let estimator_bytes =
            fs::read(&arguments.estimator).map_err(|error| Failure::data(error).about(&arguments.estimator))?;
        let FileState { bytes, modified } = reader.state();
        let Keys { x1, x2, label, id, missing, pool, .. } = arguments.arrays.keys();
        let mut keys = json!({"x1": x1, "x2": x2, "label": label, "id": id});
        // Where there is none, unfinished jobs of before are still the same work.
        if let Some(pooling) = pool {
            keys["pool"] = json!(pooling);
        }
        let work = Work::new([
            ("version", json!(env!("CARGO_PKG_VERSION"))),
            ("data_bytes", json!(bytes)),
            ("data_modified", json!(modified.map(since_1970))),
            ("estimator_sha256", json!(sha256(&estimator_bytes))),
            ("keys", keys),
            ("missing", json!(missing.to_string())),
            ("label_free", json!(arguments.label_free)),
            ("measures", json!(measures.iter().map(|measure| measure.name()).collect::<Vec<_>>().join(","))),
            ("device", json!(arguments.common.device.to_string())),
            ("format", json!(format.to_string())),
            ("shard", json!(shard.to_string())),
            ("rows_of_a_group", json!(of_group)),
            ("groups", json!(groups.len())),
        ]);
        let label_free = arguments.label_free;
        Ok(Self { estimator, format, label_free, measures, further, names, groups, work })
    }

    /// Does the work that is not done yet, and puts the output in its place. Returns the sums by split.
    fn done(&self, arguments: &Score, reader: &mut RowReader) -> Result<Vec<(String, Sums)>, Failure> {
        let (output, force) = (arguments.out.as_path(), arguments.common.force);
        let mut parts = Parts::open(output, &self.work, self.groups.len(), "row groups", force, &OBSERVER)?;
        let made_of: Vec<String> = self.groups.iter().map(|group| self.made_of(group)).collect();
        let left = parts.unfinished(&made_of);
        let is_placed = parts.is_placed(output)?;
        if !is_placed {
            check_place(output, arguments)?;
            self.score(arguments, reader, &mut parts, &left, &made_of)?;
        }
        let all = (0..self.groups.len()).map(|group| parts.part(group)).collect::<Result<Vec<Part<Finished>>, _>>()?;
        check_complete(arguments, &all)?;
        if !is_placed {
            self.place(&mut parts, &all, output)?;
        }
        // The output is there; what is left beside it does no harm.
        let _ = parts.remove();
        Ok(by_split(all.into_iter().map(|part| part.header)))
    }

    /// Says which rows are a group.
    fn made_of(&self, group: &Group) -> String {
        format!("{} {}..{}", self.names[group.split], group.rows.start, group.rows.end)
    }

    fn score(
        &self,
        arguments: &Score,
        reader: &mut RowReader,
        parts: &mut Parts<'_>,
        left: &[usize],
        made_of: &[String],
    ) -> Result<(), Failure> {
        let before = self.groups.len() - left.len();
        if before > 0 && !arguments.common.quiet {
            let directory = directory_of(&arguments.out);
            console::say(&format!(
                "{}: {before} of {} row groups were finished before; going on from there",
                directory.display(),
                self.groups.len()
            ));
        }
        let processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = arguments.common.threads.map_or_else(processors, usize::from);
        let group = |piece: usize| &self.groups[left[piece]];
        let bar = progress::rows(arguments.common.quiet, (0..left.len()).map(|piece| group(piece).rows.len()).sum());
        let data = arguments.data.data();
        let about = |failure: Failure| failure.about(data.path());
        in_order(
            left.len(),
            threads,
            |piece| self.read(reader, group(piece)),
            |piece, (rows, metadata)| self.scored(group(piece), rows, &metadata).map_err(about),
            |piece, (content, finished): (Vec<u8>, Finished)| {
                parts.keep(left[piece], &made_of[left[piece]], &finished, &[content])?;
                bar.inc(group(piece).rows.len() as u64);
                Ok::<(), Failure>(())
            },
        )?;
        drop(bar);
        Ok(reader.check_unchanged()?)
    }

    fn read(&self, reader: &mut RowReader, group: &Group) -> Result<(Rows, Vec<MetadataColumn>), Failure> {
        let (split, rows) = (group.split, group.rows.clone());
        let mut metadata = reader.read_metadata(split, rows.clone())?;
        let mut rows = if self.label_free {
            let (rows, partial) = reader.read_unlabelled_with_partial(split, rows)?;
            Rows::Unlabelled(rows, partial)
        } else {
            let (rows, partial) = reader.read_with_partial(split, rows)?;
            Rows::Labelled(rows, partial)
        };
        if let Rows::Labelled(_, Some(partial)) | Rows::Unlabelled(_, Some(partial)) = &mut rows {
            metadata = partial.take_metadata(&metadata);
        }
        Ok((rows, metadata))
    }

    /// Scores a group: its rows as they stand in the output, and what the summary needs of them.
    fn scored(&self, group: &Group, rows: Rows, metadata: &[MetadataColumn]) -> Result<(Vec<u8>, Finished), Failure> {
        let (name, classes) = (&self.names[group.split], self.estimator.classes().names());
        let count = group.rows.len();
        let mut content = Vec::new();
        let (written, sums) = match rows {
            Rows::Labelled(rows, partial) => {
                let scores = if rows.rows() > 0 { self.estimator.score(&rows)? } else { Scores::none() };
                let scored = ScoredSplit::new(name, scores, self.estimator, self.measures)?.with_metadata(metadata);
                let partial = partial.map(|rows| PartialSamples::score(&rows, self.estimator)).transpose()?;
                let scored = scored.with_partial(self.among(partial, count));
                let rows = scored.samples(classes, &self.further);
                let written = write::write_rows(&mut content, self.format, &self.further, rows);
                (written, Sums::scored(&scored, self.estimator.prior()))
            }
            Rows::Unlabelled(features, partial) => {
                let split = Split { name: name.clone(), features };
                let expected = if split.features.rows() > 0 {
                    ExpectedSplit::new(&split, self.estimator, metadata)?
                } else {
                    ExpectedSplit::none(name, self.estimator)
                };
                let partial = partial.map(|rows| PartialSamples::expect(&rows, self.estimator)).transpose()?;
                let expected = expected.with_partial(self.among(partial, count));
                let rows = expected.samples(classes, &self.further);
                let written = write::write_rows(&mut content, self.format, &self.further, rows);
                (written, Sums::expected(&expected))
            }
        };
        written.map_err(Failure::failed)?;
        Ok((content, Finished { split: name.clone(), sums }))
    }

    /// Stands for the rows of a group that lack a modality where others have such rows: none of so many.
    fn among(&self, partial: Option<PartialSamples>, rows: usize) -> Option<PartialSamples> {
        partial.or_else(|| self.further.has_gaps.then(|| PartialSamples::none(rows)))
    }

    /// Puts the groups together.
    fn place(&self, parts: &mut Parts<'_>, all: &[Part<Finished>], output: &std::path::Path) -> Result<(), Failure> {
        let placed = parts.place(output, |parts, file| {
            let contents = all.iter().enumerate().map(|(number, part)| parts.content(number, part, 0..part.bytes));
            if self.format == Format::Parquet {
                let mut joined = Joined::new(std::sync::Arc::clone(file), &self.further);
                for content in contents {
                    joined.append(&Bytes::from(content?))?;
                }
                return joined.finish();
            }
            let mut file = &**file;
            write::begin(&mut file, self.format, &self.further)?;
            for content in contents {
                file.write_all(&content?)?;
            }
            Ok(())
        });
        Ok(placed?)
    }

    /// Shows the table and prints the JSON, as far as they are wanted.
    fn tell(&self, arguments: &Score, sums: &[(String, Sums)]) -> Result<(), Failure> {
        let common = &arguments.common;
        if self.label_free {
            let summary = ExpectedSummary::of_sums(self.estimator, sums);
            if !common.quiet {
                console::say(&tables::label_free::closing(&arguments.names, &summary));
            }
            return if common.json { console::print_json(&summary) } else { Ok(()) };
        }
        let split =
            |(name, sums): &(String, Sums)| (name.clone(), StreamedSplit::new(sums, self.estimator, self.measures));
        let words = Words { names: &arguments.names, label: "the label" };
        let splits: Vec<(String, StreamedSplit)> = sums.iter().map(split).collect();
        let summary = Summary::of_splits(self.estimator, splits).with_words(words).with_warnings();
        if !common.quiet {
            console::say(&tables::streamed::closing(words, &summary));
        }
        if common.json { console::print_json(&summary) } else { Ok(()) }
    }
}

/// Adds up the sums of groups, which are in the order of their splits.
fn by_split(groups: impl Iterator<Item = Finished>) -> Vec<(String, Sums)> {
    let mut splits: Vec<(String, Sums)> = Vec::new();
    for Finished { split, sums } in groups {
        match splits.last_mut().filter(|(name, _)| *name == split) {
            Some((_, all)) => all.add(&sums),
            None => splits.push((split, sums)),
        }
    }
    splits
}

/// Writes a time as seconds since 1970, exactly.
fn since_1970(time: SystemTime) -> String {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => format!("{}.{:09} s", after.as_secs(), after.subsec_nanos()),
        Err(before) => format!("-{}.{:09} s", before.duration().as_secs(), before.duration().subsec_nanos()),
    }
}

/// Checks that every split has a row with both modalities, without which it has no means.
fn check_complete(arguments: &Score, all: &[Part<Finished>]) -> Result<(), Failure> {
    let splits = by_split(all.iter().map(|part| part.header.clone()));
    let Some((split, _)) = splits.into_iter().find(|(_, sums)| sums.n == 0) else { return Ok(()) };
    let file = arguments.data.data().to_string();
    Err(FeatureError::NoCompleteRows { file, split }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_kept_by_split() {
        let group = |split: &str| {
            let sums = Sums { n: 2, values: vec![0.5], ..Sums::default() };
            Finished { split: split.to_owned(), sums }
        };
        let splits = by_split(["val", "val", "test"].map(group).into_iter());
        let found: Vec<_> = splits.iter().map(|(name, sums)| (name.as_str(), sums.n, sums.values[0])).collect();
        assert_eq!(found, [("val", 4, 1.0), ("test", 2, 0.5)]);
    }
}
