// Without a mistake, so that the others are refused for theirs alone.

// --- a table, an action and a call
#[table("deals")]
pub struct Deal {
    #[primary]
    pub id: u64,
    #[secondary]
    pub owner: Name,
}
#[action]
fn open(owner: Name) {
    Table::<Deal>::new(owner, owner).insert(owner, Deal { id: 1, owner });
}

// --- times, signed numbers and pairs as keys
#[table("t")]
pub struct T {
    #[primary]
    pub id: i64,
    #[secondary]
    pub time: TimePointSec,
    #[secondary]
    pub wide: i128,
    #[secondary]
    pub pair: (Name, TimePoint),
    #[secondary]
    pub truth: bool,
}
#[action]
fn a() {
    Table::<T>::new(current_receiver(), 0).find(-5i64);
}

// --- numbers without a type as key and scope
#[table("t")]
pub struct T {
    #[primary]
    pub id: u64,
}
#[action]
fn a() {
    let rows = Table::<T>::new(current_receiver(), 0);
    rows.find(1);
    rows.range(2..9).count();
}

// --- results with errors
#[action]
fn a() -> Result<u64, String> {
    Ok(half(2)?)
}
#[action]
fn b() -> Result<(), &'static str> {
    half(3)?;
    Ok(())
}
fn half(n: u64) -> Result<u64, &'static str> {
    if n % 2 == 0 { Ok(n / 2) } else { Err("odd") }
}

// --- cases with names, tuples and lists of fixed length
#[derive(Record)]
pub enum Price {
    #[abi(name = "at_least")]
    AtLeast(u64),
    #[abi(name = "exactly")]
    Exactly(u64),
}
#[action]
fn a(price: Price, five: (u8, u8, u8, u8, u8), list: [Name; 3]) {}

// --- wide arithmetic, and a record of itself
#[action]
fn a(x: u128) -> u128 {
    x * 3 / 7
}
#[derive(Record)]
pub struct Node {
    pub children: Vec<Node>,
    pub id: u64,
}
#[action]
fn b(node: Node) -> u64 {
    node.id
}

// --- keys by expressions with commas, functions of all kinds, what a contract has beside them
pub const LIST: [u8; 2] = { [1, 2] };
static TEXT: &str = "{";
type Pair = (u8, u8);
use core::cmp::{max, min};
macro_rules! three {
    () => {
        3
    };
}
#[table("deals", index(by_least: u64 = min::<u64>(self.id, three!())), primary = max::<u64>(self.id, 1))]
struct Deal {
    id: u64,
}
impl Deal {
    const ONE: u8 = 1;
}
const fn two() -> u8 {
    2
}
unsafe extern "C" fn four<T: Copy>(value: T) -> T
where
    T: Sized,
{
    value
}
#[action]
pub(crate) fn hello(mut account: Name, _unused: sdk::alloc::vec::Vec<u8>, r#type: u8) -> core::result::Result<(), &'static str> {
    account = name!("alice");
    Ok(())
}
fn pattern((a, b): Pair, [c, ..]: [u8; 2]) -> u8 {
    a + b + c
}
