//! Bundles that are damaged on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::collections::HashMap;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// The bundle with its metadata edited and, if one is named, without a tensor.
pub(crate) fn rewritten(bytes: &[u8], edit: &dyn Fn(&str) -> String, drop: Option<&str>) -> Vec<u8> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let metadata: HashMap<String, String> = header.metadata().clone().unwrap();
    let metadata = metadata.into_iter().map(|(key, value)| (key, edit(&value))).collect();
    let kept = tensors.tensors().into_iter().filter(|(name, _)| Some(name.as_str()) != drop);
    safetensors::serialize(kept, Some(metadata)).unwrap()
}

/// The bundle with a value of a tensor of doubles replaced.
pub(crate) fn with_number(bytes: &[u8], tensor: &str, value: f64) -> Vec<u8> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let view = tensors.tensor(tensor).unwrap();
    let mut data = view.data().to_vec();
    data[..8].copy_from_slice(&value.to_le_bytes());
    let changed = TensorView::new(view.dtype(), view.shape().to_vec(), &data).unwrap();
    let all = tensors.tensors().into_iter();
    let all = all.map(|(name, view)| if name == tensor { (name, changed.clone()) } else { (name, view) });
    safetensors::serialize(all, header.metadata().clone()).unwrap()
}

/// The names of a bundle's tensors.
pub(crate) fn tensors(bytes: &[u8]) -> Vec<String> {
    SafeTensors::deserialize(bytes).unwrap().names().into_iter().map(str::to_owned).collect()
}
