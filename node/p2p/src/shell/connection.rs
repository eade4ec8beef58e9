//! One connection: tasks that read frames and tasks that write them, one of each for every stream that it has. What is
//! read counts against what the peer, and all peers, may have in this node, and nothing more is read until there is
//! room.

use std::future::poll_fn;
use std::io::Result;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Frame;
use super::event::{Event, Link};
use crate::core::{Charge, Input, Lane, PeerId};
use crate::limits::{
    FRAME_SECONDS, GREETING_BYTES_MAX, MESSAGE_BYTES_MIN, RECEIVED_BYTES_PER_PEER, TALK_BYTES_MAX, WRITE_SECONDS,
};
use crate::wire::{FRAME_BYTES_MAX, Frames, Message};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;
/// Small frames are sent together up to this many bytes.
const WRITE_BYTES: usize = 64 << 10;
/// Seconds that a peer is given to read why its connection ends.
const FAREWELL_SECONDS: u64 = 2;

/// What a writing task is told.
#[derive(Debug)]
pub(super) enum Write {
    Frame(Frame),
    /// Nothing follows.
    Last,
}

/// The way to a connection. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    /// One for all lanes, or one for each in the order of [`Lane::ALL`].
    lanes: Vec<mpsc::UnboundedSender<Write>>,
    _tasks: JoinSet<()>,
    /// Ends what carries the streams.
    _end: Option<super::event::End>,
}

impl Connection {
    /// Of a socket with nodeos' frames.
    pub fn of_socket(peer: PeerId, stream: TcpStream, events: &mpsc::Sender<Event>, room: &Arc<Semaphore>) -> Self {
        // Blocks are worth a packet of their own; a socket that refuses is a little slower.
        let _ = stream.set_nodelay(true);
        let (reading, writing) = stream.into_split();
        let mut tasks = JoinSet::new();
        let reader = Reader::new(peer, events, own_room(), room);
        tasks.spawn(reader.run(reading, FRAME_BYTES_MAX));
        let (writes, writer) = Writer::new(peer, Lane::Talk, events, Duration::ZERO);
        tasks.spawn(writer.run(writing));
        Self { lanes: vec![writes], _tasks: tasks, _end: None }
    }

    /// Of an encrypted connection, whose streams come one after another.
    pub fn of_link(peer: PeerId, link: Link, events: &mpsc::Sender<Event>, room: &Arc<Semaphore>) -> Self {
        let mut tasks = JoinSet::new();
        let first = Reader::new(peer, events, link.room, room);
        let mut lanes = Vec::new();
        for (lane, (coming, opening)) in Lane::ALL.into_iter().zip(link.streams) {
            let reader = first.beside(lane);
            tasks.spawn(async move { reader.run_when_there(coming).await });
            // Both ends of a broken stream are told of by its reader; a farewell is read before the connection ends.
            let (writes, writer) = Writer::new(peer, lane, events, Duration::from_secs(FAREWELL_SECONDS));
            tasks.spawn(async move {
                if let Ok(stream) = opening.await {
                    writer.run(stream).await;
                }
            });
            lanes.push(writes);
        }
        Self { lanes, _tasks: tasks, _end: Some(link.end) }
    }

    /// Queues something. A task that is gone has told so.
    pub fn write(&self, lane: Lane, write: Write) {
        if let Some(writes) = self.lanes.get(lane as usize).or(self.lanes.first()) {
            let _ = writes.send(write);
        }
    }
}

/// Room for what one peer sends.
pub(super) fn own_room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(RECEIVED_BYTES_PER_PEER))
}

struct Reader {
    peer: PeerId,
    lane: Lane,
    events: mpsc::Sender<Event>,
    room: Arc<Semaphore>,
    own_room: Arc<Semaphore>,
    /// Whether the peer has said anything; shared by its streams.
    greeted: watch::Sender<bool>,
}

/// Why reading ends.
enum End {
    /// The stream is closed or broken, or nobody listens any more.
    Gone,
    /// What came is not a message.
    Wrong(String),
}

impl Reader {
    fn new(peer: PeerId, events: &mpsc::Sender<Event>, own_room: Arc<Semaphore>, room: &Arc<Semaphore>) -> Self {
        Self {
            peer,
            lane: Lane::Talk,
            events: events.clone(),
            room: Arc::clone(room),
            own_room,
            greeted: watch::Sender::new(false),
        }
    }

    /// Another one of the same connection.
    fn beside(&self, lane: Lane) -> Self {
        Self {
            peer: self.peer,
            lane,
            events: self.events.clone(),
            room: Arc::clone(&self.room),
            own_room: Arc::clone(&self.own_room),
            greeted: self.greeted.clone(),
        }
    }

    /// Waits for a stream and reads it; blocks only once the peer has said who it is.
    async fn run_when_there<S: AsyncRead + Unpin>(self, coming: oneshot::Receiver<S>) {
        let Ok(stream) = coming.await else { return self.tell(Input::Closed { peer: self.peer }).await };
        if self.lane == Lane::Talk {
            return self.run(stream, TALK_BYTES_MAX).await;
        }
        if self.greeted.subscribe().wait_for(|greeted| *greeted).await.is_ok() {
            self.run(stream, FRAME_BYTES_MAX).await;
        }
    }

    async fn run<S: AsyncRead + Unpin>(self, stream: S, limit: usize) {
        let End::Wrong(why) = self.read(stream, limit).await else {
            return self.tell(Input::Closed { peer: self.peer }).await;
        };
        self.tell(Input::Malformed { peer: self.peer, why }).await;
    }

    async fn tell(&self, input: Input) {
        // The driver may have ended.
        let _ = self.events.send(Event::Happened(input)).await;
    }

    async fn read<S: AsyncRead + Unpin>(&self, mut stream: S, limit: usize) -> End {
        let mut frames = Frames::default();
        let mut buffer = vec![0; READ_BYTES];
        let mut large = false;
        loop {
            // Who has not introduced itself has nothing long to say.
            let limit = if *self.greeted.borrow() { limit } else { GREETING_BYTES_MAX };
            let length = match frames.claimed(limit) {
                Ok(length) => length,
                Err(error) => return End::Wrong(error.to_string()),
            };
            // Room for the whole frame before more than its beginning is read.
            let charge = match length {
                Some(length) => match self.charge(length).await {
                    Some(charge) => charge,
                    None => return End::Gone,
                },
                None => Charge::default(),
            };
            let next = next_frame(&mut stream, &mut frames, &mut buffer, limit);
            let frame = match timeout(Duration::from_secs(FRAME_SECONDS), next).await {
                Ok(Ok(message)) => message,
                Ok(Err(end)) => return end,
                Err(_) if frames.unfinished() > 0 => return End::Wrong("it does not finish a message".to_owned()),
                // Silence is the core's to judge.
                Err(_) => continue,
            };
            let Some(message) = frame else { continue };
            if length.is_some_and(|length| length > READ_BYTES) {
                large = true;
            } else if std::mem::take(&mut large) {
                frames.shrink();
            }
            let received = Input::Received { peer: self.peer, lane: self.lane, message, charge };
            if self.events.send(Event::Happened(received)).await.is_err() {
                return End::Gone;
            }
            self.greeted.send_replace(true);
        }
    }

    /// Waits for room for a message.
    async fn charge(&self, bytes: usize) -> Option<Charge> {
        let bytes = u32::try_from(bytes.max(MESSAGE_BYTES_MIN)).ok()?;
        let own = Arc::clone(&self.own_room).acquire_many_owned(bytes).await.ok()?;
        let all = Arc::clone(&self.room).acquire_many_owned(bytes).await.ok()?;
        Some(Charge(Some(Box::new((own, all)))))
    }
}

/// The next message; none when only its length came, so that room can be made for it.
async fn next_frame<S: AsyncRead + Unpin>(
    stream: &mut S,
    frames: &mut Frames,
    buffer: &mut [u8],
    limit: usize,
) -> std::result::Result<Option<Message>, End> {
    let had_length = frames.claimed(limit).map_err(|error| End::Wrong(error.to_string()))?.is_some();
    loop {
        match frames.next(limit) {
            Err(error) => return Err(End::Wrong(error.to_string())),
            Ok(Some(frame)) => return Message::read(frame).map(Some).map_err(|error| End::Wrong(error.to_string())),
            Ok(None) => {}
        }
        let count = read_some(stream, buffer).await.map_err(|_| End::Gone)?;
        if count == 0 {
            return Err(End::Gone);
        }
        frames.push(&buffer[..count]);
        if !had_length && frames.claimed(limit).map_err(|error| End::Wrong(error.to_string()))?.is_some() {
            return Ok(None);
        }
    }
}

/// Reads what there is.
async fn read_some<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut [u8]) -> Result<usize> {
    let mut buffer = ReadBuf::new(buffer);
    poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut buffer)).await?;
    Ok(buffer.filled().len())
}

struct Writer {
    peer: PeerId,
    lane: Lane,
    queued: mpsc::UnboundedReceiver<Write>,
    events: mpsc::Sender<Event>,
    /// How long the connection stays after the last frame.
    farewell: Duration,
}

impl Writer {
    fn new(
        peer: PeerId,
        lane: Lane,
        events: &mpsc::Sender<Event>,
        farewell: Duration,
    ) -> (mpsc::UnboundedSender<Write>, Self) {
        // The core counts what is queued here and gives a peer up that takes too little.
        let (writes, queued) = mpsc::unbounded_channel();
        (writes, Self { peer, lane, queued, events: events.clone(), farewell })
    }

    async fn run<S: AsyncWrite + Unpin>(mut self, mut stream: S) {
        let mut together = Vec::new();
        while let Some(next) = self.queued.recv().await {
            together.clear();
            let mut last = false;
            let mut next = Some(next);
            // A large frame goes as it is; small ones go together.
            let mut large = None;
            while let Some(write) = next.take() {
                match write {
                    Write::Frame(frame) if together.is_empty() && frame.len() >= WRITE_BYTES => large = Some(frame),
                    Write::Frame(frame) => together.extend_from_slice(&frame),
                    Write::Last => last = true,
                }
                if large.is_none() && !last && together.len() < WRITE_BYTES {
                    next = self.queued.try_recv().ok();
                }
            }
            let bytes = large.as_deref().unwrap_or(&together);
            let patience = if last { FAREWELL_SECONDS } else { WRITE_SECONDS };
            let sent = send(&mut stream, bytes, Duration::from_secs(patience)).await;
            if last || !sent {
                if sent {
                    tokio::time::sleep(self.farewell).await;
                }
                // The stream is shut down before the peer is forgotten.
                drop(stream);
                // The driver may have ended.
                let _ = self.events.send(Event::Happened(Input::Closed { peer: self.peer })).await;
                return;
            }
            let written = Input::Written { peer: self.peer, lane: self.lane, bytes: bytes.len() };
            if self.events.send(Event::Happened(written)).await.is_err() {
                return;
            }
        }
    }
}

/// Whether all was sent. Some of it must be taken within `patience`, again and again.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, mut bytes: &[u8], patience: Duration) -> bool {
    while !bytes.is_empty() {
        let write = poll_fn(|context| Pin::new(&mut *stream).poll_write(context, bytes));
        match timeout(patience, write).await {
            Ok(Ok(count)) if count > 0 => bytes = &bytes[count..],
            _ => return false,
        }
    }
    let flush = poll_fn(|context| Pin::new(&mut *stream).poll_flush(context));
    matches!(timeout(patience, flush).await, Ok(Ok(())))
}
