//! The contest of conditional densities, which chooses families, settings and weights for the rows outside every fold.
//!
//! As with heads ([`crate::heads`]), every family is fitted along its path to parts of the rows outside a fold, and rows that a
//! fit has not seen choose the setting, a factor of the deviations, and the weights of the pool, all by the logarithmic score;
//! the density without features competes, too, and so do the pools of either modality in that of both. What has a weight is
//! fitted again to all rows outside the fold. Nothing that concerns a fold is decided by its rows.

use lsmi_core::random::stream;
use lsmi_core::statistics::{mean, sum};
use rand::RngCore;
use rayon::prelude::*;

use super::columns::Given;
use super::family::{FAMILIES, residuals_of, with_line};
use super::normals::{Normals, Predicted};
use super::pool::{DensityPool, MOST_COLUMNS_OF_A_LINE, Member};
use super::ridge::Ridge;
use crate::error::Result;
use crate::estimator::folds::{LabelledRows, stratified_sample};
use crate::heads::{Nested, Unit, linear_weights};

/// Rows that families compete on at most; the winners are fitted to all.
const MOST_ROWS: usize = 20_000;
/// The number of settings that may do worse one after another before a path is left.
const PATIENCE: usize = 2;

/// The rows that compete, dealt to fits and to those that judge them.
pub(crate) struct Plan {
    rows: Vec<usize>,
    nested: Nested,
    /// The rows that choices for each outer fold are judged on.
    pub(crate) judged: Vec<Vec<usize>>,
    folds: Vec<u32>,
    fold_count: usize,
    seed: u64,
}

impl Plan {
    /// Plans for rows with their outer folds; the labels stand for ranges of the target.
    pub(crate) fn new(rows: &LabelledRows<'_>, folds: &[u32], fold_count: usize, seed: u64) -> Self {
        let competing = stratified_sample(rows.labels, rows.classes, MOST_ROWS, seed);
        let of = |values: &[u32]| -> Vec<u32> { competing.iter().map(|row| values[*row]).collect() };
        let (labels, groups) = (of(rows.labels), rows.groups.map(of));
        let labelled = LabelledRows { labels: &labels, classes: rows.classes, groups: groups.as_deref() };
        let nested = Nested::new(&of(folds), &labelled, fold_count, seed);
        let mut plan = Self { rows: competing, nested, judged: Vec::new(), folds: folds.to_vec(), fold_count, seed };
        plan.judged = (0..fold_count)
            .map(|outer| plan.parts_of(outer).into_iter().flat_map(|part| plan.part(part)).collect())
            .collect();
        plan
    }

    /// Returns the rows of a part.
    fn part(&self, part: usize) -> Vec<usize> {
        self.rows_of(|of| of == part)
    }

    fn rows_of(&self, is_in: impl Fn(usize) -> bool) -> Vec<usize> {
        self.rows.iter().zip(&self.nested.parts).filter(|(_, part)| is_in(**part)).map(|(row, _)| *row).collect()
    }

    /// Returns the parts that the choice of an outer fold is judged on, rising.
    fn parts_of(&self, outer: usize) -> Vec<usize> {
        let serving = self.nested.units.iter().flat_map(|unit| &unit.serves);
        let mut parts: Vec<usize> = serving.filter(|(of, _)| *of == outer).map(|(_, part)| *part).collect();
        parts.sort_unstable();
        parts
    }

    /// Returns the rows outside a fold.
    fn outside(&self, outer: usize) -> Vec<usize> {
        (0..self.folds.len()).filter(|row| self.folds[*row] as usize != outer).collect()
    }
}

/// What densities are fitted to.
pub(crate) struct Contest<'a> {
    pub(crate) given: Given<'a>,
    /// The standardised target of every row.
    pub(crate) targets: &'a [f64],
    pub(crate) plan: &'a Plan,
    /// Receives every fit's loss on rows that it has not seen, in nats.
    pub(crate) report: &'a (dyn Fn(String, f64) -> Result<()> + Sync),
}

/// The densities of the rows outside one fold.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) pool: DensityPool,
    /// What the pool says of the rows that judge it.
    pub(crate) unseen: Predicted,
}

impl Outcome {
    /// Returns the mean negative log density of the rows that judge the pool, in nats.
    pub(crate) fn loss(&self) -> f64 {
        -mean(&self.unseen.log_densities)
    }
}

/// The distributions of unseen rows under each setting of a family.
type Path = Vec<Normals>;

/// The distributions of the rows of a part under the line and every family, for the choice of an outer fold.
struct Heard {
    outer: usize,
    part: usize,
    line: Normals,
    families: Vec<Path>,
}

/// A density at its best setting.
enum Candidate {
    Baseline,
    Part(usize),
    Line { spread: f64 },
    Family { family: usize, setting: usize, spread: f64 },
}

impl Contest<'_> {
    /// Returns the densities of every fold. `baselines` has for each outer fold what the density without features says of
    /// the rows that judge ([`Plan::judged`]), `parts` the outcomes of either modality if this contest is of both.
    pub(crate) fn run(&self, baselines: &[Predicted], parts: &[&[Outcome]]) -> Result<Vec<Outcome>> {
        let heard: Vec<Vec<Heard>> =
            self.plan.nested.units.par_iter().with_max_len(1).map(|unit| self.fit_unit(unit)).collect::<Result<_>>()?;
        let mut heard: Vec<Heard> = heard.into_iter().flatten().collect();
        heard.sort_by_key(|heard| (heard.outer, heard.part));
        (0..self.plan.fold_count)
            .into_par_iter()
            .with_max_len(1)
            .map(|outer| {
                let heard: Vec<&Heard> = heard.iter().filter(|heard| heard.outer == outer).collect();
                self.choose(outer, &heard, &baselines[outer], parts)
            })
            .collect()
    }

    fn targets_of(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|row| self.targets[*row]).collect()
    }

    /// Fits all families to the rows of a unit, along their paths.
    fn fit_unit(&self, unit: &Unit) -> Result<Vec<Heard>> {
        let rows = self.plan.rows_of(|part| !unit.excluded.contains(&part));
        let parts: Vec<Vec<usize>> = unit.serves.iter().map(|(_, part)| self.plan.part(*part)).collect();
        let unseen = parts.concat();
        if rows.is_empty() || unseen.is_empty() {
            // Whole groups can leave a part of a small fold without rows.
            return Ok(Vec::new());
        }
        let seed = stream(self.plan.seed, &format!("densities without {:?}", unit.excluded)).next_u64();
        let columns = self.given.gather(MOST_COLUMNS_OF_A_LINE, &rows);
        let fitted = Ridge::fit(&columns.values, columns.width, &self.targets_of(&rows));
        let line = fitted.ridge.predict(&self.given.gather(MOST_COLUMNS_OF_A_LINE, &unseen).values);
        let (residuals, targets) = (residuals_of(&fitted), self.targets_of(&unseen));
        let mut paths: Vec<Path> = Vec::with_capacity(FAMILIES.len());
        for family in FAMILIES {
            let mut path = Path::new();
            if rows.len() >= family.least_rows() {
                let (own, held) = (
                    self.given.gather(family.most_columns(), &rows),
                    self.given.gather(family.most_columns(), &unseen),
                );
                let (mut best, mut worse, mut heard) = (f64::INFINITY, 0, Ok(()));
                family.path(&own, &residuals, &held, seed, &mut |predicted| {
                    let predicted = with_line(&fitted.ridge, &line, predicted);
                    let loss = -mean(&predicted.log_densities(&targets, 1.0));
                    heard = (self.report)(family.name(path.len()), loss);
                    path.push(predicted);
                    worse = if loss < best { 0 } else { worse + 1 };
                    best = best.min(loss);
                    worse < PATIENCE && heard.is_ok()
                })?;
                heard?;
            }
            paths.push(path);
        }
        let mut start = 0;
        let mut heard = Vec::with_capacity(parts.len());
        for ((outer, part), rows) in unit.serves.iter().zip(&parts) {
            let end = start + rows.len();
            heard.push(Heard {
                outer: *outer,
                part: *part,
                line: line.slice(start, end),
                families: paths.iter().map(|path| path.iter().map(|all| all.slice(start, end)).collect()).collect(),
            });
            start = end;
        }
        Ok(heard)
    }

    /// Chooses settings, spreads and weights for an outer fold, and fits what has a weight to all rows outside it.
    fn choose(&self, outer: usize, heard: &[&Heard], baseline: &Predicted, parts: &[&[Outcome]]) -> Result<Outcome> {
        let targets = self.targets_of(&self.plan.judged[outer]);
        let mut candidates = vec![(Candidate::Baseline, baseline.clone())];
        for (part, outcomes) in parts.iter().enumerate() {
            candidates.push((Candidate::Part(part), outcomes[outer].unseen.clone()));
        }
        // Whole groups can leave rows that no fit could be judged on.
        let is_heard = heard.iter().map(|heard| heard.line.means.len()).sum::<usize>() == targets.len();
        let heard = if is_heard { heard } else { &[] };
        if !heard.is_empty() {
            let line = joined(heard.iter().map(|heard| &heard.line));
            let spread = line.best_spread(&targets);
            candidates.push((Candidate::Line { spread }, line.at(&targets, spread)));
        }
        for family in 0..FAMILIES.len() {
            let settings = heard.iter().map(|heard| heard.families[family].len()).min().unwrap_or(0);
            let all = (0..settings).map(|setting| joined(heard.iter().map(|heard| &heard.families[family][setting])));
            let mut best: Option<(f64, usize, Normals)> = None;
            for (setting, predicted) in all.enumerate() {
                let score = sum(&predicted.log_densities(&targets, 1.0));
                if best.as_ref().is_none_or(|best| score > best.0) {
                    best = Some((score, setting, predicted));
                }
            }
            if let Some((_, setting, predicted)) = best {
                let spread = predicted.best_spread(&targets);
                candidates.push((Candidate::Family { family, setting, spread }, predicted.at(&targets, spread)));
            }
        }
        let densities: Vec<&[f64]> =
            candidates.iter().map(|(_, predicted)| predicted.log_densities.as_slice()).collect();
        let weights = if targets.is_empty() {
            // Nothing speaks for any but the first, the density without features.
            (0..densities.len()).map(|place| f64::from(u8::from(place == 0))).collect()
        } else {
            linear_weights(&densities)
        };
        let chosen = candidates.into_iter().zip(weights).filter(|(_, weight)| *weight > 0.0);
        let (candidates, weights): (Vec<_>, Vec<f64>) = chosen.unzip();
        let rows = self.plan.outside(outer);
        let floor = (rows.len() as f64 + 2.0).recip();
        let predicted: Vec<&Predicted> = candidates.iter().map(|(_, predicted)| predicted).collect();
        let unseen = Predicted::pooled(&predicted, &weights).with_floor(floor, baseline);
        let candidates = candidates.into_iter().map(|(candidate, _)| candidate).collect();
        let (line, members) = self.fit_again(outer, &rows, candidates)?;
        Ok(Outcome { pool: DensityPool { line, members, weights, floor }, unseen })
    }

    /// Fits chosen candidates to all rows outside a fold.
    fn fit_again(
        &self,
        outer: usize,
        rows: &[usize],
        candidates: Vec<Candidate>,
    ) -> Result<(Option<Ridge>, Vec<Member>)> {
        let is_own = |candidate: &Candidate| matches!(candidate, Candidate::Line { .. } | Candidate::Family { .. });
        let fitted = candidates.iter().any(is_own).then(|| {
            let columns = self.given.gather(MOST_COLUMNS_OF_A_LINE, rows);
            Ridge::fit(&columns.values, columns.width, &self.targets_of(rows))
        });
        let residuals = fitted.as_ref().map(residuals_of).unwrap_or_default();
        let seed = stream(self.plan.seed, &format!("densities of fold {outer}")).next_u64();
        let member = |candidate: Candidate| {
            Ok(match candidate {
                Candidate::Baseline => Member::Baseline,
                Candidate::Part(part) => Member::Part(part),
                Candidate::Line { spread } => Member::Line { spread },
                Candidate::Family { family, setting, spread } => {
                    let family = FAMILIES[family];
                    let most_columns = family.most_columns();
                    let density = family.fit(&self.given.gather(most_columns, rows), &residuals, setting, seed)?;
                    Member::Residual { density, most_columns, spread }
                }
            })
        };
        let members = candidates.into_iter().map(member).collect::<Result<_>>()?;
        Ok((fitted.map(|fitted| fitted.ridge), members))
    }
}

/// Joins the distributions of several parts.
fn joined<'a>(parts: impl Iterator<Item = &'a Normals>) -> Normals {
    let mut joined = Normals::default();
    for part in parts {
        joined.extend(part);
    }
    joined
}
