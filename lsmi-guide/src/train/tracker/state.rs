//! What of a synchronous tracker is kept in a checkpoint: what it remembers of samples, and the densities that go on.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use lsmi_candle::densities::knife::Knife;
use lsmi_candle::densities::mixture::Mixture;

use super::memory::{Memory, Seen, Table};
use super::refit::Densities;
use crate::error::Result;
use crate::train::hook::stored;

type State = BTreeMap<String, Tensor>;

impl Memory {
    pub(super) fn save(&self, state: &mut State) -> Result<()> {
        let seen = self.seen.iter().map(|seen| match seen {
            Seen::Nothing => 0.0,
            Seen::Both => 1.0,
            Seen::Only(0) => 2.0,
            Seen::Only(_) => 3.0,
        });
        let seen: Vec<f32> = seen.collect();
        state.insert("tracker.seen".to_owned(), vector(seen)?);
        for (index, table) in self.tables.iter().enumerate() {
            let tensor =
                Tensor::from_slice(&table.values, (table.values.len() / table.width, table.width), &Device::Cpu)?;
            state.insert(format!("tracker.table{index}"), tensor);
        }
        Ok(())
    }

    pub(super) fn restore(&mut self, state: &State) -> Result<()> {
        let seen = stored(state, "tracker.seen")?.to_vec1::<f32>()?.into_iter().map(|seen| match seen {
            0.0 => Seen::Nothing,
            2.0 => Seen::Only(0),
            3.0 => Seen::Only(1),
            _ => Seen::Both,
        });
        self.seen = seen.collect();
        self.tables.clear();
        while let Some(table) = state.get(&format!("tracker.table{}", self.tables.len())) {
            let (_, width) = table.dims2()?;
            self.tables.push(Table { values: host(table)?, width });
        }
        Ok(())
    }
}

impl Densities {
    pub(super) fn save(&self, state: &mut State) -> Result<()> {
        for (modality, columns) in self.columns.iter().enumerate() {
            let columns: Vec<f64> = columns.iter().map(|column| *column as f64).collect();
            state.insert(format!("tracker.columns{modality}"), vector(columns)?);
        }
        for (fold, densities) in self.of_folds.iter().enumerate() {
            for (modality, knife) in densities.iter().enumerate() {
                let (name, mixture) = (name(fold, modality), knife.mixture());
                state.insert(format!("{name}.log_weights"), vector(mixture.log_weights().to_vec())?);
                state.insert(format!("{name}.means"), vector(mixture.means().to_vec())?);
                state.insert(format!("{name}.factors"), vector(mixture.factors().to_vec())?);
            }
        }
        Ok(())
    }

    /// Densities as they were saved, of covariances of that structure.
    pub(super) fn restored(state: &State, covariance: lsmi_candle::densities::mixture::Covariance) -> Result<Self> {
        let mut densities = Self::default();
        for (modality, columns) in densities.columns.iter_mut().enumerate() {
            let stored = stored(state, &format!("tracker.columns{modality}"))?.to_vec1::<f64>()?;
            *columns = stored.into_iter().map(crate::train::hook::whole).collect();
        }
        let mixture = |name: String| -> Result<Knife> {
            let log_weights = stored(state, &format!("{name}.log_weights"))?.to_vec1::<f64>()?;
            let means = host(stored(state, &format!("{name}.means"))?)?;
            let factors = host(stored(state, &format!("{name}.factors"))?)?;
            Ok(Knife::from_mixture(Mixture::new(covariance, log_weights, means, factors)?))
        };
        while state.contains_key(&format!("{}.means", name(densities.of_folds.len(), 0))) {
            let fold = densities.of_folds.len();
            densities.of_folds.push([mixture(name(fold, 0))?, mixture(name(fold, 1))?]);
        }
        Ok(densities)
    }
}

fn name(fold: usize, modality: usize) -> String {
    format!("tracker.fold{fold}.x{}", modality + 1)
}

fn vector<Number: candle_core::WithDType>(values: Vec<Number>) -> Result<Tensor> {
    let length = values.len();
    Ok(Tensor::from_vec(values, length, &Device::Cpu)?)
}

fn host(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}
