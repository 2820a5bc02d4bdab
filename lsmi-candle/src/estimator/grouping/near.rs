//! Finds rows that are nearer to each other than chance allows: a picture saved twice, rows repeated with a little
//! noise.
//!
//! Distances are of standardised columns, each modality counting alike. With the 1 % and 10 % quantiles `a` and `b` of the
//! distances of random pairs, the number of dimensions that pairs fill at small distances is about `m = log 10 / log(b / a)`
//! (the correlation dimension of Grassberger, Procaccia 1983), and of N pairs `N (r / a)^m / 100` would be nearer than r.
//! Two rows are twins where that is below 1/100, provided that all other rows are at least three times as far from both.
//!
//! Where every row has many twins, as frames of a clip do, the lowest distances are those of twins. The same test is then
//! made with the 10 % and 40 % quantiles. Twins that it finds in half of the rows or more are reported, but not put together, as
//! tight clusters look the same.
//!
//! Sets of more than 10,000 different rows are not searched, as every pair is looked at, nor those of more than 50 million numbers,
//! of which a copy is made.

use lsmi_core::random::stream;
use lsmi_core::statistics::quantiles;
use rand::Rng;
use rand_distr::StandardNormal;

use super::equal::Stacked;
use crate::features::{DisjointSets, Groups};

/// Different rows that are searched at most.
const MOST_ROWS: usize = 10_000;
/// Numbers that are copied at most.
const MOST_NUMBERS: usize = 50_000_000;
/// The fewest rows whose distances are informative.
const LEAST_ROWS: usize = 20;
/// The quantiles of distances that show twins of few rows each, and of many.
const FEW: [f64; 2] = [0.01, 0.1];
const MANY: [f64; 2] = [0.1, 0.4];
/// Pairs that chance leaves within the distance of twins.
const LEAST_EXPECTED: f64 = 0.01;
/// The number of random pairs whose distances are computed.
const PAIRS: usize = 20_000;
/// Random directions that distances are first looked at in.
const DIRECTIONS: usize = 16;
/// The least ratio of the distance of every other row to that of the twin.
const TIMES_AS_FAR: f32 = 3.0;
/// The largest squared ratio of the distance of twins in random directions to their true distance: of 16 directions,
/// one pair in ten millions looks farther.
const SQUARED_MARGIN: f32 = 4.0;

/// Rows that are nearer than chance allows.
pub(super) struct Near {
    pub(super) groups: Groups,
    /// Whether they are few enough among all pairs not to be clusters.
    pub(super) are_certain: bool,
}

/// Groups rows that are nearer than chance allows. Returns `None` if only equal rows are.
pub(super) fn groups(matrices: &[Stacked<'_>], equal: &Groups) -> Option<Near> {
    let kinds = equal.numbers();
    let mut is_known = vec![false; equal.count()];
    let first = |row: &usize| !std::mem::replace(&mut is_known[kinds[*row] as usize], true);
    let different: Vec<usize> = (0..kinds.len()).filter(first).collect();
    let numbers = different.len() * matrices.iter().map(Stacked::columns).sum::<usize>();
    if different.len() < LEAST_ROWS || different.len() > MOST_ROWS || numbers > MOST_NUMBERS {
        return None;
    }
    let points = Points::standardized(matrices, &different);
    let (distances, projected) = (points.distances(), points.projected());
    // Each row has the group of the row that it equals.
    let spread_to_all = |groups: &Groups| {
        let numbers = groups.numbers();
        Groups::of_values(kinds.iter().map(|kind| numbers[*kind as usize]))
    };
    if let Some(groups) = points.twins(&projected, distances.radius(FEW)) {
        return Some(Near { groups: spread_to_all(&groups), are_certain: true });
    }
    let groups = points.twins(&projected, distances.radius(MANY))?;
    let have_twins = groups.rows_with_others();
    (2 * have_twins >= groups.rows()).then(|| Near { groups: spread_to_all(&groups), are_certain: false })
}

/// Distances of random pairs.
struct Distances {
    pair_distances: Vec<f64>,
    rows: usize,
}

impl Distances {
    /// Returns the distance within which chance leaves a hundredth of a pair, by the distances at two quantiles.
    /// Returns `None` if these do not determine it.
    fn radius(&self, [low, high]: [f64; 2]) -> Option<f32> {
        let ends = quantiles(&self.pair_distances, &[low, high]);
        let (near, far) = (ends[0], ends[1]);
        if !(near > 0.0 && far > near) {
            return None;
        }
        let dimensions = (high / low).ln() / (far / near).ln();
        let rows = self.rows as f64;
        let pairs = rows * (rows - 1.0) / 2.0;
        #[expect(clippy::cast_possible_truncation, reason = "distances need no more digits")]
        let radius = (near * (LEAST_EXPECTED / (pairs * low)).powf(1.0 / dimensions)) as f32;
        Some(radius)
    }
}

/// Rows as points, `[n, columns]`, row-major.
struct Points {
    columns: usize,
    values: Vec<f32>,
}

impl Points {
    /// Scales rows to columns of variance 1 over the number of columns of their modality.
    fn standardized(matrices: &[Stacked<'_>], rows: &[usize]) -> Self {
        let columns = matrices.iter().map(Stacked::columns).sum();
        let mut values = vec![0.0; rows.len() * columns];
        let mut place = 0;
        for matrix in matrices {
            for column in 0..matrix.columns() {
                let column_values: Vec<f64> = rows.iter().map(|row| matrix.row(*row)[column]).collect();
                let mean = lsmi_core::statistics::mean(&column_values);
                let deviation = lsmi_core::statistics::standard_deviation(&column_values);
                let scale = if deviation > 0.0 { 1.0 / (deviation * (matrix.columns() as f64).sqrt()) } else { 0.0 };
                for (row, value) in column_values.into_iter().enumerate() {
                    #[expect(clippy::cast_possible_truncation, reason = "distances need no more digits")]
                    let standardized = ((value - mean) * scale) as f32;
                    values[row * columns + place] = standardized;
                }
                place += 1;
            }
        }
        Self { columns, values }
    }

    fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    fn squared(&self, one: usize, other: usize) -> f32 {
        self.row(one).iter().zip(self.row(other)).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    fn distances(&self) -> Distances {
        let mut random = stream(0, "pairs of rows");
        let rows = self.rows();
        let mut distances = Vec::with_capacity(PAIRS);
        while distances.len() < PAIRS {
            let (one, other) = (random.random_range(0..rows), random.random_range(0..rows));
            if one != other {
                distances.push(f64::from(self.squared(one, other).sqrt()));
            }
        }
        Distances { pair_distances: distances, rows }
    }

    /// Projects the points on random directions, which keeps their distances on average; leaves them as they are if
    /// they have no more columns than that.
    fn projected(&self) -> Self {
        if self.columns <= DIRECTIONS {
            return Self { columns: self.columns, values: self.values.clone() };
        }
        let mut random = stream(0, "directions of rows");
        let scale = 1.0 / (DIRECTIONS as f32).sqrt();
        let directions: Vec<f32> =
            (0..self.columns * DIRECTIONS).map(|_| scale * random.sample::<f32, _>(StandardNormal)).collect();
        let mut values = vec![0.0f32; self.rows() * DIRECTIONS];
        for (row, projected) in values.chunks_exact_mut(DIRECTIONS).enumerate() {
            for (value, weights) in self.row(row).iter().zip(directions.chunks_exact(DIRECTIONS)) {
                projected.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
            }
        }
        Self { columns: DIRECTIONS, values }
    }

    /// Groups points that are within a radius of each other and far from all others. Returns `None` if every point is
    /// by itself.
    fn twins(&self, projected: &Self, radius: Option<f32>) -> Option<Groups> {
        let radius = radius?;
        let mut sets = DisjointSets::new(self.rows());
        let mut twins: Vec<(usize, usize)> = Vec::new();
        for one in 0..self.rows() {
            for other in 0..one {
                if projected.squared(one, other) <= SQUARED_MARGIN * radius * radius
                    && self.squared(one, other) <= radius * radius
                {
                    twins.push((other, one));
                    sets.unite(other, one);
                }
            }
        }
        if twins.is_empty() {
            return None;
        }
        let groups = projected.isolated(&sets.groups(), &twins);
        (!groups.are_single_rows()).then_some(groups)
    }

    /// Returns the groups whose rows are far from all others; the rows of other groups are alone.
    fn isolated(&self, groups: &Groups, twins: &[(usize, usize)]) -> Groups {
        let numbers = groups.numbers();
        let mut farthest = vec![0.0f32; groups.count()];
        for (one, other) in twins {
            let widest = &mut farthest[numbers[*one] as usize];
            *widest = widest.max(self.squared(*one, *other));
        }
        let mut is_isolated: Vec<bool> = farthest.iter().map(|distance| *distance > 0.0).collect();
        for one in (0..self.rows()).filter(|row| farthest[numbers[*row] as usize] > 0.0) {
            let group = numbers[one] as usize;
            let reach = TIMES_AS_FAR * TIMES_AS_FAR * farthest[group];
            let is_near = |other: usize| numbers[other] as usize != group && self.squared(one, other) < reach;
            if is_isolated[group] && (0..self.rows()).any(is_near) {
                is_isolated[group] = false;
            }
        }
        let kept = |row: usize| {
            let group = numbers[row];
            if is_isolated[group as usize] { (group, 0) } else { (group, row + 1) }
        };
        Groups::of_values((0..self.rows()).map(kept))
    }
}
