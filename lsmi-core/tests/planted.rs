//! Which measure says what kind a sample is: five groups of equal size, each of one kind, visible in both modalities.
//!
//! R: b1 = b2, y = b1. U1: y = b1. U2: y = b2. S: y = b1 xor b2. N: y at random. With orthonormal q,
//! `x_m = 6 q[group] + 3 (2 b_m - 1) q[5] + N`, in 12 dimensions. Expected means are published to two decimals from 40,000
//! samples, about 8,000 a group; with as many here, a deviation of 0.5 nat gives a standard error of 0.006 on either side, so the
//! tolerance is 0.03.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use lsmi_core::{
    Family, Interaction, Measure,
    families::{Cell, Mixture},
    random::stream,
    statistics::mean,
};

const DIMS: usize = 12;
const GROUPS: usize = 5;
const SAMPLES: usize = 40_000;
const TOLERANCE: f64 = 0.03;

/// Group `g` with bit `b` has the centre number 2 g + b.
fn centres() -> Vec<Vec<f64>> {
    let centre = |group: usize, side: f64| {
        let mut centre = vec![0.0; DIMS];
        centre[group] = 6.0;
        centre[GROUPS] = 3.0 * side;
        centre
    };
    (0..GROUPS).flat_map(|group| [centre(group, -1.0), centre(group, 1.0)]).collect()
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for group in 0..GROUPS {
        for b1 in 0..2 {
            for b2 in 0..2 {
                for label in 0..2 {
                    let y = label as usize;
                    let probability = match group {
                        0 => f64::from(b1 == b2 && y == b1) / 2.0,
                        1 => f64::from(y == b1) / 4.0,
                        2 => f64::from(y == b2) / 4.0,
                        3 => f64::from(y == b1 ^ b2) / 4.0,
                        _ => 1.0 / 8.0,
                    };
                    let probability = probability / GROUPS as f64;
                    cells.push(Cell { centre1: 2 * group + b1, centre2: 2 * group + b2, label, probability });
                }
            }
        }
    }
    cells
}

/// The means of every group and, of r, u1, u2 and s each, the area under the ROC curve against all other groups.
fn judged(measure: Measure) -> (Vec<[f64; 4]>, [f64; 4]) {
    let mixture = Mixture::new(centres(), centres(), 1.0, cells()).unwrap();
    let draw = mixture.sample(SAMPLES, &mut stream(0, "planted test"));
    let parts = measure.decompose(&mixture.terms(&draw).unwrap());
    // The coordinates of the groups tell which group a sample is of, 3 deviations and more from any other.
    let groups: Vec<usize> = draw
        .x1
        .chunks_exact(DIMS)
        .zip(draw.x2.chunks_exact(DIMS))
        .map(|(x1, x2)| (0..GROUPS).max_by(|&a, &b| (x1[a] + x2[a]).total_cmp(&(x1[b] + x2[b]))).unwrap())
        .collect();
    let of_group = |group: usize| {
        Interaction::ALL.map(|part| {
            let all = parts.values(part).iter().zip(&groups);
            mean(&all.filter(|(_, of)| **of == group).map(|(value, _)| *value).collect::<Vec<_>>())
        })
    };
    let areas = [0, 1, 2, 3].map(|kind| area(parts.values(Interaction::ALL[kind]), |row| groups[row] == kind));
    ((0..GROUPS).map(of_group).collect(), areas)
}

/// The probability that a member has a higher value than a sample that is none, ties counting half.
///
/// Components that vanish do so to rounding only, so values are compared to 12 decimals.
fn area(values: &[f64], member: impl Fn(usize) -> bool) -> f64 {
    let values: Vec<f64> = values.iter().map(|value| (value * 1e12).round() + 0.0).collect();
    let mut rows: Vec<usize> = (0..values.len()).collect();
    rows.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut below, mut pairs, mut members) = (0.0, 0.0, 0.0);
    for tied in rows.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let inside = tied.iter().filter(|&&row| member(row)).count() as f64;
        let outside = tied.len() as f64 - inside;
        pairs += inside * (below + outside / 2.0);
        below += outside;
        members += inside;
    }
    pairs / (members * below)
}

#[track_caller]
fn check(measure: Measure, expected: [[f64; 4]; GROUPS], areas: [f64; 4], tolerance: f64) {
    let (means, found_areas) = judged(measure);
    for (group, (found, expected)) in means.iter().zip(&expected).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < TOLERANCE, "group {group}: {means:?}");
        }
    }
    for (found, expected) in found_areas.iter().zip(areas) {
        assert!((found - expected).abs() < tolerance, "{found_areas:?}");
    }
}

#[test]
fn pm_is_right_on_average_only() {
    let unique1 = [0.38, 0.31, -0.38, 0.38];
    let unique2 = [0.38, -0.38, 0.31, 0.38];
    let expected = [[0.69, 0.0, 0.0, 0.01], unique1, unique2, [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    // Many samples have a uniqueness of exactly 0. The published areas come from the literal formula, whose rounding
    // breaks these ties: it moves the areas of u1 and u2 by about 0.012 below those of tied values. Hence the wider tolerance.
    check(Measure::Pm, expected, [0.87, 0.77, 0.77, 0.83], 0.03);
}

#[test]
fn sx_tells_kinds_apart() {
    let unique1 = [0.37, 0.32, -0.37, 0.37];
    let unique2 = [0.37, -0.37, 0.32, 0.37];
    let expected = [[0.69, 0.0, 0.0, 0.01], unique1, unique2, [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    check(Measure::Sx, expected, [0.997, 0.998, 0.998, 0.989], 0.01);
}

#[test]
fn ccs_is_right_for_every_kind() {
    let expected =
        [[0.69, 0.0, 0.0, 0.0], [0.0, 0.69, 0.0, 0.0], [0.0, 0.0, 0.69, 0.0], [0.0, 0.0, 0.0, 0.68], [0.0; 4]];
    check(Measure::Ccs, expected, [0.998, 0.999, 0.998, 0.995], 0.01);
}
