//! The default fit: structure by held-out likelihood, parameters by expectation maximisation.

use std::collections::HashMap;

use candle_core::Device;
use lsmi_core::random::stream;
use rand::seq::SliceRandom;

use super::margins::{Gain, Margins, Rows};
use super::{Fitted, Knife, Training};
use crate::densities::mixture::{
    Covariance, FREEDOMS, Limits, Mixture, NoEvidence, STARTS, Sample, Shape, Start, are_tails_heavy,
    fit as fit_mixture,
};
use crate::densities::points::{Points, gather};
use crate::error::{EstimatorError, Result};

const LIMITS: Limits = Limits { starts: STARTS, rounds: 200, tolerance: 1e-5 };
/// Rows that structures compete on at most; the winner is fitted to all.
const MOST_ROWS: usize = 20_000;
/// Heavy-tailed components that are tried at most: normal ones in numbers make up for tails, and these need not.
const MOST_HEAVY_TAILED: usize = 8;
/// Full covariances are only tried in up to this many dimensions: beyond, they take too long and too many rows.
const MOST_DIMENSIONS: usize = 1024;
/// Rows for every dimension with which a full covariance needs no structure of lower rank in its place.
const ROWS_OF_A_DIMENSION: usize = 10;
/// The number of dimensions above which low-rank covariances are tried: below, full ones cost little more.
const LEAST_DIMENSIONS: usize = 128;
/// The number of structures that may do worse one after another before a covariance's larger ones are left out.
const PATIENCE: usize = 2;

/// The structures that are tried.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOutParams {
    /// Numbers of components, rising. Default: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32.
    pub components: Vec<usize>,
    /// The structures of the covariances. Default: tied, full, diagonal, and of rank 8 and 32 in more than 128
    /// dimensions if there are less than ten rows for each.
    pub covariances: Vec<Covariance>,
    /// Share of the rows held out to choose by. Default: 0.2.
    pub share: f64,
}

impl Default for HeldOutParams {
    fn default() -> Self {
        Self {
            components: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
            covariances: vec![
                Covariance::Tied,
                Covariance::Full,
                Covariance::Diagonal,
                Covariance::LowRank(8),
                Covariance::LowRank(32),
            ],
            share: 0.2,
        }
    }
}

impl HeldOutParams {
    fn check(&self) -> Result<()> {
        let setting = |name, found: String, expected: &str| {
            Err(EstimatorError::Setting { name, found, expected: expected.to_owned() })
        };
        if self.components.is_empty() || self.components[0] == 0 || !self.components.is_sorted() {
            return setting("knife components", format!("{:?}", self.components), "rising numbers of at least 1");
        }
        if self.covariances.is_empty() {
            return setting("knife covariances", "empty".to_owned(), "at least one structure");
        }
        if !(self.share > 0.0 && self.share < 1.0) {
            return setting("knife share", self.share.to_string(), "between 0 and 1");
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Structure {
    shape: Shape,
    components: usize,
}

impl Structure {
    fn fit(self, sample: &Sample, seed: u64) -> Result<Mixture> {
        let mut random = stream(seed, &format!("knife {} {}", self.shape, self.components));
        let start = Start::Clusters { components: self.components, random: &mut random };
        Ok(fit_mixture(sample, self.shape, start, &NoEvidence, LIMITS)?.mixture)
    }
}

pub(super) fn fit(
    Training { rows, dims, groups }: Training<'_>,
    params: &HeldOutParams,
    seed: u64,
    device: &Device,
    report: &dyn Fn(String, f64) -> Result<()>,
) -> Result<Fitted> {
    params.check()?;
    let count = rows.len() / dims;
    let mut order = shuffled(count, groups, seed);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
    let held = ((count.min(MOST_ROWS) as f64 * params.share) as usize).clamp(1, count - 2);
    order.truncate(MOST_ROWS);
    let held = end_of_group(&order, groups, held).min(order.len() - 2);
    let held_out = Points::new(gather(&rows, dims, &order[..held]), dims, device)?;
    let kept = Sample::new(gather(&rows, dims, &order[held..]), dims, device)?;
    let mut winner = best_structure(&kept, &held_out, None, params, seed, report)?;
    let in_rows = |values| Rows { values, columns: dims };
    let mut margins = Margins::fit(in_rows(kept.points.values()), in_rows(held_out.values()), &winner.mixture);
    if let Some(tried) = margins.take() {
        let straightened = tried.apply(held_out.values());
        let held_out = Points::new(straightened.values, dims, device)?;
        let kept = Sample::new(tried.apply(kept.points.values()).values, dims, device)?;
        let params = HeldOutParams { covariances: normal_score_covariances(&winner.mixture), ..params.clone() };
        let by_margins = best_structure(&kept, &held_out, Some(&straightened.log_derivatives), &params, seed, report)?;
        if Gain::new(&by_margins.densities, &winner.densities).mean > 0.0 {
            winner = by_margins;
            margins = Some(tried);
        }
    }
    drop(kept);
    let sample = Sample::new(
        match &margins {
            None => rows,
            Some(margins) => margins.apply(&rows).values,
        },
        dims,
        device,
    )?;
    let shape = winner.mixture.shape();
    let mixture = fit_mixture(&sample, shape, Start::From(winner.mixture), &NoEvidence, LIMITS)?.mixture;
    Ok(Fitted { knife: Knife::from_parts(margins, mixture), loss: winner.loss })
}

/// Returns all rows in random order, those of a group one after the other.
fn shuffled(count: usize, groups: Option<&[u32]>, seed: u64) -> Vec<usize> {
    let mut random = stream(seed, "knife held-out rows");
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut random);
    if let Some(groups) = groups {
        let mut place_of: HashMap<u32, usize> = HashMap::new();
        for (place, row) in order.iter().enumerate() {
            place_of.entry(groups[*row]).or_insert(place);
        }
        order.sort_by_key(|row| place_of[&groups[*row]]);
    }
    order
}

/// Returns the end of the group that the row before `end` is in: no group is held out in part.
fn end_of_group(order: &[usize], groups: Option<&[u32]>, end: usize) -> usize {
    let Some(groups) = groups else { return end };
    let group = groups[order[end - 1]];
    end + order[end..].iter().take_while(|row| groups[**row] == group).count()
}

/// Returns the covariances that are tried on normal scores: a part that was bent before often is one normal
/// distribution now, and a part that still is not has the structure that was best before.
fn normal_score_covariances(winner: &Mixture) -> Vec<Covariance> {
    let before = winner.shape().covariance;
    if before == Covariance::Tied { vec![before] } else { vec![Covariance::Tied, before] }
}

/// Returns the structure that makes held-out rows likeliest; `log_derivatives` are those of the margins at these rows.
fn best_structure(
    kept: &Sample,
    held_out: &Points,
    log_derivatives: Option<&[f64]>,
    params: &HeldOutParams,
    seed: u64,
    report: &dyn Fn(String, f64) -> Result<()>,
) -> Result<Entrant> {
    let mut contest = Contest { kept, held_out, log_derivatives, params, seed, report, best: None };
    contest.enter_all(&params.covariances, usize::MAX, None)?;
    if contest.best.is_none() {
        contest.enter(Structure { shape: params.covariances[0].into(), components: params.components[0] })?;
    }
    if kept.points.columns() <= MOST_DIMENSIONS && are_tails_heavy(kept) {
        let [first, others @ ..] = FREEDOMS;
        let best = contest.best.as_ref().map(|best| best.mixture.shape().covariance);
        contest.enter_all(best.as_slice(), MOST_HEAVY_TAILED, Some(first))?;
        for freedom in others {
            contest.enter_best_with(freedom)?;
        }
    }
    #[expect(clippy::expect_used, reason = "the first structure is fitted whatever it costs")]
    Ok(contest.best.expect("at least one structure"))
}

/// A mixture in the contest.
struct Entrant {
    mixture: Mixture,
    /// `log p(x)` of the held-out rows, in nats.
    densities: Vec<f64>,
    /// Their mean surprisal.
    loss: f64,
}

/// Structures that compete for the lowest loss of held-out rows.
struct Contest<'a> {
    kept: &'a Sample,
    held_out: &'a Points,
    /// The log derivatives of the margins, a part of the log density of held-out rows.
    log_derivatives: Option<&'a [f64]>,
    params: &'a HeldOutParams,
    seed: u64,
    report: &'a dyn Fn(String, f64) -> Result<()>,
    /// The best so far.
    best: Option<Entrant>,
}

impl Contest<'_> {
    /// Fits structures of these covariances and of rising numbers of components up to `most`, until several in a row have
    /// been worse.
    fn enter_all(&mut self, covariances: &[Covariance], most: usize, freedom: Option<f64>) -> Result<()> {
        for covariance in covariances {
            let (mut lowest, mut worse) = (f64::INFINITY, 0);
            for components in self.params.components.iter().copied().filter(|components| *components <= most) {
                let structure = Structure { shape: Shape { covariance: *covariance, freedom }, components };
                if !affordable(structure, self.kept.points.rows(), self.kept.points.columns()) {
                    continue;
                }
                let loss = self.enter(structure)?;
                worse = if loss < lowest { 0 } else { worse + 1 };
                lowest = lowest.min(loss);
                if worse == PATIENCE {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Fits the best structure with other tails, if they are heavy.
    fn enter_best_with(&mut self, freedom: f64) -> Result<()> {
        let Some(best) = &self.best else { return Ok(()) };
        let Shape { covariance, freedom: present } = best.mixture.shape();
        if present.is_some() {
            let shape = Shape { covariance, freedom: Some(freedom) };
            self.enter(Structure { shape, components: best.mixture.components() })?;
        }
        Ok(())
    }

    /// Fits a structure; its loss.
    fn enter(&mut self, structure: Structure) -> Result<f64> {
        let mixture = structure.fit(self.kept, self.seed)?;
        let mut densities = mixture.log_density(self.held_out)?;
        for (density, log_derivative) in densities.iter_mut().zip(self.log_derivatives.unwrap_or_default()) {
            *density += log_derivative;
        }
        let loss = -densities.iter().sum::<f64>() / densities.len() as f64;
        let of = if self.log_derivatives.is_some() { "density of normal scores" } else { "density" };
        (self.report)(format!("{of} with {} {} kernels", structure.components, structure.shape), loss)?;
        if self.best.as_ref().is_none_or(|best| loss < best.loss || best.loss.is_nan()) {
            self.best = Some(Entrant { mixture, densities, loss });
        }
        Ok(loss)
    }
}

/// Returns whether there are rows enough for a structure to have a chance; those that are left out could only lose.
fn affordable(structure: Structure, rows: usize, dims: usize) -> bool {
    let rows_of_a_component = rows / structure.components;
    match structure.shape.covariance {
        Covariance::Diagonal => rows_of_a_component >= 4,
        Covariance::Tied => rows_of_a_component >= 4 && dims <= MOST_DIMENSIONS,
        // One full covariance is the tied one.
        Covariance::Full => structure.components > 1 && rows_of_a_component >= 2 * dims && dims <= MOST_DIMENSIONS,
        Covariance::LowRank(rank) => {
            dims > LEAST_DIMENSIONS && rows < ROWS_OF_A_DIMENSION * dims && rows_of_a_component >= 2 * rank
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::points::single;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    fn of(rows: Vec<f32>, dims: usize) -> Training<'static> {
        Training { rows, dims, groups: None }
    }

    fn normal(rows: usize, dims: usize, seed: u64) -> Vec<f64> {
        let mut random = stream(seed, "rows");
        (0..rows * dims).map(|_| StandardNormal.sample(&mut random)).collect()
    }

    #[test]
    fn a_normal_in_ten_dimensions_is_near_the_truth_sample_by_sample() {
        let knife =
            fit(of(single(&normal(2000, 10, 0)), 10), &HeldOutParams::default(), 0, &Device::Cpu, &|_, _| Ok(()))
                .unwrap()
                .knife;
        let fresh = normal(2000, 10, 1);
        let surprisal = knife.surprisal(&fresh, 10).unwrap();
        let errors: Vec<f64> = fresh
            .chunks_exact(10)
            .zip(&surprisal)
            .map(|(row, surprisal)| {
                surprisal - 5.0 * std::f64::consts::TAU.ln() - 0.5 * row.iter().map(|value| value * value).sum::<f64>()
            })
            .collect();
        // Ten means fitted to 2,000 rows cost 10 / 4,000 nats on average and move single values by about .1.
        let mean = errors.iter().sum::<f64>() / 2000.0;
        let spread = (errors.iter().map(|error| error * error).sum::<f64>() / 2000.0).sqrt();
        assert!(mean.abs() < 0.03, "mean error {mean}");
        assert!(spread < 0.25, "root mean square error {spread}");
    }

    #[test]
    fn clusters_are_counted_by_held_out_likelihood() {
        let mut rows = normal(1500, 2, 0);
        for (index, row) in rows.chunks_exact_mut(2).enumerate() {
            row[0] += [0.0, 8.0, 16.0][index % 3];
        }
        let fitted = fit(of(single(&rows), 2), &HeldOutParams::default(), 0, &Device::Cpu, &|_, _| Ok(())).unwrap();
        let truth = 3.0f64.ln() + (std::f64::consts::TAU * std::f64::consts::E).ln();
        // 300 held-out rows of standard deviation 1 in surprisal leave .06 as its error.
        assert!((fitted.loss - truth).abs() < 0.15, "{} against {truth}", fitted.loss);
        // A component too many costs next to nothing and may win by chance; one too few costs a nat.
        assert!((3..=4).contains(&fitted.knife.mixture().components()));
    }

    #[test]
    fn kernels_of_different_shapes_get_full_covariances() {
        let mut rows = normal(2000, 2, 0);
        for (index, row) in rows.chunks_exact_mut(2).enumerate() {
            let side = if index % 2 == 0 { 1.0 } else { -1.0 };
            row[1] = 0.99 * side * row[0] + 0.14 * row[1];
        }
        let tried = std::cell::RefCell::new(Vec::new());
        let report = |what: String, _| {
            tried.borrow_mut().push(what);
            Ok(())
        };
        let knife = fit(of(single(&rows), 2), &HeldOutParams::default(), 0, &Device::Cpu, &report).unwrap().knife;
        for covariance in ["tied", "full", "diagonal"] {
            assert!(tried.borrow().iter().any(|what| what.contains(covariance)), "{covariance} was not tried");
        }
        assert_eq!(knife.mixture().shape().covariance, Covariance::Full);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let rows = normal(50, 1, 0);
        for params in [
            HeldOutParams { components: vec![], ..Default::default() },
            HeldOutParams { components: vec![4, 2], ..Default::default() },
            HeldOutParams { covariances: vec![], ..Default::default() },
            HeldOutParams { share: 1.0, ..Default::default() },
        ] {
            let result = fit(of(single(&rows), 1), &params, 0, &Device::Cpu, &|_, _| Ok(()));
            assert!(matches!(result, Err(EstimatorError::Setting { .. })));
        }
    }

    #[test]
    fn no_group_is_held_out_in_part() {
        let groups: Vec<u32> = (0..40).map(|row| row % 10).collect();
        let order = shuffled(40, Some(&groups), 3);
        let end = end_of_group(&order, Some(&groups), 6);
        assert_eq!(end, 8, "two groups of four rows");
        assert!(order[..end].iter().all(|row| order[end..].iter().all(|other| groups[*row] != groups[*other])));
        let mut rows = order.clone();
        rows.sort_unstable();
        assert_eq!(rows, (0..40).collect::<Vec<_>>());
        assert_eq!(end_of_group(&order, None, 6), 6);
    }
}
