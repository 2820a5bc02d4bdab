//! The stack machine that runs the program of a pickle.

use std::collections::BTreeMap;

use super::{Object, Pickle, Place};
use crate::features::array::Corrupt;

enum Step {
    Go,
    Stop(Place),
}

/// The stack machine that a pickle is a program for. `None` from a step means a malformed or unknown instruction.
pub(super) struct Machine<'a> {
    pickle: Pickle,
    stack: Vec<Place>,
    /// Heights of the stack, innermost last.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Place>,
    length: usize,
    rest: &'a [u8],
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (stack, marks, memo) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { pickle: Pickle::default(), stack, marks, memo, length: bytes.len(), rest: bytes }
    }

    /// Runs the program. Returns its objects and the place of the outermost.
    pub(super) fn run(mut self) -> Result<(Pickle, Place), Corrupt> {
        loop {
            let at = self.length - self.rest.len();
            match self.step() {
                Some(Step::Go) => {}
                Some(Step::Stop(place)) => return Ok((self.pickle, place)),
                None => return Err(Corrupt(format!("its pickle cannot be understood from byte {at} on"))),
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        let [code] = self.take()?;
        match code {
            // PROTO and FRAME only announce.
            0x80 => drop(self.take::<1>()?),
            0x95 => drop(self.take::<8>()?),
            b'.' => return Some(Step::Stop(self.pop()?)),

            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = *self.stack.last()?;
                self.stack.push(top);
            }
            // Sets are lists here.
            b')' | b']' | 0x8f => self.push(Object::Sequence(Vec::new())),
            b'}' => self.push(Object::Dictionary(Vec::new())),
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Object::Dictionary(Vec::new()));
                self.set_items(&items)?;
            }
            b't' | b'l' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Object::Sequence(items));
            }
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(code - 0x84))?;
                self.push(Object::Sequence(items));
            }
            b'a' => {
                let items = self.pop_many(1)?;
                self.append(items)?;
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let items = self.pop_many(2)?;
                self.set_items(&items)?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }

            b'c' => self.global_lines()?,
            0x93 => self.global_stack()?,
            b'Q' => {
                let id = self.pop()?;
                self.push(Object::Persistent(id));
            }
            // REDUCE and NEWOBJ: a call either way.
            b'R' | 0x81 => self.call()?,
            // NEWOBJ_EX: arguments by name are left alone.
            0x92 => {
                self.pop()?;
                self.call()?;
            }
            // BUILD sets attributes of an object, which are not among its items.
            b'b' => {
                let attributes = self.pop()?;
                if let Object::Call { state, .. } = self.top()? {
                    *state = Some(attributes);
                }
            }

            b'q' => {
                let [key] = self.take()?;
                self.remember(key.into())?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.take()?);
                self.remember(key)?;
            }
            0x94 => self.remember(u32::try_from(self.memo.len()).ok()?)?,
            b'h' => {
                let [key] = self.take()?;
                self.recall(key.into())?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.take()?);
                self.recall(key)?;
            }
            _ => self.value(code)?,
        }
        Some(Step::Go)
    }

    /// Runs the instructions that push numbers, texts and bytes.
    fn value(&mut self, code: u8) -> Option<()> {
        match code {
            b'N' => self.push(Object::None),
            0x88 => self.push(Object::Bool(true)),
            0x89 => self.push(Object::Bool(false)),
            b'J' => self.integer_4()?,
            b'K' => self.integer_1()?,
            b'M' => self.integer_2()?,
            0x8a => self.long()?,
            0x8b => {
                let length = u32::from_le_bytes(self.take()?);
                self.long_of(length.try_into().ok()?)?;
            }
            b'G' => {
                let value = f64::from_be_bytes(self.take()?);
                self.push(Object::Float(value));
            }
            b'X' => self.text_4()?,
            0x8c => self.text_1()?,
            0x8d => {
                let length = u64::from_le_bytes(self.take()?);
                self.take_text(length.try_into().ok()?)?;
            }
            b'C' | b'U' => {
                let [length] = self.take()?;
                self.take_bytes(length.into())?;
            }
            b'B' | b'T' => {
                let length = u32::from_le_bytes(self.take()?);
                self.take_bytes(length.try_into().ok()?)?;
            }
            0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.take()?);
                self.take_bytes(length.try_into().ok()?)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn take<const SIZE: usize>(&mut self) -> Option<[u8; SIZE]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    fn take_text(&mut self, length: usize) -> Option<()> {
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        self.push(Object::Text(str::from_utf8(text).ok()?.to_owned()));
        Some(())
    }

    fn take_bytes(&mut self, length: usize) -> Option<()> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        self.push(Object::Bytes(bytes.to_vec()));
        Some(())
    }

    fn take_line(&mut self) -> Option<String> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let line = str::from_utf8(&self.rest[..end]).ok()?.to_owned();
        self.rest = &self.rest[end + 1..];
        Some(line)
    }

    fn push(&mut self, object: Object) {
        self.stack.push(Place(self.pickle.objects.len()));
        self.pickle.objects.push(object);
    }

    /// Pops the topmost object, unless it lies under the innermost mark.
    fn pop(&mut self) -> Option<Place> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() > floor { self.stack.pop() } else { None }
    }

    fn pop_many(&mut self, count: usize) -> Option<Vec<Place>> {
        let mut items: Vec<Place> = (0..count).map(|_| self.pop()).collect::<Option<_>>()?;
        items.reverse();
        Some(items)
    }

    fn pop_to_mark(&mut self) -> Option<Vec<Place>> {
        let mark = self.marks.pop()?;
        Some(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Option<&mut Object> {
        let place = self.stack.last()?;
        self.pickle.objects.get_mut(place.0)
    }

    fn integer_1(&mut self) -> Option<()> {
        let value = u8::from_le_bytes(self.take()?);
        self.push(Object::Integer(value.into()));
        Some(())
    }

    fn integer_2(&mut self) -> Option<()> {
        let value = u16::from_le_bytes(self.take()?);
        self.push(Object::Integer(value.into()));
        Some(())
    }

    fn integer_4(&mut self) -> Option<()> {
        let value = i32::from_le_bytes(self.take()?);
        self.push(Object::Integer(value.into()));
        Some(())
    }

    /// Reads LONG1, a signed integer of up to 255 bytes, of which those that fit an `i64` are understood.
    fn long(&mut self) -> Option<()> {
        let [length] = self.take()?;
        self.long_of(length.into())
    }

    fn long_of(&mut self, length: usize) -> Option<()> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let is_negative = bytes.last().is_some_and(|last| *last >= 0x80);
        let mut value = [if is_negative { 0xff } else { 0 }; 8];
        value.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.push(Object::Integer(i64::from_le_bytes(value)));
        Some(())
    }

    fn text_1(&mut self) -> Option<()> {
        let [length] = self.take()?;
        self.take_text(length.into())
    }

    fn text_4(&mut self) -> Option<()> {
        let length = u32::from_le_bytes(self.take()?);
        self.take_text(length.try_into().ok()?)
    }

    fn global_lines(&mut self) -> Option<()> {
        let module = self.take_line()?;
        let name = self.take_line()?;
        self.push(Object::Global(module, name));
        Some(())
    }

    fn global_stack(&mut self) -> Option<()> {
        let name = self.pop()?;
        let module = self.pop()?;
        let module = self.pickle.text(module)?.to_owned();
        let name = self.pickle.text(name)?.to_owned();
        self.push(Object::Global(module, name));
        Some(())
    }

    fn call(&mut self) -> Option<()> {
        let arguments = self.pop()?;
        let callable = self.pop()?;
        let object = match self.pickle.get(callable) {
            Object::Global(module, name)
                if module == "collections" && ["OrderedDict", "defaultdict"].contains(&name.as_str()) =>
            {
                Object::Dictionary(Vec::new())
            }
            _ => Object::Call { callable, arguments, state: None },
        };
        self.push(object);
        Some(())
    }

    fn append(&mut self, items: Vec<Place>) -> Option<()> {
        match self.top()? {
            Object::Sequence(list) => list.extend(items),
            // What is made by a class of its own and has items is a list.
            object @ Object::Call { .. } => *object = Object::Sequence(items),
            _ => return None,
        }
        Some(())
    }

    fn set_items(&mut self, items: &[Place]) -> Option<()> {
        let (pairs, rest) = items.as_chunks::<2>();
        match self.top()? {
            Object::Dictionary(entries) if rest.is_empty() => {
                entries.extend(pairs.iter().map(|[key, value]| (*key, *value)));
            }
            // Likewise a dictionary.
            object @ Object::Call { .. } if rest.is_empty() => {
                *object = Object::Dictionary(pairs.iter().map(|[key, value]| (*key, *value)).collect());
            }
            _ => return None,
        }
        Some(())
    }

    fn remember(&mut self, key: u32) -> Option<()> {
        self.memo.insert(key, *self.stack.last()?);
        Some(())
    }

    fn recall(&mut self, key: u32) -> Option<()> {
        self.stack.push(*self.memo.get(&key)?);
        Some(())
    }
}
