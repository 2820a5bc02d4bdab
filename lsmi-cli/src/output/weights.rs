//! Weights of samples by id, for training loops elsewhere.
//!
//! `.csv` has a row a sample, `id,feature,output`, in the order of the samples. `.safetensors` has the arrays `feature` and
//! `output` [n], and the ids as a JSON list in the metadata's `ids`. Both columns have a mean of one over the samples.

use std::collections::BTreeMap;
use std::io::Write;

use lsmi_candle::features::{ArrayValues, write_safetensors};
use lsmi_guide::Plan;

use crate::arguments::Export;

type Written = Result<(), Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn write(export: &Export, plan: &Plan, file: &mut impl Write) -> Written {
    let weights = plan.weights();
    match export {
        Export::Csv(_) => {
            let mut table = csv::Writer::from_writer(file);
            table.write_record(["id", "feature", "output"])?;
            for (row, id) in plan.ids().iter().enumerate() {
                table.write_record([
                    id.as_ref(),
                    &weights.feature[row].to_string(),
                    &weights.output[row].to_string(),
                ])?;
            }
            Ok(table.flush()?)
        }
        Export::SafeTensors(_) => {
            let arrays = BTreeMap::from([
                ("feature", ArrayValues::Vector(&weights.feature)),
                ("output", ArrayValues::Vector(&weights.output)),
            ]);
            let ids: Vec<String> = plan.ids().iter().map(std::borrow::Cow::into_owned).collect();
            let metadata = BTreeMap::from([("ids", serde_json::to_string(&ids)?)]);
            Ok(file.write_all(&write_safetensors(&arrays, &metadata)?)?)
        }
    }
}
