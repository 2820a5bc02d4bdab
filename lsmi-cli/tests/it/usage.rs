//! Wrong usage: exit status 2, a word on what to do, and nothing written or overwritten.

use crate::place::{Place, good, safetensors, stderr, stdout};

#[test]
fn wrong_command_lines() {
    let place = Place::new();
    place.write("data.safetensors", safetensors(&good()));
    place.write("samples.csv", "id,split,label,r\na,train,x,0.5\n");
    let cases = [
        ("", "Usage: lsmi"),
        ("analyse data.safetensors --out result", "unrecognized subcommand"),
        ("analyze data.safetensors", "--out"),
        ("analyze data.safetensors --out result --gauge metric", "whitened"),
        ("analyze data.safetensors --out result --dims 0", "--dims"),
        ("analyze data.safetensors --out result --gauge raw --dims 2", "the setting `dims`"),
        ("analyze data.safetensors --out result --dims 3", "ask for fewer"),
        ("analyze data.safetensors --out result --folds 1", "--folds"),
        ("analyze data.safetensors --out result --threads 0", "--threads"),
        ("analyze data.safetensors --out result --prior given", "one probability a class"),
        ("analyze data.safetensors --out result --prior 0.5,0.6", "sum to 1.1"),
        ("analyze data.safetensors --out result --prior 1.5,-0.5", "above 0 and at most 1"),
        (
            "analyze data.safetensors --out result --prior 0.2,0.3,0.5",
            "2 classes: give one for each of 0, 1, in this order",
        ),
        ("analyze data.safetensors --out result --repeats 0", "--repeats"),
        ("analyze data.safetensors --out result --repeats 1001", "--repeats"),
        ("analyze data.safetensors --out result --scale-logits", "--scale-logits needs logits1"),
        ("analyze data.safetensors --out result --knife-from e --gauge raw", "cannot be used with"),
        ("analyze data.safetensors --out result --knife-from e --dims auto", "cannot be used with"),
        ("fit data.safetensors --out e.safetensors --knife-from e --published-knife", "cannot be used with"),
        ("fit data.safetensors --out samples.csv --force --knife-from samples.csv", "both input and output"),
        ("analyze data.safetensors --out result --null few", "--null"),
        ("fit data.safetensors --out e.safetensors --null 9", "--null"),
        ("score data.safetensors --estimator e --out a.csv --candidates b.csv", "--label-free"),
        (
            "score data.safetensors --estimator e --out a.csv --label-free --candidates ./a.csv",
            "both --out and --candidates",
        ),
        ("score data.safetensors --estimator e --out a.csv --label-free --candidates samples.csv", "--force"),
        (
            "score data.safetensors --estimator e --out a.csv --label-free --candidates b.parquet",
            "not written as parquet",
        ),
        ("analyze data.safetensors --out result --measure max", "pm, sx, mmi, ccs, min"),
        ("analyze data.safetensors --out result --measures pm,max", "pm, sx, mmi, ccs, min"),
        ("analyze data.safetensors --out result --measures pm,sx,pm", "`pm` is there twice"),
        ("score data.safetensors --estimator e --out a.csv --label-free --measures sx", "cannot be used with"),
        ("analyze data.safetensors --out result --device tpu", "metal"),
        ("analyze data.safetensors --out result --format xml", "csv, jsonl or parquet"),
        ("analyze data.safetensors --out result --keys x1,x2", "three or four"),
        ("analyze data.safetensors --out result --names same,same", "two different names"),
        ("analyze data.safetensors --out samples.csv", "is a file, not a directory"),
        ("fit data.safetensors --out .", "is a directory, not a file"),
        ("fit data.safetensors --out data.safetensors --force", "both input and output"),
        ("score data.safetensors --estimator e --out a.csv --shard 3/2", "I/N"),
        ("score data.safetensors --estimator e --out a.csv --rows-of-a-group 0", "--rows-of-a-group"),
        ("embed table.csv --image a --text b --out f.safetensors --shard 0/2", "I/N"),
        ("embed table.csv --image a --text b --out f.safetensors --rows-of-a-group 0", "--rows-of-a-group"),
        ("join --out new.csv", "PART"),
        ("join a.csv b.jsonl --out new.csv", "another format"),
        ("join samples.csv --out samples.csv --force", "both input and output"),
        ("simulate xor --n 0 --out new.safetensors", "--n"),
        ("simulate nor --n 10 --out new.safetensors", "xor, or, and, copy1, rdn, mixed, groups, gauss"),
        ("simulate xor --n 10 --out new.npz", ".safetensors"),
        ("simulate groups --n 10 --dims 5 --out new.safetensors", "at least 6"),
        ("simulate xor --n 10 --sigma -1 --out new.safetensors", "sigma"),
        ("simulate gauss --n 10 --correlation 1.5 --out new.safetensors", "correlation"),
        ("partition samples.csv --by q --fraction 0.3 --out lists", "r, u1, u2 or s"),
        ("partition samples.csv --by r --out lists", "--fraction"),
        ("partition samples.csv --by r --fraction 0.7 --out lists", "at most 0.5"),
        ("partition samples.csv --by r --threshold 1,0 --out lists", "below the second"),
        ("partition samples.csv --by r --threshold 0,1 --fraction 0.2 --out lists", "cannot be used with"),
        ("partition samples.csv --by r --fraction 0.2 --out lists --config none.toml", "cannot be read"),
    ];
    for (words, expected) in cases {
        let refused = place.lsmi(words).code(2);
        assert!(stderr(&refused).contains(expected), "{words}: {}", stderr(&refused));
        assert_eq!(stdout(&refused), "", "{words}");
        assert_eq!(place.names("."), ["data.safetensors", "samples.csv"], "{words}");
    }
}

#[test]
fn nothing_is_overwritten_without_force() {
    let place = Place::new();
    place.simulate("copy1 --n 80 --dims 2", "data.safetensors");
    place.write("old.safetensors", "old");
    std::fs::create_dir(place.path("full")).unwrap();
    place.write("full/mine.txt", "mine");
    place.write("samples.csv", "id,split,label,r\na,train,x,0.5\n");
    for words in [
        "simulate xor --n 10 --out old.safetensors",
        "fit data.safetensors --out old.safetensors",
        "score data.safetensors --estimator none --format csv --out old.safetensors",
        "analyze data.safetensors --out full",
        "demo --out full",
        "partition samples.csv --by r --fraction 0.3 --out full",
        "join new.safetensors --out old.safetensors",
    ] {
        let refused = place.lsmi(words).code(2);
        assert!(stderr(&refused).contains("--force"), "{words}: {}", stderr(&refused));
        assert_eq!(place.text("old.safetensors"), "old", "{words}");
        assert_eq!(place.names("full"), ["mine.txt"], "{words}");
    }
}

#[test]
fn force_replaces_its_own_output_and_leaves_the_rest() {
    let place = Place::new();
    place.simulate("copy1 --n 80 --dims 2", "data.safetensors");
    place.lsmi("analyze data.safetensors --out result").success();
    place.write("result/mine.txt", "mine");
    let names = [
        "config.toml",
        "estimator.safetensors",
        "figures",
        "made.json",
        "mine.txt",
        "report.html",
        "samples.jsonl",
        "summary.json",
    ];
    place.lsmi("analyze data.safetensors --out result --format jsonl --seed 1 --force").success();
    assert_eq!(place.names("result"), names);
    assert_eq!(place.json("result/summary.json")["seed"], 1);

    // A run that fails changes nothing.
    let before = place.bytes("result/summary.json");
    place.lsmi("analyze data.safetensors --out result --folds 60 --force").code(3);
    assert_eq!(place.bytes("result/summary.json"), before);
    assert_eq!(place.names("result"), names);
}
