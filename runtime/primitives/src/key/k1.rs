//! secp256k1: recovery, canonical signatures.

use std::ffi::{c_int, c_uchar, c_void};
use std::sync::LazyLock;

use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{All, Message, Secp256k1, SecretKey, ffi};

use crate::{Checksum256, Fault, FaultKind};

const PARSE_ASSERTION: &str = "secp256k1_ecdsa_recoverable_signature_parse_compact( detail::_get_context(), &secp_sig, \
    (unsigned char*)c.begin() + 1, (*c.begin() - 27) & 3): ";
const RECOVER_ASSERTION: &str = "secp256k1_ecdsa_recover( detail::_get_context(), &secp_pub, &secp_sig, \
    (unsigned char*) digest.data() ): ";

static CONTEXT: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// Whether neither r nor s is negative or padded when read as a signed number (fc: `is_canonical`).
pub(super) fn is_canonical(compact: &[u8; 65]) -> bool {
    let number = |first: u8, second: u8| first & 0x80 == 0 && !(first == 0 && second & 0x80 == 0);
    number(compact[1], compact[2]) && number(compact[33], compact[34])
}

pub(super) fn recover(compact: &[u8; 65], digest: &Checksum256, check_canonical: bool) -> Result<[u8; 33], Fault> {
    let [header, numbers @ ..] = compact;
    crate::ensure!((27..35).contains(header), EXCEPTION, "unable to reconstruct public key from signature");
    let canonical = !check_canonical || is_canonical(compact);
    crate::ensure!(canonical, ASSERT_EXCEPTION, "is_canonical( c ): signature is not canonical");
    // fc's assertions name the calls that failed.
    let recovery_id = RecoveryId::from_u8_masked(header - 27);
    let signature = RecoverableSignature::from_compact(numbers, recovery_id)
        .map_err(|_| Fault::new(FaultKind::ASSERT_EXCEPTION, PARSE_ASSERTION))?;
    let key = CONTEXT
        .recover_ecdsa(Message::from_digest(digest.0), &signature)
        .map_err(|_| Fault::new(FaultKind::ASSERT_EXCEPTION, RECOVER_ASSERTION))?;
    Ok(key.serialize())
}

fn secret_key(secret: &[u8; 32]) -> Result<SecretKey, Fault> {
    SecretKey::from_byte_array(*secret)
        .map_err(|_| Fault::new(FaultKind::ASSERT_EXCEPTION, "secret is no private key of secp256k1"))
}

pub(super) fn public_key(secret: &[u8; 32]) -> Result<[u8; 33], Fault> {
    Ok(secret_key(secret)?.public_key(&CONTEXT).serialize())
}

/// fc's nonces: the standard ones without extra data, each call asking for the next attempt.
///
/// # Safety
/// `data` points to a `u32` that nothing else uses; the other pointers are as libsecp256k1 passes them.
unsafe extern "C" fn next_nonce(
    nonce: *mut c_uchar,
    message: *const c_uchar,
    key: *const c_uchar,
    algorithm: *const c_uchar,
    data: *mut c_void,
    _attempt: u32,
) -> c_int {
    // SAFETY: the contract of this function; the standard nonce function is never null.
    unsafe {
        let calls = data.cast::<u32>();
        *calls += 1;
        let standard = ffi::secp256k1_nonce_function_default.expect("the library has a nonce function");
        standard(nonce, message, key, algorithm, std::ptr::null_mut(), *calls)
    }
}

pub(super) fn sign(secret: &[u8; 32], digest: &Checksum256) -> Result<[u8; 65], Fault> {
    use ffi::recovery;
    secret_key(secret)?;
    let (mut calls, mut compact) = (0u32, [0u8; 65]);
    loop {
        let mut recovery_id = 0;
        // SAFETY: all pointers are to live values of the sizes that libsecp256k1 reads and writes; the secret is valid.
        let done = unsafe {
            let context = CONTEXT.ctx().as_ptr();
            let mut signature = recovery::RecoverableSignature::new();
            let nonces = std::ptr::from_mut(&mut calls).cast::<c_void>();
            let (message, key) = (digest.0.as_ptr(), secret.as_ptr());
            recovery::secp256k1_ecdsa_sign_recoverable(context, &mut signature, message, key, Some(next_nonce), nonces)
                == 1
                && recovery::secp256k1_ecdsa_recoverable_signature_serialize_compact(
                    context,
                    compact[1..].as_mut_ptr(),
                    &mut recovery_id,
                    &signature,
                ) == 1
        };
        crate::ensure!(done, ASSERT_EXCEPTION, "secret is no private key of secp256k1");
        compact[0] = 27 + 4 + recovery_id as u8;
        if is_canonical(&compact) {
            return Ok(compact);
        }
    }
}
