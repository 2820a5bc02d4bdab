//! The contest of heads, which chooses families, settings and their combination for the rows outside every fold.
//!
//! Every family is fitted along its path to parts of the rows ([`nested`]); rows that a fit has not seen say which setting is
//! best and how far it can be believed. The calibrated candidates are stacked on these rows' posteriors, and those with a say
//! are fitted again to all rows outside the fold. Costly families are only carried on where their first fits add to what the
//! cheap ones know. Nothing that concerns a fold is decided by its rows.

mod nested;
#[cfg(test)]
mod tests;
mod trial;

use candle_core::Device;
use lsmi_core::random::stream;
use rand::RngCore;
use rayon::prelude::*;

pub(crate) use self::nested::{Nested, Unit};
use self::trial::{Candidate, Judge, Trial, Unseen, Watch, spread};
use super::Calibration;
use super::calibration::log_loss;
use super::families::{self, Classifier, Family, Problem, Training};
use super::pool::{HeadPool, Member, late_fusion};
use super::stack::Stack;
use super::view::{Features, View};
use crate::densities::mixture::are_tails_heavy;
use crate::error::Result;
use crate::estimator::folds::{LabelledRows, stratified_sample};

/// Rows that families compete on at most; the winners are fitted to all.
const MOST_ROWS: usize = 20_000;
/// Posteriors of competing rows at most, in all classes.
const MOST_POSTERIORS: usize = 1_500_000;
/// The same where 10 rows a class would be more.
const MOST_POSTERIORS_OF_MANY_CLASSES: usize = 40_000_000;
/// Posteriors of a member that are computed at a time.
const POSTERIORS_AT_A_TIME: usize = 1 << 26;
/// The largest number of fits of a member.
const ATTEMPTS: usize = 4;
/// The largest loss, in nats a row, by which a member may know the rows that it was fitted to less well than unseen
/// ones.
const MOST_LOST: f64 = 0.01;
/// The rows that heads are fitted to.
pub(crate) struct Contest<'a> {
    pub(crate) features: Features<'a>,
    pub(crate) labels: &'a [u32],
    pub(crate) classes: usize,
    /// Whether all heads are to be class means with one covariance.
    pub(crate) prototypes: bool,
    /// The group of each row, where rows belong together.
    pub(crate) groups: Option<&'a [u32]>,
    /// The outer fold of each row.
    pub(crate) folds: &'a [u32],
    pub(crate) fold_count: usize,
    pub(crate) seed: u64,
    pub(crate) device: &'a Device,
    /// Receives every fit's loss on rows that it has not seen, in nats.
    pub(crate) report: &'a (dyn Fn(String, f64) -> Result<()> + Sync),
}

/// The heads of the rows outside one fold.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) pool: HeadPool,
    /// Log loss of the stack on rows that its members have not seen, in nats.
    pub(crate) loss: f64,
    /// The log posteriors of these rows under the stack, `[n, classes]`, row-major.
    unseen: Vec<f64>,
}

impl Outcome {
    /// Returns whether there are heads, and not the class frequencies alone.
    fn tells_something(&self) -> bool {
        !self.pool.members.is_empty()
    }
}

/// The rows that compete, with the plan.
struct Field {
    rows: Vec<usize>,
    nested: Nested,
    seeds: Vec<u64>,
}

impl Field {
    /// Returns the rows of a part, as indices of the features.
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
}

impl Contest<'_> {
    /// Returns the heads of every fold. For the contest of several modalities joined, `parts` are the outcomes of each by
    /// itself and of further parts of them, in the order of [`Member::Part`]; none where the user's own models stand in.
    pub(crate) fn run(&self, parts: &[Option<&[Outcome]>]) -> Result<Vec<Outcome>> {
        let field = self.field();
        let problem = self.problem(&field);
        let families = families::all(&problem);
        let (costly, cheap): (Vec<usize>, Vec<usize>) =
            (0..families.len()).partition(|family| families[*family].is_costly());
        let units: Vec<usize> = (0..field.nested.units.len()).collect();
        let judges: Vec<Judge> = (0..self.fold_count).map(|outer| self.judge(&field, outer)).collect();

        let from_parts: Vec<Vec<(MemberPlan, Vec<f64>)>> = judges
            .iter()
            .enumerate()
            .map(|(outer, judge)| {
                let of_fold: Vec<Option<&Outcome>> = parts.iter().map(|part| part.map(|of| &of[outer])).collect();
                Self::from_parts(judge, &of_fold, self.features.modalities())
            })
            .collect();

        // Cheap families everywhere.
        let trials = self.fit_units(&field, &families, &cheap, &units)?;
        let mut candidates = Self::candidates(&judges, &cheap, trials);
        // Of the costly ones each in a few fits, and where these add to what is known already in the others.
        for family in costly {
            let (scouts, others): (Vec<usize>, Vec<usize>) =
                units.iter().partition(|unit| field.nested.units[**unit].is_scout);
            let mut trials = self.fit_units(&field, &families, &[family], &scouts)?.remove(0);
            let wanted: Vec<bool> = judges
                .par_iter()
                .zip(&trials)
                .zip(candidates.par_iter().zip(&from_parts))
                .map(|((judge, trial), (candidates, from_parts))| {
                    let candidate_posteriors = candidates.iter().map(|candidate| candidate.posteriors.as_slice());
                    let part_posteriors = from_parts.iter().map(|(_, posteriors)| posteriors.as_slice());
                    judge.is_worth_it(trial, candidate_posteriors.chain(part_posteriors))
                })
                .collect();
            let is_wanted = |unit: &usize| field.nested.units[*unit].serves.iter().any(|(outer, _)| wanted[*outer]);
            let others: Vec<usize> = others.into_iter().filter(is_wanted).collect();
            let more = self.fit_units(&field, &families, &[family], &others)?.remove(0);
            for ((trial, more), wanted) in trials.iter_mut().zip(more).zip(wanted) {
                trial.parts.extend(more.parts);
                if !wanted {
                    *trial = Trial::default();
                }
            }
            let new = Self::candidates(&judges, &[family], vec![trials]);
            for (candidates, new) in candidates.iter_mut().zip(new) {
                candidates.extend(new);
            }
        }

        let stacked: Vec<Stacked> = candidates
            .into_par_iter()
            .zip(from_parts)
            .zip(&judges)
            .map(|((candidates, from_parts), judge)| Self::stack(judge, candidates, from_parts))
            .collect();
        self.finish(&families, stacked)
    }

    fn field(&self) -> Field {
        let of_many = (10 * self.classes).min(MOST_POSTERIORS_OF_MANY_CLASSES / self.classes);
        let most = MOST_ROWS.min(MOST_POSTERIORS / self.classes).max(of_many);
        let rows = stratified_sample(self.labels, self.classes, most, self.seed);
        let folds: Vec<u32> = rows.iter().map(|row| self.folds[*row]).collect();
        let labels: Vec<u32> = rows.iter().map(|row| self.labels[*row]).collect();
        let groups = self.groups_of(&rows);
        let labelled = LabelledRows { labels: &labels, classes: self.classes, groups: groups.as_deref() };
        let nested = Nested::new(&folds, &labelled, self.fold_count, self.seed);
        let seed_of = |unit: &Unit| stream(self.seed, &format!("heads without {:?}", unit.excluded)).next_u64();
        Field { rows, seeds: nested.units.iter().map(seed_of).collect(), nested }
    }

    fn problem(&self, field: &Field) -> Problem {
        let rows = field.rows.len() * (self.fold_count - 1) / self.fold_count;
        Problem {
            rows,
            classes: self.classes,
            prototypes: self.prototypes,
            columns: self.features.widths(View::Columns),
            components: self.features.widths(View::Components(usize::MAX)),
            // Tails are a matter of the features: no label is looked at.
            are_tails_heavy: {
                let view = View::Components(64 / self.features.widths(View::Columns).len());
                let all: Vec<usize> = (0..self.labels.len()).collect();
                let training = self.training(&all, self.labels, self.classes, self.seed);
                training.sample(view).is_ok_and(|sample| are_tails_heavy(&sample))
            },
        }
    }

    fn training<'b>(&'b self, rows: &'b [usize], labels: &'b [u32], classes: usize, seed: u64) -> Training<'b> {
        Training { features: &self.features, rows, labels, classes, groups: self.groups, seed, device: self.device }
    }

    /// Fits families in units. Returns for each family and each outer fold the log posteriors of unseen rows.
    fn fit_units(
        &self,
        field: &Field,
        families: &[Box<dyn Family>],
        chosen: &[usize],
        units: &[usize],
    ) -> Result<Vec<Vec<Trial>>> {
        let jobs: Vec<(usize, usize)> =
            (0..chosen.len()).flat_map(|family| units.iter().map(move |unit| (family, *unit))).collect();
        let heard: Vec<Vec<Vec<Vec<f32>>>> = jobs
            .par_iter()
            .with_max_len(1)
            .map(|(family, unit)| self.fit_unit(field, families[chosen[*family]].as_ref(), *unit))
            .collect::<Result<_>>()?;
        let mut trials: Vec<Vec<Trial>> =
            chosen.iter().map(|_| (0..self.fold_count).map(|_| Trial::default()).collect()).collect();
        for ((family, unit), heard) in jobs.into_iter().zip(heard) {
            for ((outer, part), settings) in field.nested.units[unit].serves.iter().zip(heard) {
                trials[family][*outer].parts.push((*part, settings));
            }
        }
        Ok(trials)
    }

    /// Returns the log posteriors of the rows of each part that a unit is judged on, for every setting that was asked
    /// for.
    fn fit_unit(&self, field: &Field, family: &dyn Family, unit: usize) -> Result<Vec<Vec<Vec<f32>>>> {
        let Unit { excluded, serves, .. } = &field.nested.units[unit];
        let rows = field.rows_of(|part| !excluded.contains(&part));
        let (labels, present) = self.compact_labels(&rows);
        let frequencies = log_frequencies(&labels_of(self.labels, &rows), self.classes);
        let held_out: Vec<Vec<usize>> = serves.iter().map(|(_, part)| field.rows_of(|of| of == *part)).collect();
        let watch = |held: &Vec<usize>| {
            let unseen = Unseen { labels: labels_of(self.labels, held), groups: self.groups_of(held) };
            Watch::new(unseen, &frequencies, rows.len())
        };
        let mut watches: Vec<Watch<'_>> = held_out.iter().map(watch).collect();
        let all = held_out.concat();
        if rows.is_empty() || all.is_empty() {
            // Whole groups can leave a part of a small fold without rows.
            return Ok(watches.into_iter().map(Watch::into_settings).collect());
        }
        let training = self.training(&rows, &labels, present.len(), field.seeds[unit]);
        let (mut setting, mut heard) = (0, Ok(()));
        family.path(&training, &all, &mut |posteriors| {
            let whole = spread(&posteriors, &present, self.classes, rows.len());
            let mut start = 0;
            let (mut loss, mut goes_on) = (0.0, false);
            for watch in &mut watches {
                let end = start + watch.rows() * self.classes;
                let (part_loss, wants_more) = watch.hear(&whole[start..end]);
                loss += part_loss * watch.rows() as f64 / all.len() as f64;
                goes_on |= wants_more;
                start = end;
            }
            heard = (self.report)(family.name(setting), loss);
            setting += 1;
            goes_on && heard.is_ok()
        })?;
        heard?;
        Ok(watches.into_iter().map(Watch::into_settings).collect())
    }

    /// Returns the groups of rows, where rows belong together.
    fn groups_of(&self, rows: &[usize]) -> Option<Vec<u32>> {
        self.groups.map(|groups| rows.iter().map(|row| groups[*row]).collect())
    }

    /// Returns the labels of rows, counted over the classes that these have, and those classes.
    fn compact_labels(&self, rows: &[usize]) -> (Vec<u32>, Vec<usize>) {
        let mut counts = vec![0usize; self.classes];
        for row in rows {
            counts[self.labels[*row] as usize] += 1;
        }
        let present: Vec<usize> = (0..self.classes).filter(|class| counts[*class] > 0).collect();
        let mut index = vec![0u32; self.classes];
        for (next, class) in (0u32..).zip(&present) {
            index[*class] = next;
        }
        (rows.iter().map(|row| index[self.labels[*row] as usize]).collect(), present)
    }

    /// Returns for every outer fold the candidates of families that have been tried for it, each at its best setting.
    fn candidates(judges: &[Judge], families: &[usize], trials: Vec<Vec<Trial>>) -> Vec<Vec<Candidate>> {
        let jobs: Vec<(usize, usize, Trial)> = families
            .iter()
            .zip(trials)
            .flat_map(|(family, trials)| trials.into_iter().enumerate().map(|(outer, trial)| (*family, outer, trial)))
            .filter(|(_, _, trial)| !trial.parts.is_empty())
            .collect();
        let found: Vec<(usize, Option<Candidate>)> = jobs
            .into_par_iter()
            .map(|(family, outer, trial)| (outer, judges[outer].candidate(family, trial)))
            .collect();
        let mut candidates: Vec<Vec<Candidate>> = judges.iter().map(|_| Vec::new()).collect();
        for (outer, candidate) in found {
            candidates[outer].extend(candidate);
        }
        candidates
    }

    /// Creates the judge of the candidates of an outer fold.
    fn judge(&self, field: &Field, outer: usize) -> Judge {
        let parts = field.parts_of(outer);
        let rows: Vec<Vec<usize>> = parts.iter().map(|part| field.rows_of(|of| of == *part)).collect();
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let outside: Vec<u32> = self
            .labels
            .iter()
            .zip(self.folds)
            .filter(|(_, fold)| **fold as usize != outer)
            .map(|(label, _)| *label)
            .collect();
        Judge {
            unseen: Unseen { labels: labels_of(self.labels, &rows.concat()), groups: self.groups_of(&rows.concat()) },
            parts,
            lengths,
            log_frequencies: log_frequencies(&outside, self.classes),
            rows_of_the_fit: outside.len(),
        }
    }

    /// Returns the log posteriors of the pools of parts of the modalities, and of the late fusion of the single ones, for
    /// the rows that choices for an outer fold are judged on.
    fn from_parts(judge: &Judge, parts: &[Option<&Outcome>], modalities: usize) -> Vec<(MemberPlan, Vec<f64>)> {
        let mut members = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if let Some(part) = part.filter(|part| part.tells_something()) {
                members.push((MemberPlan::Part(index), part.unseen.clone()));
            }
        }
        let singles: Option<Vec<&Outcome>> = parts.iter().take(modalities).copied().collect();
        // Fused with a modality that tells nothing, a posterior stays as it is.
        let singles = singles.filter(|singles| singles.iter().filter(|single| single.tells_something()).count() > 1);
        if let Some(singles) = singles {
            let unseen: Vec<&[f64]> = singles.iter().map(|single| single.unseen.as_slice()).collect();
            let mut fused = late_fusion(&unseen, &judge.log_frequencies);
            let calibration = judge.calibration(&fused);
            calibration.apply(&mut fused);
            if calibration.factor > 0.0 {
                members.push((MemberPlan::Fusion(calibration), fused));
            }
        }
        members
    }

    /// Stacks the candidates of an outer fold, with those of parts of the modalities.
    fn stack(judge: &Judge, candidates: Vec<Candidate>, from_parts: Vec<(MemberPlan, Vec<f64>)>) -> Stacked {
        let mut members: Vec<(MemberPlan, Vec<f64>)> = Vec::new();
        for Candidate { family, setting, calibration, posteriors } in candidates {
            if calibration.factor > 0.0 {
                let loss = log_loss(&posteriors, &judge.unseen.labels);
                members.push((MemberPlan::Own { family, setting, calibration, loss }, posteriors));
            }
        }
        members.extend(from_parts);
        let posteriors: Vec<&[f64]> = members.iter().map(|(_, posteriors)| posteriors.as_slice()).collect();
        let stack = Stack::fit(
            &posteriors,
            &judge.unseen.labels,
            &judge.blocks(),
            &judge.log_frequencies,
            judge.rows_of_the_fit,
        );
        let unseen = stack.combine(&posteriors, judge.unseen.labels.len());
        let (kept, stack) = stack.pruned();
        let mut plans: Vec<Option<MemberPlan>> = members.into_iter().map(|(plan, _)| Some(plan)).collect();
        let loss = log_loss(&unseen, &judge.unseen.labels);
        Stacked { plans: kept.into_iter().filter_map(|index| plans[index].take()).collect(), stack, unseen, loss }
    }

    /// Fits the chosen members to all rows outside their fold.
    fn finish(&self, families: &[Box<dyn Family>], stacked: Vec<Stacked>) -> Result<Vec<Outcome>> {
        let jobs: Vec<(usize, &MemberPlan)> =
            stacked.iter().enumerate().flat_map(|(outer, of)| of.plans.iter().map(move |plan| (outer, plan))).collect();
        let members: Vec<Member> = jobs
            .par_iter()
            .with_max_len(1)
            .map(|(outer, plan)| self.member(families, *outer, plan))
            .collect::<Result<_>>()?;
        let mut members = members.into_iter();
        let outcome = |(outer, Stacked { plans, stack, unseen, loss }): (usize, Stacked)| {
            let members = members.by_ref().take(plans.len()).collect();
            Outcome { pool: HeadPool { members, stack, absent: self.absent(outer) }, loss, unseen }
        };
        Ok(stacked.into_iter().enumerate().map(outcome).collect())
    }

    /// Returns the classes without a row outside a fold. Where all families compete, every class has as many rows as there are
    /// folds, and only whole groups can leave one without.
    fn absent(&self, outer: usize) -> Vec<usize> {
        let mut is_absent = vec![self.prototypes; self.classes];
        for (label, fold) in self.labels.iter().zip(self.folds) {
            is_absent[*label as usize] &= *fold as usize == outer;
        }
        (0..self.classes).filter(|class| is_absent[*class]).collect()
    }

    fn member(&self, families: &[Box<dyn Family>], outer: usize, plan: &MemberPlan) -> Result<Member> {
        Ok(match plan {
            MemberPlan::Part(part) => Member::Part(*part),
            MemberPlan::Fusion(calibration) => Member::Fusion(calibration.clone()),
            MemberPlan::Own { family, setting, calibration, loss } => {
                let rows: Vec<usize> =
                    (0..self.labels.len()).filter(|row| self.folds[*row] as usize != outer).collect();
                let labels = labels_of(self.labels, &rows);
                let seed = stream(self.seed, &format!("heads of fold {outer}")).next_u64();
                let training = self.training(&rows, &labels, self.classes, seed);
                let classifier =
                    self.fit_as_well(families[*family].as_ref(), *setting, training, calibration, *loss)?;
                Member::Own(Box::new(classifier), calibration.clone())
            }
        })
    }

    /// Fits a member to all rows outside its fold, again from other draws where it knows these rows less well than its
    /// kind knew unseen ones: it then ended in a poor optimum, as mixtures do now and then. Returns the best of all
    /// tries.
    fn fit_as_well(
        &self,
        family: &dyn Family,
        setting: usize,
        mut training: Training<'_>,
        calibration: &Calibration,
        unseen: f64,
    ) -> Result<Classifier> {
        let mut best: Option<(f64, Classifier)> = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                training.seed = stream(training.seed, "another attempt").next_u64();
            }
            let classifier = family.fit(&training, setting)?;
            let loss = self.loss_of(&classifier, &training, calibration)?;
            let is_good = loss <= unseen + MOST_LOST;
            if best.as_ref().is_none_or(|(lowest, _)| loss < *lowest) {
                best = Some((loss, classifier));
            }
            if is_good {
                break;
            }
        }
        #[expect(clippy::expect_used, reason = "there is at least one attempt, and the first is the best so far")]
        Ok(best.expect("at least one attempt").1)
    }

    /// Returns the log loss of a classifier on the rows that it was fitted to, in nats: some rows at a time where all
    /// posteriors together take too much memory.
    fn loss_of(&self, classifier: &Classifier, training: &Training<'_>, calibration: &Calibration) -> Result<f64> {
        let rows_at_a_time = (POSTERIORS_AT_A_TIME / training.classes).max(1);
        let mut loss = 0.0;
        for (rows, labels) in training.rows.chunks(rows_at_a_time).zip(training.labels.chunks(rows_at_a_time)) {
            let mut posteriors = classifier.log_posteriors(training.features, rows, self.device)?;
            calibration.apply(&mut posteriors);
            loss += log_loss(&posteriors, labels) * (rows.len() as f64 / training.rows.len() as f64);
        }
        Ok(loss)
    }
}

/// A member to be fitted.
enum MemberPlan {
    /// A classifier of its own, with the log loss of unseen rows, in nats.
    Own {
        family: usize,
        setting: usize,
        calibration: Calibration,
        loss: f64,
    },
    Part(usize),
    Fusion(Calibration),
}

/// The members of an outer fold that have a say, before they are fitted to all rows.
struct Stacked {
    plans: Vec<MemberPlan>,
    stack: Stack,
    unseen: Vec<f64>,
    loss: f64,
}

fn labels_of(labels: &[u32], rows: &[usize]) -> Vec<u32> {
    rows.iter().map(|row| labels[*row]).collect()
}

/// Logarithms of class frequencies; a class without rows counts as half a row.
pub(super) fn log_frequencies(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0f64; classes];
    for label in labels {
        counts[*label as usize] += 1.0;
    }
    let total: f64 = counts.iter().map(|count| count.max(0.5)).sum();
    counts.iter().map(|count| (count.max(0.5) / total).ln()).collect()
}
