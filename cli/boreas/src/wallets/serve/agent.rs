//! The wallets of a server: opened, locked and unlocked as by keosd's `wallet_manager`, in wallet files of this program.
//!
//! What is unlocked is unlocked in the memory of this process alone; other commands of the user do not see it.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use primitives::{Checksum256, FaultKind, PrivateKey, PublicKey, Signature};
use wallet::{Folder, SealKey, WalletError};
use zeroize::Zeroizing;

use super::fault::{Failure, Place};

const MANAGER: &str = "wallet_manager.cpp";
const WALLET: &str = "wallet.cpp";

/// A private key's text beside its public key.
type Pair = (PublicKey, Zeroizing<String>);

/// Passwords that become keys at a time, at most: each takes 19 MiB and some 30 ms of a processor, on purpose.
const PASSWORDS_MAX: usize = 2;
/// Passwords that wait for that at most.
const PASSWORDS_WAITING_MAX: usize = 16;

/// The wallets that were opened, and the keys of those that are unlocked. Nothing slow is done while they are held.
#[derive(Debug)]
pub struct Agent {
    folder: Folder,
    opened: Mutex<Opened>,
    passwords: Passwords,
}

#[derive(Debug)]
struct Opened {
    wallets: BTreeMap<String, Option<SealKey>>,
    timeout: Duration,
    /// By both clocks: the one stands still while the machine sleeps, the other may be set back.
    used: (Instant, SystemTime),
}

impl Opened {
    fn lock_if_unused(&mut self) {
        let by_calendar = self.used.1.elapsed().is_ok_and(|unused| unused >= self.timeout);
        if by_calendar || self.used.0.elapsed() >= self.timeout {
            self.lock_all();
        }
    }

    fn lock_all(&mut self) {
        self.wallets.values_mut().for_each(|seal| *seal = None);
    }
}

/// Where passwords become keys.
#[derive(Debug, Default)]
struct Passwords {
    crowd: Mutex<Crowd>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Crowd {
    running: usize,
    waiting: usize,
}

/// A place there, until it is dropped.
struct Turn<'a>(&'a Passwords);

impl Passwords {
    fn enter(&self) -> Result<Turn<'_>, Failure> {
        let mut crowd = held(&self.crowd);
        if crowd.running >= PASSWORDS_MAX {
            if crowd.waiting >= PASSWORDS_WAITING_MAX {
                let what = format!("{PASSWORDS_WAITING_MAX} passwords wait to be checked, no more: try again later");
                return Err(Failure::plain(503, "Busy", what));
            }
            crowd.waiting += 1;
            let free = self.left.wait_while(crowd, |crowd| crowd.running >= PASSWORDS_MAX);
            crowd = free.unwrap_or_else(PoisonError::into_inner);
            crowd.waiting -= 1;
        }
        crowd.running += 1;
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        held(&self.0.crowd).running -= 1;
        self.0.left.notify_one();
    }
}

/// What is behind a lock. A request that failed in its midst has changed nothing by halves.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agent {
    /// No wallet is open yet. After `timeout` without a request all are locked.
    pub fn new(folder: Folder, timeout: Duration) -> Self {
        let opened = Opened { wallets: BTreeMap::new(), timeout, used: (Instant::now(), SystemTime::now()) };
        Self { folder, opened: Mutex::new(opened), passwords: Passwords::default() }
    }

    /// Locks all wallets when they were not used for the time that is set.
    pub fn lock_if_unused(&self) {
        held(&self.opened).lock_if_unused();
    }

    /// Every request begins so.
    fn use_now(&self) -> MutexGuard<'_, Opened> {
        let mut opened = held(&self.opened);
        opened.lock_if_unused();
        opened.used = (Instant::now(), SystemTime::now());
        opened
    }

    /// Sets the time; it begins now.
    pub fn set_timeout(&self, seconds: i64) -> Result<(), Failure> {
        const NANOS: i64 = 1_000_000_000;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let end = now.wrapping_add(seconds.wrapping_mul(NANOS));
        let Some(timeout) = u64::try_from(seconds).ok().filter(|_| end >= now) else {
            let message = format!("Overflow on timeout_time, specified {seconds}, now {now}, timeout_time {end}");
            let place = (MANAGER, 43, "set_timeout");
            return Err(Failure::new(FaultKind::INVALID_LOCK_TIMEOUT_EXCEPTION, message, place));
        };
        let mut opened = held(&self.opened);
        opened.timeout = Duration::from_secs(timeout);
        opened.used = (Instant::now(), SystemTime::now());
        Ok(())
    }

    /// Makes a wallet, which is unlocked; gives its password.
    pub fn create(&self, name: &str) -> Result<String, Failure> {
        drop(self.use_now());
        let _turn = self.passwords.enter()?;
        let (password, seal) = self.folder.make(name).map_err(|error| match error {
            WalletError::BadName(_) => bad_name(name, 60, "create"),
            WalletError::Exists(_) => {
                let path = self.path(name);
                let message = format!("Wallet with name: '{name}' already exists at {path}");
                Failure::new(FaultKind::WALLET_EXIST_EXCEPTION, message, (MANAGER, 65, "create"))
            }
            other => other.into(),
        })?;
        held(&self.opened).wallets.insert(name.to_owned(), Some(seal));
        Ok(password)
    }

    /// Opens a wallet, which is locked afterwards, whatever it was.
    pub fn open(&self, name: &str) -> Result<(), Failure> {
        let mut opened = self.use_now();
        self.folder.find(name).map_err(|error| match error {
            WalletError::BadName(_) => bad_name(name, 94, "open"),
            WalletError::Missing(_) => {
                let message = format!("Unable to open file: {}", self.path(name));
                Failure::new(FaultKind::WALLET_NONEXISTENT_EXCEPTION, message, (MANAGER, 101, "open"))
            }
            other => other.into(),
        })?;
        opened.wallets.insert(name.to_owned(), None);
        Ok(())
    }

    /// Names of the opened wallets, with a star where they are unlocked.
    pub fn list(&self) -> Vec<String> {
        let opened = self.use_now();
        let mark =
            |(name, key): (&String, &Option<SealKey>)| format!("{name}{}", if key.is_some() { " *" } else { "" });
        opened.wallets.iter().map(mark).collect()
    }

    /// Public and private keys of an unlocked wallet, in order.
    pub fn pairs(&self, name: &str, password: &str) -> Result<Vec<Pair>, Failure> {
        let seal = self.unlocked(name, [130, 133], "list_keys")?;
        self.check(name, password)?;
        let keys = self.folder.keys_under(name, &seal)?;
        let mut pairs = keys
            .iter()
            .map(|key| Ok((key.public_key()?, Zeroizing::new(key.to_secret_text()))))
            .collect::<Result<Vec<_>, primitives::Fault>>()?;
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(pairs)
    }

    /// The public keys of all unlocked wallets.
    pub fn public_keys(&self) -> Result<Vec<PublicKey>, Failure> {
        let opened = self.use_now();
        if opened.wallets.is_empty() {
            let message = "You don't have any wallet!";
            let place = (MANAGER, 140, "get_public_keys");
            return Err(Failure::new(FaultKind::WALLET_NOT_AVAILABLE_EXCEPTION, message, place));
        }
        if opened.wallets.values().all(Option::is_none) {
            let message = "You don't have any unlocked wallet!";
            let place = (MANAGER, 149, "get_public_keys");
            return Err(Failure::new(FaultKind::WALLET_LOCKED_EXCEPTION, message, place));
        }
        let keys = self.keys(opened)?;
        let mut keys = keys.iter().map(PrivateKey::public_key).collect::<Result<Vec<_>, _>>()?;
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// Locks all wallets.
    pub fn lock_all(&self) {
        held(&self.opened).lock_all();
    }

    /// Locks a wallet.
    pub fn lock(&self, name: &str) -> Result<(), Failure> {
        let mut opened = self.use_now();
        let seal = opened.wallets.get_mut(name).ok_or_else(|| not_open(name, (MANAGER, 166, "lock")))?;
        *seal = None;
        Ok(())
    }

    /// Unlocks a wallet, and opens it where it is not.
    pub fn unlock(&self, name: &str, password: &str) -> Result<(), Failure> {
        let known = self.use_now().wallets.get(name).map(Option::is_some);
        if known.is_none() {
            self.open(name)?;
        }
        if known == Some(true) {
            let message = format!("Wallet is already unlocked: {name}");
            return Err(Failure::new(FaultKind::WALLET_UNLOCKED_EXCEPTION, message, (MANAGER, 182, "unlock")));
        }
        let seal = self.seal(name, password, 359, "unlock")?;
        held(&self.opened).wallets.insert(name.to_owned(), Some(seal));
        Ok(())
    }

    /// Adds a key to an unlocked wallet.
    pub fn import(&self, name: &str, private: &str) -> Result<(), Failure> {
        let seal = self.unlocked(name, [191, 195], "import_key")?;
        self.add(name, &seal, private.parse()?)
    }

    fn add(&self, name: &str, seal: &SealKey, key: PrivateKey) -> Result<(), Failure> {
        self.folder.import_under(name, seal, key).map_err(|error| match error {
            WalletError::KeyExists => {
                Failure::new(FaultKind::KEY_EXIST_EXCEPTION, "Key already in wallet", (WALLET, 154, "import_key"))
            }
            other => other.into(),
        })
    }

    /// Makes a key in an unlocked wallet.
    pub fn create_key(&self, name: &str, kind: &str) -> Result<PublicKey, Failure> {
        let seal = self.unlocked(name, [216, 220], "create_key")?;
        let kind = kind.to_ascii_uppercase();
        let key = match kind.as_str() {
            "K1" | "" => wallet::generate_key(false),
            "R1" => wallet::generate_key(true),
            _ => {
                let message = format!("Key type \"{kind}\" not supported by software wallet");
                let place = (WALLET, 182, "create_key");
                return Err(Failure::new(FaultKind::UNSUPPORTED_KEY_TYPE_EXCEPTION, message, place));
            }
        };
        let public = key.public_key()?;
        self.add(name, &seal, key)?;
        Ok(public)
    }

    /// Takes a key out of an unlocked wallet; the password is wanted again.
    pub fn remove(&self, name: &str, password: &str, public: &str) -> Result<(), Failure> {
        let seal = self.unlocked(name, [203, 207], "remove_key")?;
        self.check(name, password)?;
        self.folder.remove_under(name, &seal, &public.parse()?).map_err(|error| match error {
            WalletError::KeyMissing => {
                Failure::new(FaultKind::KEY_NONEXISTENT_EXCEPTION, "Key not in wallet", (WALLET, 168, "remove_key"))
            }
            other => other.into(),
        })
    }

    /// Signatures of a digest by each of these keys.
    pub fn sign(&self, digest: &Checksum256, keys: &[PublicKey], place: Place) -> Result<Vec<Signature>, Failure> {
        let own = self.keys(self.use_now())?;
        let sign = |wanted: &PublicKey| match own.iter().find(|key| key.public_key().as_ref() == Ok(wanted)) {
            Some(key) => Ok(key.sign(digest)?),
            None => {
                let message = format!("Public key not found in unlocked wallets {wanted}");
                Err(Failure::new(FaultKind::WALLET_MISSING_PUB_KEY_EXCEPTION, message, place))
            }
        };
        keys.iter().map(sign).collect()
    }

    /// The keys of all unlocked wallets.
    fn keys(&self, opened: MutexGuard<'_, Opened>) -> Result<Vec<PrivateKey>, Failure> {
        let unlocked = opened.wallets.iter().filter_map(|(name, seal)| Some((name.clone(), seal.clone()?)));
        let unlocked: Vec<_> = unlocked.collect();
        drop(opened);
        let mut all = Vec::new();
        for (name, seal) in unlocked {
            all.extend(self.folder.keys_under(&name, &seal)?);
        }
        Ok(all)
    }

    /// The key that seals an unlocked wallet. `lines` are those where keosd misses the wallet, and where it is locked.
    fn unlocked(&self, name: &str, lines: [u32; 2], method: &'static str) -> Result<SealKey, Failure> {
        let opened = self.use_now();
        let seal = opened.wallets.get(name).ok_or_else(|| not_open(name, (MANAGER, lines[0], method)))?;
        seal.clone().ok_or_else(|| {
            let message = format!("Wallet is locked: {name}");
            Failure::new(FaultKind::WALLET_LOCKED_EXCEPTION, message, (MANAGER, lines[1], method))
        })
    }

    fn check(&self, name: &str, password: &str) -> Result<(), Failure> {
        self.seal(name, password, 369, "check_password").map(drop)
    }

    /// The key that a password becomes, if it is the wallet's: slow, and of few at a time.
    fn seal(&self, name: &str, password: &str, line: u32, method: &'static str) -> Result<SealKey, Failure> {
        let _turn = self.passwords.enter()?;
        self.folder.seal_key(name, password).map_err(|error| self.bad_password(name, error, line, method))
    }

    fn bad_password(&self, name: &str, error: WalletError, line: u32, method: &'static str) -> Failure {
        match error {
            WalletError::BadPassword(_) => {
                let message = format!("Invalid password for wallet: \"{}\"", self.path(name));
                Failure::new(FaultKind::WALLET_INVALID_PASSWORD_EXCEPTION, message, (WALLET, line, method))
            }
            other => other.into(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path(name).map(|path| path.display().to_string()).unwrap_or_default()
    }
}

fn bad_name(name: &str, line: u32, method: &'static str) -> Failure {
    let message = format!("Invalid filename, path not allowed in wallet name {name}");
    Failure::new(FaultKind::WALLET_EXCEPTION, message, (MANAGER, line, method))
}

fn not_open(name: &str, place: Place) -> Failure {
    Failure::new(FaultKind::WALLET_NONEXISTENT_EXCEPTION, format!("Wallet not found: {name}"), place)
}
