//! One socket: a task that reads frames and one that writes them. What is read counts against what the peer, and all
//! peers, may have in this node, and nothing more is read until there is room.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Frame;
use super::event::Event;
use crate::core::{Charge, Input, PeerId};
use crate::limits::{FRAME_SECONDS, GREETING_BYTES_MAX, MESSAGE_BYTES_MIN, RECEIVED_BYTES_PER_PEER, WRITE_SECONDS};
use crate::wire::{FRAME_BYTES_MAX, Frames, Message};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;
/// Small frames are sent together up to this many bytes.
const WRITE_BYTES: usize = 64 << 10;
/// Seconds that a peer is given to read why its connection ends.
const FAREWELL_SECONDS: u64 = 2;

/// What the writing task is told.
#[derive(Debug)]
pub(super) enum Write {
    Frame(Frame),
    /// Nothing follows.
    Last,
}

/// The way to a connection. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    writes: mpsc::UnboundedSender<Write>,
    _tasks: JoinSet<()>,
}

impl Connection {
    /// Starts both tasks.
    pub fn start(peer: PeerId, stream: TcpStream, events: &mpsc::Sender<Event>, room: &Arc<Semaphore>) -> Self {
        // Blocks are worth a packet of their own; a socket that refuses is a little slower.
        let _ = stream.set_nodelay(true);
        let (reading, writing) = stream.into_split();
        // The core counts what is queued here and gives a peer up that takes too little.
        let (writes, queued) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let reader = Reader {
            peer,
            events: events.clone(),
            room: Arc::clone(room),
            own_room: Arc::new(Semaphore::new(RECEIVED_BYTES_PER_PEER)),
        };
        tasks.spawn(reader.run(reading));
        tasks.spawn(write(peer, writing, queued, events.clone()));
        Self { writes, _tasks: tasks }
    }

    /// Queues something. A task that is gone has told so.
    pub fn write(&self, write: Write) {
        let _ = self.writes.send(write);
    }
}

struct Reader {
    peer: PeerId,
    events: mpsc::Sender<Event>,
    room: Arc<Semaphore>,
    own_room: Arc<Semaphore>,
}

/// Why reading ends.
enum End {
    /// The socket is closed or broken, or nobody listens any more.
    Gone,
    /// What came is not a message.
    Wrong(String),
}

impl Reader {
    async fn run(self, stream: OwnedReadHalf) {
        let End::Wrong(why) = self.read(stream).await else {
            return self.tell(Input::Closed { peer: self.peer }).await;
        };
        self.tell(Input::Malformed { peer: self.peer, why }).await;
    }

    async fn tell(&self, input: Input) {
        // The driver may have ended.
        let _ = self.events.send(Event::Happened(input)).await;
    }

    async fn read(&self, stream: OwnedReadHalf) -> End {
        let mut frames = Frames::default();
        let mut buffer = vec![0; READ_BYTES];
        // Who has not introduced itself has nothing long to say.
        let mut limit = GREETING_BYTES_MAX;
        let mut large = false;
        loop {
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
            let frame =
                match timeout(Duration::from_secs(FRAME_SECONDS), next_frame(&stream, &mut frames, &mut buffer, limit))
                    .await
                {
                    Ok(Ok(message)) => message,
                    Ok(Err(end)) => return end,
                    Err(_) if frames.unfinished() > 0 => return End::Wrong("it does not finish a message".to_owned()),
                    // Silence is the core's to judge.
                    Err(_) => continue,
                };
            let Some(message) = frame else { continue };
            limit = FRAME_BYTES_MAX;
            if length.is_some_and(|length| length > READ_BYTES) {
                large = true;
            } else if std::mem::take(&mut large) {
                frames.shrink();
            }
            let received = Input::Received { peer: self.peer, message, charge };
            if self.events.send(Event::Happened(received)).await.is_err() {
                return End::Gone;
            }
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
async fn next_frame(
    stream: &OwnedReadHalf,
    frames: &mut Frames,
    buffer: &mut [u8],
    limit: usize,
) -> Result<Option<Message>, End> {
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
async fn read_some(stream: &OwnedReadHalf, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        stream.readable().await?;
        match stream.try_read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}

async fn write(
    peer: PeerId,
    stream: OwnedWriteHalf,
    mut queued: mpsc::UnboundedReceiver<Write>,
    events: mpsc::Sender<Event>,
) {
    let mut together = Vec::new();
    while let Some(next) = queued.recv().await {
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
                next = queued.try_recv().ok();
            }
        }
        let bytes = large.as_deref().unwrap_or(&together);
        let patience = if last { FAREWELL_SECONDS } else { WRITE_SECONDS };
        let sent = send(&stream, bytes, Duration::from_secs(patience)).await;
        if last || !sent {
            // The socket is shut down before the peer is forgotten.
            drop(stream);
            // The driver may have ended.
            let _ = events.send(Event::Happened(Input::Closed { peer })).await;
            return;
        }
        let bytes = bytes.len();
        if events.send(Event::Happened(Input::Written { peer, bytes })).await.is_err() {
            return;
        }
    }
}

/// Whether all was sent. The system must take some of it within `patience`, again and again.
async fn send(stream: &OwnedWriteHalf, mut bytes: &[u8], patience: Duration) -> bool {
    while !bytes.is_empty() {
        match timeout(patience, stream.writable()).await {
            Ok(Ok(())) => {}
            _ => return false,
        }
        match stream.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
    }
    true
}
