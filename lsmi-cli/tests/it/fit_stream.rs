//! `fit` to files of which memory holds a part.

use crate::place::{Place, column, stderr};

#[test]
fn more_rows_than_memory_holds_are_fitted_and_scored() {
    let place = Place::new();
    place.simulate("or --n 2000 --dims 2", "large.safetensors");
    place.simulate("or --n 500 --dims 2 --seed 1", "new.safetensors");
    let fit = "fit large.safetensors --folds 2";
    let told = place.lsmi(&format!("{fit} --rows-in-memory 400 --out part.safetensors")).success();
    assert!(stderr(&told).contains("400 rows drawn from the 2000 of the file"), "{}", stderr(&told));
    place.lsmi(&format!("{fit} --quiet --rows-in-memory 2000 --out all.safetensors")).success();
    place.lsmi(&format!("{fit} --quiet --out memory.safetensors")).success();
    assert!(place.bytes("all.safetensors") == place.bytes("memory.safetensors"));
    place.lsmi(&format!("{fit} --quiet --rows-in-memory 400 --out again.safetensors")).success();
    assert!(place.bytes("part.safetensors") == place.bytes("again.safetensors"));

    let score = |estimator: &str| {
        place.lsmi(&format!("score new.safetensors --quiet --force --estimator {estimator} --out s.csv")).success();
        (column(&place.text("s.csv"), "h1"), column(&place.text("s.csv"), "i12"))
    };
    let (part, all) = (score("part.safetensors"), score("all.safetensors"));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    // Means of 500 rows under models of 400 and of 2,000 rows.
    assert!((mean(&part.0) - mean(&all.0)).abs() < 0.05);
    assert!((mean(&part.1) - mean(&all.1)).abs() < 0.05);
}

#[test]
fn what_cannot_be_used_is_refused_as_in_memory() {
    let place = Place::new();
    place.simulate("or --n 100 --dims 2", "large.safetensors");
    let refused = |words: &str, status: i32, expected: &str| {
        let assert = place.lsmi(words).code(status);
        assert!(stderr(&assert).contains(expected), "{}", stderr(&assert));
        assert!(!place.names(".").contains(&"e.safetensors".to_owned()));
    };
    refused("fit large.safetensors --rows-in-memory 0 --out e.safetensors", 2, "--rows-in-memory");
    refused("fit none.safetensors --rows-in-memory 50 --out e.safetensors", 3, "none.safetensors: ");
    refused("fit large.safetensors --rows-in-memory 9 --folds 60 --out e.safetensors", 3, "than there are folds (60)");
    place.write("bad.pt", "");
    refused("fit bad.pt --rows-in-memory 50 --out e.safetensors", 3, "read as a whole");
}
