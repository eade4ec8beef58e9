//! Which keys probably signed a transaction: those that signed the last one of the same authorizer. Signatures whose keys
//! are guessed are checked many at once ([`primitives::recover_all`]); a wrong guess costs time and changes nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use primitives::{Checksum256, Fault, PermissionLevel, PublicKey, Signature, Signed, Transaction, recover_all};

/// Signers that are remembered in each of two generations; when the younger one is full, the older one goes.
const SIGNERS_MAX: usize = 8192;
/// After this many wrong guesses a signer's wait grows no more.
const WRONG_MAX: u32 = 6;
/// After a wrong guess nothing is guessed for up to `1 << PAUSE_MAX` times as many signatures as it spoiled.
const PAUSE_MAX: u32 = 4;

/// Who signs: the first authorizer of a transaction, and the place among its signatures.
pub(crate) type Signer = (PermissionLevel, usize);

/// The keys that signed last, shared by the threads that prepare blocks.
#[derive(Debug, Default)]
pub struct KeyGuesses(Mutex<Guesses>);

#[derive(Debug, Default)]
struct Guesses {
    young: BTreeMap<Signer, Guess>,
    old: BTreeMap<Signer, Guess>,
    pause: u32,
    /// Signatures that go without a guess yet.
    paused: usize,
}

#[derive(Debug, Clone)]
struct Guess {
    key: PublicKey,
    /// How often another key came.
    wrong: u32,
    /// How often the key has to come before it is guessed again.
    wait: u32,
}

impl Guesses {
    fn find(&self, signer: &Signer) -> Option<&Guess> {
        self.young.get(signer).or_else(|| self.old.get(signer))
    }

    fn guess(&self, signer: &Signer) -> Option<PublicKey> {
        self.find(signer).filter(|guess| guess.wait == 0).map(|guess| guess.key.clone())
    }

    fn learn(&mut self, signer: Signer, key: &PublicKey) {
        let PublicKey::K1(_) = key else { return };
        let guess = match self.find(&signer) {
            Some(guess) if guess.key == *key => Guess { wait: guess.wait.saturating_sub(1), ..guess.clone() },
            Some(guess) => {
                let wrong = (guess.wrong + 1).min(WRONG_MAX);
                Guess { key: key.clone(), wrong, wait: 1 << wrong }
            }
            None => Guess { key: key.clone(), wrong: 0, wait: 0 },
        };
        if self.young.len() >= SIGNERS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(signer, guess);
    }

    /// Notes how a batch went: `guessed` signatures had a guess.
    fn went(&mut self, guessed: usize, well: bool) {
        if well {
            self.pause = self.pause.saturating_sub(1);
        } else {
            self.pause = (self.pause + 1).min(PAUSE_MAX);
            self.paused = guessed << self.pause;
        }
    }
}

impl KeyGuesses {
    /// Recovers the key of each signature, in order.
    pub(crate) fn recover(&self, signed: &[(Signer, &Signature, Checksum256)]) -> Vec<Result<PublicKey, Fault>> {
        let guesses: Vec<_> = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_paused = all.paused > 0;
            all.paused = all.paused.saturating_sub(signed.len());
            signed.iter().map(|(signer, ..)| if is_paused { None } else { all.guess(signer) }).collect()
        };
        let with_guesses: Vec<_> = signed
            .iter()
            .zip(&guesses)
            .map(|((_, signature, digest), guess)| Signed { signature, digest, guess: guess.as_ref() })
            .collect();
        let found = recover_all(&with_guesses);
        let guessed = guesses.iter().flatten().count();
        let is_right = |(guess, found): (&Option<PublicKey>, &Result<PublicKey, Fault>)| {
            guess.as_ref().is_none_or(|guess| found.as_ref() == Ok(guess))
        };
        let all_right = guesses.iter().zip(&found).all(is_right);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if guessed > 0 {
            all.went(guessed, all_right);
        }
        for (((signer, ..), found), guess) in signed.iter().zip(&found).zip(&guesses) {
            // A right guess has nothing new.
            if let Ok(key) = found
                && guess.as_ref() != Some(key)
            {
                all.learn(*signer, key);
            }
        }
        found
    }
}

/// The signers of a transaction, in the order of its signatures.
pub(crate) fn signers(transaction: &Transaction) -> impl Iterator<Item = Signer> + use<> {
    let authorizer = transaction.actions.iter().find_map(|action| action.authorization.first());
    let level = authorizer.copied().unwrap_or_default();
    (0..).map(move |place| (level, place))
}

#[cfg(test)]
mod tests {
    use primitives::{Action, ChainId, Compression, Name, PackedTransaction, PrivateKey, SignedTransaction};

    use super::*;
    use crate::{recover_transaction, recover_transactions};

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::k1_from_seed([seed; 32]).expect("a key")
    }

    fn public(seed: u8) -> PublicKey {
        key(seed).public_key().expect("a key")
    }

    fn signer(actor: u64) -> Signer {
        (PermissionLevel { actor: Name(actor), permission: Name(1) }, 0)
    }

    fn transaction(actor: u64, number: u32, seeds: &[u8]) -> PackedTransaction {
        let mut signed = SignedTransaction::default();
        signed.transaction.header.ref_block_prefix = number;
        let authorization = vec![signer(actor).0];
        signed.transaction.actions.push(Action { authorization, ..Action::default() });
        let digest = signed.transaction.signing_digest(&ChainId::default(), &[]);
        signed.signatures = seeds.iter().map(|seed| key(*seed).sign(&digest).expect("a signature")).collect();
        PackedTransaction::new(&signed, Compression::None)
    }

    #[test]
    fn guesses_give_what_each_transaction_gives_alone() {
        let (guesses, chain_id) = (KeyGuesses::default(), ChainId::default());
        for block in 0..12u32 {
            let mut packed: Vec<_> = (0..60u32)
                .map(|at| {
                    let actor = u64::from(at % 4);
                    // One changes its key, one has a key of its own in each block, one signs with two keys.
                    match actor {
                        0 => transaction(actor, block * 100 + at, &[if block < 5 { 1 } else { 2 }]),
                        1 => transaction(actor, block * 100 + at, &[block as u8 + 10]),
                        2 => transaction(actor, block * 100 + at, &[4, 5]),
                        _ => transaction(actor, block * 100 + at, &[]),
                    }
                })
                .collect();
            // Those that fail stand between the others.
            packed[7].packed_trx = vec![1].into();
            packed[9].signatures[0] = Signature::default();
            packed[10] = transaction(2, block, &[4, 4]);
            let alone: Vec<_> = packed.iter().map(|packed| recover_transaction(packed.clone(), &chain_id)).collect();
            assert_eq!(alone.iter().filter(|alone| alone.is_err()).count(), 3);
            assert_eq!(format!("{:?}", recover_transactions(packed, &chain_id, &guesses)), format!("{alone:?}"));
        }
        let guesses = guesses.0.lock().expect("nobody panicked");
        assert_eq!(guesses.find(&signer(0)).map(|guess| &guess.key), Some(&public(2)));
    }

    #[test]
    fn a_signer_whose_keys_change_waits() {
        let (mut guesses, signer) = (Guesses::default(), signer(1));
        assert_eq!(guesses.guess(&signer), None);
        guesses.learn(signer, &public(1));
        assert_eq!(guesses.guess(&signer), Some(public(1)));
        for wrong in 1..10 {
            guesses.learn(signer, &public(wrong + 1));
            let wait = 1 << u32::from(wrong).min(WRONG_MAX);
            for _ in 0..wait {
                assert_eq!(guesses.guess(&signer), None);
                guesses.learn(signer, &public(wrong + 1));
            }
            assert_eq!(guesses.guess(&signer), Some(public(wrong + 1)));
        }
    }

    #[test]
    fn wrong_guesses_make_pauses() {
        let mut guesses = Guesses::default();
        let paused: Vec<_> = std::iter::repeat_with(|| {
            guesses.went(100, false);
            guesses.paused
        })
        .take(6)
        .collect();
        assert_eq!(paused, [200, 400, 800, 1600, 1600, 1600]);
        (0..3).for_each(|_| guesses.went(100, true));
        guesses.went(10, false);
        assert_eq!(guesses.paused, 40);
    }

    #[test]
    fn so_many_signers_are_remembered() {
        let (mut guesses, key) = (Guesses::default(), public(1));
        for actor in 0..3 * SIGNERS_MAX as u64 {
            guesses.learn(signer(actor), &key);
            assert!(guesses.young.len() <= SIGNERS_MAX && guesses.old.len() <= SIGNERS_MAX);
            assert_eq!(guesses.guess(&signer(actor.saturating_sub(100))).as_ref(), Some(&key));
        }
        assert_eq!(guesses.guess(&signer(0)), None);
    }
}
