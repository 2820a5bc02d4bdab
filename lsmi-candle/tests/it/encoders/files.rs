//! What small files of sentence encoders and processors say, and what of it is refused by its name.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::embedder::{Embedder, Options, Prepared};
use lsmi_candle::embedding::encoders::Activation;
use lsmi_candle::embedding::encoders::Pooling;
use lsmi_candle::embedding::encoders::tokens::BertCasing;
use lsmi_candle::embedding::manifests::{
    Architecture, Asked, Description, Modality, ModelError, Preprocessing, Step, of_directory,
};

const BERT: &str = r#"{"model_type": "bert", "hidden_size": 384, "max_position_embeddings": 512}"#;
const LEVELS: &str = r#""image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]"#;

/// What a directory with these files says; each overrides an earlier one of its name.
fn described(files: &[(&str, &str)], asked: Asked) -> Result<Description, ModelError> {
    let directory = tempfile::tempdir().unwrap();
    let usual = [("model.safetensors", ""), ("tokenizer.json", "{}"), ("config.json", BERT)];
    for (name, content) in usual.iter().chain(files) {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    of_directory(directory.path(), asked).map(|model| model.description)
}

fn text(files: &[(&str, &str)]) -> Description {
    described(files, Asked::of(Modality::Text)).unwrap()
}

#[track_caller]
fn refused(files: &[(&str, &str)], expected: &str) {
    let message = described(files, Asked::of(Modality::Text)).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

/// A list of modules, of sentence-transformers where a type has no dot.
fn modules(list: &[(&str, &str)]) -> String {
    let one = |(kind, path): &(&str, &str)| {
        let kind = if kind.contains('.') { (*kind).to_owned() } else { format!("sentence_transformers.models.{kind}") };
        format!(r#"{{"type": "{kind}", "path": "{path}"}}"#)
    };
    format!("[{}]", list.iter().map(one).collect::<Vec<_>>().join(", "))
}

const POOLING: &str = "1_Pooling/config.json";

#[test]
fn poolings_in_both_spellings() {
    let list = modules(&[("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]);
    for (config, expected) in [
        (r#"{"pooling_mode": "cls"}"#, "cls"),
        (r#"{"pooling_mode": "max", "embedding_dimension": 384}"#, "max"),
        (r#"{"pooling_mode": ["lasttoken", "cls"]}"#, "last+cls"),
        (r#"{"pooling_mode": "weightedmean"}"#, "weighted-mean"),
        (r#"{"pooling_mode": "mean_sqrt_len_tokens"}"#, "mean-sqrt"),
        (r#"{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}"#, "mean"),
        (r#"{"pooling_mode_max_tokens": true, "pooling_mode_mean_tokens": false}"#, "max"),
        // Switches are joined in the order of their library, whatever that of the file.
        (
            r#"{"pooling_mode_lasttoken": true, "pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#,
            "cls+mean+last",
        ),
        (
            r#"{"pooling_mode_mean_sqrt_len_tokens": true, "pooling_mode_weightedmean_tokens": true}"#,
            "mean-sqrt+weighted-mean",
        ),
        (r#"{"pooling_mode_mean_tokens": false}"#, "mean"),
    ] {
        let found = text(&[("modules.json", &list), (POOLING, config)]);
        assert_eq!(found.pooling.unwrap().to_string(), expected, "{config}");
        assert_eq!((found.steps, found.notes.len()), (Some(vec![Step::Normalize]), 0));
    }
    for wrong in [
        r#"{"pooling_mode": "attention"}"#,
        r#"{"pooling_mode": []}"#,
        r#"{"pooling_mode": 3}"#,
        r#"{"pooling_mode_attention_tokens": true}"#,
        "{}",
    ] {
        refused(&[("modules.json", &list), (POOLING, wrong)], "`pooling_mode` is ");
        let chosen = Asked { pooling_is_chosen: true, ..Asked::of(Modality::Text) };
        let found = described(&[("modules.json", &list), (POOLING, wrong)], chosen).unwrap();
        assert_eq!((found.pooling, found.steps), (None, Some(vec![Step::Normalize])));
    }
    refused(&[("modules.json", &list)], "there is no 1_Pooling/config.json");
}

#[test]
fn without_modules_it_is_the_mean() {
    let found = text(&[]);
    assert_eq!((found.pooling, found.steps, found.notes.len()), (None, None, 1));
    for part in ["sentence_bert_config.json", "config_sentence_transformers.json", "3_Dense/config.json", POOLING] {
        refused(&[(part, "{}")], "there is no modules.json");
        let chosen = Asked { pooling_is_chosen: true, ..Asked::of(Modality::Text) };
        assert!(described(&[(part, "{}")], chosen).unwrap().notes.is_empty());
    }
}

#[test]
fn layers_follow_a_pooling() {
    let list = modules(&[
        ("Transformer", ""),
        ("Pooling", "1_Pooling"),
        ("Dropout", "2_Dropout"),
        ("Dense", "3_Dense"),
        ("Normalize", "4_Normalize"),
    ]);
    let dense = |rest: &str| format!(r#"{{"in_features": 384, "out_features": 64{rest}}}"#);
    let described = |rest: &str| {
        let dense = dense(rest);
        let files = [
            ("modules.json", list.as_str()),
            (POOLING, r#"{"pooling_mode": "mean"}"#),
            ("3_Dense/config.json", &dense),
            ("3_Dense/model.safetensors", ""),
        ];
        described(&files, Asked::of(Modality::Text))
    };
    for (rest, activation) in [
        ("", Activation::Tanh),
        (r#", "activation_function": "torch.nn.modules.activation.Tanh""#, Activation::Tanh),
        (r#", "activation_function": "torch.nn.modules.linear.Identity""#, Activation::Identity),
        (r#", "activation_function": "torch.nn.modules.activation.GELU""#, Activation::Gelu),
    ] {
        let steps = described(rest).unwrap().steps.unwrap();
        let [Step::Dense(dense), Step::Normalize] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!((dense.inputs, dense.outputs, dense.bias, dense.activation), (384, 64, true, activation));
    }
    for (rest, named) in [
        (r#", "activation_function": "torch.nn.modules.activation.Mish""#, "torch.nn.modules.activation.Mish"),
        (r#", "activation_function": "mine.Tanh""#, "mine.Tanh"),
        (r#", "module_input_name": "token_embeddings""#, "token_embeddings"),
    ] {
        let message = described(rest).unwrap_err().to_string();
        assert!(message.contains(named) && message.contains("choose a pooling"), "{message}");
    }
    let without = [
        ("modules.json", list.as_str()),
        (POOLING, r#"{"pooling_mode": "mean"}"#),
        ("3_Dense/config.json", &dense("")),
    ];
    refused(&without, "there is no 3_Dense/model.safetensors");
}

#[test]
fn modules_that_are_not_built_in_are_named() {
    let pooling = (POOLING, r#"{"pooling_mode": "mean"}"#);
    for (list, named) in [
        (
            &[("Transformer", ""), ("Pooling", "1_Pooling"), ("LayerNorm", "2_LayerNorm")][..],
            "`LayerNorm` (2_LayerNorm)",
        ),
        (&[("Transformer", ""), ("Dense", "1_Dense"), ("Pooling", "1_Pooling")], "`Dense` (1_Dense)"),
        (&[("Transformer", ""), ("Normalize", "1_Normalize"), ("Pooling", "1_Pooling")], "`Pooling` (1_Pooling)"),
        (&[("StaticEmbedding", ""), ("Pooling", "1_Pooling")], "StaticEmbedding"),
        (&[("custom_st.Transformer", ""), ("Pooling", "1_Pooling")], "custom_st.Transformer"),
        (&[("Transformer", ""), ("mine.Pooling", "1_Pooling")], "`mine.Pooling`"),
    ] {
        let list = modules(list);
        refused(&[("modules.json", &list), pooling], named);
        let chosen = Asked { pooling_is_chosen: true, ..Asked::of(Modality::Text) };
        assert!(described(&[("modules.json", &list), pooling], chosen).is_ok(), "{named}");
    }
    let clip =
        [("config.json", r#"{"model_type": "clip"}"#), ("modules.json", &modules(&[("CLIPModel", "0_CLIPModel")]))];
    refused(&clip, "there is no 0_CLIPModel/config.json");
}

#[test]
fn the_least_length_counts_and_letters_are_told() {
    let list = modules(&[("Transformer", ""), ("Pooling", "1_Pooling")]);
    let with = |sentence: &str, tokenizer: &str| {
        let files = [
            ("modules.json", list.as_str()),
            (POOLING, r#"{"pooling_mode": "mean"}"#),
            ("sentence_bert_config.json", sentence),
            ("tokenizer_config.json", tokenizer),
        ];
        described(&files, Asked::of(Modality::Text))
    };
    let beyond = r#"{"model_max_length": 1000000000000000019884624838656}"#;
    for (sentence, tokenizer, expected) in [
        ("{}", "{}", None),
        (r#"{"max_seq_length": 256}"#, r#"{"model_max_length": 512}"#, Some(256)),
        (r#"{"max_seq_length": 256}"#, r#"{"model_max_length": 16}"#, Some(16)),
        (r#"{"max_seq_length": null}"#, r#"{"model_max_length": 16}"#, Some(16)),
        (r#"{"max_seq_length": 256}"#, beyond, Some(256)),
        ("{}", beyond, None),
    ] {
        assert_eq!(with(sentence, tokenizer).unwrap().text.max_tokens, expected, "{sentence} {tokenizer}");
    }
    assert!(with(r#"{"do_lower_case": true}"#, "{}").unwrap().text.lower_case);
    let casing = |tokenizer: &str| with("{}", tokenizer).unwrap().text.bert;
    let cased = BertCasing { lower_case: false, strip_accents: None, chinese_apart: true };
    let uncased = BertCasing { lower_case: true, ..cased };
    assert_eq!(casing("{}"), None);
    assert_eq!(casing(r#"{"do_lower_case": false}"#), Some(cased));
    assert_eq!(casing(r#"{"tokenizer_class": "BertTokenizerFast", "do_lower_case": false}"#), Some(cased));
    assert_eq!(casing(r#"{"tokenizer_class": "BertTokenizer"}"#), Some(uncased));
    assert_eq!(casing(r#"{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": true}"#), None);
    for (sentence, tokenizer, named) in [
        (r#"{"max_seq_length": 0}"#, "{}", "`max_seq_length` is 0"),
        (r#"{"transformer_task": "fill-mask"}"#, "{}", "`transformer_task` is fill-mask"),
        (r#"{"modality_config": {"text": {"method": "get_text_features"}}}"#, "{}", "`method` is get_text_features"),
        (r#"{"query_expansion": "fixed"}"#, "{}", "`query_expansion`"),
        ("{}", r#"{"truncation_side": "left"}"#, "`truncation_side` is left"),
    ] {
        let message = with(sentence, tokenizer).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn prompts_have_names() {
    let list = modules(&[("Transformer", ""), ("Pooling", "1_Pooling")]);
    let with = |pooling: &str, prompts: &str| {
        let files =
            [("modules.json", list.as_str()), (POOLING, pooling), ("config_sentence_transformers.json", prompts)];
        described(&files, Asked::of(Modality::Text)).map(|found| found.prompts)
    };
    let (mean, left_out) = (r#"{"pooling_mode": "mean"}"#, r#"{"pooling_mode": "mean", "include_prompt": false}"#);
    let prompts =
        with(mean, r#"{"prompts": {"query": "query: ", "none": null}, "default_prompt_name": "query"}"#).unwrap();
    assert_eq!((prompts.default.as_deref(), prompts.left_out), (Some("query"), false));
    assert_eq!((prompts.texts["query"].as_str(), prompts.texts["none"].as_str()), ("query: ", ""));
    assert!(with(left_out, "{}").unwrap().left_out);
    assert_eq!(with(mean, r#"{"default_prompt_name": null, "prompts": {"a": "b"}}"#).unwrap().default, None);
    assert!(with(mean, r#"{"default_prompt_name": "query"}"#).is_ok());
    let message = with(mean, r#"{"default_prompt_name": "passage"}"#).unwrap_err().to_string();
    assert!(message.contains("`default_prompt_name` is passage"), "{message}");
}

/// One network has several names, and a tower one of its own; what it is comes before how its inputs are prepared.
#[test]
fn networks_have_several_names() {
    let found = |name: &str, modality| {
        let config = format!(r#"{{"model_type": "{name}"}}"#);
        let processor = format!(r#"{{"size": {{"height": 32, "width": 32}}, "resample": 3, {LEVELS}}}"#);
        let files = [("config.json", config.as_str()), ("preprocessor_config.json", processor.as_str())];
        described(&files, Asked { modality, ..Asked::default() })
    };
    for (name, architecture, modality) in [
        ("roberta", Architecture::XlmRoberta, Modality::Text),
        ("camembert", Architecture::XlmRoberta, Modality::Text),
        ("electra", Architecture::Bert, Modality::Text),
        ("ernie", Architecture::Bert, Modality::Text),
        ("clip_text_model", Architecture::Clip, Modality::Text),
        ("siglip_text_model", Architecture::Siglip, Modality::Text),
        ("siglip_vision_model", Architecture::Siglip, Modality::Image),
        ("vit_msn", Architecture::Vit, Modality::Image),
    ] {
        let found = found(name, None).unwrap();
        assert_eq!((found.architecture, found.modality), (architecture, modality), "{name}");
    }
    let message = found("clip_text_model", Some(Modality::Image)).unwrap_err().to_string();
    assert!(message.contains("embeds text, but is to embed image"), "{message}");
    let message = found("deit", Some(Modality::Image)).unwrap_err().to_string();
    assert!(message.contains("`deit` is not known"), "{message}");
    let broken =
        [("config.json", r#"{"model_type": "deit"}"#), ("preprocessor_config.json", "{"), ("modules.json", "[]")];
    let chosen = Asked { modality: Some(Modality::Image), pooling_is_chosen: true };
    let message = described(&broken, chosen).unwrap_err().to_string();
    assert!(message.contains("`deit` is not known"), "{message}");
}

#[test]
fn newer_processors_stand_in_another_file() {
    let clip = ("config.json", r#"{"model_type": "clip"}"#);
    let old = format!(r#"{{"size": 48, "crop_size": 32, "resample": 3, {LEVELS}}}"#);
    let new = format!(
        r#"{{"processor_class": "CLIPProcessor", "image_processor": {{"image_processor_type": "CLIPImageProcessor",
        "size": {{"shortest_edge": 64}}, "crop_size": {{"height": 64, "width": 64}}, "resample": 3, {LEVELS}}}}}"#
    );
    let side =
        |files: &[(&str, &str)]| match described(files, Asked::of(Modality::Image)).unwrap().preprocessing.unwrap() {
            Preprocessing::Image(settings) => settings.size,
            other => panic!("{other:?}"),
        };
    let (old, new) = (("preprocessor_config.json", old.as_str()), ("processor_config.json", new.as_str()));
    assert_eq!(side(&[clip, old]), 32);
    assert_eq!(side(&[clip, new]), 64);
    assert_eq!(side(&[clip, old, new]), 64);
    // A newer file without that part says nothing of pictures.
    assert_eq!(side(&[clip, old, ("processor_config.json", r#"{"processor_class": "CLIPProcessor"}"#)]), 32);
}

/// An index that a checkpoint of several files left behind is not followed.
#[test]
fn one_file_of_weights_comes_before_an_index() {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("config.json", BERT),
        ("tokenizer.json", "{}"),
        ("model.safetensors", ""),
        ("model.safetensors.index.json", r#"{"weight_map": {"a": "model-00001-of-00002.safetensors"}}"#),
    ] {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let asked = Asked::of(Modality::Text);
    let model = of_directory(directory.path(), asked).unwrap();
    assert_eq!(model.weights(), [directory.path().join("model.safetensors")]);
    fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    let message = of_directory(directory.path(), asked).unwrap_err().to_string();
    assert!(message.contains("there is no model-00001-of-00002.safetensors"), "{message}");
}

/// The network without a configuration is prepared for as its manifest says.
#[test]
fn a_folder_of_weights_alone_has_the_manifest_of_its_network() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("model.safetensors"), "").unwrap();
    let found = of_directory(directory.path(), Asked::of(Modality::Image)).unwrap().description;
    let registry = lsmi_candle::embedding::manifests::Registry::built_in().unwrap();
    let manifest = registry.get("efficientnet-lite0").unwrap();
    assert_eq!(found.preprocessing.as_ref(), Some(&manifest.preprocessing));
    assert_eq!((found.architecture, found.pooling), (Architecture::EfficientNetLite0, Some(Pooling::Pooler.into())));
}

/// The words of a tokenizer by which letters and accents can be told.
const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "decoder": null,
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
        "lowercase": false},
    "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
    "model": {"type": "WordLevel", "unk_token": "[UNK]",
        "vocab": {"[PAD]": 0, "[UNK]": 1, "red": 2, "Red": 3, "caf\u00e9": 4, "cafe": 5, "square": 6}}}"#;

/// A directory with the tiny BERT, that tokenizer and further files.
fn tiny(files: &[(&str, &str)], options: &Options) -> Embedder {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders/tiny-bert");
    let directory = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(fixture.join(name), directory.path().join(name)).unwrap();
    }
    for (name, content) in [("tokenizer.json", TOKENIZER)].iter().chain(files) {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let asked = Asked { pooling_is_chosen: options.pooling.is_some(), ..Asked::of(Modality::Text) };
    Embedder::load(&of_directory(directory.path(), asked).unwrap(), options, &Device::Cpu).unwrap()
}

fn ids(embedder: &Embedder, text: &str) -> Vec<u32> {
    let Prepared::Text(tokens) = embedder.prepare_text(text).unwrap() else { panic!("no text") };
    tokens.ids
}

#[test]
fn letters_are_made_small_where_the_files_say_so() {
    let list = modules(&[("Transformer", ""), ("Pooling", "1_Pooling")]);
    let sentence = [
        ("modules.json", list.as_str()),
        (POOLING, r#"{"pooling_mode": "mean"}"#),
        ("sentence_bert_config.json", r#"{"do_lower_case": true}"#),
    ];
    let plain = |config: &str| ids(&tiny(&[("tokenizer_config.json", config)], &Options::default()), "Red caf\u{e9}");
    assert_eq!(plain("{}"), [3, 4]);
    assert_eq!(plain(r#"{"tokenizer_class": "BertTokenizer"}"#), [2, 5]);
    assert_eq!(plain(r#"{"tokenizer_class": "BertTokenizer", "strip_accents": false}"#), [2, 4]);
    assert_eq!(plain(r#"{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": true}"#), [3, 4]);
    assert_eq!(ids(&tiny(&sentence, &Options::default()), "Red caf\u{e9}"), [2, 4]);
}

/// A prompt that is left out is looked at by the network, but is no part of the vector.
#[test]
fn a_prompt_may_be_left_out_of_the_pooling() {
    let list = modules(&[("Transformer", ""), ("Pooling", "1_Pooling")]);
    let prompts = r#"{"prompts": {"colour": "red "}, "default_prompt_name": "colour"}"#;
    let vector = |pooling: &str, text: &str| {
        let files =
            [("modules.json", list.as_str()), (POOLING, pooling), ("config_sentence_transformers.json", prompts)];
        let embedder = tiny(&files, &Options::default());
        embedder.embed(&[&embedder.prepare_text(text).unwrap()]).unwrap()
    };
    let last = vector(r#"{"pooling_mode": "lasttoken"}"#, "square");
    for mode in ["cls", "mean", "max", "weightedmean", "mean_sqrt_len_tokens", "lasttoken"] {
        // Of one word behind the prompt's one, every pooling is its state.
        let left_out = vector(&format!(r#"{{"pooling_mode": "{mode}", "include_prompt": false}}"#), "square");
        let off = last.iter().zip(&left_out).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-6, "{mode}: {off}");
        let with = vector(&format!(r#"{{"pooling_mode": "{mode}"}}"#), "square");
        assert_eq!(with == last, mode == "lasttoken", "{mode}");
    }
}

/// Older sentence encoders have the network in a folder of its own; a layer changes the width, and is left out where the user
/// chooses a pooling.
#[test]
fn the_network_may_stand_in_a_folder() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders/tiny-bert");
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    for folder in ["0_Transformer", "1_Pooling", "2_Dense"] {
        fs::create_dir(place(folder)).unwrap();
    }
    for name in ["config.json", "model.safetensors"] {
        fs::copy(fixture.join(name), place("0_Transformer").join(name)).unwrap();
    }
    fs::write(place("0_Transformer/tokenizer.json"), TOKENIZER).unwrap();
    let list = modules(&[("Transformer", "0_Transformer"), ("Pooling", "1_Pooling"), ("Dense", "2_Dense")]);
    fs::write(place("modules.json"), list).unwrap();
    fs::write(place(POOLING), r#"{"pooling_mode": ["cls", "mean"]}"#).unwrap();
    let dense = r#"{"in_features": 64, "out_features": 64, "bias": false, "use_residual": true,
        "activation_function": "torch.nn.modules.linear.Identity"}"#;
    fs::write(place("2_Dense/config.json"), dense).unwrap();
    // Three times the vector, and once more what is left as it is.
    let weight = (Tensor::eye(64, DType::F32, &Device::Cpu).unwrap() * 3.0).unwrap();
    let tensors = std::collections::HashMap::from([("linear.weight".to_owned(), weight)]);
    candle_core::safetensors::save(&tensors, place("2_Dense/model.safetensors")).unwrap();

    let vector = |options: &Options| {
        let asked = Asked { pooling_is_chosen: options.pooling.is_some(), ..Asked::of(Modality::Text) };
        let embedder = Embedder::load(&of_directory(directory.path(), asked).unwrap(), options, &Device::Cpu).unwrap();
        let layers = embedder.provenance().layers.len();
        (embedder.embed(&[&embedder.prepare_text("red square").unwrap()]).unwrap(), layers)
    };
    let (own, layers) = vector(&Options::default());
    let (pooled, none) = vector(&Options { pooling: Some("cls+mean".parse().unwrap()), ..Options::default() });
    assert_eq!((own.len(), layers, pooled.len(), none), (64, 1, 64, 0));
    let off = own.iter().zip(&pooled).map(|(own, pooled)| (own - 4.0 * pooled).abs()).fold(0.0, f32::max);
    assert!(off < 1e-5, "{off}");
    let (unit, _) = vector(&Options { normalize: Some(true), ..Options::default() });
    assert!((unit.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);

    // A layer for vectors of another length is refused, and so is one of another shape than its file says.
    fs::write(place(POOLING), r#"{"pooling_mode": "mean"}"#).unwrap();
    let model = of_directory(directory.path(), Asked::of(Modality::Text)).unwrap();
    let error = Embedder::load(&model, &Options::default(), &Device::Cpu).err().unwrap().to_string();
    assert!(error.contains("2_Dense/config.json") && error.contains("takes 64 numbers, but is given 32"), "{error}");
}
