//! The decoders of values: packed transactions, blocks, keys, genesis, wallet files, their text and JSON forms.

use codec::{Pack, Unpack};
use fuzz::run;
use primitives::block::SignedBlock;
use primitives::{
    Action, Asset, Authority, BlockTimestamp, Bytes, Checksum256, Compression, ExtendedAsset, Genesis, Name,
    PackedTransaction, PermissionLevel, PrivateKey, ProducerSchedule, PublicKey, Signature, SignedTransaction, Symbol,
    SymbolCode, TimePoint, TimePointSec, Transaction, name,
};

fn signed_transaction() -> SignedTransaction {
    let key: PrivateKey = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3".parse().expect("a key");
    let level = PermissionLevel { actor: name!("alice"), permission: name!("active") };
    let action = Action {
        account: name!("eosio.token"),
        name: name!("transfer"),
        authorization: vec![level],
        data: Bytes(vec![7; 64]),
    };
    let transaction = Transaction { actions: vec![action.clone(), action], ..Transaction::default() };
    let signature = key.sign(&transaction.id()).expect("a valid key signs");
    SignedTransaction { transaction, signatures: vec![signature], context_free_data: vec![Bytes(vec![1, 2, 3])] }
}

fn packed() -> Vec<PackedTransaction> {
    let signed = signed_transaction();
    [Compression::None, Compression::Zlib].map(|compression| PackedTransaction::new(&signed, compression)).into()
}

/// 20 MiB of zeros, compressed: what a bomb looks like.
fn bomb() -> PackedTransaction {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![0; 20 * 1024 * 1024]).expect("memory can be written");
    let packed_trx = Bytes(encoder.finish().expect("memory can be written"));
    PackedTransaction { compression: Compression::Zlib, packed_trx, ..PackedTransaction::default() }
}

#[test]
fn packed_transactions() {
    let seeds: Vec<_> = packed().iter().chain([&bomb()]).map(Pack::to_bytes).collect();
    run("packed transaction", &seeds, |input| {
        if let Ok(packed) = PackedTransaction::from_bytes(input) {
            let _ = packed.unpack_signed();
            let _ = packed.unprunable_size();
        }
    });
}

#[test]
fn transactions() {
    let seeds = [signed_transaction().transaction.to_bytes(), signed_transaction().to_bytes()];
    run("transaction", &seeds, |input| {
        if let Ok(transaction) = Transaction::from_bytes(input) {
            assert_eq!(Transaction::from_bytes(&transaction.to_bytes()), Ok(transaction));
        }
        let _ = SignedTransaction::from_bytes(input);
    });
}

#[test]
fn blocks() {
    let block = include_bytes!("../seeds/block.bin").to_vec();
    assert!(SignedBlock::from_bytes(&block).is_ok(), "the seed is a block");
    run("block", &[block], |input| {
        if let Ok(block) = SignedBlock::from_bytes(input) {
            let _ = block.header().id();
            block.transactions.iter().for_each(|receipt| {
                let _ = receipt.digest();
            });
        }
    });
}

#[test]
fn keys_and_signatures() {
    let signature = signed_transaction().signatures.remove(0);
    let digest = signed_transaction().transaction.id();
    let key: PublicKey = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV".parse().expect("a key");
    let texts = [
        key.to_string(),
        signature.to_string(),
        "PUB_R1_6FPFZqw5ahYrR9jD96yDbbDNTdKtNqRbze6oTDLntrsANgQKZu".to_owned(),
        "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3".to_owned(),
        "PUB_WA_WdCPfafVNxVMiW5ybdNs83oWjenQXvSt1F49fg9mv7qrCiRwHj5b38U3ponCFWxQTkDsMC".to_owned(),
        "SIG_R1_Juhpjh7A9Aj2Nzx9izTmqPwXEjf3hnxaTcH7KoCji8zCJAb6FXRuGjiMWnHDhnM5yd99EuCvZs2qWzncYttT64XQ87AjUL"
            .to_owned(),
    ];
    let mut seeds = vec![key.to_bytes(), signature.to_bytes()];
    seeds.extend(texts.into_iter().map(String::into_bytes));
    run("key", &seeds, |input| {
        let _ = PublicKey::from_bytes(input);
        if let Ok(signature) = Signature::from_bytes(input) {
            let _ = signature.recover(&digest);
        }
        let text = String::from_utf8_lossy(input);
        let _ = text.parse::<PublicKey>();
        let _ = text.parse::<PrivateKey>();
        let _ = text.parse::<Signature>();
    });
}

#[test]
fn texts() {
    let seeds = ["eosio.token", "1.0000 SYS", "4,SYS", "2026-11-22T07:01:48.500"].map(|text| text.as_bytes().to_vec());
    run("text", &seeds, |input| {
        let text = String::from_utf8_lossy(input);
        let _ = text.parse::<Name>();
        let _ = text.parse::<Asset>();
        let _ = text.parse::<Symbol>();
        let _ = text.parse::<SymbolCode>();
        let _ = text.parse::<TimePoint>();
        let _ = text.parse::<TimePointSec>();
        let _ = text.parse::<BlockTimestamp>();
        let _ = text.parse::<Checksum256>();
    });
}

/// What can be unpacked can be printed, and packs to what it was.
#[test]
fn small_values() {
    fn check<T: Pack + Unpack + std::fmt::Debug>(input: &[u8]) {
        if let Ok(value) = T::from_bytes(input) {
            assert_eq!(value.to_bytes(), input);
            let _ = format!("{value:?}");
        }
    }
    let asset: Asset = "1.0000 SYS".parse().expect("an asset");
    let seeds =
        [asset.to_bytes(), name!("eosio.token").to_bytes(), vec![4, b'S', b'Y', b'S', 0, 0, 0, 0], vec![0xff; 16]];
    run("small value", &seeds, |input| {
        check::<Name>(input);
        check::<Asset>(input);
        check::<ExtendedAsset>(input);
        check::<Symbol>(input);
        check::<SymbolCode>(input);
        check::<TimePoint>(input);
        check::<BlockTimestamp>(input);
        if let Ok(asset) = Asset::from_bytes(input) {
            let _ = asset.to_string().parse::<Asset>();
        }
        if let Ok(time) = TimePoint::from_bytes(input) {
            let _ = time.to_string().parse::<TimePoint>();
        }
        let _ = ProducerSchedule::from_bytes(input);
        let _ = Authority::from_bytes(input);
    });
}

/// A file that asks for a lot of memory and time before a password can be tried is refused when it is read.
#[test]
fn wallet_files() {
    let (wallet, key) = wallet::WalletFile::create("password");
    let seeds = [wallet.text().into_bytes()];
    run("wallet file", &seeds, |input| {
        if let Ok(wallet) = wallet::WalletFile::parse(&String::from_utf8_lossy(input)) {
            let _ = wallet.open(&key);
        }
    });
}

#[test]
fn documents() {
    let genesis = serde_json::to_vec(&Genesis::default()).expect("a genesis has a JSON form");
    let authority =
        r#"{"threshold":1,"keys":[{"key":"EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV","weight":1}]}"#;
    let packed = serde_json::to_vec(&packed()[1]).expect("a packed transaction has a JSON form");
    let (wallet, _) = wallet::WalletFile::create("password");
    let seeds = [genesis, authority.as_bytes().to_vec(), packed, wallet.text().into_bytes()];
    run("document", &seeds, |input| {
        let _ = serde_json::from_slice::<Genesis>(input);
        let _ = serde_json::from_slice::<Authority>(input);
        let _ = serde_json::from_slice::<PackedTransaction>(input);
        let _ = serde_json::from_slice::<Transaction>(input);
        let _ = wallet::WalletFile::parse(&String::from_utf8_lossy(input));
    });
}
