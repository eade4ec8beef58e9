//! The table: medians of both peers and their ratio.

use std::collections::BTreeMap;

use crate::peers::Peer;

/// One figure: its unit and the values of each round.
#[derive(Debug, Default)]
struct Figure {
    boreas: Vec<f64>,
    nodeos: Vec<f64>,
}

/// All figures in the order in which they were first measured.
#[derive(Debug, Default)]
pub struct Report {
    order: Vec<String>,
    figures: BTreeMap<String, Figure>,
    remarks: Vec<String>,
}

impl Report {
    /// Adds a value of `what`, which names its unit.
    pub fn add(&mut self, what: impl Into<String>, peer: Peer, value: f64) {
        let what = what.into();
        eprintln!("{peer:?}: {what} {value:.3}");
        if !self.order.contains(&what) {
            self.order.push(what.clone());
        }
        let figure = self.figures.entry(what).or_default();
        match peer {
            Peer::Boreas => figure.boreas.push(value),
            Peer::Nodeos => figure.nodeos.push(value),
        }
    }

    /// Adds a sentence under the table.
    pub fn remark(&mut self, text: String) {
        self.remarks.push(text);
    }

    /// The median of what was added.
    pub fn median(&self, what: &str, peer: Peer) -> f64 {
        self.figures.get(what).map_or(f64::NAN, |figure| match peer {
            Peer::Boreas => median(&figure.boreas),
            Peer::Nodeos => median(&figure.nodeos),
        })
    }

    /// Prints it in Markdown.
    #[allow(clippy::print_stdout, reason = "the table is what the program is for")]
    pub fn print(&self) {
        println!("| | Boreas | nodeos | ratio |\n|---|---:|---:|---:|");
        for what in &self.order {
            let figure = &self.figures[what];
            let (ours, theirs) = (median(&figure.boreas), median(&figure.nodeos));
            println!("| {what} | {} | {} | {} |", shown(ours), shown(theirs), shown(ours / theirs));
        }
        self.remarks.iter().for_each(|remark| println!("\n{remark}"));
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!("\nLoad average at the end: {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
    }
}

/// What was not measured is a dash.
fn shown(value: f64) -> String {
    match value {
        _ if value.is_nan() => "-".to_owned(),
        _ if value >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}
