//! `--null`: means against those under permuted labels.

use serde_json::Value;

use crate::place::{Place, good, safetensors, stderr};

const QUANTITIES: [&str; 8] = ["i1", "i2", "i12", "r", "u1", "u2", "s", "s_minus_r"];

#[test]
fn what_both_modalities_tell_is_more_than_chance() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    let run = |out: &str, threads: usize| {
        place.lsmi(&format!("analyze data.safetensors --folds 2 --null 20 --threads {threads} --out {out}")).success()
    };
    let shown = stderr(&run("result", 2));
    let title = "Against chance (means of `train`, 20 permutations of the label, nats)";
    assert!(shown.contains(title) && shown.contains("S - R"), "{shown}");
    assert!(shown.contains("classes with q < .05 (by I(x1,x2;y); 2 of 2): 0, 1"), "{shown}");
    run("again", 1);
    assert_eq!(place.bytes("result/summary.json"), place.bytes("again/summary.json"));

    let train = &place.json("result/summary.json")["splits"]["train"];
    let null = &train["null"];
    assert_eq!(null["permutations"], 20);
    let by_class = null["by_class"].as_object().unwrap();
    assert_eq!(by_class.keys().collect::<Vec<_>>(), ["0", "1"]);
    // No permutation reaches what the labels give: the smallest p-value there is.
    assert_eq!(null["i12"]["p"].as_f64(), Some(1.0 / 21.0));
    for (quantity, group) in [("i1", "information"), ("i12", "information"), ("r", "raw"), ("s", "raw")] {
        let observed = null[quantity]["observed"].as_f64().unwrap();
        assert!((observed - train[group][quantity].as_f64().unwrap()).abs() < 1e-12, "{quantity}");
    }
    for quantity in QUANTITIES {
        let means: Vec<f64> = by_class.values().map(|class| class[quantity]["observed"].as_f64().unwrap()).collect();
        // Both classes are as large.
        let overall = null[quantity]["observed"].as_f64().unwrap();
        assert!((f64::midpoint(means[0], means[1]) - overall).abs() < 1e-12, "{quantity}");
        assert!(by_class["0"][quantity]["q"].as_f64().unwrap() >= by_class["0"][quantity]["p"].as_f64().unwrap());
    }
}

#[test]
fn what_either_bit_of_an_exclusive_or_tells_is_chance() {
    let place = Place::new();
    place.simulate("xor --n 150 --dims 2 --seed 1", "xor.safetensors");
    place.lsmi("analyze xor.safetensors --folds 2 --null 20 --out result --quiet").success();
    let null = &place.json("result/summary.json")["splits"]["train"]["null"];
    let p = |quantity: &str| null[quantity]["p"].as_f64().unwrap();
    // Of seeds one in twenty would err here for each modality.
    assert!(p("i1") > 0.05 && p("i2") > 0.05, "{null}");
    assert_eq!((p("i12"), p("s"), p("s_minus_r")), (1.0 / 21.0, 1.0 / 21.0, 1.0 / 21.0));
}

#[test]
fn without_the_option_nothing_is_said_of_it() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    let plain = place.lsmi("analyze data.safetensors --folds 2 --null 0 --out plain").success();
    assert_eq!(place.json("plain/summary.json")["splits"]["train"].get("null"), None::<&Value>);
    assert!(!stderr(&plain).contains("Against chance"));
}
