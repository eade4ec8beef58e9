//! Private keys and passwords do not reach messages, wherever a message took them from.

/// What a message shows instead.
const HIDDEN: &str = "<private key>";
/// What is said beside a message that had a private key in it.
pub const ADVICE: &str = "A private key was given as an argument, where other users of this machine can see it and the \
                          shell keeps it. \"boreas wallet import\" asks for it instead.";

/// Characters of a WIF key: 51, or 52 for a compressed one; some more or fewer where one was lost in copying.
const WIF_CHARS: std::ops::RangeInclusive<usize> = 44..=58;
/// `PVT_K1_` and `PVT_R1_` alone tell nothing.
const PVT_CHARS_MIN: usize = 7;
const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A text with everything that looks like a private key, or a wallet's password, taken out.
pub fn hidden(text: &str) -> String {
    let part_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part_of_word) {
        out.push_str(&rest[..start]);
        let end = rest[start..].find(|letter| !part_of_word(letter)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        out.push_str(if is_secret(word) { HIDDEN } else { word });
        rest = &rest[end..];
    }
    out + rest
}

/// Whether a word is a private key, or was meant to be one.
pub fn is_secret(word: &str) -> bool {
    let wif = word.strip_prefix("PW").unwrap_or(word);
    // Nearly all are base58: a typo may not be.
    let base58 = wif.chars().filter(|letter| BASE58.contains(*letter)).count();
    let is_wif = WIF_CHARS.contains(&wif.len()) && wif.starts_with(['5', 'K', 'L']) && base58 + 2 >= wif.len();
    is_wif || (word.starts_with("PVT_") && word.len() > PVT_CHARS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_go_and_all_else_stays() {
        const WIF: &str = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3";
        let r1 = "PVT_R1_2vxhbWNvpBbgYvFEaeiUpgN92aCsCTfSEVu2iBBGDTskW5oYAR";
        for secret in [WIF, &WIF[1..], &WIF[..50], &WIF.replace("zkv", "zk0"), &format!("PW{WIF}"), r1, &r1[..30]] {
            if secret.starts_with('K') || secret.starts_with(['5', 'P']) {
                assert_eq!(hidden(&format!("key '{secret}': no")), format!("key '{HIDDEN}': no"));
            }
        }
        let public = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV";
        let id = "5f3e1111aaaabbbb5f3e1111aaaabbbb5f3e1111aaaabbbb5f3e1111aaaabbbb";
        for word in [public, id, "alice", "5", "Löwe", "PUB_R1_6Ld5kH2gJAvBBpL2nBsGK1FcSTXMMgFsQzdzfxEARKzLQZ56L2"] {
            assert_eq!(hidden(word), word);
        }
    }
}
