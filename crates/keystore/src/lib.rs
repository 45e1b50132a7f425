//! Keystores of every format the field has, read and written without loss.
