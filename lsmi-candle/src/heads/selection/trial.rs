//! Trials of a family on unseen rows: the loss of each setting, part by part, and the best one.

use super::super::calibration::{Calibration, HeldOutLabels, log_loss};
use super::super::stack::{label_posteriors, linear_weights};

/// The number of settings that may do worse one after another before the others are left out.
const PATIENCE: usize = 2;
/// The least gain in the log likelihood of a row, in nats, for which a costly family is worth its time.
const LEAST_GAIN: f64 = 0.006;
/// The number of rows up to which every family is fast, and up to which the first fits are judged on too few rows to
/// decide.
const FEW_ROWS: usize = 800;

/// Rows that fits are judged on.
#[derive(Debug, Clone)]
pub(super) struct Unseen {
    pub(super) labels: Vec<u32>,
    /// The group of each, where rows belong together.
    pub(super) groups: Option<Vec<u32>>,
}

impl Unseen {
    fn all(&self) -> HeldOutLabels<'_> {
        HeldOutLabels { labels: &self.labels, groups: self.groups.as_deref() }
    }

    fn select(&self, rows: &[usize]) -> Self {
        let groups = self.groups.as_ref().map(|groups| rows.iter().map(|row| groups[*row]).collect());
        Self { labels: rows.iter().map(|row| self.labels[*row]).collect(), groups }
    }
}

/// Watches the losses of one part's rows, setting by setting, and decides when to stop.
pub(super) struct Watch<'a> {
    unseen: Unseen,
    log_frequencies: &'a [f64],
    rows_of_the_fit: usize,
    lowest: f64,
    worse: usize,
    settings: Vec<Vec<f32>>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(unseen: Unseen, log_frequencies: &'a [f64], rows_of_the_fit: usize) -> Self {
        Self { unseen, log_frequencies, rows_of_the_fit, lowest: f64::INFINITY, worse: 0, settings: Vec::new() }
    }

    pub(super) fn rows(&self) -> usize {
        self.unseen.labels.len()
    }

    /// Takes the posteriors of the next setting. Returns its loss, and whether another one is worth a try. What comes
    /// after that is not kept: the choice for this part's fold must not depend on how long another part continues.
    pub(super) fn hear(&mut self, posteriors: &[f64]) -> (f64, bool) {
        if self.worse >= PATIENCE || self.unseen.labels.is_empty() {
            return (self.lowest, false);
        }
        let calibration = Calibration::fit(self.log_frequencies, posteriors, self.unseen.all(), self.rows_of_the_fit);
        let mut calibrated = posteriors.to_vec();
        calibration.apply(&mut calibrated);
        let loss = log_loss(&calibrated, &self.unseen.labels);
        if loss < self.lowest {
            (self.lowest, self.worse) = (loss, 0);
        } else {
            self.worse += 1;
        }
        self.settings.push(single(posteriors));
        (loss, self.worse < PATIENCE)
    }

    /// Returns the log posteriors `[n, classes]`, row-major, of each setting.
    pub(super) fn into_settings(self) -> Vec<Vec<f32>> {
        self.settings
    }
}

/// The log posteriors of unseen rows by a family's fits, for one outer fold.
#[derive(Default)]
pub(super) struct Trial {
    /// For each judged part, the log posteriors of its rows under every setting.
    pub(super) parts: Vec<(usize, Vec<Vec<f32>>)>,
}

/// A family at its best setting, calibrated.
pub(super) struct Candidate {
    pub(super) family: usize,
    pub(super) setting: usize,
    pub(super) calibration: Calibration,
    /// Calibrated log posteriors of the rows that choices are judged on, `[n, classes]`, row-major.
    pub(super) posteriors: Vec<f64>,
}

/// The rows that choices for an outer fold are judged on.
pub(super) struct Judge {
    /// The parts of these rows, rising, with their numbers of rows.
    pub(super) parts: Vec<usize>,
    pub(super) lengths: Vec<usize>,
    /// The rows, part by part.
    pub(super) unseen: Unseen,
    /// The logarithms of the class frequencies of the rows outside the fold.
    pub(super) log_frequencies: Vec<f64>,
    /// The number of those rows.
    pub(super) rows_of_the_fit: usize,
}

impl Judge {
    /// Returns the number of each row's part, counted from 0.
    pub(super) fn blocks(&self) -> Vec<u32> {
        let parts = (0u32..).zip(&self.lengths);
        parts.flat_map(|(block, length)| std::iter::repeat_n(block, *length)).collect()
    }

    /// Fits the calibration of log posteriors of all rows.
    pub(super) fn calibration(&self, posteriors: &[f64]) -> Calibration {
        Calibration::fit(&self.log_frequencies, posteriors, self.unseen.all(), self.rows_of_the_fit)
    }

    /// Returns the best setting that was tried in all parts, or `None` if there is none or its loss is not a number.
    pub(super) fn candidate(&self, family: usize, mut trial: Trial) -> Option<Candidate> {
        trial.parts.sort_unstable_by_key(|(part, _)| *part);
        // Nothing can be said of a part without rows, which whole groups may leave.
        let is_empty =
            |part: usize| self.parts.iter().zip(&self.lengths).any(|(of, length)| *of == part && *length == 0);
        trial.parts.retain(|(part, _)| !is_empty(*part));
        let part_settings: Vec<&Vec<Vec<f32>>> = trial.parts.iter().map(|(_, settings)| settings).collect();
        let (setting, calibration, posteriors, _) = self.best(&part_settings, &self.unseen)?;
        Some(Candidate { family, setting, calibration, posteriors })
    }

    /// Returns whether a family adds to the knowledge of the incumbents about the rows that its first fits, in `trial`,
    /// were judged on.
    pub(super) fn is_worth_it<'a>(&self, trial: &Trial, incumbents: impl Iterator<Item = &'a [f64]>) -> bool {
        if self.rows_of_the_fit <= FEW_ROWS {
            return true;
        }
        let mut rows = Vec::new();
        let mut part_settings = Vec::new();
        for ((part, length), start) in self.parts.iter().zip(&self.lengths).zip(self.starts()) {
            if *length == 0 {
                continue;
            }
            for (_, settings) in trial.parts.iter().filter(|(of, _)| of == part) {
                rows.extend(start..start + length);
                part_settings.push(settings);
            }
        }
        let unseen = self.unseen.select(&rows);
        let Some((_, _, posteriors, _)) = self.best(&part_settings, &unseen) else { return false };
        // The knowledge without the family: the pool of the incumbents and of the class frequencies.
        let mut known: Vec<Vec<f64>> =
            incumbents.map(|posteriors| label_posteriors(posteriors, &self.unseen.labels)).collect();
        known.push(self.unseen.labels.iter().map(|label| self.log_frequencies[*label as usize]).collect());
        let known: Vec<&[f64]> = known.iter().map(Vec::as_slice).collect();
        let weights = linear_weights(&known);
        let pooled = pooled(&known, &weights);
        let before: Vec<f64> = rows.iter().map(|row| pooled[*row]).collect();
        let new = label_posteriors(&posteriors, &unseen.labels);
        let both = [before.as_slice(), new.as_slice()];
        let after = self::pooled(&both, &linear_weights(&both));
        let gain = after.iter().sum::<f64>() - before.iter().sum::<f64>();
        gain > LEAST_GAIN * rows.len() as f64
    }

    fn starts(&self) -> Vec<usize> {
        let mut next = 0;
        let mut starts = Vec::with_capacity(self.lengths.len());
        for length in &self.lengths {
            starts.push(next);
            next += length;
        }
        starts
    }

    /// Returns the setting with the lowest loss, its calibration and its calibrated log posteriors.
    fn best(&self, part_settings: &[&Vec<Vec<f32>>], unseen: &Unseen) -> Option<(usize, Calibration, Vec<f64>, f64)> {
        let settings = part_settings.iter().map(|settings| settings.len()).min().unwrap_or(0);
        let mut best: Option<(usize, Calibration, Vec<f64>, f64)> = None;
        for setting in 0..settings {
            let mut posteriors: Vec<f64> = part_settings
                .iter()
                .flat_map(|settings| settings[setting].iter().map(|value| f64::from(*value)))
                .collect();
            let calibration = Calibration::fit(&self.log_frequencies, &posteriors, unseen.all(), self.rows_of_the_fit);
            calibration.apply(&mut posteriors);
            let loss = log_loss(&posteriors, &unseen.labels);
            if loss.is_finite() && best.as_ref().is_none_or(|(.., lowest)| loss < *lowest) {
                best = Some((setting, calibration, posteriors, loss));
            }
        }
        best
    }
}

/// Returns the logarithm of the weighted mean of probabilities, row by row.
fn pooled(log_probabilities: &[&[f64]], weights: &[f64]) -> Vec<f64> {
    let rows = log_probabilities.first().map_or(0, |values| values.len());
    let of_row = |row: usize| {
        let joint: Vec<f64> = weights.iter().zip(log_probabilities).map(|(weight, of)| weight.ln() + of[row]).collect();
        lsmi_core::statistics::log_sum_exp(&joint)
    };
    (0..rows).map(of_row).collect()
}

/// Extends posteriors of the classes that a fit has seen to all classes; the others have the share of half a row.
pub(super) fn spread(posteriors: &[f64], present: &[usize], classes: usize, rows_of_the_fit: usize) -> Vec<f64> {
    if present.len() == classes {
        return posteriors.to_vec();
    }
    let absent = (classes - present.len()) as f64;
    let share = 0.5 / (rows_of_the_fit as f64 + 0.5 * absent);
    let kept = (1.0 - absent * share).ln();
    let mut whole = Vec::with_capacity(posteriors.len() / present.len() * classes);
    for row in posteriors.chunks_exact(present.len()) {
        let start = whole.len();
        whole.extend(std::iter::repeat_n(share.ln(), classes));
        for (class, value) in present.iter().zip(row) {
            whole[start + class] = value + kept;
        }
    }
    whole
}

#[expect(clippy::cast_possible_truncation, reason = "posteriors are products of f32")]
fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| (*value as f32).max(f32::MIN)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_a_fit_has_not_seen_keep_a_share() {
        let whole = spread(&[0.25f64.ln(), 0.75f64.ln()], &[0, 2], 3, 10);
        assert!((whole.iter().map(|value| value.exp()).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((whole[1].exp() - 0.5 / 10.5).abs() < 1e-12);
        assert!((whole[2] - whole[0] - 3.0f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_watch_stops_listening_on_its_own_account() {
        let frequencies = [0.5f64.ln(); 2];
        let labels: Vec<u32> = (0..200).map(|row| row % 2).collect();
        let knowing =
            |right: f64| -> Vec<f64> {
                labels
                    .iter()
                    .flat_map(|label| {
                        if *label == 0 { [right.ln(), (1.0 - right).ln()] } else { [(1.0 - right).ln(), right.ln()] }
                    })
                    .collect()
            };
        let mut watch = Watch::new(Unseen { labels: labels.clone(), groups: None }, &frequencies, 100);
        // Certain of what is right in no more than half of the rows, ever more so.
        assert!(watch.hear(&knowing(0.9)).1);
        assert!(watch.hear(&knowing(0.5)).1);
        assert!(!watch.hear(&knowing(0.5)).1, "two settings were worse");
        assert!(!watch.hear(&knowing(0.99)).1);
        assert_eq!(watch.into_settings().len(), 3);
    }
}
