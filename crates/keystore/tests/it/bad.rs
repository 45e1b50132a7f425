//! Damaged and hostile files: a clear error with its place, or the entries where real tools read them.
