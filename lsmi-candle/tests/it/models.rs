//! Manifests, and what directories of models say of themselves.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::fs;
use std::path::Path;

use lsmi_candle::embedding::encoders::Config;
use lsmi_candle::embedding::hub::{Hub, HubConfig};
use lsmi_candle::embedding::manifests::{
    Architecture, Asked, Description, Manifest, Modality, ModelError, ModelRef, Preprocessing, Registry, known,
    known_in_cache, model_ref, of_directory, resolve,
};
use lsmi_candle::embedding::preprocess::image::{Filter, Resize};
use tempfile::TempDir;

/// A directory with these files and weights.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files.iter().chain(&[("model.safetensors", "weights"), ("tokenizer.json", "{}")]) {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

fn offline(place: &Path) -> Hub {
    let config = HubConfig::from_variables(|_| None, Some(place)).unwrap();
    Hub::new(HubConfig { offline: true, ..config })
}

fn described(files: &[(&str, &str)], modality: Option<Modality>) -> Result<Description, ModelError> {
    let directory = directory(files);
    let asked = Asked { modality, ..Asked::default() };
    of_directory(directory.path(), asked).map(|resolved| resolved.description)
}

const MINILM: &str = r#"{"model_type": "bert", "hidden_size": 384, "max_position_embeddings": 512}"#;

/// Architectures that no manifest describes: repositories have no weights as `.safetensors`, or vectors go through layers that a
/// manifest has no fields for.
const WITHOUT_MANIFEST: [Architecture; 7] = [
    Architecture::DebertaV2,
    Architecture::Gemma3,
    Architecture::Qwen2,
    Architecture::Mistral,
    Architecture::Hubert,
    Architecture::WavLm,
    Architecture::Data2VecAudio,
];

/// The folder holds what is built in and nothing else, and each file is what the README lists.
#[test]
fn every_manifest_is_built_in() {
    let registry = Registry::built_in().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    assert_eq!(Registry::with_folder(&folder).unwrap(), registry);
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    for manifest in registry.iter() {
        let row = format!(
            "| `{}.toml` | {} | {} | {} |",
            manifest.name, manifest.modality, manifest.embedding_width, manifest.licence
        );
        assert!(readme.contains(&row), "{row}");
    }
    let files = fs::read_dir(folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "toml"));
    assert_eq!(files.count(), registry.iter().count());
    for architecture in Architecture::ALL.iter().filter(|architecture| !WITHOUT_MANIFEST.contains(architecture)) {
        assert!(registry.iter().any(|manifest| manifest.architecture == *architecture), "{architecture}");
    }
}

#[test]
fn a_manifest_says_itself_what_is_wrong_with_it() {
    let good = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/minilm-l6-v2.toml")).unwrap();
    Manifest::parse(&good, "x.toml").unwrap();
    for (from, to, expected) in [
        ("modality = \"text\"", "modality = \"smell\"", "modality"),
        ("modality = \"text\"", "modality = \"image\"", "[preprocessing] of image"),
        ("architecture = \"bert\"", "architecture = \"vit\"", "`modality` is `text`, but vit does not read that"),
        ("embedding_width = 384", "embedding_width = 0", "`embedding_width` is `0`"),
        ("embedding_width = 384", "width = 384", "unknown field `width`"),
        ("revision = \"1110", "revision = \"main", "`revision` is `main"),
        ("path = \"config.json\"", "path = \"../config.json\"", "`files.path` is `../config.json`"),
        ("path = \"config.json\"", "path = \"tokenizer.json\"", "must be there only once"),
        ("path = \"model.safetensors\"", "path = \"model.bin\"", "must list the weights"),
        ("sha256 = \"953f", "sha256 = \"XYZ\"\n# ", "`files.sha256` is `XYZ`"),
        ("max_tokens = 256", "max_tokens = 0", "`preprocessing.max_tokens` is `0`, but must be at least 1"),
    ] {
        assert!(good.contains(from), "{from}");
        let message = Manifest::parse(&good.replace(from, to), "x.toml").unwrap_err().to_string();
        assert!(message.starts_with("x.toml: ") && message.contains(expected), "{message}");
    }
}

/// The prompts of a manifest become those of the model, and a default must be one of them.
#[test]
fn a_manifest_brings_prompts() {
    let good = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/minilm-l6-v2.toml")).unwrap();
    let with = |default: &str| {
        let prompts = "[prompts]\nquery = \"query: \"\npassage = \"passage: \"\n\n[preprocessing]";
        let text = good.replace("normalize = true", &format!("normalize = true\ndefault_prompt = \"{default}\""));
        Manifest::parse(&text.replace("[preprocessing]", prompts), "x.toml")
    };
    let description = Description::from(&with("query").unwrap());
    assert_eq!(description.prompts.default.as_deref(), Some("query"));
    assert_eq!(description.prompts.texts["passage"], "passage: ");
    let message = with("question").unwrap_err().to_string();
    assert!(message.contains("`default_prompt` is `question`, but must be the name of one of [prompts]"), "{message}");
}

#[test]
fn image_processors_of_several_years() {
    let read = |config: &str, processor: &str, modality| {
        let files = [("config.json", config), ("preprocessor_config.json", processor)];
        match described(&files, modality).unwrap().preprocessing.unwrap() {
            Preprocessing::Image(image) => (image.resize, image.resize_to, image.filter, image.size),
            other => panic!("{other:?}"),
        }
    };
    let levels = r#""image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]"#;
    let clip = r#"{"model_type": "clip"}"#;
    for processor in [
        format!(r#"{{"size": 224, "crop_size": 224, "resample": 3, {levels}}}"#),
        format!(
            r#"{{"size": {{"shortest_edge": 224}}, "crop_size": {{"height": 224, "width": 224}}, "resample": 3, {levels}}}"#
        ),
    ] {
        let found = read(clip, &processor, Some(Modality::Image));
        assert_eq!(found, (Resize::ShortestEdge, 224, Filter::Bicubic, 224));
    }
    let vit = r#"{"model_type": "vit", "hidden_size": 768}"#;
    let found = read(vit, &format!(r#"{{"size": {{"height": 224, "width": 224}}, {levels}}}"#), None);
    assert_eq!(found, (Resize::Exact, 224, Filter::Bilinear, 224));
    let resnet = r#"{"model_type": "resnet", "hidden_sizes": [256, 2048]}"#;
    let processor = format!(
        r#"{{"size": 224, "crop_pct": 0.875, "resample": 3, "feature_extractor_type": "ConvNextFeatureExtractor", {levels}}}"#
    );
    assert_eq!(read(resnet, &processor, None), (Resize::ShortestEdge, 256, Filter::Bicubic, 224));
    let message = described(&[("config.json", vit)], None).unwrap_err().to_string();
    assert!(message.contains("there is no preprocessor_config.json"), "{message}");
}

#[test]
fn two_towers_need_a_word() {
    let clip = [("config.json", r#"{"model_type": "clip"}"#)];
    let message = described(&clip, None).unwrap_err().to_string();
    assert!(message.contains("image and text") && message.contains("say which"), "{message}");
    let text = described(&clip, Some(Modality::Text)).unwrap();
    // As is usual for the architecture.
    assert_eq!((text.pooling, text.steps), (None, None));
    let message = described(&[("config.json", MINILM)], Some(Modality::Audio)).unwrap_err().to_string();
    assert!(message.contains("embeds text, but is to embed audio"), "{message}");
}

#[test]
fn what_is_unknown_or_missing_is_named() {
    let message = described(&[("config.json", r#"{"model_type": "mamba"}"#)], None).unwrap_err().to_string();
    assert!(message.contains("`mamba` is not known; known are bert, electra"), "{message}");
    for (config, nearest) in [
        (r#"{"model_type": "deberta"}"#, "`deberta` is not known; the nearest is `deberta-v2`. Its network would have"),
        (r#"{"model_type": "swinv2"}"#, "`swinv2` is not known; the nearest is `swin`"),
        (r#"{"architecture": "beitv2_base_patch16_224"}"#, "the nearest is `vit_`"),
    ] {
        let message = described(&[("config.json", config)], None).unwrap_err().to_string();
        assert!(message.contains(nearest), "{message}");
        assert!(message.contains("tensors that do not fit are refused by name") && !message.contains("known are"));
        // The reader of weights says the same, where it reads what is asked for.
        let config = Config::parse("config.json", config).unwrap();
        let message =
            [Modality::Text, Modality::Image].map(|modality| config.network(modality).unwrap_err().to_string());
        assert_eq!(message.iter().filter(|message| message.contains(nearest)).count(), 1, "{message:?}");
    }
    let message = described(&[("config.json", "{}")], None).unwrap_err().to_string();
    assert!(message.contains("`model_type` is missing"), "{message}");
    let message = described(&[], None).unwrap_err().to_string();
    assert!(message.contains("there is no config.json"), "{message}");
    let empty = tempfile::tempdir().unwrap();
    let registry = Registry::built_in().unwrap();
    let name = empty.path().to_str().unwrap();
    let refused = resolve(name, Asked::default(), &registry, &offline(empty.path()), &mut |_| ());
    assert!(refused.unwrap_err().to_string().contains("there is no model.safetensors"));
}

#[test]
fn a_directory_may_bring_its_manifest() {
    let manifest = r#"
name = "mine"
repository = "org/mine"
architecture = "efficientnet-lite0"
modality = "image"
embedding_width = 1280
pooling = "pooler"
normalize = false
licence = "MIT"
citation = ["Somebody, \"Something\", 2020"]
preprocessing = { resize = "pad", resize_to = 128, filter = "bicubic", size = 128, mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }
[[files]]
path = "model.safetensors"
bytes = 7
"#;
    let found = described(&[("manifest.toml", manifest)], Some(Modality::Image)).unwrap();
    assert_eq!((found.name.as_str(), found.architecture), ("mine", Architecture::EfficientNetLite0));
    let changed = manifest.replace("bytes = 7", "bytes = 8");
    let message = described(&[("manifest.toml", &changed)], None).unwrap_err().to_string();
    assert!(message.contains("its size in bytes is 7, but the manifest says 8"), "{message}");
}

/// What is known without a download: each modality by the same reader, and why one cannot be used.
#[test]
fn what_is_known_of_a_directory() {
    let processor =
        r#"{"size": 224, "crop_size": 224, "resample": 3, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}"#;
    let clip = r#"{"model_type": "clip", "projection_dim": 16}"#;
    let place = directory(&[("config.json", clip), ("preprocessor_config.json", processor)]);
    let found = known(place.path());
    assert_eq!(found.architecture.unwrap(), Architecture::Clip);
    let modalities: Vec<Modality> = found.uses.iter().map(|(modality, _)| *modality).collect();
    assert_eq!(modalities, [Modality::Image, Modality::Text]);
    for (modality, described) in &found.uses {
        let described = described.as_ref().unwrap();
        assert_eq!((described.description.modality, described.embedding_width), (*modality, Some(16)));
    }
    let paths: Vec<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"]);
    assert_eq!(found.files[1].bytes, 7);

    let without = directory(&[("config.json", clip)]);
    let message = known(without.path()).uses[0].1.as_ref().unwrap_err().to_string();
    assert!(message.contains("there is no preprocessor_config.json"), "{message}");
    let nothing = tempfile::tempdir().unwrap();
    let message = known(nothing.path()).architecture.unwrap_err().to_string();
    assert!(message.contains("there is no config.json"), "{message}");
}

/// A cache that another client filled: its commits, and what their files say.
#[test]
fn what_is_known_of_the_cache() {
    let place = tempfile::tempdir().unwrap();
    let config = HubConfig { offline: true, ..HubConfig::from_variables(|_| None, Some(place.path())).unwrap() };
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let folder = config.cache.join("models--org--name");
    let hub = Hub::new(config);
    let repository = "org/name".parse().unwrap();
    assert!(hub.cached_repositories().is_empty() && hub.cached_commits(&repository).is_empty());
    let write = |commit: &str| {
        fs::create_dir_all(folder.join("snapshots").join(commit)).unwrap();
        fs::write(folder.join("snapshots").join(commit).join("config.json"), MINILM).unwrap();
    };
    write(&one);
    fs::create_dir_all(folder.join("snapshots/no-commit")).unwrap();
    assert_eq!(hub.cached_repositories(), std::slice::from_ref(&repository));
    // The only one is meant where nobody says which.
    assert_eq!(hub.cached_commit(&repository, None).unwrap(), Some(one.clone()));
    assert_eq!(hub.cached_commit(&repository, Some("other")).unwrap(), None);
    write(&two);
    assert_eq!(hub.cached_commits(&repository), [one.clone(), two.clone()]);
    assert_eq!(hub.cached_commit(&repository, None).unwrap(), None);
    fs::create_dir_all(folder.join("refs")).unwrap();
    fs::write(folder.join("refs/main"), &two).unwrap();
    assert_eq!(hub.cached_commit(&repository, None).unwrap(), Some(two.clone()));
    assert_eq!(hub.cached_files(&repository, &one), [("config.json".to_owned(), MINILM.len() as u64)]);
    let found = known_in_cache(&repository, &one, &hub);
    assert_eq!(found.architecture.unwrap(), Architecture::Bert);
    let message = found.uses[0].1.as_ref().unwrap_err().to_string();
    assert!(message.contains("there is no tokenizer.json"), "{message}");
}

#[test]
fn names_mean_manifests_then_directories_then_repositories() {
    let registry = Registry::built_in().unwrap();
    assert!(matches!(model_ref("minilm-l6-v2", &registry), Ok(ModelRef::Manifest(_))));
    assert!(matches!(model_ref(".", &registry), Ok(ModelRef::Directory(_))));
    let Ok(ModelRef::Repository(repository, revision)) = model_ref("org/name@refs/pr/1", &registry) else {
        panic!("not one")
    };
    assert_eq!((repository.as_str(), revision.as_deref()), ("org/name", Some("refs/pr/1")));
    for path in ["org/name/more", "org/", "org\\name", "src/nothing"] {
        let message = model_ref(path, &registry).unwrap_err().to_string();
        assert!(message.contains("there is no such directory"), "{message}");
    }
    assert!(matches!(model_ref("nothing", &registry), Err(ModelError::Unknown { .. })));
}
