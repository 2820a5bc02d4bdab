//! From a table to vectors: in memory and in a file, followed, cancelled, and gone on with.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set itself up has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use candle_core::Device;
use crossbeam_channel::unbounded;
use lsmi_candle::embedding::embedder::{Embedder, Options};
use lsmi_candle::embedding::manifests::{Asked, Modality, of_directory};
use lsmi_candle::embedding::pipeline::table::{Columns, InputColumn, OptionalColumn};
use lsmi_candle::embedding::pipeline::{
    Encoding, FeatureParts, JoinError, PipelineError, Plan, Progress, Settings, Skipped, Unreadable, Watch,
};
use lsmi_candle::features::{Format, Keys, read_bytes};
use lsmi_candle::files::{JobState, WriteObserver};
use lsmi_candle::jobs::{Shard, directory_of};
use tempfile::TempDir;

const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
    "model": {"type": "WordLevel", "unk_token": "[UNK]",
        "vocab": {"[PAD]": 0, "[UNK]": 1, "red": 2, "blue": 3, "square": 4, "circle": 5, "a": 6}}}"#;
const PREPROCESSOR: &str = r#"{"image_processor_type": "ViTImageProcessor", "do_resize": true, "do_rescale": true,
    "do_normalize": true, "size": {"height": 32, "width": 32}, "resample": 2, "rescale_factor": 0.00392156862745098,
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#;
const ROWS: usize = 7;

/// A directory with a table of seven rows, of which the fifth has no picture.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for (model, file, content) in
        [("tiny-vit", "preprocessor_config.json", PREPROCESSOR), ("tiny-bert", "tokenizer.json", TOKENIZER)]
    {
        let directory = place.path().join(model);
        fs::create_dir(&directory).unwrap();
        for name in ["config.json", "model.safetensors"] {
            fs::copy(fixtures.join("encoders").join(model).join(name), directory.join(name)).unwrap();
        }
        fs::write(directory.join(file), content).unwrap();
    }
    for (from, to) in [("gradient.png", "g.png"), ("elephant.png", "e.png")] {
        fs::copy(fixtures.join("preprocess").join(from), place.path().join(to)).unwrap();
    }
    fs::write(place.path().join("no.png"), "a text").unwrap();
    let row = |row: usize| {
        let file = if row == 4 { "no.png" } else { ["g.png", "e.png"][row % 2] };
        format!("id{row},{file},{},{}\n", ["a red square", "blue"][row % 2], ["dog", "cat"][row % 2])
    };
    fs::write(
        place.path().join("table.csv"),
        format!("id,image,text,label\n{}", (0..ROWS).map(row).collect::<String>()),
    )
    .unwrap();
    place
}

fn settings(place: &Path, unreadable: Unreadable) -> Settings {
    let input = |name: &str, modality| InputColumn { name: name.to_owned(), modality };
    let needed = |name: &str| OptionalColumn { name: name.to_owned(), is_needed: true };
    let columns = Columns {
        inputs: vec![input("image", Modality::Image), input("text", Modality::Text)],
        label: needed("label"),
        id: needed("id"),
    };
    let settings = Settings::new(place.join("table.csv"), columns);
    Settings { unreadable, batch: 4, rows_of_a_group: 2, threads: 2, ..settings }
}

fn encodings(place: &Path) -> Vec<Encoding> {
    [("tiny-vit", "image", Modality::Image), ("tiny-bert", "text", Modality::Text)]
        .map(|(model, column, modality)| {
            let model = of_directory(&place.join(model), Asked::of(modality)).unwrap();
            let embedder = Embedder::load(&model, &Options::default(), &Device::Cpu).unwrap();
            Encoding { modality, column: column.to_owned(), embedder: Arc::new(embedder) }
        })
        .into()
}

#[test]
fn a_file_holds_what_is_in_memory() {
    let place = place();
    let plan = Plan::read(settings(place.path(), Unreadable::Skip)).unwrap();
    let encodings = encodings(place.path());
    assert_eq!((plan.rows(), plan.groups()), (ROWS, 4));

    let embedded = plan.embed(&encodings, &Watch::default()).unwrap();
    assert_eq!(embedded.rows.places, [0, 1, 2, 3, 5, 6]);
    assert_eq!(embedded.rows.ids.as_ref().unwrap()[4], "id5");
    assert_eq!(embedded.rows.classes.as_deref(), Some(&["cat".to_owned(), "dog".to_owned()][..]));
    let [Skipped { row: 5, id: Some(id), reason }] = &embedded.rows.skipped[..] else {
        panic!("{:?}", embedded.rows.skipped)
    };
    assert!(id == "id4" && reason.contains("no.png"), "{reason}");
    assert_eq!((embedded.widths.as_slice(), embedded.vectors[0].len()), (&[32, 32][..], 6 * 32));
    assert!(embedded.metadata["x1_model"].contains("tiny-vit"));
    // The texts of rows 0 and 2 are one, those of 0 and 1 are not.
    let text = |row: usize| &embedded.vectors[1][row * 32..][..32];
    assert!(text(0) == text(2) && text(0) != text(1));

    let output = place.path().join("new/f.safetensors");
    let rows = plan.embed_to_file(&encodings, &output, false, &Watch::default()).unwrap();
    assert_eq!(rows, embedded.rows);
    let mut written = Vec::new();
    embedded.write(&mut written).unwrap();
    assert!(fs::read(&output).unwrap() == written);
    assert!(!directory_of(&output).exists());
    let file = read_bytes("f", &written, Format::SafeTensors, &Keys::default()).unwrap();
    let features = &file.splits[0].features;
    assert_eq!((features.ids.get(4).as_ref(), &features.labels[..]), ("id5", &[1, 0, 1, 0, 0, 1][..]));
    assert!(features.x1.values().iter().zip(&embedded.vectors[0]).all(|(read, made)| *read == f64::from(*made)));
}

#[test]
fn shards_are_parts_of_the_whole() {
    let place = place();
    let encodings = encodings(place.path());
    let plan = |shard| Plan::read(Settings { shard, ..settings(place.path(), Unreadable::Skip) }).unwrap();
    let whole = plan(Shard::WHOLE).embed(&encodings, &Watch::default()).unwrap();
    assert!(!whole.metadata.contains_key("shard"));
    let mut written = Vec::new();
    whole.write(&mut written).unwrap();
    // Four row groups: the first of six parts has none.
    for of in [2, 3, 6] {
        let (mut paths, mut places, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for index in (1..=of).rev() {
            let plan = plan(Shard::new(index, of).unwrap());
            let path = place.path().join(format!("{index}-of-{of}.safetensors"));
            let rows = plan.embed_to_file(&encodings, &path, false, &Watch::default()).unwrap();
            assert_eq!(plan.rows(), rows.len() + rows.skipped.len());
            let embedded = plan.embed(&encodings, &Watch::default()).unwrap();
            assert_eq!(embedded.rows, rows);
            let mut in_memory = Vec::new();
            embedded.write(&mut in_memory).unwrap();
            assert!(fs::read(&path).unwrap() == in_memory);
            places.splice(0..0, rows.places);
            skipped.splice(0..0, rows.skipped);
            paths.push(path);
        }
        assert_eq!((&places, &skipped), (&whole.rows.places, &whole.rows.skipped));
        let joined = FeatureParts::open(&paths).unwrap();
        assert_eq!((joined.rows(), joined.classes()), (6, whole.rows.classes.as_deref()));
        let mut bytes = Vec::new();
        joined.write(&mut bytes).unwrap();
        assert!(bytes == written, "{of}");
        let missing = FeatureParts::open(&paths[1..]).unwrap_err();
        assert!(matches!(&missing, JoinError::Missing { missing, .. } if *missing == [of]), "{missing}");
    }
    assert!(matches!(FeatureParts::open(&[] as &[PathBuf]), Err(JoinError::NoFiles)));
}

/// What a batch holds depends on the table alone.
#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let place = place();
    let word = |row: usize| ["red", "blue", "a", "square", "circle"][row * row % 5];
    let text = |row: usize| (0..=row * 7 % 11).map(|at| word(row + at)).collect::<Vec<_>>().join(" ");
    let row = |row: usize| {
        let file = if row == 17 { "no.png" } else { ["g.png", "e.png"][row % 2] };
        format!("id{row},{file},{},dog\n", text(row))
    };
    let table = format!("id,image,text,label\n{}", (0..40).map(row).collect::<String>());
    fs::write(place.path().join("table.csv"), table).unwrap();
    let encodings = encodings(place.path());
    // One group, fewer than threads, and more.
    for rows_of_a_group in [64, 20, 3] {
        let written = [1, 2, 3, 8].map(|threads| {
            let settings = Settings { threads, rows_of_a_group, ..settings(place.path(), Unreadable::Skip) };
            let mut bytes = Vec::new();
            Plan::read(settings).unwrap().embed(&encodings, &Watch::default()).unwrap().write(&mut bytes).unwrap();
            bytes
        });
        assert!(written.iter().all(|bytes| *bytes == written[0]), "{rows_of_a_group}");
    }
}

/// A column that is named twice with one model is computed once; vectors are those of the model by itself.
#[test]
fn one_model_may_be_of_several_columns() {
    let place = place();
    let one = encodings(place.path()).swap_remove(1);
    let again = |column: &str| Encoding {
        modality: one.modality,
        column: column.to_owned(),
        embedder: Arc::clone(&one.embedder),
    };
    let usual = settings(place.path(), Unreadable::Fail);
    let input = |name: &str| InputColumn { name: name.to_owned(), modality: Modality::Text };
    // The names of pictures are texts, too.
    let inputs = vec![input("text"), input("text"), input("image")];
    let settings = Settings { columns: Columns { inputs, ..usual.columns.clone() }, ..usual };
    let plan = Plan::read(settings).unwrap();
    let shared = plan.embed(&[again("text"), again("text"), again("image")], &Watch::default()).unwrap();
    assert!(shared.vectors[0] == shared.vectors[1] && shared.vectors[0] != shared.vectors[2]);

    let loaded = |column: &str| {
        let encoding = encodings(place.path()).swap_remove(1);
        Encoding { column: column.to_owned(), ..encoding }
    };
    let apart = plan.embed(&[loaded("text"), loaded("text"), loaded("image")], &Watch::default()).unwrap();
    assert_eq!(apart, shared);
}

/// Parts come from other machines: whatever they hold, they are joined or refused, without a panic or a flood of memory.
#[test]
fn damaged_parts_are_refused() {
    let place = place();
    let encodings = encodings(place.path());
    let paths = [1, 2].map(|index| {
        let shard = Shard::new(index, 2).unwrap();
        let plan = Plan::read(Settings { shard, ..settings(place.path(), Unreadable::Skip) }).unwrap();
        let path = place.path().join(format!("{index}.safetensors"));
        plan.embed_to_file(&encodings, &path, false, &Watch::default()).unwrap();
        path
    });
    let join = || FeatureParts::open(&paths).and_then(|parts| parts.write(&mut std::io::sink()));
    join().unwrap();
    let bytes = fs::read(&paths[0]).unwrap();
    for length in 0..bytes.len() {
        fs::write(&paths[0], &bytes[..length]).unwrap();
        assert!(matches!(join(), Err(JoinError::Damaged { .. })), "{length}");
    }
    let header = 8 + usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    // The header and the labels, which follow it; each byte becomes another digit, bracket or letter.
    for at in 0..header + 4 * 8 {
        for other in [b'0', b'9', b'}', bytes[at] ^ 1] {
            let mut changed = bytes.clone();
            changed[at] = other;
            fs::write(&paths[0], &changed).unwrap();
            let _ = join();
        }
    }
    // It says that there are very many parts, of which it is the first.
    let text = String::from_utf8(bytes[8..header].to_vec()).unwrap();
    let many = text.replacen(r#"\"of\":2"#, r#"\"of\":9000000000000000000"#, 1).replacen(
        r#"{\"start\":0,\"end\":2}"#,
        r#"{\"start\":0,\"end\":0}"#,
        1,
    );
    assert_ne!(many, text);
    let changed = [&(many.len() as u64).to_le_bytes(), many.as_bytes(), &bytes[header..]].concat();
    fs::write(&paths[0], changed).unwrap();
    let refused = FeatureParts::open(&paths[..1]).unwrap_err();
    assert!(matches!(&refused, JoinError::Missing { missing, .. } if missing.len() == 20), "{refused}");
}

/// Notes how far jobs are.
#[derive(Default)]
struct Notes(Mutex<Vec<Option<(usize, usize)>>>);

impl WriteObserver for Notes {
    fn job(&self, state: Option<JobState>) {
        self.0.lock().unwrap().push(state.map(|state| (state.finished, state.all)));
    }
}

#[test]
fn what_was_cancelled_goes_on() {
    let place = place();
    let plan = Plan::read(settings(place.path(), Unreadable::Skip)).unwrap();
    let encodings = encodings(place.path());
    let output = place.path().join("f.safetensors");
    let cancel = AtomicBool::new(true);
    let watch = Watch { cancel: Some(&cancel), ..Watch::default() };
    assert!(matches!(plan.embed_to_file(&encodings, &output, false, &watch), Err(PipelineError::Cancelled)));
    // Nothing was finished, so nothing is left.
    assert!(!directory_of(&output).exists());

    // A row that cannot be embedded, in the third group, ends it when two are finished.
    let strict = Plan::read(settings(place.path(), Unreadable::Fail)).unwrap();
    let refused = strict.embed_to_file(&encodings, &output, false, &Watch::default()).unwrap_err();
    assert!(matches!(&refused, PipelineError::Row { skipped: Skipped { row: 5, .. }, .. }), "{refused}");

    cancel.store(false, Ordering::Relaxed);
    let (sender, receiver) = unbounded();
    let notes = Notes::default();
    let watch = Watch { progress: Some(sender), cancel: Some(&cancel), writes: &notes };
    plan.embed_to_file(&encodings, &output, false, &watch).unwrap();
    drop(watch);
    let told: Vec<Progress> = receiver.iter().collect();
    assert_eq!(told[0], Progress::Begun { finished: 2, groups: 4, rows_left: 3 });
    assert_eq!(told[1..], [Progress::Rows(2), Progress::Rows(1)]);
    let notes = notes.0.into_inner().unwrap();
    assert_eq!(notes[..3], [Some((2, 4)), Some((3, 4)), Some((4, 4))]);
    assert_eq!(notes.last(), Some(&None));

    let whole = place.path().join("whole.safetensors");
    plan.embed_to_file(&encodings, &whole, false, &Watch::default()).unwrap();
    assert!(fs::read(&output).unwrap() == fs::read(&whole).unwrap());
}

#[test]
fn tables_that_cannot_be_used_are_told_before_any_model_is_loaded() {
    let place = place();
    let read = |rows: &str| {
        fs::write(place.path().join("table.csv"), format!("id,image,text,label\n{rows}")).unwrap();
        Plan::read(settings(place.path(), Unreadable::Fail)).unwrap_err()
    };
    assert!(matches!(read(""), PipelineError::NoRows { .. }));
    let refused = read("a,g.png,red,cat\nb,g.png,red,cat\na,g.png,red,dog\n");
    assert!(matches!(refused, PipelineError::RepeatedId { first: 1, second: 3, .. }), "{refused}");
    assert!(matches!(read("a,g.png,red,\n"), PipelineError::Table(_)));
    let nothing_at_a_time = Settings { batch: 0, ..settings(place.path(), Unreadable::Fail) };
    assert!(matches!(Plan::read(nothing_at_a_time), Err(PipelineError::Setting { name: "batch" })));
}

/// A feature file with such a header could be written, and read by nobody.
#[test]
fn ids_without_room_in_the_header_are_told_before_any_model_is_loaded() {
    let place = place();
    let row = |row: usize| format!("{row}{},g.png,blue,cat\n", "i".repeat(3_500_000));
    let table = format!("id,image,text,label\n{}", (0..30).map(row).collect::<String>());
    fs::write(place.path().join("table.csv"), table).unwrap();
    let settings = settings(place.path(), Unreadable::Fail);
    let error = Plan::read(settings.clone()).unwrap_err();
    assert!(matches!(error, PipelineError::ManyIds { rows: 30, bytes: 105_000_200, .. }), "{error}");
    let half = Settings { shard: Shard::new(1, 2).unwrap(), ..settings };
    assert_eq!(Plan::read(half).unwrap().rows(), 14);
}

#[test]
fn encoders_of_other_columns_are_refused() {
    let place = place();
    let plan = Plan::read(settings(place.path(), Unreadable::Skip)).unwrap();
    let mut encodings = encodings(place.path());
    encodings.reverse();
    let refused = plan.embed(&encodings, &Watch::default()).unwrap_err().to_string();
    assert!(
        refused.ends_with("`image` (image), `text` (text), but the encoders are of `text` (text), `image` (image)")
    );
}

/// Not one row: the reason is that of the first.
#[test]
fn nothing_that_can_be_embedded_is_an_error() {
    let place = place();
    fs::write(place.path().join("table.csv"), "id,image,text,label\na,no.png,red,cat\n").unwrap();
    let plan = Plan::read(settings(place.path(), Unreadable::Skip)).unwrap();
    let output: PathBuf = place.path().join("f.safetensors");
    let refused = plan.embed_to_file(&encodings(place.path()), &output, false, &Watch::default()).unwrap_err();
    assert!(matches!(refused, PipelineError::NothingEmbedded { first: Some(_), .. }), "{refused}");
    assert!(!output.exists());
}

/// Settings and encoders of a table of videos and texts, of which a row is a row group.
fn videos(place: &Path, unreadable: Unreadable) -> (Settings, Vec<Encoding>) {
    let mut settings = settings(place, unreadable);
    settings.columns.inputs[0] = InputColumn { name: "video".to_owned(), modality: Modality::Video };
    settings.rows_of_a_group = 1;
    let model = of_directory(&place.join("videomae"), Asked::of(Modality::Video)).unwrap();
    let embedder = Embedder::load(&model, &Options::default(), &Device::Cpu).unwrap();
    let mut encodings = encodings(place);
    encodings[0] = Encoding { modality: Modality::Video, column: "video".to_owned(), embedder: Arc::new(embedder) };
    (settings, encodings)
}

/// Puts a model of videos, a file and a folder of two frames beside the others; the frame of the lower number is `g.png`.
fn put_videos(place: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for directory in ["videomae", "clip"] {
        fs::create_dir(place.join(directory)).unwrap();
    }
    for name in ["config.json", "model.safetensors"] {
        fs::copy(fixtures.join("encoders/videomae/tuned").join(name), place.join("videomae").join(name)).unwrap();
    }
    let processor = r#"{"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}, "resample": 2,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}"#;
    fs::write(place.join("videomae/preprocessor_config.json"), processor).unwrap();
    fs::copy(fixtures.join("preprocess/motion.avi"), place.join("motion.avi")).unwrap();
    for (from, to) in [("g.png", "clip/9.png"), ("e.png", "clip/10.png")] {
        fs::copy(place.join(from), place.join(to)).unwrap();
    }
}

#[test]
fn videos_are_files_folders_and_lists() {
    let place = place();
    put_videos(place.path());
    let lines = [
        r#"{"id": "folder", "video": "clip", "text": "red", "label": "a"}"#,
        r#"{"id": "list", "video": "clip/9.png; clip/10.png", "text": "red", "label": "a"}"#,
        r#"{"id": "array", "video": ["g.png", "e.png"], "text": "red", "label": "a"}"#,
        r#"{"id": "backwards", "video": ["e.png", "g.png"], "text": "red", "label": "a"}"#,
        r#"{"id": "file", "video": "motion.avi", "text": "red", "label": "a"}"#,
        r#"{"id": "absent", "video": "g.png;frames/7.png", "text": "red", "label": "a"}"#,
        r#"{"id": "hole", "video": "g.png;;e.png", "text": "red", "label": "a"}"#,
        r#"{"id": "text", "video": ["g.png", "no.png"], "text": "red", "label": "a"}"#,
        r#"{"id": "empty", "video": [], "text": "red", "label": "a"}"#,
        r#"{"id": "pictureless", "video": "tiny-bert", "text": "red", "label": "a"}"#,
    ];
    fs::write(place.path().join("table.jsonl"), lines.join("\n")).unwrap();
    let (settings, encodings) = videos(place.path(), Unreadable::Skip);
    let plan = Plan::read(Settings { table: place.path().join("table.jsonl"), ..settings }).unwrap();
    let embedded = plan.embed(&encodings, &Watch::default()).unwrap();
    assert_eq!(embedded.rows.places, [0, 1, 2, 3, 4]);
    let width = embedded.widths[0];
    let vector = |row: usize| &embedded.vectors[0][row * width..][..width];
    // In natural order: 9 comes before 10.
    assert!(vector(1) == vector(0) && vector(2) == vector(0));
    assert!(vector(3) != vector(0) && vector(4) != vector(0));
    assert!(embedded.metadata["x1_model"].contains(r#""frames":4"#), "{}", embedded.metadata["x1_model"]);
    let reasons = [
        "frames/7.png: ",
        "`video` names no file as frame 1, counted from 0",
        "no.png",
        "`video` is empty",
        "has no frames: the folder has no pictures",
    ];
    assert_eq!(embedded.rows.skipped.len(), reasons.len());
    for (skipped, reason) in embedded.rows.skipped.iter().zip(reasons) {
        assert!(skipped.reason.contains(reason), "{skipped:?}");
    }
}

/// The folder itself has no other time where a frame is written over.
#[test]
fn a_frame_that_was_changed_makes_its_row_group_anew() {
    let place = place();
    put_videos(place.path());
    let table = "id,video,text,label\na,clip,red,cat\nb,g.png;e.png,red,cat\nc,g.png;late.png,red,dog\n";
    fs::write(place.path().join("table.csv"), table).unwrap();
    let output = place.path().join("f.safetensors");
    let (settings, encodings) = videos(place.path(), Unreadable::Fail);
    let embed = |progress| {
        let watch = Watch { progress, ..Watch::default() };
        Plan::read(settings.clone()).unwrap().embed_to_file(&encodings, &output, false, &watch)
    };
    let refused = embed(None).unwrap_err();
    assert!(
        matches!(&refused, PipelineError::Row { skipped: Skipped { row: 3, reason, .. }, .. }
        if reason.starts_with("late.png: ")),
        "{refused}"
    );
    fs::copy(place.path().join("e.png"), place.path().join("clip/9.png")).unwrap();
    fs::copy(place.path().join("g.png"), place.path().join("late.png")).unwrap();
    let (sender, receiver) = unbounded();
    embed(Some(sender)).unwrap();
    let told: Vec<Progress> = receiver.iter().collect();
    assert_eq!(told[0], Progress::Begun { finished: 1, groups: 3, rows_left: 2 });
    let made = fs::read(&output).unwrap();
    let mut fresh = Vec::new();
    Plan::read(settings.clone()).unwrap().embed(&encodings, &Watch::default()).unwrap().write(&mut fresh).unwrap();
    assert!(made == fresh);
}
