//! A fleet of real processes for the demo and the tests.
