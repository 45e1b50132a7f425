//! Cutting fields off a message.

/// What is left of a message. Every cut gives `None` where too little is left.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a>(&'a [u8]);

impl<'a> Reading<'a> {
    /// All of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of `width` bytes, at most four.
    pub fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        Some(bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    }

    /// A number of two bytes.
    pub fn word(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A field with its length in `width` bytes before it.
    pub fn vector(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.number(width)?;
        self.take(length)
    }

    /// All that is left as numbers of two bytes; an odd byte at the end is left out.
    pub fn words(self) -> Vec<u16> {
        let pairs = self.0.chunks_exact(2);
        pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    /// The extensions of a hello: number and content, up to the first that is cut short.
    pub fn extensions(mut self) -> Vec<(u16, &'a [u8])> {
        let mut found = Vec::new();
        while let (Some(kind), Some(content)) = (self.word(), self.vector(2)) {
            found.push((kind, content));
        }
        found
    }
}
