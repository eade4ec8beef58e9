//! Messages as bytes, and bytes that are not messages.

use codec::{Pack, VarUint32};
use primitives::{
    BlockHeader, Checksum256, Compression, PackedTransaction, SignedTransaction, block::SignedBlockHeader,
};
use proptest::prelude::*;

use super::message::{Point, Text, VERSION, VERSION_BASE};
use super::*;

fn id(fill: u8) -> Checksum256 {
    Checksum256([fill; 32])
}

fn block() -> BlockMessage {
    let header =
        SignedBlockHeader { header: BlockHeader { previous: id(7), ..BlockHeader::default() }, ..Default::default() };
    BlockMessage::read(&[header.to_bytes(), vec![0, 0]].concat()).unwrap()
}

fn transaction(compression: Compression) -> TransactionMessage {
    TransactionMessage::read(PackedTransaction::new(&SignedTransaction::default(), compression)).unwrap()
}

fn examples() -> Vec<Message> {
    let point = |num| Point { num, id: id(num as u8) };
    let handshake = Handshake {
        network_version: VERSION_BASE + VERSION,
        chain_id: id(1),
        node_id: id(2),
        time: 3,
        p2p_address: Text::from("a:1 - 0202020"),
        irreversible: point(4),
        head: point(5),
        os: "linux".into(),
        agent: "agent".into(),
        generation: 1,
        ..Handshake::default()
    };
    let pending = |mode, ids| Pending { mode, pending: 9, ids };
    vec![
        Message::Handshake(Box::new(handshake)),
        Message::ChainSize(ChainSize { irreversible: point(1), head: point(2) }),
        Message::GoAway { reason: GoAway::WrongChain, node_id: id(3) },
        Message::Time(Time { org: 1, rec: 2, xmt: 3, dst: -4 }),
        Message::Notice(Notice {
            known_trx: pending(Mode::LastIrreversibleCatchUp, vec![]),
            known_blocks: pending(Mode::CatchUp, vec![id(1), id(2)]),
        }),
        Message::Request(Request {
            req_trx: pending(Mode::None, vec![]),
            req_blocks: pending(Mode::Normal, vec![id(1)]),
        }),
        Message::SyncRequest(SyncRequest { start: 1, end: 100 }),
        Message::Block(block()),
        Message::Transaction(transaction(Compression::Zlib)),
        Message::Addresses(Addresses {
            own: vec![Text::from("/ip4/10.0.0.1/tcp/1")],
            others: vec!["".into(), "b".into()],
        }),
        Message::Unwell(Unwell { org: 5, reason: Text::from("the disk is full") }),
        Message::Transactions([Compression::None, Compression::Zlib].map(transaction).into()),
        Message::Have(vec![id(1), id(2)]),
        Message::Want(vec![id(3)]),
        Message::HaveBlocks(vec![id(4), id(5)]),
        Message::WantBlocks(vec![id(6)]),
        Message::Enough("producer1111".parse().unwrap()),
    ]
}

/// nodeos numbers its messages; what it does not have follows far behind.
fn index_of(at: usize) -> VarUint32 {
    VarUint32(if at < 9 { at as u32 } else { 1000 - 9 + at as u32 })
}

/// Damaged frames of a run; `BOREAS_FUZZ_FRAMES` makes it longer.
fn cases() -> u32 {
    std::env::var("BOREAS_FUZZ_FRAMES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

#[test]
fn messages_are_frames_and_frames_are_messages() {
    for (index, message) in examples().into_iter().enumerate() {
        let frame = message.frame();
        let length = u32::from_le_bytes(*frame.first_chunk().unwrap()) as usize;
        assert_eq!(length, frame.len() - 4);
        assert!(frame[4..].starts_with(&index_of(index).to_bytes()));
        assert_eq!(Message::read(&frame[4..]).unwrap(), message);
    }
}

/// Byte by byte, as protocol.hpp orders the fields.
#[test]
fn the_bytes_are_those_of_nodeos() {
    let bytes = |message: Message| message.frame();
    let zeros = |count| vec![0; count];
    assert_eq!(
        bytes(Message::SyncRequest(SyncRequest { start: 2, end: 0x0102 })),
        [9, 0, 0, 0, 6, 2, 0, 0, 0, 2, 1, 0, 0]
    );
    assert_eq!(
        bytes(Message::GoAway { reason: GoAway::Forked, node_id: id(9) }),
        [&[37, 0, 0, 0, 2, 5, 0, 0, 0][..], &[9; 32]].concat()
    );
    let time = Message::Time(Time { org: 0, rec: 1, xmt: -1, dst: 0 });
    assert_eq!(bytes(time), [&[33, 0, 0, 0, 3][..], &zeros(8), &[1], &zeros(7), &[255; 8], &zeros(8)].concat());
    let notice = Notice {
        known_trx: Pending { mode: Mode::LastIrreversibleCatchUp, pending: 5, ids: vec![] },
        known_blocks: Pending { mode: Mode::CatchUp, pending: 6, ids: vec![id(3)] },
    };
    let expected = [&[51, 0, 0, 0, 4, 2, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 1][..], &[3; 32]].concat();
    assert_eq!(bytes(Message::Notice(notice)), expected);
    let Message::Handshake(handshake) = examples().remove(0) else { unreachable!("the first one") };
    let fields = [
        &[0xbc, 0x04][..],
        &[1; 32],
        &[2; 32],
        &zeros(34),
        &[3, 0, 0, 0, 0, 0, 0, 0],
        &zeros(32),
        &zeros(66),
        b"\x0da:1 - 0202020",
        &[4, 0, 0, 0],
        &[4; 32],
        &[5, 0, 0, 0],
        &[5; 32],
        b"\x05linux\x05agent",
        &[1, 0],
    ];
    assert_eq!(handshake.to_bytes(), fields.concat());
}

#[test]
fn lists_are_limited_as_nodeos_limits_them() {
    let ids = |count| (0..count).map(|_| id(1)).collect::<Vec<_>>();
    let read = |message: Message| Message::read(&message.frame()[4..]);
    let notice = |count| {
        Message::Notice(Notice { known_blocks: Pending { ids: ids(count), ..Pending::default() }, ..Notice::default() })
    };
    assert!(read(notice(2)).is_ok() && matches!(read(notice(3)), Err(WireError::Ids(3))));
    let request = |blocks, transactions| {
        let of = |count| Pending { ids: ids(count), ..Pending::default() };
        Message::Request(Request { req_blocks: of(blocks), req_trx: of(transactions) })
    };
    assert!(read(request(1, 0)).is_ok() && read(request(2, 0)).is_err() && read(request(0, 1)).is_err());
    assert!(matches!(Message::read(&[9]), Err(WireError::Unknown(9))));
    let addresses = |count| Message::Addresses(Addresses { own: vec!["a".into(); count], others: vec!["b".into()] });
    assert!(read(addresses(63)).is_ok() && matches!(read(addresses(64)), Err(WireError::Addresses(65))));
    // A list that claims more than there is takes no memory.
    assert!(Message::read(&[4, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x07]).is_err());
}

#[test]
fn frames_are_cut_wherever_they_were_parted() {
    let stream: Vec<u8> = examples().iter().flat_map(Message::frame).collect();
    for step in [1, 3, 7, 1000] {
        let (mut frames, mut read) = (Frames::default(), Vec::new());
        for piece in stream.chunks(step) {
            frames.push(piece);
            while let Some(frame) = frames.next(FRAME_BYTES_MAX).unwrap() {
                read.push(Message::read(frame).unwrap());
            }
        }
        assert_eq!(read, examples());
        assert_eq!(frames.unfinished(), 0);
    }
    let mut frames = Frames::default();
    frames.push(&(FRAME_BYTES_MAX as u32 + 1).to_le_bytes());
    assert!(matches!(frames.next(FRAME_BYTES_MAX), Err(FrameError::TooLong { .. })));
    let mut frames = Frames::default();
    frames.push(&[0; 4]);
    assert_eq!(frames.next(FRAME_BYTES_MAX), Err(FrameError::Empty));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(8), cases: cases(), ..ProptestConfig::default() })]

    /// Whatever bytes come, they are read or refused; what is read again packs to a prefix's meaning.
    #[test]
    fn mutated_frames_are_read_or_refused(which in 0usize..10, at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(), tail in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut frame = examples()[which].frame().split_off(4);
        let at = at.index(frame.len());
        frame[at] = byte;
        frame.truncate(cut.index(frame.len()) + 1);
        frame.extend(tail);
        if let Ok(message) = Message::read(&frame) {
            // What was understood is understood the same way again.
            let again = message.frame();
            prop_assert_eq!(Message::read(&again[4..]).ok(), Some(message));
        }
    }

    #[test]
    fn any_bytes_are_frames_or_refused(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let (mut frames, mut total) = (Frames::default(), 0);
        for piece in &pieces {
            frames.push(piece);
            total += piece.len();
            loop {
                match frames.next(FRAME_BYTES_MAX) {
                    Ok(Some(frame)) => drop(Message::read(frame)),
                    Ok(None) => break,
                    Err(_) => return Ok(()),
                }
            }
            prop_assert!(frames.unfinished() <= total);
        }
    }
}
