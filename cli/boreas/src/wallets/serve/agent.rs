//! The wallets of a server: opened, locked and unlocked as by keosd's `wallet_manager`, in wallet files of this program.
//!
//! What is unlocked is unlocked in the memory of this process alone; other commands of the user do not see it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use primitives::{Checksum256, FaultKind, PrivateKey, PublicKey, Signature};
use wallet::{Folder, SealKey, WalletError};
use zeroize::Zeroizing;

use super::fault::{Failure, Place};

const MANAGER: &str = "wallet_manager.cpp";
const WALLET: &str = "wallet.cpp";

/// A private key's text beside its public key.
type Pair = (PublicKey, Zeroizing<String>);

/// The wallets that were opened, and the keys of those that are unlocked.
#[derive(Debug)]
pub struct Agent {
    folder: Folder,
    wallets: BTreeMap<String, Option<SealKey>>,
    timeout: Duration,
    /// By both clocks: the one stands still while the machine sleeps, the other may be set back.
    used: (Instant, SystemTime),
}

impl Agent {
    /// No wallet is open yet. After `timeout` without a request all are locked.
    pub fn new(folder: Folder, timeout: Duration) -> Self {
        Self { folder, wallets: BTreeMap::new(), timeout, used: (Instant::now(), SystemTime::now()) }
    }

    /// Locks all wallets when they were not used for the time that is set.
    pub fn lock_if_unused(&mut self) {
        let by_calendar = self.used.1.elapsed().is_ok_and(|unused| unused >= self.timeout);
        if by_calendar || self.used.0.elapsed() >= self.timeout {
            self.lock_all();
        }
    }

    /// Every request begins so.
    fn use_now(&mut self) {
        self.lock_if_unused();
        self.used = (Instant::now(), SystemTime::now());
    }

    /// Sets the time; it begins now.
    pub fn set_timeout(&mut self, seconds: i64) -> Result<(), Failure> {
        const NANOS: i64 = 1_000_000_000;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let end = now.wrapping_add(seconds.wrapping_mul(NANOS));
        let Some(timeout) = u64::try_from(seconds).ok().filter(|_| end >= now) else {
            let message = format!("Overflow on timeout_time, specified {seconds}, now {now}, timeout_time {end}");
            let place = (MANAGER, 43, "set_timeout");
            return Err(Failure::new(FaultKind::INVALID_LOCK_TIMEOUT_EXCEPTION, message, place));
        };
        self.timeout = Duration::from_secs(timeout);
        self.used = (Instant::now(), SystemTime::now());
        Ok(())
    }

    /// Makes a wallet, which is unlocked; gives its password.
    pub fn create(&mut self, name: &str) -> Result<String, Failure> {
        self.use_now();
        let (password, seal) = self.folder.make(name).map_err(|error| match error {
            WalletError::BadName(_) => bad_name(name, 60, "create"),
            WalletError::Exists(_) => {
                let path = self.path(name);
                let message = format!("Wallet with name: '{name}' already exists at {path}");
                Failure::new(FaultKind::WALLET_EXIST_EXCEPTION, message, (MANAGER, 65, "create"))
            }
            other => other.into(),
        })?;
        self.wallets.insert(name.to_owned(), Some(seal));
        Ok(password)
    }

    /// Opens a wallet, which is locked afterwards, whatever it was.
    pub fn open(&mut self, name: &str) -> Result<(), Failure> {
        self.use_now();
        self.folder.find(name).map_err(|error| match error {
            WalletError::BadName(_) => bad_name(name, 94, "open"),
            WalletError::Missing(_) => {
                let message = format!("Unable to open file: {}", self.path(name));
                Failure::new(FaultKind::WALLET_NONEXISTENT_EXCEPTION, message, (MANAGER, 101, "open"))
            }
            other => other.into(),
        })?;
        self.wallets.insert(name.to_owned(), None);
        Ok(())
    }

    /// Names of the opened wallets, with a star where they are unlocked.
    pub fn list(&mut self) -> Vec<String> {
        self.use_now();
        let mark =
            |(name, key): (&String, &Option<SealKey>)| format!("{name}{}", if key.is_some() { " *" } else { "" });
        self.wallets.iter().map(mark).collect()
    }

    /// Public and private keys of an unlocked wallet, in order.
    pub fn pairs(&mut self, name: &str, password: &str) -> Result<Vec<Pair>, Failure> {
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
    pub fn public_keys(&mut self) -> Result<Vec<PublicKey>, Failure> {
        self.use_now();
        if self.wallets.is_empty() {
            let message = "You don't have any wallet!";
            let place = (MANAGER, 140, "get_public_keys");
            return Err(Failure::new(FaultKind::WALLET_NOT_AVAILABLE_EXCEPTION, message, place));
        }
        if self.wallets.values().all(Option::is_none) {
            let message = "You don't have any unlocked wallet!";
            let place = (MANAGER, 149, "get_public_keys");
            return Err(Failure::new(FaultKind::WALLET_LOCKED_EXCEPTION, message, place));
        }
        let keys = self.keys()?;
        let mut keys = keys.iter().map(PrivateKey::public_key).collect::<Result<Vec<_>, _>>()?;
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// Locks all wallets.
    pub fn lock_all(&mut self) {
        self.wallets.values_mut().for_each(|seal| *seal = None);
    }

    /// Locks a wallet.
    pub fn lock(&mut self, name: &str) -> Result<(), Failure> {
        self.use_now();
        let seal = self.wallets.get_mut(name).ok_or_else(|| not_open(name, (MANAGER, 166, "lock")))?;
        *seal = None;
        Ok(())
    }

    /// Unlocks a wallet, and opens it where it is not.
    pub fn unlock(&mut self, name: &str, password: &str) -> Result<(), Failure> {
        self.use_now();
        if !self.wallets.contains_key(name) {
            self.open(name)?;
        }
        if self.wallets.get(name).is_some_and(Option::is_some) {
            let message = format!("Wallet is already unlocked: {name}");
            return Err(Failure::new(FaultKind::WALLET_UNLOCKED_EXCEPTION, message, (MANAGER, 182, "unlock")));
        }
        let seal =
            self.folder.seal_key(name, password).map_err(|error| self.bad_password(name, error, 359, "unlock"))?;
        self.wallets.insert(name.to_owned(), Some(seal));
        Ok(())
    }

    /// Adds a key to an unlocked wallet.
    pub fn import(&mut self, name: &str, private: &str) -> Result<(), Failure> {
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
    pub fn create_key(&mut self, name: &str, kind: &str) -> Result<PublicKey, Failure> {
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
    pub fn remove(&mut self, name: &str, password: &str, public: &str) -> Result<(), Failure> {
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
    pub fn sign(&mut self, digest: &Checksum256, keys: &[PublicKey], place: Place) -> Result<Vec<Signature>, Failure> {
        self.use_now();
        let held = self.keys()?;
        let sign = |wanted: &PublicKey| match held.iter().find(|key| key.public_key().as_ref() == Ok(wanted)) {
            Some(key) => Ok(key.sign(digest)?),
            None => {
                let message = format!("Public key not found in unlocked wallets {wanted}");
                Err(Failure::new(FaultKind::WALLET_MISSING_PUB_KEY_EXCEPTION, message, place))
            }
        };
        keys.iter().map(sign).collect()
    }

    fn keys(&self) -> Result<Vec<PrivateKey>, Failure> {
        let mut all = Vec::new();
        for (name, seal) in self.wallets.iter().filter_map(|(name, seal)| Some((name, seal.as_ref()?))) {
            all.extend(self.folder.keys_under(name, seal)?);
        }
        Ok(all)
    }

    /// The key that seals an unlocked wallet. `lines` are those where keosd misses the wallet, and where it is locked.
    fn unlocked(&mut self, name: &str, lines: [u32; 2], method: &'static str) -> Result<SealKey, Failure> {
        self.use_now();
        let seal = self.wallets.get(name).ok_or_else(|| not_open(name, (MANAGER, lines[0], method)))?;
        seal.clone().ok_or_else(|| {
            let message = format!("Wallet is locked: {name}");
            Failure::new(FaultKind::WALLET_LOCKED_EXCEPTION, message, (MANAGER, lines[1], method))
        })
    }

    fn check(&self, name: &str, password: &str) -> Result<(), Failure> {
        let checked = self.folder.seal_key(name, password);
        checked.map(drop).map_err(|error| self.bad_password(name, error, 369, "check_password"))
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
