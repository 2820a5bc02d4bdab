//! Tensors in a pickle of `torch.save`: what they are and where their elements lie.
//!
//! `torch._utils` has the functions that make them again; their arguments say all there is to know.

use crate::features::array::{Element, Unusable};
use crate::features::format::pickle::{Object, Pickle, Place};

/// A tensor and the place of its elements.
pub(super) struct Tensor {
    pub(super) element: Element,
    pub(super) storage: String,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
    /// Whether its values are the negatives of those stored, as in a view that was negated but not copied.
    pub(super) is_negated: bool,
}

/// An object of PyTorch.
pub(super) enum Found {
    Tensor(Tensor),
    /// An object that is not read.
    Other(Unusable),
}

/// Reads an object of PyTorch. Returns `None` for other objects.
pub(super) fn tensor_of(pickle: &Pickle, place: Place) -> Option<Found> {
    let mut place = place;
    // A parameter is a tensor and a flag, and so on; each of them is made of what was there before it.
    loop {
        let (module, function, arguments) = pickle.called(place)?;
        if !module.starts_with("torch") {
            return None;
        }
        match (function, arguments) {
            ("_rebuild_parameter" | "_rebuild_parameter_with_state", [inner, ..]) => place = *inner,
            // func(*args) under another class.
            ("_rebuild_from_type_v2", [make, _, arguments, ..]) => {
                return Some(match (pickle.get(*make), pickle.sequence(*arguments)) {
                    (Object::Global(_, function), Some(arguments)) => made_by(pickle, function, arguments),
                    _ => other("a tensor of a class of its own", "x.as_subclass(torch.Tensor)"),
                });
            }
            _ => return Some(made_by(pickle, function, arguments)),
        }
    }
}

fn other(what: &str, mend: &str) -> Found {
    Found::Other(Unusable::with_mend(what, format!("dense tensors are read: save {mend} in its place")))
}

/// Reads a call of a function of `torch._utils`.
fn made_by(pickle: &Pickle, function: &str, arguments: &[Place]) -> Found {
    match function {
        "_rebuild_tensor_v2" | "_rebuild_tensor" => strided(pickle, arguments),
        "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor" => other("a sparse tensor", "x.to_dense()"),
        "_rebuild_qtensor" => other("a quantised tensor", "x.dequantize()"),
        "_rebuild_nested_tensor" => other("a nested tensor", "x.to_padded_tensor(0.0)"),
        "_rebuild_tensor_v3" => other("a tensor of an unusual type", "x.float()"),
        "_rebuild_meta_tensor_no_storage" => Found::Other("a tensor without values".into()),
        _ => Found::Other(format!("what {function} makes, no tensor that can be read").into()),
    }
}

/// Reads `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)`.
fn strided(pickle: &Pickle, arguments: &[Place]) -> Found {
    let Some((class, storage)) = storage(pickle, arguments) else {
        return other("a tensor in an unusual storage", "x.cpu().contiguous().clone()");
    };
    let Some(element) = element(class) else {
        return match class {
            "ComplexFloatStorage" | "ComplexDoubleStorage" | "ComplexHalfStorage" => other(
                &format!("a tensor of complex numbers ({class})"),
                "torch.view_as_real(x.resolve_conj()).flatten(1)",
            ),
            _ if class.starts_with('Q') => other("a quantised tensor", "x.dequantize()"),
            _ => other(&format!("a tensor in a {class}"), "x.float()"),
        };
    };
    let Some((offset, shape, strides)) = window(pickle, arguments) else {
        return other("a tensor of unusual shape", "x.contiguous().clone()");
    };
    let is_negated = match arguments.get(6).map(|metadata| flags(pickle, *metadata)) {
        None => false,
        Some(Some(is_negated)) if !is_negated || element.is_float() => is_negated,
        Some(_) => return other("a view that is not yet worked out", "x.resolve_neg().resolve_conj().clone()"),
    };
    Found::Tensor(Tensor { element, storage: storage.to_owned(), offset, shape, strides, is_negated })
}

/// Returns whether a view is negated, by the flags of the tensor. Returns `None` for flags that are not understood.
fn flags(pickle: &Pickle, metadata: Place) -> Option<bool> {
    let items = match pickle.get(metadata) {
        Object::None => return Some(false),
        Object::Dictionary(_) => pickle.items(metadata)?,
        _ => return None,
    };
    let mut is_negated = false;
    for (name, flag) in items {
        match (name, pickle.get(flag)) {
            // Conjugation leaves real numbers as they are.
            (_, Object::Bool(false)) | ("conj", Object::Bool(true)) => {}
            ("neg", Object::Bool(true)) => is_negated = true,
            _ => return None,
        }
    }
    Some(is_negated)
}

/// Returns the class and the archive member of a storage.
fn storage<'p>(pickle: &'p Pickle, arguments: &[Place]) -> Option<(&'p str, &'p str)> {
    let Object::Persistent(id) = pickle.get(*arguments.first()?) else {
        return None;
    };
    // ("storage", class, member, device, size)
    let [_, class, member, ..] = pickle.sequence(*id)? else {
        return None;
    };
    match pickle.get(*class) {
        Object::Global(_, class) => Some((class, pickle.text(*member)?)),
        _ => None,
    }
}

/// Returns offset, shape and strides.
fn window(pickle: &Pickle, arguments: &[Place]) -> Option<(usize, Vec<usize>, Vec<usize>)> {
    let [_, offset, shape, strides, ..] = arguments else {
        return None;
    };
    Some((pickle.size(*offset)?, sizes(pickle, *shape)?, sizes(pickle, *strides)?))
}

/// Reads a tuple of sizes, or `torch.Size` of one.
fn sizes(pickle: &Pickle, place: Place) -> Option<Vec<usize>> {
    match pickle.call(place, "torch", "Size") {
        Some([inner]) => pickle.sizes(*inner),
        _ => pickle.sizes(place),
    }
}

fn element(class: &str) -> Option<Element> {
    Some(match class {
        "BoolStorage" => Element::Bool,
        "ByteStorage" => Element::U8,
        "CharStorage" => Element::I8,
        "ShortStorage" => Element::I16,
        "IntStorage" => Element::I32,
        "LongStorage" => Element::I64,
        "HalfStorage" => Element::F16,
        "BFloat16Storage" => Element::Bf16,
        "FloatStorage" => Element::F32,
        "DoubleStorage" => Element::F64,
        _ => return None,
    })
}
