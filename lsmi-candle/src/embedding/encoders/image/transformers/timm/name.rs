//! What timm's name of a model says of it, and what `model_args` in its `config.json` says otherwise.
//!
//! A name is put together of words: `vit_base_patch16_clip_224`. Words that are not known here may mean another
//! network with tensors of the same names, so a model with one of them is refused.

use serde_json::Value;

use crate::embedding::encoders::layers::Activation;
use crate::embedding::encoders::{Config, Result};

/// How one vector is made of the last states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pool {
    ClassToken,
    Mean,
    Greatest,
    /// By a learnt query that attends to the patches.
    Query,
}

/// What a model is by its name and its arguments.
#[derive(Debug)]
pub(super) struct Called {
    words: Vec<String>,
    pub(super) patch: usize,
    /// Pixels of either side of a picture.
    pub(super) image: usize,
    pub(super) eps: f64,
    pub(super) activation: Activation,
    /// None where the tensors say it.
    pub(super) pool: Option<Pool>,
    heads: Option<usize>,
}

/// Words of models whose heads are 16, however wide they are; those of so400m are so always.
const SIXTEEN: &str = "huge giant giantopt gigantic";
/// Words of giants whose heads are of width 64 all the same.
const SIXTY_FOUR: &str = "dinov2 tipsv2";
/// Sizes, and words of training, pooling and tokens: the tensors say what they mean.
const VIT: &str = "vit deit deit3 eva flexivit tiny xsmall small medium mediumd base large huge giant giantopt gigantic wee \
    little betwixt so150m so150m2 so400m plus clip quickgelu siglip gap map dinov2 tipsv2 reg1 reg4 miil 36x1";
const EVA02: &str = "eva02 tiny small base large clip";
/// Arguments that have no effect here, or whose effect the tensors show.
const SHOWN: &str = "num_classes in_chans embed_dim depth mlp_ratio qkv_bias qkv_fused qk_norm init_values class_token \
    no_embed_class reg_tokens pre_norm fc_norm dynamic_img_size strict_img_size drop_rate drop_path_rate pos_drop_rate \
    patch_drop_rate proj_drop_rate attn_drop_rate weight_init";
/// Those that are read.
const READ: &str = "img_size patch_size num_heads act_layer global_pool";

/// Whether a word is one of a list.
fn is_of(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

impl Called {
    pub(super) fn read(config: &Config, is_eva02: bool) -> Result<Self> {
        let name = config.architecture()?;
        // What comes after a dot says how the weights were trained.
        let words: Vec<String> = name.split('.').next().unwrap_or_default().split('_').map(str::to_owned).collect();
        let known = if is_eva02 { EVA02 } else { VIT };
        let is_number = |word: &str| word.parse::<u16>().is_ok();
        let patch = words.iter().find_map(|word| word.strip_prefix("patch")?.parse::<u16>().ok()).map(usize::from);
        let is_known =
            |word: &str| is_of(known, word) || is_number(word) || word.strip_prefix("patch").is_some_and(is_number);
        if let Some(word) = words.iter().find(|word| !is_known(word)) {
            let expected = format!("a name without `{word}`, which is not built in");
            return Err(config.wrong("architecture", &expected, Some(&name.into())));
        }
        let arguments = config.section("model_args")?;
        if let Some(other) = arguments.names().find(|name| !is_of(SHOWN, name) && !is_of(READ, name)) {
            return Err(arguments.wrong(other, "missing, as it is not built in", arguments.value(other)));
        }
        let has = |word: &str| words.iter().any(|found| found == word);
        let activation = match arguments.text(&["act_layer"], "")? {
            "" if has("quickgelu") => Activation::QuickGelu,
            "" if has("siglip") && uses_tanh(&words) => Activation::GeluTanh,
            "" => Activation::Gelu,
            "gelu_tanh" => Activation::GeluTanh,
            name => {
                let wrong = || arguments.wrong("act_layer", Activation::EXPECTED, Some(&name.into()));
                Activation::named(name).ok_or_else(wrong)?
            }
        };
        let patch = patch.filter(|patch| *patch > 0).unwrap_or(16);
        let heads = if arguments.has(&["num_heads"]) { Some(arguments.count(&["num_heads"], None)?) } else { None };
        Ok(Self {
            patch: arguments.count(&["patch_size"], patch)?,
            image: image(config, &arguments)?,
            eps: if !is_eva02 && has("clip") { 1e-5 } else { 1e-6 },
            activation,
            pool: pool(if arguments.has(&["global_pool"]) { &arguments } else { config })?,
            heads,
            words,
        })
    }

    /// The attention heads of a model of a width.
    pub(super) fn heads(&self, width: usize) -> usize {
        let has = |list| self.words.iter().any(|word| is_of(list, word));
        // The one of its size with narrower heads.
        let is_narrow = self.words.join("_") == "vit_base_patch16_gap_224";
        let are_sixteen = is_narrow || has("so400m") || (has(SIXTEEN) && !has(SIXTY_FOUR));
        self.heads.unwrap_or(if are_sixteen { 16 } else { width / 64 })
    }
}

/// The models of SigLIP that timm gives the approximation of GELU which all of them were trained with.
fn uses_tanh(words: &[String]) -> bool {
    let has = |word: &str| words.iter().any(|found| found == word);
    has("giantopt")
        || (has("so400m") && has("patch16"))
        || (has("large") && has("512"))
        || (has("base") && has("patch32"))
}

/// The side of the pictures that the table of positions is for.
fn image(config: &Config, arguments: &Config) -> Result<usize> {
    let square = "one side, or two that are equal";
    if arguments.value("img_size").is_some_and(Value::is_array) {
        let sides = arguments.counts(&["img_size"], None)?;
        return match sides[..] {
            [height, width] if height == width => Ok(height),
            _ => Err(arguments.wrong("img_size", square, arguments.value("img_size"))),
        };
    }
    // Old files have the fields at the top.
    let pretrained = config.section("pretrained_cfg")?;
    let pretrained = if config.has(&["pretrained_cfg"]) { &pretrained } else { config };
    let sides = pretrained.counts(&["input_size"], Some(&[3, 224, 224]))?;
    match sides[..] {
        [3, height, width] if height == width => arguments.count(&["img_size"], height),
        _ => Err(pretrained.wrong("input_size", "[3, n, n]", pretrained.value("input_size"))),
    }
}

fn pool(config: &Config) -> Result<Option<Pool>> {
    Ok(match config.text(&["global_pool"], "by tensors")? {
        "by tensors" => None,
        "token" => Some(Pool::ClassToken),
        "avg" => Some(Pool::Mean),
        "max" => Some(Pool::Greatest),
        "map" => Some(Pool::Query),
        other => return Err(config.wrong("global_pool", "token, avg, max or map", Some(&other.into()))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(name: &str) -> Result<Called> {
        let text = format!(r#"{{"architecture": "{name}", "pretrained_cfg": {{"input_size": [3, 224, 224]}}}}"#);
        Called::read(&Config::parse("config.json", &text)?, name.starts_with("eva02"))
    }

    /// What timm 1.0.31 makes of its names.
    #[test]
    fn names_say_heads_and_activations() {
        for (name, width, heads, activation) in [
            ("vit_tiny_patch16_224", 192, 3, Activation::Gelu),
            ("vit_small_patch16_36x1_224", 384, 6, Activation::Gelu),
            ("vit_base_patch16_224.augreg2_in21k_ft_in1k", 768, 12, Activation::Gelu),
            ("vit_base_patch16_gap_224", 768, 16, Activation::Gelu),
            ("vit_large_patch14_clip_quickgelu_336", 1024, 16, Activation::QuickGelu),
            ("vit_huge_patch14_clip_224", 1280, 16, Activation::Gelu),
            ("vit_giant_patch14_clip_224", 1408, 16, Activation::Gelu),
            ("vit_giant_patch14_reg4_dinov2", 1536, 24, Activation::Gelu),
            ("vit_gigantic_patch14_224", 1664, 16, Activation::Gelu),
            ("vit_giantopt_patch16_siglip_256", 1536, 16, Activation::GeluTanh),
            ("vit_so400m_patch14_siglip_224", 1152, 16, Activation::Gelu),
            ("vit_so400m_patch14_reg1_tipsv2", 1152, 16, Activation::Gelu),
            ("vit_giant_patch14_reg1_tipsv2", 1536, 24, Activation::Gelu),
            ("vit_so400m_patch16_siglip_gap_256", 1152, 16, Activation::GeluTanh),
            ("vit_large_patch16_siglip_384", 1024, 16, Activation::Gelu),
            ("vit_large_patch16_siglip_512", 1024, 16, Activation::GeluTanh),
            ("vit_base_patch32_siglip_256", 768, 12, Activation::GeluTanh),
            ("vit_so150m2_patch16_reg1_gap_256", 832, 13, Activation::Gelu),
            ("deit3_huge_patch14_224", 1280, 16, Activation::Gelu),
            ("deit3_medium_patch16_224", 512, 8, Activation::Gelu),
            ("eva_large_patch14_196", 1024, 16, Activation::Gelu),
            ("flexivit_small", 384, 6, Activation::Gelu),
            ("eva02_tiny_patch14_336", 192, 3, Activation::Gelu),
            ("eva02_large_patch14_clip_336", 1024, 16, Activation::Gelu),
        ] {
            let called = called(name).unwrap();
            assert_eq!((called.heads(width), called.activation), (heads, activation), "{name}");
        }
        let called = called("vit_base_patch32_clip_384").unwrap();
        assert_eq!((called.patch, called.image, called.eps), (32, 224, 1e-5));
    }

    #[test]
    fn other_networks_of_like_names_are_refused() {
        for name in [
            "vit_base_patch16_rpn_224",
            "vit_small_patch16_18x2_224",
            "vit_base_patch16_xp_224",
            "vit_pe_core_base_patch16_224",
            "vit_small_patch16_dinov3",
            "vit_small_patch16_rope_ape_224",
            "vit_relpos_base_patch16_224",
            "vit_base_r50_s16_224",
            "vit_dwee_patch16_reg1_gap_256",
            "deit_base_distilled_patch16_224",
            "eva02_enormous_patch14_clip_224",
        ] {
            let error = called(name).unwrap_err().to_string();
            assert!(error.contains("`architecture`") && error.contains("is not built in"), "{error}");
        }
    }
}
