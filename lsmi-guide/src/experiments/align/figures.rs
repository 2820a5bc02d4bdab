//! What is measured of trained heads, and of trained encoders, on the rows set aside.

use std::collections::BTreeMap;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::features::Features;
use super::heads::Heads;
use super::probe::{self, Labelled};
use super::recall::{Answers, recall};
use super::vectors::Vectors;
use crate::error::Result;

/// A figure of trained heads, on the rows set aside. More is better of all of them.
///
/// Names of directions say what is looked for: `x1_to_x2` finds the x2 of an x1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// How often the x2 of an x1 is the most similar one.
    #[serde(rename = "recall_at_1_x1_to_x2")]
    Recall1From1,
    /// How often it is among the five most similar.
    #[serde(rename = "recall_at_5_x1_to_x2")]
    Recall5From1,
    /// How often it is among the ten most similar.
    #[serde(rename = "recall_at_10_x1_to_x2")]
    Recall10From1,
    /// How often the x1 of an x2 is the most similar one.
    #[serde(rename = "recall_at_1_x2_to_x1")]
    Recall1From2,
    /// How often it is among the five most similar.
    #[serde(rename = "recall_at_5_x2_to_x1")]
    Recall5From2,
    /// How often it is among the ten most similar.
    #[serde(rename = "recall_at_10_x2_to_x1")]
    Recall10From2,
    /// How often the class of an x1 is the one whose mean x2 is the most similar.
    #[serde(rename = "zero_shot_x1_to_x2")]
    ZeroShotFrom1,
    /// How often the class of an x2 is the one whose mean x1 is the most similar.
    #[serde(rename = "zero_shot_x2_to_x1")]
    ZeroShotFrom2,
    /// The accuracy of a linear probe on the projected x1; of an encoder that is trained, on x1 before the projection.
    ProbeX1,
    /// The same of x2.
    ProbeX2,
    /// That less the accuracy of a probe on x1 as it came, or as the encoder made it before training.
    ProbeChangeX1,
    /// The same of x2.
    ProbeChangeX2,
}

/// The value of every figure.
pub(super) type Figures = BTreeMap<Figure, f64>;

impl Figure {
    /// All figures, in the order of the tables.
    pub const ALL: [Self; 12] = [
        Self::Recall1From1,
        Self::Recall5From1,
        Self::Recall10From1,
        Self::Recall1From2,
        Self::Recall5From2,
        Self::Recall10From2,
        Self::ZeroShotFrom1,
        Self::ZeroShotFrom2,
        Self::ProbeX1,
        Self::ProbeX2,
        Self::ProbeChangeX1,
        Self::ProbeChangeX2,
    ];

    /// Returns the name that stands in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recall1From1 => "recall_at_1_x1_to_x2",
            Self::Recall5From1 => "recall_at_5_x1_to_x2",
            Self::Recall10From1 => "recall_at_10_x1_to_x2",
            Self::Recall1From2 => "recall_at_1_x2_to_x1",
            Self::Recall5From2 => "recall_at_5_x2_to_x1",
            Self::Recall10From2 => "recall_at_10_x2_to_x1",
            Self::ZeroShotFrom1 => "zero_shot_x1_to_x2",
            Self::ZeroShotFrom2 => "zero_shot_x2_to_x1",
            Self::ProbeX1 => "probe_x1",
            Self::ProbeX2 => "probe_x2",
            Self::ProbeChangeX1 => "probe_change_x1",
            Self::ProbeChangeX2 => "probe_change_x2",
        }
    }
}

/// Both modalities of some rows, scaled, with their labels.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) features: [Tensor; 2],
    pub(super) labels: Vec<u32>,
}

/// What figures are measured on and against: the training rows, whichever of them heads were trained on, and those set aside.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) train: Rows,
    pub(super) test: Rows,
    pub(super) answers: Answers,
    pub(super) classes: usize,
    /// The accuracy of probes on the features as they came.
    pub(super) raw: [f64; 2],
}

/// The features of both modalities that heads project, of training rows and of those set aside.
#[derive(Clone, Copy)]
pub(super) struct Projected<'a> {
    pub(super) train: [&'a dyn Features; 2],
    pub(super) test: [&'a dyn Features; 2],
    /// Whether the features are what was trained: then probes are on them, and not on their projections.
    pub(super) are_trained: bool,
}

impl Measured {
    /// The features as they came.
    pub(super) fn features(&self) -> Projected<'_> {
        let Self { train: Rows { features: train, .. }, test: Rows { features: test, .. }, .. } = self;
        Projected { train: [&train[0], &train[1]], test: [&test[0], &test[1]], are_trained: false }
    }

    /// Measures all figures of heads on features.
    pub(super) fn measure(&self, heads: &Heads, features: Projected<'_>) -> Result<Figures> {
        let all = |rows: [&dyn Features; 2]| -> Result<[Tensor; 2]> { Ok([rows[0].all()?, rows[1].all()?]) };
        let (train_features, test_features) = (all(features.train)?, all(features.test)?);
        let projected = |rows: &[Tensor; 2], modality: usize| -> Result<Vectors> {
            Vectors::of_tensor(&heads.project(modality, &rows[modality])?)
        };
        let train = [projected(&train_features, 0)?, projected(&train_features, 1)?];
        let test = [projected(&test_features, 0)?, projected(&test_features, 1)?];
        let found = |queries: &Vectors, candidates: &Vectors| recall(queries, candidates, &self.answers);
        let (from1, from2) = (found(&test[0], &test[1]), found(&test[1], &test[0]));
        let zero_shot = |queries: &Vectors, described: &Vectors| {
            let prototypes = described.prototypes(&self.train.labels, self.classes);
            let pairs = queries.rows().zip(&self.test.labels);
            let right = pairs.filter(|(query, label)| prototypes.nearest(query) == **label as usize).count();
            right as f64 / self.test.labels.len() as f64
        };
        let device = self.train.features[0].device();
        let probe = |modality: usize| -> Result<f64> {
            let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
            let (of_train, of_test, columns) = if features.are_trained {
                let values = |rows: &[Tensor; 2]| -> Result<Vec<f64>> {
                    Ok(wide(&rows[modality].flatten_all()?.to_vec1::<f32>()?))
                };
                (values(&train_features)?, values(&test_features)?, train_features[modality].dims2()?.1)
            } else {
                (wide(train[modality].values()), wide(test[modality].values()), test[modality].width())
            };
            let of_train = Labelled { values: &of_train, labels: &self.train.labels };
            let of_test = Labelled { values: &of_test, labels: &self.test.labels };
            probe::accuracy(of_train, of_test, columns, self.classes, device)
        };
        let (probe1, probe2) = (probe(0)?, probe(1)?);
        let values = [
            from1[0],
            from1[1],
            from1[2],
            from2[0],
            from2[1],
            from2[2],
            zero_shot(&test[0], &train[1]),
            zero_shot(&test[1], &train[0]),
            probe1,
            probe2,
            probe1 - self.raw[0],
            probe2 - self.raw[1],
        ];
        Ok(Figure::ALL.into_iter().zip(values).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_files() {
        for figure in Figure::ALL {
            assert_eq!(serde_json::to_value(figure).unwrap(), figure.name());
        }
        let mut sorted = Figure::ALL;
        sorted.sort_unstable();
        assert_eq!(sorted, Figure::ALL);
    }
}
