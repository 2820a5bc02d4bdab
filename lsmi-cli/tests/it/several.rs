//! `analyze` of more than two modalities: what it writes, what it refuses, and that two are as they were.

use std::collections::BTreeMap;

use crate::place::{Place, column, integers, matrix, number, rows, safetensors, stderr};

/// 90 rows of three modalities: x1 and x3 tell the label, x2 tells nothing.
fn three() -> Vec<u8> {
    let noise = |row: usize, factor: usize| (row * factor % 89) as f64 / 89.0;
    let of = |tells: f64, factor: usize| {
        matrix(
            2,
            &(0..90)
                .flat_map(|row| [tells * (row % 2) as f64 + noise(row, factor), noise(row, factor + 7)])
                .collect::<Vec<_>>(),
        )
    };
    let labels: Vec<i64> = (0..90).map(|row| row % 2).collect();
    safetensors(&BTreeMap::from([
        ("x1", of(1.5, 37)),
        ("x2", of(0.0, 53)),
        ("x3", of(1.5, 23)),
        ("y", integers(&labels)),
    ]))
}

#[test]
fn three_modalities_are_analysed_together() {
    let place = Place::new();
    place.write("three.safetensors", three());
    let shown = place.lsmi("analyze three.safetensors --folds 2 --repeats 1 --out made").success();
    assert_eq!(
        place.names("made"),
        ["config.toml", "estimator.safetensors", "figures", "made.json", "report.html", "samples.csv", "summary.json"]
    );
    assert!(stderr(&shown).contains("modalities: 1 = x1, 2 = x2, 3 = x3"), "{}", stderr(&shown));
    let summary = place.json("made/summary.json");
    let train = &summary["splits"]["train"];
    assert_eq!(train["lattice"].as_object().unwrap().len(), 18);
    let sum: f64 = train["lattice"].as_object().unwrap().values().map(|atom| atom.as_f64().unwrap()).sum();
    assert!((sum - train["information"]["i123"].as_f64().unwrap()).abs() < 1e-9, "{train}");
    for pair in ["12", "13", "23"] {
        assert!(train["pairs"][pair]["raw"]["r"].is_number(), "{pair}");
    }
    assert!(train["shapley"]["x1"].as_f64() > train["shapley"]["x2"].as_f64(), "{train}");

    let csv = place.text("made/samples.csv");
    assert!(csv.starts_with("id,split,fold,label,h1,h2,h3,h12,h13,h23,h123,i1,i2,i3,i12,i13,i23,i123,pred1,"), "{csv}");
    for row in rows(&csv) {
        let [r, u, i] = ["r_13", "u3_13", "i3"].map(|name| number(&row, name));
        assert!((r + u - i).abs() < 1e-9);
    }
    assert_eq!(column(&csv, "{1}{2}{3}").len(), 90);

    // A pair by itself is the analysis of two modalities. Twins, which share a fold, are sought in all modalities that are
    // analysed; x2 has some.
    let options = "--gauge raw --folds 2 --repeats 1 --groups none";
    place.lsmi(&format!("analyze three.safetensors --modalities x1,x3 {options} --out pair")).success();
    place.lsmi(&format!("analyze three.safetensors {options} --out raw")).success();
    let (pair, raw) = (place.text("pair/samples.csv"), place.text("raw/samples.csv"));
    for (two, three) in [("r", "r_13"), ("u2", "u3_13"), ("i12", "i13")] {
        assert_eq!(column(&pair, two), column(&raw, three), "{two}");
    }
}

#[test]
fn what_is_of_two_modalities_is_refused_for_more() {
    let place = Place::new();
    place.write("three.safetensors", three());
    for option in [
        "--null 9",
        "--check",
        "--measure mmi",
        "--rare pool",
        "--names a,b",
        "--scale-logits",
        "--eval three.safetensors",
    ] {
        let refused = place.lsmi(&format!("analyze three.safetensors --out made {option}")).code(2);
        let name = option.split(" 9").next().unwrap_or_default();
        let name = name.trim_end_matches(" a,b").trim_end_matches(" pool").trim_end_matches(" three.safetensors");
        assert!(stderr(&refused).contains(&format!("{name} is of two modalities")), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("--modalities x1,x2"), "{}", stderr(&refused));
    }
    assert!(!place.path("made").exists());
    place.lsmi("analyze three.safetensors --modalities x1,x2 --lattice --out made").code(2);
    let scored = place.lsmi("analyze three.safetensors --modalities x1,x2 --folds 2 --repeats 1 --out two").success();
    assert!(stderr(&scored).contains("x3 is in the file but was not used"), "{}", stderr(&scored));
}
