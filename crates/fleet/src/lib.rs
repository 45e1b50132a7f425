//! What is there and what is wrong with it: fleet file, snapshot, links.
