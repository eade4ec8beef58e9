//! When blocks left their producers and came to the other nodes, by the lines that each node logs anyway: "Produced
//! block" once a block is made, signed and in the database, "Received block" once it has run and is there too. The nodes
//! share one clock; lines have milliseconds.

use primitives::TimePoint;

/// A line about a block.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    at: TimePoint,
    number: u32,
    /// Digits 8 to 23 of its id.
    id: String,
    is_own: bool,
    transactions: u64,
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let (head, said) = line.split_once(" ] ")?;
        let at = head.split_whitespace().nth(1)?.parse().ok()?;
        let is_own = said.starts_with("Produced block ");
        let rest = said.strip_prefix("Produced block ").or_else(|| said.strip_prefix("Received block "))?;
        let (id, rest) = rest.split_once("... #")?;
        let number = rest.split(' ').next()?.parse().ok()?;
        let (_, transactions) = rest.split_once("[trxs: ")?;
        let transactions = transactions.split(',').next()?.parse().ok()?;
        Some(Self { at, number, id: id.to_owned(), is_own, transactions })
    }
}

/// What one node logged, in order.
#[derive(Debug)]
pub struct Journal(Vec<Line>);

/// How a block travelled.
#[derive(Debug, PartialEq, Eq)]
pub struct Journey {
    /// Microseconds from its producer's line to that of each other node, ascending.
    pub took_us: Vec<i64>,
    pub transactions: u64,
}

impl Journal {
    /// Reads a log.
    pub fn read(log: &str) -> Self {
        Self(log.lines().filter_map(Line::read).collect())
    }

    /// When a block of the chain was there. Of blocks that came with a change of branches the last one has a line.
    fn arrival(&self, number: u32, id: &str) -> Option<TimePoint> {
        // The newest lines are what is asked for.
        let own = self.0.iter().rev().find(|line| line.number == number && line.id == id);
        own.or_else(|| self.0.iter().find(|line| line.number > number)).map(|line| line.at)
    }
}

/// The journey of the block with a number and an id to all nodes. None where nobody produced it, or a node has not got it.
pub fn journey(journals: &[Journal], number: u32, id: &str) -> Option<Journey> {
    let id = id.get(8..24)?;
    let mut lines =
        journals.iter().enumerate().flat_map(|(node, journal)| journal.0.iter().map(move |line| (node, line)));
    let (producer, produced) = lines.find(|(_, line)| line.is_own && line.number == number && line.id == id)?;
    let others = journals.iter().enumerate().filter(|(node, _)| *node != producer);
    let arrivals = others.map(|(_, journal)| journal.arrival(number, id)).collect::<Option<Vec<_>>>()?;
    let mut took_us: Vec<_> = arrivals.into_iter().map(|at| at.us_since(produced.at)).collect();
    took_us.sort_unstable();
    Some(Journey { took_us, transactions: produced.transactions })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, second: u32, number: u32, id: &str) -> String {
        format!(
            "info  2026-11-28T09:00:0{second}.250 boreasd   ] {kind} block {id}... #{number} @ \
             2026-11-28T09:00:00.000 signed by prod [trxs: 7, lib: 1, confirmed: 0, net: 8, cpu: 9, elapsed: 1, time: 2]\n"
        )
    }

    const ID: &str = "00000005aaaaaaaaaaaaaaaa00000000";

    #[test]
    fn a_block_is_followed_from_its_producer_to_all() {
        let (own, other) = ("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb");
        let producer =
            "warn  2026-11-28T09:00:00.000 net       ] peer is slow\n".to_owned() + &line("Produced", 1, 5, own);
        // The second one had another block first, and the third one got it with the next.
        let second = line("Received", 1, 5, other) + &line("Received", 3, 5, own);
        let third = line("Received", 0, 4, other) + &line("Received", 2, 6, other);
        let journals = [producer, second, third].map(|log| Journal::read(&log));
        let expected = Journey { took_us: vec![1_000_000, 2_000_000], transactions: 7 };
        assert_eq!(journey(&journals, 5, ID), Some(expected));
        assert_eq!(journey(&journals, 6, ID), None);
        assert_eq!(journey(&journals[1..], 5, ID), None, "nobody says that it is his");
        let absent = [Journal::read(&line("Produced", 1, 5, own)), Journal::read("")];
        assert_eq!(journey(&absent, 5, ID), None);
    }
}
