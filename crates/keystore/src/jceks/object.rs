//! Walks a Java serialization stream without making anything of it.
//!
//! | code | content |
//! |---|---|
//! | header | `ACED 0005` |
//! | 70, 71 | null, back reference(4) |
//! | 72 | class: name `utf`, serialVersionUID(8), flags, fields, annotations up to 78, superclass |
//! | 73 | object: class, then the fields of its classes from the top down |
//! | 74, 7C | text behind a length of 2 or 8 bytes |
//! | 75 | array: class, count(4), elements |
//! | 7E | enum: class, name |
//!
//! Source: Java Object Serialization Specification 6.4.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::modified_utf8;
use crate::reader::{ReadError, Reader};

/// Reads the header and one object, and stops at its last byte.
///
/// # Errors
/// `LengthPastEnd`, `BadValue` and `TooDeep` as read errors; `Unsupported` for what no key needs (proxies,
/// classes, external content).
pub(crate) fn read(reader: &mut Reader<'_>, max_depth: usize) -> Result<Object, StreamError> {
    let offset = reader.offset();
    if reader.u32("object stream header")? != 0xaced_0005 {
        return Err(ReadError::BadValue {
            what: "object stream header",
            offset,
        }
        .into());
    }
    let mut walk = Walk {
        reader,
        handles: Vec::new(),
        max_depth,
    };
    match walk.value(0)? {
        Value::Object(object) => Ok((*object).clone()),
        _ => Err(StreamError::Unsupported {
            offset,
            what: "stream without an object".to_owned(),
        }),
    }
}

/// A `javax.crypto.spec.SecretKeySpec`; `None` when a part is longer than its length field can say.
///
/// Java gives every key out as one of these, whatever class it was stored as.
pub(crate) fn write_secret_key(algorithm: &str, raw: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(raw.len() + 256));
    out.extend_from_slice(&HEADER);
    out.extend_from_slice(&[0x73, 0x72]);
    out.extend_from_slice(&text("javax.crypto.spec.SecretKeySpec")?);
    out.extend_from_slice(&0x5b47_0b66_e230_614d_u64.to_be_bytes());
    out.extend_from_slice(&[SERIALIZABLE, 0, 2]);
    out.push(b'L');
    out.extend_from_slice(&text("algorithm")?);
    out.push(0x74);
    out.extend_from_slice(&text("Ljava/lang/String;")?);
    out.push(b'[');
    out.extend_from_slice(&text("key")?);
    out.push(0x74);
    out.extend_from_slice(&text("[B")?);
    out.extend_from_slice(&[0x78, 0x70, 0x74]);
    out.extend_from_slice(&text(algorithm)?);
    out.extend_from_slice(&byte_array_class()?);
    out.extend_from_slice(&run(raw)?);
    Some(out)
}

/// A `com.sun.crypto.provider.SealedObjectForKeyProtector` around what is already encrypted.
pub(crate) fn write_sealed(parameters: &[u8], content: &[u8], algorithm: &str) -> Option<Vec<u8>> {
    // Objects are numbered as they come: 2 the text "[B", 3 the text of the string type, 5 the class of the arrays, 8
    // the algorithm's name.
    let reference = |number: u8| [0x71, 0x00, 0x7e, 0x00, number];
    let mut out = HEADER.to_vec();
    out.extend_from_slice(&[0x73, 0x72]);
    out.extend_from_slice(&text("com.sun.crypto.provider.SealedObjectForKeyProtector")?);
    out.extend_from_slice(&0xcd57_ca59_e730_bb53_u64.to_be_bytes());
    out.extend_from_slice(&[SERIALIZABLE, 0, 0, 0x78, 0x72]);
    out.extend_from_slice(&text("javax.crypto.SealedObject")?);
    out.extend_from_slice(&0x3e36_3da6_c3b7_5470_u64.to_be_bytes());
    out.extend_from_slice(&[SERIALIZABLE, 0, 4]);
    for (code, name, kind, number) in [
        (b'[', "encodedParams", Some("[B"), 0),
        (b'[', "encryptedContent", None, 2),
        (b'L', "paramsAlg", Some("Ljava/lang/String;"), 0),
        (b'L', "sealAlg", None, 3),
    ] {
        out.push(code);
        out.extend_from_slice(&text(name)?);
        match kind {
            Some(kind) => {
                out.push(0x74);
                out.extend_from_slice(&text(kind)?);
            }
            None => out.extend_from_slice(&reference(number)),
        }
    }
    out.extend_from_slice(&[0x78, 0x70]);
    out.extend_from_slice(&byte_array_class()?);
    out.extend_from_slice(&run(parameters)?);
    out.push(0x75);
    out.extend_from_slice(&reference(5));
    out.extend_from_slice(&run(content)?);
    out.push(0x74);
    out.extend_from_slice(&text(algorithm)?);
    out.extend_from_slice(&reference(8));
    Some(out)
}

/// An array of bytes, up to its length.
fn byte_array_class() -> Option<Vec<u8>> {
    let mut out = vec![0x75, 0x72];
    out.extend_from_slice(&text("[B")?);
    out.extend_from_slice(&0xacf3_17f8_0608_54e0_u64.to_be_bytes());
    out.extend_from_slice(&[SERIALIZABLE, 0, 0, 0x78, 0x70]);
    Some(out)
}

fn text(text: &str) -> Option<Vec<u8>> {
    let bytes = modified_utf8::encode(text);
    let len = u16::try_from(bytes.len()).ok()?;
    Some([&len.to_be_bytes(), bytes.as_slice()].concat())
}

fn run(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let len = i32::try_from(bytes.len()).ok()?;
    Some(Zeroizing::new([&len.to_be_bytes(), bytes].concat()))
}

/// Why a stream could not be walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamError {
    Read(ReadError),
    Unsupported { offset: usize, what: String },
}

impl From<ReadError> for StreamError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// An object's class and those of its fields that are text or bytes, superclasses included.
///
/// Invariant: no object holds another, so that dropping a chain of them needs no stack.
#[derive(Clone)]
pub(crate) struct Object {
    class: Arc<str>,
    fields: Vec<(Arc<str>, Value)>,
}

impl Object {
    /// Its class name.
    pub(crate) fn class(&self) -> &str {
        &self.class
    }

    /// A field that is a byte array.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find_map(|(field, value)| match value {
            Value::Bytes(bytes) if **field == *name => Some(&**bytes),
            _ => None,
        })
    }

    /// A field that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|(field, value)| match value {
            Value::Text(text) if **field == *name => Some(&**text),
            _ => None,
        })
    }
}

/// What a stream holds, as far as keys need it. References share.
#[derive(Clone)]
enum Value {
    Bytes(Arc<[u8]>),
    Class(Arc<Class>),
    Object(Arc<Object>),
    Other,
    Text(Arc<str>),
}

struct Class {
    name: Arc<str>,
    flags: u8,
    /// Type code and name, in stream order.
    fields: Vec<(u8, Arc<str>)>,
    superclass: Option<Arc<Class>>,
    /// Classes above this one; at most the depth limit.
    height: usize,
}

struct Walk<'a, 'b> {
    reader: &'a mut Reader<'b>,
    handles: Vec<Value>,
    max_depth: usize,
}

impl Walk<'_, '_> {
    fn value(&mut self, depth: usize) -> Result<Value, StreamError> {
        let offset = self.reader.offset();
        if depth > self.max_depth {
            return Err(ReadError::TooDeep {
                offset,
                limit: self.max_depth,
            }
            .into());
        }
        match self.reader.u8("object code")? {
            0x70 => Ok(Value::Other),
            0x71 => self.reference(),
            0x72 => Ok(Value::Class(self.class(depth)?)),
            0x73 => self.object(depth),
            0x74 => {
                let len = self.reader.u16("string")?;
                self.text(usize::from(len))
            }
            0x7c => {
                let len = self.reader.u64("string")?;
                self.text(usize::try_from(len).unwrap_or(usize::MAX))
            }
            0x75 => self.array(depth),
            0x7e => {
                self.class_of(depth)?;
                self.handles.push(Value::Other);
                self.value(depth + 1)
            }
            code => Err(StreamError::Unsupported {
                offset,
                what: format!("object code {code:#04x}"),
            }),
        }
    }

    fn reference(&mut self) -> Result<Value, StreamError> {
        let offset = self.reader.offset();
        let handle = self.reader.u32("back reference")?;
        let known = handle
            .checked_sub(0x7e_0000)
            .and_then(|index| self.handles.get(index as usize));
        Ok(known.cloned().ok_or(ReadError::BadValue {
            what: "back reference",
            offset,
        })?)
    }

    fn text(&mut self, len: usize) -> Result<Value, StreamError> {
        let offset = self.reader.offset();
        let bytes = self.reader.take(len, "string")?;
        let text = modified_utf8::decode(bytes).ok_or(ReadError::BadValue {
            what: "string",
            offset,
        })?;
        let text = Value::Text(text.into());
        self.handles.push(text.clone());
        Ok(text)
    }

    /// A class, new or referred to; `None` for null.
    fn class_of(&mut self, depth: usize) -> Result<Option<Arc<Class>>, StreamError> {
        let offset = self.reader.offset();
        match (self.reader.peek().first(), self.value(depth + 1)?) {
            (_, Value::Class(class)) => Ok(Some(class)),
            (Some(0x70), _) => Ok(None),
            _ => Err(ReadError::BadValue {
                what: "class",
                offset,
            }
            .into()),
        }
    }

    fn class(&mut self, depth: usize) -> Result<Arc<Class>, StreamError> {
        let name = self.utf("class name")?;
        self.reader.u64("serial version")?;
        let handle = self.handles.len();
        self.handles.push(Value::Other);
        let flags = self.reader.u8("class flags")?;
        let count = self.reader.u16("field count")?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let code = self.reader.u8("field type")?;
            fields.push((code, self.utf("field name")?));
            if matches!(code, b'[' | b'L') {
                self.value(depth + 1)?;
            }
        }
        self.annotations(depth)?;
        let offset = self.reader.offset();
        let superclass = self.class_of(depth)?;
        let height = superclass.as_ref().map_or(0, |above| above.height + 1);
        if height > self.max_depth {
            return Err(ReadError::TooDeep {
                offset,
                limit: self.max_depth,
            }
            .into());
        }
        let class = Arc::new(Class {
            name,
            flags,
            fields,
            superclass,
            height,
        });
        self.handles[handle] = Value::Class(Arc::clone(&class));
        Ok(class)
    }

    fn object(&mut self, depth: usize) -> Result<Value, StreamError> {
        let offset = self.reader.offset();
        let class = self.class_of(depth)?.ok_or(ReadError::BadValue {
            what: "class",
            offset,
        })?;
        let handle = self.handles.len();
        self.handles.push(Value::Other);
        let mut lineage = vec![&class];
        while let Some(next) = lineage.last().and_then(|class| class.superclass.as_ref()) {
            lineage.push(next);
        }
        let mut fields = Vec::new();
        for class in lineage.into_iter().rev() {
            if class.flags & SERIALIZABLE == 0 {
                let what = format!("external content of class {}", class.name);
                return Err(StreamError::Unsupported { offset, what });
            }
            for (code, name) in &class.fields {
                let value = self.field(*code, depth)?;
                if matches!(value, Value::Bytes(_) | Value::Text(_)) {
                    fields.push((Arc::clone(name), value));
                }
            }
            if class.flags & WRITE_METHOD != 0 {
                self.annotations(depth)?;
            }
        }
        let object = Value::Object(Arc::new(Object {
            class: Arc::clone(&class.name),
            fields,
        }));
        self.handles[handle] = object.clone();
        Ok(object)
    }

    fn array(&mut self, depth: usize) -> Result<Value, StreamError> {
        let offset = self.reader.offset();
        let class = self.class_of(depth)?.ok_or(ReadError::BadValue {
            what: "class",
            offset,
        })?;
        let handle = self.handles.len();
        self.handles.push(Value::Other);
        let code = class.name.as_bytes().get(1).copied().unwrap_or_default();
        if code == b'B' {
            let bytes = Value::Bytes(self.reader.run_u32("byte array")?.into());
            self.handles[handle] = bytes.clone();
            return Ok(bytes);
        }
        let count = self.reader.u32("array length")?;
        for _ in 0..count {
            self.field(code, depth)?;
        }
        Ok(Value::Other)
    }

    fn field(&mut self, code: u8, depth: usize) -> Result<Value, StreamError> {
        let offset = self.reader.offset();
        let size = match code {
            b'B' | b'Z' => 1,
            b'C' | b'S' => 2,
            b'F' | b'I' => 4,
            b'D' | b'J' => 8,
            b'L' | b'[' => return self.value(depth + 1),
            _ => {
                return Err(ReadError::BadValue {
                    what: "field type",
                    offset,
                }
                .into());
            }
        };
        self.reader.take(size, "field")?;
        Ok(Value::Other)
    }

    /// Block data and objects up to the end mark.
    fn annotations(&mut self, depth: usize) -> Result<(), StreamError> {
        loop {
            match self.reader.peek().first() {
                Some(0x78) => {
                    self.reader.u8("end mark")?;
                    return Ok(());
                }
                Some(0x77) => {
                    self.reader.u8("block")?;
                    let len = self.reader.u8("block")?;
                    self.reader.take(usize::from(len), "block")?;
                }
                Some(0x7a) => {
                    self.reader.u8("block")?;
                    self.reader.run_u32("block")?;
                }
                _ => {
                    self.value(depth + 1)?;
                }
            }
        }
    }

    fn utf(&mut self, what: &'static str) -> Result<Arc<str>, StreamError> {
        let offset = self.reader.offset();
        let len = self.reader.u16(what)?;
        let bytes = self.reader.take(usize::from(len), what)?;
        let text = modified_utf8::decode(bytes).ok_or(ReadError::BadValue { what, offset })?;
        Ok(text.into())
    }
}

const HEADER: [u8; 4] = [0xac, 0xed, 0, 5];
const WRITE_METHOD: u8 = 0x01;
const SERIALIZABLE: u8 = 0x02;
