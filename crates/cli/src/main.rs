//! The `capgrow` command.

fn main() {}
