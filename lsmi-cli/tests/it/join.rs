//! `join`: the files of all shards of `embed` and `score` are the file of the whole, to the byte, or are refused.

use std::fs;

use serde_json::Value;

use crate::embed::{MODELS, prepare};
use crate::place::{Place, stderr, stdout};

/// Rows of a table, two of them a row group.
const ROWS: usize = 11;
const GROUPS: &str = "--rows-of-a-group 2 --threads 2";

/// A place with models, and tables of all kinds.
fn place() -> Place {
    let place = Place::new();
    prepare(&place);
    let picture = |row: usize| ["elephant.png", "gradient.png"][row % 2];
    let text = |row: usize| ["a red square", "blue", "a circle"][row % 3];
    // Numbers among themselves are sorted by value, beside a name by bytes: classes of parts are sorted otherwise than those
    // of the whole.
    let label = |row: usize| ["10", "9", "10", "9", "9", "9", "10", "b", "9", "10", "b"][row];
    let table = |header: &str, row: &dyn Fn(usize) -> String| {
        format!("{header}\n{}\n", (0..ROWS).map(row).collect::<Vec<_>>().join("\n"))
    };
    let full = |row: usize| format!("r{row},{},{},{}", picture(row), text(row), label(row));
    place.write("full.csv", table("id,image,text,label", &full));
    place.write("bare.csv", table("image,text", &|row| format!("{},{}", picture(row), text(row))));
    // All of the third row group, and one row elsewhere.
    let bad = |row: usize| if [4, 5, 8].contains(&row) { "no-picture.png" } else { picture(row) };
    let skipped = |row: usize| format!("r{row},{},{},{}", bad(row), text(row), label(row));
    place.write("skipped.csv", table("id,image,text,label", &skipped));
    place.write("skipped-bare.csv", table("image,text", &|row| format!("{},{}", bad(row), text(row))));
    let is_dropped = |row: usize| [0, 3, 4, 9, 10].contains(&row);
    let gaps = |row: usize| if is_dropped(row) { format!("r{row},{},,", picture(row)) } else { skipped(row) };
    place.write("gaps.csv", table("id,image,text,label", &gaps));
    place
}

fn printed(words: &str, place: &Place) -> Value {
    serde_json::from_str(&stdout(&place.lsmi(&format!("{words} --json")).success())).unwrap()
}

#[test]
fn shards_of_embed_joined_are_the_whole() {
    let place = place();
    for (table, options) in [
        ("full", ""),
        ("bare", ""),
        ("skipped", "--on-error skip"),
        ("skipped-bare", "--on-error skip"),
        ("gaps", "--on-error skip --missing drop"),
    ] {
        let embed = format!("embed {table}.csv {MODELS} {GROUPS} {options} --quiet");
        let whole = printed(&format!("{embed} --out whole.safetensors --force"), &place);
        // Six row groups, or three of the table with gaps: in seven parts some have none.
        for of in [1, 2, 3, 7] {
            let name = |part: usize| format!("{table}-{of}-{part}.safetensors");
            let parts: Vec<Value> = (1..=of)
                .map(|part| printed(&format!("{embed} --shard {part}/{of} --out {}", name(part)), &place))
                .collect();
            let sum = |key: &str| parts.iter().map(|part| part[key].as_u64().unwrap()).sum::<u64>();
            for key in ["n", "missing", "truncated"] {
                assert_eq!(sum(key), whole[key], "{table} {key} of {of}");
            }
            let skipped: Vec<&Value> = parts.iter().flat_map(|part| part["skipped"].as_array().unwrap()).collect();
            assert_eq!(skipped, whole["skipped"].as_array().unwrap().iter().collect::<Vec<_>>(), "{table} of {of}");
            if of == 1 {
                assert!(place.bytes(&name(1)) == place.bytes("whole.safetensors"), "{table}");
                continue;
            }
            // 3, 1, 2 of three: an order that is none.
            let order: Vec<String> = (0..of).map(|part| name((part + of - 1) % of + 1)).collect();
            let join = format!("join {} --out joined.safetensors --quiet --force", order.join(" "));
            let joined = printed(&join, &place);
            assert!(place.bytes("joined.safetensors") == place.bytes("whole.safetensors"), "{table} of {of}");
            for key in ["n", "missing", "truncated", "skipped", "classes", "dims", "models"] {
                assert_eq!(joined[key], whole[key], "{table} {key} of {of}");
            }
            assert_eq!((&joined["parts"], &joined["order"][0]), (&of.into(), &name(1).into()));
        }
    }
    assert_eq!(printed("join full-2-1.safetensors full-2-2.safetensors --out j.safetensors", &place)["schema"], 1);
}

#[test]
fn a_shard_looks_at_no_row_of_another() {
    let place = place();
    // The last rows name files that are not there.
    let table = place.text("full.csv");
    let rows: Vec<String> = table
        .lines()
        .enumerate()
        .map(|(line, row)| if line > 8 { row.replace(".png", "-gone.png") } else { row.to_owned() })
        .collect();
    place.write("full.csv", rows.join("\n"));
    let embed = format!("embed full.csv {MODELS} {GROUPS}");
    let told = place.lsmi(&format!("{embed} --shard 1/2 --out 1.safetensors")).success();
    assert!(stderr(&told).contains("shard 1/2: 6 rows of 32 + 32 columns in 1.safetensors"), "{}", stderr(&told));
    // Rows are counted in the whole table; ids are checked there, too.
    let message = stderr(&place.lsmi(&format!("{embed} --shard 2/2 --out 2.safetensors")).code(3));
    assert!(message.contains("row 9 (id `r8`)"), "{message}");
    place.write("full.csv", place.text("full.csv").replace("r10,", "r9,"));
    let message = stderr(&place.lsmi(&format!("{embed} --shard 1/2 --out 3.safetensors")).code(3));
    assert!(message.contains("rows 10 and 11 have the same id `r9`"), "{message}");
}

#[test]
fn a_shard_goes_on_after_an_end() {
    let place = place();
    let embed = format!("embed skipped.csv {MODELS} --rows-of-a-group 2 --threads 1");
    let shard = format!("{embed} --shard 2/2 --out 2.safetensors");
    place.lsmi(&shard).code(3);
    let manifest = place.text("2.safetensors.partial/manifest.json");
    assert!(manifest.contains(r#""shard": "2/2""#), "{manifest}");
    let message = stderr(&place.lsmi(&format!("{embed} --shard 1/2 --out 2.safetensors")).code(2));
    assert!(message.contains("shard is 1/2, but was 2/2"), "{message}");
    fs::copy(place.path("gradient.png"), place.path("no-picture.png")).unwrap();
    let told = stderr(&place.lsmi(&shard).success());
    assert!(told.contains("1 of 3 row groups were finished before; going on from there"), "{told}");
    place.lsmi(&format!("{embed} --shard 1/2 --out 1.safetensors")).success();
    place.lsmi(&format!("{embed} --out whole.safetensors")).success();
    place.lsmi("join 2.safetensors 1.safetensors --out joined.safetensors").success();
    assert!(place.bytes("joined.safetensors") == place.bytes("whole.safetensors"));
}

#[test]
fn a_shard_that_was_killed_goes_on() {
    let place = place();
    let rows: Vec<String> = (0..240).map(|row| format!("{row},gradient.png,a red square {row}")).collect();
    place.write("long.csv", format!("id,image,text\n{}\n", rows.join("\n")));
    let embed = format!("embed long.csv {MODELS} --rows-of-a-group 2 --threads 1");
    let shard = format!("{embed} --shard 2/2 --out 2.safetensors");
    place.kill_when(&shard, |place| place.path("2.safetensors.partial/part-00000003").exists());
    assert!(!place.path("2.safetensors").exists());
    let told = stderr(&place.lsmi(&shard).success());
    assert!(told.contains("of 60 row groups were finished before"), "{told}");
    place.lsmi(&format!("{embed} --shard 1/2 --out 1.safetensors")).success();
    place.lsmi(&format!("{embed} --out whole.safetensors")).success();
    place.lsmi("join 1.safetensors 2.safetensors --out joined.safetensors").success();
    assert!(place.bytes("joined.safetensors") == place.bytes("whole.safetensors"));
}

/// Whatever is refused leaves nothing.
fn refused(place: &Place, words: &str, status: i32, expected: &str) {
    let before = place.names(".");
    let told = place.lsmi(&format!("join {words}")).code(status);
    let message = stderr(&told);
    assert!(message.contains(expected), "{words}: {message}");
    assert_eq!(stdout(&told), "", "{words}");
    assert_eq!(place.names("."), before, "{words}");
}

#[test]
fn parts_that_do_not_make_a_whole_are_refused() {
    let place = place();
    let embed = |table: &str, words: &str, out: &str| {
        place.lsmi(&format!(
            "embed {table}.csv {MODELS} {GROUPS} --on-error skip {words} --out {out}.safetensors --quiet"
        ));
        assert!(place.path(&format!("{out}.safetensors")).exists(), "{out}");
    };
    let table = place.text("full.csv");
    place.write("bad.csv", table.replace("elephant.png", "no-picture.png").replace("gradient.png", "no-picture.png"));
    for part in 1..=3 {
        embed("full", &format!("--shard {part}/3"), &format!("{part}"));
        embed("bad", &format!("--shard {part}/3"), &format!("bad{part}"));
    }
    embed("full", "", "whole");
    embed("full", "--shard 2/4", "2of4");
    embed("full", "--shard 2/3 --pooling mean", "mean");
    embed("full", "--shard 2/3 --batch 3", "batch");
    embed("bare", "--shard 2/3", "bare");
    // Ids of the first part stand in the second, which the table had not when the first was made.
    place.write("other.csv", table.replace("r0,", "rx,").replace("r4,", "r0,"));
    embed("other", "--shard 2/3", "other");
    // Another row.
    place.write("longer.csv", format!("{table}r11,elephant.png,blue,b\n"));
    embed("longer", "--shard 2/3", "longer");
    place.write("copy.safetensors", place.bytes("1.safetensors"));
    let bytes = place.bytes("2.safetensors");
    place.write("cut.safetensors", &bytes[..bytes.len() - 1]);
    place.write("stub.safetensors", &bytes[..100]);
    place.write("none.safetensors", "none");
    place.write("old.safetensors", "old");
    for (words, status, expected) in [
        ("1 3", 3, "of 3 parts these are missing: 2"),
        ("1", 3, "of 3 parts these are missing: 2, 3"),
        ("1 2 3 copy", 3, "1.safetensors and copy.safetensors: both are part 1 of 3"),
        ("1 2of4 3", 3, "2of4.safetensors: is one of 4 parts, but 1.safetensors is one of 3"),
        ("1 mean 3", 3, "mean.safetensors: is part of another job than 1.safetensors, from which it differs in x"),
        (
            "1 batch 3",
            3,
            "batch.safetensors: is part of another job than 1.safetensors, from which it differs in its table or options",
        ),
        ("1 longer 3", 3, "longer.safetensors: is part of another job"),
        ("1 bare 3", 3, "bare.safetensors: is part of another job"),
        ("1 other 3", 3, "1.safetensors and other.safetensors: the id `r0` is there twice"),
        ("whole", 3, "whole.safetensors: is no part of several"),
        ("1 whole 3", 3, "hint: lsmi embed --shard I/N writes parts"),
        ("1 cut 3", 3, "cut.safetensors: is damaged or cut off: its header announces"),
        ("1 stub 3", 3, "stub.safetensors: is damaged or cut off: it ends within its header, after 100 bytes"),
        ("none 2 3", 3, "none.safetensors: is damaged or cut off: it ends within its header"),
        ("1 gone 3", 3, "gone.safetensors: cannot be read"),
        ("bad1 bad2 bad3", 3, "not one row could be embedded in any part; row 1 (id `r0`): "),
    ] {
        let parts: Vec<String> = words.split(' ').map(|part| format!("{part}.safetensors")).collect();
        refused(&place, &format!("{} --out new.safetensors", parts.join(" ")), status, expected);
    }
    let three = "1.safetensors 2.safetensors 3.safetensors";
    for (words, expected) in [
        (format!("{three} --out old.safetensors"), "--force"),
        (format!("{three} --out 2.safetensors --force"), "both input and output"),
        (format!("{three} --out new.csv"), "1.safetensors: has another format than new.csv"),
        (format!("{three} full.csv --out new.safetensors"), "full.csv: has another format than new.safetensors"),
        (format!("{three} --out new.npz"), "new.npz: parts are .safetensors"),
        ("--out new.safetensors".to_owned(), "PART"),
    ] {
        refused(&place, &words, 2, expected);
    }
    assert_eq!(place.text("old.safetensors"), "old");
    place.lsmi(&format!("join {three} --out old.safetensors --force")).success();
    assert!(place.bytes("old.safetensors") == place.bytes("whole.safetensors"));
}

/// A place with an estimator and `data.safetensors` of 500 rows.
fn scored_place() -> Place {
    let place = Place::new();
    place.simulate("xor --n 90 --dims 2", "train.safetensors");
    place.simulate("xor --n 500 --dims 2 --seed 1", "data.safetensors");
    place.lsmi("fit train.safetensors --folds 2 --out e.safetensors --quiet").success();
    place
}

const SCORE: &str = "score data.safetensors --estimator e.safetensors --quiet --rows-of-a-group 64";

#[test]
fn shards_of_score_joined_are_the_whole() {
    let place = scored_place();
    for format in ["csv", "jsonl", "parquet"] {
        place.lsmi(&format!("{SCORE} --out whole.{format}")).success();
        // Eight row groups: of eleven parts some have none.
        for of in [3, 11] {
            for part in 1..=of {
                place.lsmi(&format!("{SCORE} --shard {part}/{of} --out part-{of}-{part}.{format}")).success();
            }
            // As a shell lists them: 1, 10, 11, 2, ...
            let mut names: Vec<String> = (1..=of).map(|part| format!("part-{of}-{part}.{format}")).collect();
            names.sort();
            let told = place
                .lsmi(&format!("join {} --rows 500 --out joined.{format} --force --json", names.join(" ")))
                .success();
            let expected =
                format!("in the order of their numbers, from part-{of}-1.{format} to part-{of}-{of}.{format}");
            assert!(stderr(&told).contains(&expected), "{}", stderr(&told));
            let printed: Value = serde_json::from_str(&stdout(&told)).unwrap();
            assert_eq!((&printed["n"], &printed["parts"], &printed["schema"]), (&500.into(), &of.into(), &1.into()));
            assert!(
                place.bytes(&format!("joined.{format}")) == place.bytes(&format!("whole.{format}")),
                "{format} {of}"
            );
            assert_eq!(stderr(&place.lsmi(&format!("join {} --out q.{format} --force --quiet", names.join(" ")))), "");
        }
    }
}

#[test]
fn names_without_numbers_are_taken_as_they_are_given() {
    let place = scored_place();
    for (part, name) in [(1, "night"), (2, "day")] {
        place.lsmi(&format!("{SCORE} --shard {part}/2 --out {name}.csv")).success();
    }
    place.lsmi(&format!("{SCORE} --out whole.csv")).success();
    let told = place.lsmi("join night.csv day.csv --out joined.csv").success();
    assert!(!stderr(&told).contains("numbers"), "{}", stderr(&told));
    assert!(place.bytes("joined.csv") == place.bytes("whole.csv"));
    place.lsmi("join day.csv night.csv --out other.csv").success();
    assert!(place.bytes("other.csv") != place.bytes("whole.csv"));
}

#[test]
fn samples_that_do_not_go_together_are_refused() {
    let place = scored_place();
    for format in ["csv", "jsonl", "parquet"] {
        for part in 1..=3 {
            place.lsmi(&format!("{SCORE} --shard {part}/3 --out p{part}.{format}")).success();
        }
        place.lsmi(&format!("{SCORE} --shard 2/3 --measures sx --out sx.{format}")).success();
        let bytes = place.bytes(&format!("p2.{format}"));
        place.write(&format!("cut.{format}"), &bytes[..bytes.len() - 10]);
        let of = |names: &str| names.split(' ').map(|name| format!("{name}.{format}")).collect::<Vec<_>>().join(" ");
        for (names, status, expected) in [
            ("p1 p3", 2, "the numbers go from 1"),
            ("p2 p3", 2, "the numbers begin at 2"),
            ("p1 sx", 3, ": has the columns id, split"),
            ("p1 cut", 3, ": is damaged or cut off"),
            ("sx sx", 2, ": is there twice"),
            ("p1 gone", 3, ": cannot be read"),
        ] {
            let expected =
                if format == "parquet" && names == "p1 sx" { ": has the columns REQUIRED" } else { expected };
            refused(&place, &format!("{} --out new.{format}", of(names)), status, expected);
        }
    }
    fs::copy(place.path("p1.csv"), place.path("p01.csv")).unwrap();
    place.write("mine.csv", "id,value\na,1\n");
    place.write("mine.jsonl", "{\"id\": \"a\"}\n");
    place.write("empty.csv", "");
    for (words, status, expected) in [
        ("p1.csv p01.csv --out new.csv", 2, "both have the number 1"),
        ("mine.csv p1.csv --out new.csv", 3, "mine.csv: holds no samples"),
        ("mine.jsonl p1.jsonl --out new.jsonl", 3, "mine.jsonl: holds no samples"),
        ("empty.csv p1.csv --out new.csv", 3, "it has no header"),
        ("p1.csv p2.jsonl --out new.csv", 2, "p2.jsonl: has another format than new.csv"),
        ("p1.csv p2.csv --rows 500 --out new.csv", 3, "rows, but should have 500"),
        ("p1.csv p2.csv --out p3.csv", 2, "--force"),
        ("p1.csv p2.csv --out p2.csv --force", 2, "both input and output"),
    ] {
        refused(&place, words, status, expected);
    }
}
