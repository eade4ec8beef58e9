//! Merkle roots of transactions and actions, and the incremental root of block ids.
//!
//! Before two hashes are joined, the top bit of the left one is cleared and that of the right one is set, so a proof
//! needs no word about sides (nodeos: `merkle.cpp`, `incremental_merkle.hpp`).

use codec::{Pack, Unpack};

use crate::{Checksum256, Sha256};

/// The parent of two hashes.
pub fn join(left: &Checksum256, right: &Checksum256) -> Checksum256 {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(&left.0);
    pair[32..].copy_from_slice(&right.0);
    pair[0] &= 0x7f;
    pair[32] |= 0x80;
    Sha256::of(&pair)
}

/// The root of `hashes`: zero for none; the last one of an odd row is its own partner.
pub fn merkle(mut hashes: Vec<Checksum256>) -> Checksum256 {
    if hashes.is_empty() {
        return Checksum256::default();
    }
    while hashes.len() > 1 {
        let parents = hashes.len().div_ceil(2);
        for parent in 0..parents {
            let left = hashes[2 * parent];
            let right = *hashes.get(2 * parent + 1).unwrap_or(&left);
            hashes[parent] = join(&left, &right);
        }
        hashes.truncate(parents);
    }
    hashes[0]
}

/// A merkle tree that only grows, as its root path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, serde::Serialize, serde::Deserialize)]
pub struct IncrementalMerkle {
    /// Complete subtrees that later leaves still need, smallest first; the root is the last one.
    #[serde(rename = "_active_nodes")]
    pub active_nodes: Vec<Checksum256>,
    /// Number of leaves.
    #[serde(rename = "_node_count", with = "crate::json::integer")]
    pub node_count: u64,
}

impl IncrementalMerkle {
    /// Adds a leaf and returns the new root.
    pub fn append(&mut self, leaf: &Checksum256) -> Checksum256 {
        let levels = u64::BITS - self.node_count.leading_zeros();
        let mut lefts = self.active_nodes.iter();
        let (mut nodes, mut top, mut partial) = (Vec::with_capacity(levels as usize + 1), *leaf, false);
        for level in 0..levels {
            if self.node_count >> level & 1 == 0 {
                // The right side is yet to come; until then the left side stands for both.
                if !partial {
                    nodes.push(top);
                }
                top = join(&top, &top);
                partial = true;
            } else {
                let Some(left) = lefts.next() else { break };
                if partial {
                    nodes.push(*left);
                }
                top = join(left, &top);
            }
        }
        nodes.push(top);
        self.active_nodes = nodes;
        self.node_count = self.node_count.wrapping_add(1);
        top
    }

    /// The root: zero without leaves.
    pub fn root(&self) -> Checksum256 {
        if self.node_count == 0 {
            Checksum256::default()
        } else {
            self.active_nodes.last().copied().unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_gives_the_same_roots() {
        let leaves: Vec<_> = (0u32..70).map(|number| Sha256::packed(&number)).collect();
        let mut tree = IncrementalMerkle::default();
        assert_eq!(tree.root(), merkle(vec![]));
        for count in 1..=leaves.len() {
            tree.append(&leaves[count - 1]);
            assert_eq!(tree.root(), merkle(leaves[..count].to_vec()), "{count} leaves");
            // The complete subtrees, one for each bit, and the root unless it is one of them.
            let subtrees = count.count_ones() as usize;
            assert_eq!(tree.active_nodes.len(), subtrees + usize::from(subtrees > 1), "{count} leaves");
        }
    }

    #[test]
    fn a_false_tree_does_not_panic() {
        let mut tree = IncrementalMerkle { active_nodes: vec![], node_count: u64::MAX };
        assert_eq!(tree.root(), Checksum256::default());
        tree.append(&Checksum256::default());
    }
}
