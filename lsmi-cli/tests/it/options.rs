//! Options of the fit: a given prior, repeats, and densities of a saved estimator.

use crate::place::{Place, column, good, rows, safetensors, stderr};

/// A place with `data.safetensors`, analysed with two folds to `plain`.
fn analysed() -> Place {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    place.lsmi("analyze data.safetensors --folds 2 --out plain").success();
    place
}

#[test]
fn a_given_prior_moves_information_by_its_logarithm() {
    let place = analysed();
    place.lsmi("analyze data.safetensors --folds 2 --prior 0.2,0.8 --out given").success();
    let (plain, given) = (place.text("plain/samples.csv"), place.text("given/samples.csv"));
    assert_eq!(place.json("given/summary.json")["prior"], "given");
    // The posteriors stay; each class is half of the rows.
    for term in ["i1", "i2", "i12"] {
        let values = column(&plain, term).into_iter().zip(column(&given, term));
        for ((plain, given), row) in values.zip(rows(&plain)) {
            let prior: f64 = if row["label"] == "0" { 0.2 } else { 0.8 };
            assert!((given - plain - (0.5 / prior).ln()).abs() < 1e-12, "{term}: {plain} {given}");
        }
    }
}

#[test]
fn repeats_average_other_folds_and_draws() {
    let place = analysed();
    for name in ["a", "b"] {
        place.lsmi(&format!("analyze data.safetensors --folds 2 --repeats 2 --out {name}")).success();
    }
    for file in ["samples.csv", "summary.json", "estimator.safetensors"] {
        assert_eq!(place.bytes(&format!("a/{file}")), place.bytes(&format!("b/{file}")), "{file}");
    }
    let (plain, repeated) = (place.text("plain/samples.csv"), place.text("a/samples.csv"));
    for term in ["h1", "i1", "i12", "r"] {
        assert_ne!(column(&plain, term), column(&repeated, term), "{term}");
    }
    // The folds shown are those of the first repeat, which is what a single one is.
    assert_eq!(column(&plain, "fold"), column(&repeated, "fold"));
}

#[test]
fn densities_of_a_saved_estimator_are_reused() {
    let place = analysed();
    let reuse = "analyze data.safetensors --folds 2 --knife-from plain/estimator.safetensors";
    place.lsmi(&format!("{reuse} --out same")).success();
    assert_eq!(place.bytes("same/samples.csv"), place.bytes("plain/samples.csv"));

    // Other folds: the heads are new, and the densities have seen the rows that they score.
    let other = place.lsmi(&format!("{reuse} --seed 1 --out other")).success();
    assert!(stderr(&other).contains("the densities were reused from an estimator of these rows in other folds"));
    assert_ne!(column(&place.text("other/samples.csv"), "i1"), column(&place.text("plain/samples.csv"), "i1"));

    // The gauge comes with them.
    place.lsmi("fit data.safetensors --folds 2 --gauge raw --out raw.safetensors").success();
    place.lsmi("analyze data.safetensors --folds 2 --knife-from raw.safetensors --out raw").success();
    assert_eq!(place.json("raw/summary.json")["gauge"], "raw");

    let refused = place.lsmi("analyze data.safetensors --knife-from none.safetensors --out result").code(3);
    assert!(stderr(&refused).contains("none.safetensors: no such file"), "{}", stderr(&refused));
    let mut wide = good();
    wide.insert("x1", wide["x2"].clone());
    place.write("wide.safetensors", safetensors(&wide));
    let refused = place.lsmi("fit wide.safetensors --knife-from raw.safetensors --out e.safetensors").code(3);
    assert!(stderr(&refused).contains("wide.safetensors: x1 has 3 columns, but"), "{}", stderr(&refused));
    assert!(!place.path("result").exists() && !place.path("e.safetensors").exists());
}
