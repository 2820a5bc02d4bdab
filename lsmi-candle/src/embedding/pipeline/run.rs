//! The row groups of a plan, encoded by threads that they share, in memory or as a job that goes on after an end.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::encode::{Encoder, Encoding};
use super::error::PipelineError;
use super::feature_file::{self, bytes_of};
use super::folder::Folder;
use super::group::{Group, Header, bytes};
use super::join::{KEY, PartOf};
use super::plan::{Plan, Unreadable};
use super::rows::EmbeddedRows;
use super::table::{Row, Table};
use super::watch::{Progress, Watch};
use super::workers::Workers;
use crate::jobs::{Part, Parts, Work, in_order};

/// The vectors of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The rows that have vectors, and those that have none.
    pub rows: EmbeddedRows,
    /// Numbers of a vector of each modality.
    pub widths: Vec<usize>,
    /// The vectors of each modality, row after row.
    ///
    /// # Shapes
    /// `[rows, width]` for each modality.
    pub vectors: Vec<Vec<f32>>,
    /// What a feature file says of them: the version, the models (`x1_model`, ...), the rows that were skipped, and which
    /// part of the table it is where it is one.
    pub metadata: BTreeMap<String, String>,
}

impl Embedded {
    /// Writes the feature file, the same bytes as [`Plan::embed_to_file`].
    ///
    /// # Errors
    /// If `file` cannot be written.
    pub fn write(&self, mut file: impl Write) -> std::io::Result<()> {
        feature_file::begin(&self.rows, &self.widths, self.metadata.clone(), &mut file)?;
        self.vectors.iter().try_for_each(|vectors| file.write_all(&bytes(vectors)))
    }
}

impl Plan {
    /// Embeds the rows of the shard, which are all unless a part is asked for, and keeps their vectors in memory.
    ///
    /// # Errors
    /// [`PipelineError`] if an encoder fails, a row cannot be embedded and is not to be skipped, or none of the whole table can.
    pub fn embed(&self, encodings: &[Encoding], watch: &Watch<'_>) -> Result<Embedded, PipelineError> {
        let widths = widths(encodings);
        let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); widths.len()];
        let mut headers = Vec::with_capacity(self.groups());
        let all: Vec<usize> = (0..self.groups()).collect();
        self.run(encodings, &all, watch, |_, group| {
            headers.push(group.header);
            vectors.iter_mut().zip(group.vectors).for_each(|(all, of_group)| all.extend(of_group));
            Ok(())
        })?;
        let rows = self.rows_of_all(headers)?;
        let metadata = self.metadata(encodings, &rows)?;
        Ok(Embedded { rows, widths, vectors, metadata })
    }

    /// Embeds the same rows and writes the feature file `output`, safetensors, replacing one that is there. Finished row groups are
    /// kept in `<output>.partial` until then, and not done again; with `anew` those of an earlier run are thrown away.
    ///
    /// The same table and models give the same bytes. The files of all shards, [joined](super::FeatureParts), are the whole.
    ///
    /// # Errors
    /// As [`Plan::embed`]; [`PipelineError::Job`] if row groups of other work are kept there, or something cannot be written.
    pub fn embed_to_file(
        &self,
        encodings: &[Encoding],
        output: &Path,
        anew: bool,
        watch: &Watch<'_>,
    ) -> Result<EmbeddedRows, PipelineError> {
        let work = self.work(encodings)?.with("shard", self.settings.shard.to_string());
        let mut parts = Parts::open(output, &work, self.groups(), "row groups", anew, watch.writes)?;
        let left = parts.unfinished(&self.inputs);
        self.run(encodings, &left, watch, |group, content| {
            Ok(parts.keep(group, &self.inputs[group], &content.header, &content.bytes())?)
        })?;
        let groups = (0..self.groups()).map(|group| parts.part(group)).collect::<Result<Vec<Part<Header>>, _>>()?;
        let rows = self.rows_of_all(groups.iter().map(|group| group.header.clone()))?;
        let (widths, metadata) = (widths(encodings), self.metadata(encodings, &rows)?);
        parts.place(output, |parts, file| {
            let mut file = BufWriter::new(&**file);
            feature_file::begin(&rows, &widths, metadata, &mut file)?;
            for modality in 0..widths.len() {
                let before: usize = widths[..modality].iter().sum();
                for (number, group) in groups.iter().enumerate() {
                    let count = group.header.places.len();
                    let start = bytes_of(count * before);
                    file.write_all(&parts.content(
                        number,
                        group,
                        start..start + bytes_of(count * widths[modality]),
                    )?)?;
                }
            }
            Ok(file.flush()?)
        })?;
        // The output is there; what is left beside it does no harm.
        let _ = parts.remove();
        Ok(rows)
    }

    /// Encodes the row groups that are `left`, counted within the shard, and gives them to `keep`, in their order.
    fn run(
        &self,
        encodings: &[Encoding],
        left: &[usize],
        watch: &Watch<'_>,
        mut keep: impl FnMut(usize, Group) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let settings = &self.settings;
        self.check(encodings)?;
        let place = |piece: usize| self.groups.start + left[piece];
        let rows_left = (0..left.len()).map(|piece| self.rows_of(place(piece)..place(piece) + 1).len()).sum();
        watch.tell(Progress::Begun { finished: self.groups() - left.len(), groups: self.groups(), rows_left });
        let encoder = Encoder {
            encodings,
            folder: Folder::of_table(&settings.table, settings.follow_links),
            batch: settings.batch,
            missing: settings.missing,
            workers: Workers::new(settings.threads),
        };
        let of_group = settings.rows_of_a_group;
        let mut table = Table::open(&settings.table, settings.columns.clone(), settings.missing)?;
        let mut next = 0;
        in_order(
            left.len(),
            settings.threads.min(left.len()),
            |piece| {
                if watch.is_cancelled() {
                    return Err(PipelineError::Cancelled);
                }
                let before = place(piece) * of_group - next;
                table.by_ref().take(before).find_map(Result::err).map_or(Ok(()), Err)?;
                next = (place(piece) + 1) * of_group;
                Ok(table.by_ref().take(of_group).collect::<Result<Vec<Row>, _>>()?)
            },
            |_, rows: Vec<Row>| {
                let group = encoder.group(&rows)?;
                match group.header.skipped.first() {
                    Some(skipped) if settings.unreadable == Unreadable::Fail => {
                        Err(PipelineError::Row { file: self.file(), skipped: skipped.clone() })
                    }
                    _ => Ok((group, rows.len())),
                }
            },
            |piece, (group, rows)| {
                keep(left[piece], group)?;
                watch.tell(Progress::Rows(rows));
                Ok(())
            },
        )
    }

    /// Says what the row groups are of, whatever the shard: everything that changes the vectors of an input.
    fn work(&self, encodings: &[Encoding]) -> Result<Work, PipelineError> {
        let settings = &self.settings;
        let mut work = Work::new([
            ("version", json!(env!("CARGO_PKG_VERSION"))),
            ("label", json!(settings.columns.label.name)),
            ("id", json!(settings.columns.id.name)),
            ("missing", json!(settings.missing.to_string())),
            ("batch", json!(settings.batch)),
            ("rows_of_a_group", json!(settings.rows_of_a_group)),
        ]);
        for (number, encoding) in (1..).zip(encodings) {
            work = work.with(format!("x{number} column"), encoding.column.as_str());
            // Which of several of one kind it is makes no difference.
            let device = encoding.embedder.device();
            work = work.with(format!("x{number} device"), device.split(':').next().unwrap_or_default());
            let provenance = serde_json::to_value(encoding.embedder.provenance())?;
            let Value::Object(facts) = provenance else { continue };
            for (name, value) in facts {
                work = work.with(format!("x{number} {name}"), value);
            }
        }
        Ok(work)
    }

    /// Returns the metadata of the feature file; that of a shard says what it is a part of.
    fn metadata(&self, encodings: &[Encoding], rows: &EmbeddedRows) -> Result<BTreeMap<String, String>, PipelineError> {
        let mut metadata = feature_file::metadata(encodings, rows)?;
        let shard = self.settings.shard;
        if !shard.is_whole() {
            let job = self.work(encodings)?.with("groups", self.all_groups()).with("rows", self.all_rows);
            let part = PartOf {
                index: shard.index(),
                of: shard.of(),
                groups: self.groups.clone(),
                all_groups: self.all_groups(),
                rows: self.rows_of(self.groups.clone()),
                dropped: rows.dropped,
                truncated: rows.truncated,
                job: job.sha256(),
            };
            metadata.insert(KEY.to_owned(), serde_json::to_string(&part)?);
        }
        Ok(metadata)
    }

    /// Joins the headers of all row groups. Only a shard may have no rows: those of the others are enough for the whole.
    fn rows_of_all(&self, headers: impl IntoIterator<Item = Header>) -> Result<EmbeddedRows, PipelineError> {
        let rows = EmbeddedRows::new(headers, self.dropped);
        if rows.is_empty() && self.settings.shard.is_whole() {
            return Err(PipelineError::NothingEmbedded { file: self.file(), first: rows.skipped.into_iter().next() });
        }
        Ok(rows)
    }

    /// Checks that the encoders are of the columns that were read.
    fn check(&self, encodings: &[Encoding]) -> Result<(), PipelineError> {
        let planned: Vec<_> =
            self.settings.columns.inputs.iter().map(|input| (input.name.as_str(), input.modality)).collect();
        let found: Vec<_> = encodings.iter().map(|encoding| (encoding.column.as_str(), encoding.modality)).collect();
        if planned == found {
            return Ok(());
        }
        let in_words = |columns: &[(&str, _)]| {
            columns.iter().map(|(name, modality)| format!("`{name}` ({modality})")).collect::<Vec<_>>().join(", ")
        };
        Err(PipelineError::OtherColumns { expected: in_words(&planned), found: in_words(&found) })
    }

    fn file(&self) -> String {
        self.settings.table.display().to_string()
    }
}

fn widths(encodings: &[Encoding]) -> Vec<usize> {
    encodings.iter().map(|encoding| encoding.embedder.width()).collect()
}
