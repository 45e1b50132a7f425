//! What each product reads, and how it changes.
