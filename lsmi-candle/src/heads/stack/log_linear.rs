//! Powers of a log-linear pool, by the likelihood of unseen rows.
//!
//! With the evidence `e_m(y) = log p_m(y|x) - log p(y)` of member m, `log p(y|x) = log p(y) + sum_m b_m e_m(y) - log Z(x)` is
//! a softmax regression with one coefficient a member, so that the log loss is convex in b; powers are kept at or above 0, as
//! no head speaks for what it speaks against. Newton's steps on the powers that are free, with a weak normal prior around 0,
//! as a member may say just what another says.

use faer::linalg::solvers::Solve;
use faer::{MatRef, Side};

use super::Posteriors;

/// Newton's steps at most.
const STEPS: usize = 30;
/// The fall of the loss, in nats in all, below which it counts as none.
const NEGLIGIBLE: f64 = 1e-4;
/// The inverse variance of the prior around 0.
const PRECISION: f64 = 1.0;
/// The power below which a power is set to 0: what it would change is less than what its fit costs.
const LEAST: f64 = 0.02;
/// The number of halvings of a step that does not lead down.
const HALVINGS: usize = 12;

/// Returns the powers of the members, from log posteriors `[n, classes]` of the given rows and the rows' labels.
pub(super) fn powers(members: &[Posteriors<'_>], labels: &[u32], rows: &[usize], log_frequencies: &[f64]) -> Vec<f64> {
    let evidence = Evidence::new(members, labels, rows, log_frequencies);
    let mut powers = evidence.ascend(vec![1.0 / members.len() as f64; members.len()]);
    if powers.iter().any(|power| *power > 0.0 && *power < LEAST) {
        for power in &mut powers {
            if *power < LEAST {
                *power = 0.0;
            }
        }
        powers = evidence.ascend_where(powers.clone(), &powers.iter().map(|power| *power > 0.0).collect::<Vec<_>>());
    }
    powers
}

/// The evidence of rows, `[n, classes, members]`, and the log class frequencies.
struct Evidence<'a> {
    values: Vec<f32>,
    labels: Vec<usize>,
    log_frequencies: &'a [f64],
    members: usize,
}

/// The loss in nats in all, with its derivatives.
struct Loss {
    value: f64,
    slope: Vec<f64>,
    /// `[members, members]`, row-major.
    curvature: Vec<f64>,
}

impl<'a> Evidence<'a> {
    #[expect(clippy::cast_possible_truncation, reason = "evidence beyond single precision is none")]
    fn new(members: &[Posteriors<'_>], labels: &[u32], rows: &[usize], log_frequencies: &'a [f64]) -> Self {
        let classes = log_frequencies.len();
        let mut values = Vec::with_capacity(rows.len() * classes * members.len());
        for row in rows {
            for (class, frequency) in log_frequencies.iter().enumerate() {
                values.extend(members.iter().map(|member| (member[row * classes + class] - frequency) as f32));
            }
        }
        let labels = rows.iter().map(|row| labels[*row] as usize).collect();
        Self { values, labels, log_frequencies, members: members.len() }
    }

    fn ascend(&self, start: Vec<f64>) -> Vec<f64> {
        self.ascend_where(start, &vec![true; self.members])
    }

    /// Finds powers by Newton's method from powers at or above 0; those that are not `allowed` stay.
    fn ascend_where(&self, mut powers: Vec<f64>, allowed: &[bool]) -> Vec<f64> {
        let mut loss = self.loss(&powers, true);
        for _ in 0..STEPS {
            let free: Vec<usize> =
                (0..self.members).filter(|m| allowed[*m] && (powers[*m] > 0.0 || loss.slope[*m] < 0.0)).collect();
            let Some(step) = newton(&loss, &free) else { break };
            let mut scale = 1.0;
            let mut moved = None;
            for _ in 0..HALVINGS {
                let mut next = powers.clone();
                for (member, step) in free.iter().zip(&step) {
                    next[*member] = (next[*member] - scale * step).max(0.0);
                }
                let value = self.loss(&next, false).value;
                if value < loss.value {
                    moved = Some((next, value));
                    break;
                }
                scale *= 0.5;
            }
            let Some((next, value)) = moved else { break };
            powers = next;
            let fall = loss.value - value;
            if fall < NEGLIGIBLE {
                break;
            }
            loss = self.loss(&powers, true);
        }
        powers
    }

    fn loss(&self, powers: &[f64], with_derivatives: bool) -> Loss {
        let (members, classes) = (self.members, self.log_frequencies.len());
        let mut loss = Loss { value: 0.0, slope: vec![0.0; members], curvature: vec![0.0; members * members] };
        let (mut shares, mut mean) = (vec![0.0; classes], vec![0.0; members]);
        for (row, label) in self.values.chunks_exact(classes * members).zip(&self.labels) {
            let mut largest = f64::NEG_INFINITY;
            for ((share, evidence), frequency) in
                shares.iter_mut().zip(row.chunks_exact(members)).zip(self.log_frequencies)
            {
                *share = frequency + evidence.iter().zip(powers).map(|(e, power)| f64::from(*e) * power).sum::<f64>();
                largest = largest.max(*share);
            }
            let of_label = shares[*label];
            let mut sum = 0.0;
            for share in &mut shares {
                *share = (*share - largest).exp();
                sum += *share;
            }
            loss.value += largest + sum.ln() - of_label;
            if !with_derivatives {
                continue;
            }
            mean.fill(0.0);
            for (share, evidence) in shares.iter_mut().zip(row.chunks_exact(members)) {
                *share /= sum;
                if *share < 1e-9 {
                    continue;
                }
                for (first, (mean, e)) in mean.iter_mut().zip(evidence).enumerate() {
                    let weighted = *share * f64::from(*e);
                    *mean += weighted;
                    for (curvature, other) in loss.curvature[first * members..][..=first].iter_mut().zip(evidence) {
                        *curvature += weighted * f64::from(*other);
                    }
                }
            }
            let of_label = &row[label * members..][..members];
            for first in 0..members {
                loss.slope[first] += mean[first] - f64::from(of_label[first]);
                for second in 0..=first {
                    loss.curvature[first * members + second] -= mean[first] * mean[second];
                }
            }
        }
        for (member, power) in powers.iter().enumerate() {
            loss.value += 0.5 * PRECISION * power * power;
            loss.slope[member] += PRECISION * power;
            loss.curvature[member * members + member] += PRECISION;
        }
        loss
    }
}

/// Returns Newton's step of the free powers, or `None` if there are none or the curvature is not that of a convex
/// function.
fn newton(loss: &Loss, free: &[usize]) -> Option<Vec<f64>> {
    if free.is_empty() {
        return None;
    }
    let members = loss.slope.len();
    let curvature: Vec<f64> = free
        .iter()
        .flat_map(|first| free.iter().map(move |second| (first.max(second), first.min(second))))
        .map(|(first, second)| loss.curvature[first * members + second])
        .collect();
    let slope: Vec<f64> = free.iter().map(|member| loss.slope[*member]).collect();
    let size = free.len();
    let factor = MatRef::from_row_major_slice(&curvature, size, size).llt(Side::Lower).ok()?;
    let step = factor.solve(MatRef::from_column_major_slice(&slope, size, 1));
    let step: Vec<f64> = (0..size).map(|index| step[(index, 0)]).collect();
    step.iter().all(|value| value.is_finite()).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand::Rng;

    /// Rows of two classes with log odds `first + second` of class 1; each member knows one of the two, or noise.
    fn rows(count: usize) -> (Vec<Vec<f64>>, Vec<u32>) {
        let mut random = stream(0, "log-linear pool");
        let (mut members, mut labels) = (vec![Vec::new(); 3], Vec::new());
        for _ in 0..count {
            let odds: [f64; 3] = std::array::from_fn(|_| random.random_range(-2.0..2.0));
            for (member, odds) in members.iter_mut().zip(odds) {
                member.extend([-(1.0 + odds.exp()).ln(), odds - (1.0 + odds.exp()).ln()]);
            }
            let probability = 1.0 / (1.0 + (-(odds[0] + odds[1])).exp());
            labels.push(u32::from(random.random::<f64>() < probability));
        }
        (members, labels)
    }

    #[test]
    fn evidence_that_is_independent_adds_up() {
        let (members, labels) = rows(20_000);
        let members: Vec<&[f64]> = members.iter().map(Vec::as_slice).collect();
        let all: Vec<usize> = (0..labels.len()).collect();
        let powers = powers(&members, &labels, &all, &[0.5f64.ln(); 2]);
        // The deviation of a power is about 1 / sqrt(20,000 * mean of odds^2 p (1 - p)) = .02.
        assert!((powers[0] - 1.0).abs() < 0.08 && (powers[1] - 1.0).abs() < 0.08, "{powers:?}");
        assert!(powers[2] < 0.05, "noise has next to no say: {powers:?}");
    }

    #[test]
    fn the_slope_and_curvature_are_those_of_the_loss() {
        let (members, labels) = rows(50);
        let members: Vec<&[f64]> = members.iter().map(Vec::as_slice).collect();
        let all: Vec<usize> = (0..50).collect();
        let frequencies = [0.3f64.ln(), 0.7f64.ln()];
        let evidence = Evidence::new(&members, &labels, &all, &frequencies);
        let (point, small) = ([0.4, 0.8, 0.1], 1e-5);
        let loss = evidence.loss(&point, true);
        for member in 0..3 {
            let moved = |by: f64| {
                let mut point = point;
                point[member] += by;
                evidence.loss(&point, true)
            };
            let (up, down) = (moved(small), moved(-small));
            assert!(((up.value - down.value) / (2.0 * small) - loss.slope[member]).abs() < 1e-4);
            for other in 0..=member {
                let slope = (up.slope[other] - down.slope[other]) / (2.0 * small);
                assert!((slope - loss.curvature[member * 3 + other]).abs() < 1e-4);
            }
        }
    }
}
