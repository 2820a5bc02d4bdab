//! `lsmi score` over more rows than memory holds: the same rows from a stream, sharded, and gone on with after an end.

use std::fs;
use std::num::NonZeroUsize;
use std::thread;
use std::time::SystemTime;

use arrow_array::RecordBatch;
use lsmi_candle::estimator::Estimator;
use lsmi_candle::estimator::batch::{further_columns, labelled_batch, score_batch_by, unlabelled_batch};
use lsmi_candle::features::{FileState, MetadataColumn, RowReader};
use lsmi_core::Interaction;
use sha2::{Digest, Sha256};

use super::score::check_place;
use crate::arguments::{Score, Shard};
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::progress;
use crate::stream::encode;
use crate::stream::manifest::{Finished, Job};
use crate::stream::partial::{Found, Partial, directory_of};
use crate::stream::pipeline;
use crate::stream::plan::{Group, groups, rows_of_a_group};
use crate::tables;
use lsmi_candle::analysis::names::Words;
use lsmi_candle::analysis::summary::ExpectedSummary;
use lsmi_candle::analysis::summary::StreamedSplit;
use lsmi_candle::analysis::summary::Summary;
use lsmi_candle::samples::ExtraColumns;
use lsmi_candle::samples::Sums;
use lsmi_candle::samples::{Format, write};

/// A file with more rows than this is scored from a stream, whatever was asked for.
const ROWS_IN_MEMORY: usize = 1 << 18;

/// The reader of the data, if they are to be scored from a stream.
///
/// # Errors
/// Of data that cannot be used, where a stream was asked for. Where it was not, data that cannot be read by rows are left
/// to whoever reads them as a whole.
pub(super) fn reader(arguments: &Score, estimator: &Estimator) -> Result<Option<RowReader>, Failure> {
    let (data, keys, classes) = (arguments.data.data(), arguments.arrays.keys(), estimator.classes());
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

/// `lsmi score` from a stream.
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
    let work = Work::new(arguments, format, estimator, &reader)?;
    let finished = work.done(arguments, &mut reader)?;
    work.tell(arguments, &finished)
}

/// The splits that are scored, by their places: all but `train`, unless that is all there is.
fn places(reader: &RowReader) -> Vec<usize> {
    let splits = reader.splits();
    (0..splits.len()).filter(|split| splits.len() == 1 || splits[*split].name != "train").collect()
}

/// What is to be done, and with what.
struct Work<'a> {
    estimator: &'a Estimator,
    format: Format,
    label_free: bool,
    measures: &'a [lsmi_core::Measure],
    /// The further columns.
    further: ExtraColumns,
    /// What the splits are called in the output.
    names: Vec<String>,
    groups: Vec<Group>,
    job: Job,
}

/// A group that was scored and is to be written.
struct Scored {
    split: usize,
    content: Vec<u8>,
    sums: Sums,
}

impl<'a> Work<'a> {
    fn new(
        arguments: &'a Score,
        format: Format,
        estimator: &'a Estimator,
        reader: &RowReader,
    ) -> Result<Self, Failure> {
        let measures = arguments.measures.listed();
        let numbers = if arguments.label_free { Vec::new() } else { further_columns(estimator, measures) };
        let metadata = reader.metadata_columns().iter().map(|(name, kind)| (name.as_str(), *kind));
        let further = ExtraColumns::new(numbers, metadata);

        let splits = reader.splits();
        let places = places(reader);
        if places.len() < splits.len() && !arguments.common.quiet {
            console::say(super::score::TRAIN_IS_LEFT_OUT);
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
        let keys = arguments.arrays.keys();
        let job = Job::new([
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("data_bytes", bytes.to_string()),
            ("data_modified", modified.map_or_else(|| "unknown".to_owned(), since_1970)),
            ("estimator_sha256", hexadecimal(&Sha256::digest(&estimator_bytes))),
            ("keys", format!("{},{},{},{}", keys.x1, keys.x2, keys.label, keys.id.unwrap_or_default())),
            ("label_free", arguments.label_free.to_string()),
            ("measures", measures.iter().map(|measure| measure.name()).collect::<Vec<_>>().join(",")),
            ("device", format!("{:?}", arguments.common.device)),
            ("format", format.to_string()),
            ("shard", shard.to_string()),
            ("rows_of_a_group", of_group.to_string()),
            ("groups", groups.len().to_string()),
        ]);
        let label_free = arguments.label_free;
        Ok(Self { estimator, format, label_free, measures, further, names, groups, job })
    }

    /// Does the work that is not done yet.
    fn done(&self, arguments: &Score, reader: &mut RowReader) -> Result<Finished, Failure> {
        let (output, force) = (arguments.out.as_path(), arguments.common.force);
        let mut header = Vec::new();
        write::begin(&mut header, self.format, &self.further).map_err(Failure::failed)?;
        let found = Partial::find(output, self.job.clone(), self.groups.len(), self.format, &header, force)?;
        let mut partial = match found {
            Found::Done(finished) => return Ok(finished),
            Found::Begun(partial) => partial,
        };
        let is_free = check_place(output, arguments);
        let result = is_free.map_err(Failure::from).and_then(|()| self.score(arguments, reader, &mut partial));
        match result {
            Ok(()) => Ok(partial.finish(output, &self.further)?),
            Err(failure) => {
                partial.give_up();
                Err(failure)
            }
        }
    }

    fn score(&self, arguments: &Score, reader: &mut RowReader, partial: &mut Partial) -> Result<(), Failure> {
        let before = partial.finished().groups;
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
        let left = &self.groups[before..];
        let bar = progress::rows(arguments.common.quiet, left.iter().map(|group| group.rows.len()).sum());
        let data = arguments.data.data();
        let about = |failure: Failure| failure.about(data.path());
        pipeline::run(
            left.len(),
            threads,
            |piece| self.read(reader, &left[piece]),
            |piece, rows| self.scored(&left[piece], &rows).map_err(about),
            |piece, scored: Scored| {
                partial.finish_group(&scored.content, &self.names[scored.split], &scored.sums)?;
                bar.inc(left[piece].rows.len() as u64);
                Ok(())
            },
        )?;
        drop(bar);
        Ok(reader.check_unchanged()?)
    }

    fn read(&self, reader: &mut RowReader, group: &Group) -> Result<(RecordBatch, Vec<MetadataColumn>), Failure> {
        let (split, rows) = (group.split, group.rows.clone());
        let metadata = reader.read_metadata(split, rows.clone())?;
        let batch = if self.label_free {
            unlabelled_batch(&reader.read_unlabelled(split, rows)?)
        } else {
            labelled_batch(&reader.read(split, rows)?, self.estimator.classes())
        };
        Ok((batch.map_err(Failure::failed)?, metadata))
    }

    fn scored(&self, group: &Group, (rows, metadata): &(RecordBatch, Vec<MetadataColumn>)) -> Result<Scored, Failure> {
        let scored = score_batch_by(self.estimator, self.measures, rows)?;
        let of_measures: Vec<String> =
            self.measures.iter().flat_map(|measure| Interaction::ALL.map(|part| format!("{part}_{measure}"))).collect();
        let sums = Sums::of(&scored, &of_measures, self.estimator.classes(), self.estimator.prior());
        let mut content = Vec::new();
        let rows = encode::samples(&scored, &self.names[group.split], metadata, &self.further);
        write::write_rows(&mut content, self.format, &self.further, rows).map_err(Failure::failed)?;
        Ok(Scored { split: group.split, content, sums })
    }

    /// Shows the table and prints the JSON, as far as they are wanted.
    fn tell(&self, arguments: &Score, finished: &Finished) -> Result<(), Failure> {
        let common = &arguments.common;
        if self.label_free {
            let summary = ExpectedSummary::of_sums(self.estimator, &finished.sums);
            if !common.quiet {
                console::say(&tables::expected::closing(&arguments.names, &summary));
            }
            return if common.json { console::print_json(&summary) } else { Ok(()) };
        }
        let split =
            |(name, sums): &(String, Sums)| (name.clone(), StreamedSplit::new(sums, self.estimator, self.measures));
        let words = Words { names: &arguments.names, label: "the label" };
        let splits: Vec<(String, StreamedSplit)> = finished.sums.iter().map(split).collect();
        let summary = Summary::of_splits(self.estimator, splits).with_words(words).with_warnings();
        if !common.quiet {
            console::say(&tables::streamed::closing(words, &summary));
        }
        if common.json { console::print_json(&summary) } else { Ok(()) }
    }
}

/// A time as seconds since 1970, exactly.
fn since_1970(time: SystemTime) -> String {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => format!("{}.{:09} s", after.as_secs(), after.subsec_nanos()),
        Err(before) => format!("-{}.{:09} s", before.duration().as_secs(), before.duration().subsec_nanos()),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
