//! Reads numbers and byte runs from foreign bytes, and knows where in the file each one stands.
//!
//! This file and `der.rs` are the only code of the crate that slices foreign bytes.

/// What can be wrong with bytes that somebody else wrote, with the offset from the start of the outermost file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A value stands where its meaning does not allow it.
    #[error("{what} at byte {offset:#x} is not valid")]
    BadValue {
        /// The thing that was read.
        what: &'static str,
        /// Where it starts.
        offset: usize,
    },
    /// A length says more than there is left.
    #[error("{what} length {length} at byte {offset:#x} exceeds the {left} bytes left")]
    LengthPastEnd {
        /// The thing whose length it is.
        what: &'static str,
        /// Where the content should start.
        offset: usize,
        /// The length that was asked for.
        length: u64,
        /// What there is.
        left: usize,
    },
    /// Elements lie inside each other deeper than any real file needs.
    #[error("nested deeper than {limit} levels at byte {offset:#x}")]
    TooDeep {
        /// Where the level after the last allowed one starts.
        offset: usize,
        /// The cap.
        limit: usize,
    },
    /// Bytes follow where nothing may follow.
    #[error("{count} bytes follow {what} at byte {offset:#x}")]
    TrailingBytes {
        /// The thing that should have been the last one.
        what: &'static str,
        /// Where the first extra byte stands.
        offset: usize,
        /// How many there are.
        count: usize,
    },
    /// Another kind of element than the format asks for.
    #[error("{what} at byte {offset:#x} has tag {found:#04x}, expected {expected:#04x}")]
    UnexpectedTag {
        /// The thing that was read.
        what: &'static str,
        /// Where it starts.
        offset: usize,
        /// The tag that the format asks for.
        expected: u8,
        /// The tag that is there.
        found: u8,
    },
}

impl ReadError {
    /// The byte the error is about, counted from the start of the outermost file.
    pub fn offset(&self) -> usize {
        match self {
            Self::BadValue { offset, .. }
            | Self::LengthPastEnd { offset, .. }
            | Self::TooDeep { offset, .. }
            | Self::TrailingBytes { offset, .. }
            | Self::UnexpectedTag { offset, .. } => *offset,
        }
    }
}

impl ReadError {
    /// The same error in a file where the bytes that were read start at `by`.
    pub(crate) fn moved(mut self, by: usize) -> Self {
        let (Self::BadValue { offset, .. }
        | Self::LengthPastEnd { offset, .. }
        | Self::TooDeep { offset, .. }
        | Self::TrailingBytes { offset, .. }
        | Self::UnexpectedTag { offset, .. }) = &mut self;
        *offset = offset.saturating_add(by);
        self
    }
}

/// A cursor over foreign bytes. All integers are big-endian, as in every format here.
#[derive(Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    origin: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// Starts at the first of `bytes`, which stands at `origin` of the outermost file.
    pub fn at(bytes: &'a [u8], origin: usize) -> Self {
        Self {
            bytes,
            position: 0,
            origin,
        }
    }

    /// Where the next byte stands in the outermost file.
    pub fn offset(&self) -> usize {
        self.origin.saturating_add(self.position)
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// Everything that is left, without reading it.
    pub fn peek(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// The next `length` bytes. `what` names them in the error.
    ///
    /// # Errors
    /// `LengthPastEnd`.
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], ReadError> {
        let left = self.left();
        if length > left {
            let (offset, length) = (self.offset(), length as u64);
            return Err(ReadError::LengthPastEnd {
                what,
                offset,
                length,
                left,
            });
        }
        let taken = &self.bytes[self.position..self.position + length];
        self.position += length;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// `LengthPastEnd`.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ReadError> {
        let taken = self.take(N, what)?;
        Ok(taken
            .try_into()
            .expect("take returns as many bytes as were asked for"))
    }

    /// One byte.
    ///
    /// # Errors
    /// `LengthPastEnd`.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, ReadError> {
        Ok(self.array::<1>(what)?[0])
    }

    /// Two bytes.
    ///
    /// # Errors
    /// `LengthPastEnd`.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, ReadError> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    /// Four bytes.
    ///
    /// # Errors
    /// `LengthPastEnd`.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, ReadError> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// `LengthPastEnd`.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, ReadError> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    /// A run of bytes behind its own four-byte length.
    ///
    /// # Errors
    /// `LengthPastEnd`.
    pub fn run_u32(&mut self, what: &'static str) -> Result<&'a [u8], ReadError> {
        let length = self.u32(what)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.take(length, what)
    }

    /// Refuses bytes behind `what`.
    ///
    /// # Errors
    /// `TrailingBytes`.
    pub fn finish(&self, what: &'static str) -> Result<(), ReadError> {
        match self.left() {
            0 => Ok(()),
            count => Err(ReadError::TrailingBytes {
                what,
                offset: self.offset(),
                count,
            }),
        }
    }
}
