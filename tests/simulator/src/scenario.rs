//! What a seed says: how many nodes, who lies, what breaks when. Everything is healed in the middle of the run, so that
//! its second half shows that the network comes together by itself.

use p2p::core::Meshing;

use crate::byzantine::{Byzantine, WAYS};
use crate::dice::Dice;
use crate::planted::Planted;

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;

/// Fewest nodes of a wide scenario, most, and most where it takes long.
const WIDE_NODES_MIN: i64 = 4;
const WIDE_NODES_MAX: i64 = 21;
const LONG_NODES_MAX: i64 = 12;
/// Most producers there: with seven a schedule takes two minutes until it is active.
const LONG_PRODUCERS_MAX: i64 = 7;
/// Seconds of a wide scenario, and of a long one.
const WIDE_SECONDS: i64 = 120;
const LONG_SECONDS: i64 = 300;
/// What tells the chance of a wide scenario from that of another one of the same seed.
const WIDE: u64 = 0x001d_e000;
/// The same for a gossiping one.
const GOSSIPING: u64 = 0x6055_1b00;
/// The same for which processes die in the middle of a step.
const DEATHS: u64 = 0xdead_0000;
/// Things that a writer asks its disk for, of which each may be the last.
const CALLS: usize = 8;

/// What a wide scenario is about.
#[derive(Debug, Clone, Copy)]
enum Wide {
    Elections,
    Halves,
    Majority,
}

const WIDE_KINDS: [Wide; 3] = [Wide::Elections, Wide::Halves, Wide::Majority];

/// Something that breaks, or is mended.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nodes of one side do not reach those of the other.
    Cut(Vec<bool>),
    /// They do again.
    Heal,
    /// A process is killed: what it wrote stays.
    Kill(usize),
    /// A process dies when its writer has asked the disk for so many things more: in the middle of a step.
    Die(usize, u32),
    /// A machine loses power: what was not synced is gone, and nobody is told.
    PowerLoss(usize),
    /// A node starts again.
    Restart(usize),
    /// A process does not go on for so many microseconds.
    Freeze(usize, i64),
    /// A connection breaks.
    Break(usize),
}

/// What a run is made of.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it was made from.
    pub seed: u64,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of producers: the first nodes.
    pub producers: usize,
    /// Who lies.
    pub liars: Vec<(usize, Byzantine)>,
    /// How far each node's clock is ahead, in microseconds.
    pub skews: Vec<i64>,
    /// How long each node's disk takes to sync.
    pub syncs: Vec<i64>,
    /// Who dials whom, and whether encrypted.
    pub lines: Vec<(usize, usize, bool)>,
    /// What happens when, in microseconds.
    pub faults: Vec<(i64, Fault)>,
    /// When everything is mended.
    pub calm: i64,
    /// When it ends.
    pub end: i64,
    /// Microseconds between two transactions of clients.
    pub every: i64,
    /// Schedules that clients propose one after the other, each as nodes that produce.
    pub schedules: Vec<Vec<usize>>,
    /// Many transactions at once: when, how many, and how many bytes each has.
    pub bursts: Vec<(i64, usize, usize)>,
    /// Whether peers tell of each other, so that one address is enough.
    pub exchange: bool,
    /// When blocks go by gossip.
    pub meshing: Meshing,
    /// A bug to be found.
    pub planted: Option<Planted>,
    /// A node of which everything is told.
    pub told: Option<usize>,
}

impl Scenario {
    /// What a seed says of `nodes` nodes in `seconds` seconds.
    pub fn new(seed: u64, nodes: usize, seconds: i64) -> Self {
        let mut dice = Dice::new(seed);
        let dice = &mut dice;
        let producers = if dice.percent(50) { nodes } else { dice.between(4, nodes as i64) as usize };
        let liars = liars(producers, dice);
        let small = |dice: &mut Dice| dice.between(-40_000, 40_000);
        let mut skews: Vec<i64> = (0..nodes).map(|_| small(dice)).collect();
        if dice.percent(20) {
            skews[dice.below(nodes)] = dice.between(-1_500_000, 1_500_000);
        }
        let syncs = (0..nodes).map(|_| dice.between(200, 20_000)).collect();
        let (calm, end) = (seconds * SECOND / 2, seconds * SECOND);
        let mut faults = Vec::new();
        for _ in 0..dice.between(1, 3) {
            add_fault(nodes, producers, calm, &mut faults, dice);
        }
        add_deaths(seed, nodes, producers, calm, &mut faults);
        faults.sort_by_key(|(at, _)| *at);
        let lines = lines(nodes, &liars, dice);
        let every = dice.between(300_000, 3 * SECOND);
        let (schedules, bursts, exchange, meshing, planted, told) = Default::default();
        Self {
            seed,
            nodes,
            producers,
            liars,
            skews,
            syncs,
            lines,
            faults,
            calm,
            end,
            every,
            schedules,
            bursts,
            exchange,
            meshing,
            planted,
            told,
        }
    }

    /// The same with most connections encrypted, and most blocks going by gossip.
    pub fn gossiping(seed: u64, nodes: usize, seconds: i64) -> Self {
        let mut dice = Dice::new(seed ^ GOSSIPING);
        let mut scenario = Self::new(seed, nodes, seconds);
        for (_, _, encrypted) in &mut scenario.lines {
            *encrypted |= dice.percent(80);
        }
        scenario.meshing = Meshing { pushed_max: dice.between(1, 3) as usize, beside: dice.below(2) };
        scenario
    }

    /// What a seed says beyond that, each third one something else: schedules that change; up to 21 producers of whom a
    /// half is cut from the other; a cut that leaves just enough producers on one side, for long. Besides there are nodes
    /// that know one address, and many transactions at once.
    pub fn wide(seed: u64) -> Self {
        let kind = WIDE_KINDS[(seed % WIDE_KINDS.len() as u64) as usize];
        let most = match kind {
            Wide::Halves => WIDE_NODES_MAX,
            Wide::Elections | Wide::Majority => LONG_NODES_MAX,
        };
        let mut dice = Dice::new(seed ^ WIDE);
        let nodes = dice.between(WIDE_NODES_MIN, most);
        Self::of_kind(kind, seed, nodes, &mut dice)
    }

    /// So many producers of whom a half is cut from the other: two from two, eleven from ten.
    pub fn halved(seed: u64, nodes: usize) -> Self {
        Self::of_kind(Wide::Halves, seed, nodes as i64, &mut Dice::new(seed ^ WIDE))
    }

    fn of_kind(kind: Wide, seed: u64, nodes: i64, dice: &mut Dice) -> Self {
        let (producers, seconds) = match kind {
            Wide::Halves => (nodes, WIDE_SECONDS),
            Wide::Elections | Wide::Majority => {
                (dice.between(WIDE_NODES_MIN, LONG_PRODUCERS_MAX.min(nodes)), LONG_SECONDS)
            }
        };
        let (nodes, producers) = (nodes as usize, producers as usize);
        let mut wide = Self::new(seed ^ WIDE, nodes, seconds);
        (wide.seed, wide.producers, wide.liars) = (seed, producers, liars(producers, dice));
        wide.exchange = dice.percent(30);
        let lines = if wide.exchange { acquaintances } else { lines };
        wide.lines = lines(nodes, &wide.liars, dice);
        match kind {
            Wide::Elections => wide.schedules = (0..dice.between(1, 3)).map(|_| wide.electable(dice)).collect(),
            Wide::Halves => drop(wide.cut_off(producers / 2, dice)),
            Wide::Majority => {
                wide.faults.clear();
                let together = wide.cut_off(producers * 2 / 3 + 1, dice);
                wide.lines.extend(together.windows(2).map(|pair| (pair[0], pair[1], wide.exchange)));
            }
        }
        if dice.percent(30) {
            let burst = |dice: &mut Dice| {
                let count = dice.between(20, 300);
                (dice.between(SECOND, wide.end * 3 / 4), count as usize, dice.between(0, 900_000 / count) as usize)
            };
            wide.bursts = (0..dice.between(1, 3)).map(|_| burst(dice)).collect();
        }
        wide
    }

    /// Nodes of which less than a third lie, as a schedule.
    fn electable(&self, dice: &mut Dice) -> Vec<usize> {
        let count = dice.between(4, LONG_PRODUCERS_MAX.min(self.nodes as i64)) as usize;
        let mut lying = (count - 1) / 3;
        let mut fits =
            |node: &usize| self.is_honest(*node) || lying.checked_sub(1).inspect(|left| lying = *left).is_some();
        dice.order(self.nodes).into_iter().filter(|node| fits(node)).take(count).collect()
    }

    /// In place of any other cut one that leaves so many producers on one side, those that tell the truth first, for most
    /// of the time until everything is mended. Who they are.
    fn cut_off(&mut self, count: usize, dice: &mut Dice) -> Vec<usize> {
        self.faults.retain(|(_, fault)| !matches!(fault, Fault::Cut(_) | Fault::Heal));
        let mut sides: Vec<bool> = (0..self.nodes).map(|_| dice.percent(50)).collect();
        let mut order = dice.order(self.producers);
        order.sort_by_key(|node| !self.is_honest(*node));
        order.iter().enumerate().for_each(|(place, node)| sides[*node] = place < count);
        let begin = dice.between(5 * SECOND, 20 * SECOND);
        let end = dice.between(self.calm - 5 * SECOND, self.calm);
        self.faults.extend([(begin, Fault::Cut(sides)), (end, Fault::Heal)]);
        self.faults.sort_by_key(|(at, _)| *at);
        order.truncate(count);
        order
    }

    /// Producers that any schedule may have, the first ones among them; 0 where schedules do not change.
    pub fn electable_nodes(&self) -> usize {
        if self.schedules.is_empty() { 0 } else { self.nodes }
    }

    /// Whether a node tells the truth.
    pub fn is_honest(&self, node: usize) -> bool {
        self.liars.iter().all(|(liar, _)| *liar != node)
    }
}

/// Less than a third of the producers.
fn liars(producers: usize, dice: &mut Dice) -> Vec<(usize, Byzantine)> {
    let most = ((producers - 1) / 3).min(2);
    let count = if dice.percent(40) { 0 } else { dice.below(most + 1) };
    let chosen = dice.order(producers);
    let way = |dice: &mut Dice| WAYS[dice.below(WAYS.len())];
    chosen.into_iter().take(count).map(|node| (node, Byzantine { way: way(dice), seed: dice.bits() })).collect()
}

fn add_fault(nodes: usize, producers: usize, calm: i64, faults: &mut Vec<(i64, Fault)>, dice: &mut Dice) {
    let begin = dice.between(3 * SECOND, calm / 2);
    let end = dice.between(begin + SECOND, calm);
    let node = dice.below(nodes);
    match dice.below(5) {
        0 if !faults.iter().any(|(_, fault)| matches!(fault, Fault::Cut(_))) => {
            let count = dice.between(1, nodes as i64 - 1) as usize;
            let mut sides = vec![false; nodes];
            dice.order(nodes).into_iter().take(count).for_each(|node| sides[node] = true);
            faults.extend([(begin, Fault::Cut(sides)), (end, Fault::Heal)]);
        }
        0 | 1 => {
            // Not more than a third of the producers, so that the chain goes on.
            let already: Vec<usize> = faults.iter().filter_map(|(_, fault)| downs(fault)).collect();
            if already.contains(&node) || already.len() >= (producers - 1) / 3 {
                return;
            }
            let crash = if dice.percent(50) { Fault::Kill(node) } else { Fault::PowerLoss(node) };
            faults.extend([(begin, crash), (end, Fault::Restart(node))]);
        }
        2 => faults.push((begin, Fault::Freeze(node, (end - begin).min(dice.between(SECOND, 40 * SECOND))))),
        3 => {
            faults.extend((0..dice.between(1, 10)).map(|_| (dice.between(begin, end), Fault::Break(dice.below(nodes)))))
        }
        _ => {}
    }
}

/// The node that a fault ends.
fn downs(fault: &Fault) -> Option<usize> {
    match fault {
        Fault::Kill(node) | Fault::PowerLoss(node) | Fault::Die(node, _) => Some(*node),
        _ => None,
    }
}

/// Half of the processes that are killed die in the middle of a step, and some that nothing happened to.
fn add_deaths(seed: u64, nodes: usize, producers: usize, calm: i64, faults: &mut Vec<(i64, Fault)>) {
    let mut dice = Dice::new(seed ^ DEATHS);
    for (_, fault) in &mut *faults {
        if let Fault::Kill(node) = *fault
            && dice.percent(50)
        {
            *fault = Fault::Die(node, dice.below(CALLS) as u32);
        }
    }
    let mut already: Vec<usize> = faults.iter().filter_map(|(_, fault)| downs(fault)).collect();
    while already.len() < (producers - 1) / 3 && dice.percent(50) {
        let (node, begin) = (dice.below(nodes), dice.between(3 * SECOND, calm / 2));
        if !already.contains(&node) {
            let death = Fault::Die(node, dice.below(CALLS) as u32);
            faults.extend([(begin, death), (dice.between(begin + SECOND, calm), Fault::Restart(node))]);
            already.push(node);
        }
    }
}

/// A ring of those that tell the truth, so that they stay connected when they ban the others, and chords. Some pairs
/// dial each other.
fn lines(nodes: usize, liars: &[(usize, Byzantine)], dice: &mut Dice) -> Vec<(usize, usize, bool)> {
    let share = [0, 50, 100][dice.below(3)];
    let density = [20, 60, 100][dice.below(3)];
    let honest: Vec<usize> = (0..nodes).filter(|node| liars.iter().all(|(liar, _)| liar != node)).collect();
    let mut ring: Vec<(usize, usize)> = honest.windows(2).map(|pair| (pair[0], pair[1])).collect();
    ring.extend([(honest[0], honest[honest.len() - 1])]);
    let mut lines = Vec::new();
    for one in 0..nodes {
        for other in one + 1..nodes {
            let lies = !honest.contains(&one) || !honest.contains(&other);
            if !ring.contains(&(one, other)) && !dice.percent(if lies { density.max(40) } else { density }) {
                continue;
            }
            let encrypted = dice.percent(share);
            let (from, to) = if dice.percent(50) { (one, other) } else { (other, one) };
            lines.push((from, to, encrypted));
            if dice.percent(20) {
                lines.push((to, from, encrypted));
            }
        }
    }
    lines
}

/// Each node dials one that tells the truth, and that is all that it knows.
fn acquaintances(nodes: usize, liars: &[(usize, Byzantine)], dice: &mut Dice) -> Vec<(usize, usize, bool)> {
    let honest = |node: &usize| liars.iter().all(|(liar, _)| liar != node);
    let mut known: Vec<usize> = Vec::new();
    let mut lines = Vec::new();
    for node in dice.order(nodes) {
        if !known.is_empty() {
            lines.push((node, known[dice.below(known.len())], true));
        }
        known.extend(Some(node).filter(honest));
    }
    lines
}
