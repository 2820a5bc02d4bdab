//! Python pickles, read as data: objects are laid out, none is created and no code runs.
//!
//! `torch.save` writes a dictionary of tensors as a pickle that refers to the tensors' bytes. `candle_core::pickle`
//! reads these too, but prints what it skips, knows no 32-bit integers and panics on some malformed files; features
//! come from anywhere, so they are read by this smaller reader, which does none of the three.
//!
//! Objects lie in an arena and refer to each other by place. The size of everything is bounded by the pickle's
//! length, however often it shares or nests.

pub(super) mod arrays;
mod machine;
pub(super) mod nested;

use self::machine::Machine;
use crate::features::array::Corrupt;

/// The place of an object in a [`Pickle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::features::format) struct Place(usize);

/// An object of a pickle.
#[derive(Debug, PartialEq)]
pub(in crate::features::format) enum Object {
    None,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Sequence(Vec<Place>),
    Dictionary(Vec<(Place, Place)>),
    /// A class or function, by module and name.
    Global(String, String),
    /// A reference to something outside the pickle.
    Persistent(Place),
    /// The result of a function or class, and the state set on it afterwards.
    Call {
        callable: Place,
        arguments: Place,
        state: Option<Place>,
    },
}

/// A pickle's objects.
#[derive(Debug, Default)]
pub(in crate::features::format) struct Pickle {
    objects: Vec<Object>,
}

impl Pickle {
    /// Reads a pickle. Returns its objects and the place of the outermost.
    pub(in crate::features::format) fn read(bytes: &[u8]) -> Result<(Self, Place), Corrupt> {
        Machine::new(bytes).run()
    }

    pub(in crate::features::format) fn get(&self, place: Place) -> &Object {
        &self.objects[place.0]
    }

    pub(in crate::features::format) fn text(&self, place: Place) -> Option<&str> {
        match self.get(place) {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(in crate::features::format) fn sequence(&self, place: Place) -> Option<&[Place]> {
        match self.get(place) {
            Object::Sequence(items) => Some(items),
            _ => None,
        }
    }

    pub(in crate::features::format) fn size(&self, place: Place) -> Option<usize> {
        match self.get(place) {
            Object::Integer(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    pub(in crate::features::format) fn sizes(&self, place: Place) -> Option<Vec<usize>> {
        self.sequence(place)?.iter().map(|item| self.size(*item)).collect()
    }

    /// Returns the arguments, if the object is a call of this function.
    pub(in crate::features::format) fn call(&self, place: Place, module: &str, function: &str) -> Option<&[Place]> {
        match self.called(place)? {
            (m, f, arguments) if m == module && f == function => Some(arguments),
            _ => None,
        }
    }

    /// Returns module and name of the function, and its arguments, if the object is a call.
    pub(in crate::features::format) fn called(&self, place: Place) -> Option<(&str, &str, &[Place])> {
        let Object::Call { callable, arguments, .. } = self.get(place) else {
            return None;
        };
        match self.get(*callable) {
            Object::Global(module, function) => Some((module, function, self.sequence(*arguments)?)),
            _ => None,
        }
    }

    /// Returns the state set on an object after it was made.
    pub(in crate::features::format) fn state(&self, place: Place) -> Option<&[Place]> {
        match self.get(place) {
            Object::Call { state: Some(state), .. } => self.sequence(*state),
            _ => None,
        }
    }

    /// Returns the items of a dictionary whose keys are text.
    pub(in crate::features::format) fn items(&self, place: Place) -> Option<Vec<(&str, Place)>> {
        match self.get(place) {
            Object::Dictionary(items) => {
                Some(items.iter().filter_map(|(key, value)| Some((self.text(*key)?, *value))).collect())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Object, Pickle};

    #[test]
    fn dictionaries_in_protocols_2_and_4() {
        // pickle.dumps({"a": (1, -2, 70000)}, protocol=2)
        let two = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01J\xfe\xff\xff\xffJp\x11\x01\x00\x87q\x02s.";
        // pickle.dumps({"a": (1, -2, 70000)}, protocol=4)
        let four = b"\x80\x04\x95\x17\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01J\xfe\xff\xff\xffJp\x11\x01\x00\x87\x94s.";
        for bytes in [two.as_slice(), four] {
            let (pickle, top) = Pickle::read(bytes).unwrap();
            let Object::Dictionary(entries) = pickle.get(top) else { panic!("a dictionary was pickled") };
            let (key, value) = entries[0];
            assert_eq!(pickle.text(key), Some("a"));
            let items = pickle.sequence(value).unwrap();
            assert_eq!(pickle.get(items[1]), &Object::Integer(-2));
            assert_eq!(pickle.size(items[2]), Some(70000));
            assert_eq!(pickle.size(items[1]), None);
        }
    }

    #[test]
    fn long_integers_of_up_to_eight_bytes() {
        let value = |bytes: &[u8]| {
            let (pickle, top) = Pickle::read(bytes).ok()?;
            match pickle.get(top) {
                Object::Integer(value) => Some(*value),
                _ => None,
            }
        };
        assert_eq!(value(b"\x8a\x00."), Some(0));
        assert_eq!(value(b"\x8a\x01\xff."), Some(-1));
        assert_eq!(value(b"\x8a\x05\x00\x00\x00\x00\x01."), Some(1 << 32));
        assert_eq!(value(b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01."), None);
    }

    #[test]
    fn malformed_programs_are_refused() {
        for bytes in [
            b"".as_slice(),
            b".",
            b"t.",
            b"(.",
            b"}K\x01u.",
            b"}(K\x01u.",
            b"}(K\x01s.",
            b"K\x01(\x85.",
            b"h\x00.",
            b"X\xff\xff\xff\xffa.",
            b"X\x01\x00\x00\x00\xff.",
            b"cos\nsystem",
            b"K\x01K\x02a.",
            b"\xff.",
        ] {
            assert!(Pickle::read(bytes).is_err(), "{bytes:?}");
        }
    }

    /// Doubling by reference, a thousand times over, costs a thousand objects.
    #[test]
    fn sharing_does_not_multiply() {
        let mut bytes = b")q\x00".to_vec();
        for _ in 0..1000 {
            bytes.extend(b"h\x00h\x00\x86q\x00");
        }
        bytes.push(b'.');
        let (pickle, _) = Pickle::read(&bytes).unwrap();
        assert_eq!(pickle.objects.len(), 1001);
    }

    /// A million tuples in each other need no stack when they are read or dropped.
    #[test]
    fn nesting_does_not_recurse() {
        let mut bytes = b")".to_vec();
        bytes.resize(1_000_001, 0x85);
        bytes.push(b'.');
        assert!(Pickle::read(&bytes).is_ok());
    }
}
