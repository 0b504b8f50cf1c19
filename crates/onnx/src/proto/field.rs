//! How the fields of messages are read and written, by their types.

use super::ProtoError;
use super::wire::{Fields, Length, Limits, Sink, Wire, put_delimited, put_tag, put_varint};

/// A message: what [`message!`] makes of a list of fields.
pub(crate) trait Message: Default {
    /// Takes over the fields that `bytes` hold, which stand at `at` in the file. Unknown ones are passed over.
    #[doc(hidden)]
    fn merge(&mut self, bytes: &[u8], at: usize, limits: &mut Limits) -> Result<(), ProtoError>;

    /// Writes all fields that are there.
    #[doc(hidden)]
    fn put(&self, out: &mut impl Sink);

    /// Reads a message that is all of `bytes`.
    fn decode(bytes: &[u8]) -> Result<Self, ProtoError> {
        let mut message = Self::default();
        message.merge(bytes, 0, &mut Limits::of(bytes))?;
        Ok(message)
    }

    /// The message's bytes.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        self.put(&mut out);
        out
    }

    /// The number of bytes that [`encode`](Self::encode) gives.
    fn length(&self) -> usize {
        let mut length = Length::default();
        self.put(&mut length);
        length.0
    }
}

/// The type of a message's field.
pub(super) trait Field {
    /// Takes over a value of field `number`; the last of a single field counts, as in protobuf.
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError>;
    /// Writes the field if it is there.
    fn put(&self, number: u32, out: &mut impl Sink);
}

/// A field as it stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) number: u32,
    pub(super) at: usize,
    pub(super) value: Wire<'a>,
}

impl<'a> Given<'a> {
    fn unlike(&self) -> ProtoError {
        ProtoError::WireType { at: self.at, field: self.number }
    }

    fn delimited(&self) -> Result<&'a [u8], ProtoError> {
        if let Wire::Delimited(bytes) = self.value { Ok(bytes) } else { Err(self.unlike()) }
    }
}

/// A number with its wire type.
trait Scalar: Copy + Default + PartialEq {
    const WIRE_TYPE: u64;
    /// The least number of bytes that one takes.
    const SHORTEST: usize;
    fn of(value: Wire<'_>) -> Option<Self>;
    fn unpack(fields: &mut Fields<'_>) -> Result<Self, ProtoError>;
    fn put_value(self, out: &mut impl Sink);
}

macro_rules! varint {
    ($($t:ty),*) => {$(
        impl Scalar for $t {
            const WIRE_TYPE: u64 = 0;
            const SHORTEST: usize = 1;
            fn of(value: Wire<'_>) -> Option<Self> {
                // As protobuf does, bits beyond those of the type are cut off.
                if let Wire::Varint(value) = value { Some(value as $t) } else { None }
            }
            fn unpack(fields: &mut Fields<'_>) -> Result<Self, ProtoError> {
                Ok(fields.varint()? as $t)
            }
            fn put_value(self, out: &mut impl Sink) {
                // Negative numbers are extended to 64 bits.
                put_varint(self as i64 as u64, out);
            }
        }
    )*};
}
varint!(i32, i64, u64);

macro_rules! fixed {
    ($t:ty, $wire_type:literal, $variant:ident) => {
        impl Scalar for $t {
            const WIRE_TYPE: u64 = $wire_type;
            const SHORTEST: usize = size_of::<$t>();
            fn of(value: Wire<'_>) -> Option<Self> {
                if let Wire::$variant(bytes) = value { Some(Self::from_le_bytes(bytes)) } else { None }
            }
            fn unpack(fields: &mut Fields<'_>) -> Result<Self, ProtoError> {
                Ok(Self::from_le_bytes(fields.fixed()?))
            }
            fn put_value(self, out: &mut impl Sink) {
                out.put(&self.to_le_bytes());
            }
        }
    };
}
fixed!(f32, 5, Fixed32);
fixed!(f64, 1, Fixed64);

/// Numbers as fields. One that may be missing is written if it is there, also if it is zero; lists are read packed or one by
/// one, and written packed.
macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl Field for Option<$t> {
            fn read(&mut self, field: Given<'_>, _limits: &mut Limits) -> Result<(), ProtoError> {
                *self = Some(<$t>::of(field.value).ok_or_else(|| field.unlike())?);
                Ok(())
            }

            fn put(&self, number: u32, out: &mut impl Sink) {
                if let Some(value) = *self {
                    put_tag(number, <$t>::WIRE_TYPE, out);
                    value.put_value(out);
                }
            }
        }

        impl Field for Vec<$t> {
            fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
                read_list(self, field, limits)
            }

            fn put(&self, number: u32, out: &mut impl Sink) {
                put_list(self, number, out);
            }
        }
    )*};
}
numbers!(i32, i64, u64, f32, f64);

fn read_list<S: Scalar>(list: &mut Vec<S>, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
    let Wire::Delimited(bytes) = field.value else {
        grow(list, field.at, limits)?;
        list.push(S::of(field.value).ok_or_else(|| field.unlike())?);
        return Ok(());
    };
    let count = if S::SHORTEST == 1 {
        bytes.iter().filter(|&&byte| byte < 0x80).count()
    } else {
        bytes.len() / S::SHORTEST
    };
    limits.charge(field.at, count.saturating_mul(size_of::<S>()))?;
    list.reserve_exact(count);
    let mut fields = Fields::of(bytes, field.at);
    while !fields.is_empty() {
        list.push(S::unpack(&mut fields)?);
    }
    Ok(())
}

fn put_list<S: Scalar>(list: &[S], number: u32, out: &mut impl Sink) {
    if list.is_empty() {
        return;
    }
    let mut length = Length::default();
    list.iter().for_each(|value| value.put_value(&mut length));
    put_tag(number, 2, out);
    put_varint(length.0 as u64, out);
    list.iter().for_each(|value| value.put_value(out));
}

/// Missing text is empty text.
impl Field for String {
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
        let bytes = field.delimited()?;
        limits.charge(field.at, bytes.len())?;
        let text = std::str::from_utf8(bytes).map_err(|_| ProtoError::Text { at: field.at })?;
        *self = text.to_owned();
        Ok(())
    }

    fn put(&self, number: u32, out: &mut impl Sink) {
        if !self.is_empty() {
            put_delimited(number, self.as_bytes(), out);
        }
    }
}

impl Field for Option<String> {
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
        self.insert(String::new()).read(field, limits)
    }

    fn put(&self, number: u32, out: &mut impl Sink) {
        if let Some(text) = self {
            put_delimited(number, text.as_bytes(), out);
        }
    }
}

impl Field for Option<Vec<u8>> {
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
        let bytes = field.delimited()?;
        limits.charge(field.at, bytes.len())?;
        *self = Some(bytes.to_vec());
        Ok(())
    }

    fn put(&self, number: u32, out: &mut impl Sink) {
        if let Some(bytes) = self {
            put_delimited(number, bytes, out);
        }
    }
}

impl Field for Vec<String> {
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
        grow(self, field.at, limits)?;
        let mut text = String::new();
        text.read(field, limits)?;
        self.push(text);
        Ok(())
    }

    fn put(&self, number: u32, out: &mut impl Sink) {
        self.iter().for_each(|text| put_delimited(number, text.as_bytes(), out));
    }
}

impl Field for Vec<Vec<u8>> {
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
        grow(self, field.at, limits)?;
        let bytes = field.delimited()?;
        limits.charge(field.at, bytes.len())?;
        self.push(bytes.to_vec());
        Ok(())
    }

    fn put(&self, number: u32, out: &mut impl Sink) {
        self.iter().for_each(|bytes| put_delimited(number, bytes, out));
    }
}

/// A message within a message; of several in a row the fields are joined, as in protobuf.
impl<M: Message> Field for Option<Box<M>> {
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
        let bytes = field.delimited()?;
        if self.is_none() {
            limits.charge(field.at, size_of::<M>())?;
        }
        let message = self.get_or_insert_default();
        limits.nested(field.at, |limits| message.merge(bytes, field.at, limits))
    }

    fn put(&self, number: u32, out: &mut impl Sink) {
        if let Some(message) = self {
            put_message(number, &**message, out);
        }
    }
}

impl<M: Message> Field for Vec<M> {
    fn read(&mut self, field: Given<'_>, limits: &mut Limits) -> Result<(), ProtoError> {
        let bytes = field.delimited()?;
        grow(self, field.at, limits)?;
        let mut message = M::default();
        limits.nested(field.at, |limits| message.merge(bytes, field.at, limits))?;
        self.push(message);
        Ok(())
    }

    fn put(&self, number: u32, out: &mut impl Sink) {
        self.iter().for_each(|message| put_message(number, message, out));
    }
}

fn put_message(number: u32, message: &impl Message, out: &mut impl Sink) {
    put_tag(number, 2, out);
    put_varint(message.length() as u64, out);
    message.put(out);
}

/// Makes room for one more and counts it: what a list grows by, and the old list while it is copied.
fn grow<S>(list: &mut Vec<S>, at: usize, limits: &mut Limits) -> Result<(), ProtoError> {
    if list.len() == list.capacity() {
        let more = list.len().max(1);
        limits.charge(at, more.saturating_mul(size_of::<S>()))?;
        list.reserve_exact(more);
    }
    Ok(())
}

/// Declares messages: fields with their numbers, as in `onnx.proto`.
macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        struct $name:ident {
            $( $(#[$field_doc:meta])* $number:literal => $field:ident: $type:ty, )*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct $name {
            $( $(#[$field_doc])* pub(crate) $field: $type, )*
        }

        impl crate::proto::field::Message for $name {
            fn merge(&mut self, bytes: &[u8], at: usize, limits: &mut Limits) -> Result<(), ProtoError> {
                let mut fields = Fields::of(bytes, at);
                while let Some((number, at, value)) = fields.next()? {
                    let given = Given { number, at, value };
                    match number {
                        $( $number => Field::read(&mut self.$field, given, limits)?, )*
                        _ => {}
                    }
                }
                Ok(())
            }

            fn put(&self, out: &mut impl Sink) {
                $( Field::put(&self.$field, $number, out); )*
            }
        }
    )*};
}
pub(super) use messages;
