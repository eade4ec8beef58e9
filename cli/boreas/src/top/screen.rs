//! How the screen of `boreas top` is drawn.

use anyhow::Context;
use primitives::{BlockTimestamp, TimePoint};
use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Row, Sparkline, Table};

use super::watch::Watch;

/// Digits of ids that are shown.
const ID_DIGITS: usize = 16;

/// Fewer lines have no room for resources and peers, fewer columns none for transactions.
const ROOMY: (u16, u16) = (66, 24);
/// The lines of a table that are not rows: its border and its header.
const TABLE_FRAME: u16 = 3;

/// Draws everything that there is room for.
pub fn draw(frame: &mut Frame<'_>, watch: &Watch) {
    let (wide, high) = (frame.area().width >= ROOMY.0, frame.area().height >= ROOMY.1);
    let below = if high { frame.area().height / 6 } else { 0 };
    let rows = [Constraint::Length(5), Constraint::Fill(1), Constraint::Length(below), Constraint::Length(1)];
    let [head, middle, bottom, foot] = Layout::vertical(rows).areas(frame.area());
    let right = if wide { 45 } else { 0 };
    let halves = [Constraint::Percentage(100 - right), Constraint::Percentage(right)];
    let [left, right] = Layout::horizontal(halves).areas(middle);
    let [resources_area, peers_area] = Layout::horizontal(halves).areas(bottom);
    frame.render_widget(standing(watch), head);
    frame.render_widget(producers(watch, left.height.saturating_sub(TABLE_FRAME)), left);
    transactions(frame, watch, right);
    frame.render_widget(resources(watch), resources_area);
    frame.render_widget(peers(watch), peers_area);
    let line = match &watch.problem {
        Some(problem) => Line::styled(format!(" {}", problem.replace('\n', " ")), Style::new().fg(Color::Red)),
        None => Line::styled(" q ends", Style::new().add_modifier(Modifier::DIM)),
    };
    frame.render_widget(line, foot);
}

/// The screen as lines of text.
pub fn as_text(watch: &Watch, (width, height): (u16, u16)) -> anyhow::Result<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).context("a screen of text")?;
    terminal.draw(|frame| draw(frame, watch)).context("a screen of text")?;
    let cells = terminal.backend().buffer().content();
    let lines = cells.chunks(usize::from(width)).map(|line| {
        let text: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.trim_end().to_owned()
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn head_time(watch: &Watch) -> Option<TimePoint> {
    watch.info["head_block_time"].as_str()?.parse().ok()
}

/// Where the chain stands.
fn standing(watch: &Watch) -> Paragraph<'_> {
    let text = |name: &str| watch.info[name].as_str().unwrap_or_default().to_owned();
    let short = |name: &str| text(name).chars().take(ID_DIGITS).collect::<String>();
    let (head, irreversible) = (watch.number("head_block_num"), watch.number("last_irreversible_block_num"));
    let dev = watch.dev_time.as_ref().map(|time| format!("   it is {time}")).unwrap_or_default();
    let kind = if watch.dev_time.is_some() { "   development chain" } else { "" };
    let lines = vec![
        Line::from(vec![
            Span::styled(format!("head {head}"), Style::new().add_modifier(Modifier::BOLD)),
            Span::raw(format!("   {} of {}   {}...", text("head_block_time"), text("head_block_producer"), {
                short("head_block_id")
            })),
        ]),
        Line::raw(format!("irreversible {irreversible}, {} blocks behind{dev}", head.saturating_sub(irreversible))),
        Line::raw(format!("chain {}...   {}{kind}", short("chain_id"), text("server_version_string"))),
    ];
    Paragraph::new(lines).block(Block::bordered().title(" chain "))
}

/// The schedule and what its producers did, as many as there is room for, from whose turn it is on.
fn producers(watch: &Watch, room: u16) -> Table<'_> {
    let next = head_time(watch).map(|time| BlockTimestamp(BlockTimestamp::at(time).0 + 1));
    let turn = next.and_then(|slot| watch.scheduled(slot));
    // Blocks on demand leave slots out, and nobody missed them.
    let counts_missed = watch.dev_time.is_none();
    let (count, shown) = (watch.schedule.len(), watch.schedule.len().min(usize::from(room)));
    let first = watch.schedule.iter().position(|name| turn == Some(name)).filter(|_| shown < count).unwrap_or_default();
    let rows = watch.schedule.iter().cycle().skip(first).take(shown).map(|name| {
        let standing = watch.standings.get(name);
        let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let missed = standing.map(|standing| standing.missed).filter(|_| counts_missed);
        let style = match missed {
            Some(missed) if missed > 0 => Style::new().fg(Color::Yellow),
            _ if turn == Some(name) => Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
            _ => Style::new(),
        };
        let mark = if turn == Some(name) { ">" } else { "" };
        let cells = [
            mark.to_owned(),
            name.clone(),
            number(standing.and_then(|standing| standing.last)),
            number(standing.map(|standing| standing.made)),
            number(missed),
        ];
        Row::new(cells).style(style)
    });
    let widths = [
        Constraint::Length(1),
        Constraint::Length(13),
        Constraint::Length(11),
        Constraint::Length(7),
        Constraint::Length(7),
    ];
    let left_out = if shown < count { format!(", {shown} of {count}") } else { String::new() };
    let title = format!(" producers, schedule {}{left_out} ", watch.schedule_version);
    Table::new(rows, widths)
        .header(
            Row::new(["", "producer", "last block", "made", "missed"]).style(Style::new().add_modifier(Modifier::DIM)),
        )
        .block(Block::bordered().title(title))
}

/// Transactions by block, and the last blocks.
fn transactions(frame: &mut Frame<'_>, watch: &Watch, area: Rect) {
    let [curve, list] = Layout::vertical([Constraint::Max(6), Constraint::Min(6)]).areas(area);
    let width = usize::from(curve.width.saturating_sub(2));
    let skipped = watch.blocks.len().saturating_sub(width);
    let counts: Vec<u64> = watch.blocks.iter().skip(skipped).map(|block| block.transactions).collect();
    let title = format!(" transactions by block, {:.1} a second ", watch.transactions_per_second());
    frame.render_widget(Sparkline::default().data(counts).block(Block::bordered().title(title)), curve);
    let rows = watch.blocks.iter().rev().take(usize::from(list.height)).map(|block| {
        let time = block.slot.to_string();
        let clock = time.split_once('T').map_or(time.as_str(), |(_, clock)| clock);
        let clock = clock.strip_suffix("00").unwrap_or(clock).to_owned();
        let numbers =
            [block.number.to_string(), block.transactions.to_string()].map(|text| Line::raw(text).right_aligned());
        let [number, transactions] = numbers;
        Row::new([number, transactions, Line::raw(clock), Line::raw(&*block.producer)])
    });
    let widths = [Constraint::Length(9), Constraint::Length(6), Constraint::Length(10), Constraint::Fill(1)];
    let names = ["    block", "  trxs", "time", "producer"];
    let table = Table::new(rows, widths).header(Row::new(names).style(Style::new().add_modifier(Modifier::DIM)));
    frame.render_widget(table.block(Block::bordered().title(" last blocks ")), list);
}

/// What blocks may take, and how far the chain lets accounts go beyond their share while it is idle.
fn resources(watch: &Watch) -> Paragraph<'_> {
    let line = |what: &str, limit: &str, virtual_limit: &str, unit: &str| {
        let (limit, elastic) = (watch.number(limit), watch.number(virtual_limit));
        let times = elastic.checked_div(limit).unwrap_or(0);
        Line::raw(format!("{what} {limit:>9} {unit} a block, bursts {times}x"))
    };
    let lines = vec![
        line("CPU", "block_cpu_limit", "virtual_block_cpu_limit", "us   "),
        line("net", "block_net_limit", "virtual_block_net_limit", "bytes"),
    ];
    Paragraph::new(lines).block(Block::bordered().title(" resources "))
}

fn peers(watch: &Watch) -> Paragraph<'_> {
    let lines = match &watch.peers {
        None => vec![Line::raw("this node does not tell (net_api_plugin)")],
        Some(peers) if peers.is_empty() => vec![Line::raw("none")],
        Some(peers) => {
            let line = |peer: &super::watch::Peer| {
                let state = if peer.open { "" } else { "  connecting" };
                Line::raw(format!("{:<21} head {:>9} {}{state}", peer.address, peer.head, peer.agent))
            };
            peers.iter().map(line).collect()
        }
    };
    let count = watch.peers.as_ref().map_or(0, Vec::len);
    Paragraph::new(lines).block(Block::bordered().title(format!(" peers: {count} ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::watch::{Peer, Seen, Standing};
    use serde_json::json;

    fn watch() -> Watch {
        let seen = |number, slot, transactions| Seen {
            number,
            id: String::new(),
            slot: BlockTimestamp(slot),
            producer: "producer1".to_owned(),
            transactions,
        };
        let standing = Standing { made: 2, missed: 3, last: Some(8) };
        Watch {
            info: json!({
                "head_block_num": 8, "last_irreversible_block_num": 7, "head_block_id": "00000008aabbccddeeff00112233",
                "head_block_time": "2000-01-01T00:00:04.000", "head_block_producer": "producer1",
                "chain_id": "cf057bbfb72640471fd910bcb67639c2", "server_version_string": "v0.1.0",
                "block_cpu_limit": 199_900, "virtual_block_cpu_limit": 199_900_000_u64,
                "block_net_limit": 1_048_568, "virtual_block_net_limit": "1048568000",
            }),
            blocks: [seen(7, 7, 3), seen(8, 8, 5)].into(),
            schedule: vec!["producer1".to_owned(), "producer2".to_owned()],
            schedule_version: 4,
            standings: [("producer1".to_owned(), standing)].into(),
            peers: Some(vec![Peer {
                address: "10.0.0.2:9876".to_owned(),
                agent: "leap".to_owned(),
                head: 8,
                open: true,
            }]),
            dev_time: None,
            problem: None,
        }
    }

    #[test]
    fn a_screen_shows_the_chain() {
        let text = as_text(&watch(), (100, 24)).expect("it is drawn");
        for shown in [
            "head 8   2000-01-01T00:00:04.000 of producer1   00000008aabbccdd...",
            "irreversible 7, 1 blocks behind",
            "producers, schedule 4",
            "> producer1     8           2       3",
            "  producer2     -           -       -",
            "8.0 a second",
            "        8      5 00:00:04.0 producer1",
            "CPU    199900 us    a block, bursts 1000x",
            "10.0.0.2:9876         head         8 leap",
            "q ends",
        ] {
            assert!(text.contains(shown), "{shown} is not in\n{text}");
        }
    }

    #[test]
    fn a_problem_takes_the_last_line_and_small_screens_are_drawn() {
        let mut watch = watch();
        watch.problem = Some("no answer\nat all".to_owned());
        assert!(as_text(&watch, (100, 24)).expect("it is drawn").ends_with(" no answer at all"));
        for size in [(1, 1), (10, 3), (40, 12), (66, 24), (300, 100)] {
            as_text(&watch, size).expect("it is drawn");
        }
        // What does not fit is left out, the turn is not.
        watch.schedule = (1..=21).map(|number| format!("producer{number}")).collect();
        let text = as_text(&watch, (40, 12)).expect("it is drawn");
        assert!(text.contains("schedule 4, 3 of 21") && text.contains("> producer1"), "{text}");
        assert!(!text.contains("resources") && !text.contains("last blocks"), "{text}");
        as_text(&Watch::default(), (80, 24)).expect("it is drawn");
    }
}
