//! What the library timm (Wightman, 2019) says of a model in `config.json`: its name, and arguments that make it another.

use serde_json::Value;

use crate::embedding::encoders::{Config, Result};

/// Arguments without an effect here, or whose effect the shapes of tensors show.
const SHOWN: [&str; 12] = [
    "num_classes",
    "in_chans",
    "drop_rate",
    "drop_path_rate",
    "proj_drop_rate",
    "attn_drop_rate",
    "head_init_scale",
    "conv_mlp",
    "global_pool",
    "weight_init",
    "strict_img_size",
    "dynamic_img_size",
];

/// The model of a name, and its arguments, of which those of `read` are read; none where the configuration is not timm's.
///
/// # Errors
/// [`EncoderError::Field`](crate::embedding::encoders::EncoderError::Field) for a name that is not built in, an argument that
/// is not read, and a pooling that is not the mean.
pub(super) fn model<'models, T>(
    config: &Config,
    models: &'models [(&str, T)],
    read: &[&str],
) -> Result<Option<(&'models T, Config)>> {
    let Some(name) = config.timm_name() else { return Ok(None) };
    let Some((_, model)) = models.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = models.iter().map(|(known, _)| *known).collect();
        let expected = format!("one that is built in: {}", known.join(", "));
        return Err(config.wrong("architecture", &expected, Some(&Value::from(name))));
    };
    let arguments = config.section("model_args")?;
    if let Some(other) = arguments.names().find(|name| !SHOWN.contains(name) && !read.contains(name)) {
        return Err(arguments.wrong(other, "missing, as it is not built in", arguments.value(other)));
    }
    for place in [config, &arguments] {
        place.expect("global_pool", &Value::from("avg"))?;
    }
    Ok(Some((model, arguments)))
}
