//! The shards of a plan, encoded by several threads, in memory or as a job that goes on after an end.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::encode::{Encoder, Encoding};
use super::error::PipelineError;
use super::feature_file::{self, bytes_of};
use super::folder::Folder;
use super::plan::{Plan, Unreadable};
use super::rows::EmbeddedRows;
use super::shard::{Header, Shard, bytes};
use super::table::{Row, Table};
use super::watch::{Progress, Watch};
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
    /// What a feature file says of them: the version, the models (`x1_model`, ...), the rows that were skipped.
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
    /// Embeds all rows and keeps their vectors in memory.
    ///
    /// # Errors
    /// [`PipelineError`] if an encoder fails, a row cannot be embedded and is not to be skipped, or none can.
    pub fn embed(&self, encodings: &[Encoding], watch: &Watch<'_>) -> Result<Embedded, PipelineError> {
        let widths = widths(encodings);
        let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); widths.len()];
        let mut headers = Vec::with_capacity(self.shards());
        let all: Vec<usize> = (0..self.shards()).collect();
        self.run(encodings, &all, watch, |_, shard| {
            headers.push(shard.header);
            vectors.iter_mut().zip(shard.vectors).for_each(|(all, of_shard)| all.extend(of_shard));
            Ok(())
        })?;
        let rows = self.rows_of_all(headers)?;
        let metadata = feature_file::metadata(encodings, &rows)?;
        Ok(Embedded { rows, widths, vectors, metadata })
    }

    /// Embeds all rows and writes the feature file `output`, safetensors, replacing one that is there. Finished shards are kept in
    /// `<output>.partial` until then, and not done again; with `anew` those of an earlier run are thrown away.
    ///
    /// The same table and models give the same bytes.
    ///
    /// # Errors
    /// As [`Plan::embed`]; [`PipelineError::Job`] if shards of other work are kept there, or something cannot be written.
    pub fn embed_to_file(
        &self,
        encodings: &[Encoding],
        output: &Path,
        anew: bool,
        watch: &Watch<'_>,
    ) -> Result<EmbeddedRows, PipelineError> {
        let work = self.work(encodings)?;
        let mut parts = Parts::open(output, &work, self.shards(), "shards", anew, watch.writes)?;
        let left = parts.unfinished(&self.inputs);
        self.run(encodings, &left, watch, |shard, content| {
            Ok(parts.keep(shard, &self.inputs[shard], &content.header, &content.bytes())?)
        })?;
        let shards = (0..self.shards()).map(|shard| parts.part(shard)).collect::<Result<Vec<Part<Header>>, _>>()?;
        let rows = self.rows_of_all(shards.iter().map(|shard| shard.header.clone()))?;
        let (widths, metadata) = (widths(encodings), feature_file::metadata(encodings, &rows)?);
        parts.place(output, |parts, file| {
            let mut file = BufWriter::new(&**file);
            feature_file::begin(&rows, &widths, metadata, &mut file)?;
            for modality in 0..widths.len() {
                let before: usize = widths[..modality].iter().sum();
                for (number, shard) in shards.iter().enumerate() {
                    let count = shard.header.places.len();
                    let start = bytes_of(count * before);
                    file.write_all(&parts.content(
                        number,
                        shard,
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

    /// Encodes the shards that are `left` and gives them to `keep`, in their order.
    fn run(
        &self,
        encodings: &[Encoding],
        left: &[usize],
        watch: &Watch<'_>,
        mut keep: impl FnMut(usize, Shard) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let settings = &self.settings;
        self.check(encodings)?;
        let rows_left = left.iter().map(|shard| self.rows_of(*shard)).sum();
        watch.tell(Progress::Begun { finished: self.shards() - left.len(), shards: self.shards(), rows_left });
        let encoder = Encoder {
            encodings,
            folder: Folder::of_table(&settings.table, settings.follow_links),
            batch: settings.batch,
            missing: settings.missing,
        };
        let of_shard = settings.rows_of_a_shard;
        let mut table = Table::open(&settings.table, settings.columns.clone(), settings.missing)?;
        let mut next = 0;
        in_order(
            left.len(),
            settings.threads,
            |piece| {
                if watch.is_cancelled() {
                    return Err(PipelineError::Cancelled);
                }
                let before = left[piece] * of_shard - next;
                table.by_ref().take(before).find_map(Result::err).map_or(Ok(()), Err)?;
                next = (left[piece] + 1) * of_shard;
                Ok(table.by_ref().take(of_shard).collect::<Result<Vec<Row>, _>>()?)
            },
            |_, rows: Vec<Row>| {
                let shard = encoder.shard(&rows)?;
                match shard.header.skipped.first() {
                    Some(skipped) if settings.unreadable == Unreadable::Fail => {
                        Err(PipelineError::Row { file: self.file(), skipped: skipped.clone() })
                    }
                    _ => Ok((shard, rows.len())),
                }
            },
            |piece, (shard, rows)| {
                keep(left[piece], shard)?;
                watch.tell(Progress::Rows(rows));
                Ok(())
            },
        )
    }

    /// Says what the shards are of: everything that changes the vectors of an input.
    fn work(&self, encodings: &[Encoding]) -> Result<Work, PipelineError> {
        let settings = &self.settings;
        let mut work = Work::new([
            ("version", json!(env!("CARGO_PKG_VERSION"))),
            ("label", json!(settings.columns.label.name)),
            ("id", json!(settings.columns.id.name)),
            ("missing", json!(settings.missing.to_string())),
            ("batch", json!(settings.batch)),
            ("rows_of_a_shard", json!(settings.rows_of_a_shard)),
        ]);
        for (number, encoding) in (1..).zip(encodings) {
            work = work.with(format!("x{number} column"), encoding.column.as_str());
            work = work.with(format!("x{number} device"), encoding.embedder.device());
            let provenance = serde_json::to_value(encoding.embedder.provenance())?;
            let Value::Object(facts) = provenance else { continue };
            for (name, value) in facts {
                work = work.with(format!("x{number} {name}"), value);
            }
        }
        Ok(work)
    }

    fn rows_of_all(&self, headers: impl IntoIterator<Item = Header>) -> Result<EmbeddedRows, PipelineError> {
        let rows = EmbeddedRows::new(headers, self.dropped);
        if rows.is_empty() {
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
