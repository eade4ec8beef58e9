//! A peer that has a chain and lies about it: it speaks nodeos' wire, gives blocks as it is asked, and from one block on
//! has a fault.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::Context;
use clap::ValueEnum;
use e2e::{WirePeer, framed};
use primitives::{ChainId, Checksum256, Pack, SignedBlock, Unpack};

use super::chain::{Blocks, Made};

/// Bytes of a frame beyond which nobody asks anything.
const FRAME_BYTES_MAX: usize = 64 << 10;
/// Every how many blocks one is left out.
const GAP_EVERY: u32 = 10;
/// Bytes a second of a source that is too slow: of several megabytes a second that the others give.
const SLOW_BYTES_PER_SECOND: f64 = 20_000.0;
/// How long nothing is said before the thread looks whether all is over.
const IDLE: Duration = Duration::from_millis(200);

/// What is wrong with what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// Nothing.
    Honest,
    /// A receipt in each block was changed, which its header does not commit to.
    BadBlock,
    /// Every tenth block is left out.
    Gap,
    /// It gives nothing more, and goes on answering.
    Stall,
    /// Blocks of another branch, signed as they should be, which it says is irreversible.
    OtherBranch,
    /// It gives 20 kB a second.
    Slow,
}

impl Fault {
    /// All that are none.
    pub const LIES: [Self; 5] = [Self::BadBlock, Self::Gap, Self::Stall, Self::OtherBranch, Self::Slow];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::BadBlock => "bad block",
            Self::Gap => "gap",
            Self::Stall => "stall",
            Self::OtherBranch => "other branch",
            Self::Slow => "too slow",
        }
    }

    /// What goes out in the place of a block.
    fn answer(self, number: u32, from: u32, block: &[u8]) -> Answer {
        let whole = Answer::Block(block.to_vec(), Duration::ZERO);
        if number < from {
            return whole;
        }
        match self {
            Self::Honest | Self::OtherBranch => whole,
            Self::BadBlock => Answer::Block(spoilt(block), Duration::ZERO),
            Self::Gap if number.is_multiple_of(GAP_EVERY) => Answer::Nothing,
            Self::Gap => whole,
            Self::Stall => Answer::Silence,
            Self::Slow => {
                let pause = Duration::from_secs_f64(block.len() as f64 / SLOW_BYTES_PER_SECOND);
                Answer::Block(block.to_vec(), pause)
            }
        }
    }
}

/// See [`Fault::answer`].
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// This, after a pause.
    Block(Vec<u8>, Duration),
    /// Nothing, and then the next one.
    Nothing,
    /// Nothing any more.
    Silence,
}

/// A block with another receipt. One without transactions, or that is none, is left as it is.
fn spoilt(block: &[u8]) -> Vec<u8> {
    let Ok(mut spoilt) = SignedBlock::from_bytes(block) else { return block.to_vec() };
    if let Some(receipt) = spoilt.transactions.first_mut() {
        receipt.cpu_usage_us += 1;
    }
    spoilt.to_bytes()
}

/// One that listens until it is dropped.
#[derive(Debug)]
pub struct Liar {
    /// Where.
    pub address: String,
    over: Arc<AtomicBool>,
}

/// What all connections share.
#[derive(Debug)]
struct Story {
    fault: Fault,
    /// The first block with the fault.
    from: u32,
    blocks: Blocks,
    peer: WirePeer,
    over: Arc<AtomicBool>,
}

impl Liar {
    /// Begins to listen.
    pub fn start(fault: Fault, made: &Made) -> anyhow::Result<Self> {
        let blocks = Arc::clone(if fault == Fault::OtherBranch { &made.branch } else { &made.blocks });
        let id = |block: Option<&Arc<[u8]>>| -> anyhow::Result<Checksum256> {
            Ok(SignedBlock::from_bytes(block.context("a chain has blocks")?)?.id())
        };
        let head = (u32::try_from(blocks.len())?, id(blocks.last())?);
        let chain_id: ChainId = made.chain_id;
        let mut peer = WirePeer::new(chain_id, id(blocks.first())?);
        (peer.head, peer.irreversible) = (head, head);
        peer.p2p_address = "liar:1 - 4a4a4a4".to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let over = Arc::<AtomicBool>::default();
        let story = Arc::new(Story { fault, from: made.fork, blocks, peer, over: Arc::clone(&over) });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if story.over.load(Ordering::Relaxed) {
                    return;
                }
                let story = Arc::clone(&story);
                // Whoever is served may go at any time.
                thread::spawn(move || story.serve(stream).ok());
            }
        });
        Ok(Self { address, over })
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // So that it hears of that.
        let _ = TcpStream::connect(&self.address);
    }
}

/// What the other side said, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Handshake,
    /// The time that it sent, to be answered.
    Time(i64),
    /// Blocks from one to another.
    Range(u32, u32),
    /// What follows a block, by its number.
    After(u32),
}

impl Heard {
    fn of(message: &[u8]) -> Option<Self> {
        let (index, rest) = message.split_first()?;
        match index {
            0 => Some(Self::Handshake),
            3 => {
                let (org, _, xmt, _) = <(i64, i64, i64, i64)>::from_bytes(rest).ok()?;
                (org == 0).then_some(Self::Time(xmt))
            }
            5 => {
                type Ids = (u32, u32, Vec<Checksum256>);
                let (_, (mode, _, ids)) = <(Ids, Ids)>::from_bytes(rest).ok()?;
                let number = ids.last().map(primitives::number_of)?;
                (mode == 1).then_some(Self::After(number))
            }
            6 => {
                let (start, end) = <(u32, u32)>::from_bytes(rest).ok()?;
                Some(Self::Range(start, end))
            }
            _ => None,
        }
    }
}

fn listen(mut stream: TcpStream) -> Receiver<Heard> {
    let (says, heard) = mpsc::channel();
    thread::spawn(move || -> std::io::Result<()> {
        loop {
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length) as usize;
            if length > FRAME_BYTES_MAX {
                return Ok(());
            }
            let mut message = vec![0; length];
            stream.read_exact(&mut message)?;
            if let Some(said) = Heard::of(&message)
                && says.send(said).is_err()
            {
                return Ok(());
            }
        }
    });
    heard
}

impl Story {
    fn serve(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let heard = listen(stream.try_clone()?);
        let (mut owed, mut due, mut greeted) = (0..0, Instant::now(), false);
        while !self.over.load(Ordering::Relaxed) {
            let patience = if owed.is_empty() { IDLE } else { due.saturating_duration_since(Instant::now()) };
            match heard.recv_timeout(patience) {
                Ok(Heard::Handshake) => {
                    stream.write_all(&self.notice())?;
                    // Two that answer each handshake would never end.
                    if !std::mem::replace(&mut greeted, true) {
                        stream.write_all(&self.peer.handshake())?;
                    }
                }
                Ok(Heard::Time(sent)) => {
                    let now = i64::try_from(UNIX_EPOCH.elapsed()?.as_nanos())?;
                    stream.write_all(&framed(&[&[3][..], &(sent, now, now, 0i64).to_bytes()].concat()))?;
                }
                Ok(Heard::Range(0, 0)) => owed = 0..0,
                Ok(Heard::Range(start, end)) if owed.is_empty() => {
                    (owed, due) = (start..end.saturating_add(1), Instant::now())
                }
                Ok(Heard::Range(_, end)) => owed.end = owed.end.max(end.saturating_add(1)),
                Ok(Heard::After(number)) => (owed, due) = (number + 1..self.peer.head.0 + 1, Instant::now()),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(number) = owed.next() {
                        match self.give(number) {
                            None | Some(Answer::Silence) => owed = 0..0,
                            Some(Answer::Nothing) => {}
                            Some(Answer::Block(block, pause)) => {
                                stream.write_all(&framed(&[&[7][..], &block].concat()))?;
                                due = Instant::now() + pause;
                            }
                        }
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    fn give(&self, number: u32) -> Option<Answer> {
        let block = self.blocks.get(number.checked_sub(1)? as usize)?;
        Some(self.fault.answer(number, self.from, block))
    }

    /// That all it has is irreversible.
    fn notice(&self) -> Vec<u8> {
        let ((irreversible, _), (head, id)) = (self.peer.irreversible, self.peer.head);
        const LAST_IRREVERSIBLE_CATCH_UP: u32 = 2;
        let none = (LAST_IRREVERSIBLE_CATCH_UP, irreversible, Vec::<Checksum256>::new());
        framed(&[&[4][..], &(none, (LAST_IRREVERSIBLE_CATCH_UP, head, vec![id])).to_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use primitives::{PackedTransaction, TransactionReceipt, VarUint32, block::ReceiptTransaction};

    use super::*;

    fn block() -> Vec<u8> {
        let receipt = TransactionReceipt {
            status: primitives::TransactionStatus::Executed,
            cpu_usage_us: 100,
            net_usage_words: VarUint32(10),
            trx: ReceiptTransaction::Packed(PackedTransaction::default()),
        };
        SignedBlock { transactions: vec![receipt], ..SignedBlock::default() }.to_bytes()
    }

    #[test]
    fn each_fault_begins_at_its_block() {
        let block = block();
        let whole = || Answer::Block(block.clone(), Duration::ZERO);
        for fault in Fault::LIES.into_iter().chain([Fault::Honest]) {
            assert_eq!(fault.answer(49, 50, &block), whole(), "{fault:?}");
        }
        assert_eq!(Fault::Honest.answer(50, 50, &block), whole());
        assert_eq!(Fault::Stall.answer(50, 50, &block), Answer::Silence);
        assert_eq!(Fault::Gap.answer(50, 50, &block), Answer::Nothing);
        assert_eq!(Fault::Gap.answer(51, 50, &block), whole());
        let Answer::Block(same, pause) = Fault::Slow.answer(50, 50, &block) else { panic!("a slow block comes") };
        assert!(same == block && pause == Duration::from_secs_f64(block.len() as f64 / SLOW_BYTES_PER_SECOND));
    }

    #[test]
    fn a_bad_block_has_a_good_header() {
        let block = block();
        let Answer::Block(bad, _) = Fault::BadBlock.answer(50, 50, &block) else { panic!("a bad block comes") };
        let (good, bad) = [&block, &bad].map(|bytes| SignedBlock::from_bytes(bytes).expect("a block")).into();
        assert_eq!(good.id(), bad.id());
        assert_ne!(good.transactions, bad.transactions);
    }

    #[test]
    fn questions_are_understood() {
        let range = [&[6][..], &(5u32, 9u32).to_bytes()].concat();
        assert_eq!(Heard::of(&range), Some(Heard::Range(5, 9)));
        let mut id = Checksum256([7; 32]);
        id.0[..4].copy_from_slice(&12u32.to_be_bytes());
        let none = (0u32, 0u32, Vec::<Checksum256>::new());
        let request = [&[5][..], &(none, (1u32, 0u32, vec![id])).to_bytes()].concat();
        assert_eq!(Heard::of(&request), Some(Heard::After(12)));
        let [asks, answers] = [0i64, 4].map(|org| [&[3][..], &(org, 0i64, 77i64, 0i64).to_bytes()].concat());
        assert_eq!(Heard::of(&asks), Some(Heard::Time(77)));
        assert_eq!(Heard::of(&answers), None);
        assert_eq!(Heard::of(&[7, 1, 2]), None);
        assert_eq!(Heard::of(&[]), None);
    }
}
