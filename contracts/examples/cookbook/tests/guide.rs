//! The guide's code is the example's, which is what is built and tested.

const GUIDE: &str = include_str!("../../../COOKBOOK.md");
const SOURCES: [&str; 2] = [include_str!("../src/lib.rs"), include_str!("../../escrow/src/lib.rs")];

/// A text without its indentation and empty lines.
fn flat(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn every_piece_of_code_in_the_guide_stands_in_an_example() {
    let sources = SOURCES.map(flat);
    let blocks: Vec<_> = GUIDE.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap_or("")).collect();
    assert!(blocks.len() >= 7, "the guide has {} pieces of code", blocks.len());
    for block in blocks {
        // What stands between two pieces of one block is left out in the guide.
        for piece in block.split("// ...\n") {
            let piece = flat(piece);
            assert!(sources.iter().any(|source| source.contains(&piece)), "not in an example:\n{piece}");
        }
    }
}
