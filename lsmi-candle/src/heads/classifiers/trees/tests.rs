use super::*;
use rand::{Rng, SeedableRng};

type Damage<'a> = &'a dyn Fn(&mut TreeParts);

const ROUNDS: usize = 40;

fn params() -> TreesParams {
    TreesParams { rounds: ROUNDS, ..Default::default() }
}

fn uniform(count: usize, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| random.random_range(-1.0..1.0)).collect()
}

/// Which quadrant of the first two of three columns a row lies in, in the order of an angle, modulo `classes`.
fn quadrants(rows: usize, classes: u32, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let values = uniform(rows * 3, seed);
    let quadrant = |row: &[f32]| match (row[0] > 0.0, row[1] > 0.0) {
        (true, true) => 0,
        (false, true) => 1,
        (false, false) => 2,
        (true, false) => 3,
    };
    let labels = values.chunks_exact(3).map(|row| quadrant(row) % classes).collect();
    (values, labels)
}

fn fit(rows: usize, classes: u32, seed: u64) -> BoostedTrees {
    let (values, labels) = quadrants(rows, classes, 0);
    BoostedTrees::fit(&values, 3, &labels, classes as usize, &params(), &mut ChaCha8Rng::seed_from_u64(seed))
}

fn loss(posteriors: &[f64], labels: &[u32]) -> f64 {
    let classes = posteriors.len() / labels.len();
    let of_rows = posteriors.chunks_exact(classes).zip(labels);
    -of_rows.map(|(posteriors, label)| posteriors[*label as usize]).sum::<f64>() / labels.len() as f64
}

#[test]
fn an_exclusive_or_of_two_columns_is_learnt() {
    let (fresh, labels) = quadrants(1000, 2, 1);
    let trees = fit(1000, 2, 0);
    let loss = loss(&trees.log_posteriors(&fresh), &labels);
    // Without the interaction nothing is better than log 2 = .69; the steps leave a rest of exp(-.1 * 40) and more.
    assert!(loss < 0.15, "the loss is {loss}");
}

#[test]
fn four_quadrants_are_learnt() {
    let (fresh, labels) = quadrants(1000, 4, 1);
    let loss = loss(&fit(1000, 4, 0).log_posteriors(&fresh), &labels);
    assert!(loss < 0.15, "the loss is {loss}");
}

#[test]
fn more_classes_than_channels_are_learnt() {
    let classes = 20u32;
    let values = uniform(4000, 0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of 0 to 19")]
    let labels: Vec<u32> = values.iter().map(|value| ((value + 1.0) * 10.0) as u32 % classes).collect();
    let params = TreesParams { rounds: 100, ..params() };
    let trees = BoostedTrees::fit(&values, 1, &labels, 20, &params, &mut ChaCha8Rng::seed_from_u64(0));
    let loss = loss(&trees.log_posteriors(&values), &labels);
    // Without the column it is log 20 = 3; bins across the borders of classes leave about .1.
    assert!(loss < 0.6, "the loss is {loss}");
}

#[test]
fn frequencies_alone_are_the_posteriors_of_no_rounds() {
    let trees = BoostedTrees::fit(&[0.0; 4], 1, &[0, 1, 1, 1], 2, &params(), &mut ChaCha8Rng::seed_from_u64(0));
    let posteriors = trees.truncated(0).log_posteriors(&[0.5]);
    assert!((posteriors[0] - 0.25f64.ln()).abs() < 1e-6 && (posteriors[1] - 0.75f64.ln()).abs() < 1e-6);
}

#[test]
fn posteriors_after_some_rounds_are_those_of_truncated_trees() {
    let (fresh, _) = quadrants(300, 4, 1);
    for classes in [2, 4] {
        let trees = fit(300, classes, 0);
        let rounds = [0, 1, 7, 7, ROUNDS, ROUNDS + 5];
        for (posteriors, rounds) in trees.log_posteriors_at(&fresh, &rounds).into_iter().zip(rounds) {
            let truncated = trees.clone().truncated(rounds);
            assert_eq!(truncated.rounds(), rounds.min(ROUNDS));
            assert_eq!(posteriors, truncated.log_posteriors(&fresh));
            assert_eq!(BoostedTrees::from_parts(truncated.to_parts()), Ok(truncated));
        }
    }
}

#[test]
fn posteriors_are_distributions() {
    let (fresh, _) = quadrants(300, 4, 1);
    for posteriors in fit(300, 4, 0).log_posteriors(&fresh).chunks_exact(4) {
        let sum: f64 = posteriors.iter().map(|value| value.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_same_seed_gives_the_same_trees() {
    assert_eq!(fit(300, 4, 5), fit(300, 4, 5));
    assert_ne!(fit(300, 4, 5), fit(300, 4, 6));
}

#[test]
fn the_scale_of_the_columns_changes_no_posterior() {
    let (values, labels) = quadrants(200, 2, 0);
    let changed: Vec<f32> = values.iter().map(|value| 8.0 * value).collect();
    let fit = |values: &[f32]| {
        let trees = BoostedTrees::fit(values, 3, &labels, 2, &params(), &mut ChaCha8Rng::seed_from_u64(0));
        trees.log_posteriors(values)
    };
    assert_eq!(fit(&values), fit(&changed));
}

#[test]
fn an_absent_class_has_a_small_finite_posterior() {
    let (values, labels) = quadrants(300, 2, 0);
    for classes in [3, 12] {
        let trees = BoostedTrees::fit(&values, 3, &labels, classes, &params(), &mut ChaCha8Rng::seed_from_u64(0));
        for posteriors in trees.log_posteriors(&values).chunks_exact(classes) {
            assert!(posteriors[2..].iter().all(|value| value.is_finite() && *value < -5.0));
        }
    }
    // One of two classes.
    let trees = BoostedTrees::fit(&values, 3, &[0; 300], 2, &params(), &mut ChaCha8Rng::seed_from_u64(0));
    assert!(trees.log_posteriors(&values).iter().all(|value| value.is_finite()));
}

#[test]
fn constant_columns_and_hardly_any_rows_give_frequencies() {
    let expected = 1.0f64 / 3.0;
    for (values, columns) in [(vec![2.5; 12], 2), (uniform(6, 0), 1)] {
        let trees =
            BoostedTrees::fit(&values, columns, &[0, 1, 1, 0, 1, 1], 2, &params(), &mut ChaCha8Rng::seed_from_u64(0));
        assert!((trees.log_posteriors(&values)[0].exp() - expected).abs() < 0.1);
        assert!(trees.parts.children.iter().all(|child| *child == 0));
    }
}

#[test]
fn parts_make_the_trees_again() {
    let trees = fit(300, 4, 0);
    assert_eq!(BoostedTrees::from_parts(trees.to_parts()), Ok(trees));
}

#[test]
fn damaged_parts_are_refused() {
    let parts = fit(300, 4, 0).to_parts();
    let split = parts.children.iter().rposition(|child| *child != 0).unwrap();
    let leaf = parts.children.iter().position(|child| *child == 0).unwrap();
    let damages: [(&str, Damage<'_>); 16] = [
        ("no columns", &|parts| parts.columns = 0),
        ("fewer columns", &|parts| parts.columns = 1),
        ("no classes", &|parts| parts.initial.clear()),
        ("another number of classes", &|parts| parts.initial.push(0.0)),
        ("a score that is no number", &|parts| parts.initial[0] = f32::NAN),
        ("an infinite threshold", &|parts| parts.thresholds[0] = f32::INFINITY),
        ("a leaf that is no number", &|parts| parts.values[0] = f32::NAN),
        ("a missing threshold", &|parts| parts.thresholds.truncate(1)),
        ("a missing value", &|parts| parts.values.truncate(1)),
        ("nodes before the first tree", &|parts| parts.roots[0] = 1),
        ("a tree that begins twice", &|parts| parts.roots[2] = parts.roots[1]),
        ("a tree behind all nodes", &|parts| parts.roots.push(u32::MAX)),
        ("no trees for the nodes", &|parts| parts.roots.clear()),
        ("a node that is its own child", &|parts| parts.children[split] = u32::try_from(split).unwrap()),
        ("a child behind all nodes", &|parts| parts.children[split] = u32::MAX),
        ("a leaf of another tree", &|parts| parts.node_columns[leaf] = u32::MAX),
    ];
    for (what, damage) in damages {
        let mut damaged = parts.clone();
        damage(&mut damaged);
        assert!(BoostedTrees::from_parts(damaged).is_err(), "{what} is not refused");
    }
}
