//! Objects of a pickle as arrays: `NumPy`'s arrays and numbers, lists of strings or numbers, and lists of all these.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::nested::{arrays_of, full_name};
use super::{Object, Pickle, Place};
use crate::features::array::{Array, Corrupt, Element, Number, Unusable, Values, element_count};
use crate::features::format::npy_header::{Header, Item};

/// More text or more bytes of numbers are in no list: 1 GiB.
const MOST: usize = 1 << 30;

/// Lists in lists are left alone from this depth on.
const DEEPEST: usize = 4;

/// Reads an object that is kept outside the pickle, as tensors are. Returns `None` for other objects.
pub(in crate::features::format) type Elsewhere<'e> =
    &'e mut dyn FnMut(Place) -> Option<Result<Array<'static>, Corrupt>>;

/// Reads an object as an array. Other objects are described in words.
pub(in crate::features::format) fn array_of(
    pickle: &Pickle,
    place: Place,
    elsewhere: Elsewhere<'_>,
) -> Result<Array<'static>, Corrupt> {
    Reading { pickle, elsewhere, left: MOST }.array(place, 0)
}

/// Reads the arrays of a pickle that keeps nothing elsewhere: one called `name`, or those of a dictionary.
pub(in crate::features::format) fn arrays_in(
    name: &str,
    bytes: &[u8],
) -> Result<BTreeMap<String, Array<'static>>, Corrupt> {
    let (pickle, top) = Pickle::read(bytes)?;
    // An array without dimensions is the object in it.
    let top = inner_object(&pickle, top).unwrap_or(top);
    let places = match arrays_of(&pickle, top) {
        Some(inner) => inner.into_iter().map(|(inner, place)| (full_name(name, &inner, true), place)).collect(),
        None => BTreeMap::from([(name.to_owned(), top)]),
    };
    let read = |(name, place): (String, Place)| Ok((name, array_of(&pickle, place, &mut |_| None)?));
    places.into_iter().map(read).collect()
}

/// Returns the object of an array of one object without dimensions.
fn inner_object(pickle: &Pickle, place: Place) -> Option<Place> {
    let [_, shape, _, _, data] = pickle.state(place)? else { return None };
    match (pickle.sequence(*shape)?, pickle.sequence(*data)?) {
        ([], [only]) => Some(*only),
        _ => None,
    }
}

struct Reading<'r> {
    pickle: &'r Pickle,
    elsewhere: Elsewhere<'r>,
    /// Bytes that lists may still take: what is in the pickle once may be in a list a million times.
    left: usize,
}

impl Reading<'_> {
    fn array(&mut self, place: Place, depth: usize) -> Result<Array<'static>, Corrupt> {
        if let Some(found) = (self.elsewhere)(place) {
            return found;
        }
        if let Some((module, function, arguments)) = self.pickle.called(place)
            && module.starts_with("numpy")
        {
            return match function {
                "_reconstruct" => self.numpy_array(place, depth),
                "scalar" => self.numpy_scalar(arguments),
                "_frombuffer" => self.numpy_buffer(arguments),
                other => Ok(unusable(format!("what numpy.{other} makes"))),
            };
        }
        if let Some((module, ..)) = self.pickle.called(place)
            && module.starts_with("scipy.sparse")
        {
            let mend = "dense arrays are read: save x.toarray() in its place";
            return Ok(unusable(Unusable::with_mend("a sparse matrix of scipy", mend)));
        }
        match self.pickle.get(place) {
            Object::Sequence(items) if depth < DEEPEST => self.list(items, depth),
            Object::Sequence(_) => Ok(unusable("lists in lists in lists")),
            Object::Dictionary(_) => Ok(unusable(Unusable::with_mend(
                "a dictionary, not a tensor",
                "an array is needed: put the arrays of the dictionary into the outer one, each under a name of its own",
            ))),
            Object::Text(_) => Ok(unusable("a string, not a tensor")),
            Object::Integer(value) => number(Element::I64, value.to_le_bytes()),
            Object::Bool(value) => number(Element::I64, i64::from(*value).to_le_bytes()),
            Object::Float(value) => number(Element::F64, value.to_le_bytes()),
            Object::None => Ok(unusable("None, not a tensor")),
            _ => Ok(unusable(match self.pickle.called(place) {
                Some((module, function, _)) => format!("an object of {module}.{function}, no tensor that can be read"),
                None => "no tensor that can be read".to_owned(),
            })),
        }
    }

    /// Reads `_reconstruct(ndarray, (0,), b'b')` with the state `(1, shape, dtype, is_fortran, data)`.
    fn numpy_array(&mut self, place: Place, depth: usize) -> Result<Array<'static>, Corrupt> {
        let damaged = || Corrupt("an array of NumPy in its pickle cannot be understood".to_owned());
        let Some([_, shape, dtype, is_fortran, data]) = self.pickle.state(place) else { return Err(damaged()) };
        let shape = self.pickle.sizes(*shape).ok_or_else(damaged)?;
        let item = self.item(*dtype).ok_or_else(damaged)?;
        if let Item::Objects = item {
            let items = self.pickle.sequence(*data).ok_or_else(damaged)?;
            return match shape.as_slice() {
                [] => self.array(*items.first().ok_or_else(damaged)?, depth + 1),
                [_] if depth < DEEPEST => self.list(items, depth),
                _ => Ok(unusable("Python objects")),
            };
        }
        let bytes = self.bytes(*data).ok_or_else(damaged)?;
        let header = Header::of(item, *self.pickle.get(*is_fortran) == Object::Bool(true), shape);
        if header.bytes()? != Some(bytes.len()) {
            return Err(damaged());
        }
        header.array(bytes.into_owned())
    }

    /// Reads `_frombuffer(bytes, dtype, shape, order)`.
    fn numpy_buffer(&self, arguments: &[Place]) -> Result<Array<'static>, Corrupt> {
        let damaged = || Corrupt("an array of NumPy in its pickle cannot be understood".to_owned());
        let [data, dtype, shape, order] = arguments else { return Err(damaged()) };
        let (shape, item) = (self.pickle.sizes(*shape).ok_or_else(damaged)?, self.item(*dtype).ok_or_else(damaged)?);
        let bytes = self.bytes(*data).ok_or_else(damaged)?;
        let header = Header::of(item, self.pickle.text(*order) == Some("F"), shape);
        if header.bytes()? != Some(bytes.len()) {
            return Err(damaged());
        }
        header.array(bytes.into_owned())
    }

    /// Reads `scalar(dtype, bytes)`.
    fn numpy_scalar(&self, arguments: &[Place]) -> Result<Array<'static>, Corrupt> {
        let damaged = || Corrupt("a number of NumPy in its pickle cannot be understood".to_owned());
        let [dtype, data] = arguments else { return Err(damaged()) };
        let item = self.item(*dtype).ok_or_else(damaged)?;
        let bytes = self.bytes(*data).ok_or_else(damaged)?;
        let header = Header::of(item, false, Vec::new());
        if header.bytes()? != Some(bytes.len()) {
            return Err(damaged());
        }
        header.array(bytes.into_owned())
    }

    /// Reads `dtype('f8', False, True)` with the state `(3, '<', ...)`.
    fn item(&self, dtype: Place) -> Option<Item> {
        let arguments = self.pickle.call(dtype, "numpy", "dtype")?;
        let name = self.pickle.text(*arguments.first()?)?;
        let order = self.pickle.state(dtype).and_then(|state| self.pickle.text(*state.get(1)?));
        // Of numbers of one byte, the order is `|`; of others without a state, that of most machines.
        Some(Item::of(&format!("{}{name}", order.unwrap_or(if name.ends_with('1') { "|" } else { "<" }))))
    }

    /// Reads bytes, which older pickles have as text in which every character is a byte.
    fn bytes(&self, place: Place) -> Option<Cow<'_, [u8]>> {
        if let Object::Bytes(bytes) = self.pickle.get(place) {
            return Some(Cow::Borrowed(bytes));
        }
        let text = self.pickle.text(*self.pickle.call(place, "_codecs", "encode")?.first()?)?;
        text.chars()
            .map(|character| u8::try_from(u32::from(character)).ok())
            .collect::<Option<Vec<u8>>>()
            .map(Cow::Owned)
    }

    fn take(&mut self, bytes: usize) -> Result<(), Corrupt> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            Corrupt(format!("a list is of more than the {MOST} bytes that are read; save an array in its place"))
        })?;
        Ok(())
    }

    fn list(&mut self, items: &[Place], depth: usize) -> Result<Array<'static>, Corrupt> {
        let is_simple = |item: &Place| {
            matches!(
                self.pickle.get(*item),
                Object::Text(_) | Object::Integer(_) | Object::Float(_) | Object::Bool(_) | Object::None
            )
        };
        if items.iter().all(is_simple) { self.simple_list(items) } else { self.stack(items, depth) }
    }

    /// Reads a list of strings or numbers, which Python has where `NumPy` has an array; strings if there are both. None has no
    /// value, and neither has NaN among strings.
    fn simple_list(&mut self, items: &[Place]) -> Result<Array<'static>, Corrupt> {
        let pickle = self.pickle;
        let objects = || items.iter().map(|item| pickle.get(*item));
        let has_text = objects().any(|object| matches!(object, Object::Text(_)));
        let is_gap = |object: &Object| match object {
            Object::None => true,
            Object::Float(value) => has_text && value.is_nan(),
            _ => false,
        };
        let gaps: Vec<usize> = objects().enumerate().filter(|(_, object)| is_gap(object)).map(|(row, _)| row).collect();
        self.take(objects().map(|object| if let Object::Text(text) = object { text.len() } else { 8 }).sum())?;
        let shape = vec![items.len()];
        let mut array = if has_text {
            let text = |object: &Object| match object {
                Object::Text(text) => text.clone(),
                Object::Integer(value) => value.to_string(),
                Object::Float(value) => value.to_string(),
                Object::Bool(value) => value.to_string(),
                _ => String::new(),
            };
            Array { shape, values: Values::Strings(objects().map(text).collect()) }
        } else if objects().any(|object| matches!(object, Object::Float(_))) {
            let value = |object: &Object| match object {
                Object::Float(value) => *value,
                Object::Integer(value) => *value as f64,
                Object::Bool(value) => f64::from(*value),
                _ => 0.0,
            };
            let bytes = objects().flat_map(|object| value(object).to_le_bytes()).collect();
            Array::contiguous(shape, Element::F64, Cow::Owned(bytes))?
        } else {
            let value = |object: &Object| match object {
                Object::Integer(value) => *value,
                Object::Bool(value) => i64::from(*value),
                _ => 0,
            };
            let bytes = objects().flat_map(|object| value(object).to_le_bytes()).collect();
            Array::contiguous(shape, Element::I64, Cow::Owned(bytes))?
        };
        if !gaps.is_empty() {
            array.values = Values::WithGaps(Box::new(array.values), gaps);
        }
        Ok(array)
    }

    /// Stacks a list of arrays of one shape.
    fn stack(&mut self, items: &[Place], depth: usize) -> Result<Array<'static>, Corrupt> {
        let mut shape: Option<Vec<usize>> = None;
        let mut values: Vec<Number> = Vec::new();
        for (row, item) in items.iter().enumerate() {
            let array = self.array(*item, depth + 1)?;
            let numbers = match &array.values {
                Values::Numbers(numbers) => numbers,
                Values::Other(what) => return Ok(unusable(format!("a list, in which item {row} is {}", what.what))),
                _ => return Ok(unusable(format!("a list, in which item {row} is no array of numbers"))),
            };
            let expected = shape.get_or_insert_with(|| array.shape.clone());
            if *expected != array.shape {
                return Ok(unusable(Unusable::with_mend(
                    format!("a list of arrays of shapes {expected:?} and, at item {row}, {:?}", array.shape),
                    "all rows need one shape: pad them, or, of sequences, take the mean of each, [row.mean(0) for row in x]",
                )));
            }
            self.take(element_count(&array.shape)?.saturating_mul(8).max(8))?;
            numbers.each(&array.shape, &mut |number| values.push(number));
        }
        let shape = std::iter::once(items.len()).chain(shape.unwrap_or_default()).collect();
        let is_whole =
            values.iter().all(|value| matches!(value, Number::Integer(value) if i64::try_from(*value).is_ok()));
        let bytes = values.iter().flat_map(|value| match value {
            Number::Integer(value) if is_whole => i64::try_from(*value).unwrap_or_default().to_le_bytes(),
            other => other.to_f64().to_le_bytes(),
        });
        Array::contiguous(shape, if is_whole { Element::I64 } else { Element::F64 }, Cow::Owned(bytes.collect()))
    }
}

fn number(element: Element, bytes: [u8; 8]) -> Result<Array<'static>, Corrupt> {
    Array::contiguous(Vec::new(), element, Cow::Owned(bytes.to_vec()))
}

fn unusable(what: impl Into<Unusable>) -> Array<'static> {
    Array { shape: Vec::new(), values: Values::Other(what.into()) }
}
