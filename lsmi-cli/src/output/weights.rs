//! Weights of samples by id, for training loops and ensembles elsewhere.
//!
//! `.csv` has a row a sample, in their order: `id`, then a column for each kind of weight. `.safetensors` has an array `[n]` for
//! each kind, and the ids as a JSON list in the metadata's `ids`. The kinds are `feature`, `output`, `auxiliary1` and
//! `auxiliary2` of a plan, each with a mean of one over the samples or all 0; or the members of an ensemble.

use std::collections::BTreeMap;
use std::io::Write;

use lsmi_candle::features::{ArrayValues, write_safetensors};
use lsmi_core::SampleIds;

use crate::arguments::Export;

type Written = Result<(), Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn write(export: &Export, ids: &SampleIds, columns: &[(String, &[f64])], file: &mut impl Write) -> Written {
    match export {
        Export::Csv(_) => {
            let mut table = csv::Writer::from_writer(file);
            table.write_record(std::iter::once("id").chain(columns.iter().map(|(name, _)| name.as_str())))?;
            for (row, id) in ids.iter().enumerate() {
                let values = columns.iter().map(|(_, weights)| weights[row].to_string());
                table.write_record(std::iter::once(id.into_owned()).chain(values))?;
            }
            Ok(table.flush()?)
        }
        Export::SafeTensors(_) => {
            let arrays: BTreeMap<&str, ArrayValues<'_>> =
                columns.iter().map(|(name, weights)| (name.as_str(), ArrayValues::Vector(weights))).collect();
            let ids: Vec<String> = ids.iter().map(std::borrow::Cow::into_owned).collect();
            let metadata = BTreeMap::from([("ids", serde_json::to_string(&ids)?)]);
            Ok(file.write_all(&write_safetensors(&arrays, &metadata)?)?)
        }
    }
}
