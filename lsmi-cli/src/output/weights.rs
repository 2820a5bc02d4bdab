//! Weights of samples by id, for training loops elsewhere.
//!
//! `.csv` has a row a sample, `id,feature,output,auxiliary1,auxiliary2`, in the order of the samples. `.safetensors` has the
//! arrays `feature`, `output`, `auxiliary1` and `auxiliary2` [n], and the ids as a JSON list in the metadata's `ids`. Every
//! column has a mean of one over the samples, or is all 0.

use std::collections::BTreeMap;
use std::io::Write;

use lsmi_candle::features::{ArrayValues, write_safetensors};
use lsmi_guide::Plan;

use crate::arguments::Export;

type Written = Result<(), Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn write(export: &Export, plan: &Plan, file: &mut impl Write) -> Written {
    let columns: Vec<(String, &[f64])> = plan.weights().columns().collect();
    match export {
        Export::Csv(_) => {
            let mut table = csv::Writer::from_writer(file);
            table.write_record(std::iter::once("id").chain(columns.iter().map(|(name, _)| name.as_str())))?;
            for (row, id) in plan.ids().iter().enumerate() {
                let values = columns.iter().map(|(_, weights)| weights[row].to_string());
                table.write_record(std::iter::once(id.into_owned()).chain(values))?;
            }
            Ok(table.flush()?)
        }
        Export::SafeTensors(_) => {
            let arrays: BTreeMap<&str, ArrayValues<'_>> =
                columns.iter().map(|(name, weights)| (name.as_str(), ArrayValues::Vector(weights))).collect();
            let ids: Vec<String> = plan.ids().iter().map(std::borrow::Cow::into_owned).collect();
            let metadata = BTreeMap::from([("ids", serde_json::to_string(&ids)?)]);
            Ok(file.write_all(&write_safetensors(&arrays, &metadata)?)?)
        }
    }
}
